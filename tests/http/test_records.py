#!/usr/bin/env python3
"""Records of FastCGI that no web server sends, on the program's socket: of another version, of unknown types, with lengths that are not theirs, out of order,
cut off at each byte, changed by chance. Whatever comes, others are served at once, nothing is carried out that was not answered so, the connection is closed
in the end, and no descriptor stays behind. FOCUSSTATS_RECORDS_SEED repeats a run's changes; FOCUSSTATS_LONG=1 makes more of them.
"""

import os
import random
import resource
import select
import struct
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fcgi
import harness
import tap
import webclient

LONG = os.environ.get("FOCUSSTATS_LONG") == "1"
SEED = os.environ.get("FOCUSSTATS_RECORDS_SEED") or str(random.SystemRandom().randrange(1 << 32))
UNKNOWN_TYPE = 11
COMMITTING = 100  # the owner's own, to another process (src/gateway/relay.h)
# What may come back, and how long a connection whose other side sends no more stays open at most: the program waits 5 s for the rest of a request.
ANSWERS = {fcgi.STDOUT, fcgi.STDERR, fcgi.END_REQUEST, fcgi.GET_VALUES_RESULT, UNKNOWN_TYPE, COMMITTING}
CLOSED_SECONDS = 30
CHANGED = 300
ROUNDS = 30 if LONG else 0
AT_ONCE_SECONDS = 5
TOO_LONG = ": a request with a parameter of over 1048576 bytes: its connection is closed"


def begin(request_id=1, keep=False, role=fcgi.RESPONDER):
    return fcgi.record(fcgi.BEGIN_REQUEST, request_id, struct.pack(">HB5x", role, fcgi.KEEP_CONN if keep else 0))


def header(version, kind, request_id, size, padding, content=b""):
    """A record whose lengths need not be those of what follows."""
    return struct.pack(">BBHHBx", version, kind, request_id, size, padding) + content


def params(method="GET", path="/FocusStats/health", body=b"", extra=None):
    return fcgi.pairs(fcgi.request_params(method, path, body, extra))


def request(method="GET", path="/FocusStats/health", body=b"", extra=None, request_id=1, keep=False):
    return (begin(request_id, keep) + fcgi.stream(fcgi.PARAMS, request_id, params(method, path, body, extra))
            + fcgi.stream(fcgi.STDIN, request_id, body))


def start(session, **more):
    """A request that writes, no longer than need be."""
    body = harness.encode({"user": "u", "document": "d", "library": "l", "focusSession": session})
    names = {"REQUEST_METHOD": "POST", "PATH_INFO": "/FocusStats/startSession", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
             **more}
    return begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(names)) + fcgi.stream(fcgi.STDIN, 1, body)


GOOD = request()
KEPT = request(keep=True)
PARAMS = fcgi.stream(fcgi.PARAMS, 1, params())
POST = fcgi.stream(fcgi.PARAMS, 1, params("POST", "/FocusStats/initUser", b"{}"))
END = fcgi.record(fcgi.STDIN, 1)
ABORT = fcgi.record(fcgi.ABORT_REQUEST, 1)
VALUES = fcgi.record(fcgi.GET_VALUES, 0, fcgi.pairs({"FCGI_MAX_CONNS": "", "FCGI_MAX_REQS": "", "FCGI_MPXS_CONNS": "", "X": ""}))

NAMES = params()
PADDED = b"".join([fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1\0\0\0\0\0\0", 255), fcgi.record(fcgi.PARAMS, 1, NAMES, 255), fcgi.record(fcgi.PARAMS, 1, b"", 255),
                   fcgi.record(fcgi.STDIN, 1, b"", 255)])


def named(data):
    """A request with such a stream of parameters."""
    return begin() + fcgi.stream(fcgi.PARAMS, 1, data) + END


