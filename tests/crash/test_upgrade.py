#!/usr/bin/env python3
"""A store of the schema before: brought up to this one at the first open, whole or in pieces, with nothing lost, doubled or changed that clients
see; then it is a store as any other."""

import json
import random
import subprocess
import time
import uuid

from common import LONG, CrashCase, harness, note

import fcgi  # noqa: E402
import schema1  # noqa: E402
import tap  # noqa: E402
import timed  # noqa: E402
from folder import child_environment  # noqa: E402

OPEN, ENDED_SESSIONS = 2000, 300
NOW = timed.ms_of("2025-11-10T08:00:00Z")
LINE = "bringing the store from schema version 1 to 2"
ROUNDS = 40 if LONG else 6


def query(responder, action, user, **fields):
    reply = responder.post(action, {"user": user, **fields})
    if reply.status != 200:
        raise AssertionError("%s of %s: %r" % (action, user, reply))
    return reply.json()


class Upgrade(CrashCase):
    """What every test here needs."""

    abstract = True

    def old(self, stores=None):
        if schema1.missing():
            self.skipTest(schema1.missing())
        folder = self.watched()
        schema1.install(folder, stores)
        return folder

    def assert_brought_up(self, folder, times=1):
        self.assertEqual(folder.log_text().count(LINE), times)

    def settled(self, folder, sessions):
        """The files afterwards: consistent, with these sessions."""
        store = self.read(folder)
        self.assertEqual({identity: (record.user, record.document, record.library, record.start_ms, record.end_ms if record.ended else None)
                          for identity, record in store.sessions.items()}, sessions)
        return store


