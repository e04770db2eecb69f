#!/usr/bin/env python3
"""removeUser while others go on: readers of the same user, writers, a new initUser, and processes that are killed. What was erased is never seen
again, and what came after is whole."""

import os
import signal
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "crash")]

import fcgi
import harness
import offline
import tap
import timed
from faults import Faults
from watch import owners

SESSIONS = 2000 if os.environ.get("FOCUSSTATS_QUICK") == "1" else 8000
CONFIRMED = {"user": "reader", "confirm": "reader"}


class Removal(harness.Case):
    """A reader with thousands of sessions, and another one."""

    def serve(self, processes=1, settings=None):
        self.store = self.folder()
        self.faults = Faults(self.store)
        self.responder = self.start(harness.Responder(self.store, self.faults.settings(settings), processes))
        for user, count in (("reader", SESSIONS), ("readers", 20)):
            self.ok("initUser", user=user)
            self.ok("setDocument", user=user, document="d", title="D")
            for low in range(0, count, 1000):
                self.ok("addSessions", user=user, sessions=[
                    {"document": "d%d" % (number % 50), "library": "l", "startTime": timed.instant(1000 * number),
                     "endTime": timed.instant(1000 * number + 700)}
                    for number in range(low, min(low + 1000, count))])
        self.other = self.responder.post("_exportUser", {"user": "readers"}).text

    def ok(self, action, **fields):
        reply = self.responder.post(action, fields)
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def begin_anew(self):
        """initUser; what the user had before may still be under deletion."""
        def begun():
            reply = self.responder.post("initUser", {"user": "reader"})
            if reply.status != 200:
                self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"), reply)
                self.assertIn("'reader' is being removed", reply.json()["error"])
            return reply.status == 200
        harness.wait_until(begun, "the user can begin anew")

    def finish(self):
        """The other reader is as before, and the files hold nothing of what was erased."""
        self.assertEqual(self.responder.post("_exportUser", {"user": "readers"}).text, self.other)
        self.responder.stop()
        return None if offline.missing() else offline.read(self.store)

    def remove_meanwhile(self, ask, begun=lambda: True):
        """Runs ASK, which gets an event that is set after the removal, in threads while the user is removed, once it has BEGUN. Returns the removal's
        answer."""
        done = threading.Event()
        threads = [threading.Thread(target=ask, args=(done, index), daemon=True) for index in range(4)]
        for thread in threads:
            thread.start()
        try:
            harness.wait_until(begun, "questions before the removal")
            return self.responder.post("removeUser", CONFIRMED)
        finally:
            done.set()
            for thread in threads:
                thread.join()

    def test_readers_see_all_or_nothing(self):
        """A list is whole, or there is no such user; and once there was none it does not come back."""
        self.serve(2)
        wrong, answers = [], {200: [], 404: []}

        def look(done, index):
            gone = False
            while not done.is_set() or not gone:
                query = ["_viewStats", "_getSummary", "_getSettings", "_exportUser"][index]
                reply = self.responder.post(query, {"user": "reader"})
                answers.setdefault(reply.status, []).append(reply)
                gone = gone or reply.status == 404
                if reply.status not in (200, 404) or (gone and reply.status != 404):
                    wrong.append("%s: %r" % (query, reply))
                    return
                if reply.status == 200:
                    found = next(iter(reply.json()[0].values()))
                    count = {"_viewStats": lambda: len(found["focusSessionIds"]), "_getSummary": lambda: found["sessions"],
                             "_getSettings": lambda: SESSIONS,
                             "_exportUser": lambda: len(found["sessions"])}[query]()
                    if count != SESSIONS:
                        wrong.append("%s: %d sessions" % (query, count))

        reply = self.remove_meanwhile(look, lambda: len(answers[200]) > 3 or wrong)
        self.assertEqual((reply.status, reply.json()), (200, {"removedSessions": SESSIONS}))
        self.assertEqual(wrong, [])
        self.assertGreater(min(map(len, answers.values())), 3)
        self.finish()

    def test_writers_are_counted_or_refused(self):
        """Each session that was added is either among the removed, or its writer was told that there is no user."""
        self.serve(2)
        added = [0] * 4

        def write(done, index):
            number = 0
            while True:
                number += 1
                reply = self.responder.post("addSession", {"user": "reader", "document": "new", "library": "l",
                                                           "startTime": timed.instant(10 ** 9 + 4 * number + index),
                                                           "endTime": timed.instant(10 ** 9 + 4 * number + index)})
                if reply.status != 200:
                    if reply.status != 404:
                        raise AssertionError(reply)
                    return
                added[index] += 1

        reply = self.remove_meanwhile(write)
        self.assertEqual((reply.status, reply.json()), (200, {"removedSessions": SESSIONS + sum(added)}))
        self.assertEqual(self.responder.post("_getSessions", {"user": "reader"}).status, 404)
        self.finish()

    def test_a_new_beginning_meanwhile(self):
        """initUser as soon as it is possible: the new user has what came after it and nothing else."""
        self.serve(2)
        made = []

        def begin(done, index):
            if index:
                return
            while self.responder.post("initUser", {"user": "reader"}).status != 200:
                pass
            for _ in range(20):
                made.append(self.ok("startSession", user="reader", document="d", library="l")["focusSession"])
            self.ok("setSettings", user="reader", dayStart="05:00")
            self.ok("setDocument", user="reader", document="new", title="New")

        self.assertEqual(self.remove_meanwhile(begin).status, 200)
        self.assertEqual([element["focusSession"]["_id"] for element in self.ok("_getSessions", user="reader")], made)
        export = self.ok("_exportUser", user="reader")[0]["export"]
        self.assertEqual((len(export["sessions"]), export["settings"]["dayStart"], export["documents"]),
                         (20, "05:00", [{"document": "new", "title": "New", "authors": []}]))
        store = self.finish()
        if store:
            self.assertEqual(sorted(identity for identity, record in store.sessions.items() if record.user == "reader"), sorted(made))

    def test_what_takes_long_is_not_waited_for(self):
        """Where the deletion takes longer than a request may, the answer comes after a second, and the rest goes in the background."""
        self.serve(2, {"FOCUSSTATS_RELAY_TIMEOUT": "20000"})
        self.faults.set("sync-slow", "100")
        replies = harness.clients(2, lambda index: self.responder.post("removeUser", CONFIRMED))
        self.assertIn((200, {"removedSessions": SESSIONS}), [(reply.status, reply.json()) for reply in replies])
        self.faults.clear("sync-slow")
        self.begin_anew()
        self.assertEqual(self.ok("_getSessions", user="reader"), [])
        store = self.finish()
        if store:
            self.assertEqual([identity for identity, record in store.sessions.items() if record.user == "reader"], [])

    def test_two_at_once(self):
        """One of them removes; the other is told that there is no user, or waits and removes nothing."""
        self.serve(2)
        replies = harness.clients(4, lambda index: self.responder.post("removeUser", CONFIRMED))
        self.assertEqual(sorted(reply.status for reply in replies)[:1], [200])
        self.assertLessEqual({reply.status for reply in replies}, {200, 404})
        self.assertEqual(max(reply.json().get("removedSessions", 0) for reply in replies), SESSIONS)
        self.finish()

    def test_killed_meanwhile(self):
        """Whatever the client was told: the user is there whole, or is gone for good; and where they are gone, a new one begins empty."""
        outcomes = {"whole": 0, "gone": 0}
        for looks in range(8):
            self.serve()
            # On a connection that the process has already: one that still waits for it would be the next one's.
            connection = self.responder.connect()
            connection.ask("GET", "/FocusStats/health", keep=True)

            def ask():
                try:
                    connection.ask("POST", "/FocusStats/removeUser", harness.encode(CONFIRMED), keep=True)
                except (fcgi.ConnectionClosed, OSError):
                    pass
                connection.close()

            thread = threading.Thread(target=ask, daemon=True)
            thread.start()
            for _ in range(looks * 2):
                owners(self.store)
            os.kill(self.responder.pids[0], signal.SIGKILL)
            self.responder.children[0].wait()
            thread.join()
            self.responder.start_one()
            self.responder.wait_ready()
            reply = self.responder.post("_viewStats", {"user": "reader"})
            if reply.status == 200:
                outcomes["whole"] += 1
                self.assertEqual(len(reply.json()[0]["focusStats"]["focusSessionIds"]), SESSIONS)
                self.assertEqual(self.responder.post("removeUser", CONFIRMED).json(), {"removedSessions": SESSIONS})
            else:
                outcomes["gone"] += 1
                self.assertEqual(reply.status, 404)
            self.begin_anew()
            self.assertEqual(self.ok("_getSessions", user="reader"), [])
            self.assertEqual(self.ok("_getDocuments", user="reader"), [])
            store = self.finish()
            if store:
                self.assertEqual([identity for identity, record in store.sessions.items() if record.user == "reader"], [])
        print("# killed: %s" % outcomes)


if __name__ == "__main__":
    tap.main(globals())
