#!/usr/bin/env python3
"""From the start of the program to its first answer, after a clean stop and after SIGKILL while it writes.

    make && top_builddir=. ../bench/start.py [--quick] [--rounds N] [--sessions N...]

A request (_viewStats of a user with 1,000 sessions) waits at the listening socket before focusstats.fcgi is started on it; the time is until the last
byte of its answer. SIGKILL comes while eight clients write, half of them 50 sessions a request, and recovery is part of the start.
Stores of 20,000 and of 1,000,000 sessions, 1,000 a user.
"""

import os
import random
import signal
import threading
import time

import table
from stock import LIBRARY, Client, document_name, harness, place, user_name, users_for
from fcgi import ConnectionClosed
from timed import instant

CLIENTS = 8
SECONDS_OF_LOAD = 3


def processor_ms(pid):
    """What all its threads have run so far (proc(5), schedstat)."""
    found = 0
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, thread), encoding="ascii") as file:
            found += int(file.read().split()[0])
    return found / 1e6


def start_ms(responder):
    """Until the first answer, and of that the processor time of the program."""
    with responder.connect() as connection:
        connection.submit("POST", "/FocusStats/_viewStats", harness.encode({"user": user_name(1)}))
        begun = time.perf_counter()
        child = responder.start_one()
        reply = connection.reply()
        ms = 1000 * (time.perf_counter() - begun)
        used = processor_ms(child.pid)
    if reply.status != 200:
        raise AssertionError("the first answer: %r" % reply)
    return ms, used


def end(responder, number):
    child = responder.children[-1]
    child.send_signal(number)
    child.wait()
    if number == signal.SIGTERM and child.returncode != 0:
        raise AssertionError("the responder ended with %d" % child.returncode)


def write(index, responder, users, ready):
    """Writes until the responder is gone."""
    dice = random.Random(index)
    clock = 0
    try:
        client = Client(responder)
        for turn in range(1 << 30):
            number = dice.randrange(users)
            told = {"document": document_name(number, 0), "library": LIBRARY}
            if index % 2 == 0:
                sessions = []
                for _ in range(50):
                    clock += 60000
                    sessions.append({**told, "startTime": instant(clock), "endTime": instant(clock + 60000)})
                client.ask("addSessions", {"user": user_name(number), "sessions": sessions})
            else:
                reply, _ = client.ask("startSession", {"user": user_name(number), **told})
                client.ask("endSession", {"focusSession": reply.json()["focusSession"]})
            if turn == 0:
                ready.wait()
    except (ConnectionClosed, OSError):
        return


def kill_in_the_midst(responder, users, seconds):
    ready = threading.Barrier(CLIENTS + 1)

    def run(index):
        if index < CLIENTS:
            write(index, responder, users, ready)
            return
        ready.wait()
        time.sleep(seconds)
        end(responder, signal.SIGKILL)
    harness.clients(CLIENTS + 1, run)


def measure(sessions, rounds, seconds):
    folder = harness.TestFolder()
    responder = harness.Responder(folder)
    stopped, killed = [], []
    try:
        place(folder, sessions)
        responder.start()
        for _ in range(rounds):
            end(responder, signal.SIGTERM)
            stopped.append(start_ms(responder))
            kill_in_the_midst(responder, len(users_for(sessions)), seconds)
            killed.append(start_ms(responder))
    finally:
        responder.stop()
        folder.remove()
    name = "a store of %s sessions" % format(sessions, ",")
    for what, found, most in (("a clean stop", stopped, 50), ("SIGKILL under writes", killed, 1000)):
        table.figure("start after %s, %s" % (what, name), [ms for ms, _ in found], "ms", most=most)
        table.figure("of that the program's processor time", [used for _, used in found], "ms")


def main():
    parser = table.options()
    parser.add_argument("--sessions", type=int, nargs="+")
    asked = parser.parse_args()
    print(table.HEAD)
    for sessions in asked.sessions or ([20000] if asked.quick else [20000, 1000000]):
        measure(sessions, asked.rounds or (2 if asked.quick else 5), 1 if asked.quick else SECONDS_OF_LOAD)


if __name__ == "__main__":
    main()
