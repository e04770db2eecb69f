"""The store's files, read without the program: through the engine's own tools, by what doc/schema.md says of the records.

    store = offline.read(folder)         after everything has stopped in order; db_verify passes on every file, all secondaries, sums and
                                         totals are what the primary makes them; AssertionError otherwise
    store.sessions                       id as text -> Record
    store.check(ledger)                  what the clients were told is what is there
"""

import os
import shutil
import struct
import subprocess
import uuid

from ledger import DONE, MAYBE

VERSION = 2
ENDED, SEEN, REPORTED, MOVED, VERSION_2 = 1, 2, 4, 8, 128
REMOVED = b"removed\0"
# A clock may be read a moment earlier than another one that is whole milliseconds.
CLOCK_MS = 2


def tool(name):
    """The path of a tool of Berkeley DB 5.3, or None."""
    return shutil.which("db5.3_" + name) or shutil.which("db_" + name)


def missing():
    """None, or why nothing can be read."""
    return None if tool("dump") and tool("verify") else "Berkeley DB's tools are not installed (Debian package db5.3-util)"


class Reader:
    """Takes a record's bytes apart from the front."""

    def __init__(self, data):
        self.data = data

    def take(self, size):
        if len(self.data) < size:
            raise AssertionError("a record ends too early")
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def text(self):
        size = self.number(1)
        if size == 0:
            raise AssertionError("a record holds an empty id")
        return self.take(size).decode("utf-8")

    def end(self):
        if self.data:
            raise AssertionError("%d bytes are left behind a record" % len(self.data))


class Record:
    """A session, of either version."""

    def __init__(self, key, value):
        if len(key) != 16:
            raise AssertionError("a session's key has %d bytes" % len(key))
        reader = Reader(value)
        self.version = reader.number(1)
        if self.version not in (1, VERSION):
            raise AssertionError("a session's version is %d" % self.version)
        self.key = key
        self.flags = reader.number(1)
        self.ended = bool(self.flags & ENDED)
        self.start_ms = reader.number(8)
        before = reader.data
        if self.version == 1:
            self.end_ms, self.last_seen_ms = reader.number(8), None
        else:
            self.end_ms = reader.number(8) if self.ended else 0
            self.last_seen_ms = reader.number(8) if self.flags & SEEN else None
            if self.flags & REPORTED and not 0 <= struct.unpack(">dQ", reader.take(16))[0] <= 1:
                raise AssertionError("session %s reports what is no progress" % uuid.UUID(bytes=key))
        self.facts = before[:len(before) - len(reader.data)]
        self.user, self.document, self.library = reader.text(), reader.text(), reader.text()
        if self.version > 1 and self.flags & MOVED:
            reader.text()
        reader.end()
        if self.ended and self.end_ms < self.start_ms:
            raise AssertionError("session %s ends before it starts" % uuid.UUID(bytes=key))
        if self.last_seen_ms is not None and self.last_seen_ms < self.start_ms:
            raise AssertionError("session %s was seen before it starts" % uuid.UUID(bytes=key))

    def by_user_key(self):
        """Its key in sessions_by_user.db, and while it is open in active_by_user.db."""
        document, library = self.document.encode(), self.library.encode()
        flags = self.flags & (ENDED | SEEN | REPORTED) | (VERSION_2 if self.version > 1 else 0)
        return b"".join((self.user.encode(), b"\0", struct.pack(">Q", self.start_ms), self.key, bytes([flags]), self.facts,
                         bytes([len(document)]), document, bytes([len(library)]), library))


class Stats:
    """A user's record."""

    def __init__(self, value):
        reader = Reader(value)
        if reader.number(1) != VERSION:
            raise AssertionError("the version of a user's record is %d" % value[0])
        self.id = str(uuid.UUID(bytes=reader.take(16)))
        self.sessions, self.ended, self.ended_ms, self.longest_ms, self.watched, self.first_seen_ms = (reader.number(8) for _ in range(6))
        self.removed = bool(reader.number(1) & 1)
        self.day_start, self.week_start, self.goal, self.idle_timeout = (reader.number(size) for size in (2, 1, 4, 4))
        self.timezone = reader.text()
        reader.end()

    def check(self, user, records):
        """The sums are those of the user's sessions."""
        ended = [record.end_ms - record.start_ms for record in records if record.ended]
        seen = [record.last_seen_ms for record in records if not record.ended and record.last_seen_ms is not None]
        found = (len(records), len(ended), sum(ended), len(seen))
        if found != (self.sessions, self.ended, self.ended_ms, self.watched):
            raise AssertionError("user %s has %d sessions, %d ended, %d ms, %d open ones seen; the sums say %d, %d, %d, %d"
                                 % (user, *found, self.sessions, self.ended, self.ended_ms, self.watched))
        if max(ended, default=0) > self.longest_ms or (seen and min(seen) < self.first_seen_ms):
            raise AssertionError("user %s has a session beyond the bounds %d and %d" % (user, self.longest_ms, self.first_seen_ms))


