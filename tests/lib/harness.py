"""Real web servers, the real program, and a folder of its own for every test.

A test script is

    import harness, tap                            (the scripts put tests/lib on sys.path)

    class Thing(harness.Case):                     no web server, or one that the test starts itself
        def test_x(self):
            folder = self.folder()                 a new TestFolder; kept and named when the test fails
            responder = self.start(harness.Responder(folder, processes=4))
            server = self.start(harness.Lighttpd(self.folder(), settings={"FOCUSSTATS_THREADS": "8"}))

    class Api(harness.ServerCase):                 one running server for all tests of the class: self.server
        abstract = True                            not run itself, only through for_servers
        auth = False; settings = {}; prefix = "/api"; processes = 1
        owner = False                              True: beside plain CGI a process that owns the store, so that it is not opened anew for every request
        def test_x(self): ...
    harness.for_servers(globals(), Api)            makes Api_lighttpd, Api_nginx, ... (ALL_SERVERS, or servers=[...])

    if __name__ == "__main__":
        tap.main(globals())

What is there:
  TestFolder            .path .home .program .socket .logs .join(...); processes(): pids of the program's processes of this folder;
                        log_text(): what all of them wrote; is_unlocked(); owner_pid(); assert_nothing_left()
  Responder(folder, settings={}, processes=1)       focusstats.fcgi with a listening Unix socket (folder.socket) as descriptor 0
                        .start() .stop() .pids .start_one() -> Popen .connect() -> fcgi.Connection .post(action, fields) .ask(method, path_info, body, extra)
  Lighttpd, Nginx, ApacheProxyFcgi, ApacheFcgid, ApacheCgi, ApacheSharedHost (folder, auth=False, settings={}, processes=None, prefix="/api")
                        .start() .stop() .port .pid .folder .responder (None where the web server starts the program itself)
                        .post(action, fields, user=None, headers=()) -> webclient.Reply    one request, fields a dict or raw bytes
                        .request(method, path, body=None, headers=(), user=None)           path as sent, with the prefix
                        .client() -> webclient.Client    a kept connection of its own, for one thread; .url(action) is the path for it,
                        .headers(user=None) the headers that its requests need besides their own
                        .raw(bytes) -> Reply; .missing() -> None or why it cannot run (a skip reason with the Debian package)
                        auth=True: the site file as shipped, Basic authentication, users in PASSWORDS; False: its open variant. A shared host has no
                        open one: there everything is done as .default_user, an administrator, and the user NOBODY sends no password at all
  run_program(folder, arguments=(), env={}, stdin=..., timeout=...) -> CompletedProcess, as the folder's user; stdout and stderr are bytes
  cgi(folder, method, path_info, body=b"", extra={}, settings={}) -> Reply with .stderr and .exit_status; plain CGI; extra adds to or, with None,
                        takes from the request's variables
  wait_until(condition, what, seconds=20)            polls; returns the condition's first true value, AssertionError with `what` at the deadline
  clients(count, function, *arguments)               runs function(index, *arguments) in threads; returns the results, raises the first error
  basic(user)                                        the Authorization header of a user

As root the web servers' workers and the program run as www-data (or nobody), who owns the home; as an ordinary user all of it runs as that user.
Settings are FOCUSSTATS_... names; FOCUSSTATS_HOME is always folder.home. No FOCUSSTATS_... variable of the caller's environment reaches a test.
Sanitizer reports go to files of the folder. Every Case and ServerCase fails the test after which such a report, an abort or a crash is found, or where a
process is left after stop(), or the home's lock is still held.

Environment: top_srcdir, top_builddir (automake sets them for `make check`), where the sources and the built program are; without them the script's own
source tree and the current folder. FOCUSSTATS_QUICK=1 leaves out the web servers that start the program for every request. TMPDIR, where short
enough for a socket's path, otherwise /tmp.
"""

import os
import unittest

import tap
from fcgi import Connection, ConnectionClosed
from folder import AS_ROOT, DEADLINE_SECONDS, SOURCE, TestFolder, clients, free_port, wait_until, worker
from responder import Responder, cgi, encode, run_program
from servers import NOBODY, PASSWORDS, ApacheCgi, ApacheFcgid, ApacheProxyFcgi, ApacheSharedHost, Lighttpd, Nginx, basic
from webclient import Client, Reply, raw

__all__ = ["AS_ROOT", "DEADLINE_SECONDS", "SOURCE", "NOBODY", "PASSWORDS", "ALL_SERVERS", "TestFolder", "clients", "free_port", "wait_until", "worker", "Responder",
           "cgi", "encode", "run_program", "ApacheCgi", "ApacheFcgid", "ApacheProxyFcgi", "ApacheSharedHost", "Lighttpd", "Nginx", "basic", "Connection",
           "ConnectionClosed", "Client", "Reply", "raw", "Case", "ServerCase", "for_servers"]

QUICK = os.environ.get("FOCUSSTATS_QUICK") == "1"
ALL_SERVERS = [Lighttpd, Nginx, ApacheProxyFcgi, ApacheFcgid, ApacheCgi, ApacheSharedHost]


class Case(unittest.TestCase, metaclass=tap.Cases):
    """A test that makes its own folders and starts what it needs in them; all of it is stopped and looked through at its end."""

    maxDiff = None

    def folder(self):
        made = TestFolder()
        self.folders.append(made)
        self.addCleanup(made.assert_clean)
        return made

    def start(self, thing):
        """Starts a Responder or a web server; skips the test where the server is not installed."""
        missing = getattr(thing, "missing", lambda: None)()
        if missing:
            self.skipTest(missing)
        self.addCleanup(thing.stop)
        return thing.start()

    def run(self, result=None):
        self.folders = []
        before = problems(result)
        try:
            return super().run(result)
        finally:
            for folder in self.folders:
                folder.keep = folder.keep or problems(result) > before
                folder.remove()


class ServerCase(unittest.TestCase, metaclass=tap.Cases):
    """Tests that share one running server; see for_servers."""

    maxDiff = None
    server_class = None
    abstract = True
    auth = False
    settings = {}
    prefix = "/api"
    processes = None
    owner = False

    @classmethod
    def setUpClass(cls):
        missing = cls.server_class.missing()
        if missing:
            raise unittest.SkipTest(missing)
        cls.folder = TestFolder()
        cls.addClassCleanup(cls.folder.remove)
        cls.addClassCleanup(cls.folder.assert_clean)
        cls.server = cls.server_class(cls.folder, auth=cls.auth, settings=cls.settings, processes=cls.processes, prefix=cls.prefix)
        cls.addClassCleanup(cls.server.stop)
        try:
            cls.server.start()
        except BaseException:
            cls.folder.keep = True
            raise
        if cls.owner and isinstance(cls.server, ApacheCgi):
            owner = Responder(cls.folder, cls.server.responder_settings())
            cls.addClassCleanup(owner.stop)
            owner.start()

    def setUp(self):
        self.addCleanup(self.folder.assert_clean)

    def run(self, result=None):
        before = problems(result)
        try:
            return super().run(result)
        finally:
            if problems(result) > before:
                self.folder.keep = True


def problems(result):
    return len(result.failures) + len(result.errors) if result else 0


def for_servers(module, *bases, servers=None):
    """Adds to MODULE (its globals()) a class of each of BASES for each server."""
    for base in bases:
        for server in ALL_SERVERS if servers is None else servers:
            if QUICK and issubclass(server, ApacheCgi):
                continue
            name = "%s_%s" % (base.__name__, server.__name__)
            module[name] = type(base)(name, (base,), {"server_class": server, "abstract": False, "__module__": base.__module__})
