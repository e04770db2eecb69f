"""Random histories of a reader around an instant at which something happens, and questions about them."""

import datetime
import random
import uuid

DAY_MS = 86400000
HOUR_MS = 3600000
QUARTER_MS = 900000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
DOCUMENTS = ["walden", "the odyssey", "книга", "a-b", "a", "b"]
LIBRARIES = ["home", "work"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
GOALS = [0, 1, 600, 1800, 3600, 7200, 86400]
UNITS = ["day", "week", "month", "year"]


def text(ms, offset_minutes=0):
    """An instant in RFC 3339, with an offset of the writer's."""
    local = EPOCH + datetime.timedelta(milliseconds=ms + offset_minutes * 60000)
    zone = "Z" if offset_minutes == 0 else "%s%02d:%02d" % ("+" if offset_minutes > 0 else "-", *divmod(abs(offset_minutes), 60))
    return "%s.%03d%s" % (local.strftime("%Y-%m-%dT%H:%M:%S"), local.microsecond // 1000, zone)


def date_text(ms):
    return (EPOCH + datetime.timedelta(milliseconds=ms)).strftime("%Y-%m-%d")


class History:
    """The sessions of one reader. ANCHOR is the instant around which they lie; OFFSET, of the zone then, makes some begin and end at local hours."""

    def __init__(self, seed, anchor, offset):
        self.random = random.Random(seed)
        self.anchor = anchor
        self.offset = offset
        self.far = self.random.random() < 0.2
        self.past = [self.session() for _ in range(self.random.randint(2, 28))]
        self.live = [self.live_session() for _ in range(self.random.choice([0, 0, 2, 3, 5]))]
        self.last = max(session["end"] for session in self.past + self.live)
        self.now = self.last + self.random.choice([1, 60, 3600, 12 * 3600, 26 * 3600, 49 * 3600, 80 * 3600]) * 1000

    def near(self):
        """An instant near the anchor: often at a quarter of an hour or right beside one, sometimes at the anchor itself."""
        chance = self.random.random()
        if chance < 0.08:
            return self.anchor + self.random.choice([-1, 0, 1, -HOUR_MS, HOUR_MS])
        spread = self.random.choice([3 * HOUR_MS, DAY_MS, 4 * DAY_MS]) if not self.far else self.random.choice([DAY_MS, 40 * DAY_MS, 500 * DAY_MS])
        ms = self.anchor + self.random.randint(-spread, spread)
        if chance < 0.55:
            ms = ms // QUARTER_MS * QUARTER_MS + self.random.choice([0, 0, 0, -1, 1])
        elif chance < 0.7:
            ms = ms // 1000 * 1000
        return ms

    def length(self):
        chance = self.random.random()
        if chance < 0.1:
            return 0
        if chance < 0.2:
            return self.random.randint(1, 7200) * 500
        if chance < 0.5:
            return self.random.randint(1, 3 * HOUR_MS)
        if chance < 0.8:
            return self.random.randint(1, 24) * QUARTER_MS
        if chance < 0.93:
            return self.random.randint(HOUR_MS, 2 * DAY_MS)
        return self.random.randint(1, 12) * DAY_MS + self.random.randint(-2, 2) * HOUR_MS

    def session(self):
        start = self.near()
        return {"id": str(uuid.UUID(int=self.random.getrandbits(128))), "start": start, "end": start + self.length(), "progress": None,
                "document": self.random.choice(DOCUMENTS), "library": self.random.choice(LIBRARIES)}

    def live_session(self):
        """One with reports of progress: pairs of an instant and a part; the last one comes with its end."""
        made = {**self.session(), "document": self.random.choice(DOCUMENTS[:3])}
        made["end"] = made["start"] + self.random.randint(1, 6 * HOUR_MS)
        times = sorted({self.random.randint(made["start"], made["end"] - 1) for _ in range(self.random.randint(0, 3))}) + [made["end"]]
        made["reports"] = [[at, self.random.choice([None, self.random.random(), self.random.randint(0, 4) / 4])] for at in times]
        known = [part for _, part in made["reports"] if part is not None]
        made["progress"] = known[-1] if known else None
        return made

    @property
    def sessions(self):
        return self.past + self.live

    def events(self):
        """What happens while the live ones are recorded: (ms, session, what, progress), in order."""
        found = []
        for session in self.live:
            found.append((session["start"], session, "start", None))
            found += [(at, session, "end" if at == session["end"] else "heartbeat", part) for at, part in session["reports"]]
        return sorted(found, key=lambda event: (event[0], event[1]["id"]))

    def reports(self):
        """What was said of the progress, in order."""
        return [{"at": ms, "document": session["document"], "library": session["library"], "progress": part}
                for ms, session, _, part in self.events() if part is not None]

    def bound(self):
        """A date or an instant as from or to; often right where a session begins or ends."""
        ms = self.near() if self.random.random() < 0.6 else self.random.choice(self.sessions)[self.random.choice(["start", "end"])]
        if self.random.random() < 0.5:
            return ms, date_text(ms + self.offset)
        return ms, text(ms, self.random.choice([0, 0, 345, -210, 60]))

    def filter(self, zones):
        """The fields that narrow a query, but for the user."""
        fields = {}
        low, high = sorted([self.bound(), self.bound()])
        chance = self.random.random()
        if chance < 0.7:
            # A date begins up to a day before or after the instant it was made of, and from must not be after to.
            if chance < 0.45 and ("T" in low[1] and "T" in high[1] or high[0] - low[0] > 3 * DAY_MS):
                fields = {"from": low[1], "to": high[1]}
            elif chance < 0.55:
                fields = {"from": low[1]}
            elif chance < 0.65:
                fields = {"to": high[1]}
            else:
                fields = {"from": low[1], "to": low[1]}
        if self.random.random() < 0.2:
            fields["document"] = self.random.choice(DOCUMENTS + ["nothing of this name"])
        if self.random.random() < 0.15:
            fields["library"] = self.random.choice(LIBRARIES)
        if self.random.random() < 0.25:
            fields["timezone"] = self.random.choice(zones)
        return fields

    def questions(self, filters, zones):
        """(query, fields) of this many filters."""
        made = []
        for index in range(filters):
            fields = self.filter(zones) if index else {}
            made += [("_getSummary", fields), ("_getHours", fields), ("_getDocuments", fields),
                     ("_getStreaks", {**fields, **self.random.choice([{}, {"minSeconds": self.random.choice(GOALS)}])})]
            made += [("_getPeriods", {**fields, "unit": unit, **self.random.choice([{}, {"fill": True}, {"fill": False}])}) for unit in UNITS]
        made += [("_getGoal", {}), ("_getGoal", {"timezone": self.random.choice(zones)})]
        return made
