#!/usr/bin/env python3
"""Very many requests of every kind over kept connections, to the process that owns the store and to one that relays to it: in the end both have as
many descriptors and as much memory as they had after the first of them."""

import multiprocessing
import os
import re
import time

from common import LONG, CrashCase, expected_lines, harness, note

import fcgi  # noqa: E402
import tap  # noqa: E402

REQUESTS = 1000000 if LONG else 12000
# Before the first look: as many as fill the cache, the threads' heaps and the transactions that the engine keeps (TRANSACTIONS_MAX).
WARM_UP = 100000 if LONG else 12000
CLIENTS = 8
THREADS = 8
SESSIONS = 40
# In the short form 170 bytes a request, in the long one 4.
GROWTH_MIB = 4.0 if LONG else 2.0
END_RECORD = fcgi.record(fcgi.END_REQUEST, 1, b"12345678")[:8]
LINES = [r"owner of \S+ since recovery \(\d+ ms\)", r"no longer the owner of \S+"]


def look(pid):
    """Descriptors, and resident MiB, of which none are the system's page cache."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return len(os.listdir("/proc/%d/fd" % pid)), int(re.search(r"RssAnon:\s*(\d+) kB", file.read()).group(1)) / 1024


def request(method, action, fields=None):
    body = harness.encode(fields) if fields is not None else b""
    return (fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1\1\0\0\0\0\0") + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.request_params(
        method, "/FocusStats/" + action, body))) + fcgi.stream(fcgi.STDIN, 1, body))


def rounds(user):
    """Requests that leave things as they were: made once, sent again and again. Each with the statuses that it may have."""
    identity = "0190a6c5-5bcd-7c8e-9f6d-%012d" % int(user[1:])
    past = [{"document": "d%d" % index, "library": "l", "focusSession": "0190a6c5-5bcd-7c8e-9f6e-%06d%06d" % (int(user[1:]), index),
             "startTime": "2025-01-%02dT10:00:00Z" % (1 + index % 28), "endTime": "2025-01-%02dT11:00:00Z" % (1 + index % 28)} for index in range(SESSIONS)]
    of = {"user": user}
    reads = [("POST", action, {**of, **more}, (200,)) for action, more in [
        ("_viewStats", {}), ("_getSessions", {}), ("_getActiveSessions", {}), ("_getSummary", {}), ("_getPeriods", {"unit": "week"}),
        ("_getHours", {"timezone": "Europe/Berlin"}), ("_getDocuments", {}), ("_getStreaks", {}), ("_getGoal", {}), ("_getSettings", {}),
        ("_getTitles", {}), ("_exportUser", {})]]
    writes = [
        ("POST", "startSession", {**of, "document": "d", "library": "l", "focusSession": identity}, (200,)),
        ("POST", "heartbeat", {"focusSession": identity, "progress": 0.5}, (200,)),
        ("POST", "endSession", {"focusSession": identity}, (200,)),
        ("POST", "editSession", {"focusSession": identity, "document": "edited"}, (200,)),
        ("POST", "removeSession", {"focusSession": identity}, (200,)),
        ("POST", "addSession", {**of, **past[0]}, (200,)),
        ("POST", "setDocument", {**of, "document": "d", "title": "T" * 100, "authors": ["A", "B"]}, (200,)),
        ("POST", "setSettings", {**of, "dailyGoalSeconds": 600}, (200,))]
    rare = [
        ("POST", "addSessions", {**of, "sessions": past}, (200,)),
        ("POST", "removeUser", {**of, "confirm": user}, (200,)),
        # What was removed is deleted bit by bit, and until then nobody can have the name.
        ("POST", "initUser", of, (200, 503, 409)),
        ("GET", "openapi.json", None, (200,)), ("GET", "metrics", None, (200,))]
    refused = [
        ("POST", "initUser", of, (409,)), ("POST", "startSession", b"{", (400,)), ("POST", "startSession", {"user": "nobody", "document": "d"}, (400,)),
        ("POST", "endSession", {"focusSession": identity}, (404,)), ("GET", "nothing", None, (404,)), ("POST", "health", {}, (405,)),
        ("POST", "addSessions", {**of, "sessions": [{}, past[1], {"document": ""}]}, (200,)), ("GET", "health", None, (200,))]
    make = [(request(method, action, fields), statuses) for method, action, fields, statuses in reads + writes + refused]
    return make, [(request(method, action, fields), statuses) for method, action, fields, statuses in rare]


def exchange(connection, data):
    """Sends a request and returns the answer's status and bytes; without taking the records apart, which takes longer than to answer."""
    connection.sendall(data)
    answer = b""
    while answer[-16:-8] != END_RECORD:
        got = connection.recv(1 << 20)
        if not got:
            raise EOFError("after %r" % answer)
        answer += got
    return int(answer[answer.index(b"Status: ") + 8:][:3]), answer


