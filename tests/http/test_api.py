#!/usr/bin/env python3
"""The whole API through every web server: what it answers to good requests, key by key, and what it refuses because of what is stored."""

import datetime
import os
import re
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TOLERANCE = datetime.timedelta(milliseconds=20)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def instant(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


class ApiCase(harness.ServerCase):
    """What the tests here have in common: a new user each, and answers that must be 200."""

    abstract = True

    def setUp(self):
        super().setUp()
        self.user = "user-" + uuid.uuid4().hex

    def ok(self, action, fields):
        reply = self.server.post(action, fields)
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.header("Content-Type"), "application/json")
        self.assertTrue(reply.body.endswith(b"\n") and reply.body.count(b"\n") == 1, "one newline, at the end: %r" % reply.body)
        return reply

    def refused(self, status, words, action, fields):
        """The error is the only key, and says the WORDS."""
        reply = self.server.post(action, fields)
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.header("Content-Type"), "application/json")
        self.assertEqual([key for key, _ in reply.pairs()], ["error"])
        for word in words:
            self.assertIn(word, reply.json()["error"])
        return reply

    def init(self, user=None):
        return self.ok("initUser", {"user": user or self.user}).json()["focusStats"]

    def begin(self, document="a book", user=None):
        """Returns in another millisecond, as the ids of several processes are in order by that."""
        made = self.ok("startSession", {"user": user or self.user, "document": document, "library": "home"}).json()["focusSession"]
        answered_ms = time.time_ns() // 10 ** 6
        while time.time_ns() // 10 ** 6 <= answered_ms:
            pass
        return made

    def end(self, session):
        return self.ok("endSession", {"focusSession": session})

    def sessions(self, user=None):
        return [element["focusSession"] for element in self.ok("_getSessions", {"user": user or self.user}).json()]

    def ended(self, user=None):
        return self.ok("_viewStats", {"user": user or self.user}).json()[0]["focusStats"]["focusSessionIds"]


