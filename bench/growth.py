#!/usr/bin/env python3
"""What becomes of the actions as a user's sessions, and those of all users, become more.

    make && top_builddir=. ../bench/growth.py [--quick] [--rounds N] [--large | --sessions N...] [--kept] [--no-user]

First, users with 10, 1,000, 10,000 and 100,000 sessions in one store; then stores of 10,000, 100,000 and 1,000,000 sessions, with --large of
10,000,000 too, 1,000 a user. Each row is milliseconds over one connection to the responder, without a web server, of many or all sessions beside few,
which take turns request by request. "Few users" are 10, whose pages fit into the cache; "any users" are drawn from all. --kept
takes a larger store that an earlier run has left in bench-cache instead of importing it, --no-user leaves the first part out.
"""

import contextlib
import random

import table
from stock import (BASE_ACTIONS, MIB, OF_A_USER, Client, fill, harness, keep, life, percentile, place, sizes, user_name, users_for)

FEW = 10


@contextlib.contextmanager
def store(counts, use_kept=False):
    """A folder with a store of such users, and a responder on it; yields both, the import's seconds, or None where there was none, and the sizes then."""
    folder = harness.TestFolder()
    try:
        if use_kept:
            place(folder, sum(counts))
        seconds = None if use_kept else fill(folder, counts)
        if not use_kept and counts == users_for(sum(counts)):
            keep(folder, sum(counts))
        bytes_before = sizes(folder)
        responder = harness.Responder(folder)
        try:
            responder.start()
            yield folder, responder, seconds, bytes_before
        finally:
            responder.stop()
    finally:
        folder.remove()


def rows_of(what, many, few, least_name, most):
    """p50 and p99 of each action; only the former is held to anything."""
    for action in many[0]:
        for part, name in ((0.5, "p50"), (0.99, "p99")):
            table.row("%s %s, %s" % (action, name, what), [percentile(one[action], part) for one in many], least_name,
                      [percentile(one[action], part) for one in few], "ms", most=most if part == 0.5 else None)


def of_one_user(counts, rounds, lives):
    actions = [action for action in BASE_ACTIONS if action != "_viewStats"]
    times = {count: [] for count in counts}
    lists = {count: [] for count in counts}
    wholes = {count: [] for count in counts}
    with store(counts) as (_, responder, _, _):
        client = Client(responder)
        for _ in range(rounds):
            for count in counts:
                times[count].append({})
            for _ in range(lives):
                for number, count in enumerate(counts):
                    life(client, number, actions, times[count][-1])
            for number, count in enumerate(counts):
                user = {"user": user_name(number)}
                lists[count].append(percentile([client.ask("_getSessions", {**user, "limit": 100, "order": "desc"})[1] for _ in range(lives)], 0.5))
                wholes[count].append(percentile([client.ask("_getSessions", user)[1] for _ in range(5)], 0.5) * 1000 / count)
        client.close()
    most, least = counts[-1], counts[0]
    for count in counts[1:]:
        rows_of("a user with %s sessions" % format(count, ","), times[count], times[least], "with %d" % least, 1.1)
    table.row("_getSessions limit 100, a user with %s sessions" % format(most, ","), lists[most], "with 1,000", lists[1000], "ms", most=1.1)
    table.row("_getSessions of all, a session of %s" % format(most, ","), wholes[most], "of 1,000", wholes[1000], "µs", most=1.1)


def lives_of(client, numbers, times):
    for number in numbers:
        life(client, number, BASE_ACTIONS, times)


def beside_small(small, sessions, rounds, lives, use_kept):
    """A store of so many sessions beside the small one."""
    dice = random.Random(2)
    users = sessions // OF_A_USER
    with store(users_for(sessions), use_kept) as (folder, responder, seconds, (data, log)):
        name = "a store of %s sessions" % format(sessions, ",")
        if seconds:
            table.figure("import, %s" % name, [sessions / seconds], "sessions a second")
        table.figure("databases, %s" % name, [data / sessions], "bytes a session")
        table.figure("log files after the import, %s" % name, [log / MIB], "MiB")
        clients = {"few": Client(responder), "small": Client(small)}
        found = {kind: {"ours": [], "beside": []} for kind in ("few", "any")}
        for kind, draw in (("few", lambda: dice.randrange(FEW)), ("any", lambda: dice.randrange(users))):
            for _ in range(rounds):
                ours, beside = {}, {}
                for number in range(FEW if kind == "few" else 0):
                    clients["few"].ask("_viewStats", {"user": user_name(number)})
                for _ in range(lives):
                    lives_of(clients["few"], [draw()], ours)
                    lives_of(clients["small"], [dice.randrange(FEW)], beside)
                found[kind]["ours"].append(ours)
                found[kind]["beside"].append(beside)
        rows_of("few users, %s" % name, found["few"]["ours"], found["few"]["beside"], "10,000", 1.3)
        rows_of("any users, %s" % name, found["any"]["ours"], found["any"]["beside"], "10,000", None)
        table.figure("log files after the writes, %s" % name, [sizes(folder)[1] / MIB], "MiB")
        for client in clients.values():
            client.close()


def main():
    parser = table.options()
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--sessions", type=int, nargs="*")
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--no-user", action="store_true")
    asked = parser.parse_args()
    rounds = asked.rounds or (2 if asked.quick else 5)
    lives = 20 if asked.quick else 200
    larger = [30000] if asked.quick else [100000, 1000000] + ([10000000] if asked.large else [])
    if asked.sessions is not None:
        larger = asked.sessions
    print(table.HEAD)
    if not asked.no_user:
        of_one_user([10, 1000] if asked.quick else [10, 1000, 10000, 100000], rounds, lives)
    with store(users_for(FEW * OF_A_USER)) as (_, small, seconds, (data, log)):
        table.figure("import, a store of 10,000 sessions", [FEW * OF_A_USER / seconds], "sessions a second")
        table.figure("databases, a store of 10,000 sessions", [data / (FEW * OF_A_USER)], "bytes a session")
        table.figure("log files after the import, a store of 10,000 sessions", [log / MIB], "MiB")
        for sessions in larger:
            beside_small(small, sessions, rounds, lives, asked.kept)


if __name__ == "__main__":
    main()
