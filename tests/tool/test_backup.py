#!/usr/bin/env python3
"""focusstats backup: a copy that restores to all that was acknowledged before it began, whatever goes on meanwhile; and no copy that is not one."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types

from store import LONG, STAGED, StoreCase

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "doc"))

import harness
import markdown
import offline
import tap
from folder import AS_ROOT, SOURCE, patience, worker
from common import note
from ledger import DONE, FcgiClient, Ledger, Writers

NUMBER = 50 if LONG else 3
# Small log files, so that many of them come and go; and each write of a copy takes its time, so that checkpoints come in between.
SMALL_LOG = "set_lg_bsize 32768\nset_lg_max 131072\n"
SLOW_MS = 25
CLIENTS = 24
A_STORE_S = 10  # backups
PATIENCE_SECONDS = 100


class BackupCase(StoreCase):
    def setUp(self):
        super().setUp()
        self.places = 0

    def place(self):
        """A path where there is nothing, and where the home's user may make a folder."""
        self.places += 1
        return os.path.join(self.room(), "backup-%d" % self.places)

    def room(self):
        path = self.store.join("backups")
        if not os.path.exists(path):
            os.mkdir(path)
            self.store.give(path)
        return path

    def assert_no_backup(self, path):
        """Neither there nor in the home."""
        self.assertFalse(os.path.exists(path) and os.listdir(path), path)
        self.assert_nothing_staged()

    def make_large(self):
        """Some 7 MB, of which a copy is many writes."""
        self.serve()
        self.post("initUser", user="large")
        self.add("large", 3000, long=True)
        self.responder.stop()


