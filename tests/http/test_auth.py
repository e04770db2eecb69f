#!/usr/bin/env python3
"""Who may do what, behind every web server: authentication, administrators, false headers; then other sites' pages (CORS), and refusals as status 200."""

import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fcgi
import harness
import tap

JSON = ("Content-Type", "application/json")
ORIGIN = "https://reader.example"
SECOND_ORIGIN = "http://localhost:8080"
FALSE_HEADERS = [
    ("Basic with a user's name", harness.basic("other", "not the password")),
    ("Basic with the right user's password but another name", harness.basic("other", harness.PASSWORDS["reader"])),
    ("Basic without a password", harness.basic("other", "")),
    ("Basic with a name that nobody has", ("Authorization", "Basic " + base64.b64encode(b"nobody:x").decode())),
    ("Basic without a colon", ("Authorization", "Basic " + base64.b64encode(b"other").decode())),
    ("Basic that is no Base64", ("Authorization", "Basic ????")),
    ("Bearer", ("Authorization", "Bearer other")),
    ("Digest", ("Authorization", 'Digest username="other", realm="FocusStats", nonce="1", uri="/", response="0"')),
    ("Remote-User", ("Remote-User", "other")),
    ("Remote_User", ("Remote_User", "other")),
    ("REMOTE_USER", ("REMOTE_USER", "other")),
    ("X-Remote-User", ("X-Remote-User", "other")),
    ("X-Forwarded-User", ("X-Forwarded-User", "other")),
    ("Auth-User", ("Auth-User", "other")),
]


class AuthCase(harness.ServerCase):
    """Requests that are refused and requests that are not."""

    abstract = True

    def assert_refused(self, reply, status, *words):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.header("Content-Type"), "application/json")
        self.assertEqual([key for key, _ in reply.pairs()], ["error"])
        for word in words:
            self.assertIn(word, reply.json()["error"])

    def assert_not_signed_in(self, reply, statuses=(401,)):
        """The web server's own 401, or the program's."""
        self.assertIn(reply.status, statuses, reply)
        self.assertNotIn(b"focusS", reply.body)

    def ok(self, action, fields, user=None, headers=()):
        reply = self.server.post(action, fields, user, headers)
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def ensure(self, *users):
        for user in users:
            self.assertIn(self.server.post("initUser", {"user": user}, user).status, (200, 409))

    def begin(self, user):
        return self.ok("startSession", {"user": user, "document": "d", "library": "l"}, user)["focusSession"]

    def sessions(self, user):
        return {element["focusSession"]["_id"]: element["focusSession"] for element in self.ok("_getSessions", {"user": user}, user)}


