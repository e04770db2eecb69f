"""The store's files, read without the program: through the engine's own tools, by what doc/schema.md says of the records.

    store = offline.read(folder)         after everything has stopped in order; db_verify passes on every file, all secondaries and totals are
                                         what the primary makes them; AssertionError otherwise
    store.sessions                       id as text -> Record
    store.check(ledger)                  what the clients were told is what is there
"""

import os
import shutil
import struct
import subprocess
import uuid

from ledger import DONE, MAYBE

VERSION = 1
ENDED = 1
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
    """A session."""

    def __init__(self, key, value):
        if len(key) != 16:
            raise AssertionError("a session's key has %d bytes" % len(key))
        reader = Reader(value)
        if reader.number(1) != VERSION:
            raise AssertionError("a session's version is %d" % value[0])
        self.key = key
        self.ended = bool(reader.number(1) & ENDED)
        self.start_ms = reader.number(8)
        self.end_ms = reader.number(8)
        self.user, self.document, self.library = reader.text(), reader.text(), reader.text()
        reader.end()
        if self.ended and self.end_ms < self.start_ms:
            raise AssertionError("session %s ends before it starts" % uuid.UUID(bytes=key))

    def by_user_key(self):
        """Its key in sessions_by_user.db."""
        document, library = self.document.encode(), self.library.encode()
        return b"".join((self.user.encode(), b"\0", struct.pack(">Q", self.start_ms), self.key, bytes([ENDED if self.ended else 0]),
                         struct.pack(">Q", self.end_ms if self.ended else 0), bytes([len(document)]), document, bytes([len(library)]), library))


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
        self.users = {key.decode("utf-8"): self.stats(value) for key, value in dump(os.path.join(folder.home, "stats.db"))}
        self.meta = dict(dump(os.path.join(folder.home, "meta.db")))
        if self.meta != {b"schema": b"1"}:
            raise AssertionError("meta.db holds %r" % self.meta)
        self.check_secondary()
        self.check_totals()

    @staticmethod
    def stats(value):
        reader = Reader(value)
        if reader.number(1) != VERSION:
            raise AssertionError("the version of a user's record is %d" % value[0])
        made = (str(uuid.UUID(bytes=reader.take(16))), reader.number(8), reader.number(8))
        reader.end()
        return made

    def check_secondary(self):
        expected = sorted((record.by_user_key(), record.key) for record in self.sessions.values())
        if expected != self.by_user:
            there = set(self.by_user)
            lacking = [record for record in self.sessions.values() if (record.by_user_key(), record.key) not in there]
            raise AssertionError("sessions_by_user.db has %d keys, sessions.db makes %d, of which %d are not in it"
                                 % (len(self.by_user), len(expected), len(lacking)))

    def check_totals(self):
        counted = {user: [0, 0] for user in self.users}
        for identity, record in self.sessions.items():
            if record.user not in counted:
                raise AssertionError("session %s is of user %s, who is not there" % (identity, record.user))
            counted[record.user][0] += 1
            counted[record.user][1] += record.ended
        for user, (_, sessions, ended) in self.users.items():
            if counted[user] != [sessions, ended]:
                raise AssertionError("user %s has %d sessions, %d ended; the totals say %d and %d" % (user, *counted[user], sessions, ended))

    def check(self, ledger):
        """Compares with what the clients were told. Returns how many requests without an answer turned out to be done."""
        wrong = list(ledger.nonsense)
        for user, identity in ledger.users.items():
            if self.users.get(user, (None,))[0] != identity:
                wrong.append("user %s was acknowledged as %s and is %r" % (user, identity, self.users.get(user)))
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
