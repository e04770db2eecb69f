#!/usr/bin/env python3
"""Requests with client ids that are repeated, reordered and sent at once, through one process, through several with their relays, and through plain CGI
beside them: nothing is there twice, and nothing is lost."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fcgi
import harness
import tap
import timed
from persistent import Plans

QUICK = os.environ.get("FOCUSSTATS_QUICK") == "1"
START = timed.ms_of("2025-11-10T12:00:00Z")


class FcgiClient:
    """A new connection for each request, so that all processes get some."""

    def __init__(self, responder):
        self.responder = responder

    def post(self, action, fields):
        return self.responder.post(action, fields)

    def close(self):
        pass


class CgiClient:
    """A process for each request."""

    def __init__(self, folder, settings):
        self.folder = folder
        self.settings = settings

    def post(self, action, fields):
        return harness.cgi(self.folder, "POST", "/FocusStats/" + action, harness.encode(fields), settings=self.settings)

    def close(self):
        pass


class Retries(harness.Case):
    """Each with a clock that stands."""

    def serve(self, processes):
        folder = self.folder()
        service = timed.Service(folder, processes=processes)
        service.set_clock(START)
        self.start(service)
        return folder, service

    def finish(self, service, plans):
        exported = service.post("_exportUser", {"user": plans.user}).json()[0]["export"]["sessions"]
        plans.check(self, exported)
        summary = service.post("_getSummary", {"user": plans.user}).json()[0]["summary"]
        self.assertEqual(summary["sessions"], sum(session["endTime"] is not None for session in exported))
        print("# %d requests for %d sessions: %s" % (len(plans.requests), len(plans.wanted), plans.statuses))

    def run_plans(self, service, connect, seed, threads=16):
        plans = Plans("reader", seed, START)
        self.assertEqual(service.post("initUser", {"user": plans.user}).status, 200)
        plans.send(connect, threads)
        self.finish(service, plans)

    def test_one_process(self):
        _, service = self.serve(1)
        self.run_plans(service, lambda index: FcgiClient(service.responder), 1)

    def test_several_processes(self):
        _, service = self.serve(4)
        self.run_plans(service, lambda index: FcgiClient(service.responder), 2)

    def test_cgi_beside_several_processes(self):
        folder, service = self.serve(2)
        settings = service.responder.settings
        self.run_plans(service, lambda index: CgiClient(folder, settings) if index < 4 else FcgiClient(service.responder), 3, 12)

    def test_cgi_alone(self):
        """Each process is the owner for one request, or hands it to the one that is."""
        folder, service = self.serve(1)
        service.responder.stop()
        settings = service.responder.settings
        plans = Plans("reader", 4, START, 12 if QUICK else 25)
        client = CgiClient(folder, settings)
        self.assertEqual(client.post("initUser", {"user": plans.user}).status, 200)
        plans.send(lambda index: client, 4)
        plans.check(self, client.post("_exportUser", {"user": plans.user}).json()[0]["export"]["sessions"])

    def test_the_same_request_from_all_at_once(self):
        """Sixteen clients send the same one at the same moment: all get the same answer."""
        _, service = self.serve(3)
        self.assertEqual(service.post("initUser", {"user": "reader"}).status, 200)
        for number in range(10):
            plans = Plans("reader", 100 + number, START, 2)
            starts = [request for request in plans.requests if request.action in ("startSession", "addSession", "addSessions")]
            for request in {id(request): request for request in starts}.values():
                replies = harness.clients(16, lambda index: service.responder.post(request.action, request.fields))
                self.assertEqual({(reply.status, reply.text) for reply in replies}, {(200, replies[0].text)})
        ids = [session["focusSession"]["_id"] for session in service.post("_getSessions", {"user": "reader"}).json()]
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_thousand_through_a_relay(self):
        """Again and again, through whichever process takes the connection: all of it is carried out."""
        _, service = self.serve(3)
        self.assertEqual(service.post("initUser", {"user": "reader"}).status, 200)
        elements = [{"focusSession": "0f5a1b7c-9d2e-4c3b-8a61-%012x" % number, "document": "d" * 255, "library": "l" * 255,
                     "startTime": timed.instant(number * 1000),
                     "endTime": timed.instant(number * 1000 + 500)} for number in range(1000)]
        for _ in range(12):
            reply = service.responder.post("addSessions", {"user": "reader", "sessions": elements})
            self.assertEqual((reply.status, [result.get("focusSession") for result in reply.json().get("results", [])]),
                             (200, [element["focusSession"] for element in elements]))
        self.assertEqual(len(service.post("_viewStats", {"user": "reader"}).json()[0]["focusStats"]["focusSessionIds"]), 1000)

    def test_ends_at_once(self):
        """One of sixteen different ends wins; every further one is refused, and the winner's may be sent again."""
        _, service = self.serve(3)
        self.assertEqual(service.post("initUser", {"user": "reader"}).status, 200)
        for _ in range(10):
            started = service.post("startSession", {"user": "reader", "document": "d", "library": "l"}).json()["focusSession"]
            replies = harness.clients(16, lambda index: service.responder.post("endSession",
                                                                               {"focusSession": started,
                                                                                "endTime": timed.instant(START + 1000 * index)}))
            self.assertEqual(sorted(reply.status for reply in replies), [200] + [409] * 15)
            winner = next(index for index, reply in enumerate(replies) if reply.status == 200)
            sessions = [element["focusSession"] for element in service.post("_getSessions", {"user": "reader"}).json()]
            self.assertEqual(next(session["endTime"] for session in sessions if session["_id"] == started), timed.instant(START + 1000 * winner))
            self.assertEqual(service.post("endSession", {"focusSession": started, "endTime": timed.instant(START + 1000 * winner)}).status, 200)

    def test_a_lost_answer(self):
        """The client hangs up before the answer comes, and asks again."""
        _, service = self.serve(1)
        plans = Plans("reader", 5, START)

        class Hasty(FcgiClient):
            def post(self, action, fields):
                if plans.random.random() < 0.5:
                    return super().post(action, fields)
                with self.responder.connect() as connection:
                    connection.submit("POST", "/FocusStats/" + action, harness.encode(fields))
                raise fcgi.ConnectionClosed(b"")
        self.assertEqual(service.post("initUser", {"user": plans.user}).status, 200)
        plans.send(lambda index: Hasty(service.responder), 8)
        self.finish(service, plans)


if __name__ == "__main__":
    tap.main(globals())
