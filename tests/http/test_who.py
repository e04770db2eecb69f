#!/usr/bin/env python3
"""Who may do what, as a table: every action as its owner, another user, an administrator and nobody, in every mode of authentication, behind every web
server.

The rows are ROWS, and the service's own description says which actions there are: one without a row fails. The cells of a mode are a status for each kind of
action and each role. A cell is more than its status: what was carried out has changed what is stored of the owner and of nobody else, what was refused has
changed nothing, and the refusal is word for word the one for a user or session that does not exist.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap

ROLES = ["owner", "other", "admin", "nobody"]
NAMES = {"owner": "reader", "other": "other", "admin": "admin"}
MISSING = "01890a5d-ac96-774b-bcce-b302099a8057"
GHOST = "nobody-knows"
START, END = "2025-11-10T12:00:00.000Z", "2025-11-10T12:30:00.000Z"


class Row:
    """An action: `kind` is whose word it needs: `user` acts for the user that it names, `session` on a session, `open` is for everybody whom the web server
    lets in, and `figures` for everybody on this machine."""

    def __init__(self, kind, writes=False, **fields):
        self.kind = kind
        self.writes = writes
        self.fields = fields

    def body(self, user, session, count):
        """The fields, about this user or session; COUNT makes what is written differ each time."""
        fields = {"user": user} if self.kind == "user" else {"focusSession": session}
        for name, value in self.fields.items():
            fields[name] = {"USER": user, "COUNT": count, "TEXT": "number %d" % count}.get(value, value) if isinstance(value, str) else value
        return fields


# In the order in which they are tried: a user is erased and made anew first.
ROWS = {
    "removeUser": Row("user", True, confirm="USER"),
    "initUser": Row("user", True),
    "setSettings": Row("user", True, dailyGoalSeconds="COUNT"),
    "setDocument": Row("user", True, document="d", title="TEXT"),
    "startSession": Row("user", True, document="d", library="l"),
    "addSession": Row("user", True, document="d", library="l", startTime=START, endTime=END),
    "addSessions": Row("user", True, sessions=[{"document": "d", "library": "l", "startTime": START, "endTime": END}]),
    "heartbeat": Row("session", True, progress=0.5),
    "endSession": Row("session", True),
    "editSession": Row("session", True, document="TEXT"),
    "removeSession": Row("session", True),
    "_viewStats": Row("user"),
    "_getSessions": Row("user"),
    "_getActiveSessions": Row("user"),
    "_getSummary": Row("user"),
    "_getPeriods": Row("user", unit="day"),
    "_getHours": Row("user"),
    "_getDocuments": Row("user"),
    "_getStreaks": Row("user"),
    "_getGoal": Row("user"),
    "_getSettings": Row("user"),
    "_getTitles": Row("user"),
    "_exportUser": Row("user"),
    "health": Row("open"),
    "metrics": Row("figures"),
    "openapi.json": Row("open"),
}

EVERYBODY = dict.fromkeys(ROLES, 200)
# What a mode answers: by kind and role.
SIGNED_IN = {"user": {"owner": 200, "other": 403, "admin": 200, "nobody": 401}, "session": {"owner": 200, "other": 404, "admin": 200, "nobody": 401},
             "open": {**EVERYBODY, "nobody": 401}, "figures": EVERYBODY}
NO_ADMINS = {**SIGNED_IN, "user": {**SIGNED_IN["user"], "admin": 403}, "session": {**SIGNED_IN["session"], "admin": 404}}
OPEN = dict.fromkeys(("user", "session", "open", "figures"), EVERYBODY)
CLOSED = {"user": dict.fromkeys(ROLES, 401), "session": dict.fromkeys(ROLES, 401), "open": EVERYBODY, "figures": EVERYBODY}


class Table(harness.ServerCase):
    """A mode: the settings, whether the site file is the one with authentication, and the cells."""

    abstract = True
    owner = True
    cells = None
    refusal_status = None  # of all refusals but 401, where the setting makes them one
    count = 0  # of what was tried, in all
    tried = 0  # of the cells

    @classmethod
    def tearDownClass(cls):
        print("# %s: %d cells" % (cls.__name__, cls.tried))

    def setUp(self):
        super().setUp()
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    # Requests

    def credentials(self, role):
        """In every mode the same: whether they count is the mode's business."""
        return [] if role == "nobody" else [harness.basic(NAMES[role])]

    def ask(self, role, action, fields):
        if ROWS[action].kind in ("open", "figures"):
            return self.client.request("GET", self.server.url(action), None, self.credentials(role))
        return self.client.request("POST", self.server.url(action), json.dumps(fields).encode(), [("Content-Type", "application/json"), *self.credentials(role)])

    def behind(self, action, fields):
        """Past the web server, by an administrator's hand: plain CGI, which hands it to the owner of the store."""
        return harness.cgi(self.folder, "POST", "/FocusStats/" + action, json.dumps(fields).encode())

    def ensure(self, role, action, fields):
        reply = self.behind(action, fields) if self.cells is CLOSED else self.ask(role, action, fields)
        self.assertIn(reply.status, (200, 409), reply)
        return reply.json()

    def stored(self, *roles):
        """All that is stored of some users."""
        told = []
        for role in roles:
            fields = {"user": NAMES[role]}
            reply = self.behind("_exportUser", fields) if self.cells is CLOSED else self.ask(role, "_exportUser", fields)
            told.append(reply.json())
        return told

    def session_of(self, role):
        return self.ensure(role, "startSession", {"user": NAMES[role], "document": "d", "library": "l"})["focusSession"]

    # Cells

    def assert_refused(self, reply, status, told):
        """By the program, as JSON with one word of why; a missing password the web servers refuse themselves."""
        expected = self.refusal_status if self.refusal_status and status != 401 else status
        self.assertEqual(reply.status, expected, reply)
        if reply.header("Content-Type") == "application/json":
            self.assertEqual([key for key, _ in reply.pairs()], ["error"])
        else:
            self.assertEqual((status, self.server.auth), (401, True), reply)
        for text in told:
            self.assertNotIn(text, reply.text)

    def refused(self, role, action, status):
        """As for one who is not there; nothing changes."""
        row, session, before = ROWS[action], self.owned, self.before
        if row.kind == "open":
            self.assert_refused(self.ask(role, action, None), status, ["status", "openapi"])
            return
        theirs = self.ask(role, action, row.body("reader", session, self.count))
        none = self.ask(role, action, row.body(GHOST, MISSING, self.count))
        for reply in (theirs, none):
            self.assert_refused(reply, status, ["focusStats\"", "startTime"])
        self.assertEqual(theirs.text.replace(session, MISSING).replace("'reader'", "'%s'" % GHOST), none.text)
        if row.kind == "session":
            ended = self.ask(role, action, row.body("reader", self.ended, self.count))
            self.assertEqual(ended.text.replace(self.ended, MISSING), none.text)
        if not self.slow:
            self.assertEqual(self.stored("owner", "other"), before)

    def carried_out(self, role, action):
        row = ROWS[action]
        session = self.session_of("owner") if row.kind == "session" else None
        before = None if self.slow and not row.writes else self.stored("owner", "other")
        reply = self.ask(role, action, row.body("reader", session, self.count))
        self.assertEqual(reply.status, 200, reply)
        if action == "metrics":
            return
        self.assertFalse(isinstance(reply.json(), dict) and "error" in reply.json(), reply)
        if before is not None:
            after = self.stored("owner", "other")
            (self.assertNotEqual if row.writes else self.assertEqual)(after[0], before[0])
            self.assertEqual(after[1], before[1])

    @property
    def slow(self):
        """Where every request starts a process, what is stored is looked at once for all that was refused."""
        return isinstance(self.server, harness.ApacheCgi) or self.cells is CLOSED

    def prepare(self):
        for role in ("owner", "other"):
            self.ensure(role, "initUser", {"user": NAMES[role]})
        self.session_of("other")
        self.owned, self.ended = self.session_of("owner"), self.session_of("owner")
        self.ensure("owner", "endSession", {"focusSession": self.ended})
        self.before = self.stored("owner", "other")

    @tap.cases([(role, role) for role in ROLES])
    def test_as(self, role):
        self.prepare()
        for action, row in ROWS.items():
            Table.count += 1
            type(self).tried += 1
            with self.subTest(action):
                status = self.cells[row.kind][role]
                if status == 200:
                    self.carried_out(role, action)
                else:
                    self.refused(role, action, status)
        if 200 not in (self.cells["user"][role], self.cells["session"][role]):
            self.assertEqual(self.stored("owner", "other"), self.before)

    def test_every_action_has_a_row(self):
        document = self.ask("owner", "openapi.json", None).json()
        self.assertEqual(sorted(path.rsplit("/", 1)[1] for path in document["paths"]), sorted(ROWS))
        for path, item in document["paths"].items():
            action = path.rsplit("/", 1)[1]
            (method, operation), = item.items()
            for_all = ROWS[action].kind in ("open", "figures")
            self.assertEqual((method == "get", operation.get("security") == []), (for_all, for_all), action)


