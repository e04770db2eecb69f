#!/usr/bin/env python3
"""The system's clock is set back and forward by hours while owner and relays run, with libfaketime, whose file of the time they read again and again.
What ran goes on, time-outs last as long as before, and no session gets a length that it cannot have."""

import glob
import json
import os
import signal
import threading
import time

from common import LONG, CrashCase, expected_lines, harness, note

import offline  # noqa: E402
import tap  # noqa: E402
from deeds import ms_of  # noqa: E402
from ledger import FcgiClient  # noqa: E402
from tool import Tool  # noqa: E402
from watch import owners  # noqa: E402

LIBRARY = "/usr/lib/*/faketime/libfaketime.so.1"
HOUR_MS = 3600000
JUMPS_HOURS = [-5, 3, -26, 30, 1] if not LONG else [-5, 3, -26, 30, 1, -1, 700, -700, -5, 5, 9000, -9000]
RELAY_TIMEOUT_MS = 400
MARGIN_SECONDS = 4.0
DRAIN_SECONDS = 3.0
CLIENTS = 6
LINES = [
    r"owner of \S+ since recovery \(-?\d+ ms\)", r"no longer the owner of \S+",
    r"request [\w-]+: [\w.]+: the owner of the store did not answer in time; the request (was not|may have been) carried out",
]


class Clock:
    """The wall clock of the program, ahead of the system's by some hours; the clocks that do not jump are left alone."""

    def __init__(self, folder):
        found = glob.glob(LIBRARY)
        self.library = found[0] if found else None
        self.path = folder.join("clock")
        self.sanitizer_options = folder.sanitizer_options()
        self.hours = 0
        self.jump(0)

    def settings(self, more=None):
        return {"LD_PRELOAD": self.library, "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1", "ASAN_OPTIONS": self.sanitizer_options["ASAN_OPTIONS"] + ":verify_asan_link_order=0", **(more or {})}

    def jump(self, hours):
        """By so many hours, in one step."""
        self.hours += hours
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write("%+dh\n" % self.hours)
        os.chmod(self.path + ".new", 0o644)
        os.rename(self.path + ".new", self.path)

    def now_ms(self):
        return time.time() * 1000 + self.hours * HOUR_MS


