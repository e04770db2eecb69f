"""Stores of many sessions for the other scripts: made of a stream that `focusstats import` reads, which is what a service's administrator would do.

Every user has OF_A_USER sessions or as many as told, one after the other with some hours between them, and a document for each 50 of them. Ids of
sessions are of version 7, as the service makes them, from the session's start; those of users and documents have 36 bytes, as UUIDs do.
"""

import hashlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "lib"))

import harness
from folder import BUILD, child_environment, find_program
from timed import HOUR_MS, instant, ms_of
from tool import Tool

OF_A_USER = 1000
END_MS = ms_of("2025-01-01T00:00:00Z")
LIBRARY = "5ddbb1f5-2d5c-4b14-9a37-c1b5b5a0f0a1"
MIB = 1 << 20


def user_name(number):
    return "%08x-0000-4000-8000-0000000005e4" % number


def document_name(number, document):
    return "%08x-d0c0-4000-8000-%012x" % (number, document)


def lines_of(number, count, dice):
    """A user's sessions in the tool's own format."""
    user = user_name(number)
    begin_ms = END_MS - count * 4 * HOUR_MS
    made = []
    for at in range(count):
        start = begin_ms + at * 4 * HOUR_MS + dice.randrange(HOUR_MS)
        bits = dice.getrandbits(74)
        identifier = "%08x-%04x-7%03x-%04x-%012x" % (start >> 16, start & 0xFFFF, bits >> 62, 0x8000 | bits >> 48 & 0x3FFF, bits & 0xFFFFFFFFFFFF)
        made.append('{"session":{"user":"%s","focusSession":"%s","document":"%s","library":"%s","startTime":"%s","endTime":"%s"}}\n' % (
            user, identifier, document_name(number, at // 50), LIBRARY, instant(start), instant(start + 60000 + dice.randrange(2 * HOUR_MS))))
        if len(made) == 500:
            yield "".join(made)
            made = []
    yield "".join(made)


def fill(folder, counts):
    """Imports a user with each of these counts of sessions into the folder's home; returns the seconds that the import took."""
    tool = Tool(folder)
    dice = random.Random(1)
    begun = time.perf_counter()
    with subprocess.Popen([tool.program, "--quiet", "--create-users", "import", "-"], stdin=subprocess.PIPE, env=child_environment(folder, {"FOCUSSTATS_HOME": folder.home}),
                          cwd=folder.path) as child:
        child.stdin.write(b'{"focusstats":{"version":1}}\n')
        for number, count in enumerate(counts):
            for piece in lines_of(number, count, dice):
                child.stdin.write(piece.encode())
        child.stdin.write(b'{"end":{"users":0,"documents":0,"sessions":%d}}\n' % sum(counts))
    if child.returncode != 0:
        raise AssertionError("the import ended with %d" % child.returncode)
    return time.perf_counter() - begun


def users_for(sessions):
    """So many sessions as counts of users."""
    return [OF_A_USER] * (sessions // OF_A_USER)


def kept(sessions):
    """Where a store of so many sessions that this very program has made is kept for the scripts that come later; those of other programs go."""
    with open(find_program(), "rb") as file:
        program = hashlib.sha256(file.read()).hexdigest()[:12]
    cache = os.path.join(BUILD, "bench-cache")
    os.makedirs(cache, exist_ok=True)
    for name in os.listdir(cache):
        if name.startswith("stock-") and not name.startswith("stock-" + program):
            shutil.rmtree(os.path.join(cache, name))
    return os.path.join(cache, "stock-%s-%d" % (program, sessions))


def copy_home(source, target):
    """The files of a store that no process has open."""
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        if name == "lock" or not os.path.isfile(os.path.join(source, name)):
            continue
        shutil.copyfile(os.path.join(source, name), os.path.join(target, name))


def keep(folder, sessions):
    """Keeps what fill made of users_for(sessions)."""
    if not os.path.exists(kept(sessions)):
        copy_home(folder.home, kept(sessions) + ".new")
        os.rename(kept(sessions) + ".new", kept(sessions))


def place(folder, sessions):
    """Puts a store of users_for(sessions) into the folder's home, one that was kept where there is one."""
    if not os.path.exists(kept(sessions)):
        fill(folder, users_for(sessions))
        keep(folder, sessions)
        return
    copy_home(kept(sessions), folder.home)
    for name in os.listdir(folder.home):
        os.chmod(os.path.join(folder.home, name), 0o600)
        folder.give(os.path.join(folder.home, name))


def sizes(folder):
    """Bytes of the databases, and of the log files."""
    files = {name: os.stat(os.path.join(folder.home, name)).st_size for name in os.listdir(folder.home)}
    return (sum(size for name, size in files.items() if name.endswith(".db")), sum(size for name, size in files.items() if name.startswith("log.")))


def percentile(values, part):
    """0.5 for the median; the least value that this part of them does not exceed."""
    ordered = sorted(values)
    return statistics.median(ordered) if part == 0.5 else ordered[min(len(ordered) - 1, int(part * len(ordered)))]


class Client:
    """One kept connection to a responder, and what it can ask."""

    def __init__(self, responder):
        self.connection = responder.connect()

    def ask(self, action, fields):
        """The answer and the milliseconds until its last byte."""
        body = harness.encode(fields)
        begun = time.perf_counter()
        reply = self.connection.ask("POST", "/FocusStats/" + action, body, keep=True)
        ms = 1000 * (time.perf_counter() - begun)
        if reply.status != 200:
            raise AssertionError("%s %r: %r" % (action, fields, reply))
        return reply, ms

    def close(self):
        self.connection.close()


BASE_ACTIONS = ["startSession", "heartbeat", "endSession", "_viewStats", "removeSession"]


def life(client, number, actions, times):
    """A session of the user from its start to its removal; the milliseconds of each of `actions` are added to times[action]."""
    user = user_name(number)
    reply, ms = client.ask("startSession", {"user": user, "document": document_name(number, 0), "library": LIBRARY})
    one = {"focusSession": reply.json()["focusSession"]}
    times.setdefault("startSession", []).append(ms)
    for action in actions[1:]:
        times.setdefault(action, []).append(client.ask(action, {"user": user} if action.startswith("_") else one)[1])