class SignedIn(Table):
    """The site files as they ship, and an administrator."""

    abstract = True
    auth = True
    cells = SIGNED_IN
    settings = {"FOCUSSTATS_ADMINS": "admin"}

    def test_who_signs_in_need_not_say_who(self):
        """Every action for a user, without the user: it is the one who signed in, and never anyone else."""
        self.prepare()
        for action, row in ROWS.items():
            if row.kind == "user" and action not in ("removeUser", "initUser"):
                with self.subTest(action):
                    Table.count += 1
                    fields = row.body("other", None, self.count)
                    del fields["user"]
                    before = self.stored("owner")
                    self.assertEqual(self.ask("other", action, fields).status, 200)
                    self.assertEqual(self.stored("owner"), before)

    def test_a_wrong_password_is_nobody(self):
        self.prepare()
        client = self.client
        for action, row in ROWS.items():
            if row.kind in ("user", "session"):
                with self.subTest(action):
                    reply = client.request("POST", self.server.url(action), json.dumps(row.body("reader", self.owned, self.count)).encode(),
                                           [("Content-Type", "application/json"), harness.basic("reader", "no")])
                    self.assertEqual(reply.status, 401)
        self.assertEqual(self.stored("owner", "other"), self.before)


class NoAdministrators(Table):
    """Nobody is one."""

    abstract = True
    auth = True
    cells = NO_ADMINS


