#!/usr/bin/env python3
"""Processes that have a listening socket each, as lighttpd and mod_fcgid start them: those that do not own the store hand theirs over to the owner, which
serves what comes in on them itself. Whoever of them ends, in whatever way, the others go on."""

import fcntl
import os
import random
import re
import signal
import socket
import struct
import threading
import time

from common import LONG, CrashCase, expected_lines, harness, note, ready_for_signals

import fcgi  # noqa: E402
import tap  # noqa: E402
from folder import F_OFD_SETLK  # noqa: E402
from ledger import FcgiClient, Ledger, Writers  # noqa: E402
from watch import owners  # noqa: E402

PROCESSES = 4
RELAY_TIMEOUT_MS = 400
# The front looks once a second whether the owner works, and again for its answer; and a loaded machine.
MARGIN_SECONDS = 6.0
# In src/gateway/lent.h.
LENT_MAX = 64
SESSION = {"user": "u", "document": "d", "library": "l"}
LINES = [r"owner of \S+ since recovery \(\d+ ms\)", r"no longer the owner of \S+"]
# What makes a difference to the owner's answers, and what does not.
DIFFERENT = [
    ("who signs in", {"FOCUSSTATS_AUTH": "required"}, 401),
    ("who administers", {"FOCUSSTATS_AUTH": "required", "FOCUSSTATS_ADMINS": "a"}, 401),
    ("the service's names", {"FOCUSSTATS_HOSTS": "reader.example"}, 200),
    ("any name", {"FOCUSSTATS_HOSTS": "*"}, 200),
    ("origins", {"FOCUSSTATS_CORS_ORIGIN": "https://reader.example"}, 200),
    ("the size of a body", {"FOCUSSTATS_MAX_BODY": "1024"}, 200),
    ("refusals", {"FOCUSSTATS_ERROR_STATUS": "200"}, 200),
]
ALIKE = {"FOCUSSTATS_THREADS": "3", "FOCUSSTATS_RELAY_TIMEOUT": "4000"}


class Own(harness.Responder):
    """A process with a listening socket of its own."""

    def __init__(self, folder, name, settings=None):
        super().__init__(folder, settings)
        self.path = folder.join("run", name + ".sock")

    def start(self):
        self.folder.socket = self.path
        return super().start()

    def connect(self, timeout=harness.DEADLINE_SECONDS):
        return fcgi.Connection(self.path, timeout)

    @property
    def inode(self):
        return os.fstat(self.listener.fileno()).st_ino

    def again(self):
        """Another process on the same socket."""
        self.children.clear()
        ready_for_signals(self.start_one())


def sockets_of(pid):
    """The inodes of its sockets, one for each descriptor."""
    found = []
    for entry in os.listdir("/proc/%d/fd" % pid):
        try:
            name = re.fullmatch(r"socket:\[(\d+)\]", os.readlink("/proc/%d/fd/%s" % (pid, entry)))
        except OSError:
            continue
        if name:
            found.append(int(name.group(1)))
    return found


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def health(responder):
    return responder.ask("GET", "/FocusStats/health").status


class Handover(CrashCase):
    """What the tests have in common."""

    def several(self, folder, count=PROCESSES, settings=None):
        return [self.start(Own(folder, "own-%d" % number, settings)) for number in range(count)]

    @staticmethod
    def owner_of(folder):
        return harness.wait_until(lambda: owners(folder), "one of the processes owns the store")[0]

    def wait_handed_over(self, folder, responders):
        """Asks each one, which hands its socket over when the owner has answered; returns the owner."""
        def has_all():
            statuses = [health(responder) for responder in responders]
            owner = owners(folder)
            return statuses == [200] * len(responders) and owner and {one.inode for one in responders} <= set(sockets_of(owner[0])) and owner[0]
        return harness.wait_until(has_all, "the owner has the sockets of all")

    def split(self, folder, responders):
        """The one whose process is the owner, and the others."""
        owner = self.owner_of(folder)
        return ([one for one in responders if owner in one.pids][0], [one for one in responders if owner not in one.pids])

    @staticmethod
    def writers(ledger, responders, count):
        """Each with a new connection for every request, to one of the processes after the other."""
        return Writers(ledger, count, lambda turn=iter(range(10 ** 9)): FcgiClient(responders[next(turn) % len(responders)], keep=False))


