#!/usr/bin/env python3
"""The dashboard in Chromium, as a person uses it: clicks, typing and keys, at two widths, light and dark, against the real service behind real web servers.

What is done and seen is in the scenarios, *.mjs beside this file; here are the servers that they run against, and the service's clock, which stands at NOW
unless a scenario moves it. Each scenario is played in one of the four kinds of windows, the next one in the next; FOCUSSTATS_LONG=1 takes all. A failed scenario leaves a picture in the test's folder.
"""

import json
import os
import shutil
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap
from faults import Faults
from timed import ms_of

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("top_builddir") or os.getcwd())
MODULES = os.path.join(BUILD, "tests", "browser")
DATA = os.path.join(HERE, "..", "data", "reading-log.ndjson")
NOW = "2025-05-21T17:00:00Z"
WINDOWS = [(360, "light"), (1280, "dark"), (1280, "light"), (360, "dark")]
LONG = os.environ.get("FOCUSSTATS_LONG") == "1"


def missing():
    """Why no browser can be had, or None."""
    if shutil.which("chromium") is None:
        return "chromium is not installed (Debian package chromium)"
    if shutil.which("node") is None:
        return "node is not installed (Debian package nodejs)"
    if not os.path.isdir(os.path.join(MODULES, "node_modules", "playwright-core")):
        return "the tests' node modules are not installed: make browser-modules (Debian package npm)"
    return None


class Driver:
    """driver.mjs with its browser, for all tests."""

    def __init__(self):
        self.process = subprocess.Popen(["node", os.path.join(HERE, "driver.mjs"), MODULES, shutil.which("chromium")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, universal_newlines=True, encoding="utf-8")

    def play(self, job, service):
        """Plays a scenario; SERVICE is a dict of what it may ask for. Returns None or what went wrong."""
        self.say(job)
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("driver.mjs ended with %s" % self.process.wait())
            message = json.loads(line)
            if "ask" not in message:
                return None if message["ok"] else message["text"]
            try:
                service[message["ask"]](message.get("argument"))
                self.say({})
            except Exception as error:  # whatever it is, the scenario fails by it
                self.say({"error": str(error)})

    def say(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Scenarios(harness.ServerCase):
    """A server with the page, Chart.js and a clock."""

    abstract = True
    clocked = True
    driver = None

    @classmethod
    def setUpClass(cls):
        reason = missing() or cls.server_class.missing()
        if reason:
            raise harness.unittest.SkipTest(reason)
        cls.folder = harness.TestFolder()
        cls.addClassCleanup(cls.folder.remove)
        cls.addClassCleanup(cls.folder.assert_clean)
        charts = os.path.join(cls.folder.web, "chart.min.js")
        shutil.copy(os.path.join(BUILD, "web", "chart.min.js"), charts)
        os.chmod(charts, 0o644)
        cls.faults = Faults(cls.folder) if cls.clocked else None
        cls.server = cls.server_class(cls.folder, auth=cls.auth, settings=cls.faults.settings() if cls.faults else {})
        cls.addClassCleanup(cls.server.stop)
        cls.driver = Driver()
        cls.addClassCleanup(cls.driver.stop)
        try:
            cls.server.start()
        except BaseException:
            cls.folder.keep = True
            raise

    def play(self, file, scenario, width, scheme, user=None, password=None, **more):
        if self.faults:
            self.clock(NOW)
        picture = self.folder.join("log", "%s-%d-%s.png" % (scenario, width, scheme))
        job = {"file": file, "scenario": scenario, "width": width, "scheme": scheme, "url": "http://127.0.0.1:%d/" % self.server.port, "data": DATA,
               "user": user or "reader " + uuid.uuid4().hex[:8], "password": password, "picture": picture, **more}
        wrong = self.driver.play(job, {"clock": self.clock, "stop": self.stop, "start": self.start})
        if wrong:
            self.fail("%s; a picture is %s" % (wrong, picture))

    def clock(self, at):
        self.faults.set("clock", str(ms_of(at)))

    def stop(self, _):
        self.server.responder.stop()

    def start(self, _):
        os.unlink(self.folder.socket)
        self.server.responder.children = []
        self.server.responder.start()


def rows(*scenarios):
    """A row for each scenario in each of its kinds of windows."""
    return tap.cases([("%s %s, %d pixels, %s" % (file, scenario, width, scheme), file, scenario, width, scheme)
                      for number, (file, scenario) in enumerate(scenarios)
                      for width, scheme in (WINDOWS if LONG else [WINDOWS[number % len(WINDOWS)]])])


class Open(Scenarios):
    """Where nobody signs in, behind nginx."""

    abstract = False
    server_class = harness.Nginx

    @rows(("welcome", "firstVisit"), ("welcome", "empty"), ("welcome", "slow"), ("reading", "startAndStop"), ("reading", "elsewhere"), ("reading", "described"), ("overview", "today"), ("overview", "year"),
          ("overview", "bars"), ("documents", "list"), ("documents", "names"), ("documents", "sameTitle"), ("documents", "newYear"), ("sessions", "list"), ("sessions", "pages"), ("sessions", "afterMidnight"), ("sessions", "edit"), ("sessions", "add"),
          ("sessions", "drafts"), ("sessions", "clockChanges"), ("settings", "change"), ("settings", "elsewhere"), ("settings", "account"))
    def test_page(self, file, scenario, width, scheme):
        self.play(file, scenario, width, scheme)


class SignedIn(Scenarios):
    """Where the web server signs people in, lighttpd with the site file as shipped."""

    abstract = False
    auth = True
    clocked = False
    server_class = harness.Lighttpd

    @rows(("welcome", "signedIn"))
    def test_page(self, file, scenario, width, scheme):
        self.play(file, scenario, width, scheme, "reader", harness.PASSWORDS["reader"])


class Stopped(Scenarios):
    """Where the service stops and comes back, behind Apache."""

    abstract = False
    server_class = harness.ApacheProxyFcgi

    @rows(("errors", "stopped"), ("errors", "refused"), ("errors", "lostAnswer"))
    def test_page(self, file, scenario, width, scheme):
        self.play(file, scenario, width, scheme)


class WithoutCharts(Scenarios):
    """Configured without Chart.js."""

    abstract = False
    server_class = harness.Nginx

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(os.path.join(cls.folder.web, "chart.min.js"), "w", encoding="ascii"):
            pass

    @rows(("overview", "withoutCharts"))
    def test_page(self, file, scenario, width, scheme):
        self.play(file, scenario, width, scheme)


if __name__ == "__main__":
    tap.main(globals())