class RefusalsAs200(Table):
    """FOCUSSTATS_ERROR_STATUS=200: no refusal becomes a consent by it."""

    abstract = True
    auth = True
    cells = SIGNED_IN
    refusal_status = 200
    settings = {"FOCUSSTATS_ADMINS": "admin", "FOCUSSTATS_ERROR_STATUS": "200"}


class Open(Table):
    """The open site files: who one says that one is makes no difference."""

    abstract = True
    cells = OPEN


class Closed(Table):
    """The program wants a user and the site file asks for none: nobody gets in."""

    abstract = True
    cells = CLOSED
    settings = {"FOCUSSTATS_AUTH": "required", "FOCUSSTATS_ADMINS": "admin"}


def mode(base, servers):
    servers = [server for server in servers if not harness.QUICK or server in (harness.Nginx, harness.Lighttpd)]
    made = {}
    harness.for_servers(made, base, servers=servers)
    for name, case in made.items():
        case.processes = 2 if not case.server_class.starts_responder else None
        globals()[name] = case


ONE_OF_EACH = [harness.Lighttpd, harness.Nginx, harness.ApacheProxyFcgi]
mode(SignedIn, harness.ALL_SERVERS)
mode(Open, [server for server in harness.ALL_SERVERS if not server.only_auth])
mode(Closed, ONE_OF_EACH + [harness.ApacheCgi])
mode(NoAdministrators, ONE_OF_EACH)
mode(RefusalsAs200, ONE_OF_EACH)

if __name__ == "__main__":
    tap.main(globals())
