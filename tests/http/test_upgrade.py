#!/usr/bin/env python3
"""A home that the first release has written, as its doc/schema.md told: this program takes it over, and everything is there, with statistics."""

import os
import shutil
import struct
import subprocess
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "crash")]

import harness
import offline
import tap
import timed
from watch import owners

LOAD = shutil.which("db5.3_load") or shutil.which("db_load")
BEGIN = timed.ms_of("2025-11-03T10:00:00Z")
LONGEST = "书" * 85


def text(value):
    return bytes([len(value.encode())]) + value.encode()


class Old:
    """The files of schema version 1."""

    def __init__(self):
        self.sessions = []
        self.stats = {}

    def add(self, user, document, library, start, end):
        self.stats.setdefault(user, uuid.uuid4())
        self.sessions.append((uuid.uuid4(), user, document, library, start, end))

    def write(self, folder):
        pairs = {"sessions.db": {}, "sessions_by_user.db": {}, "stats.db": {}, "meta.db": {b"schema": b"1"}}
        for identity, user, document, library, start, end in self.sessions:
            times = struct.pack(">Q", start), struct.pack(">Q", end or 0)
            flags = b"\0" if end is None else b"\1"
            pairs["sessions.db"][identity.bytes] = b"\1" + flags + b"".join(times) + text(user) + text(document) + text(library)
            key = user.encode() + b"\0" + times[0] + identity.bytes + flags + times[1] + text(document) + text(library)
            pairs["sessions_by_user.db"][key] = identity.bytes
        for user, identity in self.stats.items():
            own = [session for session in self.sessions if session[1] == user]
            pairs["stats.db"][user.encode()] = b"\1" + identity.bytes + struct.pack(">QQ", len(own), sum(session[5] is not None for session in own))
        for name, records in pairs.items():
            self.load(os.path.join(folder.home, name), records)
            folder.give(os.path.join(folder.home, name))
            os.chmod(os.path.join(folder.home, name), 0o600)

    @staticmethod
    def load(path, records):
        lines = ["VERSION=3", "format=bytevalue", "type=btree", "db_pagesize=4096", "chksum=1", "HEADER=END"]
        for key in sorted(records):
            lines += [" " + key.hex(), " " + records[key].hex()]
        subprocess.run([LOAD, path], input="\n".join(lines + ["DATA=END", ""]).encode(), check=True)


