#!/usr/bin/env python3
"""focusstats restore: the store is the backup's afterwards, or what it was; or it says that it is neither, and the next restore completes it."""

import os
import shutil
import subprocess

from store import LONG, StoreCase

import tap
from folder import AS_ROOT, worker

STEPS_MAX = 200


class RestoreCase(StoreCase):
    def setUp(self):
        super().setUp()
        self.fill(users=1, sessions=3)
        self.backup = self.make_backup("backup")
        self.backed_up = self.everything()

    def make_backup(self, name):
        room = self.store.join("backups")
        if not os.path.exists(room):
            os.mkdir(room)
            self.store.give(room)
        path = os.path.join(room, name)
        self.done("backup", path)
        return path

    def change(self):
        """Something that the backup does not have; and a described document goes."""
        self.serve()
        self.post("initUser", user="later")
        self.add("later", 5)
        self.post("removeUser", user="u0", confirm="u0")
        self.responder.stop()
        return self.everything()

    @staticmethod
    def bytes_of(path):
        found = {}
        for name in sorted(os.listdir(path)):
            with open(os.path.join(path, name), "rb") as file:
                found[name] = file.read()
        return found

    def replaced(self):
        return sorted(name for name in os.listdir(self.store.home) if name.startswith("replaced."))


class Restore(RestoreCase):
    def test_into_a_home_with_a_store(self):
        changed, kept = self.change(), self.bytes_of(self.backup)
        said = self.done("--yes", "restore", self.backup)
        place, = self.replaced()
        self.assertEqual(said, "restored 1 users and 5 sessions\nwhat was there before is in %s/%s\n" % (self.store.home, place))
        self.assertEqual(self.everything(), self.backed_up)
        self.assertEqual(self.bytes_of(self.backup), kept)
        self.assert_nothing_staged()
        self.serve()
        self.post("startSession", user="u0", document="d", library="l")
        self.responder.stop()
        # The way back.
        self.done("--yes", "restore", os.path.join(self.store.home, place))
        self.assertEqual(self.everything(), changed)
        self.assertEqual(len(self.replaced()), 2)

    def test_at_a_terminal(self):
        changed = self.change()
        self.refused(["restore", self.backup], "restore: there is no terminal to ask on: say --yes")
        for typed in ("yes\n", "\n", "\x04"):
            status, shown = self.tool.at_terminal(["restore", self.backup], typed)
            self.assertEqual(status, 1, shown)
            self.assertIn("nothing was restored", shown)
        self.assertEqual(self.everything(), changed)
        status, shown = self.tool.at_terminal(["restore", self.backup], "restore\n")
        self.assertEqual(status, 0, shown)
        self.assertEqual(self.everything(), self.backed_up)

    def test_into_an_empty_home(self):
        """Without a question."""
        home = self.store.join("other")
        os.mkdir(home, 0o700)
        self.store.give(home)
        self.assertEqual(self.done("--home", home, "restore", self.backup), "restored 1 users and 5 sessions\n")
        self.assertEqual(self.everything(home=home), self.backed_up)

    def test_into_a_home_that_is_missing(self):
        """It is made; as root, for the user whose the backup is."""
        home = self.store.join("run", "other")
        self.assertEqual(self.tool.lines("--home", home, "restore", self.backup), [{"users": 1, "sessions": 5}])
        info = os.stat(home)
        self.assertEqual((info.st_uid, info.st_mode & 0o777), (worker().pw_uid if AS_ROOT else os.geteuid(), 0o700))
        self.assertEqual(self.everything(home=home), self.backed_up)

    def test_while_the_service_runs(self):
        self.change()
        self.serve()
        self.refused(["--yes", "restore", self.backup], self.store.home, "a process of the service has it open: stop the service first")
        self.assertEqual(self.post("_getSessions", user="later")[0]["focusSession"]["document"], "00000")

    def test_what_is_no_backup(self):
        changed = self.change()
        empty = self.store.join("empty")
        os.mkdir(empty)
        self.refused(["--yes", "restore", empty], empty, "is no backup: there is no meta.db")
        self.refused(["--yes", "restore", self.store.join("nowhere")], "nowhere", "No such file or directory")
        self.refused(["--yes", "restore", self.store.home], "is the home folder itself")
        for mark, word in (("incomplete", "it was not completed"), ("restoring", "a restore into it was interrupted")):
            path = os.path.join(self.backup, mark)
            with open(path, "w", encoding="ascii"):
                pass
            self.refused(["--yes", "restore", self.backup], self.backup, "is no backup: " + word)
            os.unlink(path)
        self.assertEqual(self.everything(), changed)
        self.assertEqual(self.replaced(), [])

    def test_copy_whose_log_is_elsewhere(self):
        """It would be recovered with, and into, the log that another store uses."""
        with open(os.path.join(self.backup, "DB_CONFIG"), "w", encoding="ascii") as file:
            file.write("set_cachesize 0 16777216 1\n set_lg_dir %s\n" % self.store.home)
        logs = self.bytes_of(self.store.home)
        self.refused(["--yes", "restore", self.backup], self.backup, "is no backup: its DB_CONFIG names folders elsewhere")
        self.assertEqual({name: found for name, found in self.bytes_of(self.store.home).items() if name.startswith("log.")},
                         {name: found for name, found in logs.items() if name.startswith("log.")})

    def test_pipe_in_the_place_of_a_database(self):
        """Nothing waits for somebody to write to it."""
        os.unlink(os.path.join(self.store.home, "stats.db"))
        os.mkfifo(os.path.join(self.store.home, "stats.db"))
        self.store.give(os.path.join(self.store.home, "stats.db"))
        for command in ("users", "verify", "doctor"):
            done = self.tool.run(command)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("stats.db", done.stdout + done.stderr)

    @tap.cases([("a page", "stats.db"), ("a file", None)])
    def test_damaged_backup(self, name):
        """Nothing changes."""
        changed = self.change()
        if name:
            path = os.path.join(self.backup, name)
            with open(path, "r+b") as file:
                file.seek(-30, os.SEEK_END)
                byte = file.read(1)
                file.seek(-30, os.SEEK_END)
                file.write(bytes([byte[0] ^ 1]))
            self.store.leaks = False
        else:
            for gone in os.listdir(self.backup):  # with the log, which makes a file anew where all of it is there
                if gone.startswith("log.") or gone == "documents.db":
                    os.unlink(os.path.join(self.backup, gone))
        self.refused(["--yes", "restore", self.backup], "nothing was restored")
        self.store.reported.update(line for line in self.store.log_text().split("\n") if "PANIC" in line)  # of the tool, at a recovery
        self.assertEqual(self.everything(), changed)
        self.assert_nothing_staged()

    def test_full_disk(self):
        changed = self.change()
        self.faults.set("no-space", "restore.new")
        self.refused(["--yes", "restore", self.backup], "No space left on device", "nothing was restored", settings=self.faults.settings())
        self.assertEqual(self.everything(), changed)
        self.assert_nothing_staged()

    def test_backup_of_a_stopped_home(self):
        """Any copy that was made while nobody had the store open will do."""
        home = self.store.join("copied")
        subprocess.run(["cp", "-a", self.store.home, home], check=True)
        changed = self.change()
        self.done("--yes", "restore", home)
        self.assertEqual(self.everything(), self.backed_up)
        self.assertNotEqual(changed, self.backed_up)