class Served(Handover):
    """By the owner itself."""

    def test_without_the_process_in_front(self):
        """It stands still, and what comes in on its socket is answered; each request is counted once, as one of the owner's."""
        folder = self.watched()
        responders = self.several(folder)
        owner = self.wait_handed_over(folder, responders)
        self.assertEqual(responders[0].post("initUser", {"user": "u"}).status, 200)
        others = self.split(folder, responders)[1]
        for one in others:
            self.addCleanup(self.go_on, one.pids[0])
            os.kill(one.pids[0], signal.SIGSTOP)
        for one in others:
            self.assertEqual([one.post("startSession", SESSION).status for _ in range(10)], [200] * 10)
        page = others[0].ask("GET", "/FocusStats/metrics").body.decode()
        self.assertIn('focusstats_requests_total{action="startSession",status="200"} %d\n' % (10 * len(others)), page)
        self.assertIn("focusstats_owner_pid %d\n" % owner, page)
        for one in others:
            self.go_on(one.pids[0])
        for one in responders:
            one.stop()
        self.assertEqual(len(self.read(folder).sessions), 10 * len(others))
        expected_lines(folder, LINES)

    def test_behind_lighttpd(self):
        """As its site file has it: each of its processes has a socket of its own, and in the end the owner all of them."""
        folder = self.watched()
        server = self.start(harness.Lighttpd(folder))

        def listeners(pid):
            with open("/proc/net/unix", encoding="utf-8") as file:
                listening = {int(fields[6]): fields[-1] for fields in map(str.split, file) if len(fields) == 8 and fields[3] == "00010000"}
            return sorted(listening[inode] for inode in set(sockets_of(pid)) if "lighttpd" in listening.get(inode, ""))

        def has_all():
            harness.clients(8, lambda _: self.assertEqual(server.health().status, 200))
            return len(listeners(self.owner_of(folder))) == 4
        harness.wait_until(has_all, "the owner has four sockets of lighttpd")
        self.assertEqual(server.post("initUser", {"user": "u"}).status, 200)
        harness.clients(8, lambda _: [self.assertEqual(server.post("startSession", SESSION).status, 200) for _ in range(20)])
        server.stop()
        self.assertEqual(len(self.read(folder).sessions), 160)

    def test_one_after_the_other(self):
        """Single requests while sockets are handed over and taken back: none waits for the next one to come."""
        folder = self.watched()
        responders = self.several(folder, 2)
        for _ in range(100 if LONG else 10):
            self.wait_handed_over(folder, responders)
            other = self.split(folder, responders)[1][0]
            folder.watch.kill(other.pids[0])
            other.children[0].wait()
            other.again()
            for _ in range(20):
                self.assertEqual(health(other), 200)
        for one in responders:
            one.stop()
        self.read(folder)

    def test_one_socket_of_several(self):
        """The owner has it already: they go on sharing it."""
        folder = self.watched()
        responder = self.start(harness.Responder(folder, processes=3))
        inode = os.fstat(responder.listener.fileno()).st_ino
        owner = self.owner_of(folder)
        # The owner's connections are kept busy, so that the others have some.
        harness.clients(24, lambda _: [self.assertEqual(health(responder), 200) for _ in range(20)])
        self.assertEqual([sockets_of(pid).count(inode) for pid in [owner, *responder.pids]], [1] * 4)
        responder.stop()
        self.read(folder)
        expected_lines(folder, LINES)

    @tap.cases([(name, settings, status) for name, settings, status in DIFFERENT])
    def test_other_settings(self, settings, status):
        """Who has other settings keeps its socket, and each one answers by its own; settings that no request depends on make no difference."""
        folder = self.watched()
        first = self.start(Own(folder, "first"))
        other = Own(folder, "other", settings)
        other.wait_ready = lambda: None
        self.start(other)
        alike = self.start(Own(folder, "alike", ALIKE))
        owner = self.wait_handed_over(folder, [first, alike])
        self.assertEqual(first.pids, [owner])
        self.assertEqual(first.post("initUser", {"user": "u"}).status, 200)
        for _ in range(5):
            signed_in = {"REMOTE_USER": "u"} if status == 401 else {}
            self.assertEqual(other.post("startSession", SESSION).status, status)
            self.assertEqual(other.post("startSession", SESSION, signed_in).status, 200)
            for one in (first, alike):
                self.assertEqual(one.post("startSession", SESSION).status, 200)
        self.check_policy(other, settings)
        self.assertNotIn(other.inode, sockets_of(owner))
        self.assertIn(alike.inode, sockets_of(owner))
        for one in (other, alike, first):
            one.stop()
        self.read(folder)

    def check_policy(self, other, settings):
        """What of the answers shows that they go by these settings."""
        long = {**SESSION, "user": "v" * 200, "document": "d" * 900}
        origin = other.ask("GET", "/FocusStats/health", extra={"HTTP_ORIGIN": "https://reader.example"}).header("Access-Control-Allow-Origin")
        self.assertEqual(origin, settings.get("FOCUSSTATS_CORS_ORIGIN"))
        self.assertEqual(other.post("startSession", long).status == 413, "FOCUSSTATS_MAX_BODY" in settings)
        self.assertEqual(other.post("endSession", {}).status == 200, "FOCUSSTATS_ERROR_STATUS" in settings)
        by_name = other.ask("GET", "/FocusStats/health", extra={"HTTP_HOST": "reader.example", "REMOTE_USER": "u"}).status
        self.assertEqual(by_name == 200, bool({"FOCUSSTATS_HOSTS", "FOCUSSTATS_AUTH"} & set(settings)))


