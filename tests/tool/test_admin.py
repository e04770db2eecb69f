#!/usr/bin/env python3
"""The admin tool on a home with and without a running service: its commands, who may what, and what it says when something is wrong."""

import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap
import timed
from faults import Faults
from folder import AS_ROOT, SOURCE, worker
from tool import Tool

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
BEGIN = "2025-11-10T12:00:00Z"
# Ids that are valid, and that a terminal or a reader of lines takes for more than a name.
STEERING = ["\u009b31mred", "\u0085next line", "line\u2028forged 1 1", "paragraph\u2029forged", "a\u202edcba", "\u2066isolated", "\ufeffmarked", "\u200fright"]
ODD = ["a b", "'quoted'", "\\", "--yes", "é 📚", "x" * 255]


class ToolCase(harness.Case):
    def setUp(self):
        self.store = self.folder()
        self.tool = Tool(self.store)

    def serve(self, clock=None, **more):
        faults = Faults(self.store)
        if clock:
            faults.set("clock", str(timed.ms_of(clock)))
        self.faults = faults
        self.responder = self.start(harness.Responder(self.store, settings=faults.settings(), **more))

    def post(self, action, **fields):
        reply = self.responder.post(action, fields)
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def says(self, done, status, *words):
        self.assertEqual(done.returncode, status, done)
        for word in words:
            self.assertIn(word, done.stderr)
        if status:
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr.splitlines()[-1], r"^focusstats: .*[^.]$")


