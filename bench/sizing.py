#!/usr/bin/env python3
"""What a store of many sessions takes: bytes on the disk, memory, the time of a recovery, and how the engine's cache does.

    make && top_builddir=. ../bench/sizing.py SESSIONS [--chosen] [--cache MIB]

Every user has 1,000 sessions, which arrive 50 at a time with addSessions, all users in turn, as from readers' devices. The ids of users, documents
and libraries are UUIDs as text; each user has 20 documents and one library. The ids of the sessions are the service's, or with --chosen of version 4, as
apps choose them that work offline. --cache writes a DB_CONFIG. The program runs as FastCGI responder without a web server, on a home under TMPDIR
or /tmp. Recovery is what the program's log line says, after SIGKILL while four clients write, and after an orderly stop.
"""

import argparse
import os
import random
import re
import signal
import statistics
import sys
import threading
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "lib"))

import fcgi
import harness
from timed import HOUR_MS, instant, ms_of

OF_A_USER = 1000
AT_ONCE = 50
CLIENTS = 4
MIB = 1 << 20
BEGIN_MS = ms_of("1990-01-01T00:00:00Z")


def some_uuid(dice):
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


class Reader:
    def __init__(self, dice, chosen):
        self.id = some_uuid(dice)
        self.library = some_uuid(dice)
        self.documents = [some_uuid(dice) for _ in range(20)]
        self.clock = BEGIN_MS
        self.dice, self.chosen = dice, chosen

    def sessions(self, count):
        made = []
        for _ in range(count):
            self.clock += self.dice.randrange(3 * HOUR_MS, 48 * HOUR_MS)
            end = self.clock + self.dice.randrange(60000, 2 * HOUR_MS)
            made.append({"document": self.dice.choice(self.documents), "library": self.library, "startTime": instant(self.clock),
                         "endTime": instant(end), **({"focusSession": some_uuid(self.dice)} if self.chosen else {})})
        return made


def post(connection, action, fields):
    reply = connection.ask("POST", "/FocusStats/" + action, harness.encode(fields), keep=True)
    if reply.status != 200 or b'"error"' in reply.body:
        raise AssertionError("%s: %s" % (action, re.findall(rb"\{[^{]*error[^}]*", reply.body)[:2] or reply))
    return reply


def fill(responder, readers):
    """All sessions of all readers; returns how many seconds it took."""
    begun = time.perf_counter()

    def deliver(index):
        with responder.connect() as connection:
            mine = readers[index::CLIENTS]
            for reader in mine:
                post(connection, "initUser", {"user": reader.id})
            for _ in range(OF_A_USER // AT_ONCE):
                for reader in mine:
                    post(connection, "addSessions", {"user": reader.id, "sessions": reader.sessions(AT_ONCE)})
    harness.clients(CLIENTS, deliver)
    return time.perf_counter() - begun


def memory(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return {name: int(kib) / 1024 for name, kib in re.findall(r"(?m)^(VmRSS|VmHWM):\s+(\d+) kB", file.read())}


def figure(responder, name):
    return int(re.search(r"(?m)^focusstats_%s (\d+)" % name, responder.ask("GET", "/FocusStats/metrics").text)[1])


def recovery(folder):
    return int(re.findall(r"since recovery \((\d+) ms\)", folder.log_text())[-1])


def start_again(responder):
    responder.start_one()
    responder.wait_ready()
    return recovery(responder.folder)


def kill_while_writing(responder, readers):
    """SIGKILL in the midst of writes; returns the recovery's milliseconds."""
    ready = threading.Barrier(CLIENTS + 1)

    def write(index):
        try:
            with responder.connect() as connection:
                post(connection, "addSessions", {"user": readers[index].id, "sessions": readers[index].sessions(AT_ONCE)})
                ready.wait()
                while True:
                    readers[index].clock = BEGIN_MS  # the sessions must not come to the present
                    post(connection, "addSessions", {"user": readers[index].id, "sessions": readers[index].sessions(AT_ONCE)})
        except (fcgi.ConnectionClosed, OSError):
            return

    def kill(_):
        ready.wait()
        time.sleep(1)
        os.kill(responder.pids[0], signal.SIGKILL)
        responder.children[-1].wait()
    harness.clients(CLIENTS + 1, lambda index: kill(index) if index == CLIENTS else write(index))
    return start_again(responder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sessions", type=int)
    parser.add_argument("--chosen", action="store_true")
    parser.add_argument("--cache", type=int)
    asked = parser.parse_args()
    dice = random.Random(1)
    readers = [Reader(dice, asked.chosen) for _ in range(asked.sessions // OF_A_USER)]
    folder = harness.TestFolder()
    if asked.cache:
        folder.give(folder.write(os.path.join("home", "DB_CONFIG"), "set_cachesize %d %d 1\n" % divmod(asked.cache * MIB, 1 << 30)))
    responder = harness.Responder(folder)
    try:
        responder.start()
        seconds = fill(responder, readers)
        print("%d sessions of %d users, ids %s, cache %s: %.0f s, %.0f sessions a second" %
              (asked.sessions, len(readers), "of version 4" if asked.chosen else "of the service",
               "%d MiB" % asked.cache if asked.cache else "as it is", seconds, asked.sessions / seconds))
        if figure(responder, "sessions") != asked.sessions:
            raise AssertionError("sessions are missing")
        print("memory MiB: now %(VmRSS).0f, at most %(VmHWM).0f" % memory(responder.pids[0]))
        print("cache: %d hits, %d misses" % (figure(responder, "cache_hits_total"), figure(responder, "cache_misses_total")))
        responder.stop()
        os.unlink(folder.socket)
        files = {name: os.stat(os.path.join(folder.home, name)).st_size for name in os.listdir(folder.home)}
        data = {name: size for name, size in files.items() if name.endswith(".db")}
        logs = sum(size for name, size in files.items() if name.startswith("log."))
        print("disk: databases %.1f MiB, %.0f bytes a session; log %.1f MiB" %
              (sum(data.values()) / MIB, sum(data.values()) / asked.sessions, logs / MIB))
        for name, size in sorted(data.items()):
            print("  %-22s %8.1f MiB %6.0f bytes a session" % (name, size / MIB, size / asked.sessions))
        responder.start()
        print("recovery ms, after an orderly stop: %d" % recovery(folder))
        times = []
        with responder.connect() as connection:
            for reader in dice.sample(readers, min(len(readers), 100)):
                begun = time.perf_counter()
                post(connection, "_getSummary", {"user": reader.id})
                times.append(1000 * (time.perf_counter() - begun))
        print("a user's first _getSummary ms: %.1f in the median, %.1f at most" % (statistics.median(times), max(times)))
        print("recovery ms, killed while writing: %s" % sorted(kill_while_writing(responder, readers) for _ in range(5)))
    finally:
        responder.stop()
        folder.remove()


if __name__ == "__main__":
    main()
