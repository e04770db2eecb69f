#!/usr/bin/env python3
"""SIGKILL again and again while clients use every action of the API and somebody every command of the admin tool: of the process that owns the store,
of those that relay to it, of plain CGI's and of the tool. No acknowledged write is lost, what is read meanwhile is what was written, the secondaries
and totals agree, and never have two processes the store open."""

import os
import re

from common import LONG, CrashCase, expected_lines, harness, note, one_more

import tap  # noqa: E402
from deeds import Client, Crowd, Deeds  # noqa: E402
from killer import CgiClient, Killer  # noqa: E402
from ledger import FcgiClient, Ledger  # noqa: E402
from steward import Steward  # noqa: E402
from tool import Tool  # noqa: E402
from watch import owners, programs  # noqa: E402

PROCESSES = 4
KILLS = 1000 if LONG else 24
LEAST_OF_EACH = 10 if LONG else 1
LINES = [
    r"owner of \S+ since recovery \(\d+ ms\)", r"no longer the owner of \S+",
    r"request [\w-]+: [\w.]+: (the owner of the store did not answer in time|the time for this request has run out); the request .* carried out",
]
# Of the tool, whose question was not answered in time, or by a process that was killed.
BARE = [r"focusstats: user '.*' is not exported in full: .*"]


@tap.limit(3600 if LONG else 120)
class Everything(CrashCase):
    """Every action, every command."""

    def test_nothing_is_left_out(self):
        """An action or a command that is new has a place here, too."""
        folder = self.folder()
        actions = harness.cgi(folder, "GET", "/FocusStats/openapi.json").json()["paths"]
        self.assertEqual(set(Client.ACTIONS), {path.rsplit("/", 1)[1] for path in actions})
        shown = Tool(folder).run("--help").stdout
        commands = re.search(r"(?ms)^commands:\n(.*?)\n\n", shown).group(1)
        self.assertEqual(set(Steward.COMMANDS), {line.split()[0] for line in commands.split("\n")})

    def test_killed(self):
        folder = self.watched()
        responder = self.start(harness.Responder(folder, processes=PROCESSES))
        ledger = Ledger()
        deeds = Deeds(ledger)
        killer = Killer(folder, ledger)
        over_fastcgi = Crowd(deeds, 12, lambda index: FcgiClient(responder, keep=index % 2 == 0)).start()
        over_cgi = Crowd(deeds, 2, lambda index: CgiClient(folder), first=12).start()
        steward = Steward(folder, deeds).start()
        tools = 0
        try:
            ledger.wait_flow()
            while killer.count + tools < KILLS:
                steward.raise_failure()
                if killer.random.random() < 0.25:
                    tools += steward.kill()
                    ledger.wait_flow()
                else:
                    alive = owners(folder) if killer.random.random() < 0.6 else programs(folder)
                    if alive:
                        killer.kill(killer.random.choice(alive))
                while len(responder.pids) < PROCESSES:
                    one_more(responder)
            harness.wait_until(lambda: steward.failures or min(self.counts(deeds, steward)) >= LEAST_OF_EACH, "all was done at least so often", 60)
        finally:
            over_fastcgi.stopping.set()
            over_cgi.stopping.set()
            steward.stop()
            over_cgi.stop()
            over_fastcgi.stop()
        responder.stop()
        self.read(folder)
        steward.check()
        unsure = self.check_all(folder, deeds)
        killer.note("everything")
        note("and %d kills of the tool; %d answers of %d actions, %d exports read meanwhile; %d of %d users' things are unsure",
             tools, sum(deeds.done.values()), len(deeds.done), deeds.checked, unsure, len(deeds.persons))
        note("the tool: %s; refused %d times: %s", ", ".join("%d %s" % (count, what) for what, count in sorted(steward.done.items())),
             sum(steward.refused.values()), ", ".join(sorted(steward.refused)) or "none")
        expected_lines(folder, LINES, BARE)

    @staticmethod
    def counts(deeds, steward):
        """How often each action and command was answered with success. A compaction needs that nobody has the store."""
        return [deeds.done[action] for action in Client.ACTIONS] + [steward.done[command] for command in Steward.COMMANDS if command != "compact"]

    def check_all(self, folder, deeds):
        """A new process tells every user as its client knows it, and looks through all that is stored."""
        os.unlink(folder.socket)
        again = self.start(harness.Responder(folder))

        def export(user):
            reply = again.post("_exportUser", {"user": user})
            self.assertIn(reply.status, (200, 404), reply)
            return reply.json() if reply.status == 200 else None

        unsure = deeds.check(export)
        done = Tool(folder).run("verify")
        self.assertEqual(done.returncode, 0, done)
        again.stop()
        return unsure


if __name__ == "__main__":
    tap.main(globals())