def client(path, index, count, results):
    """In a process of its own: sends COUNT requests one after the other; puts what went wrong, or None."""
    try:
        often, rare = rounds("u%d" % index)
        left, number = count, 0
        with fcgi.Connection(path, 60) as connection:
            while left > 0:
                number += 1
                # Once in a while, with the user's end and new beginning.
                for data, statuses in often + (rare if number % 20 == 1 else []):
                    left -= 1
                    while True:
                        status, answer = exchange(connection.socket, data)
                        if status not in statuses:
                            raise AssertionError("%r: %r" % (data, answer))
                        if status != 503:
                            break
        results.put(None)
    except BaseException as error:  # the test raises it
        results.put("%s: %s" % (type(error).__name__, error))


class Leaks(CrashCase):
    @tap.limit(2400 if LONG else 120)
    def test_flat(self):
        """Of two processes, one owns the store; each has connections of its own, through a socket of its own."""
        folder = self.watched()
        # A cache that is full soon.
        folder.write("home/DB_CONFIG", "set_cachesize 0 16777216 1\n")
        settings = {"FOCUSSTATS_THREADS": str(THREADS)}
        owner = self.start(harness.Responder(folder, settings))
        first = folder.socket
        folder.socket = folder.join("run", "second.sock")
        relay = self.start(harness.Responder(folder, settings))
        pids = {"owner": owner.pids[0], "relay": relay.pids[0]}
        paths = [first, folder.socket]
        for index in range(CLIENTS):
            self.assertEqual(owner_post(first, "initUser", {"user": "u%d" % index}), 200)
        self.send(paths, WARM_UP)
        before = {name: look(pid) for name, pid in pids.items()}
        begun = time.monotonic()
        self.send(paths, REQUESTS)
        took = time.monotonic() - begun
        # Connections that were closed are so in both processes by and by.
        harness.wait_until(lambda: all(look(pid)[0] <= before[name][0] for name, pid in pids.items()), "no descriptor is left open")
        after = {name: look(pid) for name, pid in pids.items()}
        for name in pids:
            note("%s: before %d descriptors, %.1f MiB; after %d requests %d descriptors, %.1f MiB", name, *before[name], REQUESTS, *after[name])
        note("%.0f requests a second", REQUESTS / took)
        for name in pids:
            self.assertLess(after[name][1] - before[name][1], GROWTH_MIB, name)
        owner.stop()
        relay.stop()
        self.read(folder)
        expected_lines(folder, LINES)

    def send(self, paths, count):
        results = multiprocessing.Queue()
        children = [multiprocessing.Process(target=client, args=(paths[index % 2], index, count // CLIENTS, results), daemon=True)
                    for index in range(CLIENTS)]
        for child in children:
            child.start()
        told = [results.get() for _ in children]
        for child in children:
            child.join()
        self.assertEqual([text for text in told if text], [])


def owner_post(path, action, fields):
    with fcgi.Connection(path) as connection:
        return connection.ask("POST", "/FocusStats/" + action, harness.encode(fields)).status


if __name__ == "__main__":
    tap.main(globals())
