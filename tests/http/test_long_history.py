#!/usr/bin/env python3
"""A reader with a hundred thousand sessions (some thousands in the short form): every query answers, and rightly."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
import timed
from long_history import BEGIN_MS, BOOKS, batches, element, summary
from timed import DAY_MS, HOUR_MS

COUNT = 100000 if os.environ.get("FOCUSSTATS_LONG") == "1" else 6000
LIMIT_SECONDS = 600 if COUNT > 50000 else 120
WHOLE_DAYS = COUNT * 2 // 24
# The hours that are left behind the last whole day, and what is read in the day that they begin.
REST_HOURS = COUNT * 2 % 24
REST_SECONDS = REST_HOURS // 4 * 12600 + 1800


@tap.limit(LIMIT_SECONDS)
class LongHistory(timed.TimedCase):
    """One reader for all tests; the clock stands in the first minute after the last session."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service.set_clock(BEGIN_MS + 2 * HOUR_MS * COUNT + 31 * timed.MINUTE_MS)
        cls.now_ms = cls.service.now
        cls.service.post("initUser", {"user": "reader"})
        for batch in batches(COUNT):
            reply = cls.service.post("addSessions", {"user": "reader", "sessions": batch})
            wrong = [result for result in reply.json().get("results", [reply.json()]) if "focusSession" not in result]
            if wrong:
                raise AssertionError(wrong[:3])

    def setUp(self):
        super().setUp()
        self.user = "reader"
        self.at(self.now_ms)

    def test_summary(self):
        self.assertEqual(self.one("_getSummary"), summary(COUNT))

    def test_summary_of_a_range(self):
        """One day in the middle: it begins with the last half hour of the session before."""
        day = WHOLE_DAYS // 2
        found = self.one("_getSummary", {"from": timed.instant(BEGIN_MS + day * DAY_MS), "to": timed.instant(BEGIN_MS + (day + 1) * DAY_MS)})
        self.assertEqual((found["seconds"], found["sessions"], found["activeDays"], found["rawSeconds"]), (21 * 3600, 13, 1, 24 * 3600))

    def test_days(self):
        days = self.list("_getPeriods", {"unit": "day", "fill": True})
        self.assertEqual(len(days), WHOLE_DAYS + 1)
        self.assertEqual({day["seconds"] for day in days[:-1]}, {21 * 3600})
        self.assertEqual(days[-1]["seconds"], REST_SECONDS)
        self.assertEqual([day["start"] for day in days], [timed.instant(BEGIN_MS + day * DAY_MS) for day in range(len(days))])
        self.assertEqual({day["sessions"] for day in days[1:-1]}, {13})

    def test_other_periods(self):
        for unit in ("week", "month", "year"):
            periods = self.list("_getPeriods", {"unit": unit})
            self.assertEqual(sum(period["seconds"] for period in periods), summary(COUNT)["seconds"])
            self.assertTrue(all(before["end"] == after["start"] for before, after in zip(periods, periods[1:])))
        self.assertEqual({week["seconds"] for week in self.list("_getPeriods", {"unit": "week"})[:-1]}, {7 * 21 * 3600})

    def test_hours(self):
        hours = self.list("_getHours", {})
        self.assertEqual(sum(hour["seconds"] for hour in hours), summary(COUNT)["seconds"])
        per_hour = {0: 3600, 1: 1800, 2: 3600, 3: 3600}
        whole, rest = divmod(WHOLE_DAYS, 7)
        for hour in hours:
            days = whole + (hour["weekday"] - 1 < rest)
            more = hour["weekday"] - 1 == rest and hour["hour"] < REST_HOURS
            tail = 1800 if hour["weekday"] - 1 == rest and hour["hour"] == REST_HOURS else 0
            self.assertEqual(hour["seconds"], (days + more) * per_hour[hour["hour"] % 4] + tail, hour)

    def test_documents(self):
        self.assertEqual([(document["document"], document["seconds"], document["sessions"]) for document in self.list("_getDocuments", {})],
                         [(name, COUNT // 2 * minutes * 60, COUNT // 2) for name, minutes in BOOKS[::-1]])

    def test_streak_and_goal(self):
        self.ok("setSettings", {"user": "reader", "dailyGoalSeconds": 21 * 3600})
        streak = self.one("_getStreaks")
        self.assertEqual((streak["currentDays"], streak["longestDays"], streak["longestStart"], streak["readToday"]),
                         (WHOLE_DAYS + 1, WHOLE_DAYS + 1, "1990-01-01", True))
        self.assertEqual(self.one("_getStreaks", {"minSeconds": 21 * 3600})["longestDays"], WHOLE_DAYS)
        goal = self.one("_getGoal")
        self.assertEqual((goal["daysReached"], goal["currentDays"], goal["reached"], goal["seconds"]), (WHOLE_DAYS, WHOLE_DAYS, False, REST_SECONDS))

    def test_lists(self):
        ids = [element(number)["focusSession"] for number in range(COUNT)]
        self.assertEqual([session["_id"] for session in self.sessions()], ids)
        self.assertEqual(self.ended(), ids)
        self.assertEqual(len(self.one("_exportUser")["sessions"]), COUNT)

    def test_pages(self):
        """A few pages from both ends and the middle."""
        middle = element(COUNT // 2)["focusSession"]
        for fields, first, step in (({}, 0, 1), ({"order": "desc"}, COUNT - 1, -1), ({"after": middle}, COUNT // 2 + 1, 1),
                                    ({"after": middle, "order": "desc"}, COUNT // 2 - 1, -1)):
            page = self.sessions(limit=1000, **fields)
            self.assertEqual([session["_id"] for session in page], [element(first + step * index)["focusSession"] for index in range(1000)])

    def test_retried(self):
        """All of it once more changes nothing."""
        for batch in batches(3000):
            self.ok("addSessions", {"user": "reader", "sessions": batch})
        self.assertEqual(self.one("_getSummary"), summary(COUNT))

    def test_zzz_removal(self):
        """The last one."""
        self.assertEqual(self.ok("removeUser", {"user": "reader", "confirm": "reader"}), {"removedSessions": COUNT})
        self.refused(404, ["reader"], "_getSummary", {"user": "reader"})


if __name__ == "__main__":
    tap.main(globals())
