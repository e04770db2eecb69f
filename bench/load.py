#!/usr/bin/env python3
"""Requests a second and their latencies, beside what the machine can do and what the same API does in PHP and for Node. README.md explains the rows.

    make && make bench/limits/bare && top_builddir=. ../bench/load.py [--quick] [--rounds N] [--seconds N] [--only PART]... [LABEL=URL]...

LABEL=URL is another implementation of the API, running at URL/api/FocusStats/, with an empty store, into which users and sessions are put through the
API, or with one that has them from an earlier time. The rows come first; after an empty line the latencies, and what could not be measured.
The exit status is 1 where the service gave a wrong answer; that a ratio is not reached shows in its row alone.
"""

import argparse
import os
import statistics
import sys

import table
import targets
import wrk

FASTEST_PEER = "the fastest peer, "
NOTHING = "a program that does nothing"
TAIL_CONNECTIONS = 8


class Bench:
    """What is measured in a run: the rounds, and what of them is told after the rows."""

    def __init__(self, stage, rounds, seconds):
        self.stage, self.rounds, self.seconds = stage, rounds, seconds
        self.latencies = []
        self.wrong = {}
        self.failed = False

    def ours(self):
        """[(server, its URL)] for the web servers that are installed."""
        return [(server, self.stage.ours(server)) for server in targets.SERVERS if not self.absent(server)]

    def absent(self, server):
        missing = targets.SERVERS[server].missing()
        if missing:
            self.stage.missing[server] = missing
        return missing

    def note(self, what, name, results):
        self.latencies.append((what, name, results))
        for result in results:
            if result.wrong:
                self.failed = self.failed or name.startswith("ours")
                count, first = self.wrong.get((what, name), (0, ""))
                self.wrong[what, name] = (count + result.wrong, first or result.first_wrong)

    def measured(self, what, mix, connections, urls):
        """name -> a result a round. Every other round goes through the names the other way round, so that nothing always comes after the same."""
        results = {name: [] for name in urls}
        for number in range(self.rounds):
            for name in list(urls) if number % 2 == 0 else reversed(urls):
                results[name].append(wrk.measure(mix, urls[name], connections, self.seconds))
        for name, found in results.items():
            self.note(what, name, found)
        return results

    def compare(self, what, mix, connections, beside, least, least_of_peers=None):
        """A row for each web server beside the URL that `beside` gives for it, and where there is a least ratio to them, beside the peers."""
        urls, other = {}, {}
        for server, url in self.ours():
            urls["ours, " + server] = url
            urls["%s, %s" % (beside[0], server)] = beside[1](server, url)
        if least_of_peers:
            other = self.stage.others()
        results = self.measured(what, mix, connections, {**urls, **other})
        rates = {name: [one.rate for one in found] for name, found in results.items()}
        for server, _ in self.ours():
            mine, title = rates["ours, " + server], "%s, behind %s" % (what, server)
            table.row(title, mine, beside[0], rates["%s, %s" % (beside[0], server)], "/s", least=least)
            peers = [name for name in other if name not in self.stage.beside]
            if peers:
                fastest = max(peers, key=lambda name: statistics.median(rates[name]))
                table.row(title, mine, FASTEST_PEER + fastest, rates[fastest], "/s", least=least_of_peers)
            for label in self.stage.beside if other else ():
                table.row(title, mine, label, rates[label], "/s")

    def nothing(self):
        return NOTHING, lambda server, _: self.stage.bare(server)


def reads(bench):
    for connections in (16, 64):
        bench.compare("`_viewStats` of 20 sessions, %d connections" % connections, "read", connections, bench.nothing(), 0.9)


def writes(bench):
    bench.compare("`startSession`, `endSession`, 64 connections", "write", 64, bench.nothing(), 0.7, 5)


def single(bench):
    bench.compare("`startSession`, `endSession`, 1 connection", "write", 1,
                  ("a program that does one write and fdatasync", lambda server, _: bench.stage.bare(server, append=True)), 0.9)