class LastRelease(Upgrade):
    """The store that the last release of schema version 1 has left."""

    def assert_as_before(self, post):
        for user, before in schema1.answers().items():
            for action, body in before.items():
                self.assertEqual(post(action, {"user": user}).body.decode(), body, (action, user))

    def old_sessions(self):
        """Of all users, as that release told them."""
        return [element["focusSession"] for before in schema1.answers().values() for element in json.loads(before["_getSessions"])]

    def test_queries_answer_as_before(self):
        folder = self.old()
        responder = self.start(harness.Responder(folder, processes=2))
        self.assert_as_before(responder.post)
        responder.stop()
        self.assert_as_before(lambda action, fields: harness.cgi(folder, "POST", "/FocusStats/" + action, harness.encode(fields)))
        self.assert_brought_up(folder)
        store = self.read(folder)
        self.assertEqual(len(store.sessions), len(self.old_sessions()))
        self.assertEqual({record.version for record in store.sessions.values()}, {1, 2})

    def test_plain_cgi(self):
        folder = self.old()
        self.assert_as_before(lambda action, fields: harness.cgi(folder, "POST", "/FocusStats/" + action, harness.encode(fields)))
        self.assert_brought_up(folder)
        self.read(folder)

    def test_statistics_of_old_sessions(self):
        folder = self.old()
        responder = self.start(harness.Responder(folder))
        for user in schema1.answers():
            ended = [session for session in self.old_sessions() if session["user"] == user and session["endTime"]]
            lengths = [timed.ms_of(session["endTime"]) - timed.ms_of(session["startTime"]) for session in ended]
            summary = query(responder, "_getSummary", user)[0]["summary"]
            self.assertEqual(summary["rawSeconds"], (sum(lengths) + 500) // 1000)
            self.assertEqual(summary["longestSessionSeconds"], (max(lengths, default=0) + 500) // 1000)
            self.assertEqual((summary["sessions"], summary["documents"]), (len(ended), len({session["document"] for session in ended})))
            self.assertEqual({element["document"]["document"] for element in query(responder, "_getDocuments", user)},
                             {session["document"] for session in ended})
            # Ranges are found by the bound of all lengths, and by the open ones.
            for session in ended:
                middle = (timed.ms_of(session["startTime"]) + timed.ms_of(session["endTime"])) // 2
                within = query(responder, "_getSessions", user, **{"from": timed.instant(middle), "to": timed.instant(middle + 1)})
                self.assertIn(session["_id"], [element["focusSession"]["_id"] for element in within])
            self.assertEqual(query(responder, "_getSettings", user)[0]["settings"],
                             {"timezone": "UTC", "dayStart": "00:00", "weekStart": "monday", "dailyGoalSeconds": 0, "idleTimeoutSeconds": 600})

    def test_open_sessions_go_on(self):
        folder = self.old()
        responder = self.start(harness.Responder(folder))
        still_open = [session for session in self.old_sessions() if not session["endTime"]]
        for user in schema1.answers():
            active = [element["focusSession"] for element in query(responder, "_getActiveSessions", user)]
            self.assertEqual([session["_id"] for session in active], [session["_id"] for session in still_open if session["user"] == user])
            self.assertEqual([(session["lastSeen"], session["stale"]) for session in active], [(None, True)] * len(active))
        for turn, session in enumerate(still_open):
            for action in ("heartbeat", "endSession") if turn % 2 else ("endSession",):
                self.assertEqual(responder.post(action, {"focusSession": session["_id"], "progress": 0.5}).status, 200)
        self.assertEqual([query(responder, "_getActiveSessions", user) for user in schema1.answers()], [[]] * len(schema1.answers()))
        responder.stop()
        self.assertTrue(all(record.ended for record in self.read(folder).sessions.values()))

    def test_old_records_can_be_changed(self):
        """What is still stored as version 1 wrote it finds its key when it is changed or deleted."""
        folder = self.old()
        responder = self.start(harness.Responder(folder))
        sessions = self.old_sessions()
        for turn, session in enumerate(sessions):
            if turn % 3 == 0:
                self.assertEqual(responder.post("removeSession", {"focusSession": session["_id"]}).json(), {})
            elif turn % 3 == 1:
                reply = responder.post("editSession", {"focusSession": session["_id"], "startTime": "2025-11-01T00:00:00Z", "document": "another"})
                self.assertEqual(reply.status, 200, reply)
        responder.stop()
        store = self.read(folder)
        self.assertEqual(set(store.sessions), {session["_id"] for turn, session in enumerate(sessions) if turn % 3})
        self.assertEqual({store.sessions[session["_id"]].document for session in sessions[1::3]}, {"another"})

    def test_users_can_be_removed(self):
        folder = self.old()
        responder = self.start(harness.Responder(folder))
        for user, before in schema1.answers().items():
            reply = responder.post("removeUser", {"user": user, "confirm": user})
            self.assertEqual(reply.json(), {"removedSessions": len(json.loads(before["_getSessions"]))})
        responder.stop()
        store = self.read(folder)
        self.assertEqual((store.sessions, store.users), ({}, {}))


@tap.limit(600)
class Interrupted(Upgrade):
    """Killed while it brings a large store up."""

    def make_sessions(self):
        generator = random.Random(1)
        made = []
        for number in range(OPEN + ENDED_SESSIONS):
            # Those of one user first, then of several; some ids sort by time as the program's do, some not at all.
            user = "many" if number < OPEN // 2 else "user %d" % (number % 7)
            identity = uuid.UUID(bytes=(NOW + number).to_bytes(6, "big") + b"\x70" + generator.randbytes(9) if number % 2 else generator.randbytes(16))
            start = NOW + 1000 * number
            made.append((user, identity, "document %d" % (number % 5), "l" * (1 + number % 255), start, None if number < OPEN else start + 60000))
        return made

    def attempt(self, folder, seconds):
        """The program once, as plain CGI; killed so long after it has begun with the upgrade. None, or how long that took where it was sooner."""
        before = folder.log_text().count(LINE)
        env = child_environment(folder, {"FOCUSSTATS_HOME": folder.home, **fcgi.request_params("GET", "/FocusStats/health")})
        who = {"user": harness.worker().pw_uid, "group": harness.worker().pw_gid, "extra_groups": []} if harness.AS_ROOT else {}
        with open(folder.join("log", "program.log"), "ab") as log:
            process = subprocess.Popen([folder.program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=env, **who)
        try:
            harness.wait_until(lambda: folder.log_text().count(LINE) > before or process.poll() is not None, "the upgrade begins")
            begun = time.monotonic()
            process.wait(seconds)
            duration = time.monotonic() - begun
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                folder.watch.kill(process.pid)
            process.wait()
        self.assertEqual(process.returncode, 0)
        return duration

    def test_killed_at_any_time(self):
        sessions = self.make_sessions()
        stores = schema1.make(sessions)
        expected = {str(identity): (user, document, library, start, end) for user, identity, document, library, start, end in sessions}
        generator = random.Random(13)
        folder = self.old(stores)
        duration = self.attempt(folder, 60)
        self.settled(folder, expected)
        kills = 0
        for _ in range(ROUNDS):
            folder = self.old(stores)
            for attempt in range(8):
                took = self.attempt(folder, generator.random() * 0.6 * duration)
                if took is not None:
                    # Where the first one was slow by chance, the others would all be too fast.
                    duration = duration if attempt else min(duration, max(took, 0.05))
                    break
                kills += 1
            reply = harness.cgi(folder, "GET", "/FocusStats/health")
            self.assertEqual(reply.status, 200, reply)
            self.settled(folder, expected)
        self.assertGreaterEqual(kills, ROUNDS)
        note("%d sessions, %d of them open: %.0f ms; %d kills in %d upgrades", len(sessions), OPEN, 1000 * duration, kills, ROUNDS)

    def test_others_wait_meanwhile(self):
        """Several processes at once: one brings it up, all answer."""
        sessions = self.make_sessions()
        folder = self.old(schema1.make(sessions))
        responder = self.start(harness.Responder(folder, processes=4))
        counts = harness.clients(8, lambda index: len(query(responder, "_getActiveSessions", "many")))
        self.assertEqual(counts, [OPEN // 2] * 8)
        self.assert_brought_up(folder)
        responder.stop()
        self.read(folder)


if __name__ == "__main__":
    tap.main(globals())
