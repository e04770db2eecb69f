#!/usr/bin/env python3
"""Real reading, replayed by 16 clients at once through a web server: each session is there exactly once."""

import collections
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap

CLIENTS = 16
JSON = [("Content-Type", "application/json")]


def reading_log():
    """The rows of tests/data/reading-log.ndjson, oldest first."""
    with open(os.path.join(harness.SOURCE, "tests", "data", "reading-log.ndjson"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Replay(harness.ServerCase):
    """The sessions of the log, started and ended."""

    abstract = True

    def call(self, client, action, fields):
        reply = client.request("POST", self.server.url(action), harness.encode(fields), JSON)
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def replay(self, client, rows, user):
        """Each row as a start and an end; returns (id, row) of each."""
        made = []
        for row in rows:
            session = self.call(client, "startSession", {"user": user, "document": row["document"], "library": row["library"]})
            self.assertEqual(self.call(client, "endSession", session), session)
            made.append((session["focusSession"], row))
        return made

    def check(self, client, user, made):
        """MADE are all sessions of USER, each once, in the primary's list and in that of the ended ones."""
        listed = [element["focusSession"] for element in self.call(client, "_getSessions", {"user": user})]
        self.assertEqual(len({session for session, _ in made}), len(made))
        self.assertEqual(collections.Counter((session["_id"], session["document"]) for session in listed),
                         collections.Counter((session, row["document"]) for session, row in made))
        self.assertEqual({session["user"] for session in listed}, {user})
        self.assertTrue(all(session["startTime"] <= session["endTime"] for session in listed))
        self.assertEqual(sorted(listed, key=lambda session: (session["startTime"], session["_id"])), listed)
        ended = self.call(client, "_viewStats", {"user": user})[0]["focusStats"]["focusSessionIds"]
        self.assertEqual(ended, [session["_id"] for session in listed])

    def test_one_reader_with_many_devices(self):
        """The log's rows are dealt out to the clients, all for the reader whose log it is."""
        rows = reading_log()
        self.assertGreater(len(rows), 2 * CLIENTS)
        user = rows[0]["user"]
        self.assertEqual({row["user"] for row in rows}, {user})
        with self.server.client() as client:
            self.call(client, "initUser", {"user": user})

            def device(index):
                with self.server.client() as own:
                    return self.replay(own, rows[index::CLIENTS], user)
            made = [pair for part in harness.clients(CLIENTS, device) for pair in part]
            self.assertEqual(len(made), len(rows))
            self.check(client, user, made)

    def test_many_readers(self):
        """Every client replays the whole log for a reader of its own."""
        rows = reading_log()

        def reader(index):
            user = "reader %d" % index
            with self.server.client() as own:
                self.call(own, "initUser", {"user": user})
                made = self.replay(own, rows, user)
                self.check(own, user, made)
                self.assertEqual([session for session, _ in made], sorted(session for session, _ in made))
            return user, made
        with self.server.client() as client:
            for user, made in harness.clients(CLIENTS, reader):
                self.check(client, user, made)


harness.for_servers(globals(), Replay, servers=[harness.Lighttpd, harness.Nginx, harness.ApacheProxyFcgi, harness.ApacheFcgid])

if __name__ == "__main__":
    tap.main(globals())