@tap.limit(900 if LONG else 120)
class Killed(RestoreCase):
    def die_at(self, step, *arguments):
        self.faults.set("die-at", str(step))
        done = self.tool.run(*arguments, settings=self.faults.settings())
        self.faults.clear("die-at")
        return done

    def test_at_every_step(self):
        """The old store, the new one, or a clear refusal; and the same command again completes it."""
        changed = self.change()
        original = self.store.join("original")
        subprocess.run(["cp", "-a", self.store.home, original], check=True)
        seen, step = {"old": 0, "refused": 0, "new": 0}, 0
        while step < STEPS_MAX:
            step += 1 if LONG or step == 0 else 2
            shutil.rmtree(self.store.home)
            subprocess.run(["cp", "-a", original, self.store.home], check=True)
            done = self.die_at(step, "--yes", "restore", self.backup)
            if done.returncode == 0:
                break
            self.assertEqual(done.returncode, -9, done)
            kept = self.look(changed)
            seen[kept] += 1
            if kept == "refused":
                # Once more interrupted, one step further.
                self.assertEqual(self.die_at(1 + step % 7, "--yes", "restore", self.backup).returncode in (0, -9), True)
            self.done("--yes", "restore", self.backup)
            self.assertEqual(self.everything(), self.backed_up)
            self.assert_nothing_staged()
        print("# killed at %d steps: %s" % (sum(seen.values()), seen))
        self.assertLess(step, STEPS_MAX)
        self.assertGreater(seen["old"], 4)
        self.assertGreater(seen["refused"], 8)

    def look(self, changed):
        """What the home is now."""
        done = self.tool.run("users")
        if done.returncode:
            self.assertIn("a restore into this folder was interrupted: run focusstats restore again", done.stderr)
            return "refused"
        now = self.everything()
        self.assertIn(now, (changed, self.backed_up))
        return "old" if now == changed else "new"

    def test_another_backup_afterwards(self):
        """Whoever names another one gets that: the interrupted one is completed first."""
        other_state = self.change()
        other = self.make_backup("other")
        step = 1
        while not os.path.exists(os.path.join(self.store.home, "restoring")):
            self.assertLess(step, STEPS_MAX)
            self.die_at(step, "--yes", "restore", self.backup)
            step += 1
        said = self.done("--yes", "restore", other)
        self.assertIn("completed the restore of %s, which had been interrupted\n" % self.backup, said)
        self.assertIn("restored 1 users and 5 sessions\n", said)
        self.assertEqual(self.everything(), other_state)


if __name__ == "__main__":
    tap.main(globals())
