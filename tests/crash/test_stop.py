#!/usr/bin/env python3
"""SIGSTOP of the process that owns the store, for some seconds and under load, then SIGCONT. The others must answer 503 in bounded time, and what was
answered «was not carried out» must not be carried out when the owner wakes."""

import os
import random
import resource
import signal
import socket
import threading
import time

from common import LONG, CrashCase, Faults, expected_lines, harness, note, one_more, spread, unread

import fcgi  # noqa: E402
import tap  # noqa: E402
from deeds import Crowd, Deeds  # noqa: E402
from folder import child_environment  # noqa: E402
from ledger import DONE, MAYBE, UNAVAILABLE, FcgiClient, Ledger, Writers  # noqa: E402
from watch import open_files, owners  # noqa: E402

RELAY_TIMEOUT_MS = 400
# What a loaded machine adds to it.
MARGIN_SECONDS = 4.0
THREADS = 16
CLIENTS = 24
# For how long it sleeps where that is what matters: several times as long as a relay is patient.
SLEEP_SECONDS = 10 if LONG else 3
LINES = [
    r"owner of \S+ since recovery \(\d+ ms\)", r"no longer the owner of \S+", r"\d+ lines were dropped here: more than 5 in a second",
    r"request [\w-]+: [\w.]+: the owner of the store did not answer in time; the request (was not|may have been) carried out",
]


