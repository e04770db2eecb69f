#!/usr/bin/env python3
"""The statistics, by figures that a reader of the specification can check by hand: keys and their order, empties, cuts, unions, rounding, streaks, goals.
That they hold in every zone and through every change of a clock is tests/oracle's."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import timed
import tap

SUMMARY = ["seconds", "rawSeconds", "sessions", "documents", "activeDays", "averageSessionSeconds", "averageActiveDaySeconds",
           "longestSessionSeconds",
           "firstStart", "lastEnd"]
PERIOD = ["start", "end", "label", "seconds", "sessions", "documents"]
DOCUMENT = ["document", "title", "authors", "seconds", "sessions", "activeDays", "firstStart", "lastEnd", "progress", "remainingSeconds"]


def of_day(day, clock):
    """An instant in November 2025."""
    return "2025-11-%02dT%s:00.000Z" % (day, clock)


class StatisticsCase(timed.TimedCase):
    """A reader in UTC."""

    abstract = True

    def setUp(self):
        super().setUp()
        self.init()

    def set(self, **settings):
        self.ok("setSettings", {"user": self.user, **settings})

    def read(self, *spans, document="a book", **more):
        """Adds sessions of November 2025: (day, from, to)."""
        return [self.add(of_day(day, start), of_day(day, end), document, **more) for day, start, end in spans]


class Summary(StatisticsCase):
    """_getSummary."""

    def test_of_a_new_user(self):
        self.assertEqual(self.post("_getSummary", {"user": self.user}).text,
                         '[{"summary":{"seconds":0,"rawSeconds":0,"sessions":0,"documents":0,"activeDays":0,"averageSessionSeconds":0,'
                         '"averageActiveDaySeconds":0,"longestSessionSeconds":0,"firstStart":null,"lastEnd":null}}]\n')

    def test_all_figures(self):
        """Two overlap, one lies apart on another day."""
        self.read((3, "10:00", "11:00"), (3, "10:30", "12:00"), document="one")
        self.read((5, "20:00", "20:20"), document="two")
        self.assertEqual(self.keys("_getSummary", {}), [SUMMARY])
        self.assertEqual(self.one("_getSummary"), {
            "seconds": 8400, "rawSeconds": 3600 + 5400 + 1200, "sessions": 3, "documents": 2, "activeDays": 2, "averageSessionSeconds": 3400,
            "averageActiveDaySeconds": 4200, "longestSessionSeconds": 5400, "firstStart": of_day(3, "10:00"), "lastEnd": of_day(5, "20:20")})

    def test_cut_at_the_range(self):
        self.read((3, "10:00", "12:00"), (3, "11:30", "14:00"))
        self.assertEqual(self.one("_getSummary", {"from": of_day(3, "11:00"), "to": of_day(3, "13:00")}), {
            "seconds": 7200, "rawSeconds": 3600 + 5400, "sessions": 2, "documents": 1, "activeDays": 1, "averageSessionSeconds": 4500,
            "averageActiveDaySeconds": 7200, "longestSessionSeconds": 5400, "firstStart": of_day(3, "11:00"), "lastEnd": of_day(3, "13:00")})

    def test_the_range_is_half_open(self):
        self.read((3, "10:00", "11:00"))
        for bounds, seconds, sessions in (({"from": of_day(3, "11:00")}, 0, 0), ({"to": of_day(3, "10:00")}, 0, 0),
                                          ({"from": "2025-11-03T10:59:59.999Z"}, 0, 1), ({"to": "2025-11-03T10:00:00.500Z"}, 1, 1),
                                          ({"from": of_day(3, "10:00"), "to": of_day(3, "11:00")}, 3600, 1)):
            summary = self.one("_getSummary", bounds)
            self.assertEqual((summary["seconds"], summary["sessions"]), (seconds, sessions), bounds)

    def test_of_zero_length(self):
        """Counts as a session where from ≤ t < to; it adds no time and no active day."""
        self.read((3, "10:00", "10:00"))
        for bounds, sessions in (({}, 1), ({"from": of_day(3, "10:00")}, 1), ({"from": "2025-11-03T10:00:00.001Z"}, 0),
                                 ({"to": of_day(3, "10:00")}, 0),
                                 ({"to": "2025-11-03T10:00:00.001Z"}, 1), ({"from": of_day(3, "10:00"), "to": of_day(3, "10:00")}, 0)):
            summary = self.one("_getSummary", bounds)
            self.assertEqual((summary["sessions"], summary["documents"], summary["seconds"], summary["activeDays"], summary["firstStart"]),
                             (sessions, sessions, 0, 0, of_day(3, "10:00") if sessions else None), bounds)

    def test_equal_bounds_are_empty(self):
        self.read((3, "10:00", "11:00"))
        self.assertEqual(self.one("_getSummary", {"from": of_day(3, "10:30"), "to": of_day(3, "10:30")})["sessions"], 0)
        self.assertEqual(self.one("_getSummary", {"from": "2025-11-03", "to": "2025-11-03"})["sessions"], 0)

    def test_sums_are_rounded_once_half_up(self):
        """Three of 500 ms are 1.5 s and not three seconds; a session of 499 ms is none, one of 500 ms is one."""
        for number in range(3):
            self.add("2025-11-03T10:0%d:00.000Z" % number, "2025-11-03T10:0%d:00.500Z" % number)
        summary = self.one("_getSummary")
        self.assertEqual((summary["seconds"], summary["rawSeconds"], summary["averageSessionSeconds"], summary["averageActiveDaySeconds"],
                          summary["longestSessionSeconds"]), (2, 2, 1, 2, 1))
        summary = self.one("_getSummary", {"to": "2025-11-03T10:00:00.499Z"})
        self.assertEqual((summary["seconds"], summary["sessions"], summary["longestSessionSeconds"], summary["activeDays"]), (0, 1, 0, 1))
        summary = self.one("_getSummary", {"to": "2025-11-03T10:02:00.499Z"})
        self.assertEqual((summary["seconds"], summary["averageSessionSeconds"]), (1, 0))

    def test_a_million_years_of_devices(self):
        """Fifty years on a hundred devices at once: sums beyond 2³¹ seconds, and no day is longer than a day."""
        self.ok("addSessions", {"user": self.user, "sessions": [
            {"document": "d", "library": "l", "startTime": "1975-01-01T00:00:00Z", "endTime": "2025-01-01T00:00:00Z"}] * 100})
        years = (timed.ms_of("2025-01-01T00:00:00Z") - timed.ms_of("1975-01-01T00:00:00Z")) // 1000
        summary = self.one("_getSummary")
        self.assertEqual((summary["seconds"], summary["rawSeconds"], summary["averageActiveDaySeconds"]), (years, 100 * years, 86400))
        self.assertEqual(summary["activeDays"], years // 86400)
        self.assertEqual(self.one("_getStreaks")["longestDays"], years // 86400)
        self.assertEqual(self.one("_getDocuments")["seconds"], years)
        self.assertEqual(sum(hour["seconds"] for hour in self.list("_getHours", {"timezone": "Australia/Lord_Howe"})), years)
        days = self.list("_getPeriods", {"unit": "day", "timezone": "America/St_Johns"})
        self.assertEqual((len(days), {day["sessions"] for day in days}, {day["seconds"] for day in days[1:-1]}),
                         (years // 86400 + 1, {100}, {82800, 86400, 90000, 79200, 93600}))


class Filters(StatisticsCase):
    """What F has in common for all queries, looked at through _getSummary."""

    def seconds(self, **fields):
        return self.one("_getSummary", fields)["seconds"]

    def test_document_and_library(self):
        self.read((3, "10:00", "10:10"), document="one")
        self.read((3, "10:05", "10:20"), document="two")
        self.read((3, "11:00", "11:01"), document="one", library="work")
        self.assertEqual([self.seconds(), self.seconds(document="one"), self.seconds(document="two"), self.seconds(library="home"),
                          self.seconds(library="work"), self.seconds(document="one", library="work"), self.seconds(document="two", library="work")],
                         [1260, 660, 900, 1200, 60, 60, 0])

    def test_unknown_ones_are_empty(self):
        self.read((3, "10:00", "10:10"))
        for fields in ({"document": "nothing"}, {"library": "nothing"}, {"document": "a boo"}, {"document": "a book "}, {"document": "A book"}):
            self.assertEqual(self.seconds(**fields), 0)
            self.assertEqual(self.list("_getDocuments", fields), [])
            self.assertEqual(self.list("_getPeriods", {"unit": "day", **fields}), [])

    def test_dates_are_reading_days(self):
        """A date as from begins with that day, a date as to excludes it."""
        self.set(timezone="America/New_York", dayStart="04:00")
        self.add("2025-11-03T00:00:00Z", "2025-11-06T00:00:00Z")
        self.assertEqual([self.seconds(**{"from": "2025-11-03"}), self.seconds(to="2025-11-03"),
                          self.seconds(**{"from": "2025-11-03", "to": "2025-11-04"}),
                          self.seconds(**{"from": "2025-11-03", "to": "2025-11-04", "timezone": "UTC"})],
                         [(72 - 9) * 3600, 9 * 3600, 24 * 3600, 24 * 3600])
        self.assertEqual(self.one("_getSummary", {"from": "2025-11-04", "to": "2025-11-05"})["firstStart"], of_day(4, "09:00"))
        self.assertEqual(self.one("_getSummary", {"from": "2025-11-04", "to": "2025-11-05", "timezone": "Asia/Kathmandu"})["firstStart"],
                         of_day(3, "22:15"))

    def test_a_date_and_an_instant(self):
        self.read((3, "10:00", "12:00"))
        self.assertEqual(self.seconds(**{"from": "2025-11-03", "to": "2025-11-03T12:00:00+01:00"}), 3600)

    @tap.cases([
        ("instants", "2025-11-03T10:00:00.001Z", "2025-11-03T10:00:00Z"), ("dates", "2025-11-04", "2025-11-03"),
        ("a date after an instant", "2025-11-03", "2025-11-02T23:59:59.999Z"),
        ("instants in two zones", "2025-11-03T10:00:00Z", "2025-11-03T10:30:00+01:00")])
    def test_from_after_to(self, low, high):
        for query in ("_getSummary", "_getHours", "_getDocuments", "_getStreaks", "_getSessions"):
            self.refused(400, ["from"], query, {"user": self.user, "from": low, "to": high})
        self.refused(400, ["from"], "_getPeriods", {"user": self.user, "unit": "day", "from": low, "to": high})

    @tap.cases([("no such day", "2025-02-29"), ("no such month", "2025-13-01"), ("one digit", "2025-1-1"), ("before 1970", "1969-12-31"),
                ("five digits", "10000-01-01"),
                ("basic format", "20251103"), ("a month", "2025-11"), ("a blank behind", "2025-11-03 "),
                ("an instant without offset", "2025-11-03T10:00:00"),
                ("empty", ""), ("a word", "today"), ("null", None), ("a number", 1762682400000), ("true", True), ("an array", []), ("an object", {})])
    def test_bad_bound(self, value):
        for name in ("from", "to"):
            for query in ("_getSummary", "_getSessions"):
                self.refused(400, [name], query, {"user": self.user, name: value})

    @tap.cases([(name, name) for name in ("document", "library", "timezone")])
    def test_wrong_type(self, name):
        for value in (None, 1, True, [], {}, "", "a\nb", "x" * 256):
            for query in ("_getSummary", "_getSessions", "_getHours", "_getDocuments", "_getStreaks"):
                self.refused(400, [name], query, {"user": self.user, name: value})

    @tap.cases([(query, query) for query in ("_getSummary", "_getHours", "_getDocuments", "_getStreaks", "_getGoal", "_getPeriods")])
    def test_unknown_user(self, query):
        self.refused(404, ["nobody of this name"], query, {"user": "nobody of this name", "unit": "day"})

    def test_the_first_and_the_last_date(self):
        """Also where the zone puts their beginning before 1970, or behind the last year."""
        self.read((3, "10:00", "11:00"))
        for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
            self.assertEqual(self.seconds(**{"from": "1970-01-01", "to": "9999-12-31", "timezone": zone}), 3600)


class Hours(StatisticsCase):
    """_getHours."""

    def test_all_168_in_order(self):
        self.assertEqual(self.keys("_getHours", {}), [["weekday", "hour", "seconds"]] * 168)
        self.assertEqual([(hour["weekday"], hour["hour"], hour["seconds"]) for hour in self.list("_getHours", {})],
                         [(weekday, hour, 0) for weekday in range(1, 8) for hour in range(24)])

    def found(self, **fields):
        return {(hour["weekday"], hour["hour"]): hour["seconds"] for hour in self.list("_getHours", fields) if hour["seconds"]}

    def test_cut_at_hours(self):
        """3 November 2025 is a Monday. The same hours of the next Monday add up; two devices at once do not."""
        self.read((3, "10:45", "12:15"), (3, "11:00", "11:30"), (10, "10:50", "11:10"))
        self.assertEqual(self.found(), {(1, 10): 900 + 600, (1, 11): 3600 + 600, (1, 12): 900})

    def test_day_start_plays_no_part(self):
        self.set(dayStart="04:00")
        self.read((2, "01:00", "02:00"))
        self.assertEqual(self.found(), {(7, 1): 3600})
        self.assertEqual(self.one("_getPeriods", {"unit": "day"})["label"], "2025-11-01")

    def test_an_hour_that_happens_twice_adds_up(self):
        """In Berlin it was from two to three o'clock twice on Sunday, 26 October 2025, and never on 30 March."""
        self.set(timezone="Europe/Berlin")
        self.add("2025-10-25T23:00:00Z", "2025-10-26T03:00:00Z")
        self.assertEqual(self.found(), {(7, 1): 3600, (7, 2): 7200, (7, 3): 3600})
        self.assertEqual(self.found(timezone="Asia/Kathmandu"), {(7, 4): 900, (7, 5): 3600, (7, 6): 3600, (7, 7): 3600, (7, 8): 2700})
        self.assertEqual(self.found(to="2025-10-26T00:30:00Z"), {(7, 1): 3600, (7, 2): 1800})

    def test_an_hour_that_does_not_happen(self):
        self.set(timezone="Europe/Berlin")
        self.add("2025-03-30T00:00:00Z", "2025-03-30T02:00:00Z")
        self.assertEqual(self.found(), {(7, 1): 3600, (7, 3): 3600})


