#!/usr/bin/env python3
"""GET metrics: a page that Prometheus' parser takes, counts of exactly what was asked of all processes, and a file of counters that does no harm
whatever becomes of it."""

import collections
import fcntl
import os
import random
import signal
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import exposition
import harness
import tap
from faults import Faults

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REQUESTS = "focusstats_requests_total"
SECONDS = "focusstats_request_duration_seconds"
INFINITE = "+Inf"
# What the log says where a process counts for itself.
ALONE = "this process counts for itself"


def page_of(reply):
    if reply.status != 200 or reply.header("Content-Type") != CONTENT_TYPE:
        raise AssertionError("not a page of metrics: %r" % reply)
    return exposition.Page(reply.text)


class Page(harness.ServerCase):
    """Through each web server."""

    abstract = True

    def get(self, method="GET"):
        return self.server.request(method, self.server.url("metrics"))

    def test_page(self):
        page = page_of(self.get())
        for name, kind in {REQUESTS: "counter", SECONDS: "histogram", "focusstats_commit_writes": "histogram", "focusstats_cache_hits_total": "counter",
                           "focusstats_log_written_bytes_total": "counter", "focusstats_freezer_files": "gauge"}.items():
            self.assertEqual(page.types.get(name), kind, name)
        self.assertEqual(page.value("focusstats_counters_shared"), 1)
        self.assertEqual([value for _, value in page.family("focusstats_build_info").items()], [1])
        self.assertLessEqual(page.value("focusstats_counters_start_time_seconds"), time.time())

    def test_head_has_no_body(self):
        reply = self.get("HEAD")
        self.assertEqual((reply.status, reply.header("Content-Type"), reply.body), (200, CONTENT_TYPE, b""))

    def test_other_methods(self):
        reply = self.server.post("metrics", {})
        self.assertEqual((reply.status, reply.header("Allow"), reply.header("Content-Type")), (405, "GET, HEAD", "application/json"))

    def test_counts_what_it_answers(self):
        before = page_of(self.get())
        for _ in range(3):
            self.assertEqual(self.server.health().status, 200)
        after = page_of(self.get())
        made = {key: value - before.requests().get(key, 0) for key, value in after.requests().items() if value != before.requests().get(key, 0)}
        self.assertEqual(made, {("health", "200"): 3, ("metrics", "200"): 1})


class SignedIn(Page):
    """The same where everything else needs a password."""

    abstract = True
    auth = True


harness.for_servers(globals(), Page, SignedIn)


class Counting(harness.Case):
    """Without a web server, where every request is known."""

    abstract = True

    def metrics(self, responder, **settings):
        return page_of(responder.ask("GET", "/FocusStats/metrics", **settings))

    def difference(self, before, after):
        made = collections.Counter(after.requests())
        made.subtract(before.requests())
        return {key: value for key, value in made.items() if value}


