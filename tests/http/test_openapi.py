#!/usr/bin/env python3
"""GET openapi.json: OpenAPI 3.1 with every action in it, whose schemas take what the service takes, refuse what it refuses, and describe what it answers."""

import datetime
import json
import os
import re
import signal
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import openapi
import tap
from folder import SOURCE

PATH = "/FocusStats/openapi.json"
LEAST_CHECKS = 1000
LONG_ID = "x" * 255
WRONG_TYPES = [None, True, 5, ["a"], {"a": 1}]
NO_ID = ["", "x" * 256, "a\u0001", "a\nb", "a\n", "\u007f", *WRONG_TYPES]
NO_UUID = ["", "0190a6c5", "0190a6c5-5bcd-7c8e-9f6d-2d5c7f0e1b3g", "0190a6c55bcd7c8e9f6d2d5c7f0e1b3a", *WRONG_TYPES]
NO_INSTANT = ["", "2025-11-10", "2025-11-10 10:00:00Z", "2025-11-10T10:00:00", "2025-11-10T10:00:60Z", "2025-13-10T10:00:00Z", "2025-02-30T10:00:00Z",
              "2025-11-10T24:00:00Z", "1969-12-31T10:00:00Z", "2025-11-10T10:00:00+24:00", "2025-11-10T10:00:00.Z", "2025-11-10T10:00:00Z\n", *WRONG_TYPES]
NO_MOMENT = ["2025-02-30", "2025-11", "10.11.2025", "1969-12-31", "2025-11-10\n", *[value for value in NO_INSTANT if value != "2025-11-10"]]
MOMENTS = ["2025-11-10", "2024-02-29", "1970-01-01", "9999-12-31", "2025-11-10T10:00:00Z", "2025-11-10t10:00:00.5z", "2025-11-10T10:00:00+14:00"]


def not_integers(least, most):
    return [least - 1, most + 1, least + 0.5, str(least), None, False, [least]]


# {field: (what is taken, what is not)}; what is taken may still be no user or session that there is.
VALUES = {
    "user": (["nobody", LONG_ID], NO_ID),
    "document": (["a", LONG_ID, "Ende der Parabel \U0001f680"], NO_ID),
    "library": (["a", LONG_ID], NO_ID),
    "focusSession": (["a", LONG_ID], NO_ID),
    "confirm": ([], NO_ID),
    "after": (["a", LONG_ID], NO_ID),
    "startTime": (["2025-11-10T10:00:00Z", "2025-11-10t11:00:00.123456+02:00", "1970-01-01T00:00:00z"], NO_INSTANT),
    "endTime": (["2025-11-10T11:00:00Z", "2025-11-10T14:00:00.5+02:00"], NO_INSTANT),
    "progress": ([0, 1, 0.5, 1e-3], [-0.1, 1.1, "0.5", None, True, [1]]),
    "sessions": ([[]], [[{}] * 1001, "a", None, {}, 5]),
    "title": (["", "t" * 1000, "T\u00fc"], ["t" * 1001, "a\nb", *WRONG_TYPES]),
    "authors": ([[], ["a"], ["a" * 255] * 50], [["a"] * 51, [""], [5], ["a\t"], ["x" * 256], "a", None, {}]),
    "timezone": (["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"],
                 ["", ".", "..", "/UTC", "UTC/", "Europe//Berlin", "Europe/../UTC", "+01:00", "UTC ", "x" * 256, *WRONG_TYPES]),
    "dayStart": (["00:00", "23:59", "04:30"], ["24:00", "04:60", "4:00", "0400", "04:00:00", "04:00\n", "", *WRONG_TYPES]),
    "weekStart": (["monday", "sunday"], ["Monday", "mon", "", *WRONG_TYPES]),
    "dailyGoalSeconds": ([0, 86400, 600.0, 6e2], not_integers(0, 86400)),
    "idleTimeoutSeconds": ([60, 86400], not_integers(60, 86400)),
    "from": (MOMENTS, NO_MOMENT),
    "to": (MOMENTS, NO_MOMENT),
    "unit": (["day", "week", "month", "year"], ["days", "Day", "", *WRONG_TYPES]),
    "fill": ([True, False], ["true", 1, None, []]),
    "minSeconds": ([0, 86400], not_integers(0, 86400)),
    "limit": ([1, 1000], not_integers(1, 1000)),
    "order": (["asc", "desc"], ["ASC", "", *WRONG_TYPES]),
}
# Where the client chooses the session's id.
CHOOSES = ("startSession", "addSession")
SESSION = {"document": "d", "library": "l", "startTime": "2025-11-10T10:00:00Z", "endTime": "2025-11-10T11:00:00Z"}


