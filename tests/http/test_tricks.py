#!/usr/bin/env python3
"""Tricks, behind every web server: headers that say who one is, paths that mean another place to the server than to the program, what a page of another
site can have a browser send, names that lead to this machine, and requests that two readers would end in different places. None of it makes anybody somebody
else, carries out what was not asked for, or leaves a connection in a state in which the next request is answered wrongly.

What a server lets through is its own affair; the statuses here are what is allowed, and what is stored is what is compared.
"""

import json
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap

JSON = ("Content-Type", "application/json")
REFUSALS = (400, 401, 403, 404, 405, 411, 413, 414, 415, 431, 501, 505)

# Headers that some program or proxy takes for the name of who signed in, for a setting, or for another method.
NAMES = [
    "Remote-User", "Remote_User", "REMOTE-USER", "REMOTE_USER", "remote_user", "Http-Remote-User", "HTTP_REMOTE_USER", "X-Remote-User",
    "X_Remote_User", "X-Forwarded-User", "X_FORWARDED_USER", "X-Forwarded-Preferred-Username", "X-Auth-Request-User", "X-WebAuth-User",
    "X-Authenticated-User", "X-User", "Redirect-Remote-User", "REDIRECT_REMOTE_USER", "Auth-User", "AUTH_USER", "Auth_Type", "Logon-User", "From",
    "Proxy", "Proxy-Authorization", "Proxy-User", "FOCUSSTATS_AUTH", "FOCUSSTATS_ADMIN", "FOCUSSTATS_ADMINS", "FOCUSSTATS-ADMINS",
    "FOCUSSTATS_NEW_ID", "FOCUSSTATS_NOW", "Focusstats-Deadline", "HTTP_FOCUSSTATS_AUTH", "Path-Info", "PATH_INFO", "Script-Name", "Request-Method",
    "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Method-Override",
]
VALUES = {"FOCUSSTATS_AUTH": "none", "HTTP_FOCUSSTATS_AUTH": "none", "FOCUSSTATS_NOW": "1", "Path-Info": "/FocusStats/health", "PATH_INFO": "/FocusStats/health",
          "X-Original-URL": "/api/FocusStats/health", "X-Rewrite-URL": "/api/FocusStats/health", "X-HTTP-Method-Override": "GET", "X-Method-Override": "DELETE",
          "Request-Method": "GET", "Auth_Type": "Basic", "Proxy": "http://evil.example", "FOCUSSTATS_NEW_ID": "01890a5d-ac96-774b-bcce-b302099a8057",
          "Proxy-Authorization": "Basic YWRtaW46YWRtaW4ncyB3b3Jk"}

