#!/usr/bin/env python3
"""focusstats verify: it finds nothing in a store that is whole, whatever goes on in it, and names what is wrong in one that is not."""

import os
import shutil
import subprocess
import uuid

from store import StoreCase

import harness
import offline
import tap
from folder import BUILD

WHOLE = "all of %d users, %d sessions and %d described documents is whole (schema version 2)\n"
PAGE = 4096


class Whole(StoreCase):
    @tap.cases([("without a service", 0), ("with one process", 1), ("with three", 3)])
    def test_counts(self, processes):
        self.fill(users=3, sessions=5)
        if processes:
            self.serve(processes=processes)
        self.assertEqual(self.done("verify"), WHOLE % (3, 21, 3))
        self.assertEqual(self.tool.lines("verify"), [{"findings": 0, "users": 3, "sessions": 21, "documents": 3, "schema": 2}])
        self.assertEqual(self.done("-q", "verify"), "")
        self.assert_nothing_staged()

    def test_new_home(self):
        self.assertEqual(self.done("verify"), WHOLE % (0, 0, 0))

    def test_ids_of_all_kinds(self):
        self.serve()
        for user in ["a", "aa", "a b", "é 📚", "x" * 255, "~"]:
            self.post("initUser", user=user)
            self.post("startSession", user=user, document=user, library=user)
        self.assertEqual(self.done("verify"), WHOLE % (6, 6, 0))

    def test_edited_and_removed(self):
        self.serve()
        for user in ("ann", "bob"):
            self.post("initUser", user=user)
            self.add(user, 10)
        for session in self.post("_getSessions", user="ann")[:4]:
            self.post("editSession", focusSession=session["focusSession"]["_id"], document="other")
        for session in self.post("_getSessions", user="ann")[3:6]:
            self.post("removeSession", focusSession=session["focusSession"]["_id"])
        self.post("removeUser", user="bob", confirm="bob")
        self.assertEqual(self.done("verify"), WHOLE % (1, 7, 0))

    def test_while_clients_write(self):
        from ledger import FcgiClient, Ledger, Writers
        self.serve()
        ledger = Ledger()
        writers = Writers(ledger, 8, lambda: FcgiClient(self.responder)).start()
        try:
            for _ in range(5):
                ledger.wait_flow()
                self.assertRegex(self.done("verify"), r"is whole \(schema version 2\)\n$")
        finally:
            writers.stop()

    def test_schema_of_the_first_version(self):
        """The store stays what it is: only the copy is brought up."""
        import schema1
        if schema1.missing():
            self.skipTest(schema1.missing())
        schema1.install(self.store)
        self.assertRegex(self.done("verify"), r"is whole \(schema version 2\)\n$")


