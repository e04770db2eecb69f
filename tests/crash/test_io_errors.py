#!/usr/bin/env python3
"""The N-th write, sync, open, rename, unlink or change of a file's size in the home fails, for each N of a life of the service.

A life is the script of script.py, in which a client does everything that writes, and an end in order: on an empty home, and on one that a kill has left
after a failed sync. tests/preload/record.c counts the calls and lets one of them fail with EIO, ENOSPC or EINTR, or a write take half of what it is given:
that call alone; those within 200 ms, longer than the engine tries again; or all from it on. Whatever fails, each answer is the right one or 503,
and in time; the service goes on, or ends with a line that says why and comes back by itself; then what is there is what the client was told, and verify
finds it whole. After a failed sync nothing is acknowledged by that process, and what it was to make durable is taken away or left, page by page, before
the next one starts, as when the kernel has dropped what it could not write.

`make check` makes runs spread over all calls and errors; FOCUSSTATS_IO_SEED repeats its choice. FOCUSSTATS_LONG=1 makes all: each kind of call is gone
through until there is no N-th one any more.
"""

import os
import random
import re
import select
import shutil
import signal
import tempfile
import threading
import time

import common
from common import EXIT_FATAL, LONG, harness

import disk
import tap  # noqa: E402
from folder import occupation  # noqa: E402
from io_faults import KINDS, SEED, WHY, Fault, Faults, in_memory, recorder  # noqa: E402
from ledger import DONE, MAYBE, REFUSED, UNAVAILABLE, outcome  # noqa: E402
from script import LAST, LATER, LIFE, Client, Wrong, exported  # noqa: E402
from tool import Tool  # noqa: E402

WORKERS = 4
SHORT_SECONDS = 6.0
BOUND_SECONDS = 10.0
TEXT = re.compile(r"^(no space left on the disk|the store cannot be used now: the log says why|user 'ann' is being removed"
                  r"|the service is shutting down); the request (was not carried out|may have been carried out)$")


class Figures:
    def __init__(self):
        self.lock = threading.Lock()
        self.runs = self.unavailable = self.ended = self.unharmed = self.missed = 0
        self.answers, self.slowest, self.longest_back = 0, 0.0, 0.0
        self.wrong = []


