#!/usr/bin/env python3
"""Many connections and few workers: idle connections, requests that never come to their end, no descriptors left, and the end in order (SIGTERM)."""

import os
import signal
import socket
import threading
import time

from common import LONG, CrashCase, Faults, Limited, harness, note, one_more, spread, unread

import fcgi  # noqa: E402
import tap  # noqa: E402
from ledger import FcgiClient, Ledger, Writers  # noqa: E402
from responder import blocks_the_end  # noqa: E402

THREADS = 8
# A request is answered in a few milliseconds; a loaded machine and a sanitizer may make it a thousand times as long.
AT_ONCE_SECONDS = 4.0
# How long the program waits for the rest of a request that was begun, IO_TIMEOUT_S.
RECEIVE_SECONDS = 10.0
DRAIN_SECONDS = 3.0
# The store is closed besides, as soon as the disk lets it.
MARGIN_SECONDS = 4.0


def threads_of(pid):
    try:
        return len(os.listdir("/proc/%d/task" % pid))
    except OSError:
        return 0


def health(responder):
    begun = time.monotonic()
    reply = responder.ask("GET", "/FocusStats/health", timeout=60)
    if reply.status != 200:
        raise AssertionError(reply)
    return time.monotonic() - begun


class Idle(CrashCase):
    """Connections that nobody uses."""

    def responder(self, folder, **settings):
        return self.start(harness.Responder(folder, {"FOCUSSTATS_THREADS": str(THREADS), **settings}))

    def kept(self, responder, count, use=True):
        """Connections that stay open, each used once before."""
        made = []
        for _ in range(count):
            connection = responder.connect(60)
            self.addCleanup(connection.close)
            if use:
                self.assertEqual(connection.ask("GET", "/FocusStats/health", keep=True).status, 200)
            made.append(connection)
        return made

    def test_190_of_200_idle(self):
        """Every fresh request is answered at once, over new connections and over kept ones, while 190 others are open and idle."""
        responder = self.responder(self.watched())
        responder.post("initUser", {"user": "u"})
        connections = self.kept(responder, 160) + self.kept(responder, 30, use=False) + self.kept(responder, 10)
        busy = connections[190:]
        times = []

        def use(index):
            for number in range(30):
                begun = time.monotonic()
                body = harness.encode({"user": "u", "document": "d%d-%d" % (index, number), "library": "l"})
                reply = busy[index].ask("POST", "/FocusStats/startSession", body, keep=True)
                self.assertEqual(reply.status, 200)
                times.append(time.monotonic() - begun)
                times.append(health(responder))

        for _ in range(20 if LONG else 2):
            harness.clients(len(busy), use)
        self.assertLess(max(times), AT_ONCE_SECONDS)
        # The idle ones still work.
        for connection in connections[:190]:
            self.assertEqual(connection.ask("GET", "/FocusStats/health", keep=True).status, 200)
        note("190 connections idle, %d workers, %d requests: %s", THREADS, len(times), spread(times))

    def test_closed_by_the_other_side(self):
        """Idle connections that the web server closes cost nothing more: no thread, no descriptor."""
        responder = self.responder(self.watched())
        health(responder)
        pid = responder.pids[0]

        def descriptors():
            return len(os.listdir("/proc/%d/fd" % pid))

        before = harness.wait_until(descriptors, "")
        for _ in range(5):
            connections = self.kept(responder, 50) + self.kept(responder, 50, use=False)
            for connection in connections:
                connection.close()
            harness.wait_until(lambda: descriptors() <= before, "the descriptors of closed connections are closed")
        self.assertLess(health(responder), AT_ONCE_SECONDS)


