"""Tests whose clock is theirs: a responder whose wall clock stands where the test has put it, and a new user for each test.

    class Thing(timed.TimedCase):
        def test_x(self):
            self.init()                                      self.user
            self.at("2025-11-10T08:00:00Z")                  the clock stands there; self.later(90) moves it on; self.now is it in ms
            session = self.start("a book")
            self.later(60)
            self.ok("heartbeat", {"focusSession": session})  the answer as JSON; it must be 200
            self.refused(409, ["ended"], "endSession", {"focusSession": session})
            self.list("_getSummary", {})                     the inner objects of a query's answer, for self.user unless it is told
"""

import datetime
import unittest
import uuid

import fcgi
import harness
import tap
from faults import Faults

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
DAY_MS = 86400000
HOUR_MS = 3600000
MINUTE_MS = 60000


def ms_of(text):
    """Milliseconds since 1970 of an instant as the program writes it, or with a Z right after the seconds."""
    pattern = "%Y-%m-%dT%H:%M:%S.%f%z" if "." in text else "%Y-%m-%dT%H:%M:%S%z"
    return (datetime.datetime.strptime(text, pattern) - EPOCH) // datetime.timedelta(milliseconds=1)


def instant(ms):
    """An instant as the program writes it; None stays None."""
    if ms is None:
        return None
    seconds, rest = divmod(ms, 1000)
    return "%s.%03dZ" % ((EPOCH + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S"), rest)


class Service:
    """A responder, its clock, and one kept connection to it."""

    def __init__(self, folder, settings=None, processes=1):
        self.faults = Faults(folder)
        self.responder = harness.Responder(folder, settings=self.faults.settings(settings), processes=processes)
        self.connection = None
        self.now = None

    def start(self):
        self.responder.start()
        return self

    def stop(self):
        self.hang_up()
        self.responder.stop()

    def hang_up(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def set_clock(self, ms):
        """None lets it run as the machine's does."""
        if ms is None:
            self.faults.clear("clock")
        else:
            self.faults.set("clock", str(ms))
        self.now = ms

    def post(self, action, fields, who=None):
        """One request; WHO is signed in."""
        extra = {"REMOTE_USER": who} if who is not None else None
        if self.connection is None:
            self.connection = self.responder.connect()
        try:
            return self.connection.ask("POST", "/FocusStats/" + action, harness.encode(fields), extra, keep=True)
        except Exception:
            self.hang_up()
            raise


class TimedCase(unittest.TestCase, metaclass=tap.Cases):
    """One responder for the tests of a class. The clock of each test begins at BEGIN."""

    maxDiff = None
    settings = {}
    BEGIN = "2025-11-10T12:00:00Z"

    @classmethod
    def setUpClass(cls):
        cls.folder = harness.TestFolder()
        cls.addClassCleanup(cls.folder.remove)
        cls.addClassCleanup(cls.folder.assert_clean)
        cls.service = Service(cls.folder, cls.settings)
        cls.addClassCleanup(cls.service.stop)
        try:
            cls.service.start()
        except BaseException:
            cls.folder.keep = True
            raise

    def setUp(self):
        self.addCleanup(self.folder.assert_clean)
        self.user = "user-" + uuid.uuid4().hex
        self.at(self.BEGIN)

    def run(self, result=None):
        before = harness.problems(result)
        try:
            return super().run(result)
        finally:
            if harness.problems(result) > before:
                self.folder.keep = True

    # The clock

    @property
    def now(self):
        return self.service.now

    def at(self, when):
        self.service.set_clock(ms_of(when) if isinstance(when, str) else when)

    def later(self, seconds):
        self.service.set_clock(self.now + round(seconds * 1000))

    # Requests

    def post(self, action, fields, who=None):
        return self.service.post(action, fields, who)

    def ok(self, action, fields, who=None):
        reply = self.post(action, fields, who)
        self.assertEqual(reply.status, 200, "%s %r: %r" % (action, fields, reply))
        return reply.json()

    def refused(self, status, words, action, fields, who=None):
        """The error is the only key, and says the WORDS."""
        reply = self.post(action, fields, who)
        self.assertEqual(reply.status, status, "%s %r: %r" % (action, fields, reply))
        self.assertEqual([key for key, _ in reply.pairs()], ["error"])
        for word in words:
            self.assertIn(word, reply.json()["error"])
        return reply.json()["error"]

    def list(self, query, fields, who=None):
        """The objects in the elements of a query's answer, each of which has one key."""
        elements = self.ok(query, {"user": self.user, **fields}, who)
        for element in elements:
            self.assertEqual(len(element), 1, element)
        return [next(iter(element.values())) for element in elements]

    def one(self, query, fields=None, who=None):
        """The same of a query whose answer has one element."""
        elements = self.list(query, fields or {}, who)
        self.assertEqual(len(elements), 1, elements)
        return elements[0]

    def init(self, user=None):
        return self.ok("initUser", {"user": user or self.user})["focusStats"]

    def begin(self, document="a book", user=None, **more):
        return self.ok("startSession", {"user": user or self.user, "document": document, "library": "home", **more})["focusSession"]

    def end(self, session, **more):
        return self.ok("endSession", {"focusSession": session, **more})["focusSession"]

    def add(self, start, end, document="a book", **more):
        """A session of the past; START and END as text or in ms."""
        start, end = (instant(when) if isinstance(when, int) else when for when in (start, end))
        return self.ok("addSession", {"user": self.user, "document": document, "library": "home", "startTime": start, "endTime": end,
                                      **more})["focusSession"]

    def sessions(self, **more):
        return self.list("_getSessions", more)

    def session(self, identity, **more):
        return next(session for session in self.sessions(**more) if session["_id"] == identity)

    def ended(self):
        return self.one("_viewStats")["focusSessionIds"]

    def keys(self, query, fields):
        """The keys of each element's object, in their order."""
        return [[key for key, _ in element[0][1]] for element in self.post(query, {"user": self.user, **fields}).pairs()]


__all__ = ["DAY_MS", "HOUR_MS", "MINUTE_MS", "Service", "TimedCase", "fcgi", "harness", "instant", "ms_of", "tap"]