class Commands(ToolCase):
    @tap.cases([("without a service", 0), ("with one process", 1), ("with three", 3)])
    def test_a_user_s_life(self, processes):
        if processes:
            self.serve(processes=processes)
        self.assertEqual(self.tool.lines("users"), [])
        self.assertRegex(self.tool.run("init", "reader").stdout, r"^made user 'reader', FocusStats %s\n$" % UUID)
        self.says(self.tool.run("init", "reader"), 1, "user 'reader' is already initialised")
        self.assertEqual(self.tool.lines("users"), [{"user": "reader", "sessions": 0, "active": 0, "seconds": 0}])
        shown, = self.tool.lines("show", "reader")
        self.assertEqual((shown["user"], shown["settings"]["timezone"], shown["activeSessions"]), ("reader", "UTC", []))
        self.says(self.tool.run("remove", "reader"), 1, "--yes")
        self.assertEqual(len(self.tool.lines("users")), 1)
        self.assertEqual(self.tool.lines("remove", "reader", "--yes"), [{"removedSessions": 0}])
        self.assertEqual(self.tool.lines("users"), [])
        for command in (["show"], ["remove", "--yes"]):
            self.says(self.tool.run(*command, "reader"), 1, "there is no user 'reader'")

    def test_what_the_service_recorded(self):
        self.serve(clock=BEGIN)
        for user in ("ann", "bob"):
            self.post("initUser", user=user)
        made = self.post("addSession", user="ann", document="d", library="l", startTime="2025-11-09T10:00:00Z", endTime="2025-11-09T11:30:00Z")
        active = self.post("startSession", user="ann", document="d", library="l")["focusSession"]
        self.assertEqual(self.tool.lines("users"), [{"user": "ann", "sessions": 2, "active": 1, "seconds": 5400},
                                                    {"user": "bob", "sessions": 0, "active": 0, "seconds": 0}])
        shown, = self.tool.lines("show", "ann")
        self.assertEqual(shown["summary"]["seconds"], 5400)
        self.assertEqual([session["_id"] for session in shown["activeSessions"]], [active])
        self.assertEqual(shown["focusStats"], self.post("_viewStats", user="ann")[0]["focusStats"]["id"])
        text = self.tool.run("show", "ann").stdout
        for line in ("sessions       1 ended, 1 active", "read           1 h 30 min on 1 days, 1 documents"):
            self.assertIn(line + "\n", text)
        self.assertEqual(self.tool.run("users").stdout, "SESSIONS  ACTIVE        IN SUM  USER\n       2       1    1 h 30 min  ann\n"
                                                        "       0       0           0 s  bob\n")
        self.assertEqual(self.tool.run("-q", "users").stdout.count("\n"), 2)
        self.assertEqual(self.tool.lines("remove", "ann", "--yes"), [{"removedSessions": 2}])
        self.assertEqual(self.responder.post("endSession", {"focusSession": made["focusSession"]}).status, 404)

    def test_sweep(self):
        """What counts as ended is stored so, of every user; what never had a heartbeat stays."""
        self.serve(clock=BEGIN)
        for user in ("ann", "bob", "carl"):
            self.post("initUser", user=user)
            session = self.post("startSession", user=user, document="d", library="l")["focusSession"]
            if user != "carl":
                self.post("heartbeat", focusSession=session)
        self.assertEqual([user["active"] for user in self.tool.lines("users")], [1, 1, 1])
        self.assertEqual(self.tool.run("sweep").stdout, "ended 2 sessions of 2 users\n")
        self.assertEqual([user["active"] for user in self.tool.lines("users")], [0, 0, 1])
        self.assertEqual(self.tool.lines("sweep"), [{"users": 0, "endedSessions": 0}])
        self.assertEqual(self.tool.run("-q", "sweep").stdout, "")

    def test_stats(self):
        self.tool.run("init", "reader")
        stats, = self.tool.lines("stats")
        self.assertEqual((stats["users"], stats["sessions"]), (1, 0))
        sizes = {name: os.path.getsize(os.path.join(self.store.home, name)) for name in os.listdir(self.store.home)}
        self.assertEqual(stats["logBytes"], sum(size for name, size in sizes.items() if name.startswith("log.")))
        self.assertEqual(stats["dataBytes"], sum(size for name, size in sizes.items() if not name.startswith("log.")))
        self.serve()
        self.post("startSession", user="reader", document="d", library="l")
        stats, = self.tool.lines("stats")
        self.assertEqual((stats["users"], stats["sessions"]), (1, 1))
        self.assertRegex(self.tool.run("stats").stdout, r"(?m)^sessions +1$")

    def test_more_users_than_a_page(self):
        self.serve()
        users = sorted("reader %d" % number for number in range(1050))
        harness.clients(8, lambda index: [self.post("initUser", user=user) for user in users[index::8]])
        self.assertEqual([user["user"] for user in self.tool.lines("users")], users)
        self.assertEqual(self.tool.lines("sweep"), [{"users": 0, "endedSessions": 0}])

    def test_ids_of_all_kinds(self):
        for user in ODD:
            self.says(self.tool.run("init", "--", user), 0)
            self.assertEqual(self.tool.lines("show", "--", user)[0]["user"], user)
        self.assertEqual([user["user"] for user in self.tool.lines("users")], sorted(ODD, key=str.encode))
        for bad in ("", "x" * 256, "a\nb"):
            self.says(self.tool.run("init", bad), 1, "user: ")
        self.says(self.tool.run("init", b"\xff"), 1, "UTF-8")

    def test_removal_at_a_terminal(self):
        self.tool.run("init", "ann")
        for typed in ("yes\n", "\n", "an\n", "\x04"):
            status, shown = self.tool.at_terminal(["remove", "ann"], typed)
            self.assertEqual(status, 1, shown)
            self.assertIn("nothing was removed", shown)
            self.assertEqual(len(self.tool.lines("users")), 1)
        status, shown = self.tool.at_terminal(["remove", "ann"], "ann\n")
        self.assertEqual(status, 0, shown)
        self.assertIn("removed user 'ann', with 0 sessions\n", shown)
        self.assertEqual(self.tool.lines("users"), [])


