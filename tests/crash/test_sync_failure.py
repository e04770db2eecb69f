#!/usr/bin/env python3
"""Syncs that fail, and syncs that take long. After a failed one the kernel may have dropped what it could not write, so the process that saw it must
acknowledge nothing more and end; the next one must have all that was acknowledged before. While a sync is under way readers neither wait for it nor
see what it is to make durable."""

import os
import random
import threading
import time

from common import EXIT_FATAL, LONG, CrashCase, Faults, harness, note, one_more, spread, unread

import tap  # noqa: E402
from ledger import DONE, FcgiClient, Ledger, Writers  # noqa: E402
from watch import owners, seconds_of, OWNER_LINE  # noqa: E402

PROMPT_SECONDS = 3.0


def marker(folder):
    return os.path.join(folder.home, "sync-failed")


class Failing(CrashCase):
    """Syncs that fail."""

    def responder(self, folder, processes, **settings):
        return self.start(harness.Responder(folder, folder.faults.settings(settings), processes=processes))

    def faulty(self):
        folder = self.watched()
        folder.faults = Faults(folder)
        return folder

    def finish(self, folder, ledger):
        self.assertFalse(os.path.exists(marker(folder)), "the marker of a failed sync is still there")
        return self.read(folder).check(ledger)

    @tap.limit(1200 if LONG else 120)
    def test_under_load(self):
        """Of several processes the owner's sync fails, now and then, with the loss of what it was to make durable."""
        folder = self.faulty()
        responder = self.responder(folder, 4)
        ledger = Ledger()
        writers = Writers(ledger, 16, lambda: FcgiClient(responder)).start()
        pauses = []
        try:
            for _ in range(60 if LONG else 5):
                ledger.wait_flow()
                ledger.wait_count(DONE, random.randrange(50))
                pauses.append(self.fail_once(folder, responder, ledger))
                one_more(responder)
        finally:
            writers.stop()
        responder.stop()
        self.check_silence(folder, ledger)
        found = self.finish(folder, ledger)
        note("%d failed syncs, %d acknowledged writes (%s), %d done of those without an answer; pause: %s", len(pauses), ledger.acknowledged,
             ledger.summary(), found, spread(pauses))

    def fail_once(self, folder, responder, ledger):
        """Lets the next sync fail; waits until its process has ended and writes flow again. Returns how long that took."""
        alive = {child for child in responder.children if child.poll() is None}
        folder.faults.set("sync-fail")
        harness.wait_until(lambda: not folder.faults.asked("sync-fail"), "a sync fails")
        begun = time.monotonic()
        harness.wait_until(lambda: any(child.poll() is not None for child in alive), "the process whose sync failed ends")
        self.assertEqual([child.returncode for child in alive if child.returncode is not None], [EXIT_FATAL])
        ledger.wait_flow()
        harness.wait_until(lambda: not os.path.exists(marker(folder)), "the next owner removes the marker")
        return time.monotonic() - begun

    def check_silence(self, folder, ledger):
        """Nothing that was sent after a sync failed was acknowledged before the next owner had recovered the store."""
        silences, since = [], None
        for instant, _, recovery_ms, _, failed in OWNER_LINE.findall(folder.log_text()):
            if failed.startswith("this process ends"):
                since = seconds_of(instant)
            elif recovery_ms and since is not None:
                silences.append((since, seconds_of(instant)))
                since = None
        self.assertTrue(silences)
        offset = time.time() - time.monotonic()
        wrong = [(sent, answered) for sent, answered in ledger.done_times for begun, ended in silences
                 if sent + offset > begun + 0.002 and answered + offset < ended]
        self.assertEqual(wrong, [])

    @tap.limit(1200 if LONG else 120)
    def test_each_sync_of_a_life(self):
        """The N-th sync of a process fails: in recovery, in a commit, in a checkpoint, at the end."""
        folder = self.faulty()
        ledger = Ledger()
        numbers = range(1, 80) if LONG else (1, 2, 3, 5, 8, 13, 21)
        statuses = {0: 0, EXIT_FATAL: 0}
        for index, number in enumerate(numbers):
            status = self.live_with_failure(folder, ledger, number, index * 4)
            statuses[status] += 1
        os.unlink(folder.socket)
        self.responder(folder, 1).stop()
        self.finish(folder, ledger)
        note("%d lives ended by a failed sync, %d without; %d acknowledged writes", statuses[EXIT_FATAL], statuses[0], ledger.acknowledged)
        self.assertGreater(statuses[EXIT_FATAL], len(numbers) // 2)

    def live_with_failure(self, folder, ledger, number, first):
        """One process from its start to its end. Returns its exit status."""
        folder.faults.set("sync-fail-at", str(number))
        if os.path.exists(folder.socket):
            os.unlink(folder.socket)
        responder = harness.Responder(folder, folder.faults.settings())
        self.addCleanup(responder.stop)
        responder.wait_ready = lambda: None
        child = responder.start().children[0]
        writers = Writers(ledger, 4, lambda: FcgiClient(responder, timeout=5), first=first).start()
        try:
            before = ledger.acknowledged
            harness.wait_until(lambda: child.poll() is not None or ledger.acknowledged > before + 100, "it ends or writes")
        finally:
            writers.stopping.set()
            child.terminate()
            child.wait()
            responder.listener.close()
            writers.stop()
        folder.faults.clear("sync-fail-at")
        if child.returncode == EXIT_FATAL:
            self.assertTrue(os.path.exists(marker(folder)), "a failed sync left no marker")
        return child.returncode

    def test_plain_cgi(self):
        """A CGI process whose sync fails answers 503 and leaves the marker; the next one removes it."""
        folder = self.faulty()
        settings = folder.faults.settings()

        def post(action, fields):
            return harness.cgi(folder, "POST", "/FocusStats/" + action, harness.encode(fields), settings=settings)

        self.assertEqual(post("initUser", {"user": "u"}).status, 200)
        folder.faults.set("sync-fail")
        reply = post("startSession", {"user": "u", "document": "d", "library": "l"})
        self.assertEqual((reply.status, reply.exit_status), (503, EXIT_FATAL))
        self.assertIsNotNone(reply.header("Retry-After"))
        self.assertTrue(os.path.exists(marker(folder)))
        reply = post("startSession", {"user": "u", "document": "e", "library": "l"})
        self.assertEqual(reply.status, 200, reply)
        self.assertFalse(os.path.exists(marker(folder)))
        self.assertEqual({record.document for record in self.read(folder).sessions.values()} - {"d"}, {"e"})


class Blocking(CrashCase):
    """Syncs that take long."""

    def prepared(self, processes):
        folder = self.watched()
        faults = Faults(folder)
        responder = self.start(harness.Responder(folder, faults.settings({"FOCUSSTATS_RELAY_TIMEOUT": "20000"}), processes=processes))
        self.addCleanup(faults.clear, "sync-block")
        self.assertEqual(responder.post("initUser", {"user": "u"}).status, 200)
        return folder, faults, responder, responder.post("startSession", {"user": "u", "document": "before", "library": "l"}).json()["focusSession"]

    @staticmethod
    def read_all(responder):
        """What the readers of one user see, and how long the slowest answer took."""
        begun = time.monotonic()
        sessions = responder.post("_getSessions", {"user": "u"})
        middle = time.monotonic()
        stats = responder.post("_viewStats", {"user": "u"})
        end = time.monotonic()
        if (sessions.status, stats.status) != (200, 200):
            raise AssertionError((sessions, stats))
        documents = [item["focusSession"]["document"] for item in sessions.json()]
        return documents, stats.json()[0]["focusStats"]["focusSessionIds"], max(middle - begun, end - middle)

    def read_for(self, responder, seconds, documents, ended):
        """Readers that must all see the same, promptly."""
        until = time.monotonic() + seconds
        slowest = [0.0] * 6

        def read(index):
            while time.monotonic() < until:
                seen, ids, took = self.read_all(responder)
                slowest[index] = max(slowest[index], took)
                if (seen, ids) != (documents, ended):
                    raise AssertionError("a reader saw %s and %s" % (seen, ids))

        harness.clients(6, read)
        self.assertLess(max(slowest), PROMPT_SECONDS)
        return max(slowest)

    def check_blocked_commit(self, processes):
        folder, faults, responder, before = self.prepared(processes)
        answers = {}

        def write(name, action, fields):
            answers[name] = responder.post(action, fields)

        faults.set("sync-block")
        first = threading.Thread(target=write, args=("start", "startSession", {"user": "u", "document": "new", "library": "l"}), daemon=True)
        first.start()
        harness.wait_until(lambda: "/log." in faults.content("sync-waiting"), "the sync of a commit waits")
        slowest = self.read_for(responder, 0.7, ["before"], [])
        # More writes queue up behind it, and the time for a checkpoint comes.
        more = [threading.Thread(target=write, args=(index, "startSession", {"user": "u", "document": "more", "library": "l"}), daemon=True)
                for index in range(5)] + [threading.Thread(target=write, args=("end", "endSession", {"focusSession": before}), daemon=True)]
        for thread in more:
            thread.start()
        slowest = max(slowest, self.read_for(responder, 0.7, ["before"], []))
        self.assertEqual(answers, {})
        faults.clear("sync-block")
        for thread in [first] + more:
            thread.join(20)
        self.assertEqual({name: answer.status for name, answer in answers.items()}, {name: 200 for name in ["start", "end"] + list(range(5))})
        documents, ended, _ = self.read_all(responder)
        self.assertEqual((sorted(documents), ended), (["before"] + ["more"] * 5 + ["new"], [before]))
        responder.stop()
        self.assertEqual(len(self.read(folder).sessions), 7)
        note("%d processes: the slowest reader waited %.0f ms during a sync that took long", processes, 1000 * slowest)

    def test_readers_in_the_owner(self):
        self.check_blocked_commit(1)

    def test_readers_that_relay(self):
        self.check_blocked_commit(3)

    def test_killed_during_a_sync(self):
        """What waits for a sync when the owner is killed is not acknowledged, and is either there or not."""
        folder, faults, responder, _ = self.prepared(1)
        faults.set("sync-block")
        connections = [responder.connect() for _ in range(8)]
        for index, connection in enumerate(connections):
            connection.submit("POST", "/FocusStats/startSession", harness.encode({"user": "u", "document": "d%d" % index, "library": "l"}))
        harness.wait_until(lambda: "/log." in faults.content("sync-waiting"), "the sync of a commit waits")
        harness.wait_until(lambda: not any(map(unread, connections)), "all requests are read")
        folder.watch.kill(responder.pids[0])
        faults.clear("sync-block")
        responder.children[0].wait()
        one_more(responder)
        for connection in connections:
            self.assertRaises(harness.ConnectionClosed, connection.reply)
            connection.close()
        responder.stop()
        self.read(folder)

    def test_relays_give_up_in_time(self):
        """A commit that takes longer than others wait for: they are told that it may have been carried out, or that it was not, and then it was not."""
        folder = self.watched()
        faults = Faults(folder)
        # Few workers: the owner's are soon all waiting, so that most writers meet the other processes.
        settings = {"FOCUSSTATS_RELAY_TIMEOUT": "300", "FOCUSSTATS_THREADS": "4"}
        responder = self.start(harness.Responder(folder, faults.settings(settings), processes=3))
        self.addCleanup(faults.clear, "sync-block")
        self.assertEqual(responder.post("initUser", {"user": "u"}).status, 200)
        ledger = Ledger()
        writers = Writers(ledger, 12, lambda: FcgiClient(responder)).start()
        try:
            for _ in range(20 if LONG else 3):
                ledger.wait_flow()
                faults.set("sync-block")
                answered = ledger.counts["unavailable"]
                harness.wait_until(lambda: ledger.counts["unavailable"] > answered + 10, "relays are refused")
                faults.clear("sync-block")
        finally:
            faults.clear("sync-block")
            writers.stop()
        self.assertEqual(len(owners(folder)), 1)
        responder.stop()
        found = self.read(folder).check(ledger)
        note("relays during syncs that take long: %s; %d done of those without an answer", ledger.summary(), found)


if __name__ == "__main__":
    tap.main(globals())
