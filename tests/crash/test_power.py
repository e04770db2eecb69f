#!/usr/bin/env python3
"""The power is cut: whatever of the unsynced writes the disk then holds, the store comes up by itself, and all that was acknowledged is there.

The service is recorded (tests/preload/record.c) while clients write, a kill and a new start among it, with so little cache that pages are written all the
time. Then the home is made anew as a disk may hold it
(disk.py says which states those are), at every completed sync and at points between. The admin tool opens each, which is the same recovery
as the service's; what it exports must be what the clients were told, each user as a whole: the state behind the last write that was acknowledged before
that moment, or the one behind the write that was under way. Then the store must verify.

FOCUSSTATS_POWER_SEED repeats a run's choices on another recording; FOCUSSTATS_LONG=1 makes 5,000 states and more, and
FOCUSSTATS_POWER_STATES as many as it says.
"""

import json
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import common  # noqa: E402
import disk  # noqa: E402
import harness  # noqa: E402
import tap  # noqa: E402
from folder import BUILD  # noqa: E402
from tool import Tool  # noqa: E402

CLIENTS = 4
ROUNDS, STEPS = (4, 60) if common.LONG else (2, 40)
STATES = int(os.environ.get("FOCUSSTATS_POWER_STATES") or (5200 if common.LONG else 40))
MENDED = re.compile(r"pages\.journal: mended (\d+) pages")
SEED = int(os.environ.get("FOCUSSTATS_POWER_SEED") or random.SystemRandom().randrange(1 << 32))
LONG_ID = "l" * 240