class Backup(BackupCase):
    @tap.cases([("without a service", 0), ("with one process", 1), ("with three", 3)])
    def test_is_the_store(self, processes):
        self.fill(users=3, sessions=5)
        before = self.everything()
        if processes:
            self.serve(processes=processes)
        path = self.place()
        self.assertRegex(self.done("backup", path), r"^backed up 3 users and 21 sessions, \d+ bytes, and verified them\n$")
        self.assert_nothing_staged()
        if processes:
            self.responder.stop()
        self.assertEqual(self.everything(home=path), before)
        for name in os.listdir(path):
            info = os.stat(os.path.join(path, name))
            self.assertEqual((info.st_uid, info.st_mode & 0o077), (worker().pw_uid if AS_ROOT else os.geteuid(), 0), name)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o700)

    def test_json_and_quiet(self):
        self.fill()
        told, = self.tool.lines("backup", self.place())
        self.assertEqual((told["users"], told["sessions"]), (2, 10))
        self.assertEqual(self.done("-q", "backup", self.place()), "")

    def test_is_a_home(self):
        """And is verified where it lies."""
        self.fill()
        path = self.place()
        self.done("backup", path)
        self.assertIn("is whole", self.done("--home", path, "verify"))
        self.assertEqual(len(self.tool.lines("--home", path, "users")), 2)

    def test_into_an_empty_folder(self):
        self.fill()
        path = self.place()
        os.mkdir(path, 0o700)
        self.store.give(path)
        self.done("backup", path)
        self.assertIn("is whole", self.done("--home", path, "verify"))

    def test_to_another_file_system(self):
        if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(self.store.home).st_dev:
            self.skipTest("there is no second file system in /dev/shm")
        self.fill()
        with tempfile.TemporaryDirectory(dir="/dev/shm") as room:
            os.chmod(room, 0o755)
            self.store.give(room)
            path = os.path.join(room, "backup")
            self.done("backup", path)
            self.assert_nothing_staged()
            self.assertIn("is whole", self.done("--home", path, "verify"))
            self.faults.set("no-space")
            second = os.path.join(room, "second")
            self.refused(["--home", self.store.home, "backup", second], "no backup was made", "No space left on device",
                         settings=self.faults.settings({"FOCUSSTATS_HOME": second}))
            self.assert_no_backup(second)

    def test_into_a_folder_of_root_s(self):
        """As root the folder is made where the home's user may not."""
        if not AS_ROOT:
            self.skipTest("that needs root")
        self.fill()
        room = self.store.join("root")
        os.mkdir(room, 0o700)
        path = os.path.join(room, "backup")
        self.done("backup", path)
        self.assertEqual(os.stat(path).st_uid, worker().pw_uid)
        self.assert_nothing_staged()
        os.chmod(room, 0o755)
        self.assertIn("is whole", self.done("--home", path, "verify"))

    def test_places_that_will_not_do(self):
        self.fill(users=1, sessions=0)
        full = self.store.join("full")
        os.mkdir(full)
        self.store.write("full/file", "x")
        self.refused(["backup", full], full, "is not empty")
        self.assertEqual(os.listdir(full), ["file"])
        self.store.write("full/incomplete", "")
        self.refused(["backup", full], full, "holds a backup that was not completed: remove it first")
        self.refused(["backup", self.store.join("full", "file")], "Not a directory")
        self.refused(["backup", self.store.join("nowhere", "backup")], "its parent folder is missing")
        inside = os.path.join(self.store.home, "backup")
        self.refused(["backup", inside], inside, "is in the home folder")
        self.refused(["backup", self.store.home], "is in the home folder")
        self.assertFalse(os.path.exists(inside))
        self.refused(["backup"], "DIR is missing", status=2)
        self.assert_nothing_staged()

    def test_settings_of_the_engine(self):
        """DB_CONFIG goes along, without what leads out of the folder: the copy must not be recovered with the store's own log."""
        logs = self.store.join("logs")
        os.mkdir(logs)
        self.store.give(logs)
        self.store.give(self.store.write("home/DB_CONFIG", "set_lg_dir %s\nset_lg_bsize 65536\n" % logs))
        self.fill()
        before = sorted(os.listdir(logs)), self.everything()
        path = self.place()
        self.done("backup", path)
        with open(os.path.join(path, "DB_CONFIG"), encoding="ascii") as file:
            self.assertEqual(file.read(), "set_lg_bsize 65536\n")
        os.rename(logs, logs + "-away")
        self.assertEqual(self.everything(home=path), before[1])

    def test_damaged_store(self):
        """No backup is made of it. A recovery ends with a checkpoint, so the next one reads no pages."""
        self.make_large()
        self.done("users")
        self.store.leaks = False
        size = os.path.getsize(os.path.join(self.store.home, "sessions.db"))
        with open(os.path.join(self.store.home, "sessions.db"), "r+b") as file:
            file.seek(size // 2)
            byte = file.read(1)
            file.seek(size // 2)
            file.write(bytes([byte[0] ^ 1]))
        path = self.place()
        done = self.refused(["backup", path], "no backup was made", "is wrong")
        self.assertRegex(done.stdout, r"(?m)^sessions.db: .*[Pp]age \d+\b")
        self.assert_no_backup(path)


class Interrupted(BackupCase):
    def test_full_disk(self):
        """Of the home, where the copy is made."""
        self.make_large()
        self.serve()
        self.faults.set("no-space", STAGED)
        path = self.place()
        self.refused(["backup", path], "no space left on the disk")
        self.refused(["verify"], "no space left on the disk")
        self.assert_no_backup(path)
        self.post("initUser", user="ann")
        self.faults.clear("no-space")
        self.done("backup", path)

    def test_killed_owner(self):
        self.make_large()
        self.serve()
        self.slow(1000)
        path = self.place()
        child = self.begin("backup", path)
        self.wait_copying()
        os.kill(self.responder.pids[0], signal.SIGKILL)
        child.wait(30)
        out, err = self.finish(child)
        self.assertEqual((child.returncode, out), (1, ""), err)
        self.assertIn("the process that owned the store ended before the copy was complete: try again", err)
        self.assert_no_backup(path)
        self.faults.clear("write-slow")
        self.done("backup", path)

    def test_service_that_is_stopped(self):
        """It does not wait for the copy."""
        self.make_large()
        self.serve()
        self.slow(1000)
        path = self.place()
        child = self.begin("backup", path)
        self.wait_copying()
        begun = time.monotonic()
        self.responder.stop()
        self.assertLess(time.monotonic() - begun, patience(10))
        child.wait(30)
        self.assertEqual(child.returncode, 1)
        self.assertIn("ended before the copy was complete", self.finish(child)[1])
        self.assert_no_backup(path)

    def test_killed_tool(self):
        """The next one begins anew at once, although the owner still makes the copy for the one before."""
        self.make_large()
        self.serve()
        self.slow(1000)
        child = self.begin("backup", self.place())
        self.wait_copying()
        child.kill()
        child.wait()
        self.faults.clear("write-slow")
        path = self.place()
        self.done("backup", path)
        self.assertIn("is whole", self.done("--home", path, "verify"))
        self.assert_nothing_staged()

    def kill_before_it_is_verified(self):
        """The path of a backup of which that is so; one that was faster is followed by another."""
        while True:
            path = self.place()
            mark = os.path.join(path, "incomplete")
            child = self.begin("backup", path)
            harness.wait_until(lambda mark=mark, child=child: os.path.exists(mark) or child.poll() is not None, "the copy is in its place")
            child.kill()
            child.wait()
            if os.path.exists(mark):
                return path

    def test_killed_tool_while_it_verifies(self):
        """What it leaves says that it is no backup."""
        self.make_large()
        path = self.kill_before_it_is_verified()
        self.refused(["backup", path], "holds a backup that was not completed")
        self.refused(["restore", path], "is no backup: it was not completed")
        self.refused(["--home", path, "verify"], "this is no backup: it was not completed")
        self.refused(["--home", path, "users"], "this is no backup: it was not completed")

    def test_two_at_once(self):
        self.make_large()
        self.serve()
        self.slow(1000)
        first = self.place()
        child = self.begin("backup", first)
        self.wait_copying()
        second = self.place()
        self.refused(["backup", second], "another backup or verify is at it")
        self.refused(["verify"], "another backup or verify is at it")
        self.assertFalse(os.path.exists(second))
        self.faults.clear("write-slow")
        child.wait(60)
        self.assertEqual(child.returncode, 0, self.finish(child))

    def test_nothing_is_held_up(self):
        """Not even where the service has one thread."""
        self.make_large()
        self.serve(settings={"FOCUSSTATS_THREADS": "1"})
        self.post("initUser", user="ann")
        self.slow(1000)
        child = self.begin("backup", self.place())
        self.wait_copying()
        for _ in range(5):
            begun = time.monotonic()
            self.post("startSession", user="ann", document="d", library="l")
            self.assertEqual(len(self.post("_getTitles", user="ann")), 0)
            self.assertLess(time.monotonic() - begun, patience(3))
        self.assertIsNone(child.poll())
        self.faults.clear("write-slow")
        child.wait(60)
        self.assertEqual(child.returncode, 0, self.finish(child))


class Documented(BackupCase):
    """The commands of the documentation, and of systemd's unit."""

    def shell(self, line):
        environment = {**self.tool.environment(), "PATH": "%s:%s" % (self.store.bin, os.environ["PATH"])}
        done = subprocess.run(["sh", "-c", line], env={**environment, "FOCUSSTATS_HOME": self.store.home}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=self.store.path, check=False)
        self.assertEqual(done.returncode, 0, (line, done.stdout))
        return done.stdout.decode()

    def test_drills(self):
        self.fill()
        commands = [line for section in markdown.sections(markdown.read("doc/operation.md")) if section.title in ("Backup", "Restore", "Compacting")
                    for block in markdown.blocks(section.lines) if block.language == "sh" for line in block.text.split("\n")]
        said = [self.shell(line.replace("/var/backups/focusstats", self.room()).replace("/var/tmp/drill", self.store.join("run", "drill")))
                for line in commands]
        self.assertEqual([line.split()[0] for line in commands], ["install"] + 7 * ["focusstats"] + ["rm", "focusstats"])
        self.assertRegex(said[1], "^backed up 2 users and 10 sessions, ")
        self.assertIn("is whole", said[2])
        self.assertRegex(said[4], "^restored 2 users and 10 sessions\n")
        self.assertEqual(said[7], said[3])

    def test_unit(self):
        """What the timer starts: a backup with its time as the name; the last seven stay, and what was not completed goes."""
        self.fill()
        with open(os.path.join(SOURCE, "systemd", "focusstats-backup.service.in"), encoding="utf-8") as file:
            text = file.read().replace("\\\n", "").replace("@bindir@", self.store.bin).replace("@home@", self.store.home).replace("%%", "%").replace("$$", "$")
        make, thin = re.findall(r"(?m)^ExecStart(?:Post)?=(/bin/sh -c '.*')$", text)
        room = self.store.home + "-backup"
        os.mkdir(room)
        self.store.give(room)
        for day in range(10, 20):
            os.mkdir(os.path.join(room, "202501%dT000000Z" % day))
        for name in ("20250119T000000Z/incomplete", "other/file"):
            self.store.write(os.path.join(room, name), "")
        self.shell(make)
        self.shell(thin)
        made, = [name for name in os.listdir(room) if name > "20250119" and name.startswith("2")]
        self.assertEqual(sorted(os.listdir(room)), ["202501%dT000000Z" % day for day in range(13, 19)] + [made, "other"])
        self.assertIn("is whole", self.done("--home", os.path.join(room, made), "verify"))


class Acknowledged:
    """What clients had been told before a backup began."""

    def __init__(self, ledger):
        with ledger.lock:
            self.users = dict(ledger.users)
            self.sessions = [(session, session.end == DONE) for session in ledger.sessions if session.start == DONE and session.remove is None]
            self.removed = {session.id for session in ledger.sessions if session.start == DONE and session.remove == DONE}

    def missing_from(self, store):
        wrong = [user for user, identity in self.users.items() if user not in store.users or store.users[user].id != identity]
        for session, ended in self.sessions:
            record = store.sessions.get(session.id)
            if record is None and session.remove is None:
                wrong.append("%r is lost" % session)
            elif record is not None and ended and not record.ended:
                wrong.append("%r has not ended" % session)
        wrong += ["%s is back" % identity for identity in self.removed if identity in store.sessions]
        return wrong


@tap.limit(1800 if LONG else 120)
class UnderLoad(BackupCase):
    def test_backups_under_full_load_restore(self):
        """With small log files and a checkpoint every half second, each restores to a store that holds all that was acknowledged before it began."""
        if offline.missing():
            self.skipTest(offline.missing())
        acknowledged, logs, took = 0, [], []
        for first in range(0, NUMBER, A_STORE_S):
            acknowledged += self.of_one_store(min(A_STORE_S, NUMBER - first), logs, took)
        note("%d backups beside %d acknowledged writes: %.1f to %.1f s each, with %d to %d new log files meanwhile", NUMBER, acknowledged,
             min(took), max(took), min(logs), max(logs))
        self.assertGreater(max(logs), 1)

    def of_one_store(self, count, logs, took):
        """In a new home, as what there is to check grows with each."""
        shutil.rmtree(self.store.home)
        os.mkdir(self.store.home, 0o700)
        self.store.give(self.store.home)
        self.make_large()
        self.store.give(self.store.write("home/DB_CONFIG", SMALL_LOG))
        self.serve()
        self.slow(SLOW_MS)
        ledger = Ledger()
        for index in range(count):
            writers = Writers(ledger, CLIENTS, lambda: FcgiClient(self.responder), first=index * CLIENTS).start()
            try:
                ledger.wait_count(DONE, 300)
                before = Acknowledged(ledger)
                number, begun, path = self.log_number(), time.monotonic(), self.place()
                child = self.begin("backup", path)
                child.wait(PATIENCE_SECONDS)
                took.append(time.monotonic() - begun)
                logs.append(self.log_number() - number)
                self.assertEqual(child.returncode, 0, self.finish(child))
            finally:
                writers.stop()
            self.check(path, before)
        self.responder.stop()
        return ledger.acknowledged

    def log_number(self):
        return max(int(name[4:]) for name in os.listdir(self.store.home) if name.startswith("log."))

    def check(self, path, before):
        """Restored, and read without the program."""
        home = path + "-home"
        if AS_ROOT:
            os.mkdir(home, 0o700)
            self.store.give(home)
        self.done("--home", home, "restore", path)
        store = offline.read(types.SimpleNamespace(home=home, watch=None))
        self.assertEqual(before.missing_from(store), [])
        self.assertGreater(len(before.sessions), 50)
        subprocess.run(["rm", "-r", path, home], check=True)


if __name__ == "__main__":
    tap.main(globals())