class Periods(StatisticsCase):
    """_getPeriods."""

    def labels(self, **fields):
        return [(period["label"], period["seconds"], period["sessions"], period["documents"]) for period in self.list("_getPeriods", fields)]

    def test_nothing(self):
        for unit in ("day", "week", "month", "year"):
            self.assertEqual(self.post("_getPeriods", {"user": self.user, "unit": unit, "fill": True}).text, "[]\n")

    def test_days(self):
        self.read((3, "23:00", "23:50"), (3, "23:30", "23:40"))
        self.add(of_day(3, "23:55"), of_day(4, "00:05"), "another")
        self.assertEqual(self.keys("_getPeriods", {"unit": "day"}), [PERIOD, PERIOD])
        self.assertEqual(self.list("_getPeriods", {"unit": "day"}), [
            {"start": of_day(3, "00:00"), "end": of_day(4, "00:00"), "label": "2025-11-03", "seconds": 3300, "sessions": 3, "documents": 2},
            {"start": of_day(4, "00:00"), "end": of_day(5, "00:00"), "label": "2025-11-04", "seconds": 300, "sessions": 1, "documents": 1}])

    def test_fill(self):
        self.read((3, "10:00", "10:01"), (6, "10:00", "10:01"))
        self.assertEqual([label for label, *_ in self.labels(unit="day")], ["2025-11-03", "2025-11-06"])
        self.assertEqual(self.labels(unit="day", fill=False), self.labels(unit="day"))
        self.assertEqual(self.labels(unit="day", fill=True), [("2025-11-03", 60, 1, 1), ("2025-11-04", 0, 0, 0), ("2025-11-05", 0, 0, 0),
                                                              ("2025-11-06", 60, 1, 1)])

    def test_fill_lies_between_those_with_time(self):
        """Not out to the range's bounds, nor to a session of zero length."""
        self.read((1, "10:00", "10:00"), (3, "10:00", "10:01"), (5, "10:00", "10:01"), (8, "10:00", "10:00"))
        self.assertEqual([label for label, *_ in self.labels(unit="day", fill=True, to="2025-11-30", **{"from": "2025-10-01"})],
                         ["2025-11-03", "2025-11-04", "2025-11-05"])

    def test_whole_though_the_range_cuts(self):
        self.read((3, "10:00", "12:00"))
        for unit, start, end in (("day", "2025-11-03", "2025-11-04"), ("week", "2025-11-03", "2025-11-10"), ("month", "2025-11-01", "2025-12-01"),
                                 ("year", "2025-01-01", "2026-01-01")):
            period, = self.list("_getPeriods", {"unit": unit, "from": of_day(3, "11:00"), "to": of_day(3, "11:10")})
            self.assertEqual((period["start"], period["end"], period["seconds"]), (start + "T00:00:00.000Z", end + "T00:00:00.000Z", 600))

    @tap.cases([(day, day, label) for day, label in (("monday", "2025-11-03"), ("tuesday", "2025-11-04"), ("wednesday", "2025-11-05"),
                                                     ("thursday", "2025-10-30"),
                                                     ("friday", "2025-10-31"), ("saturday", "2025-11-01"), ("sunday", "2025-11-02"))])
    def test_week_start(self, day, label):
        """5 November 2025 is a Wednesday."""
        self.set(weekStart=day)
        self.read((5, "10:00", "10:30"))
        self.assertEqual(self.labels(unit="week"), [(label, 1800, 1, 1)])

    def test_a_week_across_the_year(self):
        self.add("2024-12-30T23:00:00Z", "2025-01-02T01:00:00Z")
        self.assertEqual(self.labels(unit="week"), [("2024-12-30", 50 * 3600, 1, 1)])
        self.assertEqual(self.labels(unit="month"), [("2024-12", 25 * 3600, 1, 1), ("2025-01", 25 * 3600, 1, 1)])
        self.assertEqual(self.labels(unit="year"), [("2024", 25 * 3600, 1, 1), ("2025", 25 * 3600, 1, 1)])

    def test_months_are_made_of_reading_days(self):
        """What was read at three in the morning of the first belongs to the month before where the day begins at four."""
        self.set(dayStart="04:00", timezone="Europe/Berlin")
        self.read((1, "02:00", "02:30"))
        self.assertEqual(self.labels(unit="month"), [("2025-10", 1800, 1, 1)])
        period, = self.list("_getPeriods", {"unit": "month"})
        self.assertEqual((period["start"], period["end"]), ("2025-10-01T02:00:00.000Z", "2025-11-01T03:00:00.000Z"))
        self.read((1, "02:50", "03:10"))
        self.assertEqual(self.labels(unit="month"), [("2025-10", 2400, 2, 1), ("2025-11", 600, 1, 1)])

    def test_of_zero_length(self):
        self.read((3, "10:00", "10:00"))
        self.assertEqual(self.labels(unit="day"), [])
        self.read((3, "09:00", "11:00"))
        self.assertEqual(self.labels(unit="day"), [("2025-11-03", 7200, 1, 1)])

    def test_a_millisecond_makes_a_period(self):
        """With time means more than 0 ms."""
        self.add("2025-11-03T23:59:59.999Z", "2025-11-04T10:00:00Z")
        self.assertEqual(self.labels(unit="day"), [("2025-11-03", 0, 1, 1), ("2025-11-04", 36000, 1, 1)])

    def test_days_of_23_and_25_hours(self):
        self.set(timezone="Europe/Berlin")
        self.add("2025-03-29T00:00:00Z", "2025-03-31T12:00:00Z")
        self.add("2025-10-25T00:00:00Z", "2025-10-27T12:00:00Z")
        found = {label: seconds for label, seconds, *_ in self.labels(unit="day")}
        self.assertEqual((found["2025-03-30"], found["2025-10-26"]), (23 * 3600, 25 * 3600))

    def test_a_day_that_samoa_skipped(self):
        self.set(timezone="Pacific/Apia")
        self.add("2011-12-29T10:00:00Z", "2012-01-01T10:00:00Z")
        self.assertEqual(self.labels(unit="day", fill=True), [("2011-12-29", 24 * 3600, 1, 1), ("2011-12-31", 24 * 3600, 1, 1),
                                                              ("2012-01-01", 24 * 3600, 1, 1)])
        self.assertEqual(self.one("_getStreaks")["longestDays"], 3)

    def test_unit_is_required(self):
        self.refused(400, ["unit"], "_getPeriods", {"user": self.user})
        for value in ("hour", "Day", "days", "", None, 1, [], {}, True):
            self.refused(400, ["unit"], "_getPeriods", {"user": self.user, "unit": value})

    def test_fill_is_true_or_false(self):
        for value in (None, 1, 0, "true", "", [], {}):
            self.refused(400, ["fill"], "_getPeriods", {"user": self.user, "unit": "day", "fill": value})

    def test_more_than_40_000(self):
        """That many days are 109 years and a half."""
        self.at("2080-07-08T00:00:00Z")
        self.add("1970-12-31T00:00:00Z", "1970-12-31T01:00:00Z")
        last = self.add("2080-07-05T00:00:00Z", "2080-07-05T01:00:00Z")
        self.assertEqual(len(self.list("_getPeriods", {"unit": "day", "fill": True})), 40000)
        self.ok("editSession", {"focusSession": last, "startTime": "2080-07-05T23:59:59Z", "endTime": "2080-07-06T00:00:01Z"})
        self.refused(400, ["40000"], "_getPeriods", {"user": self.user, "unit": "day", "fill": True})
        self.assertEqual(len(self.list("_getPeriods", {"unit": "day"})), 3)
        self.assertEqual(len(self.list("_getPeriods", {"unit": "week", "fill": True})), 5715)
        self.assertEqual(len(self.list("_getPeriods", {"unit": "day", "fill": True, "from": "1971-01-01"})), 2)


if __name__ == "__main__":
    tap.main(globals())