class Halves(CrashCase):
    """Requests that are begun and not sent to their end."""

    @staticmethod
    def half(responder, kind):
        connection = responder.connect(60)
        if kind == 0:
            connection.send(fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1\1\0\0\0\0\0")[:3])
        elif kind == 1:
            connection.begin(1, keep=True)
            connection.send(fcgi.record(fcgi.PARAMS, 1, fcgi.pairs({"REQUEST_METHOD": "POST"}))[:12])
        elif kind == 2:
            connection.begin(1, keep=True)
            connection.params(1, fcgi.request_params("POST", "/FocusStats/startSession", b"x" * 100))
        else:
            connection.begin(1, keep=True)
            connection.params(1, fcgi.request_params("POST", "/FocusStats/startSession", b"x" * 100))
            connection.send(fcgi.stream(fcgi.STDIN, 1, b'{"user":"u",', end=False))
        return connection

    def test_do_not_stop_the_others(self):
        """Several times as many as there are workers: the others wait no longer than the receive time-out, and then all workers are there again."""
        responder = self.start(harness.Responder(self.watched(), {"FOCUSSTATS_THREADS": str(THREADS)}))
        halves = [self.half(responder, index % 4) for index in range(3 * THREADS)]
        for connection in halves:
            self.addCleanup(connection.close)
        slowest = max(harness.clients(4, lambda index: health(responder)))
        self.assertLess(slowest, RECEIVE_SECONDS + AT_ONCE_SECONDS)
        # The program gives all of them up.
        for index, connection in enumerate(halves):
            try:
                reply = connection.reply()
                self.assertEqual((index % 4 > 1, reply.status), (True, 400))
            except harness.ConnectionClosed as closed:
                self.assertEqual(closed.partial, b"")
        self.assertLess(max(harness.clients(2 * THREADS, lambda index: health(responder))), AT_ONCE_SECONDS)
        note("%d half-sent requests, %d workers: the slowest other one took %.1f s", len(halves), THREADS, slowest)

    def test_drip(self):
        """Requests large enough to be handed to a worker, whose last bytes come one by one: the socket's time-out begins anew with each."""
        responder = self.start(harness.Responder(self.watched(), {"FOCUSSTATS_THREADS": str(THREADS)}))
        drips, answered = [], threading.Event()
        for index in range(THREADS):
            connection = responder.connect(60)
            self.addCleanup(connection.close)
            connection.begin(1)
            if index % 2:
                parameters = dict(fcgi.request_params("POST", "/FocusStats/initUser", b""), CONTENT_LENGTH="60000")
                connection.params(1, parameters)
                connection.send(fcgi.stream(fcgi.STDIN, 1, b" " * 20000, end=False))
                drips.append((connection, fcgi.record(fcgi.STDIN, 1, b" ")))
            else:
                connection.send(fcgi.record(fcgi.PARAMS, 1, fcgi.pairs({"HTTP_X_LONG": "x" * 20000})))
                drips.append((connection, fcgi.record(fcgi.PARAMS, 1, fcgi.pairs({"A": "b"}))))

        def drip():
            while not answered.wait(0.5):
                for connection, record in drips:
                    try:
                        connection.send(record)
                    except OSError:
                        pass  # given up by the program, as it should be

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        slowest = health(responder)
        answered.set()
        dripping.join()
        self.assertLess(slowest, RECEIVE_SECONDS + AT_ONCE_SECONDS)

    def test_given_up_by_the_other_side(self):
        """A web server that closes its connection in the middle of a request frees the worker at once."""
        responder = self.start(harness.Responder(self.watched(), {"FOCUSSTATS_THREADS": str(THREADS)}))
        for _ in range(3):
            for connection in [self.half(responder, index % 4) for index in range(4 * THREADS)]:
                connection.close()
            self.assertLess(health(responder), AT_ONCE_SECONDS)


class Arrivals(CrashCase):
    """Bytes that come while nobody waits for them: none of them is forgotten, whatever the connection is at."""

    def responder(self):
        return self.start(harness.Responder(self.watched(), {"FOCUSSTATS_THREADS": str(THREADS)}))

    def connections(self, responder, count):
        made = [responder.connect(60) for _ in range(count)]
        for connection in made:
            self.addCleanup(connection.close)
        return made

    @staticmethod
    def whole(keep=True, **extra):
        """The bytes of a request for health."""
        return (fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1%c\0\0\0\0\0" % keep)
                + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.request_params("GET", "/FocusStats/health", b"", extra))) + fcgi.stream(fcgi.STDIN, 1, b""))

    def test_next_request_while_one_is_served(self):
        """Connections bring a write that waits for its sync, and then the next request, of which a free worker hears."""
        faults = Faults(self.watched())
        responder = self.start(harness.Responder(faults.folder, faults.settings({"FOCUSSTATS_THREADS": str(THREADS)})))
        self.addCleanup(faults.clear, "sync-block")
        responder.post("initUser", {"user": "u"})
        connections = self.connections(responder, THREADS - 2)
        for number in range(5):
            faults.set("sync-block")
            for index, connection in enumerate(connections):
                body = harness.encode({"user": "u", "document": "d%d-%d" % (index, number), "library": "l"})
                connection.submit("POST", "/FocusStats/startSession", body, keep=True)
            harness.wait_until(lambda: not any(map(unread, connections)), "all requests are read")
            for connection in connections:
                connection.send(self.whole())
            # What came before these is heard of before them.
            for _ in range(THREADS):
                health(responder)
            faults.clear("sync-block")
            for connection in connections:
                self.assertEqual([connection.reply().status for _ in range(2)], [200, 200])

    @tap.cases([("8 KiB", 8 << 10), ("16 KiB", 16 << 10), ("24 KiB", 24 << 10)])
    def test_next_request_right_behind(self, size):
        """libfcgi takes 8 KiB at a time from the socket: a request that ends there leaves the one behind it."""
        responder = self.responder()
        long = self.whole(HTTP_X_LONG="x" * (1000 + size - len(self.whole(HTTP_X_LONG="x" * 1000))))
        self.assertEqual(len(long), size)
        for connection in self.connections(responder, 2 * THREADS):
            for _ in range(5):
                connection.send(long + self.whole())
                self.assertEqual([connection.reply().status for _ in range(2)], [200, 200])

    def test_in_pieces_by_many(self):
        """Requests that come in three pieces over many connections at once, while others are served."""
        responder = self.responder()
        connections = self.connections(responder, 10 * THREADS)
        request = self.whole()
        for number in range(3):
            cuts = sorted({4 + number, len(request) // 2, len(request) - 3 - number})
            for begin, end in zip([0] + cuts, cuts + [len(request)]):
                for connection in connections:
                    connection.send(request[begin:end])
                self.assertLess(health(responder), AT_ONCE_SECONDS)
            for connection in connections:
                self.assertEqual(connection.reply().status, 200)

    def test_end_right_behind(self):
        """The sender's end comes with the rest of a request that asks to keep the connection: both are heard of at once, and the connection is closed once the
        request is answered."""
        responder = self.responder()
        connections = self.connections(responder, 10 * THREADS)
        request = self.whole()
        for connection in connections:
            connection.send(request[:20])
        self.assertLess(health(responder), AT_ONCE_SECONDS)
        for connection in connections:
            connection.send(request[20:])
            connection.socket.shutdown(socket.SHUT_WR)
        for connection in connections:
            self.assertEqual(connection.reply().status, 200)
            connection.socket.settimeout(20)
            self.assertEqual(connection.socket.recv(1), b"")

    def test_numbers_used_again(self):
        """Connections that are closed with a request under way make room, at once, for others with the same descriptor."""
        responder = self.responder()

        def come_and_go(index):
            for number in range(100):
                with responder.connect(60) as connection:
                    self.assertEqual(connection.ask("GET", "/FocusStats/health", keep=True).status, 200)
                    if (index + number) % 3 == 0:
                        connection.send(self.whole(keep=number % 2 == 0))
                    elif (index + number) % 3 == 1:
                        connection.send(self.whole()[:-5])

        harness.clients(2 * THREADS, come_and_go)
        self.assertLess(health(responder), AT_ONCE_SECONDS)


class Drain(CrashCase):
    """SIGTERM and SIGINT."""

    def check_exit(self, child, begun):
        self.assertEqual(child.wait(20), 0)
        took = time.monotonic() - begun
        self.assertLess(took, DRAIN_SECONDS + MARGIN_SECONDS)
        return took

    @tap.cases([("SIGTERM", [signal.SIGTERM]), ("SIGINT", [signal.SIGINT]), ("SIGTERM twice", [signal.SIGTERM, signal.SIGTERM]),
                ("both, many times", [signal.SIGTERM, signal.SIGINT] * 20)])
    def test_in_hand(self, signals):
        """Writes that wait for their sync when the signal comes are answered."""
        folder = self.watched()
        faults = Faults(folder)
        responder = self.start(harness.Responder(folder, faults.settings({"FOCUSSTATS_THREADS": str(THREADS)})))
        self.addCleanup(faults.clear, "sync-block")
        responder.post("initUser", {"user": "u"})
        child = responder.children[0]
        faults.set("sync-block")
        connections = []
        for index in range(THREADS):
            connections.append(responder.connect())
            self.addCleanup(connections[-1].close)
            body = harness.encode({"user": "u", "document": "d%d" % index, "library": "l"})
            connections[-1].submit("POST", "/FocusStats/startSession", body)
        harness.wait_until(lambda: "/log." in faults.content("sync-waiting"), "the sync of a commit waits")
        harness.wait_until(lambda: not any(map(unread, connections)), "all requests are read")
        begun = time.monotonic()
        for number in signals:
            folder.watch.end(child.pid, number)
        faults.clear("sync-block")
        answers = [connection.reply().status for connection in connections]
        took = self.check_exit(child, begun)
        self.assertEqual(answers, [200] * THREADS)
        self.assertEqual(len(self.read(folder).sessions), THREADS)
        note("drained in %.0f ms", 1000 * took)

    @tap.limit(600 if LONG else 120)
    def test_under_load(self):
        """The end comes while clients write; the next process goes on."""
        folder = self.watched()
        responder = self.start(harness.Responder(folder, processes=2))
        ledger = Ledger()
        writers = Writers(ledger, 16, lambda: FcgiClient(responder, timeout=20)).start()
        times = []
        try:
            for number in range(100 if LONG else 8):
                ledger.wait_flow()
                child = responder.children[-2 if number % 2 else -1]
                begun = time.monotonic()
                folder.watch.end(child.pid, (signal.SIGTERM, signal.SIGINT)[number // 2 % 2])
                times.append(self.check_exit(child, begun))
                responder.children.remove(child)
                one_more(responder)
                ledger.wait_flow()
        finally:
            writers.stop()
        responder.stop()
        found = self.read(folder).check(ledger)
        note("%d ends under load: %s; %d done of those without an answer; until the end: %s", len(times), ledger.summary(), found, spread(times))

    def test_at_the_start(self):
        """The signal comes as early as the program does something about it."""
        responder = self.start(harness.Responder(self.watched()))
        for _ in range(200 if LONG else 20):
            child = responder.start_one()
            while not blocks_the_end(child.pid):
                self.assertIsNone(child.poll())
            begun = time.monotonic()
            child.terminate()
            self.check_exit(child, begun)
            responder.children.remove(child)
        self.assertEqual(responder.ask("GET", "/FocusStats/health").status, 200)

    def test_hung_disk(self):
        """A sync that does not come back does not keep the process: it ends in time, and acknowledges nothing."""
        folder = self.watched()
        faults = Faults(folder)
        responder = self.start(harness.Responder(folder, faults.settings({"FOCUSSTATS_THREADS": str(THREADS)})))
        self.addCleanup(faults.clear, "sync-block")
        responder.post("initUser", {"user": "u"})
        faults.set("sync-block")
        with responder.connect() as connection:
            connection.submit("POST", "/FocusStats/startSession", harness.encode({"user": "u", "document": "d", "library": "l"}))
            harness.wait_until(lambda: "/log." in faults.content("sync-waiting"), "the sync of a commit waits")
            harness.wait_until(lambda: not unread(connection), "the request is read")
            begun = time.monotonic()
            folder.watch.end(responder.pids[0], signal.SIGTERM)
            self.check_exit(responder.children[0], begun)
            self.assertRaises(harness.ConnectionClosed, connection.reply)
        faults.clear("sync-block")
        one_more(responder)
        responder.wait_ready()
        responder.stop()
        self.assertLessEqual(len(self.read(folder).sessions), 1)

    def test_idle_connections(self):
        """Kept connections do not keep the process."""
        responder = self.start(harness.Responder(self.watched(), {"FOCUSSTATS_THREADS": str(THREADS)}))
        connections = [responder.connect() for _ in range(50)]
        for connection in connections[:40]:
            self.assertEqual(connection.ask("GET", "/FocusStats/health", keep=True).status, 200)
        begun = time.monotonic()
        responder.children[0].terminate()
        self.check_exit(responder.children[0], begun)
        for connection in connections[:40]:
            self.assertTrue(connection.at_end())
        for connection in connections:
            connection.close()


class NoDescriptors(CrashCase):
    """EMFILE."""

    @tap.cases([("64", 64, True), ("30, not enough for the store", 30, False)])
    def test_fewer_than_connections(self, descriptors, survives):
        """More connections than descriptors: what is open is served, and the rest once there is room; no thread ends. Nothing that was acknowledged
        is lost."""
        folder = self.watched()
        if not survives:
            # The engine needs a descriptor for what it takes back, too.
            self.addCleanup(folder.expect, r"engine: BDB006[01] PANIC: (Too many open files|fatal region error detected; run recovery)")
        responder = self.start(Limited(folder, descriptors, settings={"FOCUSSTATS_THREADS": str(THREADS)}))
        child = responder.children[0]
        responder.post("initUser", {"user": "u"})
        threads = threads_of(child.pid)
        acknowledged = []
        for _ in range(3 if LONG else 1):
            waiting = [responder.connect() for _ in range(2 * descriptors)]
            for connection in waiting:
                connection.submit("GET", "/FocusStats/health", keep=True)
            # The first ones have been accepted.
            served = waiting[:descriptors // 8]
            self.assertEqual([connection.reply().status for connection in served], [200] * len(served))
            self.write_past_the_log_file(folder, served, acknowledged)
            for connection in waiting:
                connection.close()
            if harness.wait_until(lambda: self.state(responder, threads), "it answers with all its threads, or has ended") == "ended":
                self.assertFalse(survives, "the process ended")
                responder.children.remove(child)
                child = one_more(responder)
            self.assertLess(health(responder), AT_ONCE_SECONDS)
            with responder.connect() as connection:
                self.assertTrue(self.write(connection, acknowledged))
        responder.stop()
        self.assertLessEqual(set(acknowledged), set(self.read(folder).sessions))
        note("%d descriptors: %d acknowledged writes", descriptors, len(acknowledged))

    @staticmethod
    def state(responder, threads):
        """Of its only process, which may be ending just now, thread by thread; None while that is not known. It may start more threads."""
        child = responder.children[0]
        if child.poll() is not None:
            return "ended"
        try:
            well = responder.ask("GET", "/FocusStats/health", timeout=1).status == 200
        except (harness.ConnectionClosed, OSError):
            return None
        return "goes on" if well and threads_of(child.pid) >= threads else None

    def write_past_the_log_file(self, folder, connections, acknowledged):
        """Writes until the engine has needed a descriptor for another log file, or cannot go on."""
        def newest():
            return max(name for name in os.listdir(folder.home) if name.startswith("log."))

        before = newest()
        while newest() == before:
            for connection in connections:
                if not self.write(connection, acknowledged):
                    return

    def write(self, connection, acknowledged):
        """Whether it was acknowledged; where it was not, it was answered 503 or not at all."""
        body = harness.encode({"user": "u", "document": "d" * 250, "library": "l" * 250})
        try:
            reply = connection.ask("POST", "/FocusStats/startSession", body, keep=True)
        except (harness.ConnectionClosed, OSError):
            return False
        if reply.status == 200:
            acknowledged.append(reply.json()["focusSession"])
        else:
            self.assertEqual(reply.status, 503)
        return reply.status == 200


if __name__ == "__main__":
    tap.main(globals())