# What is sent, and what is answered: the status of a request, "ended N" for one that ends without an answer and with that protocol status, "values" and
# "unknown type" for the records of those names. Behind a request without FCGI_KEEP_CONN, and behind one that follows before the first is answered, as no
# server sends it (FCGI_MPXS_CONNS is 0), the connection is closed. A web server's roles other than responder are answered as that.
SHAPES = [
    ("nothing", b"", []),
    ("one whole request", GOOD, [200]),
    ("two on a connection, not waiting", KEPT + GOOD, [200]),
    ("the largest id", request(request_id=65535), [200]),
    ("padding", PADDED, "any"),
    ("version 0", header(0, fcgi.BEGIN_REQUEST, 1, 8, 0, b"\0\1\0\0\0\0\0\0") + PARAMS + END, []),
    ("version 2 behind a good record", begin() + header(2, fcgi.PARAMS, 1, len(NAMES), 0, NAMES) + END, "any"),
    ("HTTP", b"POST /FocusStats/health HTTP/1.0\r\n\r\n", []),
    ("zeros", b"\0" * 1000, []),
    ("ones", b"\xff" * 1000, []),
    ("an unknown type", header(1, 99, 0, 8, 0, b"abcdefgh") + GOOD, "any"),
    ("an unknown type with an id", header(1, 99, 1, 4, 0, b"abcd") + GOOD, [200]),
    ("an unknown type within", begin() + header(1, 99, 1, 4, 0, b"abcd") + PARAMS + END, "any"),
    ("type 0", header(1, 0, 1, 0, 0) + GOOD, []),
    ("values", VALUES + GOOD, ["values", 200]),
    ("values within", begin() + VALUES + PARAMS + END, ["values", 200]),
    ("values alone", VALUES, []),
    ("values with an id", header(1, fcgi.GET_VALUES, 1, 0, 0) + GOOD, []),
    ("values cut off", header(1, fcgi.GET_VALUES, 0, 2, 0, b"\xff\0") + GOOD, []),
    ("values of 2^30 bytes", fcgi.record(fcgi.GET_VALUES, 0, b"\xc0\0\0\0\xc0\0\0\0") + GOOD, []),
    ("no values", header(1, fcgi.GET_VALUES, 0, 0, 0) + GOOD, ["values", 200]),
    ("a short begin", header(1, fcgi.BEGIN_REQUEST, 1, 2, 0, b"\0\1") + PARAMS + END, []),
    ("a long begin", header(1, fcgi.BEGIN_REQUEST, 1, 16, 0, b"\0\1" + b"\0" * 14) + PARAMS + END, []),
    ("an empty begin", header(1, fcgi.BEGIN_REQUEST, 1, 0, 0) + PARAMS + END, []),
    ("begun twice", begin() + begin() + PARAMS + END, ["ended 1", 200]),
    ("another begun within", begin() + begin(2) + PARAMS + END, ["ended 1", 200]),
    ("two at once", begin(1) + begin(2) + PARAMS + fcgi.stream(fcgi.PARAMS, 2, NAMES) + fcgi.record(fcgi.STDIN, 2) + END, "any"),
    ("id 0", begin(0) + fcgi.stream(fcgi.PARAMS, 0, NAMES) + fcgi.record(fcgi.STDIN, 0), []),
    ("an authorizer", begin(role=fcgi.AUTHORIZER) + PARAMS + END, [200]),
    ("a filter", begin(role=fcgi.FILTER) + PARAMS + END, [200]),
    ("role 0", begin(role=0) + PARAMS + END, []),
    ("role 999", begin(role=999) + PARAMS + END, []),
    ("parameters first", PARAMS + END, []),
    ("standard input first", END, []),
    ("standard input before the parameters", begin() + END + PARAMS, [404]),
    ("standard input amid the parameters", begin() + fcgi.record(fcgi.PARAMS, 1, NAMES[:20]) + fcgi.record(fcgi.STDIN, 1, b"{}")
     + fcgi.record(fcgi.PARAMS, 1, NAMES[20:]) + END, []),
    ("parameters of another", begin() + fcgi.stream(fcgi.PARAMS, 2, NAMES) + PARAMS + END, "any"),
    ("standard input of another", begin() + PARAMS + fcgi.stream(fcgi.STDIN, 2, b"xx") + END, [200]),
    ("parameters byte by byte", begin() + fcgi.stream(fcgi.PARAMS, 1, NAMES, piece=1) + END, [200]),
    ("no parameters", named(b""), [404]),
    ("parameters without an end", begin() + fcgi.record(fcgi.PARAMS, 1, NAMES) + END, "any"),
    ("lengths beyond the end", named(b"\x10\x10abc"), []),
    ("a name of 2^31-1 bytes", named(b"\xff\xff\xff\xff\0abc"), []),
    ("a value of 2^31-1 bytes", named(b"\3\xff\xff\xff\xffabc"), []),
    ("both of 2^31-1 bytes", named(b"\xff\xff\xff\xff\xff\xff\xff\xffabc"), []),
    ("a name of 1 GiB", named(b"\xc0\0\0\0\0abc"), []),
    ("both of 2^30 bytes", named(b"\xc0\0\0\0\xc0\0\0\0abc"), []),
    ("a value of 2^31-3 bytes, in two records", begin() + fcgi.record(fcgi.PARAMS, 1, NAMES + b"\1\xff")
     + fcgi.stream(fcgi.PARAMS, 1, b"\xff\xff\xfdabc") + END, []),
    ("the same, with those of another between", begin() + fcgi.record(fcgi.PARAMS, 1, NAMES + b"\1\xff") + fcgi.record(fcgi.PARAMS, 2, b"\0" * 99)
     + fcgi.stream(fcgi.PARAMS, 1, b"\xff\xff\xfdabc") + END, []),
    ("the same behind standard input of another", begin() + fcgi.record(fcgi.STDIN, 2) + fcgi.stream(fcgi.PARAMS, 1, b"\xc0\0\0\0\xc0\0\0\0abc") + END, []),
    ("the same behind a begin of no request", begin(0) + begin() + fcgi.stream(fcgi.PARAMS, 1, b"\xc0\0\0\0\xc0\0\0\0abc") + END, []),
    ("a length cut off", named(b"\x80"), []),
    ("names and values of no length", named(b"\0\0" * 50 + NAMES), [200]),
    ("NUL in a name and a value", named(NAMES + fcgi.pairs({"A\0B": "c\0d"})), [200]),
    ("2,000 parameters of 200 bytes", named(NAMES + fcgi.pairs([("X%d" % i, "y" * 200) for i in range(2000)])), [200]),
    ("a length that is too great", begin() + header(1, fcgi.PARAMS, 1, 65535, 0, NAMES), []),
    ("a length that is too small", begin() + header(1, fcgi.PARAMS, 1, len(NAMES) - 7, 0, NAMES) + END, []),
    ("an abort alone", ABORT, []),
    ("an abort first", ABORT + GOOD, []),
    ("an abort behind the begin", begin() + ABORT, []),
    ("the same, and another request", begin(keep=True) + ABORT + GOOD, "any"),
    ("an abort amid the parameters", begin() + fcgi.record(fcgi.PARAMS, 1, NAMES[:20]) + ABORT, []),
    ("an abort behind the parameters", begin() + POST + ABORT, "any"),
    ("an abort amid standard input", begin() + POST + fcgi.record(fcgi.STDIN, 1, b"{") + ABORT + END, [400]),
    ("an abort behind the request", GOOD + ABORT, [200]),
    ("an abort of another", begin() + fcgi.record(fcgi.ABORT_REQUEST, 7) + PARAMS + END, "any"),
    ("an abort with content", begin() + header(1, fcgi.ABORT_REQUEST, 1, 5, 0, b"abcde") + PARAMS + END, "any"),
    ("data", begin() + fcgi.record(fcgi.DATA, 1, b"x") + PARAMS + END, "any"),
    ("standard output, from a server", begin() + fcgi.record(fcgi.STDOUT, 1, b"x") + PARAMS + END, "any"),
    ("an end, from a server", begin() + fcgi.record(fcgi.END_REQUEST, 1, b"\0" * 8) + PARAMS + END, "any"),
    ("more standard input than told", request("POST", "/FocusStats/_viewStats", b'{"user":"u"}', {"CONTENT_LENGTH": "4"}), [400]),
    ("less standard input than told", request("POST", "/FocusStats/_viewStats", b'{"user":"u"}', {"CONTENT_LENGTH": "40"}), [400]),
    ("standard input behind its end", KEPT + END + END, [200]),
]


