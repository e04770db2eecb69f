#!/usr/bin/env python3
"""Other users of the machine: what is made is nobody else's, under every umask; links that lie where something is to be made lead nobody out; and another user can
neither read the data, nor reach the owner, nor stop it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import store  # puts tests/lib on sys.path
import harness
import tap
from folder import AS_ROOT, child_environment, worker

OTHER = 54321  # no user of this machine, and not the worker
# Everything that the program and the tool make in a home, but what the engine names by number.
ENGINE = ["meta.db", "stats.db", "sessions.db", "sessions_by_user.db", "active_by_user.db", "documents.db", "log.0000000001"]
OTHERS = ["lock", "relay.sock", "relay.sock.new", "metrics", "metrics.new", "sync-failed", "pages.journal", "host", "copy.new", "restore.new", "restore.ready", "restoring",
          "restoring.new", "incomplete"]
# As another user: what can be had of the paths and processes that are named. Prints a line for each thing that could be.
PROBE = r"""
import os, signal, socket, sys
home, backup, pid = sys.argv[1], sys.argv[2], int(sys.argv[3])
def tries(what, function, *arguments):
    try:
        function(*arguments)
    except OSError:
        return
    print(what, *arguments)
for folder in (home, backup):
    tries("listed", os.listdir, folder)
    for name in sys.argv[4:]:
        path = os.path.join(folder, name)
        tries("looked at", os.lstat, path)
        tries("read", lambda path: open(path, "rb").close(), path)
        tries("wrote", lambda path: open(path, "ab").close(), path)
        tries("removed", os.unlink, path)
        tries("made", lambda path: open(path, "xb").close(), path + ".made")
        tries("reached", lambda path: socket.socket(socket.AF_UNIX).connect(path), path)
        tries("put in place", os.rename, path, path + ".moved")
    tries("opened", os.chmod, folder, 0o777)