class Shown(ToolCase):
    """What people see: whatever ids and file names hold, a line stays one line, and no part of it is a terminal's command."""

    def assert_lines(self, text, count=None):
        """Each is a line to whoever reads it, be it by U+2028 or NEL, and has nothing but what can be seen."""
        lines = text.splitlines()
        if count is not None:
            self.assertEqual(len(lines), count, repr(text))
        for line in lines:
            self.assertTrue(line.isprintable(), repr(line))
        self.assertEqual(text.count("\n"), len(lines), repr(text))
        return lines

    def setUp(self):
        super().setUp()
        for user in STEERING:
            self.assert_lines(self.tool.run("init", user).stdout, 1)

    def test_tables(self):
        """Shown with a question mark; with --json as they are, escaped."""
        names = [re.sub("[^ -~]", "?", user) for user in STEERING]
        self.assertEqual(sorted(line[32:] for line in self.assert_lines(self.tool.run("users").stdout, 1 + len(STEERING))[1:]), sorted(names))
        for user, name in zip(STEERING, names):
            self.assertEqual(self.assert_lines(self.tool.run("show", user).stdout)[0], "user           " + name)
        text = self.tool.run("--json", "users").stdout
        self.assertEqual(sorted(json.loads(line)["user"] for line in self.assert_lines(text, len(STEERING))), sorted(STEERING))
        self.assertIn('"user":"\\u009b31mred"', text)

    def test_errors(self):
        for user in [*STEERING[:3], b"\xff\x1b[31m", "a\x1b]0;title\x07", "a\rb", "a\nfocusstats: forged"]:
            for arguments in (["init", user], ["show", b"\xe6" + user if isinstance(user, bytes) else user + "?"], [user],
                              ["--gap", user, "import", "x"], ["import", user], ["restore", user]):
                with self.subTest(arguments=arguments):
                    done = self.tool.run(*arguments)
                    self.assertIn(done.returncode, (1, 2), done)
                    self.assert_lines(done.stderr)
                    self.assert_lines(done.stdout)

    def test_questions_and_refusals_of_a_file(self):
        for user in STEERING:
            status, shown = self.tool.at_terminal(["-q", "remove", user], user + "\n")
            self.assertEqual(status, 0, repr(shown))
            self.assertIn("This erases user '%s'" % re.sub("[^ -~]", "?", user), shown)
        name = self.store.write("a\n\x1b[31m\u009b.jsonl", json.dumps({"user": {"user": "\u009b"}}) + "\n")
        for options in ([], ["--json"]):
            done = self.tool.run(*options, "import", name)
            self.assertNotEqual(done.returncode, 0)
            self.assert_lines(done.stderr)
            self.assert_lines(done.stdout)


class Homes(ToolCase):
    def test_files_are_the_home_s_user_s(self):
        """Whoever starts it, the service can go on with what it made."""
        self.tool.run("init", "reader")
        owner = worker().pw_uid if AS_ROOT else os.geteuid()
        for name in os.listdir(self.store.home):
            info = os.stat(os.path.join(self.store.home, name))
            self.assertEqual((info.st_uid, info.st_mode & 0o077), (owner, 0), name)
        self.serve()
        self.post("startSession", user="reader", document="d", library="l")

    def test_none(self):
        missing = self.store.join("elsewhere")
        self.says(self.tool.run("users", "--home", missing), 1, missing, "there is no such folder")
        self.assertFalse(os.path.exists(missing))

    def test_a_file(self):
        self.says(self.tool.run("users", "--home", self.store.write("file", "x")), 1, "is not a folder")

    def test_open_to_others(self):
        os.chmod(self.store.home, 0o755)
        self.says(self.tool.run("users"), 1, self.store.home, "chmod 700")
        os.chmod(self.store.home, 0o700)

    def test_option_before_the_variable(self):
        self.tool.run("init", "reader")
        self.assertEqual(len(self.tool.lines("users", "--home", self.store.home, settings={"FOCUSSTATS_HOME": "/nowhere"})), 1)

    def test_owner_that_stands_still(self):
        """Bounded, and the store is not opened beside it."""
        self.serve()
        self.post("initUser", user="reader")
        owner = self.store.freeze_owner()
        try:
            self.says(self.tool.run("users", settings={"FOCUSSTATS_RELAY_TIMEOUT": "300"}), 1, "did not answer in time")
        finally:
            os.kill(owner, signal.SIGCONT)
        self.assertEqual(len(self.tool.lines("users")), 1)

    def test_full_disk(self):
        self.serve()
        self.faults.set("no-space")
        self.says(self.tool.run("init", "reader"), 1, "no space left on the disk")
        self.faults.clear("no-space")
        harness.wait_until(lambda: self.tool.run("init", "reader").returncode == 0, "there is room again")

    def test_killed_service(self):
        """The tool recovers the store as any other process does."""
        self.serve()
        self.post("initUser", user="reader")
        self.post("startSession", user="reader", document="d", library="l")
        os.kill(self.responder.pids[0], signal.SIGKILL)
        self.responder.children[0].wait()
        self.assertEqual(self.tool.lines("users")[0]["sessions"], 1)

    @tap.cases([(path, path) for path in ("/local/users", "/local/settle", "/local/stats", "/local/copy", "/local/copyState",
                                             "/FocusStats/local/users", "/FocusStats/users")])
    def test_no_web_server_reaches_the_tool_s_actions(self, path):
        """Nor do parameters that only a relay sends."""
        self.serve(processes=2)
        self.post("initUser", user="reader")
        for extra in ({}, {"FOCUSSTATS_ADMIN": "1", "FOCUSSTATS_AUTH": "none", "FOCUSSTATS_NOW": "1", "FOCUSSTATS_DEADLINE": "9" * 15}):
            reply = self.responder.ask("POST", path, b'{"user":"reader"}', extra)
            self.assertEqual(reply.status, 404, reply)
            self.assertIn("there is no path", reply.json()["error"])
        self.assertEqual(harness.cgi(self.store, "POST", path, b'{"user":"reader"}').status, 404)


