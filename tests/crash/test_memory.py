#!/usr/bin/env python3
"""A limit of memory (RLIMIT_AS) that is reached: at the start, and by large bodies, lists and exports at once. Each request has an answer, or the
process says why it ends and the next one goes on; nothing that was acknowledged is lost."""

import os
import random
import signal
import threading
import time

from common import EXIT_FATAL, LONG, CrashCase, expected_lines, harness, note, one_more

import offline  # noqa: E402
import tap  # noqa: E402

# MiB. The threads' stacks take 8 each, and the C library's arenas what they please.
STARTS = [12, 16, 20, 24, 28, 32, 48, 64, 96, 1024] if not LONG else [*range(10, 140, 2), 1024]
LOADS = [68, 88] if not LONG else list(range(60, 200, 16))
THREADS = 4
CLIENTS = 8
SESSIONS = 4000
BATCH = 1000
ANSWER_SECONDS = 40.0
# A process that ends in the middle: it says that the engine needs recovery, or libfcgi, which can go on without memory nowhere, has ended it.
ENDS = (EXIT_FATAL, -signal.SIGABRT)
SAID = [
    r"engine: .*", r"owner of \S+ since recovery \(\d+ ms\)", r"no longer the owner of \S+", r"\d+ lines were dropped here: more than 5 in a second",
    r"the engine (needs recovery .*|finds no memory and does not stop asking for it): this process ends, the next one recovers the store",
    r"out of memory: a connection is closed, .*",
    r"writing a checkpoint: .*", r"metrics: .*",
]
# libfcgi's end, in the C library's words, which need memory themselves.
DIED = [r"Unexpected error\.", r"focusstats\.fcgi: fcgiapp\.c:\d+: Malloc: Assertion .* failed\."]
# In the engine's own words.
PANIC = r"engine: BDB006[01] PANIC: (Cannot allocate memory|fatal region error detected; run recovery)|fcgiapp\.c:\d+: Malloc: Assertion"
CANNOT = [
    r"owner of \S+ since recovery \(\d+ ms\)", r"no longer the owner of \S+", r"engine: .*",
    r".*: (Cannot allocate memory|Resource temporarily unavailable|Not enough space|BDB0087 DB_RUNRECOVERY: Fatal error, run database recovery)",
]


class Limited(harness.Responder):
    """A responder with so many MiB of addresses."""

    def __init__(self, folder, mebibytes, **options):
        super().__init__(folder, **options)
        self.mebibytes = mebibytes

    def popen(self, command, *arguments, **options):
        return super().popen(["sh", "-c", 'ulimit -v %d && exec "$0"' % (self.mebibytes * 1024)] + command, *arguments, **options)


