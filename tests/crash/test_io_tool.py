#!/usr/bin/env python3
"""The N-th write, sync, open, rename, unlink, change of a file's size or new folder of the admin tool fails, for each N of each command that writes
files: backup, restore, import, compact.

It ends with 0 where all was done, and otherwise with an error that names a thing and says why; the store is then what it was, or what the command makes of
it, or for a restore that stopped midway refused by name; and the same command once more, with nothing that fails, does it. After a failed sync it never
ends with 0. What an export cannot write is in tests/tool/test_transfer.py.

FOCUSSTATS_IO_SEED and FOCUSSTATS_LONG are as in test_io_errors.py.
"""

import os
import re
import shutil
import subprocess
import tempfile
import threading

import common
from common import LONG, harness

import disk
import tap  # noqa: E402
from folder import AS_ROOT, DEADLINE_SECONDS, worker  # noqa: E402
from io_faults import KINDS, SEED, WHY, Fault, Faults, in_memory, recorder  # noqa: E402
from script import Wrong, add_many, exported, init_user, remove_session, identity, start  # noqa: E402
from tool import Tool  # noqa: E402

WORKERS = 4
SHORT_SECONDS = 1.5
INTERRUPTED = "a restore into this folder was interrupted: run focusstats restore again"
NOT_COMPLETED = "holds a backup that was not completed: remove it first"
REASON = re.compile("Input/output error|[Nn]o space left on|Interrupted system call|cannot be read")
OLD = [init_user("ann"), add_many("ann", 1000), start("ann", 1, "walden")] + [remove_session(1000 + place) for place in range(0, 100)]
NEW = [init_user("bob"), add_many("bob", 2000), start("bob", 2, "emma")]


class Place:
    """Where one worker makes its runs: a home, a backup of another store, and a place for one."""

    def __init__(self, case, stores):
        self.folder = case.folder()
        self.tool = Tool(self.folder)
        self.stores = stores
        self.root = tempfile.mkdtemp(dir=stores.memory)
        self.home, self.backup, self.other = (os.path.join(self.root, name) for name in ("home", "backup", "other"))
        self.recording = self.folder.join("run", "recording")
        os.chmod(self.root, 0o755)
        self.folder.give(self.root)

    def ask(self, *arguments, home=None, settings=None):
        """Runs the tool as the home's user: as root it would become that one on its way, and see no more what its own files are."""
        who = {"user": worker().pw_uid, "group": worker().pw_gid, "extra_groups": []} if AS_ROOT else {}
        done = subprocess.run([self.tool.program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env=self.tool.environment({"FOCUSSTATS_HOME": home or self.home, **(settings or {})}), cwd=self.root,
                              timeout=DEADLINE_SECONDS, **who)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    def run(self, command, fault):
        """None, or what is wrong."""
        for path in (self.home, self.backup, self.other):
            shutil.rmtree(path, ignore_errors=True)
        for source, path in ((self.stores.old, self.home), (self.stores.new, self.other)):
            shutil.copytree(source, path)
            for name in (".", *os.listdir(path)):
                self.folder.give(os.path.join(path, name))
        arguments = {"backup": [self.backup], "restore": [self.other, "--yes"], "import": [self.stores.file], "compact": []}[command]
        done = self.ask(command, *arguments, settings={**recorder(self.folder, self.recording, fault), "RECORD_ROOT": self.root})
        failed = [event for event in disk.read(self.recording) if event.kind.startswith("fail-")]
        self.reached, self.status = bool(failed), done.returncode
        try:
            self.look(command, arguments, done, failed)
        except Wrong as error:
            return "%s, %s at %s: %s; it ended with %d and said: %s" % (
                command, fault, ", ".join(sorted({event.name for event in failed})), error, done.returncode, done.stderr.strip()[-600:])
        return None

    def look(self, command, arguments, done, failed):
        old, new = self.stores.old_state, self.stores.new_state
        made = {"backup": old, "restore": new, "import": {**old, **new}, "compact": old}[command]
        if done.returncode == 0:
            if any(event.kind == "fail-sync" for event in failed):
                raise Wrong("a sync failed, and it says nothing")
            self.expect([made])
            if command == "backup":
                self.check_backup()
            return
        # What hinders looking through a copy is listed with what is wrong in it.
        says = WHY.search(done.stderr) or ("what is listed above" in done.stderr and REASON.search(done.stdout))
        if not failed or done.returncode not in (1, 70) or not says or done.stderr.count("\n") > 10:
            raise Wrong("it does not say what failed")
        if command == "import":
            self.expect_between(old, made)
        else:
            self.expect([old, made], INTERRUPTED if command == "restore" else None)
        again = self.ask(command, *arguments)
        if command == "backup" and NOT_COMPLETED in again.stderr:
            shutil.rmtree(self.backup)
            again = self.ask(command, *arguments)
        if again.returncode != 0:
            raise Wrong("the same once more: %s" % again.stderr.strip())
        self.expect([made])
        if command == "backup":
            self.check_backup()
        whole = self.ask("verify")
        if whole.returncode != 0:
            raise Wrong("verify: %s" % (whole.stdout + whole.stderr))
        left = [name for name in os.listdir(self.home) if re.search(r"^(copy|restore\.(staged|ready)|restoring|sync-failed|.*\.new)$", name)]
        if left:
            raise Wrong("left in the home: %s" % ", ".join(left))

    def state(self, home=None):
        shown = self.ask("export", home=home)
        return exported(shown.stdout) if shown.returncode == 0 else shown.stderr.strip()

    def expect(self, states, text=None):
        found = self.state()
        if found not in states and (text is None or isinstance(found, dict) or text not in found):
            raise Wrong("the home holds something else: %s" % (found if isinstance(found, str) else "%d records" % len(found)))

    def expect_between(self, old, made):
        """Some of the records are imported, whole, and none is lost."""
        found = self.state()
        if isinstance(found, str) or any(found.get(key) != old[key] for key in old) or any(made.get(key) != found[key] for key in found if key[0] == "session"):
            raise Wrong("after a half import: %s" % (found if isinstance(found, str) else "%d records" % len(found)))

    def check_backup(self):
        """It restores to what was there."""
        empty = os.path.join(self.root, "empty")
        restored = self.ask("restore", self.backup, home=empty)
        found = self.state(empty) if restored.returncode == 0 else restored.stderr
        shutil.rmtree(empty, ignore_errors=True)
        if found != self.stores.old_state:
            raise Wrong("the backup is none: %s" % (found if isinstance(found, str) else "%d records" % len(found)))


class Stores:
    """Two stores that are copied for each run."""

    def __init__(self, case):
        self.memory = in_memory(case)
        self.old, self.old_state, _ = self.make(case, "old", OLD)
        self.new, self.new_state, text = self.make(case, "new", NEW)
        self.file = os.path.join(self.memory, "records")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.file, 0o644)

    def make(self, case, name, steps):
        folder = case.folder()
        responder = case.start(harness.Responder(folder))
        for step in steps:
            reply = responder.post(step.action, step.fields)
            case.assertEqual(reply.status, 200, reply)
        responder.stop()
        text = Tool(folder).run("export").stdout
        path = os.path.join(self.memory, name)
        shutil.copytree(folder.home, path)
        return path, exported(text), text