def soon():
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Openapi(harness.Case):
    """The service, its document, and users for it."""

    abstract = True

    def begin(self, **settings):
        self.responder = self.start(harness.Responder(self.folder(), settings, processes=2))
        self.api = openapi.Description(self.document())
        self.made = 0
        self.expected = []

    def document(self):
        reply = self.responder.ask("GET", PATH)
        self.assertEqual((reply.status, reply.header("Content-Type")), (200, "application/json"))
        return reply.json()

    def post(self, action, fields, extra=None):
        """One request, whose answer is held against the document."""
        reply = self.responder.post(action, fields, extra)
        self.answered(action, reply)
        return reply

    def answered(self, action, reply):
        mark = self.api.answer(action, reply.status, reply.json())
        self.expected.append((mark, True, "%s answered %d: %.300s" % (action, reply.status, reply.text)))

    def expect(self, action, fields, valid, what):
        self.expected.append((self.api.request(action, fields), valid, "%s: %s: %.200s" % (action, what, json.dumps(fields))))

    def finish(self, least=1):
        self.assertGreaterEqual(len(self.expected), least)
        wrong = []
        told = self.api.run()
        for mark, valid, what in self.expected:
            if bool(told[mark]) == valid:
                wrong.append("%s: %s" % (what, told[mark] or "the schema takes it"))
        self.assertEqual(wrong[:20], [])

    def user(self):
        self.made += 1
        name = "user %d" % self.made
        self.assertEqual(self.post("initUser", {"user": name}).status, 200)
        return name

    def active(self, user):
        return self.post("startSession", {"user": user, "document": "d", "library": "l"}).json()["focusSession"]

    def request(self, action):
        """The least that the action takes, for a user of its own."""
        if action == "initUser":
            self.made += 1
            return {"user": "user %d" % self.made}
        if action in ("heartbeat", "endSession", "removeSession"):
            return {"focusSession": self.active(self.user())}
        if action == "editSession":
            return {"focusSession": self.post("addSession", {"user": self.user(), **SESSION}).json()["focusSession"], "document": "other"}
        made = {"user": self.user()}
        made.update({"startSession": {"document": "d", "library": "l"}, "addSession": SESSION, "addSessions": {"sessions": [SESSION]},
                     "setDocument": {"document": "d"}, "removeUser": {"confirm": made["user"]}, "_getPeriods": {"unit": "day"}}.get(action, {}))
        return made

    def actions(self):
        return [action for action, (_, method) in self.api.operations.items() if method == "post"]

    def properties(self, action):
        return self.api.operation(action)["requestBody"]["content"]["application/json"]["schema"]["properties"]

    def values(self, action, field):
        good, bad = VALUES[field]
        if field == "focusSession" and action in CHOOSES:
            good, bad = [str(uuid.uuid4()), str(uuid.uuid4()).upper()], NO_UUID
        if (action, field) == ("endSession", "endTime"):
            good = [soon()]
        return good, bad


class Served(harness.ServerCase):
    """Through each web server."""

    abstract = True

    def test_get(self):
        reply = self.server.request("GET", self.server.url("openapi.json"))
        self.assertEqual((reply.status, reply.header("Content-Type"), reply.json()["openapi"]), (200, "application/json", "3.1.0"))

    def test_head(self):
        reply = self.server.request("HEAD", self.server.url("openapi.json"))
        self.assertEqual((reply.status, reply.header("Content-Type"), reply.body), (200, "application/json", b""))


harness.for_servers(globals(), Served)


class Document(Openapi):
    """The document as a whole."""

    def test_is_valid(self):
        self.begin()
        self.finish(0)
        self.assertEqual(self.api.document["openapi"], "3.1.0")

    def test_every_action_is_in_it(self):
        self.begin()
        with open(os.path.join(SOURCE, "src", "api", "actions.c"), encoding="utf-8") as file:
            rows = re.findall(r'\.path = "([^"]+)"', file.read())
        self.assertEqual(list(self.api.document["paths"]), rows)
        self.assertGreater(len(rows), 20)
        for path in rows:
            method, = self.api.document["paths"][path]
            other = {"get": "POST", "post": "GET"}[method]
            reply = self.responder.ask(other, path, b"{}")
            self.assertEqual((reply.status, "POST" in reply.header("Allow")), (405, method == "post"), path)
            self.answered(path.rsplit("/", 1)[1], reply)
        self.finish(len(rows))

    def test_version(self):
        self.begin()
        done = harness.run_program(self.folder(), ["--version"])
        self.assertEqual("focusstats.fcgi %s\n" % self.api.document["info"]["version"], done.stdout.decode())

    def test_is_the_same_from_all_processes(self):
        self.begin()
        for _ in range(10):
            self.assertEqual(self.document(), self.api.document)
        self.assertEqual(harness.cgi(self.responder.folder, "GET", PATH).json(), self.api.document)

    def test_every_field_has_a_description(self):
        self.begin()
        for action in self.actions():
            for field, schema in self.properties(action).items():
                self.assertRegex(schema["description"], r"^[A-Z].*\.$", (action, field))
        for action in self.api.operations:
            self.assertRegex(self.api.operation(action)["summary"], r"^[A-Z].*\.$", action)

    def test_needs_nobody_signed_in(self):
        self.begin(FOCUSSTATS_AUTH="required")
        for action in self.api.operations:
            path, method = self.api.operations[action]
            open_to_all = self.api.operation(action).get("security") == []
            reply = self.responder.ask(method.upper(), path, b"{}" if method == "post" else b"")
            self.assertEqual(reply.status == 401, not open_to_all, action)
            if not open_to_all:
                self.answered(action, reply)
        self.finish(20)


