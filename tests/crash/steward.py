"""Whoever looks after a home with the admin tool while others write and processes are killed, the tool's own among them.

    steward = Steward(folder, ledger)       a thread: one command after the other
    steward.start(); ...; steward.stop()
    steward.pids                            of the tool that runs now; steward.kill() kills it and says whether it did
    steward.check()                         after everything has stopped: backups, exports and imports hold what they have to
    steward.done, steward.refused           {command: how often it succeeded}, {what it was refused with: how often}

COMMANDS has a method for each command of the tool: a test holds it against what the tool says it has.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import types
import uuid
from collections import Counter

import harness
import offline
from folder import child_environment
from tool import Tool

IMPORTED_SESSIONS = 300
BACKUPS_KEPT = 4
# What it may end with, besides success: the service had no time for it, or what it wants needs a service that stands still.
REFUSALS = re.compile(
    r"focusstats: (.*; the request (was not|may have been) carried out|.*: stop the service first"
    r"|the process that owned the store ended before the copy was complete: try again"
    r"|the export lacks what could not be read of the users above .*|problems found: \d+)")


class Steward:
    def __init__(self, folder, deeds):
        self.folder = folder
        self.deeds = deeds
        self.tool = Tool(folder)
        self.random = random.Random("steward")
        self.lock = threading.Lock()
        self.child = None
        self.killed = set()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.failures = []
        self.done, self.refused = Counter(), Counter()
        self.kills = 0
        self.number = 0
        self.made = {}
        self.imports = {}
        self.backups = []

    def start(self):
        self.thread.start()
        return self

    def raise_failure(self):
        if self.failures:
            raise self.failures[0]

    def stop(self, seconds=60):
        self.stopping.set()
        self.thread.join(seconds)
        if self.thread.is_alive():
            raise AssertionError("the tool runs still after %g s" % seconds)
        self.raise_failure()

    def run(self):
        try:
            rounds = []
            while not self.stopping.is_set():
                rounds = rounds or self.random.sample(sorted(self.COMMANDS), len(self.COMMANDS))
                self.COMMANDS[rounds.pop()](self)
        except BaseException as error:  # stop() raises it
            self.failures.append(error)

    def kill(self):
        """Kills the tool that runs, if one does."""
        with self.lock:
            child = self.child
            if child is None or child.poll() is not None:
                return False
            self.killed.add(child.pid)
            child.send_signal(signal.SIGKILL)
            self.kills += 1
            return True

    def tell(self, command, *operands, stdin=b"", more=()):
        """Whether it was carried out, and what it printed. It must be so, be refused for a reason, or be killed."""
        arguments = [self.tool.program, "--json", "--yes", *more, command, *operands]
        with self.lock:
            self.child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder.path,
                                          env=child_environment(self.folder, {"FOCUSSTATS_HOME": self.folder.home}))
            child = self.child
        out, err = child.communicate(stdin, timeout=120)
        err = err.decode()
        last = err.splitlines()[-1] if err else ""
        # Why it was refused is looked at here, though it may be killed right after it has said so; what it says besides, with the processes' log.
        refused = child.returncode in (1, -signal.SIGKILL) and REFUSALS.fullmatch(last)
        with open(self.folder.join("log", "tool.log"), "a", encoding="utf-8") as log:
            log.write(err if not refused else err[:-len(last) - 1])
        if child.returncode == -signal.SIGKILL and child.pid in self.killed:
            return False, ""
        if child.returncode == 0:
            self.done[command] += 1
            return True, out.decode()
        if not refused:
            raise AssertionError("%s ended with %d: %s%s" % (command, child.returncode, err, out.decode()[-2000:]))
        self.refused[last] += 1
        return False, ""

    def sure_persons(self):
        """Names of users that are there, and stay there while they are not removed."""
        with self.deeds.lock:
            return {person.name for person in self.deeds.persons if person.identity.sure}

    # The commands

    def users(self):
        before = self.sure_persons()
        well, out = self.tell("users")
        if well:
            told = {json.loads(line)["user"] for line in out.splitlines()}
            lacking = (before & self.sure_persons()) - told
            if lacking:
                raise AssertionError("users does not tell of %s" % sorted(lacking))

    def init(self):
        self.number += 1
        name = "made-%d" % self.number
        well, _ = self.tell("init", name)
        self.made[name] = [True] if well else [True, False]

    def pick(self):
        sure = [name for name, there in self.made.items() if there == [True]]
        return self.random.choice(sure) if sure else None

    def show(self):
        name = self.pick()
        if name:
            well, out = self.tell("show", name)
            if well and json.loads(out)["user"] != name:
                raise AssertionError(out)

    def remove(self):
        name = self.pick()
        if name:
            well, _ = self.tell("remove", name)
            self.made[name] = [False] if well else [True, False]

    def sweep(self):
        self.tell("sweep")

    def stats(self):
        self.tell("stats")

    def doctor(self):
        self.tell("doctor")

    def compact(self):
        self.tell("compact")

    def verify(self):
        self.tell("verify")

    def export(self):
        before = self.sure_persons()
        well, out = self.tell("export")
        if well:
            records = [json.loads(line) for line in out.splitlines()]
            told = {record["user"]["user"] for record in records if "user" in record}
            lacking = (before & self.sure_persons()) - told
            if lacking:
                raise AssertionError("the export lacks %s" % sorted(lacking))

    def identity(self):
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def records(self, name):
        settings = {"timezone": "UTC", "dayStart": "00:00", "weekStart": "monday", "dailyGoalSeconds": 0, "idleTimeoutSeconds": 600}
        lines = [{"focusstats": {"version": 1}}, {"user": {"user": name, "focusStats": self.identity(), "settings": settings}}]
        lines += [{"session": {"user": name, "focusSession": self.identity(), "document": "d%d" % number, "library": "l",
                               "startTime": "2024-01-01T00:00:00.000Z", "endTime": "2024-01-01T00:10:00.000Z"}} for number in range(IMPORTED_SESSIONS)]
        lines.append({"end": {"users": 1, "documents": 0, "sessions": IMPORTED_SESSIONS}})
        return "".join(json.dumps(line) + "\n" for line in lines).encode()

    def import_(self):
        """One that was not carried out to its end is begun anew."""
        again = [name for name, (_, whole) in self.imports.items() if not whole]
        self.number += 1
        name = again[0] if again else "imported-%d" % self.number
        data = self.imports[name][0] if again else self.records(name)
        well, _ = self.tell("import", "-", stdin=data)
        self.imports[name] = (data, well)

    def backup(self):
        self.number += 1
        place = os.path.join(self.folder.path, "backups", "b%d" % self.number)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        self.folder.give(os.path.dirname(place))
        sure = self.sure_sessions()
        well, _ = self.tell("backup", place)
        if well:
            self.backups.append((place, sure & self.sure_sessions()))
        while len(self.backups) > BACKUPS_KEPT:
            shutil.rmtree(self.backups.pop(0)[0])

    def sure_sessions(self):
        """Ids of the sessions that are there and are not removed, by everything that was answered."""
        with self.deeds.lock:
            persons = list(self.deeds.persons)
        return {session.id for person in persons if person.identity.sure for session in list(person.sessions) if session.sure}

    def restore(self):
        """Into another home; begun anew until it ends well, and then all of the backup is in it."""
        if not self.backups:
            return
        place, sure = self.backups[-1]
        other = os.path.join(self.folder.path, "other")
        if not os.path.exists(other):
            os.mkdir(other, 0o700)
            self.folder.give(other)
        well, _ = self.tell("restore", place, more=("--home", other))
        if well:
            lost = sure - set(offline.sessions(types.SimpleNamespace(home=other)))
            if lost:
                raise AssertionError("%d sessions of %s are not in what was restored of it" % (len(lost), place))

    COMMANDS = {"users": users, "show": show, "init": init, "remove": remove, "sweep": sweep, "stats": stats, "export": export, "import": import_,
                "verify": verify, "backup": backup, "restore": restore, "compact": compact, "doctor": doctor}

    # Afterwards

    def check(self):
        """With nothing running: what was imported, made and copied is there. Completes the import that was not."""
        for name, (data, whole) in self.imports.items():
            if not whole and not self.tell("import", "-", stdin=data)[0]:
                raise AssertionError("the import of %s was refused" % name)
        told = {}
        for line in self.tell("users")[1].splitlines():
            user = json.loads(line)
            told[user["user"]] = user["sessions"]
        wrong = {name: told.get(name) for name in self.imports if told.get(name) != IMPORTED_SESSIONS}
        wrong.update({name: there for name, there in self.made.items() if (name in told) not in there})
        if wrong:
            raise AssertionError("of the tool's users these are not as they were left: %s" % wrong)
        for place, sure in self.backups:
            lost = sure - set(offline.Store(types.SimpleNamespace(home=place)).sessions)
            if lost:
                raise AssertionError("%d sessions that were acknowledged before the backup %s are not in it" % (len(lost), place))