class Memory(CrashCase):
    def responder(self, folder, mebibytes=None):
        settings = {"FOCUSSTATS_THREADS": str(THREADS)}
        return Limited(folder, mebibytes, settings=settings) if mebibytes else harness.Responder(folder, settings)

    @tap.limit(600 if LONG else 120)
    def test_start(self):
        """With too little it ends, and says so last; with a little more it answers, where the store cannot be opened 503; with enough it serves. In
        between there is nothing else, and the home is well in any case."""
        folder = self.folder()
        self.addCleanup(folder.expect, PANIC)
        served, refused = [], []
        for mebibytes in STARTS:
            responder = self.responder(folder, mebibytes)
            responder.wait_ready = lambda: None
            self.start(responder)
            child = responder.children[0]
            status = harness.wait_until(lambda: self.health(responder) or child.poll() is not None, "it answers or has ended")
            child.terminate()
            if status in (200, 503):
                (served if status == 200 else refused).append(mebibytes)
                self.assertEqual(child.wait(20), 0)
            else:
                self.assertEqual(child.wait(20), 1)
                self.assertRegex(folder.log_text().splitlines()[-1], "starting the workers: |preparing |loading shared libraries")
            responder.stop()
            os.unlink(folder.socket)
        # Between the two it depends on which thread comes first to a heap of its own.
        self.assertIn(STARTS[-1], served)
        self.assertNotIn(STARTS[0], served)
        expected_lines(folder, CANNOT)
        responder = self.start(self.responder(folder))
        self.assertEqual(responder.post("initUser", {"user": "u"}).status, 200)
        responder.stop()
        note("with %d threads it serves with %s MiB of %s, and refuses with %s", THREADS, served, STARTS, refused)

    @staticmethod
    def health(responder):
        """The answer's status; None where there is none."""
        try:
            return responder.ask("GET", "/FocusStats/health", timeout=0.2).status
        except (harness.ConnectionClosed, OSError):
            return None

    @tap.cases([("%d MiB" % mebibytes, mebibytes) for mebibytes in LOADS])
    @tap.limit(600 if LONG else 120)
    def test_load(self, mebibytes):
        folder = self.folder()
        self.addCleanup(folder.expect, PANIC)
        # One that is there from the start, so that what is short is short for a while only.
        folder.write("home/DB_CONFIG", "set_cachesize 0 8388608 1\n")
        filled = self.start(self.responder(folder))
        filled.post("initUser", {"user": "u"})
        for number in range(SESSIONS // BATCH):
            self.assertEqual(filled.post("addSessions", {"user": "u", "sessions": self.batch(number)}).status, 200)
        filled.stop()
        os.unlink(folder.socket)
        responder = self.start(self.responder(folder, mebibytes))
        told = {200: 0, 503: 0, None: 0}
        acknowledged, slowest, ends = [], [0.0], []
        starting = threading.Lock()

        def start_again():
            with starting:
                for child in [child for child in responder.children if child.poll() is not None]:
                    responder.children.remove(child)
                    ends.append(child.returncode)
                    one_more(responder)

        def use(index):
            pick = random.Random(index)
            for number in range(40 if LONG else 6):
                action, fields = pick.choice([
                    ("_exportUser", {"user": "u"}), ("_getSessions", {"user": "u"}), ("_getDocuments", {"user": "u"}),
                    ("addSessions", {"user": "u", "sessions": self.batch(100 + 50 * index + number)}),
                    ("startSession", {"user": "u", "document": "d%d-%d" % (index, number), "library": "l"})])
                begun = time.monotonic()
                status = None
                try:
                    reply = responder.post(action, fields)
                    status = reply.status
                    self.assertIn(status, (200, 503), reply)
                    if action == "startSession" and status == 200:
                        acknowledged.append(reply.json()["focusSession"])
                except (harness.ConnectionClosed, OSError):
                    pass
                slowest[0] = max(slowest[0], time.monotonic() - begun)
                told[status] += 1
                start_again()

        harness.clients(CLIENTS, use)
        self.assertLess(slowest[0], ANSWER_SECONDS)

        def serves_again():
            start_again()
            try:
                return self.health(responder) == 200 and responder.post("startSession", {"user": "u", "document": "last", "library": "l"}).status == 200
            except (harness.ConnectionClosed, OSError):
                return False

        harness.wait_until(serves_again, "it serves again")
        responder.stop()
        # Page versions that a small cache has no room for; whoever starts next removes them.
        for name in os.listdir(folder.home):
            if name.startswith("__db.freezer."):
                os.unlink(os.path.join(folder.home, name))
        self.assertLessEqual(set(acknowledged), set(offline.read(folder).sessions))
        self.assertLessEqual(set(ends), set(ENDS))
        # With the least it may be on its way down or up all the time.
        if mebibytes > LOADS[0]:
            self.assertGreater(told[200], 0)
        note("%d MiB: %d answered, %d refused, %d without an answer; ended %s; slowest %.1f s", mebibytes, told[200], told[503], told[None], ends, slowest[0])
        expected_lines(folder, SAID, DIED)

    @staticmethod
    def batch(number):
        return [{"document": ("%05d-%d" % (number, index)).ljust(250, "d"), "library": "l" * 250, "startTime": "2024-01-%02dT00:00:00Z" % (1 + index % 28),
                 "endTime": "2024-01-%02dT01:00:00Z" % (1 + index % 28)} for index in range(BATCH)]


if __name__ == "__main__":
    tap.main(globals())
