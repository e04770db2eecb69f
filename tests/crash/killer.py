"""What the kill tests have in common: clients of plain CGI, and who kills.

    CgiClient(folder)                       post(action, fields), ask(action, fields): a process for each request
    killer = Killer(folder, ledger)
    killer.kill(pid)                        SIGKILL, and then a wait until a write that was sent after it is acknowledged
    killer.count; killer.note(what)         how often, and its figures as lines of the test's output
"""

import random
import subprocess
import time

import fcgi
import harness
import webclient
from common import note, spread
from folder import child_environment
from watch import owners


class CgiClient:
    """Starts the program once for each request, as a web server does with plain CGI. Its processes may be killed under it."""

    def __init__(self, folder):
        self.folder = folder
        self.who = {"user": harness.worker().pw_uid, "group": harness.worker().pw_gid, "extra_groups": []} if harness.AS_ROOT else {}

    def post(self, action, fields):
        return self.ask(action, fields)

    def ask(self, action, fields):
        """With fields of None a GET."""
        method, body = ("POST", harness.encode(fields)) if fields is not None else ("GET", b"")
        variables = fcgi.request_params(method, "/FocusStats/" + action, body)
        with open(self.folder.join("log", "program.log"), "ab") as log:
            process = subprocess.Popen([self.folder.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                       env=child_environment(self.folder, {"FOCUSSTATS_HOME": self.folder.home, **variables}), **self.who)
        output, _ = process.communicate(body, timeout=60)
        # What a killed one has written so far is an answer if all of it is there; its headers say how long it is.
        reply = webclient.parse_cgi(output)
        if len(reply.body) != int(reply.header("Content-Length")):
            raise EOFError
        return reply

    def close(self):
        pass


class Killer:
    """Kills processes and waits each time until writes flow again."""

    def __init__(self, folder, ledger):
        self.folder = folder
        self.ledger = ledger
        self.random = random.Random(4)
        self.owner_pauses, self.other_pauses = [], []

    def kill(self, pid):
        owned = pid in owners(self.folder)
        before = time.monotonic()
        if not self.folder.watch.kill(pid):
            return
        self.ledger.wait_flow()
        (self.owner_pauses if owned else self.other_pauses).append(time.monotonic() - before)

    @property
    def count(self):
        return len(self.owner_pauses) + len(self.other_pauses)

    def note(self, what):
        note("%s: %d kills, %d of them of the owner; %d acknowledged writes (%s)", what, self.count, len(self.owner_pauses),
             self.ledger.acknowledged, self.ledger.summary())
        note("%s: pause after the owner was killed: %s; after another: %s", what, spread(self.owner_pauses), spread(self.other_pauses))
