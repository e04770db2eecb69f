#!/usr/bin/env python3
"""Settings and the command line: what is wrong stops the start with one line that names it; what is right has its effect."""

import glob
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z focusstats\[\d+\]: (.*)\n")

BAD = [(name, value) for name, values in {
    "FOCUSSTATS_HOME": ["", "relative/path", ".", "~"],
    "FOCUSSTATS_THREADS": ["", "0", "-1", "1025", "64x", " 64", "64 ", "6.4", "0x40", "many", "99999999999999999999", "+8", "1e2"],
    "FOCUSSTATS_MAX_BODY": ["", "0", "1023", "67108865", "-1", "64k", "64 KiB", "65536.0", "18446744073709617152"],
    "FOCUSSTATS_AUTH": ["", "yes", "Required", "REQUIRED", "required ", " none", "1", "true", "require", "None"],
    "FOCUSSTATS_ADMINS": ["", ",", "a,,b", " ", ", a", "a,", "a, ,b"],
    "FOCUSSTATS_CORS_ORIGIN": ["", "*", "null", "reader.example", "https://", "https://reader.example/", "https://reader.example/path",
                               "HTTPS://reader.example", "https://Reader.example", "ftp://reader.example", "https://a.example,https://b.example",
                               "https://user@reader.example", "https://reader.example?", "https://a.example\thttps://b.example",
                               "https://a.example\r\nX-Header: 1", " https://a.example", "https://a.example "],
    "FOCUSSTATS_HOSTS": ["", " ", "Books.example", "books.example:8080", "https://books.example", "a,b", "a  b", " a", "a ", "* a", "a *", "*.example", "a/b", "a\tb", "é"],
    "FOCUSSTATS_ERROR_STATUS": ["", "0", "201", "404", "2000", "ok", "200 ", "real"],
    "FOCUSSTATS_RELAY_TIMEOUT": ["", "0", "99", "60001", "5s", "5000.5", "-5000"],
}.items() for value in values]

UNKNOWN = ["FOCUSSTATS_", "FOCUSSTATS_THREAD", "FOCUSSTATS_THREADSX", "FOCUSSTATS_home", "FOCUSSTATS_HOMES", "FOCUSSTATS_ADMIN", "FOCUSSTATS_DEBUG",
           "FOCUSSTATS_AUTHREQUIRED", "FOCUSSTATS_AUTH_"]


def title(name, value):
    return "%s=%r" % (name, value)