class Required(AuthCase):
    """The site files as they ship: FOCUSSTATS_AUTH=required and Basic authentication by the web server."""

    abstract = True
    auth = True
    settings = {"FOCUSSTATS_ADMINS": "admin, second-admin"}

    def setUp(self):
        super().setUp()
        self.ensure("reader", "other")

    def test_nobody_is_signed_in(self):
        for action in ("initUser", "startSession", "endSession", "removeSession", "_viewStats", "_getSessions"):
            with self.subTest(action):
                self.assert_not_signed_in(self.server.post(action, {"user": "reader", "document": "d", "library": "l"}, harness.NOBODY))

    @tap.cases(FALSE_HEADERS)
    def test_false_header_alone(self, header):
        """lighttpd answers 400 to a header of Basic authentication that is none."""
        statuses = (400, 401) if self.server.name == "lighttpd" and header[1].startswith("Basic") else (401,)
        before = self.sessions("other")
        fields = {"user": "other", "document": "stolen", "library": "l"}
        self.assert_not_signed_in(self.server.post("startSession", fields, harness.NOBODY, [header]), statuses)
        self.assert_not_signed_in(self.server.post("_getSessions", {"user": "other"}, harness.NOBODY, [header]), statuses)
        self.assertEqual(self.sessions("other"), before)

    @tap.cases([row for row in FALSE_HEADERS if row[1][0] != "Authorization"])
    def test_false_header_of_a_signed_in_user(self, header):
        """It changes nothing: who is signed in counts."""
        self.assert_refused(self.server.post("_getSessions", {"user": "other"}, "reader", [header]), 403, "other")
        self.assertEqual(self.ok("_viewStats", {}, "reader", [header])[0]["focusStats"]["user"], "reader")

    def test_two_authorization_headers(self):
        """The servers take one of them or refuse both (400, 401); where the false one comes first or last, it gains nothing."""
        for order in (0, 1):
            false = ("Authorization", "Basic " + base64.b64encode(b"other:x").decode())
            headers = [JSON, harness.basic("reader")]
            headers.insert(order * 2, false)
            reply = self.server.request("POST", self.server.url("_getSessions"), b'{"user":"other"}', headers, harness.NOBODY)
            self.assertIn(reply.status, (400, 401, 403), reply)

    def test_the_user_may_be_left_out(self):
        session = self.ok("startSession", {"document": "d", "library": "l"}, "reader")["focusSession"]
        self.assertEqual(self.ok("_getSessions", {}, "reader")[-1]["focusSession"]["_id"], session)
        self.assertEqual(self.ok("_viewStats", {}, "reader")[0]["focusStats"]["user"], "reader")
        self.assertEqual(self.sessions("reader")[session]["user"], "reader")
        self.assert_refused(self.server.post("initUser", {}, "reader"), 409, "reader")

    def test_the_user_of_a_wrong_type_is_not_left_out(self):
        for value in (None, "", [], 1):
            self.assert_refused(self.server.post("_viewStats", {"user": value}, "reader"), 400, "user")

    @tap.cases([("initUser", "initUser"), ("startSession", "startSession"), ("_viewStats", "_viewStats"), ("_getSessions", "_getSessions")])
    def test_acting_for_another_user(self, action):
        before = self.sessions("other")
        self.assert_refused(self.server.post(action, {"user": "other", "document": "d", "library": "l"}, "reader"), 403, "other")
        self.assertEqual(self.sessions("other"), before)

    def test_acting_for_a_user_who_does_not_exist(self):
        """No different, so that nobody learns who is here."""
        self.assert_refused(self.server.post("_getSessions", {"user": "nobody-knows"}, "reader"), 403, "nobody-knows")

    def test_names_are_compared_exactly(self):
        for name in ("Reader", "reader ", " reader", "reade", "readers", "reader\u200b", "admin"):
            with self.subTest(name):
                self.assert_refused(self.server.post("_viewStats", {"user": name}, "reader"), 403)

    @tap.cases([("end", "endSession"), ("remove", "removeSession")])
    def test_session_of_another_user(self, action):
        """Answered word for word as one that does not exist."""
        session = self.begin("other")
        missing = "01890a5d-ac96-774b-bcce-b302099a8057"
        before = self.sessions("other")
        theirs = self.server.post(action, {"focusSession": session}, "reader")
        none = self.server.post(action, {"focusSession": missing}, "reader")
        self.assert_refused(theirs, 404, session)
        self.assertEqual(theirs.text.replace(session, missing), none.text)
        self.assertEqual(self.sessions("other"), before)

    def test_ended_session_of_another_user(self):
        """Not a conflict, which would tell that it is there."""
        session = self.begin("other")
        self.ok("endSession", {"focusSession": session}, "other")
        self.assert_refused(self.server.post("endSession", {"focusSession": session}, "reader"), 404, session)

    def test_own_sessions(self):
        session = self.begin("reader")
        self.ok("endSession", {"focusSession": session}, "reader")
        self.assertIsNotNone(self.sessions("reader")[session]["endTime"])
        self.ok("removeSession", {"focusSession": session}, "reader")
        self.assertNotIn(session, self.sessions("reader"))

    @tap.cases([("the first", "admin"), ("one behind a blank", "second-admin")])
    def test_administrator(self, admin):
        """May act for everybody, known or new."""
        new = "guest of " + admin
        self.ok("initUser", {"user": new}, admin)
        session = self.ok("startSession", {"user": new, "document": "d", "library": "l"}, admin)["focusSession"]
        self.ok("endSession", {"focusSession": session}, admin)
        self.assertEqual(self.ok("_viewStats", {"user": new}, admin)[0]["focusStats"]["focusSessionIds"], [session])
        self.assertEqual(len(self.ok("_getSessions", {"user": new}, admin)), 1)
        self.ok("removeSession", {"focusSession": session}, admin)
        self.assert_refused(self.server.post("_viewStats", {"user": "unknown to all"}, admin), 404, "unknown to all")

    def test_administrator_without_a_user_is_themselves(self):
        self.ensure("admin")
        self.assertEqual(self.ok("_viewStats", {}, "admin")[0]["focusStats"]["user"], "admin")

    def test_bad_requests_of_a_signed_in_user(self):
        """401 and 403 do not hide what is wrong with the request, nor is anything stored."""
        self.assert_refused(self.server.post("startSession", b"{", "reader"), 400)
        self.assert_refused(self.server.request("GET", self.server.url("startSession"), None, [], "reader"), 405)
        self.assert_refused(self.server.request("POST", self.server.url("nothing"), b"{}", [JSON], "reader"), 404)
        self.assert_refused(self.server.request("POST", self.server.url("startSession"), b"{}", [("Content-Type", "text/plain")], "reader"), 415)

    def test_preflight_is_off(self):
        """OPTIONS passes without a password, so that the program can answer a preflight; where no origin is named it is 405."""
        reply = self.server.request("OPTIONS", self.server.url("startSession"), None,
                                    [("Origin", ORIGIN), ("Access-Control-Request-Method", "POST")], harness.NOBODY)
        self.assert_refused(reply, 405)
        self.assertEqual(reply.header("Allow"), "POST")
        self.assertIsNone(reply.header("Access-Control-Allow-Origin"))


