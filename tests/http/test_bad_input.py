#!/usr/bin/env python3
"""Bad input behind every web server, and past them: each refusal has its status, a body {"error": "..."} that names what is wrong, and stores nothing.

What a web server does not let through, or mends before it passes it on, is said at the test; what the program does with it is then asked of the
program itself, over FastCGI and as plain CGI.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fcgi
import harness
import tap

JSON = ("Content-Type", "application/json")
MAX_BODY = 4 << 20
SERVER_MAX_BODY = 8 << 20  # in the site files

# The fields of every action that has some, with a good value each.
FIELDS = {
    "initUser": {"user": "newcomer"},
    "startSession": {"user": "reader", "document": "a book", "library": "home"},
    "endSession": {"focusSession": "SESSION"},
    "removeSession": {"focusSession": "SESSION"},
    "_viewStats": {"user": "reader"},
    "_getSessions": {"user": "reader"},
}

WRONG_VALUES = [
    ("null", None), ("a whole number", 1), ("zero", 0), ("a fraction", 1.5), ("true", True), ("false", False), ("an empty array", []),
    ("an array of an id", ["reader"]), ("an object", {"id": "reader"}), ("empty", ""), ("256 bytes", "x" * 256),
    ("256 bytes of longer characters", "書" * 85 + "x"), ("257 bytes that are 129 characters", "é" * 128 + "x"), ("10,000 bytes", "x" * 10000),
    ("NUL escaped", "a\0b"), ("NUL first", "\0"), ("NUL last", "reader\0"), ("a tab", "a\tb"), ("a line feed", "reader\n"), ("U+001F", "\x1f"),
    ("U+007F", "a\x7fb"),
]

# Not one JSON object in UTF-8. USER is a user that exists: what goes wrong is only what the name says.
NOT_JSON = [
    ("nothing", b""),
    ("blanks only", b" \r\n\t "),
    ("a word", b"hello"),
    ("a form", b"user=USER&document=a&library=b"),
    ("XML", b"<user>USER</user>"),
    ("an array", b'[{"user":"USER","document":"a","library":"b"}]'),
    ("a string", b'"USER"'),
    ("a number", b"17"),
    ("null", b"null"),
    ("true", b"true"),
    ("cut off in a string", b'{"user":"USER","document":"a","library":"b'),
    ("cut off before its end", b'{"user":"USER","document":"a","library":"b"'),
    ("only a brace", b"{"),
    ("a closing brace too many", b'{"user":"USER","document":"a","library":"b"}}'),
    ("a word behind", b'{"user":"USER","document":"a","library":"b"} x'),
    ("a number behind", b'{"user":"USER","document":"a","library":"b"} 5'),
    ("a number close behind", b'{"user":"USER","document":"a","library":"b"}5'),
    ("another object behind", b'{"user":"USER","document":"a","library":"b"}{}'),
    ("another line behind", b'{"user":"USER","document":"a","library":"b"}\n{"user":"USER","document":"a","library":"b"}'),
    ("a comma behind", b'{"user":"USER","document":"a","library":"b"},'),
    ("NUL behind", b'{"user":"USER","document":"a","library":"b"}\0'),
    ("NUL behind, then more", b'{"user":"USER","document":"a","library":"b"}\0{}'),
    ("NUL before", b'\0{"user":"USER","document":"a","library":"b"}'),
    ("a byte order mark", b'\xef\xbb\xbf{"user":"USER","document":"a","library":"b"}'),
    ("a form feed before", b'\f{"user":"USER","document":"a","library":"b"}'),
    ("NaN", b'{"user":"USER","document":"a","library":"b","x":NaN}'),
    ("-Infinity", b'{"user":"USER","document":"a","library":"b","x":-Infinity}'),
    ("a comment", b'{"user":"USER",/* who */"document":"a","library":"b"}'),
    ("a comment to the line's end", b'{"user":"USER","document":"a","library":"b"} // done'),
    ("single quotes", b"{'user':'USER','document':'a','library':'b'}"),
    ("keys without quotes", b'{user:"USER",document:"a",library:"b"}'),
    ("a trailing comma", b'{"user":"USER","document":"a","library":"b",}'),
    ("a trailing comma in an array", b'{"user":"USER","document":"a","library":"b","x":[1,]}'),
    ("a leading comma", b'{,"user":"USER","document":"a","library":"b"}'),
    ("two commas", b'{"user":"USER",,"document":"a","library":"b"}'),
    ("no comma", b'{"user":"USER" "document":"a","library":"b"}'),
    ("no colon", b'{"user" "USER","document":"a","library":"b"}'),
    ("an equals sign", b'{"user"="USER","document":"a","library":"b"}'),
    ("a key without a value", b'{"user":"USER","document":"a","library":"b","x"}'),
    ("a leading zero", b'{"user":"USER","document":"a","library":"b","x":01}'),
    ("a plus sign", b'{"user":"USER","document":"a","library":"b","x":+1}'),
    ("a bare point", b'{"user":"USER","document":"a","library":"b","x":.5}'),
    ("a point without digits", b'{"user":"USER","document":"a","library":"b","x":1.}'),
    ("an exponent without digits", b'{"user":"USER","document":"a","library":"b","x":1e}'),
    ("a minus sign alone", b'{"user":"USER","document":"a","library":"b","x":-}'),
    ("a hexadecimal number", b'{"user":"USER","document":"a","library":"b","x":0x10}'),
    ("True", b'{"user":"USER","document":"a","library":"b","x":True}'),
    ("NULL", b'{"user":"USER","document":"a","library":"b","x":NULL}'),
    ("nul", b'{"user":"USER","document":"a","library":"b","x":nul}'),
    ("a raw line feed in a string", b'{"user":"USER","document":"a\nb","library":"b"}'),
    ("a raw tab in a string", b'{"user":"USER","document":"a\tb","library":"b"}'),
    ("a raw tab in a key", b'{"user":"USER","document":"a","library":"b","\t":1}'),
    ("a raw NUL in a string", b'{"user":"USER","document":"a\0b","library":"b"}'),
    ("an escape that is none", b'{"user":"USER","document":"\\x41","library":"b"}'),
    ("an escaped single quote", b'{"user":"USER","document":"\\\'","library":"b"}'),
    ("a short \\u", b'{"user":"USER","document":"\\u12","library":"b"}'),
    ("a \\u that is not hexadecimal", b'{"user":"USER","document":"\\u12G4","library":"b"}'),
    ("a \\U", b'{"user":"USER","document":"\\U0041","library":"b"}'),
    ("UTF-16", '{"user":"USER","document":"a","library":"b"}'.encode("utf-16")),
    ("Latin-1", b'{"user":"USER","document":"caf\xe9","library":"b"}'),
    ("a continuation byte alone", b'{"user":"USER","document":"a\x80","library":"b"}'),
    ("an overlong slash", b'{"user":"USER","document":"a\xc0\xaf","library":"b"}'),
    ("an overlong NUL", b'{"user":"USER","document":"a\xc0\x80","library":"b"}'),
    ("an overlong form of three bytes", b'{"user":"USER","document":"a\xe0\x9f\xbf","library":"b"}'),
    ("an overlong form of four bytes", b'{"user":"USER","document":"a\xf0\x8f\xbf\xbf","library":"b"}'),
    ("a surrogate in UTF-8", b'{"user":"USER","document":"a\xed\xa0\x80","library":"b"}'),
    ("a pair of surrogates in UTF-8", b'{"user":"USER","document":"a\xed\xa0\xbd\xed\xb3\x9a","library":"b"}'),
    ("a character cut off by the quote", b'{"user":"USER","document":"a\xe6\x9b","library":"b"}'),
    ("beyond U+10FFFF", b'{"user":"USER","document":"a\xf4\x90\x80\x80","library":"b"}'),
    ("a byte that UTF-8 never has", b'{"user":"USER","document":"a\xff","library":"b"}'),
    ("a bad byte in a key", b'{"user":"USER","document":"a","library":"b","\xff":1}'),
    ("a bad byte in an unknown field", b'{"user":"USER","document":"a","library":"b","x":"\xff"}'),
    ("a bad byte between", b'{"user":"USER",\xff"document":"a","library":"b"}'),
    ("a key with U+0000", b'{"user":"USER","document":"a","library":"b","user\\u0000x":"c"}'),
    ("a high surrogate alone", b'{"user":"USER","document":"\\ud800","library":"b"}'),
    ("a low surrogate alone", b'{"user":"USER","document":"\\udc00","library":"b"}'),
    ("a high surrogate and a letter", b'{"user":"USER","document":"\\ud83dx","library":"b"}'),
    ("a high surrogate and an escape", b'{"user":"USER","document":"\\ud83d\\n","library":"b"}'),
    ("two high surrogates", b'{"user":"USER","document":"\\ud83d\\ud83d","library":"b"}'),
    ("surrogates in the wrong order", b'{"user":"USER","document":"\\udcda\\ud83d","library":"b"}'),
]

CONTENT_TYPES_TAKEN = ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON", "application/json ;charset=utf-8",
                       'application/json; charset="utf-8"', "application/json; q=1; charset=utf-8"]
CONTENT_TYPES_REFUSED = [
    "application/json; charset=utf-16", 'application/json; charset="latin1"', 'application/json; charset="',
    "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "application/jsonp",
    "application/json-patch+json", "application/problem+json", "application", "json", "application/json, text/plain", "application/jso", "*/*",
    "text/html", "application/octet-stream",
]


def nested(depth):
    """A startSession with a field that makes the whole DEPTH levels deep: the object itself is the first."""
    inner = depth - 1
    return b'{"user":"USER","document":"nested","library":"l","x":' + b"[" * inner + b"]" * inner + b"}"


def many_parts(count):
    """A startSession with so many objects, arrays and commas; each takes much memory and few bytes."""
    return b'{"user":"USER","document":"many","library":"l","x":[' + b",".join([b"1"] * (count - 4)) + b"]}"


def nested_objects(depth):
    inner = depth - 1
    return b'{"user":"USER","document":"nested","library":"l","x":' + b'{"x":' * (inner - 1) + b"{}" + b"}" * inner


def padded(size):
    """A good startSession of exactly SIZE bytes."""
    body = b'{"user":"reader","document":"large","library":"l"}'
    return body + b" " * (size - len(body))


class Refusals:
    """The assertions, for all three ways to the program. A class has post(action, body, ...) -> Reply and `user`, whose sessions are compared."""

    user = "reader"

    def assert_refused(self, reply, status, *words):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.header("Content-Type"), "application/json", reply)
        pairs = reply.pairs()
        self.assertEqual([key for key, _ in pairs], ["error"])
        self.assertTrue(isinstance(pairs[0][1], str) and pairs[0][1])
        for word in words:
            self.assertIn(word, pairs[0][1])

    def stored(self):
        """The sessions of the user whom the tests name, and that the one whom they try to make is not there."""
        return [self.post("_getSessions", harness.encode({"user": self.user})).body, self.post("_viewStats", b'{"user":"newcomer"}').body]

    def prepare(self):
        """A user with a session that has ended and one that has not."""
        self.assertIn(self.post("initUser", harness.encode({"user": self.user})).status, (200, 409))
        made = [self.post("startSession", harness.encode({"user": self.user, "document": "d", "library": "l"})) for _ in range(2)]
        self.assertEqual([reply.status for reply in made], [200, 200], made)
        self.assertEqual(self.post("endSession", made[0].body).status, 200)
        return made[1].json()["focusSession"]


class BadInput(harness.ServerCase, Refusals):
    """Through the web servers."""

    abstract = True
    settings = {"FOCUSSTATS_RELAY_TIMEOUT": "60000"}  # with a sanitizer the largest ones take seconds
    session = None
    before = None

    def setUp(self):
        super().setUp()
        if self.session is None:
            type(self).session = self.prepare()
        if self.before is None:
            type(self).before = self.stored()

    def tearDown(self):
        """What one test leaves is what the next one finds."""
        before, type(self).before = self.before, None
        if not getattr(self, "stores", False):
            self.assertEqual(self.stored(), before, "something was stored")
            type(self).before = before

    def post(self, action, body, headers=(JSON,)):
        return self.server.request("POST", self.server.url(action), body.replace(b"USER", self.user.encode()), headers)

    def raw(self, head, body=b"", method="POST"):
        """HEAD is the lines from the request line on."""
        head = head + ["%s: %s" % pair for pair in self.server.headers()]
        return self.server.raw("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body, method)

    @tap.cases(NOT_JSON)
    def test_not_json(self, body):
        self.assert_refused(self.post("startSession", body), 400)

    @tap.cases([("%s.%s is missing" % (action, field), action, field) for action in FIELDS for field in FIELDS[action]])
    def test_missing_field(self, action, field):
        """Behind authentication, as on the shared host always, `user` may be left out: then it is who is signed in, here an administrator who is no
        user of the service."""
        fields = {name: value for name, value in FIELDS[action].items() if name != field}
        if self.server.auth and field == "user" and action == "initUser":
            self.assertEqual(self.post(action, harness.encode(fields)).status, 200)
        elif self.server.auth and field == "user":
            self.assertIn(self.post(action, harness.encode(fields)).status, (200, 404))
        else:
            self.assert_refused(self.post(action, harness.encode(fields)), 400, field)

    @tap.cases([("%s.%s" % (action, field), action, field) for action in FIELDS for field in FIELDS[action]])
    def test_wrong_values(self, action, field):
        for what, value in WRONG_VALUES:
            fields = dict(FIELDS[action], **{field: value})
            if "SESSION" in fields.values():
                fields = {name: self.session if text == "SESSION" else text for name, text in fields.items()}
            with self.subTest(what):
                self.assert_refused(self.post(action, harness.encode(fields)), 400, field)

    def test_every_control_character(self):
        """Escaped; raw ones are no JSON, but for U+007F."""
        for code in list(range(0x20)) + [0x7F]:
            with self.subTest("U+%04X" % code):
                body = b'{"user":"USER","document":"a\\u%04xb","library":"l"}' % code
                self.assert_refused(self.post("startSession", body), 400, "document")
                body = b'{"user":"USER","document":"a%cb","library":"l"}' % code
                self.assert_refused(self.post("startSession", body), 400)

    def test_wrong_type_in_an_unknown_field_is_nothing(self):
        self.stores = True
        self.assertEqual(self.post("startSession", b'{"user":"USER","document":"d","library":"l","x":null,"y":[1.5e3,-0]}').status, 200)

    @tap.cases([("arrays", nested), ("objects", nested_objects)])
    def test_nesting(self, make):
        self.assert_refused(self.post("startSession", make(17)), 400)
        self.assert_refused(self.post("startSession", make(5000)), 400)
        self.assertEqual(self.post("startSession", make(16)).status, 200)
        self.stores = True

    def test_many_parts(self):
        self.assert_refused(self.post("startSession", many_parts(50001)), 400, "more than 50000 objects, arrays and commas")
        self.assert_refused(self.post("startSession", b'{"x":[' + b",".join([b'{"":{}}'] * 400000) + b"]}"), 400, "more than 50000")
        self.assertEqual(self.post("startSession", many_parts(50000)).status, 200)
        self.stores = True

    def test_body_of_exactly_the_limit(self):
        self.stores = True
        self.assertEqual(self.post("startSession", padded(MAX_BODY)).status, 200)

    @tap.cases([("one byte more", MAX_BODY + 1), ("half as much again", MAX_BODY * 3 // 2)])
    def test_body_over_the_limit(self, size):
        self.assert_refused(self.post("startSession", padded(size)), 413, str(MAX_BODY))

    def test_body_over_the_limit_of_the_server(self):
        """The site files set 8 MiB, beyond which lighttpd, nginx and Apache's CGI refuse it themselves, not in JSON; the other two pass it on."""
        reply = self.post("startSession", padded(SERVER_MAX_BODY + 1))
        if self.server.name in ("apache-proxy-fcgi", "apache-fcgid"):
            self.assert_refused(reply, 413, str(MAX_BODY))
        else:
            self.assertEqual(reply.status, 413)

    @tap.cases([(text, text) for text in CONTENT_TYPES_TAKEN])
    def test_content_type_taken(self, text):
        self.stores = True
        self.assertEqual(self.post("startSession", padded(100), [("Content-Type", text)]).status, 200)

    @tap.cases([(text, text) for text in CONTENT_TYPES_REFUSED])
    def test_content_type_refused(self, text):
        self.assert_refused(self.post("startSession", padded(100), [("Content-Type", text)]), 415, "application/json")

    def test_content_type_missing(self):
        self.assert_refused(self.post("startSession", padded(100), []), 415, "application/json")

    def test_content_type_empty(self):
        self.assert_refused(self.post("startSession", padded(100), [("Content-Type", "")]), 415, "application/json")

    @tap.cases([(method, method) for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS")])
    def test_method_of_an_action(self, method):
        body = padded(100) if method in ("PUT", "PATCH") else None
        reply = self.server.request(method, self.server.url("startSession"), body, [JSON] if body else [])
        self.assertEqual(reply.header("Allow"), "POST", reply)
        if method == "HEAD":
            self.assertEqual((reply.status, reply.body), (405, b""))
        else:
            self.assert_refused(reply, 405, "startSession", "POST")

    @tap.cases([(method, method) for method in ("POST", "PUT", "DELETE", "OPTIONS")])
    def test_method_of_health(self, method):
        body = b"{}" if method in ("POST", "PUT") else None
        reply = self.server.request(method, self.server.url("health"), body, [JSON] if body else [])
        self.assert_refused(reply, 405, "health", "GET")
        self.assertEqual(reply.header("Allow"), "GET, HEAD")

    @tap.cases([(path or "nothing", path) for path in (
        "/FocusStats", "/FocusStats/", "/FocusStats/startSession/", "/FocusStats/startSession/x", "/FocusStats/startsession", "/focusstats/startSession",
        "/FocusStats/startSessions", "/FocusStats/startSessio", "/FocusStats/_getsessions", "/FocusStats/getSessions", "/FocusStats/metrics/x",
        "/FocusStatsX/startSession", "/startSession", "/FocusStats/%73tartSession/", "/FocusStats/Health", "/FocusStats/startSession%20",
        "/FocusStats/" + "x" * 2000, "/FocusStats/%C3%A9", "/FocusStats/%22%3Cscript%3E")])
    def test_unknown_path(self, path):
        for method, body in (("POST", padded(100)), ("GET", None), ("OPTIONS", None)):
            with self.subTest(method):
                reply = self.server.request(method, self.server.prefix + path, body, [JSON] if body else [])
                self.assert_refused(reply, 404)

    @tap.cases([("invalid UTF-8", "%FF%FE"), ("an overlong slash", "%C0%AF"), ("a control character", "%01"), ("a line feed", "%0A"), ("DEL", "%7F")])
    def test_path_of_bytes(self, text):
        """lighttpd refuses control characters and what is not UTF-8 in a path itself (400). The answer is UTF-8 whatever the path was."""
        reply = self.server.request("GET", self.server.url("start") + text)
        if self.server.name == "lighttpd":
            self.assertEqual(reply.status, 400)
        else:
            self.assert_refused(reply, 404)

    def test_path_with_nul(self):
        """All three refuse it themselves (400; Apache 404): it never reaches the program."""
        reply = self.server.request("GET", self.server.url("health%00"))
        self.assertIn(reply.status, (400, 404))

    def test_encoded_slash(self):
        """Apache refuses it (404, AllowEncodedSlashes), lighttpd and nginx decode it."""
        reply = self.server.request("GET", self.server.prefix + "/FocusStats%2Fhealth")
        self.assertEqual(reply.status, 404 if self.server.name.startswith("apache") else 200)

    @tap.cases([("a slash twice", "//FocusStats/health"), ("a slash twice inside", "/FocusStats//health"), ("dots", "/FocusStats/x/../health"),
                ("a dot", "/./FocusStats/./health")])
    def test_path_that_servers_mend(self, path):
        """All of them hand over the plain path, or refuse it; it leads nowhere else."""
        reply = self.server.request("GET", self.server.prefix + path)
        self.assertIn(reply.status, (200, 404))
        self.assertIn(reply.body, (b'{"status":"ok"}\n', reply.body if reply.status == 404 else b""))

    def test_chunked_body(self):
        """A body whose length nobody told before is read as any other."""
        self.stores = True
        body = b'{"user":"reader","document":"in pieces","library":"l"}'
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7)) + b"0\r\n\r\n"
        reply = self.raw(["POST %s HTTP/1.1" % self.server.url("startSession"), "Host: localhost", "Content-Type: application/json",
                          "Transfer-Encoding: chunked"], pieces)
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(self.post("_getSessions", b'{"user":"USER"}').json()[-1]["focusSession"]["document"], "in pieces")

    def test_chunked_body_over_the_limit(self):
        body = padded(MAX_BODY * 3 // 2)
        pieces = b"".join(b"%x\r\n%s\r\n" % (4096, body[i:i + 4096]) for i in range(0, len(body), 4096)) + b"0\r\n\r\n"
        reply = self.raw(["POST %s HTTP/1.1" % self.server.url("startSession"), "Host: localhost", "Content-Type: application/json",
                          "Transfer-Encoding: chunked"], pieces)
        self.assert_refused(reply, 413)

    def test_chunked_body_that_nobody_reads(self):
        """Refused by its type; the server still gets rid of what it has to send."""
        body = padded(MAX_BODY * 3 // 2)
        pieces = b"".join(b"%x\r\n%s\r\n" % (4096, body[i:i + 4096]) for i in range(0, len(body), 4096)) + b"0\r\n\r\n"
        reply = self.raw(["POST %s HTTP/1.1" % self.server.url("startSession"), "Host: localhost", "Content-Type: text/plain",
                          "Transfer-Encoding: chunked"], pieces)
        self.assert_refused(reply, 415)

    def test_empty_chunked_body(self):
        reply = self.raw(["POST %s HTTP/1.1" % self.server.url("startSession"), "Host: localhost", "Content-Type: application/json",
                          "Transfer-Encoding: chunked"], b"0\r\n\r\n")
        self.assert_refused(reply, 400)

    def test_no_body_and_no_length(self):
        """lighttpd and nginx pass it on as an empty body or ask for a length (411)."""
        reply = self.raw(["POST %s HTTP/1.1" % self.server.url("startSession"), "Host: localhost", "Content-Type: application/json"])
        if reply.status == 411:
            self.assertIn(self.server.name, ("lighttpd", "nginx"))
        else:
            self.assert_refused(reply, 400)

    @tap.cases([
        ("not a number", ["Content-Length: abc"]), ("negative", ["Content-Length: -1"]), ("a sign", ["Content-Length: +54"]),
        ("hexadecimal", ["Content-Length: 0x36"]), ("two that differ", ["Content-Length: 54", "Content-Length: 55"]),
        ("two in one line", ["Content-Length: 54, 55"]), ("beyond 64 bits", ["Content-Length: 99999999999999999999999"]),
    ])
    def test_absurd_length(self, lines):
        """Every server refuses these itself: 400, or 413 for one that is too large; nothing reaches the program."""
        reply = self.raw(["POST %s HTTP/1.1" % self.server.url("startSession"), "Host: localhost", "Content-Type: application/json", *lines],
                         b'{"user":"reader","document":"length","library":"lib"}')
        self.assertIn(reply.status, (400, 413))

    def test_huge_length(self):
        """A length that fits in 64 bits, and a client that sends little of it: the answer comes without waiting for the rest, or the server waits.
        Only what was stored is compared, once the client has gone."""
        with self.server.client(timeout=2) as client:
            client.connect()
            client.socket.sendall(("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9000000000000000000\r\n\r\n"
                                   % self.server.url("startSession")).encode() + b'{"user":"reader","document":"d","library":"l"}')
            try:
                self.assertIn(client.read().status, (400, 413))
            except TimeoutError:
                pass

    def test_client_leaves_before_the_end_of_its_body(self):
        """The object is whole, but not the length: it is not carried out."""
        body = b'{"user":"reader","document":"half","library":"l"}'
        with self.server.client() as client:
            client.connect()
            client.socket.sendall(("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                                   % (self.server.url("startSession"), len(body) + 10)).encode() + body)
            client.socket.shutdown(1)
            try:
                client.read()
            except (OSError, ValueError, EOFError) as error:
                self.assertNotIsInstance(error, TimeoutError)
            except Exception as error:  # http.client's own, where the server closes without an answer
                self.assertIn(type(error).__name__, ("RemoteDisconnected", "BadStatusLine", "IncompleteRead"))

    def test_a_good_request_after_all_that(self):
        self.stores = True
        self.assertEqual(self.post("startSession", padded(100)).status, 200)


class Direct(harness.Case, Refusals):
    """What web servers never send or wait for themselves; SEND is one of over FastCGI and as plain CGI."""

    abstract = True

    def post(self, action, body, extra=None):
        return self.send("POST", "/FocusStats/" + action, body.replace(b"USER", self.user.encode()), extra)

    def refused(self, status, method, path_info, body, extra, *words):
        before = self.stored()
        self.assert_refused(self.send(method, path_info, body, extra), status, *words)
        self.assertEqual(self.stored(), before)

    GOOD = b'{"user":"reader","document":"direct","library":"l"}'

    def test_body_shorter_than_its_length(self):
        for more in (1, 100, MAX_BODY - len(self.GOOD)):
            self.refused(400, "POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_LENGTH": str(len(self.GOOD) + more)})

    def test_no_body_but_a_length(self):
        self.refused(400, "POST", "/FocusStats/startSession", b"", {"CONTENT_LENGTH": "50"})

    def test_length_over_the_limit(self):
        """Refused by the length that was told, however little follows."""
        for text in (str(MAX_BODY + 1), "4294967296", "9223372036854775807", "18446744073709551616", "9" * 40):
            with self.subTest(text):
                self.refused(413, "POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_LENGTH": text})

    def test_length_that_is_none(self):
        for text in ("abc", "-1", "+50", "0x32", "50x", "5 0", "1e2", "50.0", "٥٠"):
            with self.subTest(text):
                self.refused(400, "POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_LENGTH": text})

    def test_length_shorter_than_the_body(self):
        """Only the length counts (RFC 3875, 4.2): here the object is cut."""
        self.refused(400, "POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_LENGTH": str(len(self.GOOD) - 1)})

    def test_bytes_behind_the_length_are_not_read(self):
        self.assertEqual(self.send("POST", "/FocusStats/startSession", self.GOOD + b"garbage", {"CONTENT_LENGTH": str(len(self.GOOD))}).status, 200)
        self.assertEqual(self.send("GET", "/FocusStats/health", b"", None).status, 200)

    def test_paths(self):
        for path in ("", "/", "//FocusStats/startSession", "/FocusStats//startSession", "FocusStats/startSession", "/FocusStats/startSession\n",
                     "/FocusStats/startSession/", "/FocusStats/./startSession", "/FocusStats/x/../startSession", "/FocusStats/startSession?x",
                     "/api/FocusStats/startSession", "/FocusStats/" + "x" * 20000, "/FocusStats/\x7f\x01"):
            with self.subTest(path[:40]):
                self.refused(404, "POST", path, self.GOOD, None)

    def test_path_missing(self):
        self.refused(404, "POST", "", self.GOOD, {"PATH_INFO": None})

    def test_methods(self):
        for method in ("post", "POSTS", "POS", "", "BREW", "CONNECT", "TRACE", "PROPFIND", "\n"):
            with self.subTest(method):
                before = self.stored()
                reply = self.send(method, "/FocusStats/startSession", self.GOOD, {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(self.GOOD))})
                self.assert_refused(reply, 405)
                self.assertEqual(reply.header("Allow"), "POST")
                self.assertEqual(self.stored(), before)

    def test_content_type_variables(self):
        self.refused(415, "POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_TYPE": None})
        self.refused(415, "POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_TYPE": ""})
        self.refused(415, "POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_TYPE": None, "HTTP_CONTENT_TYPE": "application/json"})
        self.refused(415, "POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_TYPE": "application/json\n"})

    def test_answer_to_a_path_of_bytes_is_utf8(self):
        reply = self.send_bytes_path(b"/FocusStats/\xff\xfe\xc0\xaf")
        self.assert_refused(reply, 404)
        reply.body.decode("utf-8")


