#!/usr/bin/env python3
"""How long each query takes for a reader with a hundred thousand sessions, beside _getSessions, which sends all of them.

    make && top_builddir=. ../bench/history.py [SESSIONS [REPEATS]]

The program runs as FastCGI responder without a web server, on a home under TMPDIR or /tmp. A line is the median and the longest of the
repeats, from sending the request to the last byte of the answer, and the answer's size. tests/lib/long_history.py says what the sessions are.
"""

import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "lib"))

import harness
from long_history import batches, element, summary

YEAR = {"from": "2000-01-01", "to": "2001-01-01"}


def questions(count):
    middle = element(count // 2)["focusSession"]
    return [
        ("_getSessions", {}), ("_getSessions", {"limit": 100, "order": "desc"}), ("_getSessions", {"limit": 100, "after": middle}),
        ("_getSessions", YEAR),
        ("_viewStats", {}), ("_getActiveSessions", {}), ("_getSettings", {}),
        ("_getSummary", {}), ("_getSummary", YEAR), ("_getSummary", {"document": "the long one"}), ("_getSummary", {"timezone": "Europe/Berlin"}),
        ("_getPeriods", {"unit": "day"}), ("_getPeriods", {"unit": "day", "timezone": "Europe/Berlin"}),
        ("_getPeriods", {"unit": "month", "fill": True}),
        ("_getHours", {}), ("_getHours", {"timezone": "Europe/Berlin"}), ("_getDocuments", {}), ("_getStreaks", {"minSeconds": 600}),
        ("_getGoal", {}),
        ("_exportUser", {}),
    ]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    folder = harness.TestFolder()
    responder = harness.Responder(folder)
    try:
        responder.start()
        connection = responder.connect()

        def post(action, fields):
            begun = time.perf_counter()
            reply = connection.ask("POST", "/FocusStats/" + action, harness.encode({"user": "reader", **fields}), keep=True)
            seconds = time.perf_counter() - begun
            if reply.status != 200:
                raise AssertionError("%s %r: %r" % (action, fields, reply))
            return seconds, reply

        post("initUser", {})
        loading = [post("addSessions", {"sessions": batch})[0] for batch in batches(count)]
        if post("_getSummary", {})[1].json()[0]["summary"] != summary(count):
            raise AssertionError("the summary is wrong")
        print("%d sessions in %d requests: %.1f s, %.0f ms each in the median" % (count, len(loading), sum(loading),
                                                                                  1000 * statistics.median(loading)))
        print("%-52s %10s %10s %12s" % ("", "median ms", "longest ms", "bytes"))
        for query, fields in questions(count):
            times = [post(query, fields) for _ in range(repeats)]
            said = " ".join("%s=%s" % pair for pair in fields.items())
            seconds = [one for one, _ in times]
            print("%-52s %10.1f %10.1f %12d" % ("%s %s" % (query, said[:36]), 1000 * statistics.median(seconds), 1000 * max(seconds),
                                                len(times[0][1].body)))
        connection.close()
    finally:
        responder.stop()
        folder.remove()


if __name__ == "__main__":
    main()