class Open(AuthCase):
    """The open variant of the site files: everybody may do everything, and whoever says that they are somebody is nobody."""

    abstract = True

    def setUp(self):
        super().setUp()
        self.ensure("reader", "other")

    @tap.cases(FALSE_HEADERS)
    def test_false_header_changes_nothing(self, header):
        session = self.ok("startSession", {"user": "reader", "document": "d", "library": "l"}, None, [header])["focusSession"]
        self.assertIn(session, self.sessions("reader"))
        self.ok("endSession", {"focusSession": session}, None, [header])
        self.assertIsNotNone(self.sessions("reader")[session]["endTime"])

    @tap.cases(FALSE_HEADERS)
    def test_the_user_is_not_taken_from_a_header(self, header):
        self.assert_refused(self.server.post("_viewStats", {}, None, [header]), 400, "user")


class RequiredButOpenServer(AuthCase):
    """The program asks for a user, and the web server's file does not authenticate: nobody gets in, whatever headers say."""

    abstract = True

    @classmethod
    def setUpClass(cls):
        cls.settings = {"FOCUSSTATS_AUTH": "required", "FOCUSSTATS_ADMINS": "other"}
        super().setUpClass()

    @tap.cases([("no header", None)] + FALSE_HEADERS)
    def test_false_header(self, header):
        headers = [header] if header else []
        for fields in ({"user": "other"}, {}):
            self.assert_refused(self.server.post("initUser", fields, None, headers), 401)
            self.assert_refused(self.server.post("_getSessions", fields, None, headers), 401)

    def test_health_needs_nobody(self):
        self.assertEqual(self.server.request("GET", self.server.url("health")).status, 200)


