#!/usr/bin/env python3
"""doc/schema.md against what the program writes: the page's tables are the decoder."""

import os
import re
import shutil
import struct
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import datetime

import harness
import tap
import schema1
from markdown import Block, parts, read, sections

PAGE = "doc/schema.md"
DATABASES = ["sessions.db", "sessions_by_user.db", "stats.db", "documents.db"]
DUMP = shutil.which("db5.3_dump") or shutil.which("db_dump")
ENDED, SEEN, REPORTED, MOVED, VERSION_2 = 1, 2, 4, 8, 128


def layouts(prefix=""):
    """For each database the layout of its keys and of its values, or of its values alone: triples of size, field and when."""
    made = {}
    for section in sections(read(PAGE)):
        if section.title.startswith(prefix) and section.title[len(prefix):] in DATABASES:
            tables = [part for part in parts(section.lines) if not isinstance(part, Block)]
            made[section.title[len(prefix):]] = [[tuple(row[:3]) for row in table[1:]] for table in tables if table[0][0] == "Bytes"]
    if not prefix:
        made["active_by_user.db"] = made["sessions_by_user.db"]
    return made


def times(when, fields):
    """How often a field is there."""
    bit = re.fullmatch("bit ([0-7]) of (\\w+)", when)
    number = re.fullmatch("(\\w+) times", when)
    if bit:
        return fields[bit[2]] >> int(bit[1]) & 1
    if number:
        return fields[number[1]]
    if when != "always":
        raise AssertionError("'%s' is not understood" % when)
    return 1


def take(size, name, data):
    """One field, and what is behind it."""
    if size == "all":
        return data, b""
    if size == "to NUL":
        return data.split(b"\0", 1)
    before = re.fullmatch(r"([12]) \+ n", size)
    begin = int(before[1]) if before else 0
    end = begin + (int.from_bytes(data[:begin], "big") if before else int(size))
    if len(data) < end:
        raise AssertionError("%s: too short" % name)
    taken = data[begin:end]
    return (taken if before or end == 16 else int.from_bytes(taken, "big")), data[end:]


def decode(layout, data):
    """The fields of one key or value; AssertionError where it is not exactly as long as they are. A field that may be there several times is a list."""
    fields = {}
    for size, name, when in layout:
        for _ in range(times(when, fields)):
            taken, data = take(size, name, data)
            if when.endswith("times"):
                fields.setdefault(name, []).append(taken)
            else:
                fields[name] = taken
    if data:
        raise AssertionError("%d bytes are left: %r" % (len(data), fields))
    return fields


def portion(bits):
    return struct.unpack(">d", bits.to_bytes(8, "big"))[0]


def dump(folder, name):
    """Keys and values of a database as bytes."""
    done = subprocess.run([DUMP, os.path.join(folder.home, name)], stdout=subprocess.PIPE, check=True)
    lines = [bytes.fromhex(line.decode()[1:]) for line in done.stdout.split(b"\n") if line.startswith(b" ")]
    return list(zip(lines[::2], lines[1::2]))