def dump(path):
    """The pairs of a file, in its order."""
    done = subprocess.run([tool("dump"), path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise AssertionError("db_dump %s: %s" % (path, done.stderr.decode("utf-8", "replace")))
    lines = done.stdout.split(b"\n")
    begin, end = lines.index(b"HEADER=END") + 1, lines.index(b"DATA=END")
    values = [bytes.fromhex(line.decode()) for line in lines[begin:end]]
    return list(zip(values[0::2], values[1::2]))


def verify(folder):
    for name in sorted(os.listdir(folder.home)):
        if name.endswith(".db"):
            done = subprocess.run([tool("verify"), "-q", os.path.join(folder.home, name)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if done.returncode != 0:
                raise AssertionError("db_verify %s: %s" % (name, done.stdout.decode("utf-8", "replace")))


def sessions(folder):
    """The primary alone."""
    return {str(uuid.UUID(bytes=key)): Record(key, value) for key, value in dump(os.path.join(folder.home, "sessions.db"))}


class Store:
    """Everything in the files, consistent in itself."""

    def __init__(self, folder):
        left = [name for name in os.listdir(folder.home) if name.startswith("__db.") or name == "sync-failed"]
        if left:
            raise AssertionError("in the home is left: %s" % ", ".join(left))
        verify(folder)
        self.sessions = sessions(folder)
        self.by_user = dump(os.path.join(folder.home, "sessions_by_user.db"))
        self.active = dump(os.path.join(folder.home, "active_by_user.db"))
        self.users = {key.decode("utf-8"): Stats(value) for key, value in dump(os.path.join(folder.home, "stats.db"))}
        self.documents = dump(os.path.join(folder.home, "documents.db"))
        self.meta = dict(dump(os.path.join(folder.home, "meta.db")))
        self.check_meta()
        self.check_secondaries()
        self.check_sums()

    def check_meta(self):
        removed = {user for user, stats in self.users.items() if stats.removed}
        left = {key: value for key, value in self.meta.items() if not key.startswith(REMOVED)}
        if set(left) != {b"schema", b"totals"} or left[b"schema"] != b"2":
            raise AssertionError("meta.db holds %r" % self.meta)
        if {key[len(REMOVED):].decode() for key in self.meta if key.startswith(REMOVED)} != removed:
            raise AssertionError("removed are %r, and meta.db holds %r" % (removed, self.meta))
        version, users, sessions = struct.unpack(">BQQ", left[b"totals"])
        counted = sum(record.user not in removed for record in self.sessions.values())
        if (version, users, sessions) != (1, len(self.users) - len(removed), counted):
            raise AssertionError("there are %d users and %d sessions; meta.db says %d and %d" % (len(self.users) - len(removed), counted, users, sessions))

    def check_secondaries(self):
        made = {"sessions_by_user.db": (self.by_user, self.sessions.values()),
                "active_by_user.db": (self.active, [record for record in self.sessions.values() if not record.ended])}
        for name, (found, records) in made.items():
            expected = sorted((record.by_user_key(), record.key) for record in records)
            if expected != found:
                there = set(found)
                raise AssertionError("%s has %d keys, sessions.db makes %d, of which %d are not in it"
                                     % (name, len(found), len(expected), len([pair for pair in expected if pair not in there])))
        for record in self.sessions.values():
            if record.version == 1 and not record.ended:
                raise AssertionError("session %s is open and still of version 1" % uuid.UUID(bytes=record.key))

    def check_sums(self):
        records = {user: [] for user in self.users}
        for identity, record in self.sessions.items():
            if record.user not in records:
                raise AssertionError("session %s is of user %s, who is not there" % (identity, record.user))
            records[record.user].append(record)
        for user, stats in self.users.items():
            if not stats.removed:
                stats.check(user, records[user])
        for key, _ in self.documents:
            if key.split(b"\0")[0].decode() not in self.users:
                raise AssertionError("a document is of user %r, who is not there" % key)

    def check(self, ledger):
        """Compares with what the clients were told. Returns how many requests without an answer turned out to be done."""
        wrong = list(ledger.nonsense)
        for user, identity in ledger.users.items():
            if user not in self.users or self.users[user].id != identity:
                wrong.append("user %s was acknowledged as %s and is %s" % (user, identity, self.users[user].id if user in self.users else None))
        documents = {}
        for identity, record in self.sessions.items():
            if record.document in documents:
                wrong.append("document %s was started twice" % record.document)
            documents[record.document] = identity
        found = 0
        for session in ledger.sessions:
            identity = documents.pop(session.document, None)
            problem = self.compare(session, identity, self.sessions.get(identity))
            if problem:
                wrong.append("%r: %s" % (session, problem))
            found += session.start == MAYBE and identity is not None
        wrong += ["document %s was never asked for" % document for document in documents]
        if wrong:
            raise AssertionError("%d are wrong:\n%s" % (len(wrong), "\n".join(wrong[:20])))
        return found

    @staticmethod
    def compare(session, identity, record):
        """None, or what is wrong with a session."""
        if session.start not in (DONE, MAYBE):
            return None if record is None else "is there, though its start was not carried out"
        if record is None:
            return None if session.start == MAYBE or session.remove in (DONE, MAYBE) else "is lost"
        if session.remove == DONE:
            return "is there, though it was removed"
        if session.start == DONE and identity != session.id:
            return "has another id, %s" % identity
        if record.user != session.user or record.library != "library":
            return "has another user or library"
        if not session.started[0] - CLOCK_MS <= record.start_ms <= session.started[1] + CLOCK_MS:
            return "starts at %d" % record.start_ms
        if record.ended != (session.end == DONE) and session.end != MAYBE:
            return "has ended" if record.ended else "has not ended"
        if record.ended and not session.ended[0] - CLOCK_MS <= record.end_ms <= session.ended[1] + CLOCK_MS:
            return "ends at %d" % record.end_ms
        return None


def read(folder):
    return Store(folder)