class IoTool(common.CrashCase):
    @tap.limit(14400 if LONG else 600)
    def test_each_call(self):
        stores = Stores(self)
        places = [Place(self, stores) for _ in range(WORKERS)]
        wrong = [text for command in ("backup", "restore", "import", "compact") for text in self.check(command, places)]
        if wrong:
            self.fail("\n".join(text[:2500] for text in wrong[:20]))

    def check(self, command, places):
        """What is wrong, a text for each run."""
        problem = places[0].run(command, Fault("write", 0, "EIO", 1))
        self.assertEqual((problem, places[0].status), (None, 0))
        kinds = [event.kind for event in disk.read(places[0].recording)]
        counts = {kind: kinds.count("call-" + kind) for kind in KINDS}
        faults, lock = Faults(counts, SHORT_SECONDS), threading.Lock()
        wrong, runs, refused = [], 0, 0

        def work(index):
            nonlocal runs, refused
            while True:
                with lock:
                    fault = faults.next()
                if fault is None:
                    return
                problem = places[index].run(command, fault)
                with lock:
                    runs += places[index].reached
                    refused += places[index].status != 0
                    faults.was(fault, places[index].reached)
                    wrong.extend([problem] if problem else [])
        harness.clients(WORKERS, work)
        common.note("seed %d; %s: calls: %s; %d runs with something that failed; %d of them ended with an error, %d did all the same; %d wrong", SEED, command,
                    ", ".join("%d %s" % (number, kind) for kind, number in counts.items()), runs, refused, runs - refused, len(wrong))
        self.assertTrue(runs or "FOCUSSTATS_IO_FAULT" in os.environ)
        return wrong


if __name__ == "__main__":
    tap.main(globals())
