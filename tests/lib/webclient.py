"""A small HTTP client that sends what it is told to, well formed or not.

    client = webclient.Client(port)              one kept connection; opened again when the server closed it
    reply = client.request("POST", "/api/FocusStats/initUser", b'{"user":"a"}', [("Content-Type", "application/json")])
    reply = webclient.raw(port, b"POST / HTTP/1.1\\r\\n...")      bytes as they are, one answer read, connection closed

A Reply has `status`, `headers` (a list of pairs), header(name), `body` (bytes), text, json() and pairs().
"""

import http.client
import json
import socket

TIMEOUT_SECONDS = 20


class Reply:
    """An answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        """The header's value, None where it is missing; several are joined by ', '."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    def pairs(self):
        """The JSON with every object as a list of pairs, which keeps order and duplicates."""
        return json.loads(self.body, object_pairs_hook=list)

    def __repr__(self):
        return "<%d %s %r>" % (self.status, self.header("Content-Type"), self.body[:400])


def parse_cgi(output):
    """A Reply from a CGI document: header lines, an empty line, the body. Status is 200 where no line tells."""
    for end in (b"\r\n\r\n", b"\n\n"):
        if end in output:
            head, body = output.split(end, 1)
            break
    else:
        raise ValueError("no empty line ends the headers: %r" % output[:400])
    headers = []
    status = 200
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise ValueError("not a header line: %r" % line)
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((name, value.strip()))
    return Reply(status, headers, body)


class Client:
    """One connection to 127.0.0.1:PORT, kept while the server keeps it. For one thread."""

    def __init__(self, port, timeout=TIMEOUT_SECONDS):
        self.port = port
        self.timeout = timeout
        self.socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def connect(self):
        """Opens the connection where there is none, or where the server has closed the kept one."""
        if self.socket and self.closed_by_server():
            self.close()
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), self.timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def closed_by_server(self):
        self.socket.settimeout(0)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
            return True
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
        finally:
            self.socket.settimeout(self.timeout)

    def request(self, method, path, body=None, headers=()):
        """Sends a request with exactly HEADERS besides Host, where they have none, and, where there is a body, Content-Length. It is never sent
        twice: an error is the caller's to judge."""
        head = "%s %s HTTP/1.1\r\n" % (method, path)
        if not any(name.lower() == "host" for name, _ in headers):
            head += "Host: localhost:%d\r\n" % self.port
        for name, value in headers:
            head += "%s: %s\r\n" % (name, value)
        if body is not None:
            head += "Content-Length: %d\r\n" % len(body)
        return self.exchange(head.encode("utf-8") + b"\r\n" + (body or b""), method)

    def exchange(self, data, method="POST"):
        """Sends DATA and reads one answer. The connection is closed after an error, and where the server says so."""
        try:
            self.connect()
            self.socket.sendall(data)
            return self.read(method)
        except Exception:
            self.close()
            raise

    def read(self, method="POST"):
        response = http.client.HTTPResponse(self.socket, method=method)
        try:
            response.begin()
            body = response.read()
            reply = Reply(response.status, response.getheaders(), body)
            if response.will_close:
                self.close()
            return reply
        finally:
            response.close()


def raw(port, data, method="POST", timeout=TIMEOUT_SECONDS):
    """Sends DATA on a connection of its own and reads one answer."""
    with Client(port, timeout) as client:
        client.connect()
        try:
            client.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return client.read(method)
