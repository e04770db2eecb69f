#!/usr/bin/env python3
"""Many processes race for the place of an owner that is gone: killed, or left in order. They end with one owner, which everybody then reaches."""

import os
import random
import re
import signal
import time

from common import LONG, CrashCase, harness, note, one_more, spread

import tap  # noqa: E402
from ledger import FcgiClient, Ledger, Writers  # noqa: E402
from watch import owners, programs  # noqa: E402

PROCESSES = 10
# Who comes second waits until the first one has made the store.
PATIENT = {"FOCUSSTATS_RELAY_TIMEOUT": "20000"}


@tap.limit(1800 if LONG else 120)
class Race(CrashCase):
    """Ten processes."""

    def race(self, end, rounds, clients):
        """Ends the owner again and again, in the way that END(folder, pid) does; the others race. Prints how long the place was free."""
        folder = self.watched()
        responder = self.start(harness.Responder(folder, processes=PROCESSES))
        ledger = Ledger()
        writers = Writers(ledger, clients, lambda: FcgiClient(responder, keep=False)).start()
        free, former = [], set()
        try:
            ledger.wait_flow()
            for _ in range(rounds):
                harness.wait_until(lambda: len(programs(folder)) == PROCESSES, "all processes run")
                owner = self.only_owner(folder)
                former.add(owner)
                begun = time.monotonic()
                end(folder, owner)
                ledger.wait_flow()
                free.append(time.monotonic() - begun)
                child = next(child for child in responder.children if child.pid == owner)
                child.wait(20)
                responder.children.remove(child)
                self.assertNotIn(self.only_owner(folder), former)
                one_more(responder)
        finally:
            writers.stop()
        responder.stop()
        self.read(folder).check(ledger)
        told = re.findall(r"focusstats\[(\d+)\]: owner of ", folder.log_text())
        self.assertGreaterEqual(set(map(int, told)), former)
        note("%d rounds of %d processes: %s; until writes flowed again: %s", len(free), PROCESSES, ledger.summary(), spread(free))

    @staticmethod
    def only_owner(folder):
        """The one process that has the store open; there are moments with none."""
        return harness.wait_until(lambda: owners(folder), "one of the processes owns the store")[0]

    def test_killed(self):
        self.race(lambda folder, pid: folder.watch.kill(pid), 150 if LONG else 10, 20)

    def test_left_in_order(self):
        self.race(lambda folder, pid: folder.watch.end(pid, signal.SIGTERM), 150 if LONG else 10, 20)

    def test_two_killed_at_once(self):
        """The owner, and one that may just be taking its place."""
        def kill_two(folder, pid):
            other = random.choice([other for other in programs(folder) if other != pid])
            folder.watch.kill(pid)
            folder.watch.kill(other)

        folder = self.watched()
        responder = self.start(harness.Responder(folder, processes=PROCESSES))
        ledger = Ledger()
        writers = Writers(ledger, 20, lambda: FcgiClient(responder, keep=False)).start()
        try:
            for _ in range(100 if LONG else 5):
                ledger.wait_flow()
                kill_two(folder, self.only_owner(folder))
                ledger.wait_flow()
                while len(responder.pids) < PROCESSES:
                    one_more(responder)
        finally:
            writers.stop()
        responder.stop()
        self.read(folder).check(ledger)

    def test_all_start_at_once(self):
        """On a home where nothing was made yet, many times."""
        for _ in range(40 if LONG else 4):
            folder = self.watched()
            responder = harness.Responder(folder, PATIENT, processes=PROCESSES)
            responder.wait_ready = lambda: None
            self.start(responder)
            try:
                replies = harness.clients(PROCESSES, lambda index: responder.post("initUser", {"user": "u"}))
                self.assertEqual(sorted(reply.status for reply in replies), [200] + [409] * (PROCESSES - 1))
                self.assertEqual(len(owners(folder)), 1)
                self.assertEqual(len(programs(folder)), PROCESSES)
            finally:
                responder.stop()
            self.assertEqual(list(self.read(folder).users), ["u"])

    def test_all_leave_at_once(self):
        """Everybody is told to end while clients write: each ends in order, whoever owns the store meanwhile."""
        folder = self.watched()
        ledger = Ledger()
        for index in range(30 if LONG else 3):
            if os.path.exists(folder.socket):
                os.unlink(folder.socket)
            responder = self.start(harness.Responder(folder, processes=PROCESSES))
            writers = Writers(ledger, 10, lambda: FcgiClient(responder, keep=False, timeout=5), first=index * 10).start()
            try:
                ledger.wait_flow()
                for child in responder.children:
                    folder.watch.end(child.pid, signal.SIGTERM)
                self.assertEqual([child.wait(20) for child in responder.children], [0] * PROCESSES)
            finally:
                writers.stopping.set()
                responder.stop()
                writers.stop()
        store = self.read(folder)
        store.check(ledger)
        note("%d times all at once: %s", 30 if LONG else 3, ledger.summary())


if __name__ == "__main__":
    tap.main(globals())