class Usage(ToolCase):
    @tap.cases([("nothing", [], "which command?"), ("no command", ["nonsense"], "nonsense"), ("no option", ["--nonsense", "users"], "--nonsense"),
                ("no user", ["show"], "show: USER is missing"), ("too many", ["users", "ann"], "ann"), ("two users", ["show", "ann", "bob"], "bob"),
                ("no folder", ["users", "--home"], "--home")])
    def test_wrong(self, arguments, word):
        self.says(self.tool.run(*arguments), 2, word)

    def test_wrong_setting(self):
        self.says(self.tool.run("users", settings={"FOCUSSTATS_THREADS": "0"}), 2, "FOCUSSTATS_THREADS")

    def test_help_and_version(self):
        for option in ("--help", "-h"):
            self.assertRegex(self.tool.run(option).stdout, r"^usage: focusstats ")
        self.assertEqual(self.tool.run("--version").stdout, self.tool.run("-V").stdout)
        self.assertRegex(self.tool.run("--version").stdout, r"^focusstats \d+\.\d+\.\d+\n$")

    def test_output_that_cannot_be_written(self):
        self.tool.run("init", "reader")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.tool.program, "users"], stdout=full, stderr=subprocess.PIPE, env=self.tool.environment(), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"writing the output failed", done.stderr)


class Texts(ToolCase):
    def manual(self):
        with open(os.path.join(SOURCE, "man", "focusstats.1"), encoding="utf-8") as file:
            return file.read()

    def test_every_command_and_option_is_in_the_manual(self):
        usage = self.tool.run("--help").stdout
        commands = re.findall(r"(?m)^  (\w+) ", usage.split("options:")[0])
        self.assertGreaterEqual(len(commands), 6)
        self.assertEqual(re.findall(r"(?m)^\.It Cm (\w+)", self.manual().split(".Sh FORMATS")[0]), commands)
        formats = re.findall(r"(?m)^  (?:import|export)  (\w+) ", usage)
        self.assertEqual(sorted(re.findall(r"(?m)^\.It Cm (\w+)$", self.manual().split(".Sh FORMATS")[1])), sorted(set(formats)))
        for option in re.findall(r"--([\w-]+)", usage.split("options:")[1]):
            self.assertRegex(self.manual(), r"(?m)^\.It .*Fl Fl %s\b" % option)

    def complete(self, *words):
        script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _focusstats; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", script, "bash", os.path.join(SOURCE, "completions", "focusstats"), *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.tool.environment(), check=True)
        return done.stdout.decode().split("\n")[:-1]

    def test_completion(self):
        commands = re.findall(r"(?m)^  (\w+) ", self.tool.run("--help").stdout.split("options:")[0])
        self.assertEqual(self.complete(self.tool.program, ""), commands)
        self.assertEqual(self.complete(self.tool.program, "s"), ["show", "sweep", "stats"])
        self.assertEqual(self.complete(self.tool.program, "users", "--j"), ["--json"])
        for user in ("ann", "anna", "bob b"):
            self.tool.run("init", user)
        self.assertEqual(self.complete(self.tool.program, "show", "an"), ["ann", "anna"])
        self.assertEqual(self.complete(self.tool.program, "--yes", "remove", "b"), ["bob\\ b"])


if __name__ == "__main__":
    tap.main(globals())