def mixed(bench):
    bench.compare("60 % reads, 40 % writes, 16 connections", "mixed", 16, bench.nothing(), 0.8, 4)


def listing(bench):
    bench.compare("`_getSessions` of 1,000 sessions, 16 connections", "list", 16,
                  ("a program that sends as many bytes", lambda server, url: bench.stage.bare(server, bytes=len(wrk.listing(url)))), 0.6, 8)


def tail(bench):
    """A read's p99 while others write, and while others ask for nothing at all, which takes as much of the CPU or more."""
    alone, writers, idlers = "nothing else", "8 connections that write", "8 connections to " + NOTHING
    what = "`_viewStats`, 8 connections"
    for server, url in bench.ours():
        results = {alone: [], writers: [], idlers: []}
        loads = {writers: ("write", url), idlers: ("read", bench.stage.bare(server))}
        for number in range(bench.rounds):
            for beside in list(results) if number % 2 == 0 else reversed(results):
                if beside == alone:
                    results[beside].append(wrk.measure("read", url, TAIL_CONNECTIONS, bench.seconds))
                    continue
                mix, where = loads[beside]
                with wrk.Load(mix, where, TAIL_CONNECTIONS, bench.seconds + 60) as load:
                    results[beside].append(wrk.measure("read", url, TAIL_CONNECTIONS, bench.seconds))
                    loaded = load.end()
                if loaded.wrong:
                    bench.note("the load beside it", "ours, " + server, [loaded])
        for beside, found in results.items():
            bench.note("%s, beside %s" % (what, beside), "ours, " + server, found)
        p99 = {beside: [one.p99 for one in found] for beside, found in results.items()}
        title = "p99 of %s, beside %s, behind %s" % (what, writers, server)
        table.row(title, p99[writers], "beside " + alone, p99[alone], "ms", most=1.5)
        table.row(title, p99[writers], "beside " + idlers, p99[idlers], "ms", most=1.5)


PARTS = {"reads": reads, "writes": writes, "single": single, "mixed": mixed, "tail": tail, "listing": listing}


def report(bench):
    """What stands below the table."""
    print("\n| what | who | requests/s | p50 ms | p99 ms | in service |\n|---|---|---|---|---|---|")
    for what, name, results in bench.latencies:
        rate, p50, p99, busy = (statistics.median(getattr(one, field) for one in results) for field in ("rate", "p50", "p99", "busy"))
        print("| %s | %s | %s | %s | %s | %.1f |" % (what, name, table.number(rate), table.number(p50), table.number(p99), busy))
    for name, why in bench.stage.missing.items():
        print("\nNot measured: %s: %s." % (name, why))
    for (what, name), (count, first) in bench.wrong.items():
        print("\nWrong answers: %s, %s: %d, the first %s" % (what, name, count, first or "without a body"))


def pair(text):
    label, found, url = text.partition("=")
    if not found or not label or not url.startswith("http://") or label in targets.ALL_PEERS:
        raise argparse.ArgumentTypeError("%s is not LABEL=http://..." % text)
    return label, url


def main():
    parser = table.options()
    parser.add_argument("--seconds", type=int, help="of each measurement")
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("beside", nargs="*", type=pair, metavar="LABEL=URL")
    asked = parser.parse_args()
    try:
        targets.command("wrk")
    except targets.Missing as error:
        parser.error(str(error))
    if not os.path.exists(targets.BARE):
        parser.error("%s is missing: make bench/limits/bare" % targets.BARE)
    print(table.HEAD, flush=True)
    with targets.Stage(dict(asked.beside)) as stage:
        bench = Bench(stage, asked.rounds or (2 if asked.quick else 5), asked.seconds or (1 if asked.quick else 4))
        for name in asked.only or PARTS:
            PARTS[name](bench)
        report(bench)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
