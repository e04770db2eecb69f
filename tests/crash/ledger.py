"""Clients that start, end and remove sessions, and what they were told.

    ledger = Ledger()
    writers = Writers(ledger, 32, connect)          connect() -> something with post(action, fields) -> Reply, and close(); one for each thread
    writers.start(); ...; writers.stop()
    ledger.acknowledged                             writes that were answered with success
    ledger.wait_flow(...)                           until a write that was sent after this moment is acknowledged

Every answer is one of four:
    DONE       success: it is on the disk
    REFUSED    the action said no (400, 404, 409): nothing was stored; 503 that says that it was not carried out: neither
    MAYBE      no answer, an answer of the web server's own, or 503 that says that it may have been carried out

A client is told nonsense when it is refused what it may do: the end of a session of its own that it did not end, and so on. That is kept as well.
Each user has a few clients, each session is one client's alone, and each document is started once, so that what became of a request
without an answer can be seen afterwards by its document.
"""

import json
import random
import threading
import time

DONE, REFUSED, UNAVAILABLE, MAYBE = "done", "refused", "unavailable", "maybe"
USERS = 8
PAUSE_SECONDS = 0.01


def outcome(reply):
    """What an answer says of a write."""
    if reply is None:
        return MAYBE
    try:
        told = reply.json()
    except ValueError:
        return MAYBE
    if reply.status == 200:
        return DONE
    if not isinstance(told, dict) or "error" not in told:
        return MAYBE
    if reply.status == 503:
        if reply.header("Retry-After") is None:
            raise AssertionError("503 without Retry-After: %r" % reply)
        return MAYBE if "may have been carried out" in told["error"] else UNAVAILABLE
    if reply.status in (400, 404, 409):
        return REFUSED
    raise AssertionError("not an answer to a write: %r" % reply)


class Session:
    """A session as its client knows it. Times are pairs (sent, answered) in ms since 1970."""

    def __init__(self, user, document, started):
        self.user = user
        self.document = document
        self.started = started
        self.id = None
        self.start = None
        self.end = None
        self.ended = None
        self.remove = None

    def __repr__(self):
        return "<%s of %s: id %s, start %s, end %s, remove %s>" % (self.document, self.user, self.id, self.start, self.end, self.remove)