class CorsOff(AuthCase):
    """No origin is named: no header of the protocol is ever sent."""

    abstract = True

    def test_no_header(self):
        self.ensure("reader")
        for origin in (ORIGIN, "null", "http://localhost"):
            for reply in (self.server.post("_viewStats", {"user": "reader"}, None, [("Origin", origin)]),
                          self.server.post("_viewStats", {"user": ""}, None, [("Origin", origin)]),
                          self.server.request("GET", self.server.url("health"), None, [("Origin", origin)])):
                self.assertEqual([name for name, _ in reply.headers if name.lower().startswith("access-control-")], [])

    def test_preflight(self):
        reply = self.server.request("OPTIONS", self.server.url("startSession"), None,
                                    [("Origin", ORIGIN), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type")])
        self.assert_refused(reply, 405)
        self.assertEqual(reply.header("Allow"), "POST")
        self.assertEqual([name for name, _ in reply.headers if name.lower().startswith("access-control-")], [])


class Cors(AuthCase):
    """Two origins are named."""

    abstract = True
    settings = {"FOCUSSTATS_CORS_ORIGIN": ORIGIN + " " + SECOND_ORIGIN}
    credentials = None
    caller = None

    def setUp(self):
        super().setUp()
        self.ensure("reader")

    def preflight(self, action, origin, method="POST"):
        return self.server.request("OPTIONS", self.server.url(action), None, [
            ("Origin", origin), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "content-type")], harness.NOBODY)

    def wanted_credentials(self):
        return "true" if self.server.auth else None

    @tap.cases([("the first", ORIGIN), ("the second", SECOND_ORIGIN)])
    def test_preflight(self, origin):
        reply = self.preflight("startSession", origin)
        self.assertEqual((reply.status, reply.body), (204, b""))
        self.assertEqual(reply.header("Access-Control-Allow-Origin"), origin)
        self.assertIn("POST", reply.header("Access-Control-Allow-Methods"))
        self.assertEqual(reply.header("Access-Control-Allow-Headers").lower(), "content-type")
        self.assertGreater(int(reply.header("Access-Control-Max-Age")), 0)
        self.assertIn("origin", (reply.header("Vary") or "").lower())
        self.assertEqual(reply.header("Access-Control-Allow-Credentials"), self.wanted_credentials())

    def test_preflight_of_health(self):
        reply = self.preflight("health", ORIGIN, "GET")
        self.assertEqual(reply.status, 204)
        self.assertIn("GET", reply.header("Access-Control-Allow-Methods"))

    def test_preflight_of_an_unknown_path(self):
        self.assert_refused(self.preflight("nothing", ORIGIN), 404)

    @tap.cases([("another", "https://other.example"), ("another scheme", "http://reader.example"), ("a port", "https://reader.example:8443"),
                ("longer", "https://reader.example.evil.example"), ("shorter", "https://reader.exampl"), ("a subdomain", "https://www.reader.example"),
                ("null", "null"), ("any", "*"), ("empty", ""), ("both", ORIGIN + " " + SECOND_ORIGIN), ("a slash", ORIGIN + "/"),
                ("capitals", "https://READER.example")])
    def test_wrong_origin(self, origin):
        """The action is done, as for who sends no Origin, but the page may not read the answer; a preflight is refused."""
        reply = self.preflight("startSession", origin)
        self.assert_refused(reply, 405)
        self.assertIsNone(reply.header("Access-Control-Allow-Origin"))
        reply = self.server.post("_viewStats", {"user": "reader"}, "reader" if self.server.auth else None, [("Origin", origin)])
        self.assertEqual(reply.status, 200)
        self.assertIsNone(reply.header("Access-Control-Allow-Origin"))
        self.assertIsNone(reply.header("Access-Control-Allow-Credentials"))
        self.assertIn("origin", (reply.header("Vary") or "").lower())

    @tap.cases([("a query", "_viewStats", {"user": "reader"}, 200), ("a refusal", "_viewStats", {"user": 1}, 400),
                ("an unknown session", "endSession", {"focusSession": "x"}, 404)])
    def test_answers(self, action, fields, status):
        """Refusals too: the page has to be able to read the error."""
        reply = self.server.post(action, fields, "reader" if self.server.auth else None, [("Origin", ORIGIN)])
        self.assertEqual(reply.status, status)
        self.assertEqual(reply.header("Access-Control-Allow-Origin"), ORIGIN)
        self.assertEqual(reply.header("Access-Control-Allow-Credentials"), self.wanted_credentials())
        self.assertIn("origin", (reply.header("Vary") or "").lower())

    def test_options_without_a_preflight(self):
        """Without Origin, or without the method that it asks for, OPTIONS is a method like any other."""
        for headers in ([], [("Origin", ORIGIN)], [("Access-Control-Request-Method", "POST")]):
            reply = self.server.request("OPTIONS", self.server.url("startSession"), None, headers, harness.NOBODY)
            self.assert_refused(reply, 405)

    def test_preflight_does_nothing(self):
        before = self.sessions("reader")
        self.preflight("startSession", ORIGIN)
        self.assertEqual(self.sessions("reader"), before)

    def test_a_form_of_another_site_is_refused(self):
        """What a page may send without a preflight is never JSON by its type."""
        before = self.sessions("reader")
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
            reply = self.server.request("POST", self.server.url("startSession"), b'{"user":"reader","document":"d","library":"l"}',
                                        [("Content-Type", kind), ("Origin", "https://other.example")], "reader" if self.server.auth else None)
            self.assert_refused(reply, 415)
        self.assertEqual(self.sessions("reader"), before)


class CorsSignedIn(Cors):
    """The same behind authentication, where the page sends credentials."""

    abstract = True
    auth = True

    def test_nobody_is_signed_in(self):
        self.assert_not_signed_in(self.server.post("_viewStats", {"user": "reader"}, harness.NOBODY, [("Origin", ORIGIN)]))


class RefusalsAs200(AuthCase):
    """FOCUSSTATS_ERROR_STATUS=200, for clients that look at the body only."""

    abstract = True
    auth = True
    settings = {"FOCUSSTATS_ERROR_STATUS": "200"}

    def setUp(self):
        super().setUp()
        self.ensure("reader")

    @tap.cases([
        ("400 not JSON", "startSession", b"{", ""),
        ("400 a missing field", "startSession", {"user": "reader"}, "document"),
        ("403 another user", "_viewStats", {"user": "other"}, "other"),
        ("404 no such session", "endSession", {"focusSession": "none"}, "none"),
        ("409 the user is there", "initUser", {"user": "reader"}, "reader"),
    ])
    def test_refusals_of_an_action(self, action, fields, word):
        self.assert_refused(self.server.post(action, fields, "reader"), 200, word)

    def test_409_already_ended(self):
        session = self.begin("reader")
        self.ok("endSession", {"focusSession": session}, "reader")
        self.assert_refused(self.server.post("endSession", {"focusSession": session}, "reader"), 200, session)

    def test_404_user_never_initialised(self):
        reply = self.server.post("_getSessions", {"user": "admin"}, "admin")
        self.assert_refused(reply, 200, "admin")

    def test_the_rest_keeps_its_status(self):
        self.assert_not_signed_in(self.server.post("_viewStats", {"user": "reader"}, harness.NOBODY))
        self.assert_refused(self.server.post("nothing", {}, "reader"), 404)
        self.assert_refused(self.server.request("GET", self.server.url("startSession"), None, [], "reader"), 405)
        self.assert_refused(self.server.request("POST", self.server.url("startSession"), b"{}", [("Content-Type", "text/plain")], "reader"), 415)
        self.assert_refused(self.server.post("startSession", b" " * ((4 << 20) + 1), "reader"), 413)


class Direct(harness.Case):
    """REMOTE_USER as the program itself sees it."""

    def setUp(self):
        self.responder = self.start(harness.Responder(self.folder(), {"FOCUSSTATS_AUTH": "required", "FOCUSSTATS_ADMINS": "root,reader's admin,é"}))

    def ask(self, user, action="initUser", fields=None, extra=None):
        return self.responder.post(action, fields or {}, dict({"REMOTE_USER": user}, **(extra or {})))

    def test_no_user(self):
        for user in (None, ""):
            reply = self.ask(user)
            self.assertEqual((reply.status, [key for key, _ in reply.pairs()]), (401, ["error"]))

    def test_user_that_is_no_id(self):
        for user in ("x" * 256, "a\nb", "a\tb", "\x7f", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80"):
            with self.subTest(repr(user)[:40]):
                reply = self.ask(user)
                self.assertEqual((reply.status, [key for key, _ in reply.pairs()]), (401, ["error"]))

    def test_variables_that_are_not_the_user(self):
        for name in ("HTTP_REMOTE_USER", "HTTP_AUTHORIZATION", "REDIRECT_REMOTE_USER", "REMOTE_IDENT", "AUTH_USER", "remote_user", "HTTP_X_REMOTE_USER",
                     "FOCUSSTATS_ADMIN", "FOCUSSTATS_AUTH", "FOCUSSTATS_NOW"):
            with self.subTest(name):
                self.assertEqual(self.ask(None, extra={name: "root"}).status, 401)

    def test_parameters_of_a_relay_gain_nothing_from_a_web_server(self):
        """What processes tell each other over the relay socket counts only there."""
        extra = {"FOCUSSTATS_AUTH": "none", "FOCUSSTATS_ADMIN": "1", "FOCUSSTATS_NEW_ID": "01890a5d-ac96-774b-bcce-b302099a8057", "FOCUSSTATS_NOW": "1",
                 "FOCUSSTATS_DEADLINE": "1", "FOCUSSTATS_REPEATED": "1"}
        self.assertEqual(self.ask("reader", "initUser", {}, extra).status, 200)
        self.assertEqual(self.ask("reader", "_viewStats", {"user": "other"}, extra).status, 403)
        session = self.ask("reader", "startSession", {"document": "d", "library": "l"}, extra).json()["focusSession"]
        self.assertNotEqual(session, extra["FOCUSSTATS_NEW_ID"])
        listed = self.ask("reader", "_getSessions", {}, extra).json()[0]["focusSession"]
        self.assertNotIn("1970", listed["startTime"])

    def test_administrators(self):
        for user in ("root", "reader's admin", "é"):
            self.assertEqual(self.ask(user, "_viewStats", {"user": "nobody"}).status, 404)
        for user in ("roo", "root,reader's admin", "root,", "reader's", "Root", "admin", ",", " "):
            self.assertEqual(self.ask(user, "_viewStats", {"user": "nobody"}).status, 403, user)

    def test_many_processes_agree(self):
        """The process that does not own the store relays who is signed in, and who is an administrator."""
        first = self.responder.pids[0]
        self.responder.start_one()
        self.responder.start_one()
        self.assertEqual(self.ask("reader").status, 200)
        self.assertEqual(self.ask("other").status, 200)
        session = self.ask("reader", "startSession", {"document": "d", "library": "l"}).json()["focusSession"]
        self.assertIn(first, self.responder.pids)

        def act(_index):
            for _ in range(10):
                statuses = [self.ask("other", "endSession", {"focusSession": session}).status,
                            self.ask("other", "_getSessions", {"user": "reader"}).status,
                            self.ask("root", "_getSessions", {"user": "reader"}).status,
                            self.ask(None, "_getSessions", {"user": "reader"}).status,
                            self.ask("reader", "_getSessions", {}).status]
                if statuses != [404, 403, 200, 401, 200]:
                    return statuses
            return None
        self.assertEqual(harness.clients(6, act), [None] * 6)

    def test_the_last_of_two_users_is_not_mixed_with_the_first(self):
        """A parameter sent twice: one of both counts, whole."""
        with self.responder.connect() as connection:
            connection.begin()
            params = list(fcgi.request_params("POST", "/FocusStats/initUser", b"{}").items()) + [("REMOTE_USER", "one"), ("REMOTE_USER", "two")]
            connection.send(fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(params)) + fcgi.stream(fcgi.STDIN, 1, b"{}"))
            self.assertEqual(connection.reply().status, 200)
        self.assertEqual(sorted(self.ask(user, "_viewStats").status for user in ("one", "two", "onetwo")), [200, 404, 404])


harness.for_servers(globals(), Required, CorsOff, Cors, CorsSignedIn, RefusalsAs200)
harness.for_servers(globals(), Open, RequiredButOpenServer, servers=[server for server in harness.ALL_SERVERS if not server.only_auth])

if __name__ == "__main__":
    tap.main(globals())
