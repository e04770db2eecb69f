"""A store of schema version 1: what the last release of that version has left in tests/data/schema-1, and records of it of one's own.

    schema1.load("sessions.db")                      the pairs of key and value of one of FILES
    schema1.answers()                                what that release answered: {user: {query: body}}
    schema1.install(folder, {name: pairs})           makes the home's files of them; without pairs those of tests/data
    schema1.make(sessions)                           {name: pairs} of (user, id, document, library, start, end) in ms, end None while it is open
    schema1.missing()                                None, or why it cannot be done
"""

import json
import os
import shutil
import struct
import subprocess
import uuid

from folder import SOURCE

FILES = ["meta.db", "sessions.db", "sessions_by_user.db", "stats.db"]
HEADER = b"VERSION=3\nformat=bytevalue\ntype=btree\nchksum=1\ndb_pagesize=4096\nHEADER=END\n"
LOAD = shutil.which("db5.3_load") or shutil.which("db_load")


def missing():
    return None if LOAD else "Berkeley DB's tools are not installed (Debian package db5.3-util)"


def path(name):
    return os.path.join(SOURCE, "tests", "data", "schema-1", name)


def load(name):
    with open(path(name + ".dump"), encoding="ascii") as file:
        lines = [bytes.fromhex(line) for line in file if line.startswith(" ")]
    return list(zip(lines[::2], lines[1::2]))


def answers():
    with open(path("answers.json"), encoding="utf-8") as file:
        return json.load(file)


def install(folder, stores=None):
    for name in FILES:
        pairs = stores[name] if stores else load(name)
        text = HEADER + b"".join(b" %s\n %s\n" % (key.hex().encode(), value.hex().encode()) for key, value in pairs) + b"DATA=END\n"
        target = os.path.join(folder.home, name)
        subprocess.run([LOAD, target], input=text, check=True)
        os.chmod(target, 0o600)
        folder.give(target)


def name_bytes(text):
    data = text.encode()
    return bytes([len(data)]) + data


def make(sessions):
    values, keys, users = [], [], {}
    for user, identity, document, library, start, end in sessions:
        counts = users.setdefault(user, [0, 0])
        counts[0] += 1
        counts[1] += end is not None
        flags, times = bytes([end is not None]), struct.pack(">QQ", start, end or 0)
        names = name_bytes(document) + name_bytes(library)
        values.append((identity.bytes, b"\1" + flags + times + name_bytes(user) + names))
        keys.append((user.encode() + b"\0" + times[:8] + identity.bytes + flags + times[8:] + names, identity.bytes))
    stats = [(user.encode(), b"\1" + uuid.uuid5(uuid.NAMESPACE_OID, user).bytes + struct.pack(">QQ", *counts)) for user, counts in users.items()]
    return {"meta.db": [(b"schema", b"1")], "sessions.db": sorted(values), "sessions_by_user.db": sorted(keys), "stats.db": sorted(stats)}
