#!/usr/bin/env python3
"""A reader's life through every web server: each action once, each query, a batch as large as they come, and the end of it all."""

import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap
import timed


class Reader(harness.ServerCase):
    """At /api, with the service's own clock."""

    abstract = True

    def setUp(self):
        super().setUp()
        self.user = "reader-" + uuid.uuid4().hex
        self.ok("initUser")

    def ok(self, action, **fields):
        reply = self.server.post(action, {"user": self.user, **fields})
        self.assertEqual(reply.status, 200, "%s: %r" % (action, reply))
        self.assertEqual(reply.header("Content-Type"), "application/json")
        return reply.json()

    def one(self, query, **fields):
        element, = self.ok(query, **fields)
        return next(iter(element.values()))

    def test_a_life(self):
        identity, other = str(uuid.uuid4()), str(uuid.uuid4())
        self.assertEqual(self.ok("setSettings", timezone="America/St_Johns", dayStart="04:00", dailyGoalSeconds=60), {"user": self.user})
        self.assertEqual(self.ok("startSession", document="книга", library="home", focusSession=identity), {"focusSession": identity})
        self.assertEqual(self.ok("heartbeat", focusSession=identity, progress=0.25), {"focusSession": identity})
        self.assertEqual(self.one("_getActiveSessions")["_id"], identity)
        self.assertEqual(self.ok("endSession", focusSession=identity, progress=0.5), {"focusSession": identity})
        self.assertEqual(self.ok("addSession", document="книга", library="home", startTime="2020-03-08T05:00:00Z", endTime="2020-03-08T07:00:00Z",
                                 focusSession=other), {"focusSession": other})
        self.assertEqual(self.ok("editSession", focusSession=identity, startTime="2020-03-08T06:00:00Z", endTime="2020-03-08T08:00:00Z"),
                         {"focusSession": identity})
        self.assertEqual(self.ok("setDocument", document="книга", title="Книга \"о\" книге", authors=["Ася"]), {"document": "книга"})
        summary = self.one("_getSummary", **{"from": "2020-03-08", "to": "2020-03-09"})
        self.assertEqual(summary["seconds"], 5400)
        self.assertEqual(self.one("_getSummary")["seconds"], 3 * 3600)
        self.assertEqual([element["period"] for element in self.ok("_getPeriods", unit="day", fill=True)], [
            {"start": start, "end": end, "label": label, "seconds": 5400, "sessions": sessions, "documents": 1} for label, start, end, sessions in (
                ("2020-03-07", "2020-03-07T07:30:00.000Z", "2020-03-08T06:30:00.000Z", 2),
                ("2020-03-08", "2020-03-08T06:30:00.000Z", "2020-03-09T06:30:00.000Z", 2))])
        self.assertEqual(len(self.ok("_getHours", timezone="UTC")), 168)
        document = self.one("_getDocuments")
        self.assertEqual((document["document"], document["title"], document["authors"], document["seconds"], document["progress"]),
                         ("книга", "Книга \"о\" книге", ["Ася"], 3 * 3600, 0.5))
        self.assertEqual(self.one("_getStreaks", minSeconds=3600)["longestDays"], 2)
        self.assertEqual(self.one("_getGoal", timezone="UTC")["daysReached"], 1)
        self.assertEqual(self.one("_getSettings")["timezone"], "America/St_Johns")
        self.assertEqual(len(self.ok("_getSessions", limit=1, order="desc")), 1)
        self.assertEqual(len(self.one("_exportUser")["sessions"]), 2)
        self.assertEqual(self.ok("removeSession", focusSession=identity), {})
        self.assertEqual(self.ok("removeUser", confirm=self.user), {"removedSessions": 1})
        self.assertEqual(self.server.post("_getSettings", {"user": self.user}).status, 404)

    def test_a_thousand_sessions_at_once(self):
        """Twice, as after a lost answer: nearly as large as a body may be."""
        begin = timed.ms_of("2024-01-01T00:00:00Z")
        elements = [{"focusSession": str(uuid.uuid4()), "document": "d" * 255, "library": "l" * 255,
                     "startTime": timed.instant(begin + number * 3600000),
                     "endTime": timed.instant(begin + number * 3600000 + 1800000), "note": "x" * 200} for number in range(1000)]
        for _ in range(2):
            results = self.ok("addSessions", sessions=elements)["results"]
            self.assertEqual([result.get("focusSession") for result in results], [element["focusSession"] for element in elements])
        self.assertEqual(self.one("_getSummary")["seconds"], 1000 * 1800)
        self.assertEqual(len(self.ok("_getSessions")), 1000)
        self.assertEqual(len(self.ok("_getPeriods", unit="day", fill=True)), 42)

    def test_refusals(self):
        """Statuses reach the client through every server."""
        identity = self.ok("addSession", document="d", library="l", startTime="2024-01-01T00:00:00Z", endTime="2024-01-01T01:00:00Z")["focusSession"]
        for status, action, fields in ((400, "heartbeat", {"focusSession": identity, "progress": 2}), (409, "heartbeat", {"focusSession": identity}),
                                       (404, "heartbeat", {"focusSession": "abc"}), (400, "_getPeriods", {"unit": "hour"}),
                                       (400, "removeUser", {"confirm": "x"}),
                                       (404, "_getSessions", {"after": str(uuid.uuid4())}), (400, "addSessions", {"sessions": [{}] * 1001})):
            reply = self.server.post(action, {"user": self.user, **fields})
            self.assertEqual((reply.status, list(reply.json())), (status, ["error"]), "%s %r: %r" % (action, fields, reply))


harness.for_servers(globals(), Reader)

if __name__ == "__main__":
    tap.main(globals())
