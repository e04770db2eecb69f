#!/usr/bin/env python3
"""Users as a whole: what is exported of them, how they are erased, and what somebody who is signed in may do with the sessions of others."""

import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import timed
import tap

DEFAULTS = {"timezone": "UTC", "dayStart": "00:00", "weekStart": "monday", "dailyGoalSeconds": 0, "idleTimeoutSeconds": 600}
EXPORT = ["version", "user", "focusStats", "settings", "documents", "sessions"]
EXPORTED_SESSION = ["_id", "document", "library", "startTime", "endTime", "lastSeen", "progress", "progressTime"]
USER_ACTIONS = ["initUser", "startSession", "addSession", "addSessions", "setDocument", "setSettings", "removeUser", "_viewStats", "_getSessions",
                "_getActiveSessions",
                "_getSummary", "_getPeriods", "_getHours", "_getDocuments", "_getStreaks", "_getGoal", "_getSettings", "_getTitles", "_exportUser"]


def good(user):
    """Fields that are right for every action that names a user."""
    return {"user": user, "document": "d", "library": "l", "startTime": "2025-11-03T10:00:00Z", "endTime": "2025-11-03T11:00:00Z", "sessions": [],
            "unit": "day", "confirm": user}


class Export(timed.TimedCase):
    """_exportUser."""

    def test_of_a_new_user(self):
        stats = self.init()
        self.assertEqual(self.post("_exportUser", {"user": self.user}).text,
                         '[{"export":{"version":1,"user":"%s","focusStats":"%s","settings":{"timezone":"UTC","dayStart":"00:00","weekStart":"monday",'
                         '"dailyGoalSeconds":0,"idleTimeoutSeconds":600},"documents":[],"sessions":[]}}]\n' % (self.user, stats))

    def test_all_of_it(self):
        stats = self.init()
        self.ok("setSettings", {"user": self.user, "timezone": "Europe/Berlin", "dailyGoalSeconds": 600})
        self.ok("setDocument", {"user": self.user, "document": "b", "title": "B", "authors": ["x", "y"]})
        self.ok("setDocument", {"user": self.user, "document": "a", "authors": ["z"]})
        added = self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z", "b")
        started = self.begin("c")
        self.later(60)
        self.ok("heartbeat", {"focusSession": started, "progress": 0.5})
        self.later(1)
        self.ok("heartbeat", {"focusSession": started})
        self.assertEqual(self.keys("_exportUser", {}), [EXPORT])
        export = self.one("_exportUser")
        self.assertEqual([list(session) for session in export["sessions"]], [EXPORTED_SESSION] * 2)
        self.assertEqual(export, {
            "version": 1, "user": self.user, "focusStats": stats, "settings": {**DEFAULTS, "timezone": "Europe/Berlin", "dailyGoalSeconds": 600},
            "documents": [{"document": "a", "title": None, "authors": ["z"]}, {"document": "b", "title": "B", "authors": ["x", "y"]}],
            "sessions": [
                {"_id": added, "document": "b", "library": "home", "startTime": "2025-11-03T10:00:00.000Z", "endTime": "2025-11-03T11:00:00.000Z",
                 "lastSeen": None, "progress": None, "progressTime": None},
                {"_id": started, "document": "c", "library": "home", "startTime": "2025-11-10T12:00:00.000Z", "endTime": None,
                 "lastSeen": "2025-11-10T12:01:01.000Z", "progress": 0.5, "progressTime": "2025-11-10T12:01:00.000Z"}]})

    def test_many_sessions(self):
        """More than one bounded snapshot holds, if there is such a bound."""
        self.init()
        for batch in range(5):
            self.ok("addSessions", {"user": self.user, "sessions": [
                {"document": "d" * 200, "library": "l", "startTime": timed.instant(1000 * number), "endTime": timed.instant(1000 * number + 500)}
                for number in range(1000 * batch, 1000 * batch + 1000)]})
        sessions = self.one("_exportUser")["sessions"]
        self.assertEqual([session["startTime"] for session in sessions], [timed.instant(1000 * number) for number in range(5000)])


