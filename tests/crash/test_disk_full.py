#!/usr/bin/env python3
"""A disk that is full: writes are answered 503 with a text that says so, reads go on, nothing that was acknowledged is lost, and once there is room
writes flow again without anybody's help.

The disk is a small tmpfs on the home folder, or ext4 in a file where that can be mounted, in a mount namespace of this script's own."""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from common import EXIT_FATAL, LONG, CrashCase, Faults, harness, note, one_more, spread

import fcgi  # noqa: E402
import tap  # noqa: E402
from ledger import DONE, UNAVAILABLE, FcgiClient, Ledger, Writers  # noqa: E402
from tool import Tool  # noqa: E402
from watch import owners  # noqa: E402

NAMESPACE = "TESTS_IN_MOUNT_NAMESPACE"
NO_SPACE = "no space left on the disk"
# Room for what is written in all rounds; the rest is taken away and given back.
DISK_BYTES = (160 if LONG else 40) << 20
# The store itself tries again twice a second; then the first write must go through.
BACK_SECONDS = 15.0
LINES_A_SECOND = 20
FULL_SECONDS = 60 if LONG else 3
PROMPT_SECONDS = 3.0
# To fill a real disk beside others that write may take a while.
REFUSED_SECONDS = 60.0


def enter_namespace():
    """Starts this script again where it may mount. Where that cannot be, it goes on, and what needs it is skipped."""
    if NAMESPACE in os.environ:
        return
    command = ["unshare", "-m"] if harness.AS_ROOT else ["unshare", "--user", "--map-current-user", "--keep-caps", "-m"]
    with tempfile.TemporaryDirectory() as place:
        try:
            able = subprocess.run(command + ["mount", "-t", "tmpfs", "-o", "size=64k", "tests", place], stderr=subprocess.PIPE, check=False).returncode == 0
        except OSError:
            able = False
    os.environ[NAMESPACE] = "yes" if able else "no"
    if able:
        os.execvp(command[0], command + [sys.executable] + sys.argv)