class Settings(harness.Case):
    """The start of the program, as FastCGI responder and as CGI program."""

    def start_responder(self, settings):
        """Runs the program with a listening socket until it ends; returns (exit status, standard error). One that comes up fails the test."""
        folder = self.folder()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(folder.socket)
            listener.listen(1)
            done = harness.run_program(folder, env=settings, stdin=listener, timeout=10)
        self.assertEqual(done.stdout, b"")
        return done.returncode, done.stderr.decode()

    def assert_one_line(self, text, *words):
        found = LOG_LINE.fullmatch(text)
        self.assertTrue(found, "not one line of the log: %r" % text)
        for word in words:
            self.assertIn(word, found.group(1))

    @tap.cases([(title(name, value), name, value) for name, value in BAD])
    def test_bad_value(self, name, value):
        settings = {name: value}
        if name == "FOCUSSTATS_ADMINS":
            settings["FOCUSSTATS_AUTH"] = "required"
        status, text = self.start_responder(settings)
        self.assertEqual(status, 1)
        self.assert_one_line(text, name)

    @tap.cases([(name, name) for name in UNKNOWN])
    def test_unknown_name(self, name):
        status, text = self.start_responder({name: "1"})
        self.assertEqual(status, 1)
        self.assert_one_line(text, name)

    def test_administrators_without_authentication(self):
        for auth in (None, "none"):
            status, text = self.start_responder({"FOCUSSTATS_ADMINS": "admin", "FOCUSSTATS_AUTH": auth})
            self.assertEqual(status, 1)
            self.assert_one_line(text, "FOCUSSTATS_ADMINS", "FOCUSSTATS_AUTH")

    def test_bad_value_as_cgi(self):
        """The web server gets an answer all the same."""
        reply = harness.cgi(self.folder(), "GET", "/FocusStats/health", settings={"FOCUSSTATS_THREADS": "none"})
        self.assertEqual((reply.status, reply.header("Content-Type"), reply.exit_status), (503, "application/json", 1))
        self.assertEqual([key for key, _ in reply.pairs()], ["error"])
        self.assertNotIn("THREADS", reply.text)
        self.assertTrue(reply.header("Retry-After").isdigit())
        self.assert_one_line(reply.stderr, "FOCUSSTATS_THREADS")

    def test_a_value_of_several_lines_is_one_line_of_the_log(self):
        status, text = self.start_responder({"FOCUSSTATS_AUTH": "required\n2026-01-01T00:00:00.000Z focusstats[1]: all is well"})
        self.assertEqual(status, 1)
        self.assert_one_line(text, "FOCUSSTATS_AUTH")

    @tap.cases([("C1 control", b"\xc2\x9b31m"), ("C1 control alone", b"\x9b31m"), ("line separator", b"\xe2\x80\xa8"), ("override of direction", b"\xe2\x80\xae"),
                ("escape", b"\x1b]0;x\x07"), ("carriage return", b"\r"), ("NEL", b"\xc2\x85"), ("overlong", b"\xc0\x8a"), ("bad UTF-8", b"\xff\xe6\x9b")])
    def test_what_would_steer_a_terminal(self, bytes_):
        """None of it reaches the log; the rest of the value does."""
        status, text = self.start_responder({"FOCUSSTATS_AUTH": os.fsdecode(b"before " + bytes_ + b" \xe6\x9b\xb8 after")})
        self.assertEqual(status, 1)
        self.assert_one_line(text, "FOCUSSTATS_AUTH", "'before ?", "書 after'")
        self.assertTrue(text[:-1].isprintable(), repr(text))

    def test_a_line_is_cut_at_a_character(self):
        for lead in ("", "a", "bc"):
            text = self.start_responder({"FOCUSSTATS_AUTH": lead + "書" * 3000})[1]
            self.assert_one_line(text, "FOCUSSTATS_AUTH: '%s書書" % lead)
            self.assertLessEqual(len(text.encode()), 2048)

    def test_a_very_long_value(self):
        status, text = self.start_responder({"FOCUSSTATS_AUTH": "x" * 100000})
        self.assertEqual(status, 1)
        self.assert_one_line(text, "FOCUSSTATS_AUTH")

    def test_other_variables_are_nobodys_business(self):
        folder = self.folder()
        reply = harness.cgi(folder, "GET", "/FocusStats/health", settings={"FOCUS_STATS": "1", "XFOCUSSTATS_THREADS": "0", "focusstats_threads": "0"})
        self.assertEqual(reply.status, 200, reply)

    @tap.cases([(title(name, value), name, value) for name, value in [
        ("FOCUSSTATS_THREADS", "1"), ("FOCUSSTATS_THREADS", "1024"), ("FOCUSSTATS_MAX_BODY", "1024"), ("FOCUSSTATS_MAX_BODY", "67108864"),
        ("FOCUSSTATS_AUTH", "none"), ("FOCUSSTATS_CORS_ORIGIN", "https://reader.example:8443 http://[::1]:8080 http://localhost"),
        ("FOCUSSTATS_HOSTS", "*"), ("FOCUSSTATS_HOSTS", "books.example my_host 10.0.0.1"),
        ("FOCUSSTATS_ERROR_STATUS", "200"), ("FOCUSSTATS_RELAY_TIMEOUT", "100"), ("FOCUSSTATS_RELAY_TIMEOUT", "60000")]])
    def test_good_value(self, name, value):
        responder = self.start(harness.Responder(self.folder(), {name: value}))
        self.assertEqual(responder.post("initUser", {"user": "a"}).status, 200)

    def test_the_default_home_has_no_bearing_where_one_is_set(self):
        folder = self.folder()
        self.assertEqual(harness.cgi(folder, "POST", "/FocusStats/initUser", b'{"user":"a"}').status, 200)
        self.assertTrue(os.path.exists(os.path.join(folder.home, "sessions.db")))

    def test_the_home_is_made_where_it_is_missing(self):
        folder = self.folder()
        home = folder.join("run", "new home")
        reply = harness.cgi(folder, "POST", "/FocusStats/initUser", b'{"user":"a"}', settings={"FOCUSSTATS_HOME": home})
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(os.stat(home).st_mode & 0o7777, 0o700)
        for name in os.listdir(home):
            self.assertEqual(os.stat(os.path.join(home, name)).st_mode & 0o077, 0, name)