# Other spellings of /api/FocusStats/ACTION. API is the mount.
PATHS = [
    "API//FocusStats/ACTION", "/API/FocusStats/ACTION", "//API//FocusStats///ACTION", "API/./FocusStats/ACTION", "API/FocusStats/./ACTION",
    "API/x/../FocusStats/ACTION", "API/FocusStats/x/../ACTION", "/x/..API/FocusStats/ACTION", "API/FocusStats/../FocusStats/ACTION",
    "API/..API/FocusStats/ACTION", "API/%2e%2eAPI/FocusStats/ACTION", "API/FocusStats/%2e/ACTION", "API/FocusStats/x/%2e%2e/ACTION",
    "API/FocusStats/x/.%2e/ACTION", "API/FocusStats/health/../ACTION", "API/FocusStats/health/%2e%2e/ACTION", "API/FocusStats/metrics/../ACTION",
    "API/FocusStats/metrics/%2e%2e/ACTION", "API/FocusStats/metrics%2f..%2fACTION", "API/FocusStats/metrics%2f%2e%2e%2fACTION",
    "API/FocusStats/metrics;/../ACTION", "API%2fFocusStats%2fACTION", "API%2FFocusStats/ACTION", "API/FocusStats%2fACTION",
    "API/FocusStats/%2fACTION", "API/FocusStats%5cACTION", "API\\FocusStats\\ACTION", "API/FocusStats/..%5cFocusStats/ACTION",
    "%2fapi/FocusStats/ACTION", "/%61pi/FocusStats/ACTION", "/ap%69/FocusStats/ACTION", "/API_UPPER/FocusStats/ACTION", "API/focusstats/ACTION",
    "API/FOCUSSTATS/ACTION", "API/FocusStats/ACTION_UPPER", "API/FocusStats/ACTION/", "API/FocusStats/ACTION//", "API/FocusStats/ACTION/.",
    "API/FocusStats/ACTION/..", "API/FocusStats/ACTION/x", "API/FocusStats/ACTION/../ACTION", "API/FocusStats/ACTION;x=y", "API/FocusStats/ACTION;",
    "API;x=y/FocusStats/ACTION", "API/FocusStats;x/ACTION", "API/;/FocusStats/ACTION", "API/FocusStats/ACTION%3bx=y", "API/FocusStats/ACTION%00",
    "API/FocusStats/ACTION%00.html", "API/FocusStats/%00ACTION", "API%00/FocusStats/ACTION", "API/FocusStats/ACTION%0a",
    "API/FocusStats/ACTION%0d%0aX-Header:%20y", "API/FocusStats/ACTION%20", "API/FocusStats/ACTION%09", "API/FocusStats/ACTION%20HTTP/1.1",
    "API/FocusStats/ACTION?x", "API/FocusStats/ACTION?/FocusStats/metrics", "API/FocusStats/ACTION??", "API/FocusStats/ACTION%3fx",
    "API/FocusStats/ACTION#x", "API/FocusStats/ACTION%23", "API/FocusStats/ENCODED", "API/FocusStats/DOUBLY", "API/%46ocus%53tats/ENCODED",
    "API/FocusStats/ACTION%", "API/FocusStats/ACTION%zz", "API/FocusStats/ACTION%2", "API/FocusStats/%u002fACTION",
    "API/FocusStats/..%c0%afFocusStats/ACTION", "API/FocusStats/%c0%ae%c0%ae/ACTION", "API/FocusStats/ACTION%ff", "API/%ff/../FocusStats/ACTION",
    "API/FocusStats/ACTION%ef%bc%8f", "API/FocusStats/" + "x" * 7000 + "/../ACTION", "API" + "/" * 500 + "FocusStats/ACTION",
    "/.." * 30 + "API/FocusStats/ACTION", "API/FocusStats/" + "x" * 20000, "http://localhostAPI/FocusStats/ACTION",
    "http://evil.exampleAPI/FocusStats/ACTION", "/index.html/..API/FocusStats/ACTION", "/index.htmlAPI/FocusStats/ACTION",
    "/index.html;API/FocusStats/ACTION", "API/FocusStats/metrics/FocusStats/ACTION", "API/FocusStats/ACTION/FocusStats/metrics",
    "API/FocusStats/startSession/../ACTION", "API/local/users", "API/FocusStats/../local/users", "API", "API/", "API/FocusStats", "*", "/",
]
# Files beside what is served.
FILES = [
    "/../passwd", "/%2e%2e/passwd", "/..%2fpasswd", "/.%2e/passwd", "/%2e%2e%2fpasswd", "/..%5cpasswd", "//passwd", "/..;/passwd", "/web/../passwd",
    "/cgi-bin/focusstats.fcgi", "/../cgi-bin/focusstats.fcgi", "API/../passwd", "API/%2e%2e/passwd", "API/FocusStats/../../passwd", "API../passwd",
    "API..%2fpasswd", "/../home/stats.db", "/%2e%2e/home/stats.db", "/../site.conf", "API../site.conf", "/.htaccess", "/.htpasswd",
    "/cgi-bin/.htaccess", "/cgi-bin/focusstats.fcgi/FocusStats/openapi.json",
]

# What fetch() and forms send without asking first (Fetch standard, CORS-safelisted request header), and what looks like JSON to a careless reader.
FORM_TYPES = [
    "text/plain", "text/plain;charset=UTF-8", "text/plain; application/json", "text/plain;application/json;charset=utf-8",
    'text/plain; charset="application/json"', "text/plain; boundary=application/json", "TEXT/PLAIN", " text/plain",
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; application/json",
    "application/x-www-form-urlencoded;charset=application/json", "multipart/form-data", "multipart/form-data; boundary=application/json",
    "multipart/form-data; boundary=--x", "multipart/form-data; application/json; boundary=x", "text/plain, application/json",
    "text/plain,application/json", "text/json", "application/json/text", "application/jsonx", "xapplication/json", "application /json",
    "application/ json", "application/\tjson", "", None,
]
# Names at which this machine may be reached, and names at which it may not be as long as nobody has to sign in.
OWN_HOSTS = [
    "localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:80", "127.1.2.3", "[::1]", "[::1]:8080", "192.168.1.20:8080", "[fe80::1]",
]
FOREIGN_HOSTS = [
    "evil.example", "evil.example:8080", "localhost.evil.example", "evil.localhost", "127.0.0.1.evil.example", "localhosts", "xlocalhost", "127.0.0",
    "2130706433", "0x7f.0.0.1", "0177.0.0.01", "[::1", "[::1].evil.example", "[evil.example]", "localhost@evil.example", "evil.example@localhost",
    "localhost,evil.example", "localhost evil.example", "localhost/evil.example", "localhost#", "null", "*", "-", ".", ":8080", "\x7f", "x" * 300,
    "localhost\\evil",
]