class Disk:
    """The small disk under a folder's home, and the file that fills it."""

    def __init__(self, folder, real=False):
        self.folder = folder
        self.ballast = os.path.join(folder.home, "ballast")
        self.kind = "ext4" if real and self.mount_image() else "tmpfs"
        if self.kind == "tmpfs":
            self.mount_memory()

    def mount_image(self):
        """Where the kernel lets nobody but root do that, or nothing can be a loop device, there is none."""
        image, make = self.folder.join("disk"), shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not make or not harness.AS_ROOT:
            return False
        with open(image, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run([make, "-q", "-F", "-m", "0", image], check=True)
        if subprocess.run(["mount", "-o", "loop", image, self.folder.home], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            return False
        os.rmdir(os.path.join(self.folder.home, "lost+found"))
        os.chmod(self.folder.home, 0o700)
        self.folder.give(self.folder.home)
        return True

    def mount_memory(self):
        who = harness.worker()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=0700,uid=%d,gid=%d" % (DISK_BYTES, who.pw_uid, who.pw_gid), "tests", self.folder.home],
                       check=True)

    def fill(self, leave_bytes=0):
        """Takes all that is free but this much, piece by piece, as the others may take some meanwhile."""
        with open(self.ballast, "ab", buffering=0) as file:
            for piece in (1 << 20, 64 << 10, 4 << 10):
                while self.free() - leave_bytes >= piece:
                    try:
                        file.write(b"\0" * piece)
                    except OSError:
                        break

    def free(self):
        info = os.statvfs(self.folder.home)
        return info.f_bavail * info.f_frsize

    def make_room(self):
        if os.stat(self.ballast).st_size < DISK_BYTES // 4:
            raise AssertionError("the store itself has filled the disk")
        os.unlink(self.ballast)

    def unmount(self):
        subprocess.run(["umount", "-l", self.folder.home], check=True)


class Full(CrashCase):
    """What both kinds of full disks have in common."""

    abstract = True

    def check_back(self, ledger):
        """Writes flow again. Returns how long that took."""
        took = ledger.wait_flow(BACK_SECONDS)
        return took

    def read_all(self, responder, ledger, *users):
        """Reads are answered; what they tell is not looked at here."""
        for user in users or list(ledger.users):
            for action in ("_getSessions", "_viewStats"):
                self.assertEqual(responder.post(action, {"user": user}).status, 200)
        self.assertEqual(responder.ask("GET", "/FocusStats/health").status, 200)

    def follow(self, responder):
        """From now on its only process is followed by another one where it ends because a commit's own record found no room for the log file that it
        begins."""
        def watch():
            while responder.children[-1].wait() == EXIT_FATAL:
                one_more(responder)
        threading.Thread(target=watch, daemon=True).start()

    @staticmethod
    def expect_panics(folder):
        """What the engine calls a panic when it has no space in recovery is no crash of the program."""
        folder.reported.update(re.findall(r"(?m)^.*engine: BDB006[01] PANIC: (?:No space left on device|fatal region error detected; run recovery)$",
                                          folder.log_text()))

    def check_texts(self, ledger):
        """All that was refused was refused for want of space."""
        others = {text: count for text, count in ledger.texts.items() if text.startswith("503") and NO_SPACE not in text}
        self.assertEqual(others, {})


class Small(Full):
    """A small disk."""

    def disk(self, folder, real=False):
        if os.environ.get(NAMESPACE) != "yes":
            self.skipTest("nothing can be mounted here: that needs root, or user namespaces")
        made = Disk(folder, real)
        self.addCleanup(made.unmount)
        return made

    @tap.limit(1200 if LONG else 120)
    def test_fills_under_load(self):
        """Again and again, at whatever the store is just writing."""
        folder = self.watched()
        disk = self.disk(folder)
        responder = self.start(harness.Responder(folder))
        self.follow(responder)
        ledger = Ledger()
        writers = Writers(ledger, 8, lambda: FcgiClient(responder)).start()
        pauses = []
        begun = time.monotonic()
        try:
            for index in range(40 if LONG else 4):
                ledger.wait_flow()
                disk.fill(leave_bytes=(0, 64 << 10, 300 << 10, 1 << 20)[index % 4])
                ledger.wait_count(UNAVAILABLE, 40 + random.randrange(200))
                self.read_all(responder, ledger)
                disk.make_room()
                pauses.append(self.check_back(ledger))
        finally:
            writers.stop()
        took = time.monotonic() - begun
        self.assertEqual(len(responder.pids), 1)
        responder.stop()
        self.expect_panics(folder)
        found = self.read(folder).check(ledger)
        lines = len(re.findall(r"focusstats\[\d+\]: ", folder.log_text()))
        note("%d times full: %s; %d done of those without an answer; back after: %s; %d log lines in %.0f s", len(pauses), ledger.summary(), found,
             spread(pauses), lines, took)
        self.check_texts(ledger)
        self.assertLess(lines, 60 + LINES_A_SECOND * took)

    @tap.limit(300 if LONG else 120)
    def test_full_for_a_minute(self):
        """It stays full while clients write and read: whatever room there comes to be is taken away."""
        folder = self.watched()
        disk = self.disk(folder, real=True)
        responder = self.start(harness.Responder(folder))
        self.follow(responder)
        ledger = Ledger()
        writers = Writers(ledger, 8, lambda: FcgiClient(responder)).start()
        stopping, slowest, failures = threading.Event(), [0.0], []

        def read():
            try:
                while not stopping.is_set():
                    begun = time.monotonic()
                    self.read_all(responder, ledger, "user-0")
                    slowest[0] = max(slowest[0], time.monotonic() - begun)
            except BaseException as error:  # raised below
                failures.append(error)
        reader = threading.Thread(target=read, daemon=True)
        try:
            ledger.wait_flow()
            ledger.wait_count(DONE, 200)
            reader.start()
            begun, done, refused = time.monotonic(), ledger.counts[DONE], ledger.counts[UNAVAILABLE]
            while time.monotonic() < begun + FULL_SECONDS or ledger.counts[UNAVAILABLE] < refused + 20:
                disk.fill()
                self.assertLess(time.monotonic(), begun + FULL_SECONDS + REFUSED_SECONDS, "writes are refused")
                self.assertEqual(failures, [])
                time.sleep(0.05)
            done, refused = ledger.counts[DONE] - done, ledger.counts[UNAVAILABLE] - refused
            disk.make_room()
            back = self.check_back(ledger)
        finally:
            stopping.set()
            writers.stop()
        reader.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(responder.pids), 1)
        responder.stop()
        self.expect_panics(folder)
        self.assertLess(slowest[0], PROMPT_SECONDS)
        self.check_texts(ledger)
        whole = Tool(folder).run("verify")
        self.assertEqual(whole.returncode, 0, whole)
        found = self.read(folder).check(ledger)
        note("%s full for %.0f s: %d writes refused, %d found room; slowest reads of a user %.0f ms; back after %.0f ms; %s; %d done of those without an answer",
             disk.kind, FULL_SECONDS, refused, done, 1000 * slowest[0], 1000 * back, ledger.summary(), found)

    @tap.limit(1200 if LONG else 120)
    def test_started_on_the_full_disk(self):
        """The process is killed while the disk is full. The next one cannot recover the store yet: it lives, answers 503, and goes on when it can."""
        folder = self.watched()
        disk = self.disk(folder)
        responder = self.start(harness.Responder(folder))
        ledger = Ledger()
        writers = Writers(ledger, 8, lambda: FcgiClient(responder)).start()
        pauses = []
        try:
            for index in range(30 if LONG else 3):
                ledger.wait_flow()
                ledger.wait_count(DONE, random.randrange(300))
                disk.fill(leave_bytes=(0, 40 << 10, 500 << 10)[index % 3])
                ledger.wait_count(UNAVAILABLE, 20)
                for _ in range(2):
                    folder.watch.kill(responder.pids[0])
                    responder.children[-1].wait()
                    one_more(responder)
                    ledger.wait_count(UNAVAILABLE, 20)
                disk.make_room()
                pauses.append(self.check_back(ledger))
                self.read_all(responder, ledger)
        finally:
            writers.stop()
        self.assertEqual(len(responder.pids), 1)
        responder.stop()
        self.expect_panics(folder)
        found = self.read(folder).check(ledger)
        note("%d starts on a full disk: %s; %d done of those without an answer; back after: %s", 2 * len(pauses), ledger.summary(), found, spread(pauses))
        self.check_texts(ledger)

    def test_full_from_the_beginning(self):
        """A home in which nothing could be made yet."""
        folder = self.watched()
        disk = self.disk(folder)
        disk.fill()
        responder = harness.Responder(folder, processes=2)
        responder.wait_ready = lambda: None
        self.start(responder)
        for _ in range(3):
            reply = responder.post("initUser", {"user": "u"})
            self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
            self.assertIn(NO_SPACE, reply.json()["error"])
        disk.make_room()
        harness.wait_until(lambda: responder.post("initUser", {"user": "u"}).status == 200, "it works once there is room", BACK_SECONDS)
        self.assertEqual(len(owners(folder)), 1)
        responder.stop()
        self.assertEqual(list(self.read(folder).users), ["u"])

    def test_plain_cgi(self):
        """Each process opens the store anew on the full disk."""
        folder = self.watched()
        disk = self.disk(folder)

        def post(action, fields):
            return harness.cgi(folder, "POST", "/FocusStats/" + action, harness.encode(fields))

        self.assertEqual(post("initUser", {"user": "u"}).status, 200)
        acknowledged = {post("startSession", {"user": "u", "document": "d", "library": "l"}).json()["focusSession"]}
        writes = 0
        for _ in range(3):
            disk.fill()
            # There may be room in the log file, which recovery has filled up with zeros.
            reply = post("startSession", {"user": "u", "document": "d", "library": "l" * 250})
            while reply.status == 200:
                writes += 1
                acknowledged.add(reply.json()["focusSession"])
                reply = post("startSession", {"user": "u", "document": "d", "library": "l" * 250})
            self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
            self.assertIn(NO_SPACE, reply.json()["error"])
            disk.make_room()
            reply = post("startSession", {"user": "u", "document": "d", "library": "l"})
            self.assertEqual(reply.status, 200, reply)
            acknowledged.add(reply.json()["focusSession"])
        self.expect_panics(folder)
        note("%d writes of plain CGI found room on the full disk", writes)
        self.assertEqual(set(self.read(folder).sessions), acknowledged)


