#!/usr/bin/env python3
"""doc/schema.md against what the program writes: the page's tables are the decoder."""

import os
import re
import shutil
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import datetime

import harness
import tap
from markdown import Block, parts, read, sections

PAGE = "doc/schema.md"
DATABASES = ["sessions.db", "sessions_by_user.db", "stats.db"]
DUMP = shutil.which("db5.3_dump") or shutil.which("db_dump")


def layouts():
    """For each database the layout of its keys and of its values: pairs of size and field."""
    made = {}
    for section in sections(read(PAGE)):
        if section.title in DATABASES:
            tables = [part for part in parts(section.lines) if not isinstance(part, Block)]
            made[section.title] = [[(row[0], row[1]) for row in table[1:]] for table in tables if table[0][0] == "Bytes"]
    return made


def decode(layout, data):
    """The fields of one key or value; AssertionError where it is not exactly as long as they are."""
    fields = {}
    for size, name in layout:
        if size == "all":
            taken, data = data, b""
        elif size == "to NUL":
            taken, data = data.split(b"\0", 1)
        elif size == "1 + n":
            taken, data = data[1:1 + data[0]], data[1 + data[0]:]
        else:
            taken, data = data[:int(size)], data[int(size):]
            if len(taken) != int(size):
                raise AssertionError("%s: too short" % name)
        fields[name] = taken if len(taken) == 16 or size in ("all", "to NUL", "1 + n") else int.from_bytes(taken, "big")
    if data:
        raise AssertionError("%d bytes are left: %r" % (len(data), fields))
    return fields


def dump(folder, name):
    """Keys and values of a database as bytes."""
    done = subprocess.run([DUMP, os.path.join(folder.home, name)], stdout=subprocess.PIPE, check=True)
    lines = [bytes.fromhex(line.decode()[1:]) for line in done.stdout.split(b"\n") if line.startswith(b" ")]
    return list(zip(lines[::2], lines[1::2]))


def milliseconds(instant):
    moment = datetime.datetime.strptime(instant, "%Y-%m-%dT%H:%M:%S.%f%z")
    return round((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(milliseconds=1))


class Schema(harness.Case):
    """A store with an ended session, an active one and ids as long as they can be."""

    def setUp(self):
        super().setUp()
        if DUMP is None:
            self.skipTest("Berkeley DB's tools are not installed (Debian package db5.3-util)")
        self.layouts = layouts()
        store = self.folder()
        responder = self.start(harness.Responder(store))
        self.library = "l" * 255
        self.users = {}
        for user in ("ada", "ada" + "m" * 252):
            stats = responder.post("initUser", {"user": user}).json()["focusStats"]
            ended = [responder.post("startSession", {"user": user, "document": "d" * 255, "library": self.library}).json()["focusSession"]
                     for _ in range(2)]
            responder.post("endSession", {"focusSession": ended[0]})
            sessions = [element["focusSession"] for element in responder.post("_getSessions", {"user": user}).json()]
            self.users[user] = (stats, sessions)
        responder.stop()
        self.store = store

    def records(self, name):
        key, value = self.layouts[name]
        return [(decode(key, left), decode(value, right), left, right) for left, right in dump(self.store, name)]

    def sessions(self):
        return {session["_id"]: session for _, sessions in self.users.values() for session in sessions}

    def check_session(self, fields):
        session = self.sessions()[str(uuid.UUID(bytes=fields["id"]))]
        self.assertEqual(fields["user"].decode(), session["user"])
        self.assertEqual(fields["document"].decode(), session["document"])
        self.assertEqual(fields["library"].decode(), self.library)
        self.assertEqual(fields["start"], milliseconds(session["startTime"]))
        self.assertEqual(fields["end"], milliseconds(session["endTime"]) if session["endTime"] else 0)
        self.assertEqual(fields["flags"], 1 if session["endTime"] else 0)

    def test_sessions(self):
        records = self.records("sessions.db")
        self.assertEqual(len(records), 4)
        for key, value, _, _ in records:
            self.assertEqual(value["version"], 1)
            self.check_session({**key, **value})
        self.assertEqual(max(len(raw) for _, _, _, raw in records), self.documented("The value, at most ([0-9]+) bytes", "sessions.db"))

    def test_sessions_by_user(self):
        records = self.records("sessions_by_user.db")
        self.assertEqual(len(records), 4)
        for key, value, raw, _ in records:
            self.assertEqual(key["id"], value["id"])
            self.check_session(key)
        self.assertEqual(max(len(raw) for _, _, raw, _ in records), self.documented("The key, at most ([0-9]+) bytes", "sessions_by_user.db"))
        self.assertEqual([key["user"].decode() for key, _, _, _ in records], sorted(2 * list(self.users)))

    def test_stats(self):
        records = self.records("stats.db")
        self.assertEqual({key["user"].decode(): (value["version"], str(uuid.UUID(bytes=value["id"])), value["sessions"], value["ended"])
                          for key, value, _, _ in records},
                         {user: (1, stats, 2, 1) for user, (stats, _) in self.users.items()})
        self.assertEqual({len(raw) for _, _, _, raw in records}, {self.documented("The value, ([0-9]+) bytes", "stats.db")})

    def test_meta(self):
        self.assertEqual(dump(self.store, "meta.db"), [(b"schema", b"1")])

    def documented(self, pattern, title):
        for section in sections(read(PAGE)):
            if section.title == title:
                return int(re.search(pattern, " ".join(section.text.split()))[1])
        raise AssertionError("no section %s" % title)


class Page(harness.Case):
    """What the page shows without a run."""

    def test_the_example_is_as_the_tables_say(self):
        block = [part for section in sections(read(PAGE)) for part in parts(section.lines) if isinstance(part, Block)][0]
        lines = block.text.split("\n")
        found = {}
        for at, line in enumerate(lines):
            if line in DATABASES:
                key, value = (bytes.fromhex(lines[at + step]) for step in (1, 2))
                found[line] = {**decode(layouts()[line][0], key), **decode(layouts()[line][1], value)}
        self.assertEqual(sorted(found), sorted(DATABASES))
        self.assertEqual({fields["user"] for fields in found.values()}, {b"ada"})
        session, entry = found["sessions.db"], found["sessions_by_user.db"]
        self.assertEqual(session["end"] - session["start"], 45 * 60 * 1000)
        for name in ("id", "start", "end", "document", "library", "flags"):
            self.assertEqual(session[name], entry[name], name)
        self.assertEqual((found["stats.db"]["sessions"], found["stats.db"]["ended"]), (1, 1))

    def test_every_file_of_the_home_is_listed(self):
        store = self.folder()
        responder = self.start(harness.Responder(store))
        listed = [re.escape(name).replace(r"\*", ".*").replace("NNNNNNNNNN", r"\d{10}")
                  for name in re.findall(r"(?m)^\| `([^`]+)` \|", [section.text for section in sections(read(PAGE)) if section.title == "Files"][0])]
        responder.post("initUser", {"user": "a"})
        for name in os.listdir(store.home):
            self.assertTrue(any(re.fullmatch(pattern, name) for pattern in listed), name)


if __name__ == "__main__":
    tap.main(globals())