class Requests(Openapi):
    """What the service takes and what it refuses, each of which the schema has to say, too."""

    @tap.limit(300)
    def test_least(self):
        self.begin()
        for action in self.actions():
            fields = self.request(action)
            self.expect(action, fields, True, "the least")
            reply = self.post(action, fields)
            self.assertEqual(reply.status, 200, (action, reply))
        self.finish(2 * len(self.actions()))

    @tap.limit(300)
    def test_what_is_missing(self):
        self.begin()
        for action in self.actions():
            fields = self.request(action)
            required = self.api.operation(action)["requestBody"]["content"]["application/json"]["schema"]["required"]
            for field in fields:
                rest = {name: value for name, value in fields.items() if name != field}
                reply = self.post(action, rest)
                if (action, field) == ("editSession", "document"):
                    continue
                self.assertEqual((reply.status, reply.json()["error"]), (400, field + ": is missing"), action)
                self.assertEqual(field in required, field != "user", (action, field))
                self.expect(action, rest, field == "user", "without " + field)
        self.finish()

    @tap.limit(600)
    def test_values(self):
        """Each field of each action: values at the bounds and beyond, and of other types."""
        self.begin()
        for action in self.actions():
            fields = self.request(action)
            for field in self.properties(action):
                good, bad = self.values(action, field)
                for value in bad:
                    changed = {**fields, field: value}
                    reply = self.post(action, changed)
                    self.assertEqual(reply.status, 400, (action, field, value, reply))
                    self.assertRegex(reply.json()["error"], "^" + field + r"\b", (action, value))
                    self.expect(action, changed, False, field)
                for value in good:
                    changed = {**self.request(action), field: value}
                    if action == "removeUser":
                        changed["confirm"] = changed["user"]
                    reply = self.post(action, changed)
                    self.assertIn(reply.status, (200, 404), (action, field, value, reply))
                    self.expect(action, changed, True, field)
        self.finish(LEAST_CHECKS)

    @tap.limit(300)
    def test_what_is_unknown_is_ignored(self):
        self.begin()
        for action in self.actions():
            fields = {**self.request(action), "unknown": [None], "Users": 5}
            self.expect(action, fields, True, "more fields")
            self.assertEqual(self.post(action, fields).status, 200, action)
        self.finish()