class Place:
    """Where one worker makes its runs, one after the other: a socket, a home, and the processes on them."""

    def __init__(self, case, figures, memory, base):
        self.figures, self.base = figures, base
        self.folder = case.folder()
        self.tool = Tool(self.folder)
        self.home = os.path.join(tempfile.mkdtemp(dir=memory), "home")
        os.chmod(os.path.dirname(self.home), 0o755)
        self.recording = self.folder.join("run", "recording")
        self.responder = harness.Responder(self.folder)
        self.responder.count = 0
        self.responder.wait_ready = lambda: None
        case.start(self.responder)
        self.child, self.log_begin = None, 0

    # A run

    def run(self, fault, steps, states):
        """None, or what is wrong. Whether there was such a call is in self.reached."""
        self.fault, self.client = fault, Client(states)
        self.begin()
        try:
            self.live(steps)
        except Wrong as error:
            return "%s: %s; log: %s" % (fault, error, self.log()[-1500:])
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
            self.responder.children.clear()
            self.folder.reported.update(re.findall(r"(?m)^.*PANIC.*$", self.folder.log_text()))
            for name in os.listdir(self.folder.logs):
                if name.endswith(".log"):
                    os.truncate(self.folder.join("log", name), 0)
        return None

    def begin(self):
        shutil.rmtree(self.home, ignore_errors=True)
        if self.base:
            shutil.copytree(self.base, self.home)
        else:
            os.mkdir(self.home, 0o700)
        self.own()
        self.refused, self.replaced, self.acknowledged_sent = 0, False, 0
        self.start(recorder(self.folder, self.recording, self.fault))

    def own(self):
        self.folder.give(self.home)
        for name in os.listdir(self.home):
            self.folder.give(os.path.join(self.home, name))

    def start(self, settings):
        self.responder.settings = {"FOCUSSTATS_HOME": self.home, **settings}
        path = self.folder.join("log", "responder.log")
        self.log_begin = os.path.getsize(path) if os.path.exists(path) else 0
        self.child = self.responder.start_one()

    def log(self):
        """What the process that is there, or was the last to be, has written."""
        with open(self.folder.join("log", "responder.log"), "rb") as file:
            file.seek(self.log_begin)
            return file.read().decode("utf-8", "replace")

    def live(self, steps):
        for step in steps:
            self.do(step)
        self.end()
        if self.replaced:
            self.start({})
        else:
            self.replace()
        begun = time.monotonic()
        for step in LAST:
            self.do(step)
        self.figures.longest_back = max(self.figures.longest_back, time.monotonic() - begun)
        self.end()
        self.examine()

    def do(self, step):
        """Asks until it is known what became of it; no more than once while that cannot be."""
        deadline = time.monotonic() + BOUND_SECONDS
        while True:
            if self.child.poll() is not None:
                self.replace()
            sent = os.path.getsize(self.recording)
            reply = self.ask(step)
            what = outcome(reply) if step.writes or reply is None or reply.status == 503 else DONE if reply.status == 200 else REFUSED
            if what in (DONE, REFUSED):
                if step.writes and what == DONE:
                    self.acknowledged_sent = sent
                return self.client.take(step, reply.status, reply.json())
            if what == MAYBE:
                self.client.may_be_done(step)
            if reply is None:
                self.wait_end()
            else:
                self.refused += "is being removed" not in reply.json()["error"]
                if not TEXT.match(reply.json()["error"]):
                    raise Wrong("503 to %s with: %r" % (step.action, reply.json()["error"]))
                if not self.replaced and not self.fault.may_retry:
                    return None
                time.sleep(0.02)
            if time.monotonic() > deadline:
                raise Wrong("%s is not done within %g s" % (step.action, BOUND_SECONDS))

    def ask(self, step):
        begun = time.monotonic()
        with self.responder.connect(BOUND_SECONDS) as connection:
            try:
                connection.submit("POST", "/FocusStats/" + step.action, harness.encode(step.fields))
                # Where the process ends before it takes the connection, that waits for the next one.
                while not select.select([connection.socket], [], [], 0.02)[0] and self.child.poll() is None and time.monotonic() < begun + BOUND_SECONDS:
                    pass
                reply = connection.reply() if self.child.poll() is None or select.select([connection.socket], [], [], 0)[0] else None
            except (harness.ConnectionClosed, ConnectionResetError, BrokenPipeError):
                reply = None
            except OSError as error:
                raise Wrong("%s: %s; %s" % (step.action, error, occupation(self.child.pid))) from error
        took = time.monotonic() - begun
        with self.figures.lock:
            self.figures.answers += 1
            self.figures.slowest = max(self.figures.slowest, took)
        if took > BOUND_SECONDS:
            raise Wrong("%s took %.1f s" % (step.action, took))
        return reply

    def wait_end(self):
        """The connection was closed without an answer, which is so where the process ends only."""
        try:
            self.child.wait(BOUND_SECONDS)
        except Exception as error:
            raise Wrong("it does not end: %s" % occupation(self.child.pid)) from error

    def end(self):
        """In order, unless it has ended."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        self.wait_end()

    # What is looked at once the process has ended in which calls failed

    def replace(self):
        """The process has ended: looks how, and starts the next one, in which nothing fails."""
        if self.replaced:
            raise Wrong("the process in which nothing failed ended with %d" % self.child.returncode)
        self.replaced = True
        status, log, events = self.child.returncode, self.log(), disk.read(self.recording)
        failed = [event for event in events if event.kind.startswith("fail-")]
        self.reached = bool(failed)
        if status not in (0, 1, EXIT_FATAL):
            raise Wrong("the process ended with %d" % status)
        if (status != 0 or self.refused) and not (failed and WHY.search(log)):
            raise Wrong("it ended with %d after %d answers 503, and its log does not say why" % (status, self.refused))
        if failed and self.fault.kind == "sync":
            self.check_sync(status, events, failed)
        with self.figures.lock:
            self.figures.runs += self.reached
            self.figures.unavailable += bool(self.refused)
            self.figures.ended += status != 0
            self.figures.unharmed += self.reached and not self.refused and status == 0
        self.start({})

    def check_sync(self, status, events, failed):
        # Besides commits there may be a checkpoint, whose thread has not heard of it yet.
        begun = [event for event in events if event.position > failed[0].position and event.kind == "begin"]
        if status != EXIT_FATAL or len(begun) > 1:
            raise Wrong("a sync failed, and the process went on: it ended with %d after %d more syncs" % (status, len(begun)))
        if self.acknowledged_sent > failed[0].position:
            raise Wrong("a sync failed, and a write that was sent after it was acknowledged")
        self.drop(events)

    def drop(self, events):
        """Makes the home anew as it is once the kernel has dropped what it could not write, or the power is cut then."""
        choose = random.Random("%d %s" % (SEED, self.fault))
        made = disk.Disk()
        if self.base:
            for name in os.listdir(self.base):
                with open(os.path.join(self.base, name), "rb") as file:
                    made.put(name, file.read())
        for event in events:
            made.take(event)
        files = made.cut(choose) if choose.random() < 0.5 else made.dropped(choose)
        shutil.rmtree(self.home)
        os.mkdir(self.home, 0o700)
        for name, content in files.items():
            with open(os.path.join(self.home, name), "wb") as file:
                file.write(content)
            os.chmod(file.name, 0o600)
        self.own()

    def examine(self):
        if self.child.returncode != 0:
            raise Wrong("the process in which nothing failed ended with %d" % self.child.returncode)
        settings = {"FOCUSSTATS_HOME": self.home}
        shown = self.tool.run("export", settings=settings)
        if shown.returncode != 0:
            raise Wrong("export: %s" % shown.stderr.strip())
        problem = self.client.problem(exported(shown.stdout))
        if problem:
            raise Wrong(problem)
        whole = self.tool.run("verify", settings=settings)
        if whole.returncode != 0:
            raise Wrong("verify: %s" % (whole.stdout + whole.stderr).strip())
        left = [name for name in os.listdir(self.home) if name == "sync-failed" or name.endswith(".new")]
        if left:
            raise Wrong("left in the home: %s" % ", ".join(left))


class IoErrors(common.CrashCase):
    def check(self, steps, base=None, states=({},)):
        memory = in_memory(self)
        figures = Figures()
        places = [Place(self, figures, memory, base) for _ in range(WORKERS)]
        counts = self.count(places[0], steps, states)
        faults = Faults(counts, SHORT_SECONDS)
        lock, choices = threading.Lock(), 0

        def work(index):
            nonlocal choices
            while True:
                with lock:
                    fault = faults.next()
                    choices += fault is not None
                if fault is None:
                    return
                problem = places[index].run(fault, steps, states)
                if problem:
                    figures.wrong.append(problem)
                else:
                    faults.was(fault, places[index].reached)
        harness.clients(WORKERS, work)
        common.note("seed %d; calls: %s; %d runs with something that failed, of %d; %d of them answered 503, %d ended and came back, %d went unharmed; "
                    "%d answers, the slowest after %.2f s; back after at most %.2f s; %d wrong", SEED,
                    ", ".join("%d %s" % (number, kind) for kind, number in counts.items()), figures.runs, choices, figures.unavailable, figures.ended,
                    figures.unharmed, figures.answers, figures.slowest, figures.longest_back, len(figures.wrong))
        if figures.wrong:
            self.fail("\n".join(text[:2500] for text in figures.wrong[:20]))
        self.assertGreater(figures.runs, choices // 2)

    @staticmethod
    def count(place, steps, states):
        """How many calls of each kind there are where none fails."""
        problem = place.run(Fault("write", 0, "EIO", 1), steps, states)
        if problem:
            raise Wrong(problem)
        kinds = [event.kind for event in disk.read(place.recording)]
        return {kind: kinds.count("call-" + kind) for kind in KINDS}

    @tap.limit(14400 if LONG else 600)
    def test_from_the_beginning(self):
        self.check(LIFE)

    def test_commit_in_a_new_log_file(self):
        """The first commit behind the beginning of a log file, which the engine sees by itself in its buffer, and on the disk where it is not."""
        place = Place(self, Figures(), in_memory(self), None)
        self.count(place, LIFE, ({},))
        wrong, number = [], None
        for _ in range(3 if LONG else 1):
            begun = ""
            for event in disk.read(place.recording):
                if event.kind == "synced" and event.name.startswith("log."):
                    begun = event.name
                elif event.kind == "call-write" and event.name == begun == "log.0000000002":
                    number = event.numbers[0]
                    break
            for fault in (Fault("write", number, "ENOSPC", 0), Fault("write", number, "EIO", 1), Fault("write", 0, "EIO", 1)):
                wrong.append(place.run(fault, LIFE, ({},)))
        self.assertIsNotNone(number)
        self.assertEqual(list(filter(None, wrong)), [])

    @tap.limit(14400 if LONG else 600)
    def test_after_a_kill(self):
        """Recovery, and what it does after a failed sync, with an open removal in the log."""
        client = Client()
        place = Place(self, Figures(), in_memory(self), None)
        place.fault, place.client = Fault("write", 0, "EIO", 1), client
        place.begin()
        for step in LIFE:
            place.do(step)
        place.child.kill()
        place.child.wait()
        for name in ("relay.sock", "metrics"):
            os.unlink(os.path.join(place.home, name))
        with open(os.path.join(place.home, "sync-failed"), "wb"):
            self.check(LATER, place.home, client.states)


if __name__ == "__main__":
    tap.main(globals())
