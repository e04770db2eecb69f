#!/usr/bin/env python3
"""Clients with ids of their own who send every request until it is answered, while the owner of the store is killed again and again: afterwards there is
exactly one session for each id, with exactly the right values. And the one request that comes while a process is being killed: others are there for it."""

import os
import random
import signal
import threading

from common import LONG, CrashCase, Faults, harness, note, one_more

import fcgi  # noqa: E402
import offline  # noqa: E402
import tap  # noqa: E402
import timed  # noqa: E402
from persistent import Plans  # noqa: E402
from watch import owners, programs  # noqa: E402

PROCESSES = 4
START = timed.ms_of("2025-11-10T12:00:00Z")


class FcgiClient:
    """A new connection for each request."""

    def __init__(self, responder):
        self.responder = responder

    def post(self, action, fields):
        return self.responder.ask("POST", "/FocusStats/" + action, harness.encode(fields), timeout=10)

    def close(self):
        pass


class CgiClient:
    """A process for each request. One that was killed has given no answer."""

    def __init__(self, folder, settings):
        self.folder = folder
        self.settings = settings

    def post(self, action, fields):
        try:
            reply = harness.cgi(self.folder, "POST", "/FocusStats/" + action, harness.encode(fields), settings=self.settings)
        except AssertionError as error:
            raise fcgi.ConnectionClosed(b"") from error
        if len(reply.body) != int(reply.header("Content-Length") or -1):
            raise fcgi.ConnectionClosed(reply.body)
        return reply

    def close(self):
        pass


class Retries(CrashCase):
    """On one home."""

    def run_killed(self, with_cgi):
        # Not a watched one: the log's times are of the clock that stands.
        folder = self.folder()
        faults = Faults(folder)
        faults.set("clock", str(START))
        responder = self.start(harness.Responder(folder, settings=faults.settings(), processes=PROCESSES))
        self.assertEqual(responder.post("initUser", {"user": "reader"}).status, 200)
        plans = Plans("reader", 6 + with_cgi, START, 600 if LONG else 150)
        done = threading.Event()
        pick, kills = random.Random(7), []

        def send():
            try:
                plans.send(lambda index: CgiClient(folder, responder.settings) if with_cgi and index < 3 else FcgiClient(responder))
            finally:
                done.set()

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answered, in_vain = 0, 0
        while not done.wait(0.05):
            alive = owners(folder) if pick.random() < 0.8 else programs(folder)
            if plans.answered() > answered:
                answered, in_vain = plans.answered(), 0
            # Also one that is only becoming the owner, but not faster than any of them can.
            if alive and in_vain < 3:
                in_vain += 1
                kills.append(pick.choice(alive))
                try:
                    os.kill(kills[-1], signal.SIGKILL)
                except ProcessLookupError:
                    kills.pop()
            while len(responder.pids) < PROCESSES and not done.is_set():
                one_more(responder)
        sender.join()
        if plans.failures:
            raise plans.failures[0]
        exported = harness.wait_until(lambda: responder.post("_exportUser", {"user": "reader"}), "the export").json()[0]["export"]["sessions"]
        plans.check(self, exported)
        responder.stop()
        if not offline.missing():
            self.assertEqual(set(offline.read(folder).sessions), set(plans.wanted))
        self.assertGreater(len(kills), 3)
        note("%d kills, %d requests for %d sessions: %s", len(kills), len(plans.requests), len(plans.wanted), plans.statuses)

    @tap.limit(600 if LONG else 120)
    def test_asked_while_one_is_killed(self):
        """The system tells one of the processes of a new connection, which may be the one that dies. Nobody asks for anything else."""
        folder = self.folder()
        responder = self.start(harness.Responder(folder, processes=PROCESSES))
        pick, lost = random.Random(3), 0
        for _ in range(400 if LONG else 100):
            os.kill(pick.choice(responder.pids), signal.SIGKILL)
            try:
                self.assertEqual(responder.ask("GET", "/FocusStats/health").status, 200)
            except fcgi.ConnectionClosed:
                lost += 1  # it had accepted it
            harness.wait_until(lambda: len(responder.pids) < PROCESSES, "the process is gone")
            one_more(responder)
        self.assertLess(lost, 200 if LONG else 50)
        note("%d of the connections were closed", lost)

    @tap.limit(600 if LONG else 120)
    def test_killed(self):
        self.run_killed(False)

    @tap.limit(600 if LONG else 120)
    def test_killed_beside_cgi(self):
        self.run_killed(True)


if __name__ == "__main__":
    tap.main(globals())