class Trick(harness.ServerCase):
    """A user `reader` and another one, and what is stored of both."""

    abstract = True
    owner = True

    def setUp(self):
        super().setUp()
        self.client = self.server.client()
        self.addCleanup(self.client.close)
        for user in ("reader", "other"):
            self.assertIn(self.server.post("initUser", {"user": user}, self.sign(user)).status, (200, 409))
        self.assertEqual(self.server.post("startSession", {"user": "other", "document": "secret", "library": "l"}, self.sign("other")).status, 200)
        self.before = self.stored()

    def sign(self, user):
        return user if self.server.auth else None

    def stored(self):
        found = [self.server.post("_exportUser", {"user": user}, self.sign(user)) for user in ("reader", "other")]
        self.assertEqual([reply.status for reply in found], [200, 200], found)
        return [reply.json() for reply in found]

    def assert_nothing_happened(self):
        self.assertEqual(self.stored(), self.before)

    def ask(self, action, fields, headers, method="POST"):
        return self.client.request(method, self.server.url(action), json.dumps(fields).encode(), headers)

    def fill(self, path, action):
        mount = self.server.prefix
        for name, value in (("API_UPPER", mount.upper().lstrip("/")), ("API", mount), ("ACTION_UPPER", action.upper()), ("ACTION", action),
                            ("ENCODED", "".join("%%%02x" % ord(c) for c in action)), ("DOUBLY", "".join("%%25%02x" % ord(c) for c in action))):
            path = path.replace(name, value)
        return path

    def at_path(self, method, path, action, headers, body=None):
        """None where the server closed the connection without an answer."""
        try:
            reply = self.client.request(method, self.fill(path, action), body, headers)
        except (OSError, EOFError) as error:
            self.assertNotIsInstance(error, TimeoutError)
            return None
        except Exception as error:  # http.client's own
            self.assertIn(type(error).__name__, ("RemoteDisconnected", "BadStatusLine"))
            return None
        self.assertIn(reply.status, (200, 301, *REFUSALS), (path, reply))
        return reply