class Answers(Openapi):
    """Answers about a reader with everything that there can be, and refusals of every kind."""

    def reader(self):
        """A user with sessions of all kinds, and the ids of some."""
        user = self.user()
        self.post("setSettings", {"user": user, "timezone": "Europe/Berlin", "dayStart": "04:00", "weekStart": "sunday", "dailyGoalSeconds": 600})
        self.post("setDocument", {"user": user, "document": "titled", "title": "T", "authors": ["A", "B"]})
        self.post("setDocument", {"user": user, "document": "unread", "title": "U"})
        self.post("addSessions", {"user": user, "sessions": [
            {**SESSION, "document": "titled"}, {**SESSION, "startTime": "2025-11-09T23:00:00Z"}, {**SESSION, "endTime": SESSION["startTime"]},
            {**SESSION, "endTime": "1999-01-01T00:00:00Z"}, {"document": "d"}, 5]})
        begun = self.post("startSession", {"user": user, "document": "titled", "library": "l"}).json()["focusSession"]
        self.post("heartbeat", {"focusSession": begun, "progress": 0.25})
        self.post("endSession", {"focusSession": begun, "progress": 0.5})
        seen = self.active(user)
        self.post("heartbeat", {"focusSession": seen, "progress": 0.125})
        return user, begun, seen, self.active(user)

    def test_queries(self):
        self.begin()
        user, *_ = self.reader()
        nobody = self.user()
        queries = [action for action in self.actions() if action.startswith("_")]
        self.assertGreaterEqual(len(queries), 11)
        for action in queries:
            for who in (user, nobody):
                for more in ({}, {"from": "2025-11-10", "to": "2025-11-11T00:00:00Z"}, {"document": "titled", "library": "l"}, {"timezone": "Asia/Kathmandu"},
                             {"fill": True, "limit": 2, "order": "desc", "minSeconds": 60}):
                    fields = {"user": who, "unit": "week", **more}
                    self.expect(action, fields, True, "a query")
                    self.assertEqual(self.post(action, fields).status, 200, action)
        self.finish(2 * 10 * len(queries))

    def test_defaults(self):
        """What is left out counts as the schema says."""
        self.begin()
        user, *_ = self.reader()
        found = []
        for action in self.actions():
            for field, schema in self.properties(action).items():
                if "default" in schema:
                    found.append(field)
                    # With another field that is new to the query, so that its elements have all keys in both.
                    fields = {"user": user, "unit": "day", "from": "1970-01-01"}
                    without, given = self.post(action, fields), self.post(action, {**fields, field: schema["default"]})
                    self.assertEqual((given.status, given.json()), (200, without.json()), (action, field))
        self.assertEqual(sorted(found), ["fill", "minSeconds", "order"])
        self.finish()

    def test_refusals_of_actions(self):
        self.begin()
        user, ended, seen, active = self.reader()
        for action in self.actions():
            if "user" in self.properties(action) and action != "initUser":
                self.assertEqual(self.post(action, {**self.request(action), "user": "nobody", "confirm": "nobody"}).status, 404, action)
            if "focusSession" in self.properties(action) and action not in CHOOSES:
                self.assertEqual(self.post(action, {**self.request(action), "focusSession": "none"}).status, 404, action)
        chosen = "0190a6c5-5bcd-7c8e-9f6d-2d5c7f0e1b3a"
        self.assertEqual(self.post("addSession", {"user": user, **SESSION, "focusSession": chosen}).status, 200)
        for action, fields in {
            "initUser": {"user": user}, "endSession": {"focusSession": ended}, "heartbeat": {"focusSession": ended},
            "editSession": {"focusSession": active, "endTime": soon()}, "addSession": {"user": user, **SESSION, "document": "o", "focusSession": chosen},
            "startSession": {"user": self.user(), "document": "o", "library": "l", "focusSession": seen},
        }.items():
            self.assertEqual(self.post(action, fields).status, 409, action)
        self.assertEqual(self.post("_getSessions", {"user": user, "after": "none"}).status, 404)
        self.assertEqual(self.post("removeUser", {"user": user, "confirm": "another"}).status, 400)
        self.finish(40)

    def test_refusals_of_the_service(self):
        self.begin(FOCUSSTATS_MAX_BODY="1024")
        for action in self.actions():
            for body, extra, status in ((b"{}", {"CONTENT_TYPE": "text/plain"}, 415), (b" " * 1025, None, 413), (b"[]", None, 400)):
                reply = self.responder.ask("POST", "/FocusStats/" + action, body, extra)
                self.assertEqual(reply.status, status, action)
                self.answered(action, reply)
        owner = self.responder.folder.freeze_owner()
        try:
            for action, (path, method) in self.api.operations.items():
                body = json.dumps({"user": "u", "focusSession": "0190a6c5-5bcd-7c8e-9f6d-2d5c7f0e1b3a", "confirm": "u", "sessions": [], "unit": "day",
                                   **SESSION}).encode()
                reply = harness.cgi(self.responder.folder, method.upper(), path, body, settings={"FOCUSSTATS_RELAY_TIMEOUT": "100"})
                self.assertEqual(reply.status, 503, (action, reply))
                self.answered(action, reply)
        finally:
            os.kill(owner, signal.SIGCONT)
        self.finish(4 * len(self.actions()))

    def test_acting_for_others(self):
        self.begin(FOCUSSTATS_AUTH="required")
        for action in self.actions():
            if "user" in self.properties(action):
                fields = {"user": "other", "confirm": "other", "document": "d", "library": "l", "unit": "day", "sessions": [], **SESSION}
                self.assertEqual(self.post(action, fields, {"REMOTE_USER": "reader"}).status, 403, action)
        self.finish(15)

    def test_of_get(self):
        self.begin()
        for action, (path, method) in self.api.operations.items():
            if method == "get":
                reply = self.responder.ask("GET", path)
                kind = reply.header("Content-Type")
                mark = self.api.answer(action, reply.status, reply.json() if kind == "application/json" else reply.text, kind)
                if action != "openapi.json":  # it says only what it is: the rest is the business of OpenAPI's own schema
                    self.expected.append((mark, True, action))
        self.finish(2)


if __name__ == "__main__":
    tap.main(globals())