@tap.limit(1200 if LONG else 120)
class Stop(CrashCase):
    """The owner sleeps."""

    def responder(self, folder, **settings):
        return self.start(harness.Responder(folder, {"FOCUSSTATS_RELAY_TIMEOUT": str(RELAY_TIMEOUT_MS), "FOCUSSTATS_THREADS": str(THREADS), **settings},
                                            processes=4))

    def writers(self, responder, ledger, number):
        """One more crowd. All requests of the one before may be in the owner's hands when it is stopped, and then nobody else asks for anything."""
        return Writers(ledger, CLIENTS, lambda: FcgiClient(responder, keep=False), first=number * CLIENTS).start()

    def stop_owner(self, folder):
        pid = harness.wait_until(lambda: owners(folder), "there is an owner")[0]
        self.addCleanup(self.go_on, pid)
        folder.freeze(pid)
        return pid

    def test_under_load(self):
        """Clients of all processes write; those whose request the owner itself had taken wait until it wakes."""
        folder = self.watched()
        responder = self.responder(folder)
        ledger = Ledger()
        crowds = [self.writers(responder, ledger, 0)]
        pauses, maybes = [], []
        try:
            for number in range(1, 41 if LONG else 5):
                ledger.wait_flow()
                pid = self.stop_owner(folder)
                crowds.append(self.writers(responder, ledger, number))
                maybe = ledger.counts[MAYBE]
                ledger.wait_count(UNAVAILABLE, random.randrange(10, 60))
                maybes.append(ledger.counts[MAYBE] - maybe)
                begun = time.monotonic()
                self.go_on(pid)
                ledger.wait_flow()
                pauses.append(time.monotonic() - begun)
                crowds.pop(0).stop()
        finally:
            for crowd in crowds:
                crowd.stop()
        self.assertLess(ledger.slowest[UNAVAILABLE], RELAY_TIMEOUT_MS / 1000 + MARGIN_SECONDS)
        # While it is stopped, only what was on its way to the disk can have got as far as a commit: one write a client of those before.
        self.assertLessEqual(max(maybes), CLIENTS)
        responder.stop()
        found = self.read(folder).check(ledger)
        note("%d stops: %s; slowest 503 %.0f ms; at most %d a stop told «may have been carried out»; %d starts without an answer were; "
             "pause after SIGCONT: %s", len(pauses), ledger.summary(), 1000 * ledger.slowest[UNAVAILABLE], max(maybes), found, spread(pauses))

    def test_every_action(self):
        """While it sleeps, everything that is asked of the others is refused in time, and none of them opens the store. Then all is as the clients
        were told."""
        folder = self.watched()
        responder = self.responder(folder)
        ledger = Ledger()
        deeds = Deeds(ledger)
        crowds = [Crowd(deeds, CLIENTS, lambda index: FcgiClient(responder, keep=False)).start()]
        try:
            ledger.wait_flow()
            harness.wait_until(lambda: len(deeds.done) > 20, "nearly all actions were used")
            pid = self.stop_owner(folder)
            self.assertEqual(folder.log_text().count("owner of "), 1)
            # What the owner had in hand waits with it, which may be all requests of these clients; everybody else is told.
            crowds.append(Crowd(deeds, CLIENTS, lambda index: FcgiClient(responder, keep=False), first=CLIENTS).start())
            ledger.wait_count(UNAVAILABLE, CLIENTS)
            done, refused, asleep = ledger.counts[DONE], ledger.counts[UNAVAILABLE], time.monotonic()
            held = set()
            while time.monotonic() < asleep + SLEEP_SECONDS:
                held.update(owners(folder))
                threading.Event().wait(0.02)
            done, refused = ledger.counts[DONE] - done, ledger.counts[UNAVAILABLE] - refused
            slowest = ledger.slowest[UNAVAILABLE]
            self.go_on(pid)
            awake = ledger.wait_flow()
            # The others serve again: more clients than the owner's share of the connections.
            ledger.wait_count(DONE, 10 * CLIENTS)
        finally:
            for crowd in crowds:
                crowd.stop()
        self.assertEqual(held, {pid})
        # Answers that it had given before, and that their clients came to only now.
        self.assertLessEqual(done, CLIENTS)
        self.assertGreater(refused, SLEEP_SECONDS)
        self.assertLess(slowest, RELAY_TIMEOUT_MS / 1000 + MARGIN_SECONDS)
        self.assertEqual(folder.log_text().count("owner of "), 1)
        deeds.check(lambda user: self.export(responder, user))
        responder.stop()
        self.read(folder)
        expected_lines(folder, LINES)
        note("asleep for %d s: %d requests refused, the slowest in %.0f ms; a write went through %.0f ms after it woke; all in all %s", SLEEP_SECONDS,
             refused, 1000 * slowest, 1000 * awake, ledger.summary())

    def export(self, responder, user):
        reply = responder.post("_exportUser", {"user": user})
        self.assertIn(reply.status, (200, 404), reply)
        return reply.json() if reply.status == 200 else None

    def test_killed_while_stopped(self):
        """It never wakes: another process takes its place."""
        folder = self.watched()
        responder = self.responder(folder)
        ledger = Ledger()
        crowds = [self.writers(responder, ledger, 0)]
        try:
            for number in range(1, 21 if LONG else 3):
                ledger.wait_flow()
                pid = self.stop_owner(folder)
                crowds.append(self.writers(responder, ledger, number))
                ledger.wait_count(UNAVAILABLE, 10)
                folder.watch.kill(pid)
                ledger.wait_flow()
                one_more(responder)
                crowds.pop(0).stop()
        finally:
            for crowd in crowds:
                crowd.stop()
        responder.stop()
        self.read(folder).check(ledger)

    def test_reads(self):
        """A read is answered 503 as well, and is answered as before when the owner has woken."""
        folder = self.watched()
        responder = self.responder(folder)
        responder.post("initUser", {"user": "u"})
        identity = responder.post("startSession", {"user": "u", "document": "d", "library": "l"}).json()["focusSession"]
        pid = self.stop_owner(folder)
        for action, fields in [("_getSessions", {"user": "u"}), ("_viewStats", {"user": "u"}), ("endSession", {"focusSession": identity})]:
            begun = time.monotonic()
            reply = responder.post(action, fields)
            self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
            self.assertIn("was not carried out", reply.json()["error"])
            self.assertLess(time.monotonic() - begun, RELAY_TIMEOUT_MS / 1000 + MARGIN_SECONDS)
        self.assertEqual(responder.ask("GET", "/FocusStats/health").status, 503)
        self.go_on(pid)
        harness.wait_until(lambda: responder.ask("GET", "/FocusStats/health").status == 200, "health is well again")
        self.assertIsNone(responder.post("_getSessions", {"user": "u"}).json()[0]["focusSession"]["endTime"])
        self.assertEqual(responder.post("endSession", {"focusSession": identity}).status, 200)
        responder.stop()
        self.read(folder)

    def test_ended_while_all_its_workers_wait(self):
        """SIGTERM for one whose workers all wait for the stopped owner, for much longer than it may take to end, and more requests wait behind them."""
        folder = self.watched()
        owner = self.start(harness.Responder(folder))
        owner.post("initUser", {"user": "u"})
        folder.socket = folder.join("run", "second.sock")
        other = self.start(harness.Responder(folder, {"FOCUSSTATS_RELAY_TIMEOUT": "60000", "FOCUSSTATS_THREADS": "2"}))
        pid = self.stop_owner(folder)
        connections = [other.connect() for _ in range(8)]
        for connection in connections:
            connection.submit("POST", "/FocusStats/startSession", harness.encode({"user": "u", "document": "no", "library": "l"}))
        harness.wait_until(lambda: sum(not unread(connection) for connection in connections) >= 2, "both workers have a request in hand")
        other.stop()
        for connection in connections:
            connection.close()
        self.go_on(pid)
        owner.stop()
        self.read(folder)

    def test_its_queue_is_full(self):
        """So many wait at the stopped owner's socket that nobody more can connect to it."""
        folder = self.watched()
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        responder = self.responder(folder)
        responder.post("initUser", {"user": "u"})
        pid = self.stop_owner(folder)
        waiting = []
        try:
            while len(waiting) < 5000:
                one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                one.setblocking(False)
                waiting.append(one)
                try:
                    one.connect(os.path.join(folder.home, "relay.sock"))
                except BlockingIOError:
                    break
            else:
                self.skipTest("5,000 connections do not fill the queue here")
            begun = time.monotonic()
            replies = harness.clients(8, lambda index: responder.post("startSession", {"user": "u", "document": "no", "library": "l"}))
            self.assertEqual([reply.status for reply in replies], [503] * 8)
            self.assertLess(time.monotonic() - begun, RELAY_TIMEOUT_MS / 1000 + MARGIN_SECONDS)
        finally:
            for one in waiting:
                one.close()
        self.go_on(pid)
        harness.wait_until(lambda: responder.post("startSession", {"user": "u", "document": "yes", "library": "l"}).status == 200, "writes flow again")
        responder.stop()
        self.assertEqual({record.document for record in self.read(folder).sessions.values()}, {"yes"})

    def test_plain_cgi(self):
        """A CGI process beside a stopped owner."""
        folder = self.watched()
        responder = self.start(harness.Responder(folder))
        responder.post("initUser", {"user": "u"})
        pid = self.stop_owner(folder)
        begun = time.monotonic()
        reply = harness.cgi(folder, "POST", "/FocusStats/startSession", harness.encode({"user": "u", "document": "no", "library": "l"}),
                            settings={"FOCUSSTATS_RELAY_TIMEOUT": str(RELAY_TIMEOUT_MS)})
        self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
        self.assertLess(time.monotonic() - begun, RELAY_TIMEOUT_MS / 1000 + MARGIN_SECONDS)
        self.go_on(pid)
        self.assertEqual(responder.post("startSession", {"user": "u", "document": "yes", "library": "l"}).status, 200)
        responder.stop()
        self.assertEqual({record.document for record in self.read(folder).sessions.values()}, {"yes"})

    def test_plain_cgi_is_ended(self):
        """SIGTERM, as a web server sends it to a CGI process whose client has gone, ends one at once that would wait for a minute."""
        folder = self.watched()
        responder = self.start(harness.Responder(folder))
        responder.post("initUser", {"user": "u"})
        body = harness.encode({"user": "u", "document": "no", "library": "l"})
        folder.write("body", body.decode())
        pid = self.stop_owner(folder)
        variables = {**fcgi.request_params("POST", "/FocusStats/startSession", body), "FOCUSSTATS_HOME": folder.home, "FOCUSSTATS_RELAY_TIMEOUT": "60000"}
        with open(folder.join("body"), "rb") as file:
            child = responder.popen([folder.program], "cgi.log", child_environment(folder, variables), stdin=file, as_worker=True)
        harness.wait_until(lambda: sum("socket:" in path for path in open_files(child.pid)) == 1, "it waits for the owner")
        child.terminate()
        self.assertEqual(child.wait(10), -signal.SIGTERM)
        self.go_on(pid)
        responder.stop()
        self.assertEqual(len(self.read(folder).sessions), 0)

    def test_a_stopped_cgi_process_is_the_owner(self):
        """It has the lock and listens nowhere: a FastCGI process with all its workers waits for it, and no longer than it may."""
        folder = self.watched()
        harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "u"}))
        faults = Faults(folder)
        faults.set("sync-block")
        self.addCleanup(faults.clear, "sync-block")
        answers = []

        def start():
            answers.append(harness.cgi(folder, "POST", "/FocusStats/startSession", harness.encode({"user": "u", "document": "cgi", "library": "l"}),
                                       settings=faults.settings(), timeout=60).status)

        thread = threading.Thread(target=start, daemon=True)
        thread.start()
        harness.wait_until(lambda: faults.content("sync-waiting"), "the CGI process has the store open")
        responder = harness.Responder(folder, {"FOCUSSTATS_RELAY_TIMEOUT": str(RELAY_TIMEOUT_MS)})
        responder.wait_ready = lambda: None
        self.start(responder)
        slowest = [0.0] * 32

        def write(index):
            for number in range(3):
                begun = time.monotonic()
                reply = responder.post("startSession", {"user": "u", "document": "no-%d-%d" % (index, number), "library": "l"})
                slowest[index] = max(slowest[index], time.monotonic() - begun)
                self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))

        harness.clients(len(slowest), write)
        self.assertLess(max(slowest), RELAY_TIMEOUT_MS / 1000 + MARGIN_SECONDS)
        faults.clear("sync-block")
        thread.join(30)
        self.assertEqual(answers, [200])
        harness.wait_until(lambda: responder.post("startSession", {"user": "u", "document": "yes", "library": "l"}).status == 200, "writes flow again")
        responder.stop()
        self.assertEqual({record.document for record in self.read(folder).sessions.values()}, {"cgi", "yes"})
        note("32 clients of a FastCGI process, while a CGI process keeps the lock: the slowest 503 took %.0f ms", 1000 * max(slowest))


if __name__ == "__main__":
    tap.main(globals())
