#!/usr/bin/env python3
"""2,000 connections at once, to the program and to each web server before it; bodies that come one byte at a time; clients that go away in the middle
of a request and of an answer. Everybody has an answer in time, and nothing is left of those who are gone."""

import json
import os
import resource
import socket
import struct
import threading
import time
from collections import Counter

from common import LONG, CrashCase, expected_lines, harness, note

import fcgi  # noqa: E402
import many  # noqa: E402
import tap  # noqa: E402

AT_ONCE = 2000
ANSWER_SECONDS = 60.0
# As for one request on a machine that has much to do.
OTHERS_SECONDS = 10.0
SLOW = 200
# Apache has a thread for each that has begun a request, 128 of them in these tests.
SLOW_AT_APACHE = 64
SLOW_SECONDS = 30 if LONG else 2
GONE = 2000 if LONG else 200
END_RECORD = fcgi.record(fcgi.END_REQUEST, 1, b"12345678")[:8]
# Connections between the two that wait for the next relayed request: RELAY_KEPT_MAX in src/gateway/relay.h.
KEPT = 24
LINES = [r"owner of \S+ since recovery \(\d+ ms\)", r"no longer the owner of \S+"]
OUT_OF_TIME = r"request \S+ \w+: (the owner of the store did not answer in time|the time for this request has run out); the request .* carried out"
SERVERS = [(server.name, server) for server in [harness.Nginx, harness.Lighttpd, harness.ApacheProxyFcgi] + [harness.ApacheFcgid] * LONG]


