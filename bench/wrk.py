"""wrk with the scripts in load/: seeding a service through its API, and measuring it. One thread of wrk, as its scripts are fast enough for one."""

import collections
import json
import os
import re
import signal
import subprocess
import urllib.request

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load")
# As in load/focus.lua: users from 0 on that are read, then as many that are written to, then one with many sessions.
READ_USERS = 1000
READ_SESSIONS = 20
LISTED = 2000
LISTED_SESSIONS = 1000
DOCUMENT = "0198f0de-aaaa-7000-8000-00000000d0c5"
LIBRARY = "0198f0de-bbbb-7000-8000-0000000011b5"
SEEDING_CONNECTIONS = 64

# Requests a second, milliseconds, connections with a request in service on average, and how many answers were not what was asked for.
Result = collections.namedtuple("Result", "rate p50 p99 busy wrong first_wrong")


def user(number):
    return "00000000-0000-7000-8000-%012d" % number


class Load:
    """A mix that runs from now on for so many seconds, unless it is ended before."""

    def __init__(self, mix, url, connections, seconds):
        command = ["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--timeout", "10s", "-s", os.path.join(SCRIPTS, "mixes.lua"), url, "--", mix]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()

    def end(self):
        self.child.send_signal(signal.SIGINT)
        return self.result()

    def result(self):
        text = self.child.communicate()[0]
        found = re.search(r"(?m)^RESULT (.*)$", text)
        if not found:
            raise RuntimeError("wrk: " + text)
        rate, p50, p99, busy, *wrong = map(float, found[1].split())
        first = re.search(r"(?m)^ERROR (.*)$", text)
        return Result(rate, p50, p99, busy, int(sum(wrong)), first[1] if first else "")


def measure(mix, url, connections, seconds):
    with Load(mix, url, connections, seconds) as load:
        return load.result()


def batch(url, *arguments):
    """wrk sleeps to the end of its time, so it is interrupted when seed.lua says that the batch is done."""
    command = ["wrk", "-t1", "-c%d" % SEEDING_CONNECTIONS, "-d900s", "--timeout", "60s", "-s", os.path.join(SCRIPTS, "seed.lua"), url, "--"]
    said = []
    with subprocess.Popen(command + [str(one) for one in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as child:
        try:
            for line in child.stdout:
                said.append(line)
                if line.startswith("BATCH"):
                    child.send_signal(signal.SIGINT)
        finally:
            if child.poll() is None:
                child.kill()
    if "BATCH DONE\n" not in said:
        raise RuntimeError("%s was not seeded: %s" % (url, "".join(said)))


def ask(url, action, fields):
    request = urllib.request.Request("%s/api/FocusStats/%s" % (url.rstrip("/"), action), json.dumps(fields).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return reply.read()


def listing(url):
    """What _getSessions answers for the user with many sessions, as it was sent; None where it is not all of them."""
    body = ask(url, "_getSessions", {"user": user(LISTED)})
    listed = json.loads(body)
    complete = isinstance(listed, list) and len(listed) == LISTED_SESSIONS and all(one["focusSession"]["endTime"] for one in listed)
    return body if complete else None


def seed(url):
    """Users and sessions as load/focus.lua names them, through the API; a service that has them is left as it is."""
    try:
        if listing(url):
            return
    except (KeyError, OSError, TypeError, ValueError):
        pass  # what it says of a user that it does not know is its own affair
    batch(url, "init", 0, LISTED + 1)
    batch(url, "sessions", 0, READ_USERS, READ_SESSIONS)
    batch(url, "sessions", LISTED, 1, LISTED_SESSIONS)
    if not listing(url):
        raise RuntimeError("%s: sessions are missing after they were all accepted" % url)
