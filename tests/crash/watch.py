"""Looks at a test's processes and its home folder while the test runs: never more than one process has the store open, and the engine never writes
page versions to files (__db.freezer.*), which it does when a snapshot is held for too long.

    watch = Watch(folder); watch.start()
    watch.kill(pid)          SIGKILL, remembered; watch.end(pid, signal) for any other signal that ends a process
    watch.stop()             stops looking; AssertionError with what was seen
"""

import os
import re
import signal
import threading
import time
from datetime import datetime, timezone

INTERVAL_SECONDS = 0.02
STORE_FILE = re.compile(r"/([^/]+\.db|log\.\d{10})( \(deleted\))?$")
OWNER_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) focusstats\[(\d+)\]: "
                        r"(?:owner of .* since recovery \((\d+) ms\)|(no longer the owner of) "
                        r"|.*(this process ends, the next one recovers|stopped while requests were still being served))")
# The clocks in the lines are whole milliseconds.
TOLERANCE_SECONDS = 0.003


def programs(folder):
    """Pids of the living processes that run this folder's program."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.readlink("/proc/%s/exe" % entry).startswith(folder.program):
                    found.append(int(entry))
            except OSError:
                pass
    return sorted(found)


def open_files(pid):
    """What the descriptors of a process lead to (proc(5)), without those that are closed meanwhile."""
    for entry in os.listdir("/proc/%d/fd" % pid):
        try:
            yield os.readlink("/proc/%d/fd/%s" % (pid, entry))
        except OSError:
            pass


def has_store_open(pid, home):
    try:
        return any(path.startswith(home + "/") and STORE_FILE.search(path) for path in open_files(pid))
    except OSError:
        return False


def owners(folder):
    """Those that have files of the store open."""
    home = os.path.realpath(folder.home)
    return [pid for pid in programs(folder) if has_store_open(pid, home)]


def seconds_of(instant):
    return datetime.strptime(instant, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


class Ownership:
    """That a process owned the store from one moment to another, by what the log says and the test knows."""

    def __init__(self, pid, begun):
        self.pid = pid
        self.begun = begun
        self.ended = None


class Watch:
    """A thread that looks again and again."""

    def __init__(self, folder):
        self.folder = folder
        self.kills = {}  # process -> between when and when
        self.seen = []
        self.freezers = set()
        self.looks = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def run(self):
        while not self.stopping.wait(INTERVAL_SECONDS):
            self.look()

    def look(self):
        found = owners(self.folder)
        # The first look was at one process after the other, and one may have died in between. A dead one has no files open.
        if len(found) > 1:
            still = [pid for pid in found if has_store_open(pid, os.path.realpath(self.folder.home))]
            if len(still) > 1:
                self.seen.append("processes %s had the store open at once" % ", ".join(map(str, still)))
        try:
            self.freezers.update(name for name in os.listdir(self.folder.home) if name.startswith("__db.freezer."))
        except OSError:
            pass
        self.looks += 1

    def end(self, pid, number):
        """Sends a signal that ends the process. False where it is gone already."""
        before = time.time()
        try:
            os.kill(pid, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            self.kills.setdefault(pid, []).append((before, time.time()))

    def kill(self, pid):
        return self.end(pid, signal.SIGKILL)

    def killed_after(self, one):
        """When that process was killed; None where it was not."""
        return next((max(before, one.begun) for before, after in self.kills.get(one.pid, []) if after >= one.begun), None)

    def ownerships(self):
        """What the log tells, in order."""
        told = []
        for instant, pid, recovery_ms, no_longer, failed in OWNER_LINE.findall(self.folder.log_text()):
            at, pid = seconds_of(instant), int(pid)
            mine = [one for one in told if one.pid == pid and one.ended is None]
            if no_longer or failed:
                for one in mine:
                    one.ended = at
                continue
            for one in mine:  # the system gives numbers of processes again after some ten thousand
                one.ended = self.killed_after(one)
                if one.ended is None or one.ended > at:
                    self.seen.append("process %d says twice that it is the owner" % pid)
            told.append(Ownership(pid, at - int(recovery_ms) / 1000))
        for one in told:
            if one.ended is None:
                one.ended = self.killed_after(one)
        return sorted(told, key=lambda one: one.begun)

    def stop(self):
        if not self.stopping.is_set():
            self.stopping.set()
            self.thread.join()
            told = self.ownerships()
            for before, after in zip(told, told[1:]):
                if before.ended is None or after.begun + TOLERANCE_SECONDS < before.ended:
                    self.seen.append("process %d says that it became the owner at %.3f, while %d was it until %s"
                                     % (after.pid, after.begun, before.pid, "the end" if before.ended is None else "%.3f" % before.ended))
            if self.freezers:
                self.seen.append("the engine made %s" % ", ".join(sorted(self.freezers)[:5]))
        if self.seen:
            raise AssertionError("\n".join(self.seen[:20]))