class Client:
    """One who writes, and after each answer knows how everything of its users must look."""

    def __init__(self, index, recording):
        self.name = "c%d-" % index
        self.random = random.Random(index)
        self.recording = recording
        self.state = {}
        self.history = [(0, 0, {})]   # (recorded before it was sent, when its answer was there, all that there is then)
        self.user, self.number, self.open = None, 0, []

    def ask(self, responder, action, change, **fields):
        sent = os.path.getsize(self.recording)
        reply = responder.post(action, fields)
        answered = os.path.getsize(self.recording)
        if reply.status != 200:
            raise AssertionError("%s: %r" % (action, reply))
        self.state = dict(self.state)
        change(reply.json())
        self.history.append((sent, answered, self.state))

    def step(self, responder):
        self.number += 1
        chance = self.random.random()
        if self.user is None:
            self.user, self.open = "%s%d" % (self.name, self.number), []
            self.ask(responder, "initUser", lambda told: self.state.update({("user", self.user): told["focusStats"]}), user=self.user)
        elif chance < 0.3 or (not self.open and chance < 0.75):
            document = "document-%d" % self.number
            self.ask(responder, "startSession", lambda told: self.started(told, document), user=self.user, document=document, library="home")
        elif chance < 0.5:
            self.change(responder, "endSession", lambda facts: (facts[0], True) + facts[2:], self.open.pop(self.random.randrange(len(self.open))))
        elif chance < 0.7:
            self.change(responder, "heartbeat", lambda facts: facts[:2] + (True, 0.25), self.random.choice(self.open), progress=0.25)
        elif chance < 0.75:
            session = self.open.pop()
            self.ask(responder, "removeSession", lambda told: self.state.pop(("session", session)), focusSession=session)
        elif chance < 0.85:
            document, title = "document-%d" % self.random.randrange(9), "Title %d" % self.number
            self.ask(responder, "setDocument", lambda told: self.state.update({("document", self.user, document): title}), user=self.user,
                     document=document, title=title)
        elif chance < 0.97:
            self.add(responder)
        else:
            user, self.user = self.user, None
            self.ask(responder, "removeUser", lambda told: self.state.clear(), user=user, confirm=user)

    def started(self, told, document):
        self.state["session", told["focusSession"]] = (document, False, False, None)
        self.open.append(told["focusSession"])

    def change(self, responder, action, new, session, **fields):
        key = ("session", session)
        self.ask(responder, action, lambda told: self.state.update({key: new(self.state[key])}), focusSession=session, **fields)

    def add(self, responder):
        documents = ["past-%d-%d" % (self.number, place) + LONG_ID for place in range(self.random.choice((1, 20, 60)))]

        def added(told):
            for document, one in zip(documents, told["results"]):
                self.state["session", one["focusSession"]] = (document, True, False, None)
        self.ask(responder, "addSessions", added, user=self.user, sessions=[
            {"document": document, "library": LONG_ID, "startTime": "2025-01-01T%02d:%02d:00Z" % (place // 60, place % 60),
             "endTime": "2025-01-01T%02d:%02d:30Z" % (place // 60, place % 60)} for place, document in enumerate(documents)])

    def problem(self, position, found):
        """None, or why what was found is not what may be there where the power was cut at POSITION."""
        last = max(place for place, (_, answered, _) in enumerate(self.history) if answered <= position)
        allowed = [state for sent, _, state in self.history[last:last + 2] if sent < position or state is self.history[last][2]]
        if found in allowed:
            return None
        must = allowed[0]
        return "%s: %d of %d things acknowledged are lost or changed, %d are there that must not be: %r" % (
            self.name, len([key for key in must if found.get(key) != must[key]]), len(must), len([key for key in found if key not in must]),
            [(key, must.get(key), found.get(key)) for key in {**must, **found} if must.get(key) != found.get(key)][:3])


def exported(text, client):
    """What an export holds of a client's users."""
    found = {}
    for line in text.splitlines():
        (kind, record), = json.loads(line).items()
        if kind not in ("user", "session", "document") or not record["user"].startswith(client.name):
            continue
        if kind == "user":
            found["user", record["user"]] = record["focusStats"]
        elif kind == "document":
            found["document", record["user"], record["document"]] = record["title"]
        else:
            found["session", record["focusSession"]] = (record["document"], "endTime" in record, "lastSeen" in record, record.get("progress"))
    return found


class Power(common.CrashCase):
    def record(self):
        """A recording of clients that write, of a kill, and of an end in order."""
        folder = self.folder()
        with open(folder.join("home", "DB_CONFIG"), "w") as file:
            file.write("set_cachesize 0 1048576 1\n")
        folder.give(file.name)
        recording, library = folder.join("run", "recording"), folder.join("cgi-bin", "record.so")
        shutil.copy(os.path.join(BUILD, "tests", "preload", "record.so"), library)
        asan = folder.sanitizer_options()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        settings = {"LD_PRELOAD": library, "RECORD_FILE": recording, "ASAN_OPTIONS": asan}
        writers = []
        for number in range(ROUNDS):
            responder = self.start(harness.Responder(folder, settings=settings))
            writers = writers or [Client(index, recording) for index in range(CLIENTS)]
            harness.clients(CLIENTS, lambda index, at=responder: [writers[index].step(at) for _ in range(STEPS)])
            if number < ROUNDS - 1:
                responder.children[0].kill()
                responder.children[0].wait()
            responder.stop()
            os.unlink(folder.socket)
        return folder, disk.read(recording), writers

    def cuts(self, events, count):
        """Numbered states: (number, position, name -> content). They are cut at completed syncs, all where COUNT allows it, while pages of the
        databases are written, and anywhere."""
        choose = random.Random(SEED)
        syncs = [place for place, event in enumerate(events) if event.kind == "synced"]
        pages = [place for place, event in enumerate(events) if event.kind == "write" and event.name.endswith(".db")]
        places = []
        for among, share in ((syncs, 0.4), (pages, 0.3), (range(len(events)), 1)):
            size = int(count * share) * bool(among) if share < 1 else count - len(places)
            places += [among[place * len(among) // size] for place in range(size)] if size < len(among) else [
                *among, *choose.choices(among, k=size - len(among))]
        places.sort()
        made, taken = disk.Disk(), 0
        for number, place in enumerate(places):
            while taken <= place:
                made.take(events[taken])
                taken += 1
            yield number, events[place].position, made.cut(random.Random("%d %d" % (SEED, number)))

    def examine(self, folder, writers, number, position, files, times):
        """None, or what is wrong with a state."""
        home = os.path.join(self.memory, "state-%d" % number)
        os.mkdir(home, 0o700)
        folder.give(home)
        for name, content in files.items():
            with open(os.path.join(home, name), "wb") as file:
                file.write(content)
            os.chmod(file.name, 0o600)
            folder.give(file.name)
        tool, settings = folder.tool, {"FOCUSSTATS_HOME": home}
        begun = time.monotonic()
        shown = tool.run("export", settings=settings)
        times.append(time.monotonic() - begun)
        self.mended += [int(number) for number in MENDED.findall(shown.stderr)]
        if shown.returncode != 0:
            return "does not come up: %s" % shown.stderr.strip()
        problems = list(filter(None, (writer.problem(position, exported(shown.stdout, writer)) for writer in writers)))
        whole = tool.run("verify", settings=settings)
        if whole.returncode != 0:
            problems.append("verify: %s" % (whole.stdout + whole.stderr).strip())
        shutil.rmtree(home)
        return "; ".join(problems) or None

    def examine_all(self, folder, writers, cuts):
        """What is wrong, a text for each state that is; and the times that opening took."""
        lock, wrong, times, failures = threading.Lock(), [], [], []
        folder.tool = Tool(folder)

        def work(_):
            while True:
                with lock:
                    cut = next(cuts, None)
                if cut is None:
                    return
                problem = self.examine(folder, writers, *cut, times)
                if problem:
                    wrong.append("state %d: %s" % (cut[0], problem))
        harness.clients(2, work)
        return wrong, times

    @tap.limit(10800)
    def test_power_cut(self):
        folder, events, writers = self.record()
        self.memory, self.mended = folder.path, []
        if os.path.isdir("/dev/shm"):  # syncs cost nothing there
            self.memory = tempfile.mkdtemp(prefix="fs-power-", dir="/dev/shm")
            os.chmod(self.memory, 0o755)
            self.addCleanup(shutil.rmtree, self.memory)
        wrong, times = self.examine_all(folder, writers, self.cuts(events, STATES))
        kinds = [event.kind for event in events]
        pages = len([event for event in events if event.kind == "write" and event.name.endswith(".db")])
        common.note("seed %d; %d writes acknowledged; recorded: %d calls, %d writes of pages, %d syncs, %d renames, %d unlinks; %d states; "
                    "%d with torn pages, %d pages mended; opened in %s; %d states wrong", SEED, sum(len(writer.history) - 1 for writer in writers),
                    len(events), pages, kinds.count("synced"), kinds.count("rename"), kinds.count("unlink"), len(times), len(self.mended),
                    sum(self.mended), common.spread(times), len(wrong))
        if wrong:
            self.fail("\n".join(text[:600] for text in wrong[:20]))
        self.assertGreater(pages, 100)
        if common.LONG:
            self.assertGreater(len(self.mended), 0)


if __name__ == "__main__":
    tap.main(globals())
