"""A FastCGI client, for talking to a responder without a web server, and for sending what no web server sends.

    connection = fcgi.Connection(path)                  a Unix socket; closed by `with` or close()
    reply = connection.ask("POST", "/FocusStats/initUser", b'{"user":"a"}')
    connection.begin(1, keep=True); connection.params(1, {...}); connection.stdin(1, b"..."); reply = connection.reply()

A Reply is one as webclient.Reply is (status, header(), body, json()), with `stderr`, `app_status`, `protocol_status` besides.
Record types and layout: the FastCGI specification, version 1, section 8.
"""

import socket
import struct

from webclient import Reply, parse_cgi

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT = range(1, 11)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1
REQUEST_COMPLETE, CANT_MPX_CONN, OVERLOADED, UNKNOWN_ROLE = range(4)


def record(kind, request_id, content=b"", padding=0):
    """One record."""
    return struct.pack(">BBHHBx", 1, kind, request_id, len(content), padding) + content + b"\0" * padding


def stream(kind, request_id, content, piece=65535, end=True):
    """CONTENT as records of at most PIECE bytes, closed by an empty one."""
    records = [record(kind, request_id, content[i:i + piece]) for i in range(0, len(content), piece)]
    return b"".join(records) + (record(kind, request_id) if end else b"")


def length(number):
    return bytes([number]) if number < 128 else struct.pack(">I", number | 0x80000000)


def pairs(params):
    """Name-value pairs (a dict or a list of pairs; str or bytes)."""
    made = b""
    for name, value in params.items() if isinstance(params, dict) else params:
        name = name.encode() if isinstance(name, str) else name
        value = value.encode() if isinstance(value, str) else value
        made += length(len(name)) + length(len(value)) + name + value
    return made


def request_params(method, path_info, body=b"", extra=None):
    """The parameters a web server sends for a request to /api + PATH_INFO. A value of None in EXTRA takes a parameter away."""
    params = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "/api", "PATH_INFO": path_info, "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "tests", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1", "REQUEST_URI": "/api" + path_info,
    }
    if method == "POST":
        params["CONTENT_TYPE"] = "application/json"
        params["CONTENT_LENGTH"] = str(len(body))
    params.update(extra or {})
    return {name: value for name, value in params.items() if value is not None}


class ConnectionClosed(Exception):
    """The responder closed the connection before the end of an answer; `partial` holds what it had sent on standard output."""

    def __init__(self, partial):
        super().__init__("the responder closed the connection after %d bytes of output" % len(partial))
        self.partial = partial


class Connection:
    """One connection to a responder."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def begin(self, request_id=1, keep=False, role=RESPONDER):
        self.send(record(BEGIN_REQUEST, request_id, struct.pack(">HB5x", role, KEEP_CONN if keep else 0)))

    def params(self, request_id, params):
        self.send(stream(PARAMS, request_id, pairs(params)))

    def stdin(self, request_id, body, end=True):
        self.send(stream(STDIN, request_id, body, end=end))

    def submit(self, method, path_info, body=b"", extra=None, keep=False, request_id=1):
        """Sends one whole request at once, without waiting for its answer."""
        self.send(record(BEGIN_REQUEST, request_id, struct.pack(">HB5x", RESPONDER, KEEP_CONN if keep else 0))
                  + stream(PARAMS, request_id, pairs(request_params(method, path_info, body, extra)))
                  + stream(STDIN, request_id, body))

    def ask(self, method, path_info, body=b"", extra=None, keep=False, request_id=1):
        self.submit(method, path_info, body, extra, keep, request_id)
        return self.reply()

    def read(self, count):
        while len(self.pending) < count:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.pending += data
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def record(self):
        """The next record: (type, request id, content). EOFError at the end of the connection."""
        _, kind, request_id, size, padding = struct.unpack(">BBHHBx", self.read(8))
        content = self.read(size)
        self.read(padding)
        return kind, request_id, content

    def reply(self):
        """Reads records up to END_REQUEST."""
        output, errors = bytearray(), bytearray()
        while True:
            try:
                kind, request_id, content = self.record()
            except (EOFError, ConnectionResetError):
                raise ConnectionClosed(bytes(output)) from None
            if kind == STDOUT:
                output += content
            elif kind == STDERR:
                errors += content
            elif kind == END_REQUEST:
                made = parse_cgi(bytes(output)) if output else Reply(0, [], b"")
                made.stderr = errors.decode("utf-8", "replace")
                made.app_status, made.protocol_status = struct.unpack(">IB3x", content)
                made.request_id = request_id
                return made

    def at_end(self):
        """Whether the responder has closed the connection (waits for it up to the time-out)."""
        try:
            return not self.pending and not self.socket.recv(1)
        except ConnectionResetError:
            return True
