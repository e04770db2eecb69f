"""What the tests of verify, backup, restore and compact have in common: a home with something in it, and what the tool says.

    class Thing(StoreCase):
        def test_x(self):
            self.fill(users=3, sessions=10)     through a process that ends again
            self.serve(processes=1)             self.responder, whose faults are self.faults; self.post(action, **fields)
            self.done("verify")                 the tool; it must succeed: what it printed
            self.refused(["verify"], "word")    it must fail, with these words on standard error
            self.slow(200)                      from now on each write of a copy takes so many ms longer
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))

import harness  # noqa: E402
from faults import Faults  # noqa: E402
from folder import child_environment  # noqa: E402
from tool import Tool  # noqa: E402

LONG = os.environ.get("FOCUSSTATS_LONG") == "1"
STAGED = "copy.new"
A_DAY_MS = 86400000


def instant(ms):
    return "2025-%02d-%02dT%02d:%02d:%02d.%03dZ" % (1 + ms // A_DAY_MS // 28, 1 + ms // A_DAY_MS % 28, ms // 3600000 % 24, ms // 60000 % 60,
                                                    ms // 1000 % 60, ms % 1000)


class StoreCase(harness.Case):
    def setUp(self):
        self.store = self.folder()
        self.tool = Tool(self.store)
        self.faults = Faults(self.store)

    def serve(self, settings=None, **more):
        if os.path.exists(self.store.socket):
            os.unlink(self.store.socket)
        self.responder = self.start(harness.Responder(self.store, settings=self.faults.settings(settings), **more))

    def post(self, action, **fields):
        reply = self.responder.post(action, fields)
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def add(self, user, sessions, long=False, first=0):
        """Ended sessions of a minute each, a minute apart; long ones have the longest ids that there are, about 2 KiB each with their index."""
        for begin in range(first, first + sessions, 1000):
            self.post("addSessions", user=user, sessions=[
                {"document": ("%05d" % number).ljust(250 if long else 5, "d"), "library": "l" * (250 if long else 1),
                 "startTime": instant(number * 120000), "endTime": instant(number * 120000 + 60000)}
                for number in range(begin, min(begin + 1000, first + sessions))])

    def fill(self, users=2, sessions=3, long=False):
        """Users u0, u1, …: ended sessions, one active one, one with a heartbeat, and a title."""
        self.serve()
        for index in range(users):
            user = "u%d" % index
            self.post("initUser", user=user)
            self.add(user, sessions, long)
            self.post("startSession", user=user, document="d", library="l")
            self.post("heartbeat", focusSession=self.post("startSession", user=user, document="e", library="l")["focusSession"])
            self.post("setDocument", user=user, document="d", title="Walden", authors=["Thoreau"])
        self.responder.stop()

    def done(self, *arguments, **more):
        done = self.tool.run(*arguments, **more)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def refused(self, arguments, *words, status=1, **more):
        done = self.tool.run(*arguments, **more)
        self.assertEqual(done.returncode, status, done)
        self.assertRegex(done.stderr.splitlines()[-1], r"^focusstats: .*[^.]$")
        for word in words:
            self.assertIn(word, done.stderr)
        return done

    def everything(self, home=None):
        """All that the API tells of all users; without a service."""
        folder = self.store
        told = {}
        for user in self.tool.lines("--home", home or folder.home, "users"):
            reply = harness.cgi(folder, "POST", "/FocusStats/_exportUser", harness.encode({"user": user["user"]}),
                                settings={"FOCUSSTATS_HOME": home or folder.home})
            self.assertEqual(reply.status, 200, reply)
            told[user["user"]] = (user, reply.json())
        return told

    def begin(self, *arguments, settings=None):
        """The tool, running on."""
        child = subprocess.Popen([self.tool.program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=child_environment(self.store, {"FOCUSSTATS_HOME": self.store.home, **(settings or {})}), cwd=self.store.path)
        self.addCleanup(self.finish, child)
        return child

    @staticmethod
    def finish(child):
        """What it said, once it has ended."""
        if child.poll() is None:
            child.kill()
        if child.stdout.closed:
            return "", ""
        out, err = child.communicate()
        return out.decode(), err.decode()

    def slow(self, ms):
        self.faults.set("write-slow", "%d %s" % (ms, STAGED))

    def staged(self):
        try:
            return os.listdir(os.path.join(self.store.home, STAGED))
        except FileNotFoundError:
            return None

    def wait_copying(self):
        """A copy is under way. Where its writes are slow, who asked for it has been told: until then it would ask again, or make it itself."""
        def some():
            try:
                return any(os.path.getsize(os.path.join(self.store.home, STAGED, name)) for name in self.staged() or ())
            except FileNotFoundError:
                return False
        harness.wait_until(some, "a copy is being made")

    def assert_nothing_staged(self):
        left = [name for name in os.listdir(self.store.home) if name.endswith((".new", ".ready"))]
        self.assertEqual(left, [])
