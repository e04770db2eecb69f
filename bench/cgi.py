#!/usr/bin/env python3
"""Plain CGI: a process for every request, beside one that does nothing, and beside PHP.

    make && top_builddir=. ../bench/cgi.py [--quick] [--rounds N]

"Through Apache" is its mod_cgid with the site file, one request at a time over a kept connection. "Directly" the program is started as Apache would,
without Apache: from posix_spawn to its end. With an owner, a responder has the store and the CGI process relays; without, each process opens
the store for its request. What does nothing is bench/limits/constant.c. PHP is php-cgi with bench/peers/api.php on SQLite, every commit synced. The
read is _viewStats of a user with 20 sessions, the write startSession. Milliseconds, the median of a round; the targets run in turn, request by request.
"""

import json
import os
import resource  # os.wait4 needs it, where Python itself may be out of reach by then
import shutil
import sqlite3
import subprocess
import time
import traceback

import table
from stock import HERE, LIBRARY, document_name, fill, harness, percentile, user_name
from fcgi import request_params
from folder import BUILD, child_environment, worker

SESSIONS = 20
PEERS = os.path.join(HERE, "peers")
READ = ("_viewStats", {"user": user_name(0)})
WRITE = ("startSession", {"user": user_name(0), "document": document_name(0, 0), "library": LIBRARY})

PHP = """#!%s -dcgi.force_redirect=0
<?php
if (basename($_SERVER['REQUEST_URI']) === 'health') { echo '{"status":"ok"}'; return; }
$_SERVER['DOCUMENT_URI'] = $_SERVER['REQUEST_URI'];
require '%s';
"""


class Target:
    """Something in the place of the program: a folder, an Apache in front of it, and what the program is told."""

    def __init__(self, name, settings=None):
        self.name, self.settings = name, settings or {}
        self.folder = harness.TestFolder()
        self.server = harness.ApacheCgi(self.folder, settings=self.settings)

    def prepare(self):
        pass

    def start(self):
        self.prepare()
        self.server.start()
        self.client = self.server.client()

    def through_apache(self, action, fields):
        body = harness.encode(fields)
        begun = time.perf_counter()
        reply = self.client.request("POST", self.server.url(action), body, [("Content-Type", "application/json")])
        ms = 1000 * (time.perf_counter() - begun)
        if reply.status != 200 or b"error" in reply.body:
            raise AssertionError("%s, %s: %r" % (self.name, action, reply))
        return (ms,)

    def environment(self, action, body):
        params = request_params("POST", "/FocusStats/" + action, body)
        return {**child_environment(self.folder, {"FOCUSSTATS_HOME": self.folder.home, "FOCUSSTATS_AUTH": "none", **self.settings}), **params,
                "SCRIPT_FILENAME": self.folder.program}

    def stop(self):
        self.server.stop()
        self.folder.remove()


class Service(Target):
    def __init__(self, owned):
        super().__init__("the service " + ("with" if owned else "without") + " an owner")
        self.owned = owned

    def prepare(self):
        fill(self.folder, [SESSIONS])
        if self.owned:
            self.server.responder = harness.Responder(self.folder, {"FOCUSSTATS_AUTH": "none"})
            self.server.responder.start()


class Constant(Target):
    def prepare(self):
        shutil.copy(os.path.join(BUILD, "bench", "limits", "constant"), self.folder.program)


class Php(Target):
    def __init__(self):
        super().__init__("PHP", {})
        self.settings.update(FOCUS_DSN="sqlite:" + self.folder.join("home", "sqlite"), FOCUS_DB_USER="nobody")
        self.server.settings = self.settings

    def prepare(self):
        path = self.folder.join("home", "sqlite")
        with open(os.path.join(PEERS, "sqlite.sql"), encoding="utf-8") as schema:
            database = sqlite3.connect(path)
            database.executescript(schema.read())
        database.execute("INSERT INTO focus_stats(uuid, user) VALUES('0198f0de-aaaa-7000-8000-00000000d0c5', ?)", (user_name(0),))
        for number in range(SESSIONS):
            database.execute("INSERT INTO focus_sessions(uuid, stats, document, library, start_time, end_time) VALUES(?, 1, ?, ?, ?, ?)",
                             ("0198f0de-bbbb-7000-8000-%012x" % number, document_name(0, 0), LIBRARY, number * 7200000, number * 7200000 + 3600000))
        database.commit()
        database.close()
        for name in os.listdir(self.folder.home):
            self.folder.give(os.path.join(self.folder.home, name))
        self.folder.write("api.php", open(os.path.join(PEERS, "api.php"), encoding="utf-8").read())
        self.folder.write(os.path.join("cgi-bin", "focusstats.fcgi"), PHP % (shutil.which("php-cgi"), self.folder.join("api.php")), 0o755)