class Counts(Counting):
    def kinds(self, responder, folder, user):
        """(what is counted, function) of requests of every kind, of several processes, and of processes that live for one request."""
        answered = harness.cgi
        post = responder.post
        session = {"user": user, "document": "d", "library": "l"}
        foreign = {"HTTP_ORIGIN": "https://reader.example", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST"}
        return [
            (("startSession", 200), lambda: post("startSession", session)),
            (("startSession", 404), lambda: post("startSession", {**session, "user": "nobody"})),
            (("startSession", 400), lambda: post("startSession", {"user": user})),
            (("startSession", 400), lambda: responder.ask("POST", "/FocusStats/startSession", b"{")),
            (("startSession", 415), lambda: responder.ask("POST", "/FocusStats/startSession", b"{}", {"CONTENT_TYPE": "text/plain"})),
            (("startSession", 413), lambda: responder.ask("POST", "/FocusStats/startSession", b"{}", {"CONTENT_LENGTH": str(1 << 40)})),
            (("startSession", 405), lambda: responder.ask("GET", "/FocusStats/startSession")),
            (("startSession", 204), lambda: responder.ask("OPTIONS", "/FocusStats/startSession", extra=foreign)),
            (("initUser", 409), lambda: post("initUser", {"user": user})),
            (("_viewStats", 200), lambda: post("_viewStats", {"user": user})),
            (("health", 200), lambda: responder.ask("HEAD", "/FocusStats/health")),
            (("unknown", 404), lambda: responder.ask("GET", "/FocusStats/nothing")),
            (("unknown", 404), lambda: responder.ask("POST", "/", b"{}")),
            (("_getSessions", 200), lambda: answered(folder, "POST", "/FocusStats/_getSessions", b'{"user":"%s"}' % user.encode())),
            (("_getSessions", 401), lambda: answered(folder, "POST", "/FocusStats/_getSessions", b"{}", settings={"FOCUSSTATS_AUTH": "required"})),
            (("_getSessions", 403), lambda: answered(folder, "POST", "/FocusStats/_getSessions", b'{"user":"other"}', {"REMOTE_USER": user},
                                                     {"FOCUSSTATS_AUTH": "required"})),
            (("endSession", 404), lambda: answered(folder, "POST", "/FocusStats/endSession", b'{"focusSession":"none"}')),
            (("endSession", 404), lambda: answered(folder, "POST", "/FocusStats/endSession", b'{"focusSession":"none"}',
                                                   settings={"FOCUSSTATS_ERROR_STATUS": "200"})),
            (("unknown", 404), lambda: answered(folder, "GET", "/FocusStats/metric")),
        ]

    @tap.limit(300)
    def test_every_request_of_every_process_once(self):
        """Responders, of which one owns the store, and CGI processes, all at a time."""
        folder = self.folder()
        responder = self.start(harness.Responder(folder, {"FOCUSSTATS_CORS_ORIGIN": "https://reader.example"}, processes=4))
        responder.post("initUser", {"user": "reader"})
        kinds = self.kinds(responder, folder, "reader")
        before = self.metrics(responder)

        def client(index):
            chosen = kinds * 3
            random.Random(index).shuffle(chosen)
            made = collections.Counter()
            for (action, status), function in chosen:
                reply = function()
                self.assertIn(reply.status, (status, 200), (action, status, reply))
                made[action, str(status)] += 1
            return made

        expected = sum(harness.clients(8, client), collections.Counter({("metrics", "200"): 1}))
        after = self.metrics(responder)
        self.assertEqual(self.difference(before, after), dict(expected))
        self.assertEqual(after.value("focusstats_owner_pid"), folder.owner_pid())
        for labels, count in after.family(SECONDS + "_count").items():
            action = dict(labels)["action"]
            self.assertEqual(count, sum(value for (name, _), value in after.requests().items() if name == action), action)

    def test_by_cgi_alone(self):
        folder = self.folder()
        for _ in range(3):
            harness.cgi(folder, "POST", "/FocusStats/initUser", b'{"user":"u"}')
        page = page_of(harness.cgi(folder, "GET", "/FocusStats/metrics"))
        self.assertEqual(page.requests(), {("initUser", "200"): 1, ("initUser", "409"): 2})
        self.assertEqual(page.value("focusstats_commit_writes_sum"), 3)

    def test_survives_the_owner(self):
        folder = self.folder()
        responder = self.start(harness.Responder(folder, processes=3))
        responder.post("initUser", {"user": "u"})
        first = self.metrics(responder)
        os.kill(folder.owner_pid(), signal.SIGKILL)
        harness.wait_until(lambda: len(responder.pids) == 2, "the owner is gone")
        self.assertEqual(responder.post("initUser", {"user": "v"}).status, 200)
        second = self.metrics(responder)
        self.assertEqual(self.difference(first, second), {("metrics", "200"): 1, ("initUser", "200"): 1})
        self.assertNotEqual(second.value("focusstats_owner_pid"), first.value("focusstats_owner_pid"))
        self.assertGreaterEqual(second.value("focusstats_owner_start_time_seconds"), first.value("focusstats_owner_start_time_seconds"))
        self.assertEqual(second.value("focusstats_counters_start_time_seconds"), first.value("focusstats_counters_start_time_seconds"))
        self.assertEqual(second.value("focusstats_commit_writes_sum"), first.value("focusstats_commit_writes_sum") + 1)

    def test_survives_a_restart(self):
        folder = self.folder()
        responder = self.start(harness.Responder(folder))
        responder.post("initUser", {"user": "u"})
        first = self.metrics(responder)
        responder.stop()
        page = page_of(harness.cgi(folder, "GET", "/FocusStats/metrics"))
        self.assertEqual(self.difference(first, page), {("metrics", "200"): 1})

    def test_refused_without_an_owner(self):
        """The process in front counts what it has to refuse because the owner does not answer."""
        folder = self.folder()
        responder = self.start(harness.Responder(folder))
        before = self.metrics(responder)
        owner = folder.freeze_owner()
        try:
            reply = harness.cgi(folder, "GET", "/FocusStats/health", settings={"FOCUSSTATS_RELAY_TIMEOUT": "100"})
            self.assertEqual(reply.status, 503)
        finally:
            os.kill(owner, signal.SIGCONT)
        after = self.metrics(responder)
        self.assertEqual(self.difference(before, after), {("metrics", "200"): 1, ("health", "503"): 1})

        def more(part, **labels):
            return after.value(SECONDS + part, action="health", **labels) - before.value(SECONDS + part, action="health", **labels)
        # Those before, of the responder that was being waited for, may have taken as long.
        self.assertEqual([more("_count"), more("_bucket", le=INFINITE), more("_bucket", le="0.03")], [1, 1, 0])
        # The deadline is in whole milliseconds, so the first of the hundred may have begun before.
        self.assertGreaterEqual(more("_sum"), 0.099)


class Figures(Counting):
    def test_commits(self):
        """Many writers share commits: each write is in one batch, and the time they took is not longer than the time there was."""
        folder = self.folder()
        responder = self.start(harness.Responder(folder, processes=2))
        responder.post("initUser", {"user": "u"})
        before, begun = self.metrics(responder), time.monotonic()
        session = {"user": "u", "document": "d", "library": "l"}
        harness.clients(16, lambda _: [self.assertEqual(responder.post("startSession", session).status, 200) for _ in range(20)])
        took, after = time.monotonic() - begun, self.metrics(responder)

        def more(name, **labels):
            return after.value(name, **labels) - before.value(name, **labels)
        self.assertEqual(more("focusstats_commit_writes_sum"), 16 * 20)
        commits = more("focusstats_commit_writes_count")
        self.assertTrue(20 <= commits <= 16 * 20, commits)
        self.assertEqual(more("focusstats_commit_writes_bucket", le="16.0"), commits)
        self.assertEqual(more("focusstats_commit_duration_seconds_count"), commits)
        self.assertLess(more("focusstats_commit_duration_seconds_sum"), took)
        self.assertGreater(more("focusstats_commit_duration_seconds_sum"), 0)
        self.assertEqual(more("focusstats_commit_failures_total"), 0)
        self.assertGreater(more("focusstats_log_written_bytes_total"), 16 * 20 * 50)
        self.assertGreaterEqual(more("focusstats_log_syncs_total"), commits)
        self.assertLess(more(SECONDS + "_sum", action="startSession"), 16 * took)
        self.assertGreater(after.value("focusstats_cache_pages"), 5)
        self.assertLessEqual(after.value("focusstats_cache_dirty_pages"), after.value("focusstats_cache_pages"))
        self.assertEqual(after.value("focusstats_log_file"), max(int(name[4:]) for name in os.listdir(folder.home) if name.startswith("log.")))

    def test_failed_commit(self):
        folder = self.folder()
        faults = Faults(folder)
        responder = self.start(harness.Responder(folder, faults.settings()))
        responder.post("initUser", {"user": "u"})
        before = self.metrics(responder)
        faults.set("no-space", "log.")
        wanted = responder.post("initUser", {"user": "v"})
        faults.clear("no-space")
        self.assertEqual(wanted.status, 503)
        after = harness.wait_until(lambda: self.failures(responder, before), "a failed commit is counted")
        self.assertEqual(self.difference(before, after).get(("initUser", "503")), 1)
        self.assertEqual(after.value("focusstats_commit_writes_sum"), before.value("focusstats_commit_writes_sum"))

    def failures(self, responder, before):
        reply = responder.ask("GET", "/FocusStats/metrics")
        page = page_of(reply) if reply.status == 200 else None
        return page and page.value("focusstats_commit_failures_total") > before.value("focusstats_commit_failures_total") and page

    def test_freezer_files(self):
        folder = self.folder()
        responder = self.start(harness.Responder(folder))
        self.assertEqual(self.metrics(responder).value("focusstats_freezer_files"), 0)
        for number in (1, 2):
            folder.write(os.path.join("home", "__db.freezer.%d.0.4K" % number), "")
        self.assertEqual(self.metrics(responder).value("focusstats_freezer_files"), 2)


class File(Counting):
    """The file of counters."""

    def path(self, folder):
        return os.path.join(folder.home, "metrics")

    def used(self, folder, count=2):
        """Counts so many requests, by CGI."""
        for _ in range(count):
            self.assertEqual(harness.cgi(folder, "GET", "/FocusStats/health", settings={"FOCUSSTATS_RELAY_TIMEOUT": "60000"}).status, 200)
        return folder

    def page(self, folder):
        return page_of(harness.cgi(folder, "GET", "/FocusStats/metrics"))

    def assert_begins_anew(self, folder):
        """The file is replaced, and all processes share the new one."""
        page = self.page(self.used(folder))
        self.assertEqual(page.requests(), {("health", "200"): 2})
        self.assertEqual(page.value("focusstats_counters_shared"), 1)
        self.assertNotIn("metrics", folder.log_text())
        self.assert_private(folder)

    def assert_private(self, folder):
        info = os.lstat(self.path(folder))
        self.assertEqual((stat.S_ISREG(info.st_mode), stat.S_IMODE(info.st_mode)), (True, 0o600))
        self.assertFalse(os.path.exists(self.path(folder) + ".new"))

    def test_mode(self):
        folder = self.used(self.folder())
        self.assert_private(folder)
        self.assertEqual(self.page(folder).requests(), {("health", "200"): 2})

    def test_made_by_many_at_a_time(self):
        """Whoever comes first makes it, and nobody's count is lost."""
        for _ in range(5):
            folder = self.folder()
            harness.clients(12, lambda _, folder=folder: self.used(folder, 1))
            # One that waits half a second in vain for another that is making it counts for itself, and says so.
            self.assertEqual(self.page(folder).requests(), {("health", "200"): 12 - folder.log_text().count(ALONE)})
            self.assert_private(folder)

    def change(self, folder, change):
        with open(self.path(folder), "r+b") as file:
            change(file)

    @tap.cases([("another layout", lambda file: file.write(b"\1\2\3\4\5\6\7\10")), ("cut off", lambda file: file.truncate(100)),
                ("empty", lambda file: file.truncate(0)), ("longer", lambda file: file.truncate(1 << 20)),
                ("zeros", lambda file: file.write(b"\0" * os.fstat(file.fileno()).st_size))])
    def test_replaced(self, change):
        folder = self.used(self.folder(), 5)
        self.change(folder, change)
        self.assert_begins_anew(folder)

    def test_removed(self):
        folder = self.used(self.folder(), 5)
        os.unlink(self.path(folder))
        self.assert_begins_anew(folder)

    def test_without_rights(self):
        folder = self.used(self.folder(), 5)
        os.chmod(self.path(folder), 0)
        self.assert_begins_anew(folder)

    def test_symbolic_link(self):
        """It is not followed: neither to read nor to write."""
        folder = self.used(self.folder(), 5)
        elsewhere = folder.join("run", "elsewhere")
        os.rename(self.path(folder), elsewhere)
        os.symlink(elsewhere, self.path(folder))
        with open(elsewhere, "rb") as file:
            before = file.read()
        self.assert_begins_anew(folder)
        with open(elsewhere, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_left_behind_half_made(self):
        folder = self.folder()
        folder.give(folder.write(os.path.join("home", "metrics.new"), "half", 0o600))
        self.assert_begins_anew(folder)

    def assert_alone(self, folder, responder, processes=1):
        """All goes on, each process counts for itself, and each says so once."""
        for _ in range(3):
            self.assertEqual(responder.ask("GET", "/FocusStats/health").status, 200)
        page = self.metrics(responder)
        self.assertEqual(page.value("focusstats_counters_shared"), 0)
        self.assertGreater(page.value(REQUESTS, action="health", status="200"), 0)
        self.assertEqual(responder.post("initUser", {"user": "u"}).status, 200)
        lines = [line for line in folder.log_text().splitlines() if ALONE in line]
        self.assertEqual(len(lines), processes, lines)
        self.assertIn(self.path(folder), lines[0])

    def test_a_folder_in_its_place(self):
        folder = self.folder()
        os.mkdir(self.path(folder))
        self.assert_alone(folder, self.start(harness.Responder(folder)))

    def test_no_room_to_make_it(self):
        folder = self.folder()
        faults = Faults(folder)
        faults.set("no-space", "metrics")
        responder = self.start(harness.Responder(folder, faults.settings()))
        self.assert_alone(folder, responder)
        self.assertEqual([name for name in os.listdir(folder.home) if name.startswith("metrics")], [])
        faults.clear("no-space")
        self.assertEqual(self.page(folder).value("focusstats_counters_shared"), 0)
        responder.stop()
        self.assertEqual(self.page(folder).value("focusstats_counters_shared"), 1)

    def test_another_process_is_at_it_and_does_not_go_on(self):
        folder = self.folder()
        folder.give(folder.write(os.path.join("home", "metrics.new"), "", 0o600))
        with open(self.path(folder) + ".new", "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            responder = self.start(harness.Responder(folder))
            self.assert_alone(folder, responder)
            responder.stop()
        self.assertEqual(self.page(folder).value("focusstats_counters_shared"), 1)

    @tap.cases([("cut off", 0), ("to a page", 4096)])
    def test_cut_off_while_in_use(self, size):
        """No process dies of it (SIGBUS)."""
        folder = self.folder()
        responder = self.start(harness.Responder(folder))
        self.assertEqual(self.metrics(responder).value("focusstats_counters_shared"), 1)
        os.truncate(self.path(folder), size)
        pids = responder.pids
        responder.ask("POST", "/FocusStats/startSession", b"{}")
        self.assert_alone(folder, responder)
        self.assertEqual(responder.pids, pids)


if __name__ == "__main__":
    tap.main(globals())
