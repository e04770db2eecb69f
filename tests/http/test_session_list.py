#!/usr/bin/env python3
"""_getSessions: the base API's answer as ever; ranges, filters, pages and both orders."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import timed
import tap

KEYS = ["_id", "user", "document", "startTime", "endTime"]
MORE_KEYS = ["_id", "user", "document", "library", "startTime", "endTime", "lastSeen", "progress"]


class ListCase(timed.TimedCase):
    """A reader in UTC."""

    abstract = True

    def setUp(self):
        super().setUp()
        self.init()

    def ids(self, **fields):
        return [session["_id"] for session in self.sessions(**fields)]


class BaseForm(ListCase):
    """Without a new field."""

    def test_the_text(self):
        """Ended, added, expired, open with heartbeats and without: byte by byte what the base API answers."""
        added = self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00.5Z", "one")
        ended = self.begin("two")
        expired = self.begin("three")
        self.ok("heartbeat", {"focusSession": expired, "progress": 0.5})
        self.later(700)
        self.end(ended, progress=0.25)
        seen, silent = self.begin("four"), self.begin("five")
        self.ok("heartbeat", {"focusSession": seen})
        rows = [(added, "one", "2025-11-03T10:00:00.000Z", '"2025-11-03T11:00:00.500Z"'),
                (ended, "two", "2025-11-10T12:00:00.000Z", '"2025-11-10T12:11:40.000Z"'),
                (expired, "three", "2025-11-10T12:00:00.000Z", '"2025-11-10T12:00:00.000Z"'), (seen, "four", "2025-11-10T12:11:40.000Z", "null"),
                (silent, "five", "2025-11-10T12:11:40.000Z", "null")]
        wanted = "[" + ",".join('{"focusSession":{"_id":"%s","user":"%s","document":"%s","startTime":"%s","endTime":%s}}' % (row[0], self.user,
                                                                                                                             *row[1:])
                                for row in rows) + "]\n"
        self.assertEqual(self.post("_getSessions", {"user": self.user}).text, wanted)
        self.assertEqual(self.post("_getSessions", {"user": self.user, "colour": "green", "LIMIT": 1}).text, wanted)
        self.assertEqual(self.ended(), [added, ended, expired])

    def test_by_start_then_id(self):
        made = [self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z", focusSession="%08x-0000-4000-8000-%012x" % (number, int(self.user[-8:], 16)))
                for number in (7, 3, 0xffffffff, 1)]
        first = self.add("2025-11-03T09:59:59.999Z", "2025-11-03T12:00:00Z")
        self.assertEqual(self.ids(), [first] + sorted(made))
        self.assertEqual(self.ended(), [first] + sorted(made))


class Forms(ListCase):
    """With new fields."""

    @tap.cases([("from", {"from": "2025-01-01"}), ("to", {"to": "2025-12-01"}), ("document", {"document": "a book"}),
                ("library", {"library": "home"}),
                ("timezone", {"timezone": "UTC"}), ("limit", {"limit": 1}), ("order", {"order": "asc"}), ("order desc", {"order": "desc"})])
    def test_keys(self, fields):
        started = self.begin()
        self.later(30)
        self.ok("heartbeat", {"focusSession": started, "progress": 0.5})
        self.assertEqual(self.keys("_getSessions", fields), [MORE_KEYS])
        self.assertEqual(self.sessions(**fields), [{
            "_id": started, "user": self.user, "document": "a book", "library": "home", "startTime": "2025-11-10T12:00:00.000Z", "endTime": None,
            "lastSeen": "2025-11-10T12:00:30.000Z", "progress": 0.5}])

    def test_keys_after(self):
        first, second = self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z"), self.add("2025-11-03T10:30:00Z", "2025-11-03T11:00:00Z")
        self.assertEqual(self.keys("_getSessions", {"after": first}), [MORE_KEYS])
        self.assertEqual(self.sessions(after=first), [{
            "_id": second, "user": self.user, "document": "a book", "library": "home", "startTime": "2025-11-03T10:30:00.000Z",
            "endTime": "2025-11-03T11:00:00.000Z", "lastSeen": None, "progress": None}])

    def test_range_selects_whole_sessions_that_touch_it(self):
        one = self.add("2025-11-03T10:00:00Z", "2025-11-03T12:00:00Z")
        zero = self.add("2025-11-03T11:00:00Z", "2025-11-03T11:00:00Z")
        for fields, wanted in (({"from": "2025-11-03T11:59:59.999Z"}, [one]), ({"from": "2025-11-03T12:00:00Z"}, []),
                               ({"to": "2025-11-03T10:00:00.001Z"}, [one]),
                               ({"to": "2025-11-03T10:00:00Z"}, []), ({"from": "2025-11-03T11:00:00Z", "to": "2025-11-03T11:00:00.001Z"},
                                                                      [one, zero]),
                               ({"from": "2025-11-03T11:00:00.001Z"}, [one]), ({"to": "2025-11-03T11:00:00Z"}, [one]),
                               ({"from": "2025-11-03T11:00:00Z", "to": "2025-11-03T11:00:00Z"}, []),
                               ({"from": "2025-11-03", "to": "2025-11-04"}, [one, zero]), ({"from": "2025-11-04"}, []), ({"to": "2025-11-03"}, [])):
            self.assertEqual(self.ids(**fields), wanted, fields)
        self.assertEqual(self.sessions(**{"from": "2025-11-03T11:59:00Z"})[0]["startTime"], "2025-11-03T10:00:00.000Z")

    def test_an_open_session_touches_the_range_until_now(self):
        started = self.begin()
        self.later(3600)
        for fields, wanted in (({"from": "2025-11-10T12:59:00Z"}, [started]), ({"to": "2025-11-10T12:00:00Z"}, []), ({"from": "2025-11-11"}, []),
                               ({"to": "2025-11-10T12:00:01Z"}, [started]), ({"from": "2025-11-10", "to": "2025-11-11"}, [started])):
            self.assertEqual(self.ids(**fields), wanted, fields)

    def test_a_long_session_that_began_before(self):
        """However long before: fifty years, with a thousand short ones in between."""
        long = self.add("1975-01-01T00:00:00Z", "2025-01-01T00:00:00Z")
        self.ok("addSessions", {"user": self.user, "sessions": [
            {"document": "d", "library": "l", "startTime": timed.instant(1000000 * number), "endTime": timed.instant(1000000 * number + 5)}
            for number in range(500000, 501000)]})
        self.assertEqual(self.ids(**{"from": "2024-12-31"}), [long])
        self.ok("editSession", {"focusSession": long, "endTime": "2024-01-01T00:00:00Z"})
        self.assertEqual(self.ids(**{"from": "2024-12-31"}), [])
        self.assertEqual(self.ids(**{"from": "2023-12-31"}), [long])


class Unfinished(ListCase):
    """Sessions that were never ended, among thousands of others, and ranges long after their start."""

    def setUp(self):
        super().setUp()
        self.at("2025-01-01T00:00:00Z")
        self.seen, self.silent = self.begin("seen"), self.begin("silent")
        self.at("2025-11-01T00:00:00Z")
        self.ok("heartbeat", {"focusSession": self.seen})
        for month in (2, 5, 8):
            begin = timed.ms_of("2025-%02d-01T00:00:00Z" % month)
            self.ok("addSessions", {"user": self.user, "sessions": [
                {"document": "short", "library": "home", "startTime": timed.instant(begin + 600000 * number),
                 "endTime": timed.instant(begin + 600000 * number + 1000)}
                for number in range(1000)]})
        self.at("2025-11-10T12:00:00Z")

    def test_they_touch_what_comes_after(self):
        self.assertEqual(self.ids(**{"from": "2025-10-01", "to": "2025-10-02"}), sorted([self.seen, self.silent]))
        self.assertEqual(self.ids(**{"from": "2025-11-01"}), [self.silent])
        self.assertEqual(self.ids(**{"from": "2025-10-31T23:59:59.999Z"}), sorted([self.seen, self.silent]))
        self.assertEqual(self.ids(document="seen", **{"from": "2025-10-01"}), [self.seen])

    def test_one_that_expired_is_in_the_statistics(self):
        """Before anything was written that could have stored its end, and after."""
        for _ in range(2):
            summary = self.one("_getSummary", {"from": "2025-10-30"})
            self.assertEqual((summary["seconds"], summary["sessions"], summary["lastEnd"]), (2 * 86400, 1, "2025-11-01T00:00:00.000Z"))
            self.assertEqual([period["label"] for period in self.list("_getPeriods", {"unit": "day", "from": "2025-10-30"})],
                             ["2025-10-30", "2025-10-31"])
            self.assertEqual(self.one("_getStreaks", {"from": "2025-10-30"})["longestDays"], 2)
            self.ok("setSettings", {"user": self.user, "idleTimeoutSeconds": 60})

    def test_it_ends_late(self):
        self.end(self.silent)
        self.assertEqual(self.one("_getSummary", {"from": "2025-11-10"})["seconds"], 12 * 3600)
        self.ok("editSession", {"focusSession": self.silent, "startTime": "2025-11-10T11:00:00Z"})
        self.assertEqual(self.one("_getSummary", {"from": "2025-11-10"})["seconds"], 3600)


class Pages(ListCase):
    """limit, after, order."""

    def setUp(self):
        super().setUp()
        pick = random.Random(1)
        base = timed.ms_of("2025-11-03T00:00:00Z")
        elements = []
        for _ in range(120):
            start = base + pick.randrange(40) * 3600000
            elements.append({"document": pick.choice("ab"), "library": pick.choice("xy"), "startTime": timed.instant(start),
                             "endTime": timed.instant(start + pick.choice([0, 1, 1800000, 7200000, 86400000]))})
        self.ok("addSessions", {"user": self.user, "sessions": elements})
        self.open = [self.begin("a"), self.begin("b")]

    def pages(self, limit, **fields):
        """All pages of so many, one after the other."""
        found, more = [], {}
        while True:
            page = self.sessions(limit=limit, **more, **fields)
            self.assertLessEqual(len(page), limit)
            found += page
            if len(page) < limit:
                return found
            more = {"after": page[-1]["_id"]}

    @tap.cases([("all", {}), ("a document", {"document": "a"}), ("a library", {"library": "y"}), ("both", {"document": "b", "library": "x"}),
                ("a day", {"from": "2025-11-03", "to": "2025-11-04"}), ("from", {"from": "2025-11-04"}), ("to", {"to": "2025-11-03T05:00:00Z"}),
                ("all of it", {"document": "a", "library": "x", "from": "2025-11-03T07:30:00Z", "to": "2025-11-05"}),
                ("nothing", {"document": "none"}), ("no time", {"from": "2025-11-04", "to": "2025-11-04"})])
    def test_all_pages_together_are_the_list(self, fields):
        whole = self.sessions(order="asc", **fields)
        self.assertEqual([(session["startTime"], session["_id"]) for session in whole],
                         sorted((session["startTime"], session["_id"]) for session in whole))
        if fields.get("document") != "none" and fields.get("to") != fields.get("from", 0):
            self.assertGreater(len(whole), 5)
        for limit in (1, 2, 7, len(whole) or 1, 1000):
            self.assertEqual(self.pages(limit, **fields), whole)
            self.assertEqual(self.pages(limit, order="asc", **fields), whole)
            self.assertEqual(self.pages(limit, order="desc", **fields), whole[::-1])

    def test_after_without_limit(self):
        whole = self.ids()
        self.assertEqual(self.ids(after=whole[10]), whole[11:])
        self.assertEqual(self.ids(after=whole[10], order="desc"), whole[:10][::-1])
        self.assertEqual(self.ids(after=whole[-1]), [])
        self.assertEqual(self.ids(after=whole[10].upper()), whole[11:])

    def test_the_list_is_the_base_form_s(self):
        self.assertEqual(self.ids(order="asc"), self.ids())
        self.assertEqual(len(self.ids()), 122)

    def test_after_that_is_none(self):
        of_a = next(session["_id"] for session in self.sessions(document="a"))
        outside = next(session["_id"] for session in self.sessions(to="2025-11-03T06:00:00Z") if session["endTime"] < "2025-11-03T20")
        other = self.user + "-2"
        self.init(other)
        theirs = self.begin("a", other)
        removed = self.ids()[50]
        self.ok("removeSession", {"focusSession": removed})
        for fields in ({"after": "0f5a1b7c-9d2e-4c3b-8a61-5e7f90abcdef"}, {"after": "abc"}, {"after": theirs}, {"after": removed},
                       {"after": of_a, "document": "b"},
                       {"after": outside, "from": "2025-11-04"}, {"after": outside, "library": "none"}):
            self.refused(404, [fields["after"]], "_getSessions", {"user": self.user, **fields})

    @tap.cases([("limit: " + str(value), "limit", value) for value in (0, -1, 1001, 1.5, "10", None, True, [], {}, 1e300, 2 ** 63, 2 ** 64 + 1)]
               + [("order: " + str(value), "order", value) for value in ("ASC", "up", "", None, 1, True, [], {})]
               + [("after: " + str(value)[:9], "after", value) for value in ("", None, 1, True, [], {}, "x" * 256, "a\n")])
    def test_wrong_type_or_bounds(self, name, value):
        self.refused(400, [name], "_getSessions", {"user": self.user, name: value})

    def test_integral_numbers(self):
        """An integer is a number without a fraction, however it is written."""
        for number in (b"2", b"2.0", b"2e0", b"0.2e1", b"20E-1"):
            reply = self.post("_getSessions", b'{"user":"%s","limit":%s}' % (self.user.encode(), number))
            self.assertEqual((reply.status, len(reply.json())), (200, 2), reply)
        for number in (b"2.5", b"1e-1", b"2.0000001"):
            self.refused(400, ["limit"], "_getSessions", b'{"user":"%s","limit":%s}' % (self.user.encode(), number))

    def test_bounds_of_limit(self):
        self.assertEqual(len(self.ids(limit=1)), 1)
        self.assertEqual(len(self.ids(limit=1000)), 122)

    def test_unknown_user(self):
        self.refused(404, ["nobody of this name"], "_getSessions", {"user": "nobody of this name", "limit": 1})


if __name__ == "__main__":
    tap.main(globals())
