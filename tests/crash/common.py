"""What every crash test has: a folder that is watched, and figures.

    class Thing(CrashCase):
        def test_x(self):
            folder = self.watched()                 a TestFolder with folder.watch looking; it must have seen nothing wrong in the end
            ...
            store = self.read(folder)               offline.read, once everything was stopped
    unread(connection)                              how much of what was sent on it the other side has not read
    expected_lines(folder, patterns)                each line that the program has written is one of those; AssertionError with the others
    EXIT_FATAL                                      the status of a process that could not go on: the next owner recovers the store
    LONG                                            whether the long forms run: FOCUSSTATS_LONG=1 in the environment
"""

import array
import fcntl
import os
import re
import signal
import statistics
import sys
import termios

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness  # noqa: E402
import offline  # noqa: E402
from faults import Faults  # noqa: E402, F401
from responder import ready_for_signals  # noqa: E402
from watch import Watch  # noqa: E402

LONG = os.environ.get("FOCUSSTATS_LONG") == "1"
EXIT_FATAL = 70


class CrashCase(harness.Case):
    """A test on watched folders."""

    abstract = True

    @staticmethod
    def go_on(pid):
        """Lets a process go on that was stopped, if it is there still."""
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def watched(self):
        folder = self.folder()
        folder.watch = Watch(folder).start()
        self.addCleanup(folder.watch.stop)
        return folder

    def read(self, folder):
        """The store's files as they lie there; everything must have stopped."""
        if offline.missing():
            self.skipTest(offline.missing())
        folder.watch.stop()
        return offline.read(folder)


class Limited(harness.Responder):
    """A responder that may open few descriptors."""

    def __init__(self, folder, descriptors, **options):
        super().__init__(folder, **options)
        self.descriptors = descriptors

    def popen(self, command, *arguments, **options):
        return super().popen(["sh", "-c", 'ulimit -n %d && exec "$0"' % self.descriptors] + command, *arguments, **options)


def one_more(responder):
    """Starts one more process of a responder."""
    child = responder.start_one()
    ready_for_signals(child)
    return child


def unread(connection):
    """How much of what was sent the other side has not read yet, in bytes; a worker that reads a request has it in hand."""
    count = array.array("i", [0])
    fcntl.ioctl(connection.socket, termios.TIOCOUTQ, count)
    return count[0]


def expected_lines(folder, patterns, bare=(), servers=False):
    """Each line of the program in the logs, behind time and process, is as one of the patterns says, and there is no other line in them; lines of
    BARE begin with neither. With SERVERS what web servers have to say besides, or around such a line, does not matter."""
    line = r"focusstats\[\d+\]: (?:%s)" % "|".join(patterns)
    line_of = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z " + line + "".join("|" + one for one in bare))

    def is_expected(text):
        return not text or line_of.fullmatch(text) or (servers and ("focusstats[" not in text or re.search(line, text)))

    others = [text for text in folder.log_text().splitlines() if not is_expected(text)]
    if others:
        raise AssertionError("%d lines of the log are not among the expected ones:\n%s" % (len(others), "\n".join(others[:20])))


def note(text, *values):
    """A line of figures in the test's output."""
    sys.stdout.write("# %s\n" % (text % values))
    sys.stdout.flush()


def spread(seconds):
    """Median and worst of some times, as text."""
    if not seconds:
        return "none"
    return "median %.0f ms, worst %.0f ms" % (1000 * statistics.median(seconds), 1000 * max(seconds))