class SignedIn(Trick):
    """The site files as they ship."""

    abstract = True
    auth = True
    settings = {"FOCUSSTATS_ADMINS": "admin"}

    def test_headers_that_name_somebody(self):
        for name in NAMES:
            for value in {VALUES.get(name, "admin"), "other"}:
                header = (name, value)
                with self.subTest(header=header):
                    reply = self.ask("startSession", {"user": "other", "document": "stolen", "library": "l"}, [JSON, header])
                    self.assertIn(reply.status, (400, 401), reply)
                    for headers in ([JSON, header, harness.basic("reader")], [header, JSON, harness.basic("reader")]):
                        reply = self.ask("_exportUser", {"user": "other"}, headers)
                        self.assertIn(reply.status, (400, 403), reply)
                        self.assertNotIn(b"secret", reply.body)
                    reply = self.ask("_viewStats", {}, headers)
                    if reply.status != 400:
                        self.assertEqual(reply.json()[0]["focusStats"]["user"], "reader")
        self.assert_nothing_happened()

    def test_headers_that_are_taken_away(self):
        """Connection names what ends at the next machine: it is never one's own password or type that is missing behind it, to anyone's gain."""
        for value in ("Authorization", "close, Authorization, Content-Type", "Remote-User", "Content-Length", "keep-alive, Content-Type, Authorization", "Host", "Transfer-Encoding"):
            with self.subTest(value):
                reply = self.ask("_exportUser", {"user": "other"}, [JSON, harness.basic("reader"), ("Connection", value)])
                self.assertIn(reply.status, (400, 401, 403, 415), reply)
                reply = self.ask("_viewStats", {}, [JSON, harness.basic("reader"), ("Connection", value)])
                self.assertIn(reply.status, (200, 400, 401, 415), reply)
                if reply.status == 200:
                    self.assertEqual(reply.json()[0]["focusStats"]["user"], "reader")
        self.assert_nothing_happened()

    def test_a_method_that_another_header_asks_for(self):
        for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"):
            reply = self.client.request("GET", self.server.url("removeUser"), None, [harness.basic("reader"), (header, "POST")])
            self.assertIn(reply.status, (400, 405), reply)
            reply = self.client.request("OPTIONS", self.server.url("_exportUser"), b'{"user":"other"}', [JSON, ("Remote-User", "other"), (header, "POST")])
            self.assertIn(reply.status, (400, 405), reply)
        self.assert_nothing_happened()

    @tap.cases([("nobody", None), ("another user", "reader")])
    def test_paths(self, who):
        """Nobody reads or writes what is another's; where there is an answer it is the page's, a refusal, or one's own."""
        headers = [JSON, harness.basic(who)] if who else [JSON]
        for path in PATHS:
            with self.subTest(path[:80]):
                for action, fields in (("_exportUser", {"user": "other"}), ("startSession", {"user": "other", "document": "stolen", "library": "l"})):
                    reply = self.at_path("POST", path, action, headers, json.dumps(fields).encode())
                    if reply:
                        self.assertNotIn(b"secret", reply.body)
                        self.assertNotIn(b"focusSession", reply.body)
                        self.assertTrue(reply.status != 200 or b"<!DOCTYPE html>" in reply.body or b'"openapi"' in reply.body, reply)
                reply = self.at_path("GET", path, "openapi.json", headers)
                if reply and not who:
                    self.assertNotIn(b'"openapi"', reply.body)
        self.assert_nothing_happened()

    def test_paths_of_one_s_own(self):
        """Whatever spelling gets through, it is the action that it spells."""
        for path in PATHS:
            with self.subTest(path[:80]):
                reply = self.at_path("POST", path, "_viewStats", [JSON, harness.basic("reader")], b"{}")
                if reply and reply.status == 200 and b"<!DOCTYPE html>" not in reply.body:
                    self.assertEqual(reply.json()[0]["focusStats"]["user"], "reader")
        self.assert_nothing_happened()

    def test_files_beside(self):
        for path in FILES:
            for headers in ([], [harness.basic("reader")]):
                reply = self.at_path("GET", path, "", headers)
                if reply:
                    for word in (b"{SHA}", b"\x7fELF", b"AuthUserFile", b"passwd", b"\x62\x31\x05\x00") if reply.status == 200 else ():
                        self.assertNotIn(word, reply.body, path)
                    if not headers:
                        self.assertNotIn(b'"openapi"', reply.body, path)

    def test_a_form_with_the_browser_s_password(self):
        for kind in FORM_TYPES:
            reply = self.ask("startSession", {"user": "reader", "document": "forged", "library": "l"},
                             [harness.basic("reader"), ("Origin", "https://evil.example"), *([("Content-Type", kind)] if kind is not None else [])])
            self.assertIn(reply.status, (400, 415), (kind, reply))
        self.assert_nothing_happened()


class Unsigned(harness.ServerCase):
    """The program wants a user, and the site file is the one that asks for none: all that stands between a header and a user is what each server makes of it."""

    abstract = True
    owner = True
    settings = {"FOCUSSTATS_AUTH": "required", "FOCUSSTATS_ADMINS": "admin"}

    def test_headers_that_name_somebody(self):
        with self.server.client() as client:
            for name in NAMES:
                for value in {VALUES.get(name, "admin"), "admin"}:
                    with self.subTest(name=name, value=value):
                        reply = client.request("POST", self.server.url("initUser"), b"{}", [JSON, (name, value), harness.basic("admin")])
                        self.assertIn(reply.status, (400, 401), reply)
        self.assertEqual(harness.cgi(self.folder, "POST", "/FocusStats/_viewStats", b'{"user":"admin"}').status, 404)


