#!/usr/bin/env python3
"""Recording, sentence by sentence: ids that the client chooses, heartbeats, sessions that nobody ended, ends that the client gives."""

import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import timed
import tap

ID = "0f5a1b7c-9d2e-4c3b-8a61-5e7f90abcdef"
OTHER_ID = "0f5a1b7c-9d2e-4c3b-8a61-5e7f90abcdee"
WRONG_TYPES = [("null", None), ("a number", 1), ("true", True), ("an array", []), ("an object", {})]


def own(identity):
    """An id of this test's alone: the tests of a class share one store."""
    return str(uuid.uuid5(uuid.UUID(identity), str(uuid.uuid4())))


class ChosenIds(timed.TimedCase):
    """startSession with an id of the client's."""

    def setUp(self):
        super().setUp()
        self.init()
        self.chosen = own(ID)

    def start_chosen(self, **more):
        return self.begin(focusSession=self.chosen, **more)

    def test_it_is_the_session_s_id(self):
        self.assertEqual(self.start_chosen(), self.chosen)
        self.assertEqual([(session["_id"], session["startTime"]) for session in self.sessions()], [(self.chosen, "2025-11-10T12:00:00.000Z")])

    def test_again_answers_the_same_and_changes_nothing(self):
        self.start_chosen()
        before = self.sessions()
        self.later(60)
        self.assertEqual(self.start_chosen(), self.chosen)
        self.assertEqual(self.sessions(), before)

    def test_another_library_is_the_same_session(self):
        self.start_chosen()
        self.assertEqual(self.start_chosen(library="work"), self.chosen)
        self.assertEqual(len(self.sessions(library="home")), 1)
        self.assertEqual(self.sessions(library="work"), [])

    def test_again_after_its_end(self):
        self.start_chosen()
        self.later(60)
        self.end(self.chosen)
        before = self.sessions()
        self.later(60)
        self.assertEqual(self.start_chosen(), self.chosen)
        self.assertEqual(self.sessions(), before)

    def test_again_after_an_edit(self):
        self.start_chosen()
        self.later(60)
        self.end(self.chosen)
        self.ok("editSession", {"focusSession": self.chosen, "startTime": "2025-11-10T11:00:00Z"})
        self.assertEqual(self.start_chosen(), self.chosen)
        self.assertEqual(self.session(self.chosen)["startTime"], "2025-11-10T11:00:00.000Z")

    def test_again_after_an_edit_of_the_document(self):
        """With the one that it was started with, and with the one that it has now."""
        self.start_chosen()
        self.ok("editSession", {"focusSession": self.chosen, "document": "another"})
        before = self.sessions()
        self.assertEqual(self.start_chosen(), self.chosen)
        self.assertEqual(self.start_chosen(document="another"), self.chosen)
        self.refused(409, [self.chosen], "startSession", {"user": self.user, "document": "a third", "library": "home", "focusSession": self.chosen})
        self.assertEqual(self.sessions(), before)

    def test_another_document(self):
        self.start_chosen()
        before = self.sessions()
        self.refused(409, [self.chosen], "startSession", {"user": self.user, "document": "another", "library": "home", "focusSession": self.chosen})
        self.assertEqual(self.sessions(), before)

    def test_another_user(self):
        self.start_chosen()
        other = self.user + "-2"
        self.init(other)
        self.refused(409, [self.chosen], "startSession", {"user": other, "document": "a book", "library": "home", "focusSession": self.chosen})
        self.assertEqual(self.list("_getSessions", {"user": other}), [])

    def test_upper_case_is_answered_in_lower_case(self):
        self.assertEqual(self.begin(focusSession=self.chosen.upper()), self.chosen)
        self.assertEqual(self.start_chosen(), self.chosen)
        self.assertEqual([session["_id"] for session in self.sessions()], [self.chosen])

    def test_of_a_removed_session_may_be_used_again(self):
        self.start_chosen()
        self.ok("removeSession", {"focusSession": self.chosen})
        self.assertEqual(self.start_chosen(document="another"), self.chosen)
        self.assertEqual([session["document"] for session in self.sessions()], ["another"])

    @tap.cases([
        ("no UUID", "my session"), ("no hyphens", ID.replace("-", "")), ("braces", "{%s}" % ID), ("a URN", "urn:uuid:" + ID), ("too short", ID[:-1]),
        ("too long", ID + "0"), ("a letter that is no digit", ID[:-1] + "g"), ("hyphens elsewhere", "0f5a1b7c9-d2e-4c3b-8a61-5e7f90abcdef"),
        ("a blank before", " " + ID), ("a newline behind", ID + "\n"), ("empty", ""), ("digits of another script", ID[:-1] + "\u0661"),
    ] + WRONG_TYPES)
    def test_what_is_no_uuid(self, value):
        self.refused(400, ["focusSession"], "startSession", {"user": self.user, "document": "d", "library": "l", "focusSession": value})
        self.refused(400, ["focusSession"], "addSession", {"user": self.user, "document": "d", "library": "l", "focusSession": value,
                                                           "startTime": "2025-11-10T10:00:00Z", "endTime": "2025-11-10T11:00:00Z"})
        self.assertEqual(self.sessions(), [])

    @tap.cases([("the nil UUID", "00000000-0000-0000-0000-000000000000"), ("the last one", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
                ("no known version", "0f5a1b7c-9d2e-fc3b-0a61-5e7f90abcdef")])
    def test_any_version_of_uuid(self, value):
        self.assertEqual(self.begin(focusSession=value), value)
        self.end(value)
        self.ok("removeSession", {"focusSession": value})

    @tap.cases([(action, action) for action in ("heartbeat", "endSession", "editSession", "removeSession")])
    def test_a_reference_to_what_is_no_session(self, action):
        """Whatever valid id it is: no such session."""
        for identity in (OTHER_ID, "abc", "x" * 255, ID.replace("-", "")):
            self.refused(404, [identity], action, {"focusSession": identity, "document": "d"})
        for value in ("", "x" * 256, "a\u0000b", None, 1, [], {}):
            self.refused(400, ["focusSession"], action, {"focusSession": value, "document": "d"})
        self.refused(400, ["focusSession"], action, {"document": "d"})

    def test_unknown_user(self):
        fields = {"user": "nobody of this name", "document": "d", "library": "l", "focusSession": self.chosen}
        self.refused(404, ["nobody of this name"], "startSession", fields)
        self.assertEqual(self.start_chosen(), self.chosen)


class Heartbeats(timed.TimedCase):
    """heartbeat, and sessions that count as ended."""

    def setUp(self):
        super().setUp()
        self.init()
        self.started = self.begin()

    def beat(self, **more):
        self.assertEqual(self.ok("heartbeat", {"focusSession": self.started, **more}), {"focusSession": self.started})

    def last_seen(self):
        return self.one("_getActiveSessions")["lastSeen"]

    def test_sets_last_seen_to_now(self):
        self.assertIsNone(self.last_seen())
        self.later(60)
        self.beat()
        self.assertEqual(self.last_seen(), "2025-11-10T12:01:00.000Z")
        self.later(599)
        self.beat()
        self.assertEqual(self.last_seen(), "2025-11-10T12:10:59.000Z")

    def test_last_seen_never_moves_back(self):
        self.later(300)
        self.beat()
        self.later(-200)
        self.beat()
        self.assertEqual(self.last_seen(), "2025-11-10T12:05:00.000Z")

    def test_last_seen_is_never_before_the_start(self):
        self.later(-3600)
        self.beat()
        self.assertEqual(self.last_seen(), "2025-11-10T12:00:00.000Z")

    def test_a_first_heartbeat_after_hours_counts_the_whole_time(self):
        self.later(5 * 3600)
        self.beat()
        self.later(601)
        self.assertEqual(self.session(self.started)["endTime"], "2025-11-10T17:00:00.000Z")
        self.assertEqual(self.one("_getSummary")["seconds"], 5 * 3600)

    @tap.cases([("0", 0), ("1", 1), ("a half", 0.5), ("0.0", 0.0), ("1.0", 1.0), ("a third", 1 / 3), ("tiny", 5e-324),
                ("nearly 1", 0.9999999999999999)])
    def test_progress(self, value):
        self.beat(progress=value)
        self.assertEqual(self.session(self.started, limit=1)["progress"], value)

    @tap.cases([("below 0", b"-0.0000001"), ("above 1", b"1.0000001"), ("2", b"2"), ("much", b"1e300"), ("too much for a number", b"1e999"),
                ("null", b"null"), ("a string", b'"0.5"'), ("true", b"true"), ("an array", b"[0.5]"), ("an object", b"{}")])
    def test_bad_progress(self, value):
        """It names the field, and nothing is stored."""
        self.later(10)
        for action in ("heartbeat", "endSession"):
            self.refused(400, ["progress"], action, b'{"focusSession":"%s","progress":%s}' % (self.started.encode(), value))
        self.assertIsNone(self.last_seen())

    def test_progress_stays_where_it_is_left_out(self):
        self.beat(progress=0.25)
        self.later(10)
        self.beat()
        self.assertEqual(self.session(self.started, limit=1)["progress"], 0.25)
        self.later(10)
        self.end(self.started)
        self.assertEqual(self.session(self.started, limit=1)["progress"], 0.25)

    def test_progress_may_go_back(self):
        self.beat(progress=0.5)
        self.beat(progress=0.25)
        self.assertEqual(self.session(self.started, limit=1)["progress"], 0.25)

    def expire(self, later=601):
        self.later(120)
        self.beat(progress=0.5)
        self.later(later)

    EXPIRED = "2025-11-10T12:02:00.000Z"

    def test_counts_as_ended_after_the_time_out(self):
        """One second before the time is over it does not."""
        self.expire(599)
        self.assertIsNone(self.session(self.started)["endTime"])
        self.assertEqual(self.ended(), [])
        self.assertEqual(len(self.list("_getActiveSessions", {})), 1)
        self.assertEqual(self.one("_getSummary")["sessions"], 0)
        self.later(2)
        self.assertEqual(self.session(self.started)["endTime"], self.EXPIRED)

    def test_counts_as_ended_wherever_it_is_looked_at(self):
        """Looked at first, before anything else could have stored it: each in its own turn."""
        looks = {
            "_getSessions": lambda: self.assertEqual(self.sessions()[0], {
                "_id": self.started, "user": self.user, "document": "a book", "startTime": "2025-11-10T12:00:00.000Z", "endTime": self.EXPIRED}),
            "_getSessions with more": lambda: self.assertEqual(self.sessions(limit=10)[0]["endTime"], self.EXPIRED),
            "_viewStats": lambda: self.assertEqual(self.ended(), [self.started]),
            "_getActiveSessions": lambda: self.assertEqual(self.list("_getActiveSessions", {}), []),
            "_getSummary": lambda: self.assertEqual((self.one("_getSummary")["seconds"], self.one("_getSummary")["sessions"]), (120, 1)),
            "_getPeriods": lambda: self.assertEqual(self.one("_getPeriods", {"unit": "day"})["seconds"], 120),
            "_getHours": lambda: self.assertEqual(sum(hour["seconds"] for hour in self.list("_getHours", {})), 120),
            "_getDocuments": lambda: self.assertEqual(self.one("_getDocuments")["seconds"], 120),
            "_getStreaks": lambda: self.assertEqual(self.one("_getStreaks")["longestDays"], 1),
            "_getGoal": lambda: self.assertEqual(self.one("_getGoal")["seconds"], 120),
            "_exportUser": lambda: self.assertEqual([session["endTime"] for session in self.one("_exportUser")["sessions"]], [self.EXPIRED]),
        }
        for name, look in looks.items():
            with self.subTest(name):
                self.user = "user-" + name + self.started
                self.at(self.BEGIN)
                self.init()
                self.started = self.begin()
                self.expire()
                look()

    def test_a_heartbeat_revives_nothing(self):
        self.expire()
        self.refused(409, [self.started], "heartbeat", {"focusSession": self.started})
        self.assertEqual(self.session(self.started)["endTime"], self.EXPIRED)

    def test_nothing_revives_it_by_a_clock_that_is_set_back(self):
        """What was stored as ended stays so."""
        self.expire()
        self.ok("setSettings", {"user": self.user, "idleTimeoutSeconds": 86400})
        self.later(-500)
        self.assertEqual(self.session(self.started)["endTime"], self.EXPIRED)

    def test_end_session_answers_as_for_an_ended_one(self):
        self.expire()
        self.refused(409, [self.started], "endSession", {"focusSession": self.started})
        self.refused(409, [self.started], "endSession", {"focusSession": self.started, "endTime": "2025-11-10T12:05:00Z"})
        self.assertEqual(self.end(self.started, endTime=self.EXPIRED), self.started)
        self.assertEqual(self.session(self.started)["endTime"], self.EXPIRED)

    def test_it_can_be_edited_and_removed(self):
        self.expire()
        self.ok("editSession", {"focusSession": self.started, "endTime": "2025-11-10T12:01:00Z"})
        self.assertEqual(self.session(self.started)["endTime"], "2025-11-10T12:01:00.000Z")
        self.assertEqual(self.one("_getSummary")["seconds"], 60)
        self.ok("removeSession", {"focusSession": self.started})
        self.assertEqual(self.one("_getSummary")["sessions"], 0)

    def test_heartbeat_of_an_ended_session(self):
        self.end(self.started)
        self.refused(409, [self.started], "heartbeat", {"focusSession": self.started})

    def test_a_longer_time_out_reaches_no_session_that_has_expired(self):
        """Settings first store what counts as ended by the old one."""
        self.expire()
        self.ok("setSettings", {"user": self.user, "idleTimeoutSeconds": 86400})
        self.assertEqual(self.session(self.started)["endTime"], self.EXPIRED)
        self.refused(409, [self.started], "heartbeat", {"focusSession": self.started})

    def test_a_shorter_time_out_ends_at_once(self):
        self.expire(100)
        self.ok("setSettings", {"user": self.user, "idleTimeoutSeconds": 60})
        self.assertEqual(self.session(self.started)["endTime"], self.EXPIRED)

    def test_a_longer_time_out_holds_it_open(self):
        self.ok("setSettings", {"user": self.user, "idleTimeoutSeconds": 86400})
        self.expire(86399)
        self.assertIsNone(self.session(self.started)["endTime"])
        self.beat()
        self.later(86401)
        self.assertEqual(self.session(self.started)["endTime"], "2025-11-11T12:01:59.000Z")


class Active(timed.TimedCase):
    """_getActiveSessions, and sessions without heartbeats."""

    def setUp(self):
        super().setUp()
        self.init()

    def test_none(self):
        self.assertEqual(self.post("_getActiveSessions", {"user": self.user}).text, "[]\n")

    def test_keys(self):
        started = self.begin()
        self.later(90.7)
        self.assertEqual(self.post("_getActiveSessions", {"user": self.user}).text,
                         '[{"focusSession":{"_id":"%s","user":"%s","document":"a book","startTime":"2025-11-10T12:00:00.000Z","lastSeen":null,'
                         '"elapsedSeconds":91,"stale":false}}]\n' % (started, self.user))

    def test_oldest_first_without_the_ended(self):
        made = []
        for number in range(5):
            made.append(self.begin("book %d" % number))
            self.later(1)
        self.end(made[2])
        self.assertEqual([session["_id"] for session in self.list("_getActiveSessions", {})], made[:2] + made[3:])

    def test_stale_after_12_hours(self):
        started = self.begin()
        self.later(12 * 3600 - 1)
        self.assertFalse(self.one("_getActiveSessions")["stale"])
        self.later(2)
        self.assertTrue(self.one("_getActiveSessions")["stale"])
        self.later(40 * 86400)
        active = self.one("_getActiveSessions")
        self.assertEqual((active["_id"], active["stale"], active["elapsedSeconds"]), (started, True, 40 * 86400 + 12 * 3600 + 1))

    def test_with_heartbeats_it_is_not_stale(self):
        self.ok("setSettings", {"user": self.user, "idleTimeoutSeconds": 86400})
        started = self.begin()
        self.later(13 * 3600)
        self.ok("heartbeat", {"focusSession": started})
        self.assertFalse(self.one("_getActiveSessions")["stale"])

    def test_elapsed_is_never_negative(self):
        self.begin()
        self.later(-60)
        self.assertEqual(self.one("_getActiveSessions")["elapsedSeconds"], 0)

    def test_is_in_no_statistic_until_it_is_ended(self):
        started = self.begin()
        self.later(20 * 3600)
        summary = self.one("_getSummary")
        self.assertEqual((summary["seconds"], summary["sessions"], summary["documents"], summary["firstStart"]), (0, 0, 0, None))
        self.assertEqual(self.list("_getPeriods", {"unit": "day"}), [])
        self.assertEqual(self.list("_getDocuments", {}), [])
        self.assertEqual(self.one("_getStreaks")["longestDays"], 0)
        self.assertEqual(self.one("_getGoal")["seconds"], 0)
        self.end(started)
        self.assertEqual(self.one("_getSummary")["seconds"], 20 * 3600)

    def test_unknown_user(self):
        self.refused(404, ["nobody of this name"], "_getActiveSessions", {"user": "nobody of this name"})


class Ends(timed.TimedCase):
    """endSession with what it can be told."""

    def setUp(self):
        super().setUp()
        self.init()
        self.started = self.begin()
        self.later(600)

    def test_end_time(self):
        self.assertEqual(self.end(self.started, endTime="2025-11-10T13:05:00.250+01:00"), self.started)
        self.assertEqual(self.session(self.started)["endTime"], "2025-11-10T12:05:00.250Z")

    def test_at_its_start(self):
        self.end(self.started, endTime="2025-11-10T12:00:00Z")
        self.assertEqual(self.session(self.started)["endTime"], "2025-11-10T12:00:00.000Z")

    def test_before_its_start(self):
        self.refused(400, ["endTime"], "endSession", {"focusSession": self.started, "endTime": "2025-11-10T11:59:59.999Z"})
        self.assertIsNone(self.session(self.started)["endTime"])

    def test_five_minutes_ahead(self):
        self.refused(400, ["endTime"], "endSession", {"focusSession": self.started, "endTime": "2025-11-10T12:15:00.001Z"})
        self.assertIsNone(self.session(self.started)["endTime"])
        self.end(self.started, endTime="2025-11-10T12:15:00.000Z")
        self.assertEqual(self.session(self.started)["endTime"], "2025-11-10T12:15:00.000Z")

    def test_before_last_seen_is_allowed(self):
        self.ok("heartbeat", {"focusSession": self.started})
        self.end(self.started, endTime="2025-11-10T12:01:00Z")
        self.assertEqual(self.session(self.started)["endTime"], "2025-11-10T12:01:00.000Z")

    def test_the_same_again(self):
        for text in ("2025-11-10T12:01:00Z", "2025-11-10T12:01:00.000Z", "2025-11-10T14:01:00+02:00"):
            self.assertEqual(self.end(self.started, endTime=text), self.started)
            self.later(3600)
        self.refused(409, [self.started], "endSession", {"focusSession": self.started, "endTime": "2025-11-10T12:01:00.001Z"})
        self.refused(409, [self.started], "endSession", {"focusSession": self.started})
        self.assertEqual(self.session(self.started)["endTime"], "2025-11-10T12:01:00.000Z")

    def test_the_same_again_of_an_end_by_the_clock(self):
        self.end(self.started)
        self.assertEqual(self.end(self.started, endTime="2025-11-10T12:10:00Z"), self.started)
        self.refused(409, [self.started], "endSession", {"focusSession": self.started})

    def test_by_a_clock_that_was_set_back(self):
        self.later(-1200)
        self.end(self.started)
        session = self.session(self.started)
        self.assertEqual(session["endTime"], session["startTime"])

    def test_with_progress(self):
        self.end(self.started, progress=1)
        self.assertEqual(self.session(self.started, limit=1)["progress"], 1)

    @tap.cases(WRONG_TYPES)
    def test_end_time_of_a_wrong_type(self, value):
        self.refused(400, ["endTime"], "endSession", {"focusSession": self.started, "endTime": value})
        self.assertIsNone(self.session(self.started)["endTime"])


if __name__ == "__main__":
    tap.main(globals())