class Removal(timed.TimedCase):
    """removeUser."""

    def fill(self, user):
        self.init(user)
        self.ok("setSettings", {"user": user, "timezone": "Europe/Berlin"})
        self.ok("setDocument", {"user": user, "document": "d", "title": "D"})
        ended = self.begin("d", user)
        self.end(ended)
        opened = self.begin("d", user)
        added = self.ok("addSession", good(user))["focusSession"]
        return [ended, opened, added]

    def test_all_of_it(self):
        others = [self.user + "x", self.user[:-1]]
        kept = {user: self.fill(user) for user in others}
        before = {user: self.post("_exportUser", {"user": user}).text for user in others}
        made = self.fill(self.user)
        self.assertEqual(self.post("removeUser", {"user": self.user, "confirm": self.user}).text, '{"removedSessions":3}\n')
        for action in USER_ACTIONS[1:]:
            self.refused(404, [self.user], action, good(self.user))
        for session in made:
            for action in ("endSession", "removeSession", "heartbeat", "editSession"):
                self.refused(404, [session], action, {"focusSession": session, "document": "d"})
        self.assertEqual({user: self.post("_exportUser", {"user": user}).text for user in others}, before)
        self.assertEqual({user: len(self.list("_getSessions", {"user": user})) for user in others}, {user: 3 for user in kept})

    def test_init_user_may_follow(self):
        made = self.fill(self.user)
        stats = self.one("_viewStats")["id"]
        self.ok("removeUser", {"user": self.user, "confirm": self.user})
        self.assertNotEqual(self.init(), stats)
        self.assertEqual(self.sessions(), [])
        self.assertEqual(self.one("_getSettings"), DEFAULTS)
        self.assertEqual(self.one("_getSummary")["sessions"], 0)
        self.assertEqual(self.begin("d", focusSession=made[0]), made[0])
        self.end(made[0])
        self.assertIsNone(self.one("_getDocuments")["title"])

    def test_of_nothing(self):
        self.init()
        self.assertEqual(self.ok("removeUser", {"user": self.user, "confirm": self.user}), {"removedSessions": 0})
        self.refused(404, [self.user], "removeUser", {"user": self.user, "confirm": self.user})

    def test_thousands(self):
        self.init()
        for batch in range(6):
            self.ok("addSessions", {"user": self.user, "sessions": [
                {"document": "d%d" % (number % 300), "library": "l", "startTime": timed.instant(1000 * number),
                 "endTime": timed.instant(1000 * number + 500)}
                for number in range(1000 * batch, 1000 * batch + 1000)]})
        self.assertEqual(self.ok("removeUser", {"user": self.user, "confirm": self.user}), {"removedSessions": 6000})
        # What takes longer than a second to delete is not waited for.
        harness.wait_until(lambda: self.post("initUser", {"user": self.user}).status == 200, "the user can begin anew")
        self.assertEqual(self.sessions(), [])
        self.assertEqual(self.list("_getDocuments", {}), [])

    @tap.cases([("another name", "somebody else"), ("empty", ""), ("true", True), ("null", None), ("a number", 1), ("an array", [])])
    def test_wrong_confirm(self, value):
        self.fill(self.user)
        self.refused(400, ["confirm"], "removeUser", {"user": self.user, "confirm": value})
        self.refused(400, ["confirm"], "removeUser", {"user": self.user, "confirm": self.user + "x"})
        self.refused(400, ["confirm"], "removeUser", {"user": self.user})
        self.assertEqual(len(self.sessions()), 3)

    def test_unknown_user(self):
        self.refused(404, ["nobody of this name"], "removeUser", {"user": "nobody of this name", "confirm": "nobody of this name"})


class UnknownUser(timed.TimedCase):
    """404, whatever is asked."""

    @tap.cases([(action, action) for action in USER_ACTIONS[1:]])
    def test_action(self, action):
        self.refused(404, ["nobody of this name"], action, good("nobody of this name"))

    @tap.cases([(action, action) for action in USER_ACTIONS])
    def test_bad_user(self, action):
        for value in (None, 1, True, [], {}, "", "x" * 256, "a\u007f"):
            self.refused(400, ["user"], action, {**good("u"), "user": value})
        fields = good("u")
        del fields["user"]
        self.refused(400, ["user"], action, fields)