class Api(ApiCase):
    """At /api."""

    abstract = True

    def test_init_user_answers_a_new_id(self):
        reply = self.ok("initUser", {"user": self.user})
        self.assertEqual([key for key, _ in reply.pairs()], ["focusStats"])
        self.assertRegex(reply.json()["focusStats"], "^%s$" % UUID7.pattern)

    def test_init_user_twice(self):
        self.init()
        self.refused(409, [self.user], "initUser", {"user": self.user})

    def test_start_session(self):
        self.init()
        reply = self.ok("startSession", {"user": self.user, "document": "a book", "library": "home"})
        self.assertEqual(reply.text, '{"focusSession":"%s"}\n' % reply.json()["focusSession"])
        self.assertRegex(reply.json()["focusSession"], "^%s$" % UUID7.pattern)

    def test_start_session_of_an_unknown_user(self):
        self.refused(404, [self.user], "startSession", {"user": self.user, "document": "a book", "library": "home"})
        self.refused(404, [self.user], "_getSessions", {"user": self.user})

    def test_end_session(self):
        self.init()
        session = self.begin()
        self.assertEqual(self.end(session).text, '{"focusSession":"%s"}\n' % session)

    def test_end_session_twice(self):
        self.init()
        session = self.begin()
        self.end(session)
        before = self.sessions()
        self.refused(409, [session], "endSession", {"focusSession": session})
        self.assertEqual(self.sessions(), before)

    def test_remove_session(self):
        self.init()
        kept, removed = self.begin(), self.begin()
        self.end(kept)
        self.end(removed)
        self.assertEqual(self.ok("removeSession", {"focusSession": removed}).text, "{}\n")
        self.assertEqual([session["_id"] for session in self.sessions()], [kept])
        self.assertEqual(self.ended(), [kept])

    def test_remove_active_session(self):
        self.init()
        session = self.begin()
        self.ok("removeSession", {"focusSession": session})
        self.assertEqual(self.sessions(), [])
        self.assertEqual(self.ended(), [])

    def test_removed_session_is_gone(self):
        self.init()
        session = self.begin()
        self.ok("removeSession", {"focusSession": session})
        self.refused(404, [session], "removeSession", {"focusSession": session})
        self.refused(404, [session], "endSession", {"focusSession": session})

    @tap.cases([
        ("a UUID that no session has", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("no UUID at all", "abc"),
        ("an ObjectId", "507f1f77bcf86cd799439011"),
        ("a UUID without hyphens", "01890a5dac96774bbcceb302099a8057"),
        ("longer than a UUID", "x" * 255),
        ("letters of another script", "сессия"),
    ])
    def test_unknown_session(self, session):
        self.refused(404, [session], "endSession", {"focusSession": session})
        self.refused(404, [session], "removeSession", {"focusSession": session})

    def test_session_id_in_capitals_is_the_same(self):
        """A UUID is read in any case (RFC 9562, 4) and answered in lower case."""
        self.init()
        session = self.begin()
        reply = self.ok("endSession", {"focusSession": session.upper()})
        self.assertEqual(reply.json(), {"focusSession": session})

    def test_view_stats_of_a_new_user(self):
        stats = self.init()
        self.assertEqual(self.ok("_viewStats", {"user": self.user}).text,
                         '[{"focusStats":{"id":"%s","user":"%s","focusSessionIds":[]}}]\n' % (stats, self.user))

    def test_view_stats_lists_ended_sessions_oldest_first(self):
        stats = self.init()
        made = [self.begin("book %d" % number) for number in range(5)]
        for index in (3, 0, 4):
            self.end(made[index])
        wanted = ",".join('"%s"' % made[index] for index in (0, 3, 4))
        self.assertEqual(self.ok("_viewStats", {"user": self.user}).text,
                         '[{"focusStats":{"id":"%s","user":"%s","focusSessionIds":[%s]}}]\n' % (stats, self.user, wanted))

    def test_view_stats_of_an_unknown_user(self):
        self.refused(404, [self.user], "_viewStats", {"user": self.user})

    def test_get_sessions_of_a_new_user(self):
        self.init()
        self.assertEqual(self.ok("_getSessions", {"user": self.user}).text, "[]\n")

    def test_get_sessions_has_exactly_these_keys(self):
        self.init()
        first, second = self.begin("book one"), self.begin("book two")
        self.end(first)
        reply = self.ok("_getSessions", {"user": self.user})
        listed = self.sessions()
        self.assertEqual(reply.text, "[" + ",".join(
            '{"focusSession":{"_id":"%s","user":"%s","document":"%s","startTime":"%s","endTime":%s}}' % row for row in (
                (first, self.user, "book one", listed[0]["startTime"], '"%s"' % listed[0]["endTime"]),
                (second, self.user, "book two", listed[1]["startTime"], "null"))) + "]\n")

    def test_get_sessions_oldest_first(self):
        self.init()
        made = [self.begin("book %d" % number) for number in range(12)]
        for session in (made[7], made[2]):
            self.end(session)
        listed = self.sessions()
        self.assertEqual([session["_id"] for session in listed], made)
        self.assertEqual([index for index, session in enumerate(listed) if session["endTime"]], [2, 7])
        self.assertEqual(sorted(listed, key=lambda session: (session["startTime"], session["_id"])), listed)

    def test_get_sessions_of_other_users_stay_out(self):
        """Also of users whose names begin alike."""
        users = [self.user, self.user + "x", self.user[:-1]]
        for user in users:
            self.init(user)
        made = {user: self.begin(user=user) for user in users}
        for user in users:
            self.assertEqual([session["_id"] for session in self.sessions(user)], [made[user]])

    def test_ids_are_monotonic_and_of_now(self):
        self.init()
        before = now() - TOLERANCE
        made = [self.begin() for _ in range(40)]
        after = now() + TOLERANCE
        self.assertEqual(sorted(made), made)
        self.assertEqual(len(set(made)), len(made))
        for session in made:
            at = datetime.datetime.fromtimestamp(int(session.replace("-", "")[:12], 16) / 1000, datetime.timezone.utc)
            self.assertTrue(before <= at <= after, "%s is not between %s and %s" % (at, before, after))

    def test_ids_cannot_be_guessed_from_their_neighbours(self):
        """The last 62 bits are new in every id."""
        self.init()
        tails = {int(self.begin().replace("-", "")[16:], 16) & (1 << 62) - 1 for _ in range(20)}
        self.assertEqual(len(tails), 20)
        self.assertGreater(min(abs(a - b) for a in tails for b in tails if a != b), 1 << 32)

    def test_instants_are_utc_with_milliseconds(self):
        self.init()
        times = [now() - TOLERANCE]
        session = self.begin()
        times.append(now() + TOLERANCE)
        active = self.sessions()[0]
        self.assertIsNone(active["endTime"])
        times.append(now() - TOLERANCE)
        self.end(session)
        times.append(now() + TOLERANCE)
        listed = self.sessions()[0]
        self.assertEqual(listed["startTime"], active["startTime"])
        for text in (listed["startTime"], listed["endTime"]):
            self.assertRegex(text, "^%s$" % INSTANT.pattern)
        self.assertTrue(times[0] <= instant(listed["startTime"]) <= times[1], listed)
        self.assertTrue(times[2] <= instant(listed["endTime"]) <= times[3], listed)
        self.assertLessEqual(listed["startTime"], listed["endTime"])

    def test_unknown_fields_are_ignored(self):
        self.ok("initUser", {"user": self.user, "colour": "green", "nested": {"user": 1, "more": [None]}})
        session = self.ok("startSession", {"user": self.user, "document": "d", "library": "l", "page": 7}).json()["focusSession"]
        self.ok("endSession", {"focusSession": session, "user ": 3})

    @tap.cases([
        ("letters of many scripts", "Ωμέγα/книга 書物 📚"),
        ("quotes, a backslash and a slash", "a \"book\" \\ of it / all"),
        ("spaces around", "  spaced  "),
        ("only a space", " "),
        ("HTML", "<script>alert('x')</script>&amp;"),
        ("a soft hyphen, a line separator and a bidi mark", "a\u00adb\u2028c\u202ed"),
        ("a C1 control, which is none of the refused", "a\u0085b"),
        ("U+FFFF and the last code point", "\uffff\U0010ffff"),
        ("not normalised", "e\u0301 is not \u00e9"),
        ("255 bytes", "x" * 255),
        ("255 bytes of characters of three", "書" * 85),
        ("percent signs and format letters", "%s%n%20 100%"),
        ("a colon, a comma, braces", "{\"a\":[1,2]}"),
        ("looks like null", "null"),
    ])
    def test_ids_of_the_client_come_back_as_they_were(self, text):
        self.init(text)
        self.ok("startSession", {"user": text, "document": text, "library": text})
        listed = self.sessions(text)
        self.assertEqual([(session["user"], session["document"]) for session in listed], [(text, text)])
        self.assertEqual(self.ok("_viewStats", {"user": text}).json()[0]["focusStats"]["user"], text)

    def test_a_key_given_twice_counts_as_its_last(self):
        self.init()
        reply = self.ok("startSession", b'{"user":"nobody","user":"%s","document":"first","document":"last","library":"l"}'
                        % self.user.encode())
        self.assertEqual([session["document"] for session in self.sessions()], ["last"], reply)

    def test_escapes_are_read(self):
        self.init()
        self.ok("startSession", b'{"\\u0075ser":"%s","document":"\\u00e9\\ud83d\\udcda\\/\\"","library":"l"}' % self.user.encode())
        self.assertEqual(self.sessions()[0]["document"], "é📚/\"")

    def test_blanks_around_the_object(self):
        self.ok("initUser", b' \t\r\n{ "user" :\n"%s" }\r\n ' % self.user.encode())

    def test_health(self):
        reply = self.server.health()
        self.assertEqual((reply.status, reply.header("Content-Type"), reply.text), (200, "application/json", '{"status":"ok"}\n'))

    def test_health_by_head(self):
        reply = self.server.request("HEAD", self.server.url("health"))
        self.assertEqual((reply.status, reply.header("Content-Type"), reply.body), (200, "application/json", b""))

    @tap.cases([("?", "?"), ("a form's", "?a=b&c"), ("what CGI turns into arguments", "?--version"), ("the same for help", "?--help")])
    def test_a_query_string_is_ignored(self, query):
        self.assertEqual(self.server.request("GET", self.server.url("health") + query).text, '{"status":"ok"}\n')

    def test_answers_are_not_stored_by_caches(self):
        self.init()
        self.assertEqual(self.ok("_viewStats", {"user": self.user}).header("Cache-Control"), "no-store")

    def test_a_long_list_arrives_whole(self):
        """Longer than the 8 KiB in which libfcgi sends."""
        self.init()
        documents = ["%03d %s" % (number, "書" * 80) for number in range(60)]

        def start(index):
            for document in documents[index::4]:
                self.begin(document)
        harness.clients(4, start)
        self.assertEqual(sorted(session["document"] for session in self.sessions()), documents)

    def test_kept_connection(self):
        """Many requests on one connection of the client."""
        self.init()
        with self.server.client() as client:
            for number in range(20):
                body = harness.encode({"user": self.user, "document": str(number), "library": "l"})
                reply = client.request("POST", self.server.url("startSession"), body,
                                       [("Content-Type", "application/json")] + self.server.headers())
                self.assertEqual(reply.status, 200, reply)
        self.assertEqual([session["document"] for session in self.sessions()], [str(number) for number in range(20)])

    def test_many_at_once(self):
        """Eight clients, each with a user of its own and sessions that it ends."""
        def live(index):
            user = "%s-%d" % (self.user, index)
            self.init(user)
            made = [self.begin("d", user) for _ in range(5)]
            for session in made[:3]:
                self.end(session)
            return self.ended(user) == made[:3] and [session["_id"] for session in self.sessions(user)] == made
        self.assertEqual(harness.clients(8, live), [True] * 8)


class Elsewhere(ApiCase):
    """At another place than /api."""

    abstract = True
    prefix = "/reading/stats"

    def test_all_actions(self):
        self.init()
        session = self.begin()
        self.end(session)
        self.assertEqual(self.ended(), [session])
        self.assertEqual([session["_id"] for session in self.sessions()], [session])
        self.ok("removeSession", {"focusSession": session})
        self.assertEqual(self.server.health().status, 200)

    def test_not_at_api(self):
        reply = self.server.request("POST", "/api/FocusStats/initUser", b'{"user":"x"}', [("Content-Type", "application/json")])
        self.assertIn(reply.status, (404, 405))
        self.refused(404, ["x"], "_viewStats", {"user": "x"})


class Persistence(harness.Case):
    """What was stored is there after the server and the program were stopped and started again."""

    def test_after_a_restart(self):
        folder = self.folder()
        user = "reader of books"
        listed = {}
        for turn in range(3):
            responder = harness.Responder(folder)
            try:
                responder.start()
                if turn == 0:
                    self.assertEqual(responder.post("initUser", {"user": user}).status, 200)
                else:
                    self.assertEqual(responder.post("_getSessions", {"user": user}).json(), listed)
                for number in range(3):
                    reply = responder.post("startSession", {"user": user, "document": "%d/%d" % (turn, number), "library": "l"})
                    self.assertEqual(reply.status, 200)
                self.assertEqual(responder.post("endSession", reply.json()).status, 200)
                listed = responder.post("_getSessions", {"user": user}).json()
                self.assertEqual(len(listed), 3 * (turn + 1))
            finally:
                responder.stop()
                os.unlink(folder.socket)
            folder.assert_nothing_left()


harness.for_servers(globals(), Api, Elsewhere)

if __name__ == "__main__":
    tap.main(globals())
