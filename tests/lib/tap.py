"""Runs unittest.TestCase classes and prints the Test Anything Protocol, version 12.

    if __name__ == "__main__":
        tap.main(globals())

Every test method is one line "ok N - Class.method"; @tap.cases makes one method of each row of a table, so that each row is a line of its own.
What a failure has to say follows as lines that begin with "# ". The plan comes last, as the number of lines is not known before.
A script's arguments select: only tests whose name contains one of them run.

A test that takes longer than LIMIT_SECONDS, or as many times that as its program is slow, is ended with an error (TestTimeout), and SIGTERM
ends the script as SIGINT does: what the tests started is stopped in both cases.
"""

import os
import signal
import sys
import time
import traceback
import unittest

from folder import patience

LIMIT_SECONDS = 120
SLOW_SECONDS = 2


class TestTimeout(Exception):
    """A test took longer than its limit."""


def cases(rows):
    """Decorates a method test_x(self, *row): one method a row, named by the row's first value, which is not passed on.

        @tap.cases([("empty id", {"user": ""}, 400), ...])
        def test_start(self, fields, status): ...
    """
    def mark(function):
        function.tap_rows = list(rows)
        return function
    return mark


def limit(seconds):
    """Decorates a method or a class: its own limit instead of LIMIT_SECONDS."""
    def mark(thing):
        thing.tap_limit_seconds = seconds
        return thing
    return mark


class Cases(type):
    """The metaclass that carries out @cases. harness.Case has it."""

    def __new__(mcs, name, bases, members):
        made = {}
        for key, value in members.items():
            if not hasattr(value, "tap_rows"):
                made[key] = value
                continue
            for row in value.tap_rows:
                title = "%s: %s" % (key, row[0])
                if title in made:
                    raise ValueError("two rows of %s are named %r" % (key, row[0]))
                made[title] = Cases.method(value, row[1:], title)
        return super().__new__(mcs, name, bases, made)

    @staticmethod
    def method(function, row, title):
        def test(self):
            return function(self, *row)
        test.__name__ = title
        test.__doc__ = None
        if hasattr(function, "tap_limit_seconds"):
            test.tap_limit_seconds = function.tap_limit_seconds
        return test


class Result(unittest.TestResult):
    """Prints one line for each test, and one for each fixture of a class that failed or skipped its tests."""

    def __init__(self, stream):
        super().__init__()
        self.stream = stream
        self.count = 0
        self.failed = 0
        self.current = None
        self.problems = []
        self.directive = ""
        self.started = 0

    def line(self, ok, test, directive=""):
        self.count += 1
        self.failed += not ok
        self.stream.write("%s %d - %s%s\n" % ("ok" if ok else "not ok", self.count, title_of(test), directive))
        self.stream.flush()

    def note(self, text):
        for line in text.rstrip("\n").split("\n"):
            self.stream.write("# %s\n" % line)
        self.stream.flush()

    def startTest(self, test):
        super().startTest(test)
        self.current = test
        self.problems = []
        self.directive = ""
        seconds = getattr(getattr(test, getattr(test, "_testMethodName", ""), None), "tap_limit_seconds",
                          getattr(test, "tap_limit_seconds", LIMIT_SECONDS))
        signal.alarm(patience(seconds))
        self.started = time.monotonic()

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)
        if isinstance(sys.exc_info()[1], KeyboardInterrupt):
            self.problems.append("interrupted")
        self.line(not self.problems, test, "" if self.problems else self.directive)
        for text in self.problems:
            self.note(text)
        if time.monotonic() - self.started > SLOW_SECONDS:
            self.note("took %.1f s" % (time.monotonic() - self.started))
        self.current = None

    def problem(self, test, err):
        text = "".join(traceback.format_exception(*err))
        if self.current is None:
            self.line(False, test)
            self.note(text)
        else:
            self.problems.append(text if test is self.current else "%s\n%s" % (title_of(test), text))

    def addError(self, test, err):
        super().addError(test, err)
        self.problem(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.problem(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.problem(subtest, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        directive = " # SKIP " + reason.replace("\n", " ")
        if self.current is None:
            self.line(True, test, directive)
        else:
            self.directive = directive

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.problems.append("expected to fail, and did not")


def title_of(test):
    """`Class.method`, or what unittest names a fixture of a class, fit for a TAP line."""
    name = test.id().replace("__main__.", "")
    return name.encode("ascii", "backslashreplace").decode().replace("#", "\\x23").replace("\n", "\\n")


def select(suite, words):
    """The tests of SUITE whose name contains one of WORDS, all of them where there are none."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from select(test, words)
        elif not words or any(word in title_of(test) for word in words):
            yield test


def main(module, words=None):
    """Runs the test classes of MODULE (a dict such as globals()) and exits: 0, or 1 when something failed."""
    def timed_out(_number, _frame):
        raise TestTimeout("took too long")

    def terminated(_number, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, timed_out)
    signal.signal(signal.SIGTERM, terminated)
    loader = unittest.TestLoader()
    suite = unittest.TestSuite()
    for thing in list(module.values()):
        if isinstance(thing, type) and issubclass(thing, unittest.TestCase) and thing.__module__ == "__main__" \
                and not thing.__dict__.get("abstract"):
            suite.addTests(select(loader.loadTestsFromTestCase(thing), sys.argv[1:] if words is None else words))
    result = Result(sys.stdout)
    try:
        suite.run(result)
    except KeyboardInterrupt:
        sys.stdout.write("Bail out! interrupted\n")
        sys.stdout.flush()
        sys.exit(os.EX_TEMPFAIL)
    sys.stdout.write("1..%d\n" % result.count)
    sys.stdout.flush()
    sys.exit(1 if result.failed else 0)