class Parts(Full):
    """No space for the log alone, or for the pages alone, by the system calls."""

    @tap.limit(600 if LONG else 120)
    @tap.cases([("the log", "log."), ("the databases", "s"), ("the primary", "sessions.db"), ("the secondary", "sessions_by_user.db"), ("everything", "")])
    def test_none_for(self, beginning):
        folder = self.watched()
        faults = Faults(folder)
        responder = self.start(harness.Responder(folder, faults.settings()))
        self.addCleanup(faults.clear, "no-space")
        self.follow(responder)
        ledger = Ledger()
        writers = Writers(ledger, 8, lambda: FcgiClient(responder)).start()
        pauses = []
        begun = time.monotonic()
        try:
            for _ in range(10 if LONG else 2):
                ledger.wait_flow()
                before = ledger.acknowledged + ledger.counts[UNAVAILABLE]
                faults.set("no-space", beginning)
                # Pages that cannot be written stay in the cache, and there is much room in it.
                harness.wait_until(lambda: ledger.acknowledged + ledger.counts[UNAVAILABLE] > before + 600, "some hundred writes", 50)
                self.read_all(responder, ledger)
                faults.clear("no-space")
                pauses.append(self.check_back(ledger))
        finally:
            faults.clear("no-space")
            writers.stop()
        took = time.monotonic() - begun
        self.assertEqual(len(responder.pids), 1)
        responder.stop()
        self.expect_panics(folder)
        self.read(folder).check(ledger)
        lines = len(re.findall(r"focusstats\[\d+\]: ", folder.log_text()))
        note("%s; back after: %s; %d log lines in %.0f s", ledger.summary(), spread(pauses), lines, took)
        self.check_texts(ledger)
        self.assertLess(lines, 60 + LINES_A_SECOND * took)

    def test_removal_goes_on(self):
        """What a removed user had and could not be deleted for want of space is deleted by itself once there is some."""
        folder = self.watched()
        faults = Faults(folder)
        responder = self.start(harness.Responder(folder, faults.settings()))
        self.addCleanup(faults.clear, "no-space")
        self.assertEqual(responder.post("initUser", {"user": "u"}).status, 200)
        for hour in range(4):
            sessions = [{"document": "d", "library": "l", "startTime": "2025-01-01T%02d:%02d:%02dZ" % (hour, number // 60, number % 60),
                         "endTime": "2025-01-01T%02d:%02d:%02dZ" % (hour, number // 60, number % 60)} for number in range(1000)]
            self.assertEqual(responder.post("addSessions", {"user": "u", "sessions": sessions}).status, 200)
        # Deleting is done in steps, each with a commit.
        faults.set("write-slow", "200 log.")
        self.assertEqual(responder.post("removeUser", {"user": "u", "confirm": "u"}).json(), {"removedSessions": 4000})
        faults.set("no-space", "log.")
        harness.wait_until(lambda: "deleting what a removed user had: " in folder.log_text(), "it cannot go on")
        faults.clear("write-slow")
        before = self.commits(responder)
        faults.clear("no-space")
        harness.wait_until(lambda: self.commits(responder) > before, "it goes on", BACK_SECONDS)
        responder.stop()
        self.assertEqual(len(self.read(folder).sessions) % 200, 0)

    @staticmethod
    def commits(responder):
        return int(re.search(rb"(?m)^focusstats_commit_writes_count (\d+)$", responder.ask("GET", "/FocusStats/metrics").body).group(1))

    @tap.cases([("no space", "no-space", "host"), ("a sync that fails", "sync-fail", "")])
    def test_the_host_s_name(self, fault, content):
        """On a network file system the owner writes its host's name: half a one does not keep it out for good."""
        folder = self.watched()
        faults = Faults(folder)
        faults.set("network")
        faults.set(fault, content)
        reply = harness.cgi(folder, "GET", "/FocusStats/health", settings=faults.settings())
        self.assertEqual(reply.status, 503)
        self.assertIn("writing %s/host: " % folder.home, reply.stderr)
        faults.clear(fault)
        reply = harness.cgi(folder, "GET", "/FocusStats/health", settings=faults.settings())
        self.assertEqual(reply.status, 200, reply.stderr)

    @tap.limit(600 if LONG else 120)
    def test_none_for_a_new_log_file(self):
        """What cannot be written into a log file that is just begun is not acknowledged: the engine takes such a commit for done."""
        folder = self.watched()
        faults = Faults(folder)
        responder = self.start(harness.Responder(folder, faults.settings()))
        self.addCleanup(faults.clear, "no-space")
        self.assertEqual(responder.post("initUser", {"user": "u"}).status, 200)
        acknowledged, wrong = set(), []

        def write(size):
            """Whether a write is acknowledged; the process may have ended itself, which is an answer, too."""
            try:
                reply = responder.post("startSession", {"user": "u", "document": "d", "library": "l" * size})
            except (fcgi.ConnectionClosed, OSError):
                return False
            if reply.status == 200:
                acknowledged.add(reply.json()["focusSession"])
            elif reply.status != 503 or NO_SPACE not in reply.json()["error"]:
                wrong.append(reply)
            return reply.status == 200

        for turn in range(20 if LONG else 4):
            last = max(name for name in os.listdir(folder.home) if name.startswith("log."))
            faults.set("no-space", "log.%010d" % (int(last[4:]) + 1))
            while write(255 - 7 * turn):
                pass
            self.assertNotIn(True, [write(20) for _ in range(10) if responder.pids])
            for pid in responder.pids:
                folder.watch.kill(pid)
            responder.children[-1].wait()
            faults.clear("no-space")
            responder.start_one()
            responder.wait_ready()
            found = {session["focusSession"]["_id"] for session in responder.post("_getSessions", {"user": "u"}).json()}
            self.assertEqual(acknowledged - found, set())
        self.assertEqual(wrong, [])
        responder.stop()
        self.assertLessEqual(acknowledged, set(self.read(folder).sessions))


if __name__ == "__main__":
    enter_namespace()
    tap.main(globals())
