#!/usr/bin/env python3
"""Streaks and goals: calendar days, what breaks them and what does not."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import timed
import tap

STREAK = ["currentDays", "longestDays", "longestStart", "longestEnd", "readToday"]
GOAL = ["date", "goalSeconds", "seconds", "reached", "daysReached", "currentDays"]


class StreakCase(timed.TimedCase):
    """A reader in UTC; it is noon of Monday, 10 November 2025."""

    abstract = True

    def setUp(self):
        super().setUp()
        self.init()

    def set(self, **settings):
        self.ok("setSettings", {"user": self.user, **settings})

    def read(self, *days, minutes=10):
        """Some minutes from ten o'clock on days of November 2025."""
        for day in days:
            start = timed.ms_of("2025-11-%02dT10:00:00Z" % day)
            self.add(start, start + minutes * 60000)


class Streaks(StreakCase):
    """_getStreaks."""

    def streak(self, **fields):
        found = self.one("_getStreaks", fields)
        return tuple(found[key] for key in STREAK)

    def test_none(self):
        self.assertEqual(self.post("_getStreaks", {"user": self.user}).text,
                         '[{"streak":{"currentDays":0,"longestDays":0,"longestStart":null,"longestEnd":null,"readToday":false}}]\n')

    def test_until_today(self):
        self.read(8, 9, 10)
        self.assertEqual(self.keys("_getStreaks", {}), [STREAK])
        self.assertEqual(self.streak(), (3, 3, "2025-11-08", "2025-11-10", True))

    def test_a_day_still_unread_does_not_break_it(self):
        self.read(7, 8, 9)
        self.assertEqual(self.streak(), (3, 3, "2025-11-07", "2025-11-09", False))
        self.at("2025-11-10T23:59:59.999Z")
        self.assertEqual(self.streak()[0], 3)
        self.at("2025-11-11T00:00:00Z")
        self.assertEqual(self.streak(), (0, 3, "2025-11-07", "2025-11-09", False))

    def test_only_today(self):
        self.read(10)
        self.assertEqual(self.streak(), (1, 1, "2025-11-10", "2025-11-10", True))

    def test_ties_are_the_earliest(self):
        self.read(1, 2, 4, 5, 9, 10)
        self.assertEqual(self.streak(), (2, 2, "2025-11-01", "2025-11-02", True))

    def test_one_session_over_many_days(self):
        self.add("2025-11-01T23:59:59.999Z", "2025-11-04T00:00:00Z")
        self.assertEqual(self.streak(), (0, 3, "2025-11-01", "2025-11-03", False))

    def test_a_session_of_zero_length_is_no_day(self):
        self.read(8, 10)
        self.add("2025-11-09T10:00:00Z", "2025-11-09T10:00:00Z")
        self.assertEqual(self.streak(), (1, 1, "2025-11-08", "2025-11-08", True))

    def test_min_seconds(self):
        self.read(8, 10)
        self.read(9, minutes=5)
        self.assertEqual(self.streak(minSeconds=300), (3, 3, "2025-11-08", "2025-11-10", True))
        self.assertEqual(self.streak(minSeconds=301), (1, 1, "2025-11-08", "2025-11-08", True))
        self.assertEqual(self.streak(minSeconds=0)[0], 3)
        self.assertEqual(self.streak(minSeconds=601), (0, 0, None, None, False))

    def test_min_seconds_are_not_rounded(self):
        self.add("2025-11-10T10:00:00Z", "2025-11-10T10:04:59.999Z")
        self.assertEqual(self.streak(minSeconds=300)[4], False)
        self.add("2025-11-10T11:00:00Z", "2025-11-10T11:00:00.001Z")
        self.assertEqual(self.streak(minSeconds=300)[4], True)

    def test_two_devices_at_once_count_once(self):
        for _ in range(2):
            self.read(10)
        self.assertEqual(self.streak(minSeconds=601)[4], False)

    @tap.cases([(str(value), value) for value in (-1, 86401, 1.5, "60", None, True, [], {})])
    def test_bad_min_seconds(self, value):
        self.refused(400, ["minSeconds"], "_getStreaks", {"user": self.user, "minSeconds": value})

    def test_good_min_seconds(self):
        self.read(10)
        for number in (b"600.0", b"6e2", b"600", b"0", b"-0"):
            reply = self.post("_getStreaks", b'{"user":"%s","minSeconds":%s}' % (self.user.encode(), number))
            self.assertEqual((reply.status, reply.json()[0]["streak"]["currentDays"]), (200, 1), reply)
        self.assertEqual(self.streak(minSeconds=86400)[0], 0)

    def test_filters(self):
        self.read(8, 9)
        self.add("2025-11-10T10:00:00Z", "2025-11-10T11:00:00Z", "another")
        self.assertEqual(self.streak(), (3, 3, "2025-11-08", "2025-11-10", True))
        self.assertEqual(self.streak(document="a book"), (2, 2, "2025-11-08", "2025-11-09", False))
        self.assertEqual(self.streak(document="another"), (1, 1, "2025-11-10", "2025-11-10", True))
        self.assertEqual(self.streak(to="2025-11-09"), (0, 1, "2025-11-08", "2025-11-08", False))
        self.assertEqual(self.streak(**{"from": "2025-11-09"}), (2, 2, "2025-11-09", "2025-11-10", True))

    def test_today_is_the_zone_s(self):
        """At noon in UTC it is the next day in Kiritimati."""
        self.read(9, 10)
        self.assertEqual(self.streak(timezone="Pacific/Kiritimati"), (2, 2, "2025-11-10", "2025-11-11", True))
        self.at("2025-11-10T10:00:01Z")
        self.assertEqual(self.streak(timezone="Pacific/Kiritimati")[4], True)
        self.at("2025-11-11T09:59:59Z")
        self.assertEqual(self.streak(timezone="Pacific/Kiritimati")[4], True)
        self.at("2025-11-11T10:00:00Z")
        self.assertEqual(self.streak(timezone="Pacific/Kiritimati")[4], False)

    def test_day_start(self):
        """What was read after midnight still is yesterday's."""
        self.set(dayStart="04:00")
        self.add("2025-11-08T10:00:00Z", "2025-11-08T11:00:00Z")
        self.add("2025-11-10T01:00:00Z", "2025-11-10T02:00:00Z")
        self.assertEqual(self.streak(), (2, 2, "2025-11-08", "2025-11-09", False))
        self.at("2025-11-10T03:59:59Z")
        self.assertEqual(self.streak(), (2, 2, "2025-11-08", "2025-11-09", True))

    def test_days_of_23_and_25_hours_do_not_break_it(self):
        """Half an hour late in the evening, every day of a year with both changes."""
        self.set(timezone="America/New_York")
        elements = []
        for day in range(365):
            start = timed.ms_of("2024-11-11T04:00:00Z") + day * timed.DAY_MS + (timed.HOUR_MS if day <= 118 or day >= 357 else 0)
            elements.append({"document": "d", "library": "l", "startTime": timed.instant(start - 1800000), "endTime": timed.instant(start - 60000)})
        self.ok("addSessions", {"user": self.user, "sessions": elements})
        self.assertEqual(self.streak(), (365, 365, "2024-11-10", "2025-11-09", False))

    def test_samoa(self):
        """30 December 2011 was none there."""
        self.set(timezone="Pacific/Apia")
        self.add("2011-12-29T20:00:00Z", "2011-12-29T21:00:00Z")
        self.add("2011-12-30T20:00:00Z", "2011-12-30T21:00:00Z")
        self.assertEqual(self.streak(), (0, 2, "2011-12-29", "2011-12-31", False))


