"""What zones' wall clocks show by the system's time zone database, through Python's zoneinfo, in the form that wall.mjs gives: [[from_ms, offset_ms], ...].

Node brings a database of its own. Where that is older than the system's, the two tables disagree about an interval, and what touches it is judged
by the system's.
"""

import bisect
import datetime
import zoneinfo

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
DAY_MS = 86400000
STEP_S = 86400


def ms_of_date(year, month=1, day=1):
    return (datetime.datetime(year, month, day, tzinfo=datetime.timezone.utc) - EPOCH) // datetime.timedelta(milliseconds=1)


class Zone:
    """A zone between two instants."""

    def __init__(self, name, from_ms, to_ms):
        self.name = name
        self.zone = zoneinfo.ZoneInfo(name)
        self.table = [[from_ms, self.ask(from_ms // 1000)]]
        for before in range(from_ms // 1000, to_ms // 1000, STEP_S):
            offset = self.ask(before + STEP_S)
            if offset != self.table[-1][1]:
                low, high = before, before + STEP_S
                while high - low > 1:
                    middle = (low + high) // 2
                    if self.ask(middle) == self.table[-1][1]:
                        low = middle
                    else:
                        high = middle
                self.table.append([high * 1000, offset])

    def ask(self, seconds):
        return int((EPOCH + datetime.timedelta(seconds=seconds)).astimezone(self.zone).utcoffset().total_seconds()) * 1000

    def offset(self, ms):
        return self.table[bisect.bisect_right([row[0] for row in self.table], ms) - 1][1]

    def changes(self, from_ms, to_ms):
        """The instants between two at which the offset changes."""
        return [row[0] for row in self.table[1:] if from_ms <= row[0] < to_ms]

    def differences(self, table):
        """The intervals in which another table says something else: pairs of ms."""
        borders = sorted({row[0] for row in self.table + table})
        found = []
        for low, high in zip(borders, borders[1:] + [1 << 62]):
            other = table[bisect.bisect_right([row[0] for row in table], low) - 1][1]
            if other != self.offset(low):
                found.append((low, high))
        return found