class Damaged(StoreCase):
    def setUp(self):
        super().setUp()
        if offline.missing():
            self.skipTest(offline.missing())
        self.fill()

    def path(self, name):
        return os.path.join(self.store.home, name)

    def records(self, name):
        return offline.dump(self.path(name))

    def damage(self, name, what, *pair):
        """Behind the program's back; the service has stopped."""
        program = self.store.join("cgi-bin", "damage")
        if not os.path.exists(program):
            shutil.copy(os.path.join(BUILD, "tests", "tool", "damage"), program)
        who = {"user": harness.worker().pw_uid, "group": harness.worker().pw_gid, "extra_groups": []} if harness.AS_ROOT else {}
        subprocess.run([program, self.store.home, name, what, *(part.hex() for part in pair)], check=True, **who)

    def flip(self, name, offset):
        with open(self.path(name), "r+b") as file:
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 1]))
        self.store.leaks = False

    def finds(self, *lines, count=None):
        """Exactly these lines, each a beginning and an end with … between them."""
        done = self.refused(["verify"], self.store.home, "is wrong")
        found = done.stdout.splitlines()
        self.assertEqual(len(found), count or len(lines), done.stdout)
        for line in lines:
            begin, _, end = line.partition("…")
            self.assertTrue(any(one.startswith(begin) and one.endswith(end) for one in found), "%s: %s" % (line, done.stdout))
        self.assert_nothing_staged()
        return done

    def of_user(self, name, user=b"u1"):
        return [pair for pair in self.records(name) if pair[0].startswith(user + b"\0")]

    def totals(self, users, sessions):
        self.damage("meta.db", "put", b"totals", bytes([1]) + users.to_bytes(8, "big") + sessions.to_bytes(8, "big"))

    def test_deleted_entry(self):
        """Named once as missing, and what its user's sums are off by."""
        key, value = self.of_user("sessions_by_user.db")[0]
        self.damage("sessions_by_user.db", "del", key)
        self.finds("sessions_by_user.db: session %s of user 'u1' is missing" % uuid.UUID(bytes=value),
                   "stats.db: user 'u1': sessions: 5, and its sessions make 4", "stats.db: user 'u1': ended sessions: 3, and its sessions make 2",
                   "stats.db: user 'u1': milliseconds: 180000, and its sessions make 120000",
                   "meta.db: the totals are 2 users and 10 sessions, and there are 2 and 9")

    def test_deleted_entry_of_an_open_session(self):
        key, value = self.of_user("active_by_user.db")[0]
        self.damage("active_by_user.db", "del", key)
        self.finds("active_by_user.db: session %s of user 'u1' is missing" % uuid.UUID(bytes=value))

    def test_orphan_entry(self):
        """Of a session that is not there, in either index."""
        key, value = self.of_user("sessions_by_user.db")[0]
        other = uuid.uuid4()
        start = len(b"u1\0") + 8
        orphan = key[:start] + other.bytes + key[start + 16:]
        self.damage("sessions_by_user.db", "put", orphan, other.bytes)
        self.damage("active_by_user.db", "put", orphan, other.bytes)
        self.finds("sessions_by_user.db: user 'u1', session %s: there is no such session" % other,
                   "active_by_user.db: user 'u1', session %s: there is no such session" % other)

    def test_ended_session_among_the_open_ones(self):
        key, value = self.of_user("sessions_by_user.db")[0]
        self.damage("active_by_user.db", "put", key, value)
        self.finds("active_by_user.db: user 'u1', session %s: it has ended" % uuid.UUID(bytes=value))

    def test_entry_that_is_another_one(self):
        """The record was changed, and the index was not."""
        (key, value), = [pair for pair in self.records("sessions.db") if pair[1].endswith(b"00001\x01l") and b"u1" in pair[1]]
        self.damage("sessions.db", "put", key, value.replace(b"00001", b"00009"))
        self.finds("sessions_by_user.db: user 'u1', session %s: the entry is not that of the session's record" % uuid.UUID(bytes=key),
                   "sessions_by_user.db: session %s of user 'u1' is missing" % uuid.UUID(bytes=key), "stats.db: user 'u1': sessions: 5…make 4",
                   "stats.db: user 'u1': ended sessions…", "stats.db: user 'u1': milliseconds…", "meta.db: the totals…")

    def test_entry_that_leads_elsewhere(self):
        (key, _), (_, other) = self.of_user("sessions_by_user.db")[:2]
        self.damage("sessions_by_user.db", "put", key, other)
        self.finds("sessions_by_user.db: user 'u1', session …: the entry leads to another session", "sessions_by_user.db: user…",
                   count=self.refused(["verify"], "is wrong").stdout.count("\n"))

    def test_unreadable_session(self):
        key, value = self.records("sessions.db")[0]
        self.damage("sessions.db", "put", key, value[:-1])
        self.finds("sessions.db: the record with the key %s is not readable" % key.hex())

    def test_key_that_is_no_id(self):
        self.damage("sessions.db", "put", b"odd", b"value")
        self.finds("sessions.db: the record with the key 6f6464 is not readable")

    def test_unreadable_user_and_document(self):
        key, value = self.records("stats.db")[0]
        self.damage("stats.db", "put", key, b"\x09" + value[1:])
        self.damage("documents.db", "put", b"u1\0d", b"\x01")
        self.finds("stats.db: the record with the key 7530 is not readable", "documents.db: the record with the key %s is not readable" % b"u1\0d".hex(),
                   "meta.db: the totals are 2 users and 10 sessions, and there are 1 and 5")

    def test_unreadable_keys(self):
        for name in ("sessions_by_user.db", "active_by_user.db"):
            self.damage(name, "put", b"u1\0short", b"x" * 16)
        self.finds("sessions_by_user.db: the key %s is not readable" % b"u1\0short".hex(), "active_by_user.db: the key %s is not readable" % b"u1\0short".hex())

    @tap.cases([("sessions", 17, "sessions: 6, and its sessions make 5"), ("ended", 25, "ended sessions: 4, and its sessions make 3"),
                ("length", 33, "milliseconds: 180001, and its sessions make 180000"),
                ("watched", 49, "open sessions with heartbeats: 2, and its sessions make 1")])
    def test_wrong_sum(self, at, said):
        key, value = self.records("stats.db")[1]
        number = int.from_bytes(value[at:at + 8], "big") + 1
        self.damage("stats.db", "put", key, value[:at] + number.to_bytes(8, "big") + value[at + 8:])
        self.finds("stats.db: user 'u1': " + said)

    def test_bounds(self):
        """A longest session that is too short, a first look that is too late; the other way round they are bounds all the same."""
        key, value = self.records("stats.db")[1]
        changed = value[:41] + (59999).to_bytes(8, "big") + value[49:57] + (2 ** 62).to_bytes(8, "big") + value[65:]
        self.damage("stats.db", "put", key, changed)
        self.finds("stats.db: user 'u1': a session is longer than the longest", "stats.db: user 'u1': a session was last seen before the first")
        self.damage("stats.db", "put", key, value[:41] + (2 ** 62).to_bytes(8, "big") + value[49:57] + bytes(8) + value[65:])
        self.done("verify")

    @tap.cases([("sessions", 2, 11), ("users", 3, 10)])
    def test_wrong_total(self, users, sessions):
        self.totals(users, sessions)
        self.finds("meta.db: the totals are %d users and %d sessions, and there are 2 and 10" % (users, sessions))

    def test_totals_that_are_none(self):
        self.damage("meta.db", "put", b"totals", b"\x01")
        self.finds("meta.db: the totals are not readable")
        self.damage("meta.db", "del", b"totals")
        self.finds("meta.db: the totals are missing")

    def test_missing_user(self):
        self.damage("stats.db", "del", b"u0")
        self.finds("stats.db: user 'u0' has 5 sessions, and no record", "documents.db: user 'u0' has documents, and no record in stats.db",
                   "meta.db: the totals are 2 users and 10 sessions, and there are 1 and 5")

    def test_user_being_removed(self):
        """Is no fault, however much of them is left; without the note in meta.db it is one, and so is a note of somebody else."""
        key, value = self.records("stats.db")[1]
        self.damage("stats.db", "put", key, value[:65] + b"\x01" + value[66:])
        self.totals(1, 5)
        gone = self.of_user("sessions_by_user.db")[0]
        for name, record in (("sessions_by_user.db", gone[0]), ("sessions.db", gone[1])):
            self.damage(name, "del", record)
        self.finds("meta.db: user 'u1' is being removed, and is not noted as that")
        self.damage("meta.db", "put", b"removed\0u0", b"")
        self.finds("meta.db: user 'u1' is being removed, and is not noted as that")
        self.damage("meta.db", "put", b"removed\0u1", b"")
        self.finds("meta.db: 2 users are noted as being removed, and 1 are")

    def test_damage_that_is_everywhere(self):
        """A hundred are named, the rest counted."""
        self.serve()
        self.add("u1", 200, first=10)
        self.responder.stop()
        self.damage("sessions_by_user.db", "del", *(key for key, _ in self.of_user("sessions_by_user.db")[:120]))
        done = self.refused(["verify"], "(124)")
        self.assertEqual(len(done.stdout.splitlines()), 101)
        self.assertTrue(done.stdout.endswith("and 24 more\n"))
        done = self.refused(["--json", "verify"], "(124)")
        self.assertEqual(done.stdout.count('{"finding":"'), 100)
        self.assertIn('{"findings":124,"users":2,', done.stdout)

    @tap.cases([(name, name) for name in ("meta.db", "stats.db", "sessions.db", "sessions_by_user.db", "active_by_user.db", "documents.db")])
    def test_flipped_byte(self, name):
        """In the middle of the last page; whether it is noticed before the pages are looked at depends on who reads it first."""
        size = os.path.getsize(self.path(name))
        self.flip(name, size - 30)
        done = self.refused(["verify"])
        self.store.reported.update(line for line in self.store.log_text().split("\n") if "PANIC" in line)  # of the tool, at a recovery
        self.assertRegex(done.stdout, r"(?m)^%s: .*[Pp]age %d\b" % (name, size // PAGE - 1))
        self.assertNotIn("is whole", done.stdout)

    def test_flipped_byte_under_a_service(self):
        """In a page that nobody needs: the service lives on, and the damage is found. An orderly stop writes no checkpoint where nothing was written
        since one that began during the last write, and recovery would then read every page of that write; the recovery of a command ends with one."""
        self.serve()
        self.add("u1", 2000, long=True, first=10)
        self.responder.stop()
        self.done("users")
        page = os.path.getsize(self.path("sessions_by_user.db")) // PAGE // 2
        self.flip("sessions_by_user.db", page * PAGE + 2000)
        self.serve()
        done = self.refused(["verify"])
        self.assertRegex(done.stdout, r"(?m)^sessions_by_user.db: .*[Pp]age %d\b" % page)
        self.assertEqual(self.responder.pids, [self.responder.children[0].pid])

    def test_missing_file(self):
        os.unlink(self.path("documents.db"))
        done = self.refused(["verify"], "documents.db", "missing")
        self.assertIn("documents.db: is missing\n", done.stdout)


if __name__ == "__main__":
    tap.main(globals())