class Sent:
    """A connection on which something was sent, and then no more. It is closed by the program, sooner or later."""

    def __init__(self, path, data):
        self.connection = fcgi.Connection(path)
        self.socket = self.connection.socket
        self.received = b""
        self.reset = self.closed = False
        self.begun = time.monotonic()
        try:
            self.connection.send(data)
            self.socket.shutdown(1)
        except OSError:
            pass  # given up before it was all sent
        self.socket.setblocking(False)

    def receive(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            self.reset = True
            data = b""
        self.received += data
        if not data:
            self.closed = True
            self.connection.close()

    def answers(self):
        """As in SHAPES; with the bodies of those that have one. ValueError where it is no FastCGI."""
        found, output, at = [], b"", 0
        while at < len(self.received):
            version, kind, _, size, padding = struct.unpack_from(">BBHHB", self.received.ljust(at + 8, b"\0"), at)
            content = self.received[at + 8:at + 8 + size]
            at += 8 + size + padding
            if version != 1 or kind not in ANSWERS or (at > len(self.received) and not self.reset):
                raise ValueError("no answer in FastCGI: %r" % self.received)
            if kind == fcgi.STDOUT:
                output += content
            elif kind == fcgi.END_REQUEST:
                found.append(webclient.parse_cgi(output) if output else "ended %d" % content[4])
                output = b""
            elif kind not in (fcgi.STDERR, COMMITTING):
                found.append("values" if kind == fcgi.GET_VALUES_RESULT else "unknown type")
        return found


class Records(harness.Case):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.watched = self.folder()
        # libfcgi loses the few bytes of a stream where a request breaks the protocol (fcgiapp.c, NewReader); no web server's does.
        self.watched.leaks = False
        self.service = self.start(harness.Responder(self.watched, {"FOCUSSTATS_THREADS": "8"}))
        self.assertEqual(self.service.post("initUser", {"user": "u"}).status, 200)
        self.log = self.watched.log_text()
        self.kept = self.service.connect()
        self.addCleanup(self.kept.close)
        self.slowest = 0
        self.check_served()
        self.descriptors = self.count_descriptors()

    def count_descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.service.pids[0]))

    def check_served(self):
        """Another connection is."""
        begun = time.monotonic()
        reply = self.kept.ask("POST", "/FocusStats/setDocument", b'{"user":"u","document":"d"}', keep=True)
        self.assertEqual(reply.status, 200)
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def send_all(self, inputs, relayed=()):
        """All at the same time, RELAYED to the socket on which the program's processes talk to one another; and when the program has closed them all it
        is as before."""
        sent = []
        paths = [self.watched.socket] * len(inputs) + [os.path.join(self.watched.home, "relay.sock")] * len(relayed)
        for path, data in zip(paths, [*inputs, *relayed]):
            sent.append(Sent(path, data))
            self.check_served()
        waiting = {one.socket.fileno(): one for one in sent}
        poll = select.poll()
        for number in waiting:
            poll.register(number, select.POLLIN)
        deadline = time.monotonic() + CLOSED_SECONDS
        while waiting and time.monotonic() < deadline:
            for number, _ in poll.poll(100):
                waiting[number].receive()
                if waiting[number].closed:
                    poll.unregister(number)
                    del waiting[number]
            self.check_served()
        self.assertFalse(waiting, "still open after %d s" % CLOSED_SECONDS)
        harness.wait_until(lambda: self.count_descriptors() <= self.descriptors, "no descriptor stays behind")
        self.assertLess(self.slowest, AT_ONCE_SECONDS)
        said = self.watched.log_text()[len(self.log):].splitlines()
        self.assertEqual([line for line in said if not line.endswith(TOO_LONG) and " lines were dropped here" not in line], [])
        return sent

    def sessions(self):
        return {element["focusSession"]["_id"] for element in self.service.post("_getSessions", {"user": "u"}).json()}

    @staticmethod
    def acknowledged(answers):
        """The session that was made, if one was."""
        return {answer.json()["focusSession"] for answer in answers
                if getattr(answer, "status", 0) == 200 and answer.body.startswith(b'{"focusSession":')}

    def changes(self, chance):
        """For either socket."""
        relay = {"FOCUSSTATS_NOW": "1762776000000", "FOCUSSTATS_DEADLINE": "99999999999999", "FOCUSSTATS_AUTH": "none"}
        return ([change(chance, start(str(uuid.uuid4()))) for _ in range(CHANGED)],
                [change(chance, start(str(uuid.uuid4()), **relay)) for _ in range(CHANGED // 3)])

    @tap.limit(1800 if LONG else tap.LIMIT_SECONDS)
    def test_all(self):
        """Shapes with a name, a request that writes cut off at each byte, and others changed by chance; all at once, so that what the program waits for it
        waits for at the same time. In the long form, thousands of changes more."""
        chance = random.Random(SEED)
        print("# FOCUSSTATS_RECORDS_SEED=%s" % SEED, flush=True)
        ids = [str(uuid.UUID(int=number, version=4)) for number in range(1, 1000)]
        whole = [start(identity) for identity in ids]
        cut = [whole[size][:size] for size in range(len(whole[0]) + 1)]
        changed, relayed = self.changes(chance)
        sent = self.send_all([data for _, data, _ in SHAPES] + cut + changed, relayed)
        self.check_shapes(sent)
        self.check_cut(sent[len(SHAPES):len(SHAPES) + len(cut)], ids)
        self.check_changed(sent[len(SHAPES) + len(cut):])
        count = len(changed) + len(relayed)
        for _ in range(ROUNDS):
            changed, relayed = self.changes(chance)
            self.check_changed(self.send_all(changed, relayed))
            count += len(changed) + len(relayed)
        print("# %d shapes, %d cuts, %d changes; the slowest other request took %.0f ms" % (len(SHAPES), len(cut), count, 1000 * self.slowest), flush=True)

    def check_shapes(self, sent):
        for (name, _, wanted), one in zip(SHAPES, sent):
            found = [getattr(answer, "status", answer) for answer in one.answers()]
            self.assertLessEqual(set(found), {200, 400, 404, "ended 1", "values", "unknown type"}, name)
            if wanted != "any":
                self.assertEqual(found, wanted, name)

    def check_cut(self, sent, ids):
        """Only the whole one is carried out, and what lacks the mark of its end at most."""
        written = set()
        for one, identity in zip(sent, ids):
            made = self.acknowledged(one.answers())
            self.assertLessEqual(made, {identity})
            written |= made
        self.assertIn(ids[len(sent) - 1], written)
        self.assertLessEqual(written, set(ids[len(sent) - 9:len(sent)]))
        self.assertEqual(self.sessions() & set(ids), written)

    def check_changed(self, sent):
        """Answers are answers, and what was acknowledged is there."""
        acknowledged = set()
        for one in sent:
            answers = one.answers()
            acknowledged |= self.acknowledged(answers)
            for answer in answers:
                self.assertIn(getattr(answer, "status", 200), (200, 400, 404, 405, 409, 413, 415, 503), answer)
        self.assertLessEqual(acknowledged, self.sessions())


def change(chance, data):
    """DATA with one to four changes: bytes set, taken out, put in, records doubled or swapped."""
    data = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        place = chance.randrange(len(data))
        kind = chance.randrange(6)
        if kind == 0:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[place] = chance.choice((0, 1, 2, 5, 127, 128, 255, chance.randrange(256)))
        elif kind == 2:
            del data[place:place + chance.randrange(1, 20)]
        elif kind == 3:
            data[place:place] = chance.randbytes(chance.randrange(1, 20))
        elif kind == 4:
            data[place:place] = fcgi.record(chance.randrange(13), chance.randrange(3), chance.randbytes(chance.randrange(20)), chance.randrange(9))
        else:
            other = chance.randrange(len(data))
            data[place:place] = data[other:other + chance.randrange(1, 40)]
        data = data or bytearray(b"\0")
    return bytes(data)


if __name__ == "__main__":
    tap.main(globals())