class Ends(Handover):
    """Of either side."""

    @tap.limit(1200 if LONG else 120)
    @tap.cases([("killed", signal.SIGKILL), ("in order", signal.SIGTERM)])
    def test_owner(self, number):
        """Under load, again and again: all others go on, one of them as the owner, and nothing that was acknowledged is lost."""
        folder = self.watched()
        responders = self.several(folder)
        ledger = Ledger()
        writers = self.writers(ledger, responders, 16).start()
        pauses = []
        try:
            for _ in range(60 if LONG else 5):
                self.wait_handed_over(folder, responders)
                ledger.wait_flow()
                first, _ = self.split(folder, responders)
                begun = time.monotonic()
                folder.watch.end(first.pids[0], number)
                ledger.wait_flow()
                pauses.append(time.monotonic() - begun)
                first.children[0].wait(20)
                first.again()
        finally:
            writers.stop()
        for one in responders:
            self.assertEqual(health(one), 200)
        for one in responders:
            one.stop()
        found = self.read(folder).check(ledger)
        expected_lines(folder, LINES)
        note("%d owners: %s; %d of those without an answer were carried out; until writes flowed again at most %.0f ms", len(pauses), ledger.summary(), found,
             1000 * max(pauses))

    @tap.limit(600 if LONG else 120)
    @tap.cases([("killed", signal.SIGKILL), ("in order", signal.SIGTERM)])
    def test_in_front(self, number):
        """Under load: the owner lets the socket go, and has as few descriptors as before; what it had accepted it answers."""
        folder = self.watched()
        responders = self.several(folder)
        self.wait_handed_over(folder, responders)
        ledger = Ledger()
        writers = self.writers(ledger, responders, 16).start()
        try:
            for _ in range(60 if LONG else 5):
                owner = self.wait_handed_over(folder, responders)
                ledger.wait_flow()
                other = random.choice(self.split(folder, responders)[1])
                folder.watch.end(other.pids[0], number)
                other.children[0].wait(20)
                harness.wait_until(lambda inode=other.inode, pid=owner: inode not in sockets_of(pid), "the owner has let the socket go")
                other.again()
        finally:
            writers.stop()
        self.assertEqual(ledger.counts["maybe"] + ledger.counts["unavailable"], 0, ledger.texts)
        owner = self.wait_handed_over(folder, responders)
        before = harness.wait_until(lambda: descriptors(owner), "the owner's descriptors")
        for other in self.split(folder, responders)[1]:
            other.stop()
        # The socket and the connection of each.
        harness.wait_until(lambda: descriptors(owner) <= before - 2 * (PROCESSES - 1), "the owner's descriptors are closed")
        for one in responders:
            if one.pids:
                one.stop()
        self.read(folder).check(ledger)
        expected_lines(folder, LINES)
        note("%s", ledger.summary())

    def test_owner_stands_still(self):
        """What comes in on the others' sockets meanwhile is refused in time; when it has woken it has them again."""
        folder = self.watched()
        responders = self.several(folder, 3, {"FOCUSSTATS_RELAY_TIMEOUT": str(RELAY_TIMEOUT_MS)})
        self.assertEqual(responders[0].post("initUser", {"user": "u"}).status, 200)
        slowest = 0.0
        for _ in range(10 if LONG else 2):
            owner = self.wait_handed_over(folder, responders)
            others = self.split(folder, responders)[1]
            self.addCleanup(self.go_on, folder.freeze_owner())
            for one in others * 3:
                begun = time.monotonic()
                reply = one.post("startSession", {**SESSION, "document": "no"})
                self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
                self.assertIn("was not carried out", reply.json()["error"])
                slowest = max(slowest, time.monotonic() - begun)
            self.go_on(owner)
            self.assertEqual(self.wait_handed_over(folder, responders), owner)
            for one in responders:
                self.assertEqual(one.post("startSession", {**SESSION, "document": "yes"}).status, 200)
        self.assertLess(slowest, RELAY_TIMEOUT_MS / 1000 + MARGIN_SECONDS)
        for one in responders:
            one.stop()
        self.assertEqual({record.document for record in self.read(folder).sessions.values()}, {"yes"})
        note("the slowest 503 took %.0f ms", 1000 * slowest)