class Goals(StreakCase):
    """_getGoal."""

    def goal(self, **fields):
        found = self.one("_getGoal", fields)
        return tuple(found[key] for key in GOAL)

    def test_none(self):
        self.read(9, 10)
        self.assertEqual(self.post("_getGoal", {"user": self.user}).text,
                         '[{"goal":{"date":"2025-11-10","goalSeconds":0,"seconds":600,"reached":false,"daysReached":0,"currentDays":0}}]\n')

    def test_reached(self):
        self.set(dailyGoalSeconds=600)
        self.read(1, 2, 8, 9, 10)
        self.assertEqual(self.goal(), ("2025-11-10", 600, 600, True, 5, 3))

    def test_not_yet_reached_today(self):
        self.set(dailyGoalSeconds=600)
        self.read(8, 9)
        self.read(10, minutes=9)
        self.assertEqual(self.goal(), ("2025-11-10", 600, 540, False, 2, 2))

    def test_a_millisecond_is_missing(self):
        """It is rounded only where it is shown."""
        self.set(dailyGoalSeconds=600)
        self.add("2025-11-10T10:00:00Z", "2025-11-10T10:09:59.999Z")
        self.assertEqual(self.goal(), ("2025-11-10", 600, 600, False, 0, 0))

    def test_a_change_applies_to_all_history(self):
        self.read(8, 9, 10)
        for seconds, days in ((600, 3), (601, 0), (0, 0), (1, 3)):
            self.set(dailyGoalSeconds=seconds)
            self.assertEqual(self.goal()[4:], (days, days))

    def test_a_whole_day(self):
        self.set(dailyGoalSeconds=86400)
        self.add("2025-11-08T12:00:00Z", "2025-11-10T12:00:00Z")
        self.assertEqual(self.goal(), ("2025-11-10", 86400, 43200, False, 1, 1))

    def test_time_zone(self):
        self.set(dailyGoalSeconds=600)
        self.read(9, 10)
        self.assertEqual(self.goal(timezone="Pacific/Kiritimati"), ("2025-11-11", 600, 600, True, 2, 2))
        self.assertEqual(self.goal(timezone="Pacific/Pago_Pago"), ("2025-11-10", 600, 0, False, 2, 2))

    def test_day_start(self):
        self.set(dailyGoalSeconds=600, dayStart="12:01")
        self.assertEqual(self.goal()[0], "2025-11-09")

    def test_bad_time_zone(self):
        self.refused(400, ["timezone"], "_getGoal", {"user": self.user, "timezone": "Berlin"})


if __name__ == "__main__":
    tap.main(globals())