def milliseconds(instant):
    moment = datetime.datetime.strptime(instant, "%Y-%m-%dT%H:%M:%S.%f%z")
    return round((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(milliseconds=1))


class Schema(harness.Case):
    """A store with sessions of all kinds, and everything as long as it can be."""

    def setUp(self):
        super().setUp()
        if DUMP is None:
            self.skipTest("Berkeley DB's tools are not installed (Debian package db5.3-util)")
        self.layouts = layouts()
        self.store = self.folder()
        self.responder = self.start(harness.Responder(self.store))
        self.library = "l" * 255
        self.users, self.moved = {}, set()
        for user in ("ada", "ada" + "m" * 252):
            self.users[user] = self.post("initUser", {"user": user})["focusStats"]
            for kind in range(8):
                self.make_session(user, kind)
            self.make_session(user, ENDED | SEEN | REPORTED, moved=True)
            self.post("setDocument", {"user": user, "document": "d" * 255, "title": "t" * 1000, "authors": ["a" * 255] * 50})
            self.post("setDocument", {"user": user, "document": "e"})
        self.post("setSettings", {"user": "ada", "timezone": "Europe/Berlin", "dayStart": "04:30", "weekStart": "sunday", "dailyGoalSeconds": 1800,
                                  "idleTimeoutSeconds": 700})
        self.sessions = {element["focusSession"]["_id"]: element["focusSession"]
                         for user in self.users for element in self.post("_getSessions", {"user": user, "order": "asc"})}
        self.responder.stop()

    def post(self, action, fields):
        reply = self.responder.post(action, fields)
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def make_session(self, user, kind, moved=False):
        """One with the facts of KIND."""
        session = self.post("startSession", {"user": user, "document": "d" * 255, "library": self.library})["focusSession"]
        progress = {"progress": 0.3} if kind & REPORTED else {}
        if kind & SEEN or kind == REPORTED:  # without an end, only a heartbeat can tell
            self.post("heartbeat", {"focusSession": session, **progress})
        if kind & ENDED:
            self.post("endSession", {"focusSession": session, **progress})
        if moved:
            self.post("editSession", {"focusSession": session, "document": "e" * 255})
            self.moved.add(session)

    def records(self, name):
        key, value = self.layouts[name]
        return [(decode(key, left), decode(value, right), left, right) for left, right in dump(self.store, name)]

    def check_session(self, fields):
        session = self.sessions[str(uuid.UUID(bytes=fields["id"]))]
        for name in ("user", "document", "library"):
            self.assertEqual(fields[name].decode(), session[name])
        self.assertEqual(fields["start"], milliseconds(session["startTime"]))
        self.assertEqual(fields.get("end"), milliseconds(session["endTime"]) if session["endTime"] else None)
        self.assertEqual(fields.get("last seen"), milliseconds(session["lastSeen"]) if session["lastSeen"] else None)
        self.assertEqual(portion(fields["progress"]) if "progress" in fields else None, session["progress"])
        facts = (ENDED if session["endTime"] else 0) | (SEEN if session["lastSeen"] else 0) | (REPORTED if session["progress"] is not None else 0)
        self.assertEqual(fields["flags"] & 7, facts)
        return fields["flags"] & ~7

    def test_sessions(self):
        records = self.records("sessions.db")
        self.assertEqual(len(records), 18)
        for key, value, _, _ in records:
            self.assertEqual(value["version"], 2)
            was_moved = str(uuid.UUID(bytes=key["id"])) in self.moved
            self.assertEqual(self.check_session({**key, **value}), MOVED if was_moved else 0)
            self.assertEqual(value.get("started with"), b"d" * 255 if was_moved else None)
        self.assertEqual({value["flags"] & 7 for _, value, _, _ in records}, {0, 1, 2, 3, 5, 6, 7})
        self.assertEqual(max(len(raw) for _, _, _, raw in records), self.documented("The value, at most ([0-9]+) bytes", "sessions.db"))

    def test_sessions_by_user(self):
        records = self.records("sessions_by_user.db")
        self.assertEqual(len(records), 18)
        for key, value, raw, _ in records:
            self.assertEqual(key["id"], value["id"])
            self.assertEqual(self.check_session(key), VERSION_2)
        self.assertEqual(max(len(raw) for _, _, raw, _ in records), self.documented("The key, at most ([0-9]+) bytes", "sessions_by_user.db"))
        self.assertEqual([key["user"].decode() for key, _, _, _ in records], sorted(9 * list(self.users)))

    def test_active_by_user(self):
        self.assertEqual(dump(self.store, "active_by_user.db"),
                         [(left, right) for key, _, left, right in self.records("sessions_by_user.db") if not key["flags"] & ENDED])

    def test_stats(self):
        records = {key["user"].decode(): (value, len(raw)) for key, value, _, raw in self.records("stats.db")}
        self.assertEqual(set(records), set(self.users))
        for user, (value, size) in records.items():
            mine = [session for session in self.sessions.values() if session["user"] == user]
            lengths = [milliseconds(session["endTime"]) - milliseconds(session["startTime"]) for session in mine if session["endTime"]]
            seen = [milliseconds(session["lastSeen"]) for session in mine if session["lastSeen"] and not session["endTime"]]
            self.assertEqual((value["version"], str(uuid.UUID(bytes=value["id"])), value["sessions"], value["ended"], value["ended time"], value["watched"]),
                             (2, self.users[user], len(mine), len(lengths), sum(lengths), len(seen)))
            self.assertGreaterEqual(value["longest"], max(lengths))
            self.assertLessEqual(value["first seen"], min(seen))
            self.assertEqual((value["flags"], value["day start"], value["week start"], value["daily goal"], value["idle timeout"], value["time zone"]),
                             (0, 270, 7, 1800, 700, b"Europe/Berlin") if user == "ada" else (0, 0, 1, 0, 600, b"UTC"))
            self.assertEqual(size + 63 - len(value["time zone"]), self.documented("The value, at most ([0-9]+) bytes", "stats.db"))

    def test_documents(self):
        records = self.records("documents.db")
        self.assertEqual({(key["user"].decode(), key["document"].decode(), value["version"], value["title"], tuple(value.get("author", ())))
                          for key, value, _, _ in records},
                         {(user, *rest) for user in self.users for rest in (("d" * 255, 1, b"t" * 1000, (b"a" * 255,) * 50), ("e", 1, b"", ()))})
        self.assertEqual(max(len(raw) for _, _, _, raw in records), self.documented("The value, at most ([0-9]+) bytes", "documents.db"))

    def test_meta(self):
        self.assertEqual(dump(self.store, "meta.db"), [(b"schema", b"2"), (b"totals", struct.pack(">BQQ", 1, 2, 18))])

    def documented(self, pattern, title):
        for section in sections(read(PAGE)):
            if section.title == title:
                return int(re.search(pattern, " ".join(section.text.split()))[1])
        raise AssertionError("no section %s" % title)


class SchemaOne(harness.Case):
    """The records of version 1, as the release of that version has left them."""

    def test_records(self):
        tables = layouts("Version 1: ")
        values = schema1.load("sessions.db")
        keys = schema1.load("sessions_by_user.db")
        self.assertEqual(sorted(identity for identity, _ in values), sorted(identity for _, identity in keys))
        sessions = {identity: decode(tables["sessions.db"][0], value) for identity, value in values}
        for key, identity in keys:
            entry = decode(tables["sessions_by_user.db"][0], key)
            self.assertEqual((entry["id"], entry["flags"] & VERSION_2, sessions[identity]["version"]), (identity, 0, 1))
            for name in ("user", "start", "end", "flags", "document", "library"):
                self.assertEqual(entry[name], sessions[identity][name])
        for user, value in schema1.load("stats.db"):
            stats = decode(tables["stats.db"][0], value)
            mine = [session["flags"] for session in sessions.values() if session["user"] == user]
            self.assertEqual((stats["version"], stats["sessions"], stats["ended"]), (1, len(mine), sum(mine)))


class Page(harness.Case):
    """What the page shows without a run."""

    def test_the_example_is_as_the_tables_say(self):
        block = [part for section in sections(read(PAGE)) for part in parts(section.lines) if isinstance(part, Block)][0]
        found = {}
        for line in block.text.split("\n"):
            if not line.startswith(" "):
                name, found[line] = line, []
            else:
                found[name].append(bytes.fromhex(line))
        self.assertEqual(sorted(found), sorted([*DATABASES, "active_by_user.db"]))
        tables = layouts()
        records = {name: [{**decode(tables[name][0], key), **decode(tables[name][1], value)} for key, value in zip(lines[::2], lines[1::2])]
                   for name, lines in found.items()}
        self.assertEqual({fields["user"] for rows in records.values() for fields in rows}, {b"ada"})
        (session, still_open), (entry, other) = records["sessions.db"], records["sessions_by_user.db"]
        self.assertEqual(session["end"] - session["start"], 45 * 60 * 1000)
        self.assertEqual((session["end"] - session["last seen"], portion(session["progress"])), (60 * 1000, 0.25))
        for name in ("id", "start", "end", "last seen", "progress", "progress time", "document", "library"):
            self.assertEqual(session[name], entry[name], name)
        self.assertEqual((still_open["flags"], still_open["id"], records["active_by_user.db"]), (0, other["id"], [other]))
        self.assertEqual((records["documents.db"][0]["title"], records["documents.db"][0]["author"]), (b"Walden", [b"Thoreau"]))
        stats = records["stats.db"][0]
        self.assertEqual((stats["sessions"], stats["ended"], stats["ended time"], stats["watched"]), (2, 1, 45 * 60 * 1000, 0))

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
