#!/usr/bin/env python3
"""The connections over which a process that does not own the store reaches the one that does: kept for its next requests, and gone with the owner."""

import re
import signal

from common import LONG, CrashCase, Limited, expected_lines, harness, one_more

import fcgi  # noqa: E402
import tap  # noqa: E402
from watch import open_files, owners  # noqa: E402

AT_ONCE = 8
DESCRIPTORS = 64
SESSION = {"user": "u", "document": "d", "library": "l"}
LINES = [r"owner of \S+ since recovery \(\d+ ms\)", r"no longer the owner of \S+"]


class Own(harness.Responder):
    """A process with a listening socket of its own."""

    def __init__(self, folder, name):
        super().__init__(folder)
        self.path = folder.join("run", name + ".sock")

    def start(self):
        self.folder.socket = self.path
        return super().start()

    def connect(self, timeout=harness.DEADLINE_SECONDS):
        return fcgi.Connection(self.path, timeout)


class Few(Limited, Own):
    """Such a one that may open few descriptors."""


def relays(pid):
    """The inodes of the process's connections that were made to relay.sock, which bear its name (proc(5), net/unix), as it was bound."""
    with open("/proc/net/unix", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    named = {row[6] for row in rows if len(row) == 8 and row[7].endswith("/relay.sock.new") and row[3] != "00010000"}
    found = set()
    for path in open_files(pid):
        socket = re.fullmatch(r"socket:\[(\d+)\]", path)
        if socket and socket.group(1) in named:
            found.add(socket.group(1))
    return found


class Relays(CrashCase):
    """Behind processes with a socket each, the first of which is the owner."""

    def owner_of(self, folder):
        return harness.wait_until(lambda: owners(folder), "one of the processes owns the store")[0]

    def two(self, folder, owner):
        self.start(owner)
        front = self.start(Own(folder, "front"))
        self.assertEqual(owner.post("initUser", {"user": "u"}).status, 200)
        return front

    def at_once(self, responder, count=AT_ONCE):
        """Requests that are sent before the first answer is read."""
        connections = [responder.connect() for _ in range(count)]
        for connection in connections:
            connection.submit("POST", "/FocusStats/startSession", harness.encode(SESSION))
        replies = [connection.reply() for connection in connections]
        for connection in connections:
            connection.close()
        self.assertEqual([reply.status for reply in replies], [200] * count)
        return [reply.json()["focusSession"] for reply in replies]

    def test_kept(self):
        """One connection serves one request after the other."""
        folder = self.watched()
        owner = Own(folder, "owner")
        front = self.two(folder, owner)
        first = relays(owner.pids[0])
        self.assertEqual(len(first), 1)
        for _ in range(20):
            self.at_once(front, 1)
            self.assertEqual(relays(owner.pids[0]), first)
        front.stop()
        harness.wait_until(lambda: relays(owner.pids[0]) == set(), "the connection ends with the process that made it")
        owner.stop()
        self.assertEqual(len(self.read(folder).sessions), 20)
        expected_lines(folder, LINES)

    @tap.cases([("killed", signal.SIGKILL), ("in order", signal.SIGTERM)])
    def test_other_owner(self, number):
        """What is kept of the one that has ended is noticed: each request is answered, and carried out once."""
        folder = self.watched()
        responders = [self.start(Own(folder, name)) for name in ("one", "two", "three")]
        self.assertEqual(responders[0].post("initUser", {"user": "u"}).status, 200)
        ids = []
        for _ in range(20 if LONG else 3):
            owner = self.owner_of(folder)
            first = [one for one in responders if owner in one.pids][0]
            others = [one for one in responders if one is not first]
            for one in others:
                ids += self.at_once(one)
            folder.watch.end(owner, number)
            first.children[0].wait(20)
            first.children.clear()
            for one in others * 2:
                ids += self.at_once(one)
            one_more(first)
        for one in responders:
            one.stop()
        self.assertEqual(sorted(self.read(folder).sessions), sorted(ids))
        self.assertEqual(len(set(ids)), len(ids))
        expected_lines(folder, LINES)

    def test_few_descriptors(self):
        """An owner that may have few connections keeps none that somebody else needs."""
        folder = self.watched()
        owner = Few(folder, DESCRIPTORS, name="owner")
        front = self.two(folder, owner)
        for _ in range(10 if LONG else 2):
            harness.clients(2 * AT_ONCE, lambda _: [self.at_once(front, 2) for _ in range(5)])
            with owner.connect() as connection:
                self.assertEqual(connection.ask("GET", "/FocusStats/health").status, 200)
        self.assertLessEqual(len(relays(owner.pids[0])), DESCRIPTORS // 2)
        front.stop()
        owner.stop()
        self.read(folder)


if __name__ == "__main__":
    tap.main(globals())
