#!/usr/bin/env python3
"""Every file of a home, damaged in every way: what the service, `doctor` and `verify` make of it, that nobody gets a wrong answer, hangs or is ended by
it, that others are answered where the engine allows it, and that it is all right again once the file is put back, so nothing else was hurt.

EXPECTED is complete: a file of the home, or a kind of page in it, that has no row fails the test. The short form takes every third cell, the shorter
one every eighth; FOCUSSTATS_LONG=1 all, each put back."""

import json
import os
import re
import shutil
import socket
import subprocess

from store import LONG, StoreCase

import fcgi
import harness
import schema1
import tap
from folder import patience

PAGE = 4096
PAGE_KINDS = {0: "free", 3: "internal", 5: "leaf", 7: "overflow", 9: "header"}  # dbinc/db_page.h
USERS = ("u0", "u1", "u2")
DATABASES = ["active_by_user.db", "documents.db", "meta.db", "sessions.db", "sessions_by_user.db", "stats.db"]

# What may come of it:
REFUSED = "refused"    # 503 to all; the log, doctor and verify name it
PARTLY = "partly"      # the service lives and answers what needs no such page, and 503 to the rest; named by all three
SPARED = "spared"      # nothing that is asked needs the page, so all is answered; doctor and verify name it
UNSEEN = "unseen"      # whole in itself, and of another time or store: the service cannot know, verify says that it does not fit
UNKNOWN = "unknown"    # the same, and nobody can know: descriptions are in no other database
SETTLED = "settled"    # all that the log held is in the databases: they are opened with the other log, or not
HARMLESS = "harmless"  # it holds nothing that is needed, and is made anew

# Each page of a kind has one byte flipped, or is zeroed; the file is cut off or gone; or is of another store, or of an earlier time.
WAYS = ["flip", "zero"]
FILE_WAYS = ["empty", "half a page", "a page short", "deleted", "another store's", "an older one"]


def rows(pages, **files):
    """A row for each way to damage one database."""
    made = {"%s %s" % (way, kind): outcome for kind, outcome in pages.items() for way in WAYS}
    made.update({way: files.get(re.sub("[^a-z]", "_", way), REFUSED) for way in FILE_WAYS})
    return made


EXPECTED = {
    "active_by_user.db": rows({"header": REFUSED, "internal": SPARED, "leaf": SPARED}, a_page_short=SPARED, another_store_s=UNSEEN, an_older_one=UNSEEN),
    "documents.db": rows({"header": REFUSED, "internal": PARTLY, "leaf": PARTLY, "overflow": PARTLY}, a_page_short=PARTLY, another_store_s=UNKNOWN,
                         an_older_one=UNKNOWN),
    "meta.db": rows({"header": REFUSED, "leaf": REFUSED}, another_store_s=UNSEEN, an_older_one=UNSEEN),
    "sessions.db": rows({"header": REFUSED, "internal": SPARED, "leaf": SPARED}, a_page_short=SPARED, another_store_s=UNSEEN, an_older_one=UNSEEN),
    "sessions_by_user.db": rows({"header": REFUSED, "internal": PARTLY, "leaf": PARTLY}, a_page_short=PARTLY, another_store_s=UNSEEN, an_older_one=UNSEEN),
    "stats.db": rows({"header": REFUSED, "internal": PARTLY, "leaf": PARTLY}, a_page_short=PARTLY, another_store_s=UNSEEN, an_older_one=UNSEEN),
    "log": {"flip header": REFUSED, "flip record": REFUSED, "zero header": REFUSED, "empty": REFUSED, "half a page": REFUSED, "deleted": REFUSED,
            "another store's": SETTLED},
    "lock": {"garbage": HARMLESS, "deleted": HARMLESS},
    "metrics": {"flip header": HARMLESS, "garbage": HARMLESS, "empty": HARMLESS, "half a page": HARMLESS, "deleted": HARMLESS, "another store's": HARMLESS},
    "pages.journal": {"flip header": HARMLESS, "garbage": HARMLESS, "empty": HARMLESS, "half a page": HARMLESS, "deleted": HARMLESS,
                      "another store's": HARMLESS},
    "DB_CONFIG": {"garbage": REFUSED, "empty": HARMLESS, "deleted": HARMLESS},
}


