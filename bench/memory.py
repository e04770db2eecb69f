#!/usr/bin/env python3
"""What memory the processes take that is theirs alone: Anonymous of /proc/PID/smaps_rollup (proc(5)), the engine's cache included, which is private.

    make && top_builddir=. ../bench/memory.py [--quick] [--rounds N] [--sessions N]

The process that owns a store of 1,000,000 sessions, idle, and then after a load each of reads, of writes and of lists by 16 clients; and one that
relays to it, after having relayed as much. The owner's cache is as it is without a DB_CONFIG, 64 MiB, to which the engine adds a quarter.
"""

import os
import random
import re

import table
from stock import LIBRARY, Client, document_name, harness, place, user_name, users_for

CACHE_MIB = 64
BEYOND_CACHE_MIB = 64e6 / (1 << 20)
CLIENTS = 16


def anonymous_mib(pid):
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as file:
        return int(re.search(r"(?m)^Anonymous:\s+(\d+) kB", file.read())[1]) / 1024


def read(client, number):
    client.ask("_getSummary", {"user": user_name(number)})


def write(client, number):
    reply, _ = client.ask("startSession", {"user": user_name(number), "document": document_name(number, 0), "library": LIBRARY})
    client.ask("endSession", {"focusSession": reply.json()["focusSession"]})


def list_all(client, number):
    client.ask("_getSessions", {"user": user_name(number)})
    client.ask("_viewStats", {"user": user_name(number)})


def load(responder, users, times, deed):
    def run(index):
        dice = random.Random(index)
        client = Client(responder)
        for _ in range(times):
            deed(client, dice.randrange(users))
        client.close()
    harness.clients(CLIENTS, run)


def relay_mib(folder, users, times):
    """The memory of one that serves a listening socket of its own, and can only relay."""
    first, folder.socket = folder.socket, folder.join("run", "relay.sock")
    relay = harness.Responder(folder)
    try:
        relay.start()
        load(relay, users, times, list_all)
        return anonymous_mib(relay.pids[0])
    finally:
        relay.stop()
        os.unlink(folder.socket)
        folder.socket = first


def measure(folder, sessions, times, found):
    """One round: a new owner; its memory is added to found[what]."""
    users = len(users_for(sessions))
    responder = harness.Responder(folder)

    def note(what):
        found.setdefault(what, []).append(anonymous_mib(folder.owner_pid()))

    responder.start()
    try:
        note("idle")
        for what, deed in (("after reads", read), ("after writes", write), ("after lists", list_all)):
            load(responder, users, times, deed)
            note(what)
        found.setdefault("relay", []).append(relay_mib(folder, users, times))
    finally:
        responder.stop()


def main():
    parser = table.options()
    parser.add_argument("--sessions", type=int)
    asked = parser.parse_args()
    sessions = asked.sessions or (20000 if asked.quick else 1000000)
    folder = harness.TestFolder()
    found = {}
    try:
        place(folder, sessions)
        for number in range(asked.rounds or (1 if asked.quick else 5)):
            if number > 0:
                os.unlink(folder.socket)
            measure(folder, sessions, 20 if asked.quick else 500, found)
    finally:
        folder.remove()
    print(table.HEAD)
    relay = found.pop("relay")
    for what, values in found.items():
        table.figure("memory of the owner %s, %s sessions" % (what, format(sessions, ",")), values, "MiB", most=CACHE_MIB + BEYOND_CACHE_MIB)
    table.figure("memory of a process that relays", relay, "MiB")


if __name__ == "__main__":
    main()