class Ledger:
    """What all clients together were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sessions = []
        self.users = {}
        self.nonsense = []
        self.counts = {DONE: 0, REFUSED: 0, UNAVAILABLE: 0, MAYBE: 0}
        self.texts = {}
        self.acknowledged = 0
        self.latest_sent = 0.0
        self.slowest = {DONE: 0.0, REFUSED: 0.0, UNAVAILABLE: 0.0, MAYBE: 0.0}
        self.done_times = []
        self.flow = threading.Condition(self.lock)

    def told(self, what, sent, answered, reply, writes=True):
        """Counts an answer; the times are of time.monotonic(). That of a read is none that wait_flow waits for."""
        with self.lock:
            self.counts[what] += 1
            self.slowest[what] = max(self.slowest[what], answered - sent)
            self.acknowledged += what == DONE and writes
            if what == DONE:
                self.done_times.append((sent, answered))
                if writes and sent > self.latest_sent:
                    self.latest_sent = sent
                    self.flow.notify_all()
            elif reply is not None:
                text = "%d %s" % (reply.status, reply.body[:120].decode("utf-8", "replace").strip())
                self.texts[text] = self.texts.get(text, 0) + 1

    def wait_flow(self, seconds=30):
        """Waits until a write that is sent from now on is acknowledged; returns how long that took."""
        begun = time.monotonic()
        with self.flow:
            if not self.flow.wait_for(lambda: self.latest_sent > begun, seconds):
                raise AssertionError("no write was acknowledged within %g s; answers: %s" % (seconds, self.texts))
        return time.monotonic() - begun

    def wait_count(self, what, count, seconds=30):
        """Waits until there are COUNT more answers of a kind than now."""
        before = self.counts[what]
        deadline = time.monotonic() + seconds
        while self.counts[what] < before + count:
            if time.monotonic() > deadline:
                raise AssertionError("only %d of %d answers of the kind '%s' within %g s; answers: %s"
                                     % (self.counts[what] - before, count, what, seconds, self.texts))
            time.sleep(0.005)

    def wrong(self, text, *values):
        with self.lock:
            self.nonsense.append(text % values)

    def add(self, session):
        with self.lock:
            self.sessions.append(session)

    def summary(self):
        return ", ".join("%d %s" % (count, what) for what, count in self.counts.items())


class Writer:
    """One client."""

    def __init__(self, ledger, index, connect):
        self.ledger = ledger
        self.index = index
        self.connect = connect
        self.connection = None
        self.user = "user-%d" % (index % USERS)
        self.random = random.Random(index)
        self.open = []
        self.ended = []
        self.number = 0

    def ask(self, action, fields):
        """Sends one write. Returns its outcome, what came back, and when it was sent and answered in wall clock ms."""
        reply = None
        sent_ms, sent = time.time() * 1000, time.monotonic()
        try:
            if self.connection is None:
                self.connection = self.connect()
            reply = self.connection.post(action, fields)
        except Exception:  # whatever it was, there is no answer
            self.close()
        what = outcome(reply)
        self.ledger.told(what, sent, time.monotonic(), reply)
        return what, reply, (sent_ms, time.time() * 1000)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def begin(self, stopping):
        while not stopping.is_set():
            what, reply, _ = self.ask("initUser", {"user": self.user})
            if what == DONE:
                with self.ledger.lock:
                    if self.user in self.ledger.users:
                        self.ledger.nonsense.append("user %s was initialised twice" % self.user)
                    self.ledger.users[self.user] = reply.json()["focusStats"]
                return
            if what == REFUSED and reply.status == 409:
                return
            time.sleep(PAUSE_SECONDS)

    def step(self):
        chance = self.random.random()
        if chance < 0.5 or not self.open + self.ended:
            return self.start_session()
        if chance < 0.9 and self.open:
            return self.end_session(self.open.pop(self.random.randrange(len(self.open))))
        among = self.random.choice([kind for kind in (self.open, self.ended) if kind])
        return self.remove_session(among.pop(self.random.randrange(len(among))))

    def start_session(self):
        self.number += 1
        document = "document-%d-%d" % (self.index, self.number)
        what, reply, when = self.ask("startSession", {"user": self.user, "document": document, "library": "library"})
        session = Session(self.user, document, when)
        session.start = what
        if what == DONE:
            session.id = reply.json()["focusSession"]
            self.open.append(session)
        elif what == REFUSED:
            self.ledger.wrong("start of %s: %r", session, reply)
        self.ledger.add(session)
        return what

    def end_session(self, session):
        """Goes on until it is known whether the session has ended, as a client would."""
        what, reply, when = self.ask("endSession", {"focusSession": session.id})
        maybe_before = session.end == MAYBE
        if what == REFUSED and not (maybe_before and reply.status == 409):
            self.ledger.wrong("end of %s: %r", session, reply)
        if what == MAYBE and not maybe_before:
            session.ended = when
        if what == MAYBE or (what == UNAVAILABLE and maybe_before):
            session.end = MAYBE
            session.ended = (session.ended[0], when[1])
            self.open.append(session)
        elif what == UNAVAILABLE:
            self.open.append(session)
        else:
            session.end = DONE
            session.ended = (session.ended[0], when[1]) if maybe_before else when
            self.ended.append(session)
        return what

    def remove_session(self, session):
        what, reply, _ = self.ask("removeSession", {"focusSession": session.id})
        if what == REFUSED:
            self.ledger.wrong("removal of %s: %r", session, reply)
        if what == UNAVAILABLE:
            (self.ended if session.end == DONE else self.open).append(session)
        else:
            session.remove = what
        return what


class Threads:
    """One for each client, which go on step by step until they are stopped. A client has begin(stopping), step() and close(); PAUSE are seconds between
    steps that are carried out."""

    def __init__(self, clients, pause=0.0):
        self.stopping = threading.Event()
        self.failures = []
        self.pause = pause
        self.threads = [threading.Thread(target=self.run, args=(client,), daemon=True) for client in clients]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def run(self, client):
        try:
            client.begin(self.stopping)
            while not self.stopping.is_set():
                if client.step() != DONE:
                    self.stopping.wait(PAUSE_SECONDS)
                elif self.pause:
                    self.stopping.wait(self.pause)
        except BaseException as error:  # stop() raises it
            self.failures.append(error)
        finally:
            client.close()

    def stop(self, seconds=60):
        self.stopping.set()
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self.threads):
            raise AssertionError("a client waits still after %g s" % seconds)
        if self.failures:
            raise self.failures[0]


class Writers(Threads):
    """Threads that write without a pause until they are stopped."""

    def __init__(self, ledger, count, connect, first=0):
        super().__init__([Writer(ledger, first + index, connect) for index in range(count)])


class HttpClient:
    """A kept HTTP connection to a running server of harness.py."""

    def __init__(self, server, timeout=60):
        self.server = server
        self.client = server.client(timeout)

    def post(self, action, fields):
        return self.client.request("POST", self.server.url(action), json.dumps(fields).encode(), [("Content-Type", "application/json")])

    def close(self):
        self.client.close()


class FcgiClient:
    """A FastCGI connection to a responder of harness.py; kept, or a new one for each request."""

    def __init__(self, responder, keep=True, timeout=60):
        self.responder = responder
        self.keep = keep
        self.timeout = timeout
        self.connection = None

    def post(self, action, fields):
        return self.ask(action, fields)

    def ask(self, action, fields):
        """With fields of None a GET."""
        try:
            if self.connection is None:
                self.connection = self.responder.connect(self.timeout)
            method, body = ("POST", json.dumps(fields).encode()) if fields is not None else ("GET", b"")
            return self.connection.ask(method, "/FocusStats/" + action, body, keep=self.keep)
        finally:
            if not self.keep:
                self.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