class Upgrade(harness.Case):
    """From schema version 1."""

    def setUp(self):
        super().setUp()
        if LOAD is None:
            self.skipTest("Berkeley DB's tools are not installed (Debian package db5.3-util)")
        self.store = self.folder()
        self.old = Old()
        self.service = None

    def serve(self):
        if self.service is None:
            self.service = timed.Service(self.store)
            self.service.set_clock(BEGIN + 86400000)
        self.start(self.service)

    def inner(self, query, **fields):
        reply = self.service.post(query, fields)
        self.assertEqual(reply.status, 200, reply)
        return [next(iter(element.values())) for element in reply.json()]

    def check(self, user):
        """The base API's answers, as they were."""
        own = sorted((session for session in self.old.sessions if session[1] == user), key=lambda session: (session[4], session[0].bytes))
        self.assertEqual(self.inner("_getSessions", user=user), [
            {"_id": str(identity), "user": user, "document": document, "startTime": timed.instant(start), "endTime": timed.instant(end)}
            for identity, _, document, _, start, end in own])
        self.assertEqual(self.inner("_viewStats", user=user), [
            {"id": str(self.old.stats[user]), "user": user, "focusSessionIds": [str(session[0]) for session in own if session[5] is not None]}])

    def finish(self):
        self.service.stop()
        if not offline.missing():
            offline.read(self.store)

    def test_everything_is_there(self):
        for user in ("ada", "adam", LONGEST):
            for number in range(40):
                self.old.add(user, "book %d" % (number % 3) if number else LONGEST, LONGEST if number == 1 else "home", BEGIN + 600000 * number,
                             None if number % 10 == 9 else BEGIN + 600000 * number + 300000)
        self.old.add("ada", "a long one", "home", timed.ms_of("1975-01-01T00:00:00Z"), timed.ms_of("2025-01-01T00:00:00Z"))
        self.old.write(self.store)
        self.serve()
        for user in self.old.stats:
            self.check(user)
        self.finish()

    def test_statistics_of_what_was_there(self):
        for number in range(12):
            self.old.add("ada", "a book", "home", BEGIN + 600000 * number, BEGIN + 600000 * number + 300000)
        self.old.add("ada", "a long one", "home", timed.ms_of("1975-01-01T00:00:00Z"), timed.ms_of("2025-01-01T00:00:00Z"))
        self.old.add("ada", "an open one", "home", BEGIN, None)
        self.old.write(self.store)
        self.serve()
        summary, = self.inner("_getSummary", user="ada", **{"from": "2024-12-31"})
        self.assertEqual((summary["seconds"], summary["sessions"], summary["longestSessionSeconds"]), (86400 + 3600, 13, 86400))
        self.assertEqual(len(self.inner("_getSessions", user="ada", **{"from": "2024-12-31", "to": "2025-01-01"})), 1)
        settings, = self.inner("_getSettings", user="ada")
        self.assertEqual(settings, {"timezone": "UTC", "dayStart": "00:00", "weekStart": "monday", "dailyGoalSeconds": 0, "idleTimeoutSeconds": 600})
        active, = self.inner("_getActiveSessions", user="ada")
        self.assertEqual((active["document"], active["lastSeen"], active["stale"], active["elapsedSeconds"]), ("an open one", None, True, 86400))
        self.assertEqual(self.service.post("heartbeat", {"focusSession": active["_id"], "progress": 0.5}).status, 200)
        self.assertEqual(self.service.post("endSession", {"focusSession": active["_id"]}).status, 200)
        summary, = self.inner("_getSummary", user="ada", document="an open one")
        self.assertEqual(summary["seconds"], 86400)
        self.finish()

    def test_it_can_be_written_to(self):
        for number in range(3):
            self.old.add("ada", "a book", "home", BEGIN + number, BEGIN + 600000)
        self.old.write(self.store)
        first, second, third = (str(session[0]) for session in self.old.sessions)
        self.serve()
        self.assertEqual(self.service.post("removeSession", {"focusSession": first}).status, 200)
        self.assertEqual(self.service.post("editSession", {"focusSession": second, "document": "another"}).status, 200)
        self.assertEqual([(session["_id"], session["document"]) for session in self.inner("_getSessions", user="ada")],
                         [(second, "another"), (third, "a book")])
        self.assertEqual(self.inner("_getSessions", user="ada", limit=1)[0]["library"], "home")
        self.finish()

    def test_it_is_taken_over_once(self):
        """And a second start finds it as the first left it."""
        for number in range(3000):
            self.old.add("user %d" % (number % 7), "a book", "home", BEGIN + number, BEGIN + 600000)
        self.old.write(self.store)
        for _ in range(2):
            self.serve()
            for user in self.old.stats:
                self.check(user)
            self.finish()
            os.unlink(self.store.socket)

    def test_killed_meanwhile(self):
        """At moments from the opening of the store to some time after; whatever was done by then, the next process goes on."""
        for number in range(20000):
            self.old.add("user %d" % (number % 7), "a book", "home", BEGIN + number, BEGIN + 600000)
        self.old.write(self.store)
        responder = harness.Responder(self.store, processes=0)
        responder.wait_ready = lambda: None
        self.start(responder)
        for looks in range(12):
            child = responder.start_one()
            harness.wait_until(lambda: owners(self.store), "the process opens the store")
            for _ in range(looks * 3):
                owners(self.store)
            child.kill()
            child.wait()
        responder.stop()
        os.unlink(self.store.socket)
        self.serve()
        for user in self.old.stats:
            self.check(user)
        self.finish()

    def test_an_empty_store(self):
        self.old.write(self.store)
        self.serve()
        self.assertEqual(self.service.post("_getSessions", {"user": "ada"}).status, 404)
        self.assertEqual(self.service.post("initUser", {"user": "ada"}).status, 200)
        self.finish()


if __name__ == "__main__":
    tap.main(globals())