class Jumps(CrashCase):
    def serve(self, processes=2, **settings):
        """Not a watched folder: the log's times jump."""
        self.home = self.folder()
        self.clock = Clock(self.home)
        if self.clock.library is None:
            self.skipTest("libfaketime is not installed (Debian package faketime)")
        self.responder = self.start(harness.Responder(self.home, self.clock.settings(settings), processes=processes))

    def post(self, action, status=200, **fields):
        reply = self.responder.post(action, fields)
        self.assertEqual(reply.status, status, reply)
        return reply.json()

    def begin(self, document="d"):
        return self.post("startSession", user="u", document=document, library="l")["focusSession"]

    def session(self, identity):
        return [each["focusSession"] for each in self.post("_getSessions", user="u", limit=1000) if each["focusSession"]["_id"] == identity][0]

    def test_the_clock_is_the_one_that_is_set(self):
        """Or the others would test nothing."""
        self.serve(1)
        self.post("initUser", user="u")
        for hours in (7, -20):
            self.clock.jump(hours)
            asked = self.clock.now_ms()
            start = ms_of(self.session(self.begin())["startTime"])
            self.assertTrue(asked - 2000 < start < self.clock.now_ms() + 2000, (asked, start))

    def test_sessions(self):
        """Back: a session ends where it began, last-seen stays. Forward: what had its last heartbeat longer ago than the idle time-out is over and ends
        there, as doc/api.md has it; what never had one stays active, and no other does anything change."""
        self.serve()
        self.post("initUser", user="u")
        ended, seen, open_ = self.begin("ended"), self.begin("seen"), self.begin("open")
        self.post("heartbeat", focusSession=seen)
        last_seen = self.session(seen)["lastSeen"]
        self.clock.jump(-5)
        self.post("endSession", focusSession=ended)
        self.post("heartbeat", focusSession=seen)
        told = self.session(ended)
        self.assertEqual(told["endTime"], told["startTime"])
        self.assertEqual(self.session(seen)["lastSeen"], last_seen)
        summary = self.post("_getSummary", user="u")[0]["summary"]
        self.assertEqual((summary["sessions"], summary["seconds"]), (1, 0))
        # A sweep and the user's writes end nothing while the clock is behind.
        self.assertEqual(Tool(self.home).run("sweep", settings=self.clock.settings()).returncode, 0)
        self.assertIsNone(self.session(seen)["endTime"])
        self.clock.jump(5)
        self.assertIsNone(self.session(seen)["endTime"])
        self.post("heartbeat", focusSession=seen)
        last_seen = self.session(seen)["lastSeen"]
        self.clock.jump(1)
        self.assertEqual(Tool(self.home).run("sweep", settings=self.clock.settings()).returncode, 0)
        self.assertEqual(self.session(seen)["endTime"], last_seen)
        self.post("heartbeat", 409, focusSession=seen)
        self.assertIsNone(self.session(open_)["endTime"])
        for each in self.post("_getActiveSessions", user="u"):
            self.assertGreaterEqual(each["focusSession"]["elapsedSeconds"], 0)
        # Behind again, the one that stays active has a start to come: it is none of negative age.
        self.clock.jump(-9)
        for each in self.post("_getActiveSessions", user="u"):
            self.assertGreaterEqual(each["focusSession"]["elapsedSeconds"], 0)
            self.assertFalse(each["focusSession"]["stale"])
        self.responder.stop()
        offline.read(self.home)
        expected_lines(self.home, LINES)

    def test_ids_rise(self):
        """Those of one process, however the clock is set."""
        self.serve(1)
        self.post("initUser", user="u")
        made = []
        for hours in JUMPS_HOURS:
            self.clock.jump(hours)
            made += [self.begin("d%d-%d" % (hours, number)) for number in range(5)]
        self.assertEqual(made, sorted(made))
        self.assertEqual(len(set(made)), len(made))

    def test_under_load(self):
        """Clients of owner and relays go on through all jumps, nothing is refused or hangs; checkpoints go on, and the end comes in time."""
        self.serve(3)
        self.post("initUser", user="u")
        stopping = threading.Event()
        slowest, count, wrong = [0.0], [0], []

        def use(index):
            client = FcgiClient(self.responder, keep=index % 2 == 0)
            number = 0
            while not stopping.is_set():
                number += 1
                begun = time.monotonic()
                reply = client.post("startSession", {"user": "u", "document": "d%d-%d" % (index, number), "library": "l"})
                told = [reply.status]
                if reply.status == 200:
                    told.append(client.post("endSession", {"focusSession": reply.json()["focusSession"]}).status)
                told.append(client.post("_getStreaks", {"user": "u"}).status)
                if told != [200, 200, 200]:
                    wrong.append((told, reply))
                slowest[0] = max(slowest[0], time.monotonic() - begun)
                count[0] += 1
            client.close()

        users = threading.Thread(target=lambda: harness.clients(CLIENTS, use), daemon=True)
        users.start()
        try:
            for hours in JUMPS_HOURS:
                before = count[0]
                self.clock.jump(hours)
                harness.wait_until(lambda: count[0] >= before + 3 * CLIENTS, "requests go on after a jump of %d h" % hours)
                self.checkpoint()
        finally:
            stopping.set()
            users.join(60)
        self.assertEqual(wrong, [])
        self.assertLess(slowest[0], MARGIN_SECONDS)
        for session in self.post("_exportUser", user="u")[0]["export"]["sessions"]:
            self.assertIsNotNone(session["endTime"])
            self.assertLessEqual(session["startTime"], session["endTime"])
        begun = time.monotonic()
        for child in self.responder.children:
            child.send_signal(signal.SIGTERM)
        self.assertEqual([child.wait(20) for child in self.responder.children], [0] * 3)
        self.assertLess(time.monotonic() - begun, DRAIN_SECONDS + MARGIN_SECONDS)
        self.responder.stop()
        offline.read(self.home)
        expected_lines(self.home, LINES)
        note("%d rounds through %d jumps, the slowest took %.0f ms", count[0], len(JUMPS_HOURS), 1000 * slowest[0])

    def checkpoint(self):
        """The owner writes one: what is since the last becomes less than it was, or the last is another."""
        def last():
            return json.loads(Tool(self.home).run("--json", "stats", settings=self.clock.settings()).stdout)["lastCheckpoint"]

        before = last()
        harness.wait_until(lambda: last() != before, "a checkpoint after the clock was set")

    def test_time_outs(self):
        """A relay gives a stopped owner as long as it should, whatever the clock does meanwhile; the owner does not carry out later what was given up."""
        self.serve(3, FOCUSSTATS_RELAY_TIMEOUT=str(RELAY_TIMEOUT_MS))
        self.post("initUser", user="u")
        for hours in (-5, 8):
            pid = harness.wait_until(lambda: owners(self.home), "there is an owner")[0]
            self.addCleanup(self.go_on, pid)
            self.home.freeze(pid)
            asked, times = threading.Event(), []

            def ask(index):
                begun = time.monotonic()
                asked.set()
                reply = self.responder.post("startSession", {"user": "u", "document": "given up %d" % index, "library": "l"})
                times.append(time.monotonic() - begun)
                return reply.status

            waiting = threading.Thread(target=lambda: times.append(harness.clients(2, ask)), daemon=True)
            waiting.start()
            asked.wait()
            self.clock.jump(hours)
            waiting.join(30)
            self.assertEqual(times.pop(), [503] * 2)
            self.assertTrue(all(RELAY_TIMEOUT_MS / 1000 * 0.9 < one < RELAY_TIMEOUT_MS / 1000 + MARGIN_SECONDS for one in times), times)
            self.go_on(pid)
            harness.wait_until(lambda: self.responder.post("_getSettings", {"user": "u"}).status == 200, "it serves again")
        self.assertEqual(self.post("_getSessions", user="u"), [])


if __name__ == "__main__":
    tap.main(globals())