def row_of(name):
    return "log" if name.startswith("log.") else name


def kinds_of(path):
    with open(path, "rb") as file:
        data = file.read()
    return [PAGE_KINDS[data[at + 25]] for at in range(0, len(data), PAGE)]


@tap.limit(600 if LONG else 150)
class Matrix(StoreCase):
    def setUp(self):
        super().setUp()
        self.store.leaks = False
        self.seen = {}

    # The stores

    def add_users(self, first, last, title):
        """The ids are long, so that each database has more than one page."""
        for index in range(first, last):
            user = "u%d" % index if index < len(USERS) else ("u%02d" % index).ljust(200, "x")
            self.post("initUser", user=user)
            self.add(user, 60 if index == 1 else 4, long=index == 1)
            for number in range(2):
                self.post("startSession", user=user, document=("d%d" % number).ljust(200, "y"), library="l")
            self.post("setDocument", user=user, document="d", title=title, authors=["Thoreau"])

    def make(self):
        """The home, as it was at an earlier time, and the one of another store."""
        other = self.folder()
        own, self.store = self.store, other
        self.fill_with("Another", users=23)
        self.store = own
        self.fill_with("Walden", middle=lambda: self.copy(own.home, own.join("older")))
        self.write("DB_CONFIG", b"set_cachesize 0 16777216 1\n")
        self.copy(own.home, own.join("good"))
        self.good, self.older, self.other = own.join("good"), own.join("older"), other.home

    def fill_with(self, title, middle=None, users=24):
        socket_path = self.store.socket
        self.responder = self.start(harness.Responder(self.store))
        self.add_users(0, 12, title)
        self.post("setDocument", user="u0", document="e", title="T" * 1000, authors=["A" * 250, "B" * 250, "C" * 250, "D" * 250])
        if middle:
            self.responder.stop()
            middle()
            os.unlink(socket_path)
            self.responder = self.start(harness.Responder(self.store))
        self.add_users(12, users, title)
        self.add("u1", 300, long=True, first=1000)  # more than the log keeps: what it holds of a file's time is carried out again in a copy
        self.add("u0", 3, first=1000)
        self.responder.stop()
        os.unlink(socket_path)
        # Each recovery ends with a checkpoint; the first log file goes once the last two are in the second one.
        harness.wait_until(lambda: self.tool.run("--home", self.store.home, "users").returncode == 0 and self.log_files() == 1, "one log file is left")

    def log_files(self):
        return sum(name.startswith("log.") for name in os.listdir(self.store.home))

    @staticmethod
    def copy(home, to):
        subprocess.run(["cp", "-a", home, to], check=True)

    def write(self, name, data):
        path = os.path.join(self.store.home, name)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, 0o600)
        self.store.give(path)

    # The damage

    def damage(self, name, way):
        good = os.path.join(self.good, name)
        with open(good, "rb") as file:
            data = bytearray(file.read())
        kind = way.partition(" ")[2]
        if way == "deleted":
            os.unlink(os.path.join(self.store.home, name))
            return
        if way in ("another store's", "an older one"):
            with open(os.path.join(self.older if way == "an older one" else self.other, name), "rb") as file:
                data = file.read()
        elif way == "garbage":
            data = bytes((7 * at * at + 3) % 251 + 1 for at in range(500))
        elif way in ("empty", "half a page", "a page short"):
            data = data[:{"empty": 0, "half a page": PAGE // 2, "a page short": len(data) - PAGE}[way]]
        elif name.endswith(".db"):
            page = kinds_of(good).index(kind) * PAGE
            if way.startswith("flip"):
                data[page + (100 if kind == "header" else PAGE - 40)] ^= 1
            else:
                data[page:page + PAGE] = bytes(PAGE)
        elif way == "zero header":
            data[:PAGE] = bytes(PAGE)
        else:
            data[{"header": 20, "record": 200}[kind]] ^= 1
        self.write(name, data)

    def ways(self, name):
        """All that can be done to a file: from what it holds, not from the table."""
        if name.endswith(".db"):
            kinds = sorted(set(kinds_of(os.path.join(self.good, name))))
            return ["%s %s" % (way, kind) for kind in kinds for way in WAYS] + FILE_WAYS
        return list(EXPECTED[row_of(name)])

    def cells(self):
        names = sorted(os.listdir(self.good))
        self.assertEqual(sorted({row_of(name) for name in names}), sorted(EXPECTED), "each file of a home needs a row")
        cells = [(name, way) for name in names for way in self.ways(name)]
        for name, way in cells:
            self.assertIn(way, EXPECTED[row_of(name)], "%s needs a row for it" % name)
        self.assertEqual(len(cells), sum(map(len, EXPECTED.values())))
        return cells

    # What is made of it

    def questions(self):
        yield "health", None
        for user in USERS:
            for action in ("_viewStats", "_getSessions", "_exportUser", "_getDocuments"):
                yield action, {"user": user}

    def ask(self):
        """All questions, of one process: {question: (status, body)}. It has to answer each, and to end in order."""
        folder = self.store
        responder = harness.Responder(folder)
        responder.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        responder.listener.bind(folder.socket)
        os.chmod(folder.socket, 0o666)
        responder.listener.listen(64)
        answers = {}
        try:
            responder.start_one()
            for action, fields in self.questions():
                reply = (responder.ask("GET", "/FocusStats/health", timeout=patience(10)) if fields is None else responder.post(action, fields))
                answers[action, fields and fields["user"]] = (reply.status, reply.json() if reply.status == 200 else reply.text)
        except (fcgi.ConnectionClosed, OSError) as error:
            raise AssertionError("the service ended: %s\n%s" % (error, self.new_log())) from error
        finally:
            responder.stop()
            os.unlink(folder.socket)
        return answers

    def new_log(self):
        """What was logged since the last call."""
        text = ""
        for name in sorted(os.listdir(self.store.logs)):
            path = os.path.join(self.store.logs, name)
            if name.endswith(".log"):
                with open(path, encoding="utf-8", errors="replace") as file:
                    file.seek(self.seen.get(name, 0))
                    text += file.read()
                    self.seen[name] = file.tell()
        self.store.reported.update(line for line in text.split("\n") if "PANIC" in line)
        return text

    def names(self, name, text, said):
        """It is named in what was said, as a line of its own does; the log by log.*, or as that."""
        wanted = r"\blog\b" if name.startswith("log.") else r"\b%s\b" % re.escape(name)
        self.assertRegex(text, wanted, said)

    def cell(self, name, way):
        outcome = EXPECTED[row_of(name)][way]
        what = "%s, %s (%s)" % (name, way, outcome)
        shutil.rmtree(self.store.home)
        self.copy(self.good, self.store.home)
        self.damage(name, way)
        doctor = self.tool.run("--json", "doctor")
        problems = [finding for finding in map(json.loads, doctor.stdout.splitlines()) if finding["level"] == "problem"]
        verify = self.tool.run("verify")
        self.new_log()
        answers = self.ask()
        log = self.new_log()
        wrong = [question for question, answer in answers.items() if answer[0] == 200 and answer != self.truth[question]]
        right = [question for question, answer in answers.items() if answer == self.truth[question]]
        refused = [question for question, answer in answers.items() if answer[0] == 503]
        self.assertEqual(len(refused) + len(wrong) + len(right), len(self.truth), what)
        if outcome not in (UNSEEN, UNKNOWN):
            self.assertEqual(wrong, [], what)
        if outcome in (HARMLESS, UNKNOWN, UNSEEN):
            self.assertEqual((doctor.returncode, refused), (0, []), (what, problems, log))
        if outcome == SETTLED:
            self.assertEqual((doctor.returncode, verify.returncode, len(refused)), (0, 0, 0) if not refused else (1, 1, len(self.truth)), what)
        elif outcome in (HARMLESS, UNKNOWN):
            self.assertRegex(verify.stdout, "is whole", what)
        else:
            self.assertEqual(verify.returncode, 1, what)
            self.assertNotIn("is whole", verify.stdout, what)
        if outcome in (REFUSED, PARTLY, SPARED):
            self.names(name, " ".join(finding["text"] + finding["advice"] for finding in problems), (what, problems))
            self.names(name, verify.stdout + verify.stderr, (what, verify))
            self.assertEqual(doctor.returncode, 1, what)
        if outcome == REFUSED:
            self.assertEqual(len(refused), len(self.truth), (what, answers))
            self.names(name, log + verify.stderr, (what, log))
        elif outcome == PARTLY:
            self.assertIn(("health", None), right, what)
            self.assertGreater(len(refused), 0, what)
            if not way.endswith("internal"):
                self.assertGreater(len({user for _, user in right}), 1, (what, right))
            self.export(what, {user for _, user in refused})
        elif outcome == SPARED:
            self.assertEqual(len(right), len(self.truth), (what, refused))
        if LONG or way == self.ways(name)[0]:
            self.put_back(name, what)
        return outcome

    def export(self, what, lacking):
        """It goes on past the users that cannot be read, and says whom it lacks; where the list of users is damaged they are exported by name."""
        done = self.tool.run("export")
        self.assertEqual(done.returncode, 1, what)
        if "reading the users" not in done.stderr:
            self.assertIn('{"end":{"users":', done.stdout, what)
            for user in USERS:
                self.assertEqual("user '%s' is not exported in full" % user in done.stderr, user in lacking, (what, done.stderr))
            return
        for user in USERS:
            self.assertEqual(self.tool.run("--user", user, "export").returncode, 1 if user in lacking else 0, (what, user))

    def put_back(self, name, what):
        """What was lost, and it is as if nothing had happened."""
        path = os.path.join(self.store.home, name)
        shutil.copy2(os.path.join(self.good, name), path)
        self.store.give(path)
        self.assertEqual(self.ask(), self.truth, what)
        self.assertRegex(self.done("verify"), "is whole", what)
        self.new_log()

    def test_every_file(self):
        self.make()
        self.truth = self.ask()
        self.assertEqual({status for status, _ in self.truth.values()}, {200})
        cells = self.cells()
        step = 1 if LONG else 8 if harness.QUICK else 3
        outcomes = {}
        names = sorted({name for name, _ in cells})
        for number, (name, way) in enumerate(cells):
            if (number + names.index(name)) % step:  # not the same ways of each file
                continue
            outcome = self.cell(name, way)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        print("# %d of %d cells: %s" % (sum(outcomes.values()), len(cells), ", ".join("%s %d" % pair for pair in sorted(outcomes.items()))))


class Schema(StoreCase):
    """Of an older program, and of a newer one."""

    def setUp(self):
        super().setUp()
        if schema1.missing():
            self.skipTest(schema1.missing())
        self.store.leaks = False

    def files(self):
        return {name: open(os.path.join(self.store.home, name), "rb").read() for name in os.listdir(self.store.home) if name.endswith(".db")}

    def test_newer_schema(self):
        """Refused by name, and untouched."""
        self.fill()
        path = os.path.join(self.store.home, "meta.db")
        self.load_meta(path, b"3")
        before = self.files()
        for command in (["users"], ["verify"], ["doctor"], ["export"], ["sweep"]):
            self.assertIn("the store has schema version 3", self.refused(command).stderr + self.tool.run("doctor").stdout)
        reply = harness.cgi(self.store, "POST", "/FocusStats/initUser", b'{"user":"new"}')
        self.assertEqual(reply.status, 503)
        self.assertIn("was written by a newer version of FocusStats", reply.text)
        self.assertEqual(self.files(), before)

    @tap.cases([(name, name, name if name != "meta.db" else "stats.db") for name in schema1.FILES])
    def test_one_file_of_an_older_schema(self, name, named):
        """Whole in itself, and not of this store: verify says so, or nobody opens it. By meta.db the store is an older one, and is brought up."""
        self.fill()
        aside = self.store.join("aside")
        os.mkdir(aside)
        home, self.store.home = self.store.home, aside
        schema1.install(self.store)
        self.store.home = home
        shutil.copyfile(os.path.join(aside, name), os.path.join(home, name))
        done = self.tool.run("verify")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(named, done.stdout + done.stderr)
        self.assertNotIn("is whole", done.stdout)

    def load_meta(self, path, version):
        text = schema1.HEADER + b" %s\n %s\nDATA=END\n" % (b"schema".hex().encode(), version.hex().encode())
        os.unlink(path)
        subprocess.run([schema1.LOAD, path], input=text, check=True)
        os.chmod(path, 0o600)
        self.store.give(path)


if __name__ == "__main__":
    tap.main(globals())