class SignedIn(timed.TimedCase):
    """FOCUSSTATS_AUTH=required."""

    settings = {"FOCUSSTATS_AUTH": "required", "FOCUSSTATS_ADMINS": "admin"}

    def setUp(self):
        super().setUp()
        self.other = self.user + "-2"
        for user in (self.user, self.other):
            self.ok("initUser", {"user": user}, user)
        self.theirs = self.ok("startSession", {"user": self.other, "document": "d", "library": "l"}, self.other)["focusSession"]
        self.later(10)

    def state(self):
        return self.post("_exportUser", {"user": self.other}, self.other).text

    @tap.cases([(action, action) for action in USER_ACTIONS])
    def test_acting_for_another(self, action):
        before = self.state()
        self.refused(403, [self.other], action, good(self.other), self.user)
        self.refused(401, [], action, good(self.other))
        self.assertEqual(self.state(), before)

    @tap.cases([(action, action) for action in USER_ACTIONS])
    def test_the_user_may_be_left_out(self, action):
        fields = good(self.user)
        del fields["user"]
        self.assertEqual(self.post(action, fields, self.user).status, 409 if action == "initUser" else 200)

    @tap.cases([("heartbeat", "heartbeat", {}), ("endSession", "endSession", {}),
                ("endSession with a time", "endSession", {"endTime": "2025-11-10T12:00:05Z"}),
                ("a bad end", "endSession", {"endTime": "2025-11-10T11:00:00Z"}), ("editSession", "editSession", {"document": "mine"}),
                ("removeSession", "removeSession", {})])
    def test_session_of_another(self, action, more):
        """Word for word as one that does not exist, open and ended."""
        missing = str(uuid.uuid4())
        for _ in range(2):
            before = self.state()
            theirs = self.post(action, {"focusSession": self.theirs, **more}, self.user)
            none = self.post(action, {"focusSession": missing, **more}, self.user)
            self.assertEqual((theirs.status, theirs.text.replace(self.theirs, missing)), (404, none.text))
            self.assertEqual(self.state(), before)
            self.post("endSession", {"focusSession": self.theirs}, self.other)

    def test_after_with_a_session_of_another(self):
        self.refused(404, [self.theirs], "_getSessions", {"user": self.user, "after": self.theirs}, self.user)

    def test_a_chosen_id_of_another(self):
        """A conflict like any other."""
        before = self.state()
        self.refused(409, [self.theirs], "startSession", {"user": self.user, "document": "d", "library": "l", "focusSession": self.theirs}, self.user)
        self.refused(409, [self.theirs], "addSession", {**good(self.user), "focusSession": self.theirs}, self.user)
        results = self.ok("addSessions", {"user": self.user, "sessions": [{**good(self.user), "focusSession": self.theirs}]}, self.user)["results"]
        self.assertEqual(list(results[0]), ["index", "error"])
        self.assertIn(self.theirs, results[0]["error"])
        self.assertEqual(self.state(), before)

    def test_administrator(self):
        self.assertEqual(self.ok("heartbeat", {"focusSession": self.theirs, "progress": 0.5}, "admin"), {"focusSession": self.theirs})
        self.ok("endSession", {"focusSession": self.theirs, "endTime": "2025-11-10T12:00:05Z"}, "admin")
        self.ok("editSession", {"focusSession": self.theirs, "document": "e"}, "admin")
        self.assertEqual(self.ok("_getSummary", {"user": self.other}, "admin")[0]["summary"]["seconds"], 5)
        self.assertEqual(self.ok("removeUser", {"user": self.other, "confirm": self.other}, "admin"), {"removedSessions": 1})

    def test_removal_of_oneself(self):
        """`confirm` repeats the user even where `user` is left out."""
        self.refused(400, ["confirm"], "removeUser", {}, self.user)
        self.assertEqual(self.ok("removeUser", {"confirm": self.user}, self.user), {"removedSessions": 0})


class ErrorsAs200(timed.TimedCase):
    """FOCUSSTATS_ERROR_STATUS=200, for clients that were written so: what actions refuse has that status, and the error all the same."""

    settings = {"FOCUSSTATS_ERROR_STATUS": "200"}

    def test_refusals(self):
        self.init()
        ended = self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z")
        for action, fields in (("heartbeat", {"focusSession": "abc"}), ("heartbeat", {"focusSession": ended}),
                               ("heartbeat", {"focusSession": ended, "progress": 2}),
                               ("_getSummary", {"user": "nobody of this name"}), ("_getPeriods", {"user": self.user}),
                               ("_getSessions", {"user": self.user, "after": "abc"}),
                               ("setSettings", {"user": self.user, "timezone": ""}), ("removeUser", {"user": self.user, "confirm": "x"}),
                               ("addSessions", {"user": self.user, "sessions": [{}] * 1001})):
            self.refused(200, [], action, fields)
        self.assertEqual(len(self.ended()), 1)


if __name__ == "__main__":
    tap.main(globals())