for number in (0, signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
    tries("signalled", os.kill, pid, number)
for name in ("environ", "mem", "maps", "fd", "cwd"):
    path = "/proc/%d/%s" % (pid, name)
    tries("read", lambda path: os.listdir(path) if path.endswith("fd") else os.readlink(path) if path.endswith("cwd") else open(path, "rb").close(), path)
for number in range(20):
    tries("opened", lambda path: os.close(os.open(path, os.O_RDONLY)), "/proc/%d/fd/%d" % (pid, number))
"""


@contextlib.contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def owner_of_files():
    return worker().pw_uid if AS_ROOT else os.geteuid()


def walk(path):
    yield path
    for place, folders, names in os.walk(path):
        for name in folders + names:
            yield os.path.join(place, name)


class LocalCase(store.StoreCase):
    abstract = True

    def room(self, name="room"):
        """A folder in which the home's user may make things."""
        path = self.store.join(name)
        if not os.path.exists(path):
            os.mkdir(path, 0o755)
            os.chmod(path, 0o755)
            self.store.give(path)
        return path

    def assert_private(self, *paths):
        """Everything below, too, but what has gone since it was listed: a service and a copy of its store remove files meanwhile."""
        for top in paths:
            self.assertTrue(os.path.isdir(top), top)
            for path in walk(top):
                try:
                    info = os.lstat(path)
                except FileNotFoundError:
                    continue
                self.assertEqual((info.st_uid, oct(info.st_mode & 0o7077)), (owner_of_files(), "0o0"), path)

    def work(self):
        self.post("initUser", user="reader")
        self.post("startSession", user="reader", document="d", library="l")


class Modes(LocalCase):
    """Whatever the umask of who starts it."""

    @tap.cases([("000", 0o000), ("027", 0o027), ("077", 0o077)])
    def test_all_that_is_made(self, mask):
        backup, home = os.path.join(self.room(), "backup"), os.path.join(self.room(), "home")
        os.rmdir(self.store.home)  # the program makes it
        self.store.give(self.store.path)
        with umask(mask):
            self.serve(processes=2)
            self.work()
            self.assert_private(self.store.home)
            self.assertLessEqual({"lock", "relay.sock", "metrics", "sessions.db"}, set(os.listdir(self.store.home)))
            self.slow(1000)
            child = self.begin("backup", backup)
            self.wait_copying()
            self.assert_private(self.store.home)
            self.faults.clear("write-slow")
            self.assertEqual(child.wait(60), 0)
            self.assert_private(self.store.home, backup)
            self.done("--home", home, "restore", backup)
            self.done("--home", home, "--yes", "restore", backup)
            self.done("--home", home, "compact")
            self.assert_private(home)
            os.kill(self.store.owner_pid(), signal.SIGKILL)
            harness.wait_until(lambda: self.responder.ask("GET", "/FocusStats/health").status == 200, "another process is the owner")
            self.assert_private(self.store.home)
            self.responder.stop()
            self.done("sweep")
            self.assert_private(self.store.home)

    def test_log_lines_hold_no_data(self):
        """Logs are the web server's, and often everybody's to read."""
        self.serve()
        self.post("initUser", user="the reader's name")
        self.post("startSession", user="the reader's name", document="a document's name", library="a library's name")
        self.responder.stop()
        self.done("verify")
        for word in ("the reader's name", "a document's name", "a library's name"):
            self.assertNotIn(word, self.store.log_text())


class Links(LocalCase):
    """A home with links in it, as a copy of one may have, or one that was open to others once."""

    def setUp(self):
        super().setUp()
        self.outside = self.room("outside")
        for path in (self.store.write("outside/precious", "untouched"), self.store.write("outside/folder/precious", "untouched"),
                     self.store.join("outside", "folder")):
            self.store.give(path)
        self.before = self.tree()

    def tree(self):
        told = {}
        for path in walk(self.outside):
            info = os.lstat(path)
            content = ""
            if os.path.isfile(path):
                with open(path, encoding="utf-8") as file:
                    content = file.read()
            told[path] = (info.st_uid, info.st_mode, content)
        return told

    def plant(self, name, target):
        path = os.path.join(self.store.home, name)
        os.symlink(os.path.join(self.outside, target), path)
        if AS_ROOT:
            os.lchown(path, worker().pw_uid, worker().pw_gid)
        return path

    @tap.cases([("%s, to %s" % (name, what), name, target) for name in ENGINE
                for what, target in (("nothing", "missing"), ("a file", "precious"))])
    def test_file_of_the_store(self, name, target):
        """Refused before the engine writes anything, with a line that names it; and well again once it is gone."""
        path = self.plant(name, target)
        responder = harness.Responder(self.store)
        responder.wait_ready = lambda: None
        self.responder = self.start(responder)
        for _ in range(2):
            reply = responder.post("initUser", {"user": "reader"})
            self.assertEqual((reply.status, reply.json()["error"]), (503, "the store cannot be used: the log says why; the request was not carried out"))
        self.assertIn("%s: is a symbolic link" % name, self.store.log_text())
        self.refused(["init", "reader"], "%s: is a symbolic link" % name)
        reply = harness.cgi(self.store, "GET", "/FocusStats/health")
        self.assertEqual(reply.status, 503)
        self.assertEqual(self.tree(), self.before)
        self.assertTrue(os.path.islink(path))
        os.unlink(path)
        harness.wait_until(lambda: responder.ask("GET", "/FocusStats/health").status == 200, "it works once the link is gone")
        self.work()

    @tap.cases([("%s, to %s" % (name, what), name, target) for index, name in enumerate(OTHERS)
                for number, (what, target) in enumerate((("nothing", "missing"), ("a file", "precious"), ("a folder", "folder")))
                if store.LONG or (index + number) % 3 == 0])
    def test_everything_else(self, name, target):
        """It works all the same, or says what is in the way; nothing outside is written, made, emptied, given away or removed."""
        self.plant(name, target)
        responder = harness.Responder(self.store, processes=2)
        responder.wait_ready = lambda: None
        self.responder = self.start(responder)
        works = responder.post("initUser", {"user": "reader"}).status == 200
        if not works:
            self.assertRegex(self.store.log_text(), {"incomplete": "this is no backup", "restoring": "a restore into this folder"}.get(name, name))
        backup = os.path.join(self.room(), "backup")
        outcomes = [self.tool.run("backup", backup)]
        responder.stop()
        if os.path.isdir(backup):
            outcomes.append(self.tool.run("--yes", "restore", backup))
        for arguments in (["doctor"], ["verify"], ["compact"], ["users"]):
            outcomes.append(self.tool.run(*arguments))
        for done in outcomes:
            self.assertIn(done.returncode, (0, 1), done)
            self.assertTrue(done.returncode == 0 or done.stderr or "problem" in done.stdout, done)
        self.assertEqual(self.tree(), self.before)

    @tap.cases([("nothing", "missing"), ("a file", "precious"), ("a folder", "folder")])
    def test_place_of_a_backup(self, target):
        """A link that was made where a backup is to be."""
        self.serve()
        self.work()
        path = os.path.join(self.room(), "backup")
        os.symlink(os.path.join(self.outside, target), path)
        self.refused(["backup", path], path)
        self.assertEqual(self.tree(), self.before)
        self.assert_nothing_staged()

    def test_the_engine_s_settings(self):
        """They are only read, so that they may be kept with others of the machine."""
        self.store.give(self.store.write("outside/settings", "set_lg_max 150000\nset_lg_bsize 32000\n"))
        self.plant("DB_CONFIG", "settings")
        self.serve()
        self.work()


class Other(LocalCase):
    """Somebody else who has signed in to the machine. As an ordinary user a test cannot be another one: then the rights of what there is have to say it."""

    def as_other(self, command, **more):
        return subprocess.run(command, user=OTHER, group=OTHER, extra_groups=[], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, cwd="/", timeout=60, **more)

    def test_another_user(self):
        self.serve(processes=2)
        self.work()
        backup = os.path.join(self.room(), "backup")
        self.done("backup", backup)
        self.assert_private(self.store.home, backup)
        names = sorted(set(os.listdir(self.store.home)) | set(os.listdir(backup)) | {"copy.new", "restore.new"})
        before = self.post("_exportUser", user="reader")
        if AS_ROOT:
            python = next(path for path in ("/usr/bin/python3", shutil.which("python3")) if path and os.path.exists(path))
            probe = self.store.write("probe.py", PROBE)
            for pid in self.responder.pids:
                done = self.as_other([python, probe, self.store.home, backup, str(pid), *names])
                self.assertEqual((done.returncode, done.stdout.decode(), done.stderr.decode()), (0, "", ""))
            environment = child_environment(self.store, {"FOCUSSTATS_HOME": self.store.home})
            for arguments in (["users"], ["stats"], ["--yes", "remove", "reader"], ["backup", "/tmp/not-made-by-%d" % OTHER],
                              ["--yes", "restore", backup], ["compact"]):
                done = self.as_other([self.tool.program, *arguments], env=environment)
                self.assertEqual((done.returncode, done.stdout), (1, b""), done)
                self.assertRegex(done.stderr.decode(), r"^focusstats: \S.*(belongs to user|Permission denied|cannot|no such)")
            request = {"REQUEST_METHOD": "GET", "PATH_INFO": "/FocusStats/health", "GATEWAY_INTERFACE": "CGI/1.1"}
            done = self.as_other([self.store.program], env={**environment, **request})
            self.assertIn(b"Status: 503", done.stdout)
            self.assertIn("FOCUSSTATS_HOME: %s: " % self.store.home, done.stderr.decode())
        self.assertEqual(self.post("_exportUser", user="reader"), before)
        self.assertEqual(len(self.responder.pids), 2)


if __name__ == "__main__":
    tap.main(globals())
