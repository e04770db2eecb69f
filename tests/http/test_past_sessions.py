#!/usr/bin/env python3
"""Sessions of the past, one by one and in batches, and edits."""

import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import timed
import tap

START, END = "2025-11-09T10:00:00.000Z", "2025-11-09T11:30:00.000Z"

GOOD_INSTANTS = [
    ("with Z", "2025-11-09T10:00:00Z", "2025-11-09T10:00:00.000Z"),
    ("a small t and z", "2025-11-09t10:00:00z", "2025-11-09T10:00:00.000Z"),
    ("an offset", "2025-11-09T10:00:00+05:45", "2025-11-09T04:15:00.000Z"),
    ("an offset to the day before", "2025-11-09T23:30:00-03:30", "2025-11-10T03:00:00.000Z"),
    ("the offset -00:00", "2025-11-09T10:00:00-00:00", "2025-11-09T10:00:00.000Z"),
    ("the offset +23:59", "2025-11-09T10:00:00+23:59", "2025-11-08T10:01:00.000Z"),
    ("one digit", "2025-11-09T10:00:00.5Z", "2025-11-09T10:00:00.500Z"),
    ("nine digits, which are cut off", "2025-11-09T10:00:00.123999999Z", "2025-11-09T10:00:00.123Z"),
    ("forty digits", "2025-11-09T10:00:00.1239" + "9" * 36 + "Z", "2025-11-09T10:00:00.123Z"),
    ("29 February", "2024-02-29T10:00:00Z", "2024-02-29T10:00:00.000Z"),
    ("29 February of 2000", "2000-02-29T10:00:00Z", "2000-02-29T10:00:00.000Z"),
    ("the first one", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
    ("the first one by an offset", "1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00.000Z"),
    ("the last moment of a day", "2025-11-09T23:59:59.999Z", "2025-11-09T23:59:59.999Z"),
]
BAD_INSTANTS = [(name, value) for name, value in [
    ("a blank for the T", "2025-11-09 10:00:00Z"), ("no offset", "2025-11-09T10:00:00"), ("no seconds", "2025-11-09T10:00Z"),
    ("a date", "2025-11-09"),
    ("the second 60", "2025-11-09T10:00:60Z"), ("a leap second", "2016-12-31T23:59:60Z"), ("the minute 60", "2025-11-09T10:60:00Z"),
    ("the hour 24", "2025-11-09T24:00:00Z"), ("the hour 25", "2025-11-09T25:00:00Z"), ("the month 0", "2025-00-09T10:00:00Z"),
    ("the month 13", "2025-13-09T10:00:00Z"), ("the day 0", "2025-11-00T10:00:00Z"), ("31 November", "2025-11-31T10:00:00Z"),
    ("29 February of no leap year", "2025-02-29T10:00:00Z"), ("29 February of 1900, too early besides", "1900-02-29T10:00:00Z"),
    ("29 February of 2100", "2100-02-29T10:00:00Z"), ("the year 1969", "1969-12-31T23:59:59.999Z"),
    ("before 1970 by its offset", "1970-01-01T00:00:00+00:01"), ("five digits of a year", "12025-11-09T10:00:00Z"),
    ("a sign before", "+2025-11-09T10:00:00Z"),
    ("an empty fraction", "2025-11-09T10:00:00.Z"), ("a comma", "2025-11-09T10:00:00,5Z"), ("an offset without colon", "2025-11-09T10:00:00+0100"),
    ("an offset of hours", "2025-11-09T10:00:00+01"), ("an offset of 24 hours", "2025-11-09T10:00:00+24:00"),
    ("an offset of 60 minutes", "2025-11-09T10:00:00+01:60"), ("a minus sign that is no hyphen", "2025-11-09T10:00:00\u221201:00"),
    ("one digit of a month", "2025-1-09T10:00:00Z"), ("the basic format", "20251109T100000Z"), ("a week", "2025-W45-7T10:00:00Z"),
    ("a blank behind", "2025-11-09T10:00:00Z "), ("a blank before", " 2025-11-09T10:00:00Z"),
    ("a zone behind", "2025-11-09T10:00:00+01:00[Europe/Berlin]"),
    ("a NUL behind", "2025-11-09T10:00:00Z\u0000"), ("digits of another script", "202\u0665-11-09T10:00:00Z"), ("empty", ""), ("now", "now"),
    ("a number", 1762682400000), ("a number as text", "1762682400000"), ("null", None), ("true", True), ("an array", [START]), ("an object", {}),
]]


class Adding(timed.TimedCase):
    """addSession."""

    def setUp(self):
        super().setUp()
        self.init()
        self.chosen = str(uuid.uuid4())

    def fields(self, **more):
        return {"user": self.user, "document": "a book", "library": "home", "startTime": START, "endTime": END, **more}

    def test_answer(self):
        reply = self.post("addSession", self.fields())
        self.assertEqual(reply.text, '{"focusSession":"%s"}\n' % reply.json()["focusSession"])
        self.assertEqual(self.sessions(), [{"_id": reply.json()["focusSession"], "user": self.user, "document": "a book", "startTime": START,
                                            "endTime": END}])
        self.assertEqual(self.ended(), [reply.json()["focusSession"]])

    def test_the_same_without_an_id_is_another(self):
        made = {self.add(START, END) for _ in range(3)}
        self.assertEqual(len(made), 3)
        self.assertEqual(self.ended(), sorted(made))
        self.assertEqual((self.one("_getSummary")["seconds"], self.one("_getSummary")["rawSeconds"]), (5400, 3 * 5400))

    def test_retried(self):
        for _ in range(3):
            self.assertEqual(self.add(START, END, focusSession=self.chosen), self.chosen)
            self.later(1)
        self.assertEqual(self.add("2025-11-09T11:00:00+01:00", END, focusSession=self.chosen.upper()), self.chosen)
        self.assertEqual([session["_id"] for session in self.sessions()], [self.chosen])

    @tap.cases([("another document", {"document": "another"}), ("another library", {"library": "work"}),
                ("another start", {"startTime": "2025-11-09T10:00:00.001Z"}), ("another end", {"endTime": "2025-11-09T11:30:00.001Z"})])
    def test_retried_with(self, more):
        self.add(START, END, focusSession=self.chosen)
        before = self.sessions()
        self.refused(409, [self.chosen], "addSession", self.fields(focusSession=self.chosen, **more))
        self.assertEqual(self.sessions(), before)

    def test_retried_for_another_user(self):
        self.add(START, END, focusSession=self.chosen)
        other = self.user + "-2"
        self.init(other)
        self.refused(409, [self.chosen], "addSession", self.fields(focusSession=self.chosen, user=other))
        self.assertEqual(self.list("_getSessions", {"user": other}), [])

    def test_the_id_of_a_started_one(self):
        self.begin(focusSession=self.chosen)
        self.refused(409, [self.chosen], "addSession", self.fields(focusSession=self.chosen, startTime=self.BEGIN, endTime=self.BEGIN))
        self.assertIsNone(self.session(self.chosen)["endTime"])

    def test_the_id_of_a_removed_one(self):
        self.add(START, END, focusSession=self.chosen)
        self.ok("removeSession", {"focusSession": self.chosen})
        self.assertEqual(self.add(START, START, "another", focusSession=self.chosen), self.chosen)
        self.assertEqual([session["document"] for session in self.sessions()], ["another"])

    def test_of_zero_length(self):
        self.add(START, START)
        self.assertEqual(self.one("_getSummary")["sessions"], 1)

    def test_end_before_start(self):
        self.refused(400, ["endTime"], "addSession", self.fields(endTime="2025-11-09T09:59:59.999Z"))
        self.assertEqual(self.sessions(), [])

    def test_five_minutes_ahead(self):
        self.refused(400, ["endTime"], "addSession", self.fields(endTime="2025-11-10T12:05:00.001Z"))
        self.add("2025-11-10T12:05:00Z", "2025-11-10T12:05:00.000Z")
        self.assertEqual(len(self.sessions()), 1)

    def test_no_cap_on_length(self):
        self.add("1970-01-01T00:00:00Z", "2025-11-10T12:00:00Z")
        self.assertEqual(self.one("_getSummary")["seconds"], self.now // 1000)

    @tap.cases([(name, name) for name in ("user", "document", "library", "startTime", "endTime")])
    def test_missing(self, name):
        fields = self.fields()
        del fields[name]
        self.refused(400, [name], "addSession", fields)

    def test_unknown_user(self):
        self.refused(404, ["nobody of this name"], "addSession", self.fields(user="nobody of this name"))

    @tap.cases(GOOD_INSTANTS)
    def test_instant(self, text, wanted):
        self.add(text, END if wanted < END else "2025-11-10T12:00:00Z")
        self.assertEqual(self.sessions()[0]["startTime"], wanted)

    def test_the_last_instant(self):
        """The clock is put to the end of time."""
        self.at("9999-12-31T23:59:59Z")
        self.add("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z")
        self.assertEqual(self.sessions()[0]["endTime"], "9999-12-31T23:59:59.999Z")
        self.refused(400, ["endTime"], "addSession", self.fields(endTime="9999-12-31T23:59:59-00:01"))
        self.assertEqual(self.one("_getSummary")["seconds"], 1)
        self.assertEqual(self.one("_getSummary", {"timezone": "Pacific/Kiritimati"})["activeDays"], 1)

    @tap.cases(BAD_INSTANTS)
    def test_bad_instant(self, value):
        self.refused(400, ["startTime"], "addSession", self.fields(startTime=value))
        self.refused(400, ["endTime"], "addSession", self.fields(startTime="1970-01-01T00:00:00Z", endTime=value))
        self.assertEqual(self.sessions(), [])


class Batches(timed.TimedCase):
    """addSessions."""

    def setUp(self):
        super().setUp()
        self.init()

    def element(self, number=0, **more):
        start = timed.ms_of(START) + 1000 * number
        return {"document": "a book", "library": "home", "startTime": timed.instant(start), "endTime": timed.instant(start + 500), **more}

    def add_all(self, elements):
        results = self.ok("addSessions", {"user": self.user, "sessions": elements})["results"]
        self.assertEqual([result["index"] for result in results], list(range(len(elements))))
        return results

    def test_answer(self):
        reply = self.post("addSessions", {"user": self.user, "sessions": [self.element(0), self.element(1)]})
        made = [result["focusSession"] for result in reply.json()["results"]]
        self.assertEqual(reply.text, '{"results":[{"index":0,"focusSession":"%s"},{"index":1,"focusSession":"%s"}]}\n' % tuple(made))
        self.assertEqual([session["_id"] for session in self.sessions()], made)

    def test_empty(self):
        self.assertEqual(self.post("addSessions", {"user": self.user, "sessions": []}).text, '{"results":[]}\n')

    def test_empty_of_an_unknown_user(self):
        self.refused(404, ["nobody of this name"], "addSessions", {"user": "nobody of this name", "sessions": []})
        self.refused(404, ["nobody of this name"], "addSessions", {"user": "nobody of this name", "sessions": [self.element()]})

    def test_a_thousand_as_large_as_they_may_be(self):
        """Ids of 255 bytes, each of them escaped: six bytes of the body for one."""
        escaped = "".join("\\u%04x" % ord("d") for _ in range(255))
        elements = ",".join('{"document":"%s","library":"%s","startTime":"%s","endTime":"%s"}' % (
            escaped, escaped, *(self.element(number)[name] for name in ("startTime", "endTime"))) for number in range(1000))
        reply = self.post("addSessions", ('{"user":"%s","sessions":[%s]}' % (self.user, elements)).encode())
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(len([result for result in reply.json()["results"] if "focusSession" in result]), 1000)
        self.assertEqual({session["document"] for session in self.sessions()}, {"d" * 255})

    def test_a_thousand(self):
        elements = [self.element(number, focusSession=str(uuid.uuid4())) for number in range(1000)]
        self.assertEqual([result["focusSession"] for result in self.add_all(elements)], [element["focusSession"] for element in elements])
        self.assertEqual([session["_id"] for session in self.sessions()], [element["focusSession"] for element in elements])
        self.assertEqual(self.one("_getSummary")["seconds"], 500)
        self.add_all(elements)
        self.assertEqual(self.one("_getSummary")["sessions"], 1000)

    def test_one_more_than_a_thousand(self):
        self.refused(400, ["sessions"], "addSessions", {"user": self.user, "sessions": [{}] * 1001})
        self.refused(400, ["sessions"], "addSessions", {"user": self.user, "sessions": [self.element(number) for number in range(1001)]})
        self.assertEqual(self.sessions(), [])

    @tap.cases([("null", None), ("a string", "[]"), ("a number", 0), ("true", True), ("an object", {})])
    def test_sessions_of_a_wrong_type(self, value):
        self.refused(400, ["sessions"], "addSessions", {"user": self.user, "sessions": value})

    def test_sessions_are_missing(self):
        self.refused(400, ["sessions"], "addSessions", {"user": self.user})

    def test_a_bad_one_does_not_block_the_others(self):
        taken = self.add("2025-11-09T09:00:00Z", END, "another")
        bad = [
            ({}, "document"), (None, ""), ([], ""), ("a session", ""), (7, ""), (True, ""),
            (self.element(document=""), "document"), (self.element(library=None), "library"), (self.element(startTime="2025-11-09"), "startTime"),
            (self.element(endTime="2025-11-09T09:00:00Z"), "endTime"), (self.element(endTime="2025-11-10T12:05:00.001Z"), "endTime"),
            (self.element(focusSession="abc"), "focusSession"), (self.element(focusSession=taken), taken),
            (self.element(focusSession=None), "focusSession"),
        ]
        elements = []
        for number, (element, _) in enumerate(bad):
            elements += [self.element(number, document="good %d" % number), element]
        results = self.add_all(elements)
        for (element, word), good, wrong in zip(bad, results[::2], results[1::2]):
            self.assertEqual(list(good), ["index", "focusSession"])
            self.assertEqual(list(wrong), ["index", "error"], element)
            self.assertIn(word, wrong["error"])
            self.assertTrue(wrong["error"])
        self.assertEqual([session["document"] for session in self.sessions()], ["another"] + ["good %d" % number for number in range(len(bad))])

    def test_all_bad(self):
        results = self.add_all([{}, None, self.element(endTime=START.replace("2025", "2026"))])
        self.assertEqual([list(result) for result in results], [["index", "error"]] * 3)
        self.assertEqual(self.sessions(), [])

    def test_the_same_id_twice_is_taken_in_order(self):
        """The second as a retry of the first, or as a conflict with it."""
        one, two = str(uuid.uuid4()), str(uuid.uuid4())
        results = self.add_all([self.element(0, focusSession=one), self.element(0, focusSession=one), self.element(1, focusSession=two),
                                self.element(2, focusSession=two)])
        self.assertEqual([result.get("focusSession") for result in results], [one, one, two, None])
        self.assertIn(two, results[3]["error"])
        self.assertEqual([session["startTime"] for session in self.sessions()], [START, "2025-11-09T10:00:01.000Z"])

    def test_a_user_in_an_element_is_not_looked_at(self):
        """Unknown fields are ignored."""
        self.add_all([self.element(0, user="nobody of this name", more={"a": [1]})])
        self.assertEqual([session["user"] for session in self.sessions()], [self.user])

    def test_ids_as_long_as_they_can_be(self):
        elements = [self.element(number, document="書" * 85, library="l" * 255) for number in range(900)]
        self.add_all(elements)
        self.assertEqual(self.one("_getSummary")["sessions"], 900)

    def test_element_errors_are_those_of_one(self):
        """The same texts as addSession's."""
        for element in (self.element(document=""), self.element(startTime="x"), self.element(endTime="2025-11-09T09:00:00Z"),
                        self.element(focusSession="x")):
            told = self.add_all([element])[0]["error"]
            self.assertEqual(self.post("addSession", {"user": self.user, **element}).json(), {"error": told})


class Editing(timed.TimedCase):
    """editSession."""

    def setUp(self):
        super().setUp()
        self.init()
        self.added = self.add(START, END)

    def edit(self, **changes):
        self.assertEqual(self.ok("editSession", {"focusSession": self.added, **changes}), {"focusSession": self.added})
        return self.session(self.added)

    def refused_edit(self, status, words, **changes):
        before = self.sessions()
        self.refused(status, words, "editSession", {"focusSession": self.added, **changes})
        self.assertEqual(self.sessions(), before)

    def test_each_field(self):
        wanted = {"_id": self.added, "user": self.user, "document": "a book", "startTime": START, "endTime": END}
        for name, value in (("startTime", "2025-11-08T09:00:00.000Z"), ("endTime", "2025-11-09T12:00:00.000Z"), ("document", "another")):
            wanted[name] = value
            self.assertEqual(self.edit(**{name: value}), wanted)

    def test_all_at_once(self):
        self.edit(startTime="2025-11-01T00:00:00Z", endTime="2025-11-01T01:00:00Z", document="another")
        self.assertEqual(self.one("_getSummary")["seconds"], 3600)
        self.assertEqual([document["document"] for document in self.list("_getDocuments", {})], ["another"])
        self.assertEqual(self.one("_getPeriods", {"unit": "day"})["label"], "2025-11-01")

    def test_nothing_to_change(self):
        self.refused_edit(400, [])
        self.refused_edit(400, [], library="work", progress=1)

    def test_the_same_again(self):
        self.assertEqual(self.edit(startTime=START, endTime=END, document="a book"), self.sessions()[0])

    def test_order_follows_the_start(self):
        other = self.add("2025-11-09T10:30:00Z", "2025-11-09T10:45:00Z")
        self.assertEqual(self.ended(), [self.added, other])
        self.edit(startTime="2025-11-09T10:31:00Z")
        self.assertEqual(self.ended(), [other, self.added])
        self.assertEqual([session["_id"] for session in self.sessions()], [other, self.added])

    def test_end_before_start(self):
        self.refused_edit(400, ["endTime"], endTime="2025-11-09T09:59:59.999Z")
        self.refused_edit(400, ["startTime: is after the session's end"], startTime="2025-11-09T11:30:00.001Z")
        self.refused_edit(400, [], startTime="2025-11-09T12:00:00Z", endTime="2025-11-09T11:59:59Z")
        self.edit(startTime=END)

    def test_five_minutes_ahead(self):
        self.refused_edit(400, ["endTime"], endTime="2025-11-10T12:05:00.001Z")
        self.edit(endTime="2025-11-10T12:05:00Z")

    def test_an_end_that_was_not_given_is_not_held_against_the_clock(self):
        """A session that ended before the clock was set back by hours can still be edited."""
        self.at("2025-11-09T08:00:00Z")
        self.assertEqual(self.edit(document="another")["document"], "another")
        self.assertEqual(self.edit(startTime="2025-11-09T10:05:00Z")["startTime"], "2025-11-09T10:05:00.000Z")
        self.refused_edit(400, ["endTime"], endTime="2025-11-09T11:00:00Z")

    def test_neither_ends_nor_reopens(self):
        started = self.begin()
        self.refused(409, [started], "editSession", {"focusSession": started, "endTime": "2025-11-10T12:00:00Z"})
        self.assertIsNone(self.session(started)["endTime"])
        self.refused_edit(400, ["endTime"], endTime=None)

    def test_an_open_one(self):
        started = self.begin()
        self.later(3600)
        self.ok("editSession", {"focusSession": started, "startTime": "2025-11-10T11:00:00Z", "document": "another"})
        self.assertEqual(self.session(started), {"_id": started, "user": self.user, "document": "another", "startTime": "2025-11-10T11:00:00.000Z",
                                                 "endTime": None})
        self.assertEqual(self.one("_getActiveSessions")["elapsedSeconds"], 7200)
        self.end(started)
        self.assertEqual(self.session(started)["endTime"], "2025-11-10T13:00:00.000Z")

    def test_an_open_one_never_counts_backwards(self):
        """Whether a start after the last heartbeat, or in the future, is refused or taken: no duration is negative."""
        for start in ("2025-11-10T12:02:00Z", "2025-11-11T12:00:00Z"):
            self.at(self.BEGIN)
            started = self.begin()
            self.later(60)
            self.ok("heartbeat", {"focusSession": started})
            self.later(120)
            self.assertIn(self.post("editSession", {"focusSession": started, "startTime": start}).status, (200, 400))
            self.assertGreaterEqual(self.one("_getActiveSessions")["elapsedSeconds"], 0)
            self.later(3600)
            session = self.session(started)
            self.assertGreaterEqual(session["endTime"] or session["startTime"], session["startTime"])
            if session["endTime"] is None:
                self.end(started)
            session = self.session(started)
            self.assertGreaterEqual(session["endTime"], session["startTime"])
            for query in ("_getSummary", "_getDocuments"):
                self.assertTrue(all(element["seconds"] >= 5400 for element in self.list(query, {})))
            self.ok("removeSession", {"focusSession": started})

    @tap.cases([(name + ": " + kind, name, value) for name in ("startTime", "endTime", "document")
                for kind, value in (("null", None), ("a number", 1), ("an array", []), ("empty", ""))])
    def test_wrong_type(self, name, value):
        self.refused_edit(400, [name], **{name: value})

    def test_a_removed_session(self):
        self.ok("removeSession", {"focusSession": self.added})
        self.refused(404, [self.added], "editSession", {"focusSession": self.added, "document": "d"})


if __name__ == "__main__":
    tap.main(globals())