class Played:
    """The test in the place of the owner: it has the lock and listens on relay.sock. RECEIVED are the offers: message and descriptors."""

    ANSWER = b"Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"status\":\"played\"}\n"

    def __init__(self, folder):
        path = os.path.join(folder.home, "lock")
        self.lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        folder.give(path)
        fcntl.fcntl(self.lock, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = os.path.join(folder.home, "relay.sock")
        self.listener.bind(path)
        folder.give(path)
        self.listener.listen(64)
        self.offers, self.received, self.relayed = [], [], 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(harness.DEADLINE_SECONDS)
            data, given, _, _ = socket.recv_fds(connection, 65536, 8)
            if data[:1] == b"\1":
                self.relayed += 1
                connection.sendall(fcgi.stream(fcgi.STDOUT, 1, self.ANSWER) + fcgi.record(fcgi.END_REQUEST, 1, bytes(8)))
                connection.close()
            elif data:
                self.offers.append(connection)
                self.received.append((data, [os.fstat(one).st_ino for one in given]))
                self.offered(connection)
            else:
                connection.close()
            for one in given:
                os.close(one)

    def offered(self, connection):
        """Neither an answer nor a refusal."""

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for one in self.offers:
            one.close()
        os.close(self.lock)


class Refusing(Played):
    """As an owner of an older version does."""

    def offered(self, connection):
        connection.close()


class Messages(Handover):
    """What goes over relay.sock."""

    def played(self, folder, kind):
        made = kind(folder)
        self.addCleanup(lambda: made.listener.fileno() < 0 or made.end())
        return made

    @tap.cases([("refuses", Refusing), ("says nothing", Played)])
    def test_owner_that(self, kind):
        """The process in front goes on relaying; and when another owner comes, that one is offered the socket."""
        folder = self.watched()
        played = self.played(folder, kind)
        front = self.start(Own(folder, "front"))
        harness.wait_until(lambda: played.received, "the socket is offered")
        self.assertEqual(played.received[0][1], [front.inode])
        for _ in range(20):
            self.assertEqual(front.ask("GET", "/FocusStats/health").json(), {"status": "played"})
        self.assertGreaterEqual(played.relayed, 20)
        # Not with every request.
        self.assertLessEqual(len(played.received), 10)
        played.end()
        owner = self.start(Own(folder, "owner"))
        self.wait_handed_over(folder, [owner, front])
        for one in (front, owner):
            one.stop()
        self.read(folder)

    def message(self, folder):
        """What a process sends, of the settings that there are by default."""
        played = self.played(folder, Refusing)
        front = self.start(Own(folder, "sends"))
        message = harness.wait_until(lambda: played.received, "the socket is offered")[0][0]
        # The place is free only when it is gone.
        front.stop()
        played.end()
        return message

    def listeners(self, count):
        """Of the test's own."""
        made = []
        for _ in range(count):
            one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.addCleanup(one.close)
            one.bind("")
            one.listen(8)
            made.append(one)
        return made

    @staticmethod
    def offer(folder, data, given):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(harness.DEADLINE_SECONDS)
        connection.connect(os.path.join(folder.home, "relay.sock"))
        if given:
            socket.send_fds(connection, [data], [one.fileno() for one in given])
        else:
            connection.sendall(data)
        return connection

    def assert_closed(self, connection, what):
        try:
            self.assertEqual(connection.recv(1), b"", what)
        except ConnectionResetError:
            pass
        connection.close()

    def test_nonsense(self):
        """Is refused by the end of the connection; no descriptor stays, and the owner serves as before."""
        folder = self.watched()
        message = self.message(folder)
        owner = self.start(Own(folder, "owner"))
        pid, = owner.pids
        self.assertEqual(owner.post("initUser", {"user": "u"}).status, 200)
        good, other = self.listeners(2)
        one, two = socket.socketpair()
        datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        unbound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sequenced = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sequenced.bind("")
        sequenced.listen(1)
        file = open(os.path.join(folder.home, "lock"), "rb")  # closed below, with the others
        things = [one, two, datagram, unbound, sequenced, file]
        for thing in things:
            self.addCleanup(thing.close)
        nonsense = [("no descriptor", message, []), ("two", message, [good, other]), ("five", message, [good, other, good, other, good]),
                    ("many", message, [good] * 100), ("only a byte", message[:1], [good]), ("cut off", message[:-1], [good]),
                    ("too long", message + b" ", [good]), ("much too long", message.ljust(60000, b" "), [good]),
                    ("another version", message.replace(b"listener ", b"listener 9"), [good]), ("settings", message.replace(b"auth=0", b"auth=1"), [good]),
                    ("other bytes", b"\0" * len(message), [good]), ("the owner's own", message, [owner.listener]),
                    *[("no listener", message, [thing]) for thing in things]]
        before = descriptors(pid)
        for what, data, given in nonsense * (20 if LONG else 2):
            self.assert_closed(self.offer(folder, data, given), what)
            self.assertEqual(owner.post("startSession", SESSION).status, 200)
        # FastCGI with a descriptor that nobody asked for: the kernel closes it.
        connection = self.offer(folder, fcgi.record(fcgi.GET_VALUES, 0, b"") + fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\7\0\0\0\0\0\0"), [good])
        connection.close()
        harness.wait_until(lambda: descriptors(pid) <= before, "no descriptor stays behind")
        for kept in (good, other):
            self.assertNotIn(os.fstat(kept.fileno()).st_ino, sockets_of(pid))
        owner.stop()
        self.read(folder)

    def test_as_many_as_there_may_be(self):
        """A bound of them; each once; and what else is said on the connection is answered or ends it."""
        folder = self.watched()
        message = self.message(folder)
        owner = self.start(Own(folder, "owner"))
        pid, = owner.pids
        before = descriptors(pid)
        made = self.listeners(LENT_MAX + 1)
        held = []
        for one in made[:LENT_MAX]:
            held.append(self.offer(folder, message, [one]))
            self.assertEqual(held[-1].recv(2), b"!")
        self.assert_closed(self.offer(folder, message, [made[-1]]), "one too many")
        inodes = [os.fstat(one.fileno()).st_ino for one in made]
        self.assertEqual([inode in sockets_of(pid) for inode in inodes], [True] * LENT_MAX + [False])
        held.pop().close()
        harness.wait_until(lambda: inodes[LENT_MAX - 1] not in sockets_of(pid), "the last one is let go")
        self.assert_closed(self.offer(folder, message, [made[0]]), "it has this one")
        for connection, one in zip(held, made):
            connection.sendall(b"?")
            self.assertEqual(connection.recv(2), b"!")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(one.getsockname())
                client.settimeout(harness.DEADLINE_SECONDS)
                client.sendall(fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1\0\0\0\0\0\0")
                               + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.request_params("GET", "/FocusStats/health")))
                               + fcgi.record(fcgi.STDIN, 1))
                self.assertIn(b"Status: 200", client.recv(65536))
        # Somebody who says much and hears nothing.
        held[0].setblocking(False)
        try:
            while True:
                held[0].send(b"?" * 1000)
        except OSError:
            pass
        for connection in held:
            connection.close()
        harness.wait_until(lambda: descriptors(pid) <= before, "all are let go")
        owner.stop()
        self.read(folder)


if __name__ == "__main__":
    tap.main(globals())