def more_descriptors():
    """For this process and what it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < AT_ONCE + 500:
        raise AssertionError("the hard limit of descriptors, %d, is too low for %d connections" % (most, AT_ONCE))


def bodies(count):
    """A write, or a read, in turn."""
    return [("startSession", {"user": "u", "document": "d%d" % index, "library": "l"}) if index % 2 else ("_getSummary", {"user": "u"})
            for index in range(count)]


def http_request(server, action, fields):
    body = json.dumps(fields).encode()
    return ("POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (server.url(action), len(body))).encode() + body


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def reset(sock):
    """Closes a connection without a word."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Crowds(CrashCase):
    def connect_tcp(self, server):
        sock = socket.socket()
        sock.setblocking(False)
        try:
            sock.connect(("127.0.0.1", server.port))
        except BlockingIOError:
            pass
        return sock

    @staticmethod
    def connect_unix(path):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(ANSWER_SECONDS)
        sock.connect(path)
        sock.setblocking(False)
        return sock

    def test_at_the_program(self):
        """As many connections as that, all open before the first request is sent, to owner and relay."""
        more_descriptors()
        folder = self.watched()
        responder = self.start(harness.Responder(folder, {"FOCUSSTATS_RELAY_TIMEOUT": "60000"}, processes=2))
        responder.post("initUser", {"user": "u"})
        before = [descriptors(pid) for pid in responder.pids]
        requests = []
        for action, fields in bodies(AT_ONCE):
            body = harness.encode(fields)
            requests.append(fcgi.record(fcgi.BEGIN_REQUEST, 1, b"\0\1\0\0\0\0\0\0")
                            + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.request_params("POST", "/FocusStats/" + action, body)))
                            + fcgi.stream(fcgi.STDIN, 1, body))
        told = many.ask(lambda: self.connect_unix(folder.socket), requests, lambda answer: answer[-16:-8] == END_RECORD, ANSWER_SECONDS)
        statuses = Counter(one and one[0].split(b"Status: ")[1][:3].decode() for one in told.answers)
        note("%d connections at the program: %s, the slowest in %.1f s", told.open, dict(statuses), told.slowest)
        self.assertEqual(statuses, {"200": AT_ONCE})
        harness.wait_until(lambda: all(descriptors(pid) <= had + KEPT for pid, had in zip(responder.pids, before)), "descriptors are as before")
        responder.stop()
        self.assertEqual(len(self.read(folder).sessions), AT_ONCE // 2)
        expected_lines(folder, LINES)

    @tap.cases(SERVERS)
    def test_through(self, server_class):
        """Each has an answer, of the service or, where the web server has not the room, of its own; what was answered 200 is there."""
        more_descriptors()
        server = self.start(server_class(self.watched()))
        self.assertEqual(server.post("initUser", {"user": "u"}).status, 200)
        asked = bodies(AT_ONCE)
        told = many.ask(lambda: self.connect_tcp(server), [http_request(server, *one) for one in asked], lambda answer: False, ANSWER_SECONDS)
        statuses = [one and one[0].split(b" ", 2)[1].decode() for one in told.answers]
        note("%d connections to %s: %s, the slowest in %.1f s", told.open, server.name, dict(Counter(statuses)), told.slowest)
        begun = time.monotonic()
        self.assertEqual(server.health().status, 200)
        self.assertLess(time.monotonic() - begun, OTHERS_SECONDS)
        started = {session["document"] for session in server.post("_exportUser", {"user": "u"}).json()[0]["export"]["sessions"]}
        lost = [fields["document"] for (action, fields), status in zip(asked, statuses)
                if action == "startSession" and status == "200" and fields["document"] not in started]
        self.assertEqual(lost, [])
        self.assertGreater(statuses.count("200"), AT_ONCE // 2)
        self.assertLessEqual(set(statuses), {"200", "503", "502", "500"})
        server.stop()
        self.read(server.folder)
        expected_lines(server.folder, [*LINES, OUT_OF_TIME], servers=True)

    @tap.cases(SERVERS)
    def test_slow_and_gone(self, server_class):
        """Bodies that come one byte at a time keep nobody else waiting; of clients that reset their connection in the middle of a request or of a long
        answer nothing is left, and no process ends."""
        more_descriptors()
        server = self.start(server_class(self.watched()))
        folder = server.folder
        self.assertEqual(server.post("initUser", {"user": "u"}).status, 200)
        elements = [{"document": ("%d" % index).ljust(250, "d"), "library": "l" * 250, "startTime": "2025-01-01T00:00:00Z", "endTime": "2025-01-01T00:01:00Z"}
                    for index in range(1000)]
        self.assertEqual(server.post("addSessions", {"user": "u", "sessions": elements}).status, 200)
        pids = folder.processes()
        export = http_request(server, "_exportUser", {"user": "u"})
        head, body = http_request(server, "startSession", {"user": "u", "document": "slow", "library": "l" * 200}).split(b"\r\n\r\n")
        slow = [self.connect_tcp(server) for _ in range(SLOW_AT_APACHE if server.name.startswith("apache") else SLOW)]
        for one in slow:
            harness.wait_until(lambda sock=one: self.sends(sock, head + b"\r\n\r\n"), "a connection")
        answered, stopping = [], threading.Event()

        def others():
            while not stopping.is_set():
                begun = time.monotonic()
                self.assertEqual(server.post("_getSummary", {"user": "u"}).status, 200)
                answered.append(time.monotonic() - begun)

        thread = threading.Thread(target=others, daemon=True)
        thread.start()
        try:
            left = many.drip(slow, body[:-1], SLOW_SECONDS)
            for number in range(GONE):
                with self.blocking(server) as gone:
                    if number % 2:
                        gone.sendall(head + b"\r\n\r\n" + body[:number % len(body)])
                    else:
                        gone.sendall(export)
                        gone.recv(1000)
                    reset(gone)
            harness.wait_until(lambda: len(answered) > 3 or not thread.is_alive(), "others are answered", 4 * OTHERS_SECONDS)
        finally:
            stopping.set()
            thread.join(60)
        for one in slow:
            reset(one)
        self.assertGreater(len(answered), 3)
        self.assertLess(max(answered), OTHERS_SECONDS)
        self.assertEqual(server.health().status, 200)
        self.assertEqual([pid for pid in folder.processes() if pid in pids], pids)
        harness.wait_until(lambda: server.post("_getActiveSessions", {"user": "u"}).json() == [], "no half body was taken")
        note("%s: %d slow bodies, %d of them still open after %d s; %d clients gone; the others' slowest answer of %d took %.0f ms", server.name, len(slow), left,
             SLOW_SECONDS, GONE, len(answered), 1000 * max(answered))
        server.stop()
        self.read(folder)
        expected_lines(folder, LINES, servers=True)

    @staticmethod
    def sends(sock, data):
        try:
            return sock.send(data) == len(data)
        except BlockingIOError:
            return False

    @staticmethod
    def blocking(server):
        return socket.create_connection(("127.0.0.1", server.port), 60)


if __name__ == "__main__":
    tap.main(globals())