def spawn_ms(program, environment, body):
    """The milliseconds of one process from its start to its end, with the body at its standard input, and those of processor time that it took."""
    reading, writing = os.pipe()
    given, giving = os.pipe()
    os.write(giving, body)
    os.close(giving)
    begun = time.perf_counter()
    child = os.posix_spawn(program, [program], environment, file_actions=[
        (os.POSIX_SPAWN_DUP2, given, 0), (os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading)])
    os.close(writing)
    os.close(given)
    answer = b""
    while piece := os.read(reading, 65536):
        answer += piece
    _, status, used = os.wait4(child, 0)
    ms = 1000 * (time.perf_counter() - begun)
    os.close(reading)
    if status != 0 or b"error" in answer or b"\r\n\r\n" not in answer:
        raise AssertionError("%s: status %d, %r" % (program, status, answer[:500]))
    return ms, 1000 * (used.ru_utime + used.ru_stime)


def as_the_worker(function):
    """function() in a process of the user that the program runs as; returns what it returns, by way of JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if harness.AS_ROOT:
                os.setgroups([])
                os.setgid(worker().pw_gid)
                os.setuid(worker().pw_uid)
            with os.fdopen(writing, "w") as out:
                json.dump(function(), out)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as found:
        text = found.read()
    if os.waitpid(child, 0)[1] != 0:
        raise AssertionError("what was to be measured directly failed")
    return json.loads(text)


def rounds_of(targets, rounds, repeats, ask):
    """By target's name, the median of each round of what is asked, or of each of its parts; the targets take turns."""
    found = {target.name: [] for target in targets}
    for _ in range(rounds):
        times = {target.name: [] for target in targets}
        for _ in range(repeats):
            for target in targets:
                times[target.name].append(ask(target))
        for name, values in times.items():
            found[name].append([percentile(part, 0.5) for part in zip(*values)])
    return found


def rows(how, what, found, part=0):
    found = {name: [values[part] for values in rounds] for name, rounds in found.items()}
    owned, alone, nothing = (found[name] for name in ("the service with an owner", "the service without an owner", "nothing"))
    table.row("CGI %s, %s, with an owner" % (how, what), owned, "a program that does nothing", nothing, "ms", most=1.5)
    table.figure("CGI %s, %s, without an owner" % (how, what), alone, "ms", most=10)
    if "PHP" in found and part == 0:
        for name, mine in (("with", owned), ("without", alone)):
            table.row("CGI %s, %s, %s an owner" % (how, what, name), [1000 / ms for ms in mine], "PHP", [1000 / ms for ms in found["PHP"]], "/s", least=3)


def main():
    parser = table.options()
    asked = parser.parse_args()
    rounds = asked.rounds or (2 if asked.quick else 5)
    repeats = 10 if asked.quick else 100
    subprocess.run(["make", "-s", "bench/limits/constant"], cwd=BUILD, check=True)
    php = shutil.which("php-cgi")
    missing = harness.ApacheCgi.missing()
    if missing:
        print("%s\n\n%s: plain CGI was not measured." % (table.HEAD, missing))
        return
    targets = [Service(True), Constant("nothing"), Service(False)] + ([Php()] if php else [])
    try:
        for target in targets:
            target.start()
        print(table.HEAD)
        for what, (action, fields) in (("a read", READ), ("a write", WRITE)):
            rows("through Apache", what, rounds_of(targets, rounds, repeats, lambda target: target.through_apache(action, fields)))
            body = harness.encode(fields)
            found = as_the_worker(lambda: rounds_of(
                targets, rounds, repeats, lambda target: spawn_ms(target.folder.program, target.environment(action, body), body)))
            rows("directly", what, found)
            rows("directly, processor time of the process", what, found, 1)
    finally:
        for target in targets:
            target.stop()
    if not php:
        print("\nphp-cgi is not installed (Debian package php-cgi): not beside PHP.")


if __name__ == "__main__":
    main()
