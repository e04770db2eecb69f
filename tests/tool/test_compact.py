#!/usr/bin/env python3
"""focusstats compact: the files become smaller, what is told stays the same."""

import os
import signal
import time

from store import LONG, StoreCase

import harness
import tap


class Compact(StoreCase):
    def test_after_a_large_user(self):
        self.fill(users=3, sessions=20)
        before = self.everything()
        self.serve()
        self.post("initUser", user="large")
        self.add("large", 30000 if LONG else 4000, long=True)
        self.post("removeUser", user="large", confirm="large")
        # Once all of it is deleted the name is free again.
        harness.wait_until(lambda: self.responder.post("initUser", {"user": "large"}).status == 200, "the large user is deleted")
        self.post("removeUser", user="large", confirm="large")
        self.responder.stop()
        large = self.bytes()
        told, = self.tool.lines("compact")
        self.assertEqual((told["bytesBefore"], told["bytesAfter"]), (large, self.bytes()))
        self.assertLess(self.bytes(), large // 10)
        self.assertEqual(self.everything(), before)
        self.assertIn("is whole", self.done("verify"))
        self.assertRegex(self.done("compact"), r"^(\d+) bytes before, \1 bytes after\n$")
        self.assertEqual(self.done("-q", "compact"), "")

    def test_holes_everywhere(self):
        """Nine of ten sessions are removed, so that hardly a page becomes free by itself."""
        self.serve()
        self.post("initUser", user="reader")
        self.add("reader", 2000, long=True)
        for index, session in enumerate(self.post("_getSessions", user="reader")):
            if index % 10:
                self.post("removeSession", focusSession=session["focusSession"]["_id"])
        self.responder.stop()
        before, large = self.everything(), self.bytes()
        self.done("compact")
        self.assertLess(self.bytes(), large // 2)
        self.assertEqual(self.everything(), before)
        self.assertIn("is whole", self.done("verify"))
        self.serve()
        self.add("reader", 1000, long=True, first=5000)
        self.assertIn("is whole", self.done("verify"))

    def test_nothing_to_give_back(self):
        self.fill()
        self.done("compact")
        self.assertRegex(self.done("compact"), r"^(\d+) bytes before, \1 bytes after\n$")

    def test_while_the_service_runs(self):
        self.serve()
        self.refused(["compact"], self.store.home, "a process of the service has it open: stop the service first")

    def test_killed(self):
        """Whenever that is, the store is whole."""
        self.serve()
        self.post("initUser", user="reader")
        self.add("reader", 3000, long=True)
        for session in self.post("_getSessions", user="reader")[::2]:
            self.post("removeSession", focusSession=session["focusSession"]["_id"])
        self.responder.stop()
        before = self.everything()
        for ms in (20, 60, 120, 200):
            child = self.begin("compact")
            time.sleep(ms / 1000)  # some moment of its work, whichever
            child.send_signal(signal.SIGKILL)
            child.wait()
            self.assertIn("is whole", self.done("verify"))
        self.done("compact")
        self.assertEqual(self.everything(), before)

    def bytes(self):
        return sum(os.path.getsize(os.path.join(self.store.home, name)) for name in os.listdir(self.store.home) if name.endswith(".db"))


if __name__ == "__main__":
    tap.main(globals())