class Effects(harness.Case):
    """What settings do."""

    def test_max_body(self):
        responder = self.start(harness.Responder(self.folder(), {"FOCUSSTATS_MAX_BODY": "1024"}))
        body = b'{"user":"a"}'
        self.assertEqual(responder.post("initUser", body + b" " * (1024 - len(body))).status, 200)
        reply = responder.post("initUser", body + b" " * (1025 - len(body)))
        self.assertEqual(reply.status, 413)
        self.assertIn("1024", reply.json()["error"])

    def test_large_bodies(self):
        """The limit counts, not the size of any buffer."""
        responder = self.start(harness.Responder(self.folder(), {"FOCUSSTATS_MAX_BODY": "8388608"}))
        body = b'{"user":"a"}'
        self.assertEqual(responder.post("initUser", body + b" " * (8388608 - len(body))).status, 200)
        self.assertEqual(responder.post("_viewStats", b'{"x":"' + b"y" * 4000000 + b'","user":"a"}').status, 200)
        self.assertEqual(responder.post("initUser", body + b" " * (8388609 - len(body))).status, 413)

    def test_one_thread_serves_many_connections(self):
        """Idle kept connections hold no thread."""
        responder = self.start(harness.Responder(self.folder(), {"FOCUSSTATS_THREADS": "1"}))
        kept = [responder.connect() for _ in range(20)]
        try:
            for turn in range(2):
                for connection in kept:
                    self.assertEqual(connection.ask("GET", "/FocusStats/health", keep=True).status, 200, turn)
            self.assertEqual(responder.post("initUser", {"user": "a"}).status, 200)
        finally:
            for connection in kept:
                connection.close()

    def test_processes_of_different_settings_share_a_home(self):
        """Each process's own settings count for what it is asked, whoever owns the store."""
        folder = self.folder()
        strict = self.start(harness.Responder(folder, {"FOCUSSTATS_MAX_BODY": "1024"}))
        os.rename(folder.socket, folder.socket + ".strict")
        loose = self.start(harness.Responder(folder, {"FOCUSSTATS_MAX_BODY": "200000", "FOCUSSTATS_ERROR_STATUS": "200"}))
        large = b'{"user":"a"}' + b" " * 150000
        self.assertEqual(loose.post("initUser", large).status, 200)
        self.assertEqual(loose.post("initUser", large).status, 200)
        self.assertIn("error", loose.post("initUser", large).json())
        with harness.Connection(folder.socket + ".strict") as connection:
            self.assertEqual(connection.ask("POST", "/FocusStats/initUser", large).status, 413)
        with harness.Connection(folder.socket + ".strict") as connection:
            self.assertEqual(connection.ask("POST", "/FocusStats/initUser", b'{"user":"a"}').status, 409)
        self.assertEqual(len(strict.pids), 1)


class Engine(harness.Case):
    """DB_CONFIG in the home, the engine's own file of settings."""

    def configure(self, folder, text):
        path = os.path.join(folder.home, "DB_CONFIG")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        folder.give(path)

    def test_a_bad_line_is_reported_and_the_service_comes_up_once_it_is_gone(self):
        folder = self.folder()
        self.configure(folder, "set_nonsense 1\n")
        responder = harness.Responder(folder)
        responder.wait_ready = lambda: None
        self.start(responder)
        reply = responder.ask("GET", "/FocusStats/health")
        self.assertEqual(reply.status, 503)
        self.assertTrue(reply.header("Retry-After").isdigit())
        self.assertEqual([key for key, _ in reply.pairs()], ["error"])
        self.assertNotIn(folder.home, reply.text)
        self.assertIn("set_nonsense", folder.log_text())
        self.configure(folder, "")
        harness.wait_until(lambda: responder.ask("GET", "/FocusStats/health").status == 200, "health after the line is gone")

    def test_a_bad_line_as_cgi(self):
        folder = self.folder()
        self.configure(folder, "set_nonsense 1\n")
        reply = harness.cgi(folder, "POST", "/FocusStats/initUser", b'{"user":"a"}')
        self.assertEqual(reply.status, 503)
        self.assertIn("set_nonsense", reply.stderr)

    def test_the_size_of_log_files(self):
        folder = self.folder()
        self.configure(folder, "# smaller log files\nset_lg_max 150000\nset_lg_bsize 32000\n")
        responder = self.start(harness.Responder(folder))
        self.assertEqual(responder.post("initUser", {"user": "a"}).status, 200)

        def write(_index):
            for _ in range(60):
                self.assertEqual(responder.post("startSession", {"user": "a", "document": "d" * 255, "library": "l" * 255}).status, 200)
        harness.clients(8, write)
        responder.stop() # a running engine removes log files that it no longer needs
        logs = glob.glob(folder.home + "/log.*")
        self.assertTrue(logs)
        self.assertGreater(max(int(name.rsplit(".", 1)[1]) for name in logs), 1)
        for name in logs:
            self.assertLess(os.stat(name).st_size, 200000)


class CommandLine(harness.Case):
    """--version, --help and mistakes."""

    def test_version(self):
        done = harness.run_program(self.folder(), ["--version"])
        self.assertRegex(done.stdout.decode(), r"^focusstats\.fcgi \d+\.\d+\S*\n$")
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_help(self):
        done = harness.run_program(self.folder(), ["--help"])
        for word in (b"usage: focusstats.fcgi", b"--version", b"FOCUSSTATS_HOME", b"focusstats(5)"):
            self.assertIn(word, done.stdout)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    @tap.cases([("nothing", []), ("an unknown option", ["--nonsense"]), ("two", ["--help", "--version"]), ("a word", ["start"])])
    def test_mistakes(self, arguments):
        """Started by hand, without a request or a socket: how it is used, on standard error."""
        done = harness.run_program(self.folder(), arguments)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"usage: focusstats.fcgi", done.stderr)

    def test_neither_touches_the_home(self):
        folder = self.folder()
        for arguments in (["--version"], ["--help"], []):
            harness.run_program(folder, arguments)
        self.assertEqual(os.listdir(folder.home), [])

    def test_bad_settings_do_not_keep_the_help_away(self):
        self.assertEqual(harness.run_program(self.folder(), ["--help"], {"FOCUSSTATS_THREADS": "none"}).returncode, 0)


if __name__ == "__main__":
    tap.main(globals())