class Figures(Trick):
    """A place below the service with a rule of its own: the figures, which are for this machine, here for another one, so that nobody may see them."""

    abstract = True
    auth = True

    @tap.cases([("nobody", None), ("who signed in", "reader")])
    def test_paths(self, who):
        headers = [harness.basic(who)] if who else []
        for method, body in (("GET", None), ("POST", b"{}")):
            for path in ("API/FocusStats/ACTION", *PATHS):
                with self.subTest(method=method, path=path[:80]):
                    reply = self.at_path(method, path, "metrics", headers, body)
                    if reply:
                        self.assertFalse(b"focusstats_" in reply.body, "the figures were told")
        if not who:
            self.assertEqual(self.client.request("GET", self.server.url("metrics")).status, 403)


class Open(Trick):
    """The open site files: what a page of another site can do to whoever runs the service on their own machine."""

    abstract = True

    def test_forms(self):
        for kind in FORM_TYPES:
            for origin in ("https://evil.example", "null"):
                reply = self.ask("startSession", {"user": "reader", "document": "forged", "library": "l"},
                                 [("Origin", origin), *([("Content-Type", kind)] if kind is not None else [])])
                self.assertIn(reply.status, (400, 415), (kind, reply))
                self.assertIsNone(reply.header("Access-Control-Allow-Origin"))
        self.assert_nothing_happened()

    def test_several_types(self):
        """No browser sends two. Where both are JSON or the server takes one of them, it is as if it were alone."""
        for kinds in (["text/plain", "application/json"], ["application/json", "text/plain"], ["text/plain", "application/x-www-form-urlencoded"]):
            reply = self.ask("_viewStats", {"user": "reader"}, [("Content-Type", kind) for kind in kinds])
            self.assertIn(reply.status, (200, 400, 415) if "application/json" in kinds else (400, 415), reply)

    def test_form_body(self):
        """A form's own body, with a field named so that text/plain makes JSON of it."""
        body = b'{"user":"reader","document":"forged","library":"l","x":"=y"}\r\n'
        for kind, data in (("text/plain", body), ("application/x-www-form-urlencoded", b"%7B%22user%22%3A%22reader%22%7D="),
                           ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: application/json\r\n\r\n' + body + b"--b--\r\n")):
            reply = self.client.request("POST", self.server.url("startSession"), data, [("Content-Type", kind), ("Origin", "null")])
            self.assertEqual(reply.status, 415, reply)
        self.assert_nothing_happened()

    def test_own_hosts(self):
        for host in OWN_HOSTS:
            with self.subTest(host):
                reply = self.ask("_viewStats", {"user": "reader"}, [JSON, ("Host", host)])
                self.assertEqual(reply.status, 200, reply)
                reply = self.ask("_viewStats", {"user": "reader"}, [JSON, ("Host", host), ("X-Forwarded-Host", "evil.example"), ("Origin", "http://" + host)])
                self.assertEqual(reply.status, 200, reply)

    def test_foreign_hosts(self):
        """DNS rebinding: JSON, of one origin, and still not carried out."""
        for host in FOREIGN_HOSTS:
            for more in ([], [("X-Forwarded-Host", "localhost"), ("Forwarded", "host=localhost"), ("Origin", "http://" + host), ("HTTP_HOST", "localhost"), ("X-Host", "localhost")]):
                with self.subTest(host=host, more=bool(more)):
                    reply = self.ask("startSession", {"user": "reader", "document": "rebound", "library": "l"}, [JSON, ("Host", host), *more])
                    self.assertIn(reply.status, (400, 403), reply)
                    for action in ("health", "metrics", "openapi.json"):
                        reply = self.client.request("GET", self.server.url(action), None, [("Host", host), *more])
                        self.assertIn(reply.status, (400, 403), reply)
                        self.assertFalse(b"focusstats_" in reply.body, "the figures were told")
        reply = self.ask("_viewStats", {"user": "reader"}, [JSON, ("Host", "evil.example")])
        self.assertEqual((reply.status, reply.header("Content-Type")), (403, "application/json"))
        self.assertEqual(reply.json(), {"error": "Host: 'evil.example' is no name of this service (FOCUSSTATS_HOSTS)"})
        self.assert_nothing_happened()

    def test_two_hosts(self):
        for hosts in (["localhost", "evil.example"], ["evil.example", "localhost"]):
            reply = self.ask("startSession", {"user": "reader", "document": "rebound", "library": "l"}, [JSON, *[("Host", host) for host in hosts]])
            self.assertIn(reply.status, (400, 403), reply)
        self.assert_nothing_happened()


class Smuggling(Trick):
    """A request that ends in one place for the server and in another for a proxy before it or the program behind it. Each is sent with another one in what may be its
    body or may not: that one, which would end with document `inner`, is never carried out, and whoever asks next is answered what they asked."""

    abstract = True
    auth = True
    settings = {"FOCUSSTATS_ADMINS": "admin"}

    OUTER = b'{"document":"outer","library":"l"}'

    def head(self, *lines, method="POST", action="startSession", version="HTTP/1.1", end="\r\n"):
        first = "%s %s %s" % (method, self.server.url(action), version)
        auth = "Authorization: " + harness.basic("reader")[1]
        return (end.join([first, "Host: localhost", auth, "Content-Type: application/json", *lines]) + end + end).encode("latin-1")

    def inner(self):
        body = b'{"document":"inner","library":"l"}'
        return self.head("Content-Length: %d" % len(body)) + body

    def answers(self, data, ends):
        """Statuses and bytes of all that comes back. Where the server may be waiting for more (ENDS) nothing more is sent; otherwise, once a whole answer is there, a request
        that has the connection closed behind it: its answer is the last."""
        with socket.create_connection(("127.0.0.1", self.server.port), 20) as connection:
            told = b""
            connection.sendall(data)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            try:
                while ends or not self.whole(told):
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    told += piece
                if not ends:
                    connection.sendall(self.head("Connection: close", method="GET", action="health"))
                    while True:
                        piece = connection.recv(65536)
                        if not piece:
                            break
                        told += piece
            except (ConnectionResetError, BrokenPipeError):
                pass
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", told)], told

    @staticmethod
    def whole(told):
        """Whether there is an answer, to its end."""
        while re.match(rb"HTTP/1\.[01] 100 ", told) and b"\r\n\r\n" in told:
            told = told.split(b"\r\n\r\n", 1)[1]
        head, end, body = told.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if not end or b" 101 " in head[:16]:
            return bool(end)
        return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")

    def shapes(self):
        outer, inner = self.OUTER, self.inner()
        size, chunked = len(outer), b"%x\r\n%s\r\n0\r\n\r\n" % (len(outer), outer)
        both = b"0\r\n\r\n" + inner
        one = b"%x\r\n%s\r\n" % (len(outer), outer)
        # mod_fcgid hands over a line that is longer than its chunk, and closes the connection.
        # name, bytes, how many sessions `outer` there may be. What is cut needs an end of the connection to be answered.
        return [
            ("CL and TE, empty chunks", self.head("Content-Length: %d" % len(both), "Transfer-Encoding: chunked") + both, 0),
            ("TE and CL, empty chunks", self.head("Transfer-Encoding: chunked", "Content-Length: %d" % len(both)) + both, 0),
            ("CL of the first chunk alone", self.head("Content-Length: 4", "Transfer-Encoding: chunked") + chunked + inner, 1),
            ("TE twice", self.head("Transfer-Encoding: chunked", "Transfer-Encoding: identity", "Content-Length: %d" % len(both)) + both, 0),
            ("TE of two codings", self.head("Transfer-Encoding: identity, chunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE that ends in another", self.head("Transfer-Encoding: chunked, gzip", "Content-Length: %d" % len(both)) + both, 0),
            ("TE misspelt", self.head("Transfer-Encoding: xchunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE in quotes", self.head('Transfer-Encoding: "chunked"', "Content-Length: %d" % len(both)) + both, 0),
            ("TE behind a tab", self.head("Transfer-Encoding:\tchunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE with a vertical tab", self.head("Transfer-Encoding: \x0bchunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE with a blank before the colon", self.head("Transfer-Encoding : chunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE folded", self.head("Transfer-Encoding:\r\n chunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE behind a folded line", self.head("X-Fold: a\r\n Transfer-Encoding: chunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE behind a bare line feed", self.head("X-Line: a\nTransfer-Encoding: chunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE behind a bare carriage return", self.head("X-Line: a\rTransfer-Encoding: chunked", "Content-Length: %d" % len(both)) + both, 0),
            ("TE in HTTP/1.0", self.head("Transfer-Encoding: chunked", "Content-Length: %d" % len(both), version="HTTP/1.0") + both, 0),
            ("TE with an underscore", self.head("Transfer_Encoding: chunked", "Content-Length: %d" % len(both)) + both, 0),
            ("CL twice, the same", self.head("Content-Length: %d" % size, "Content-Length: %d" % size) + outer, 1),
            ("CL twice, the first too short", self.head("Content-Length: 0", "Content-Length: %d" % len(inner)) + inner, 0),
            ("CL twice, the second too short", self.head("Content-Length: %d" % len(inner), "Content-Length: 0") + inner, 0),
            ("CL list", self.head("Content-Length: 0, %d" % len(inner)) + inner, 0),
            ("CL with an underscore", self.head("Content-Length: %d" % size, "Content_Length: %d" % (size + len(inner))) + outer, 1),
            ("CL with a blank before the colon", self.head("Content-Length : %d" % len(inner), "Content-Length: 0") + inner, 0),
            ("CL folded", self.head("Content-Length: 0\r\n %d" % len(inner)) + inner, 0),
            ("CL with a sign", self.head("Content-Length: +%d" % len(inner)) + inner, 0),
            ("cut: CL too long", self.head("Content-Length: %d" % (size + 100000)) + outer + inner, 0),
            ("chunk size with 0x", self.head("Transfer-Encoding: chunked") + b"0x%x\r\n%s\r\n0\r\n\r\n" % (size, outer), 0),
            ("chunk size with a sign", self.head("Transfer-Encoding: chunked") + b"+%x\r\n%s\r\n0\r\n\r\n" % (size, outer), 0),
            ("chunk size beyond 64 bits", self.head("Transfer-Encoding: chunked") + b"1000000000000000%x\r\n%s\r\n0\r\n\r\n" % (size, outer) + inner, 0),
            ("chunk size negative", self.head("Transfer-Encoding: chunked") + b"-1\r\n" + outer + b"\r\n0\r\n\r\n" + inner, 0),
            ("chunk longer than its size", self.head("Transfer-Encoding: chunked") + b"5\r\n" + outer + b"\r\n0\r\n\r\n" + inner, 1),
            ("cut: chunk shorter than its size", self.head("Transfer-Encoding: chunked") + b"%x\r\n" % (size + 9) + outer + b"\r\n0\r\n\r\n", 0),
            ("chunk extension", self.head("Transfer-Encoding: chunked") + b"%x;a=b;c=\"0\"\r\n%s\r\n0\r\n\r\n" % (size, outer), 1),
            ("chunk extension with a line feed", self.head("Transfer-Encoding: chunked") + b"%x;a\nb\r\n%s\r\n0\r\n\r\n" % (size, outer), 1),
            ("trailers", self.head("Transfer-Encoding: chunked", "Trailer: Remote-User") + one
             + b"0\r\nRemote-User: admin\r\nAuthorization: %s\r\nContent-Length: 5\r\n\r\n" % harness.basic("admin")[1].encode(), 1),
            ("trailers that begin a request", self.head("Transfer-Encoding: chunked") + one + b"0\r\n" + inner.replace(b" HTTP/1.1\r\n", b": x\r\n", 1), 1),
            ("cut: no end of the chunks", self.head("Transfer-Encoding: chunked") + one, 0),
            ("bare line feeds", self.head("Content-Length: %d" % size, end="\n") + outer, 1),
            ("cut: bare carriage returns", self.head("Content-Length: %d" % size, end="\r") + outer, 0),
            ("NUL in a header", self.head("X-Nul: a\0b", "Content-Length: %d" % size) + outer, 1),
            ("a header without a name", self.head(": x", "Content-Length: %d" % size) + outer, 1),
            ("a blank line first", b"\r\n" + self.head("Content-Length: %d" % size) + outer, 1),
            ("two versions", self.head("Content-Length: %d" % size, version="HTTP/1.1 HTTP/1.0") + outer, 1),
            ("HTTP/0.9", b"GET " + self.server.url("startSession").encode() + b"\r\n\r\n", 0),
            ("HTTP/2 begins", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner, 0),
            ("a body of GET", self.head("Content-Length: %d" % len(inner), method="GET", action="health") + inner, 0),
            ("a body of OPTIONS", self.head("Content-Length: %d" % len(inner), method="OPTIONS") + inner, 0),
            ("a body of another type", self.head("Content-Length: %d" % len(inner)).replace(b"application/json", b"text/plain") + inner, 0),
            ("an Expect", self.head("Content-Length: %d" % size, "Expect: 100-continue") + outer, 1),
            ("an Expect that nobody knows", self.head("Content-Length: %d" % size, "Expect: 200-maybe") + outer, 1),
            ("an Upgrade", self.head("Content-Length: %d" % size, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA") + outer, 1),
        ]

    def own_refusals(self):
        """408 where a server waits, 417 for an Expect. mod_fcgid answers 500 where it cannot read a body to its end; the program was not asked then."""
        return (408, 417, 426, 500) if isinstance(self.server, harness.ApacheFcgid) else (408, 417, 426)

    def test_shapes(self):
        watch = self.server.client()
        self.addCleanup(watch.close)
        before = 0
        for name, data, outer in self.shapes():
            with self.subTest(name):
                statuses, told = self.answers(data, name.startswith("cut: "))
                # Whoever comes next, on a connection that was there all the time and through the program's own kept ones.
                reply = watch.request("POST", self.server.url("_getSessions"), b"{}", [JSON, harness.basic("reader")])
                self.assertEqual(reply.status, 200, reply)
                documents = [element["focusSession"]["document"] for element in reply.json()]
                more, before = documents.count("outer") - before, documents.count("outer")
                # One answer, and that of the request behind it where the connection was still open for it.
                final = [status for status in statuses if status != 100]
                self.assertLessEqual(len(final), 2, told[:2000])
                allowed = REFUSALS + self.own_refusals()
                for status in final:
                    self.assertIn(status, (101, 200, *allowed), told[:2000])
                self.assertTrue(final[1:] in [[], *([status] for status in allowed)] or b'{"status":"ok"}' in told, told[:2000])
                self.assertNotIn("inner", documents)
                self.assertLessEqual(more, outer, told[:2000])
                if 101 not in final:
                    self.assertEqual(more, told.count(b'{"focusSession":'), told[:2000])

    def test_one_after_the_other(self):
        """The same connection: a body that the program did not want is out of the way before the next request."""
        ask = [
            self.head("Content-Length: 40", action="nothing") + b"x" * 40,
            self.head("Content-Length: 70000").replace(b"application/json", b"text/plain") + b"x" * 70000,
            self.head("Content-Length: 2", action="_viewStats") + b"{}",
            self.head("Content-Length: 9", action="_viewStats", method="PUT") + b"0\r\n\r\nGET ",
            self.head("Transfer-Encoding: chunked", action="_viewStats") + b"2\r\n{}\r\n0\r\n\r\n",
            self.head(action="health", method="GET"),
            self.head("Content-Length: 2", action="_viewStats") + b"{}",
        ]
        wanted = [404, 415, 200, 405, 200, 200, 200]
        statuses, told = self.answers(b"".join(ask), False)
        self.assertEqual(statuses[:len(wanted)], wanted[:len(statuses)], told[:3000])
        self.assertGreaterEqual(len(statuses), 1)
        self.assert_nothing_happened()


def for_servers(base, servers):
    made = {}
    harness.for_servers(made, base, servers=[server for server in servers if not harness.QUICK or issubclass(server, (harness.Lighttpd, harness.Nginx))])
    globals().update(made)


def elsewhere(server):
    """The server with its site file, in which this machine, for the figures, is another one."""
    def site_text(self):
        text, count = re.subn(r'Require local|allow 127\.0\.0\.0/8|allow ::1|"\^\(127\\\.\|::1\$\)"', lambda found: {
            "R": "Require ip 192.0.2.1", "a": "allow 192.0.2.1", '"': '"^192\\.0\\.2\\.1$"'}[found[0][0]], server.site_text(self))
        if count not in (1, 2):
            raise AssertionError("the site file has %d rules for this machine" % count)
        return text
    return type(server.__name__, (server,), {"site_text": site_text})


for_servers(SignedIn, harness.ALL_SERVERS)
for_servers(Unsigned, [server for server in harness.ALL_SERVERS if not server.only_auth])
for server_class in harness.ALL_SERVERS:
    for_servers(Figures, [elsewhere(server_class)])
for_servers(Open, [server for server in harness.ALL_SERVERS if not server.only_auth])
for_servers(Smuggling, [server for server in harness.ALL_SERVERS if not server.only_auth])

if __name__ == "__main__":
    tap.main(globals())
