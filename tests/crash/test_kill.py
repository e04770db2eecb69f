#!/usr/bin/env python3
"""SIGKILL again and again, of the process that owns the store and of the others, while clients write. Afterwards everything that was acknowledged
must be in the files, in the primary and in the secondary, and the totals must agree."""

from common import LONG, CrashCase, harness, note

import tap  # noqa: E402
from killer import CgiClient, Killer  # noqa: E402
from ledger import HttpClient, Ledger, Writers  # noqa: E402
from watch import owners, programs  # noqa: E402

# As in the site file.
PROCESSES = 2
LIMIT_SECONDS = 1800 if LONG else 120


@tap.limit(LIMIT_SECONDS)
class Kill(CrashCase):
    """What is acknowledged outlives the processes."""

    def run_lighttpd(self, folder):
        server = self.start(harness.Lighttpd(folder))
        harness.wait_until(lambda: len(programs(folder)) == PROCESSES, "lighttpd starts %d processes" % PROCESSES)
        return server

    def finish(self, folder, ledger, what):
        """Everything stops in order; then the files are read."""
        store = self.read(folder)
        found = store.check(ledger)
        note("%s: %d sessions are there, %d of them of requests that got no answer", what, len(store.sessions), found)

    def test_fastcgi(self):
        """One of them is killed; the next one when all are there again."""
        folder = self.watched()
        server = self.run_lighttpd(folder)
        ledger = Ledger()
        killer = Killer(folder, ledger)
        writers = Writers(ledger, 32, lambda: HttpClient(server)).start()
        try:
            while killer.count < (200 if LONG else 12):
                ledger.wait_flow()
                harness.wait_until(lambda: len(programs(folder)) == PROCESSES, "lighttpd starts another process")
                killer.kill(killer.random.choice(programs(folder)))
        finally:
            writers.stop()
        server.stop()
        killer.note("FastCGI")
        self.finish(folder, ledger, "FastCGI")

    def test_fastcgi_faster_than_they_come_back(self):
        """Whichever is alive is killed as soon as writes flow, down to the last one."""
        folder = self.watched()
        server = self.run_lighttpd(folder)
        ledger = Ledger()
        killer = Killer(folder, ledger)
        writers = Writers(ledger, 32, lambda: HttpClient(server)).start()
        try:
            while killer.count < (100 if LONG else 6):
                alive = programs(folder)
                if alive:
                    killer.kill(killer.random.choice(alive))
        finally:
            writers.stop()
        server.stop()
        killer.note("FastCGI, down to the last")
        self.finish(folder, ledger, "FastCGI, down to the last")

    def test_cgi(self):
        """Plain CGI: each process is the owner for one request, or relays to nobody."""
        folder = self.watched()
        ledger = Ledger()
        killer = Killer(folder, ledger)
        writers = Writers(ledger, 12, lambda: CgiClient(folder)).start()
        try:
            ledger.wait_flow()
            while killer.count < (200 if LONG else 12):
                # One that has the store open is what it is about; now and then one that waits.
                alive = owners(folder) if killer.random.random() < 0.7 else programs(folder)
                if alive:
                    killer.kill(killer.random.choice(alive))
        finally:
            writers.stop()
        killer.note("CGI")
        folder.assert_nothing_left()
        self.finish(folder, ledger, "CGI")

    def test_cgi_beside_fastcgi(self):
        """Both kinds on one home."""
        folder = self.watched()
        server = self.run_lighttpd(folder)
        ledger = Ledger()
        killer = Killer(folder, ledger)
        over_http = Writers(ledger, 16, lambda: HttpClient(server)).start()
        over_cgi = Writers(ledger, 6, lambda: CgiClient(folder), first=16).start()
        try:
            ledger.wait_flow()
            while killer.count < (200 if LONG else 12):
                alive = owners(folder) if killer.random.random() < 0.5 else programs(folder)
                if alive:
                    killer.kill(killer.random.choice(alive))
        finally:
            over_http.stopping.set()
            over_cgi.stop()
            over_http.stop()
        server.stop()
        killer.note("CGI beside FastCGI")
        self.finish(folder, ledger, "CGI beside FastCGI")


if __name__ == "__main__":
    tap.main(globals())