class DirectFastCgi(Direct):
    """Over FastCGI."""

    @classmethod
    def setUpClass(cls):
        cls.shared = harness.TestFolder()
        cls.addClassCleanup(cls.shared.remove)
        cls.addClassCleanup(cls.shared.assert_clean)
        cls.responder = harness.Responder(cls.shared, {"FOCUSSTATS_THREADS": "4"})
        cls.addClassCleanup(cls.responder.stop)
        cls.responder.start()

    def setUp(self):
        self.prepare()

    def send(self, method, path_info, body, extra):
        return self.responder.ask(method, path_info, body, extra)

    def send_bytes_path(self, path):
        return self.send("GET", "/", b"", {"PATH_INFO": path})

    def test_length_missing(self):
        """Without a length the body is what came until its end."""
        self.assertEqual(self.send("POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_LENGTH": None}).status, 200)
        self.refused(413, "POST", "/FocusStats/startSession", padded(MAX_BODY + 1), {"CONTENT_LENGTH": None})
        self.refused(400, "POST", "/FocusStats/startSession", b"", {"CONTENT_LENGTH": None})

    def test_body_that_ends_with_the_connection(self):
        before = self.stored()
        for body in (self.GOOD, self.GOOD[:20], b""):
            with self.responder.connect() as connection:
                connection.begin()
                connection.params(1, fcgi.request_params("POST", "/FocusStats/startSession", self.GOOD))
                connection.stdin(1, body[:-1], end=False)
        self.assertEqual(self.stored(), before)

    def test_connection_that_ends_in_a_record(self):
        before = self.stored()
        request = fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1\0\0\0\0\0\0") \
            + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.request_params("POST", "/FocusStats/startSession", self.GOOD))) \
            + fcgi.stream(fcgi.STDIN, 1, self.GOOD)
        for size in list(range(0, 40)) + list(range(40, len(request) - 8, 23)):
            with self.responder.connect() as connection:
                connection.send(request[:size])
        self.assertEqual(self.stored(), before)

    def test_garbage_instead_of_records(self):
        before = self.stored()
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 64, b"\xff" * 64, b"\1" * 64, fcgi.record(99, 1, b"x"), fcgi.record(fcgi.STDIN, 1, b"x"),
                     fcgi.record(fcgi.BEGIN_REQUEST, 1, b"")):
            with self.responder.connect() as connection:
                connection.send(data)
        self.assertEqual(self.stored(), before)

    def test_parameters_that_lie_about_their_length(self):
        before = self.stored()
        for params in (b"\xff\xff\xff\xff\x01A", b"\x05\x05AB", b"\x80", b"\x0e\xff\xff\xff\xffREQUEST_METHOD", b"\x7f\x7f" + b"A" * 20):
            with self.responder.connect() as connection:
                connection.begin()
                connection.send(fcgi.stream(fcgi.PARAMS, 1, params) + fcgi.stream(fcgi.STDIN, 1, b""))
                try:
                    self.assertIn(connection.reply().status, (0, 400, 404, 405))
                except fcgi.ConnectionClosed:
                    pass
        self.assertEqual(self.stored(), before)

    def test_no_parameters_at_all(self):
        with self.responder.connect() as connection:
            connection.begin()
            connection.send(fcgi.stream(fcgi.PARAMS, 1, b"") + fcgi.stream(fcgi.STDIN, 1, b""))
            self.assertIn(connection.reply().status, (404, 405))

    def test_bad_and_good_on_one_kept_connection(self):
        with self.responder.connect() as connection:
            for turn in range(4):
                reply = connection.ask("POST", "/FocusStats/startSession", b"{", keep=True)
                self.assert_refused(reply, 400)
                reply = connection.ask("POST", "/FocusStats/startSession", padded(MAX_BODY + 1), keep=True)
                self.assert_refused(reply, 413)
                reply = connection.ask("POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_LENGTH": "5"}, keep=True)
                self.assert_refused(reply, 400)
                reply = connection.ask("PUT", "/FocusStats/startSession", self.GOOD, {"CONTENT_LENGTH": str(len(self.GOOD))}, keep=True)
                self.assert_refused(reply, 405)
                reply = connection.ask("POST", "/FocusStats/startSession", self.GOOD, keep=True)
                self.assertEqual(reply.status, 200, "turn %d: %r" % (turn, reply))

    def test_body_in_small_records(self):
        with self.responder.connect() as connection:
            connection.begin()
            connection.params(1, fcgi.request_params("POST", "/FocusStats/startSession", self.GOOD))
            connection.send(fcgi.stream(fcgi.STDIN, 1, self.GOOD, piece=3))
            self.assertEqual(connection.reply().status, 200)

    def test_each_error_is_json(self):
        """Whatever text the client put in: the error is JSON and UTF-8, cut at a character where it is long."""
        for name in ('"', "\\", "</script>", "\u2028", "é" * 127, "書" * 85, "\U0001f4da" * 63):
            reply = self.post("endSession", harness.encode({"focusSession": name}))
            self.assert_refused(reply, 404, name)
            self.assertEqual(json.loads(reply.body.decode("utf-8"))["error"].encode("utf-8").decode("utf-8"), reply.json()["error"])


class DirectCgi(Direct):
    """As plain CGI."""

    def setUp(self):
        self.place = self.folder()
        self.prepare()

    def send(self, method, path_info, body, extra):
        return harness.cgi(self.place, method, path_info, body, extra)

    def send_bytes_path(self, path):
        return self.send("GET", "/", b"", {"PATH_INFO": path})

    def test_length_missing(self):
        """Without a length there is no body (RFC 3875, 4.1.2), or it is what came until its end; nothing else."""
        before = self.stored()
        reply = self.send("POST", "/FocusStats/startSession", self.GOOD, {"CONTENT_LENGTH": None})
        if reply.status != 200:
            self.assert_refused(reply, 400)
            self.assertEqual(self.stored(), before)

    def test_exit_status_and_standard_error_of_a_refusal(self):
        """A refusal is no failure of the program: status 0, and no word on standard error."""
        reply = self.send("POST", "/FocusStats/startSession", b"{", None)
        self.assert_refused(reply, 400)
        self.assertEqual((reply.exit_status, reply.stderr), (0, ""))


harness.for_servers(globals(), BadInput)

if __name__ == "__main__":
    tap.main(globals())
