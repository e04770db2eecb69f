#!/usr/bin/env python3
"""What `focusstats export` writes and `focusstats import` takes, in the own format: doc/moving.md."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "doc"))

import harness
import tap
import timed
from faults import Faults
from folder import AS_ROOT, child_environment, worker
from markdown import blocks, read
from tool import Tool

LONG = os.environ.get("FOCUSSTATS_LONG") == "1"
BEGIN = timed.ms_of("2025-11-10T12:00:00Z")
HEAD = {"focusstats": {"version": 1}}
DATABASES = ["sessions", "sessions_by_user", "active_by_user", "documents", "stats"]


def session(number, user="ada", **more):
    made = {"user": user, "focusSession": str(uuid.UUID(int=number << 64 | 0x7000 << 64 | 0x8 << 60 | number)), "document": "book", "library": "home",
            "startTime": timed.instant(BEGIN + 60000 * number), "endTime": timed.instant(BEGIN + 60000 * number + 30000), **more}
    return {"session": {key: value for key, value in made.items() if value is not None}}


def user(name="ada", number=1, **settings):
    return {"user": {"user": name, "focusStats": str(uuid.UUID(int=number)),
                     "settings": {"timezone": "UTC", "dayStart": "00:00", "weekStart": "monday", "dailyGoalSeconds": 0, "idleTimeoutSeconds": 600, **settings}}}


def document(name="book", of="ada", **more):
    return {"document": {"user": of, "document": name, "title": "A title", "authors": [], **more}}


def text_of(records):
    """The records as a file of the own format."""
    return "".join(json.dumps(record) + "\n" for record in [HEAD, *records, {"end": {}}])


class TransferCase(harness.Case):
    def setUp(self):
        self.store = self.folder()
        self.tool = Tool(self.store)

    def file(self, text, name="in.ndjson"):
        path = self.store.join("log", name)
        with open(path, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        os.chmod(path, 0o644)
        return path

    def take(self, text, *options, tool=None):
        """Imports the text; returns the report and the reasons of what was refused, by line."""
        done = (tool or self.tool).run("--json", "import", *options, self.file(text))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        refused = {line["refused"]["line"]: line["refused"]["reason"] for line in lines[:-1]}
        self.assertEqual(done.returncode, 1 if refused else 0, done)
        return lines[-1], refused

    def counts(self, text, *options):
        report, refused = self.take(text, *options)
        self.assertEqual(refused, {})
        return {kind: {fate: count for fate, count in report[kind].items() if count} for kind in ("users", "documents", "sessions")}

    def export(self, *options, tool=None):
        done = (tool or self.tool).run("export", *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def serve(self, **more):
        self.faults = Faults(self.store)
        self.faults.set("clock", str(BEGIN))
        self.responder = self.start(harness.Responder(self.store, settings=self.faults.settings(), **more))

    def post(self, action, **fields):
        reply = self.responder.post(action, fields)
        self.assertEqual(reply.status, 200, reply)
        return reply.json()

    def record_something(self):
        """Users with all that can be known of a session, through the API."""
        for name in ("ada", "é 📚 'x'", "y" * 255):
            self.post("initUser", user=name)
            self.post("setSettings", user=name, timezone="Europe/Berlin", dayStart="04:30", weekStart="sunday", dailyGoalSeconds=1800, idleTimeoutSeconds=3600)
            self.post("setDocument", user=name, document="walden", title="Walden \"2\" \\ \u00a0", authors=["Thoreau", "é"])
            self.post("setDocument", user=name, document="untitled", authors=[])
            for number in range(3):
                made = self.post("startSession", user=name, document="walden", library="\\home")["focusSession"]
                if number > 0:
                    self.post("heartbeat", focusSession=made, progress=0.1 + 0.2)
                if number > 1:
                    self.post("editSession", focusSession=made, document="other")
                    self.post("endSession", focusSession=made)
            self.post("addSession", user=name, document="walden", library="l", startTime="1970-01-01T00:00:00Z", endTime="1970-01-01T00:00:00.001Z")
        self.post("initUser", user="nothing")


class Lossless(TransferCase):
    def dump(self, folder):
        return {name: subprocess.run(["db5.3_dump", os.path.join(folder.home, name + ".db")], check=True, stdout=subprocess.PIPE).stdout for name in DATABASES}

    @tap.cases([("without a service", 0), ("with one process", 1), ("with three", 3)])
    def test_the_same_store(self, processes):
        """Out of one home and into an empty one: every record is the same."""
        self.serve()
        self.record_something()
        exported = self.export()
        self.assertEqual(len(exported.splitlines()), 1 + 4 + 3 * 2 + 3 * 4 + 1)
        self.responder.stop()
        self.assertEqual(self.export(), exported)
        other = self.folder()
        tool = Tool(other)
        if processes:
            self.start(harness.Responder(other, processes=processes))
        report, refused = self.take(exported, tool=tool)
        self.assertEqual((report["users"]["created"], report["documents"]["created"], report["sessions"]["created"], refused), (4, 6, 12, {}))
        self.assertEqual(self.export(tool=tool), exported)
        report, refused = self.take(exported, tool=tool)
        self.assertEqual((report["users"]["alreadyThere"], report["documents"]["alreadyThere"], report["sessions"]["alreadyThere"], refused), (4, 6, 12, {}))
        if not processes:
            self.assertEqual(self.dump(other), self.dump(self.store))

    def test_one_user(self):
        self.serve()
        self.record_something()
        lines = self.export("--user", "ada").splitlines()
        self.assertEqual([list(json.loads(line))[0] for line in lines], ["focusstats", "user", *["document"] * 2, *["session"] * 4, "end"])
        done = self.tool.run("export", "--user", "nobody")
        self.assertEqual((done.returncode, done.stderr), (1, "focusstats: there is no user 'nobody'\n"))

    def test_many_sessions(self):
        """More than go into a page or a batch, many with the same start."""
        chance = random.Random(7)
        records = [user(), *(session(number, startTime=timed.instant(BEGIN - 1000 * chance.randrange(5))) for number in range(2100))]
        self.assertEqual(self.counts(text_of(records)), {"users": {"created": 1}, "documents": {}, "sessions": {"created": 2100}})
        exported = [json.loads(line)["session"] for line in self.export().splitlines() if line.startswith('{"session"')]
        self.assertEqual(exported, sorted((record["session"] for record in records[1:]), key=lambda one: (one["startTime"], one["focusSession"])))

    def test_an_open_session_is_not_ended_by_the_import(self):
        """Its heartbeats stopped long ago: it is taken as it is all the same, and so are the ones behind it."""
        records = [user(), session(1, endTime=None, lastSeen=timed.instant(BEGIN + 60000)), session(2)]
        self.counts(text_of(records))
        exported = self.export()
        self.assertIn(json.dumps(records[1], separators=(",", ":")), exported)
        self.assertEqual(self.tool.lines("sweep"), [{"users": 1, "endedSessions": 1}])
        self.assertNotEqual(self.export(), exported)


class Records(TransferCase):
    def test_what_is_there_stays(self):
        self.counts(text_of([user(), document(), session(1)]))
        self.assertEqual(self.counts(text_of([document(title="Another")])), {"users": {}, "documents": {"alreadyThere": 1}, "sessions": {}})
        before = self.export()
        report, refused = self.take(text_of([user(number=2), user(dayStart="01:00"), session(1, document="x"), session(1, endTime=None), session(2)]))
        self.assertEqual(refused, {2: "user 'ada' is there already, with another FocusStats id", 3: "user 'ada' is there already, with other settings",
                                   4: "focusSession: '%s' is there already, with other values" % session(1)["session"]["focusSession"],
                                   5: "focusSession: '%s' is there already, with other values" % session(1)["session"]["focusSession"]})
        self.assertEqual(report["sessions"], {"created": 1, "alreadyThere": 0, "grown": 0, "refused": 2})
        after = self.export().splitlines()
        self.assertEqual(after[:-2] + after[-1:], before.splitlines()[:-1] + ['{"end":{"users":1,"documents":1,"sessions":2}}'])

    def test_each_user_has_their_own_documents(self):
        self.counts(text_of([user(), user("bob", 2), document(), document(of="bob", title=None, authors=["b"])]))
        self.assertEqual([json.loads(line)["document"] for line in self.export().splitlines() if line.startswith('{"document"')],
                         [document()["document"], document(of="bob", title=None, authors=["b"])["document"]])

    @tap.cases([("user", "there is no user 'ada'", [session(1)]), ("document's user", "there is no user 'ada'", [document()]),
                ("order", "endTime: is before startTime", [session(1, endTime="2025-11-10T00:00:00Z")]),
                ("id", "focusSession: 'x' is not a UUID", [session(1, focusSession="x")]),
                ("start", "startTime: is missing", [session(1, startTime=None)]), ("start's form", "startTime: 'now' is not an instant", [session(1, startTime="now")]),
                ("library", "library: ", [session(1, library="")]), ("seen", "lastSeen: is no instant", [session(1, lastSeen=3)]),
                ("seen before", "lastSeen: is before startTime", [session(1, lastSeen="2025-11-10T00:00:00Z")]),
                ("half a report", "progress, progressTime", [session(1, progress=0.5)]), ("progress", "progress: must be", [session(1, progress=2)]),
                ("started", "startedWith: ", [session(1, startedWith="\u0001")]), ("zone", "timezone: 'Mars/Base' ", [user(timezone="Mars/Base")]),
                ("settings", "settings: must be an object", [{"user": {"user": "ada", "focusStats": str(uuid.UUID(int=1))}}]),
                ("FocusStats", "focusStats: is no UUID", [{"user": {**user()["user"], "focusStats": 1}}]),
                ("authors", "authors: ", [document(authors="A")]), ("another thing", "is neither a user nor", [{"book": {}}]),
                ("not an object", "is neither a user nor", [{"session": 3}])])
    def test_refused(self, reason, records):
        report, refused = self.take(text_of(records))
        self.assertEqual(list(refused), [2])
        self.assertTrue(refused[2].startswith(reason), refused)
        self.assertEqual(report["sessions"]["created"] + report["documents"]["created"] + report["users"]["created"], 0)
        self.assertEqual(self.export(), '{"focusstats":{"version":1}}\n{"end":{"users":0,"documents":0,"sessions":0}}\n')

    def test_lines_that_are_no_json(self):
        lines = text_of([user(), session(1)]).splitlines()
        spoilt = "\r\n".join(["\ufeff" + lines[0], lines[1], "{", '{"session": "\ud800"}'.encode("utf-8", "surrogatepass").decode("latin-1"), "", "[]", lines[2], lines[3]])
        report, refused = self.take(spoilt.encode("utf-8"))
        self.assertEqual(sorted(refused), [3, 4, 6])
        for reason in refused.values():
            self.assertRegex(reason, "^(the line|is neither)")
        self.assertEqual(report["sessions"]["created"], 1)

    def test_an_array(self):
        records = [HEAD, user(), *(session(number) for number in range(700)), {"end": {}}]
        for text in (json.dumps(records), json.dumps(records, indent=2)):
            report, refused = self.take(text)
            self.assertEqual((sum(report["sessions"].values()), refused), (700, {}))

    @tap.cases([("not ended", "[{\"focusstats\":{}}", "the file ends within an array"), ("within", "[{\"focusstats\":{}},{\"a\":", "the file ends within an object"),
                ("more", "[{\"focusstats\":{}}] x", "an object should begin here"),
                ("numbers", "[{\"focusstats\":{}},3]", "an object should begin here"), ("empty", "", "is empty"), ("cut off", json.dumps(HEAD), "is cut off"),
                ("another file", '{"_id":1}', "is no export of FocusStats"), ("no JSON", "SQLite format 3", "is no export of FocusStats"),
                ("newer", '{"focusstats":{"version":2}}', "was exported by a newer release, in version 2 of the format")])
    def test_files_that_are_none(self, text, reason):
        path = self.file(text)
        done = self.tool.run("import", path)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(reason, done.stderr)

    def test_what_stands_before_a_fault_is_stored(self):
        text = "".join(json.dumps(record) + "\n" for record in [HEAD, user(), session(1)])
        done = self.tool.run("import", self.file(text))
        self.assertEqual(done.returncode, 1)
        self.assertIn("is cut off: its last line is missing", done.stderr)
        self.assertEqual(self.tool.lines("users")[0]["sessions"], 1)

    def test_files_that_cannot_be_read(self):
        for path in ("/nowhere/x.ndjson", self.store.path):
            done = self.tool.run("import", path)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"focusstats: %s: .*(No such file|Is a directory)" % path)


class Options(TransferCase):
    def test_dry_run(self):
        records = [user(), document(), session(1)]
        self.assertEqual(self.counts(text_of(records), "--dry-run"), {"users": {"created": 1}, "documents": {"created": 1}, "sessions": {"created": 1}})
        self.assertEqual(self.tool.lines("users"), [])
        report, refused = self.take(text_of([session(1)]), "--dry-run")
        self.assertEqual((report["dryRun"], refused), (True, {2: "there is no user 'ada': users come before what is theirs, or --create-users makes them"}))
        self.counts(text_of(records))
        self.assertEqual(self.counts(text_of([*records, session(2)]), "--dry-run")["sessions"], {"created": 1, "alreadyThere": 1})
        self.assertEqual(self.tool.lines("users")[0]["sessions"], 1)

    def test_create_users(self):
        records = [session(number, user="user %d" % (number % 7)) for number in range(20)]
        wanted = {"users": {"created": 7}, "documents": {}, "sessions": {"created": 20}}
        self.assertEqual(self.counts(text_of(records), "--create-users", "--dry-run"), wanted)
        self.assertEqual(self.counts(text_of(records), "--create-users"), wanted)
        self.assertEqual(self.counts(text_of(records), "--create-users"), {"users": {}, "documents": {}, "sessions": {"alreadyThere": 20}})

    def test_standard_input_and_several_files(self):
        done = self.tool.run("--json", "import", self.file(text_of([user()]), "a"), "-", input=text_of([session(1)]).encode())
        self.assertEqual(json.loads(done.stdout)["sessions"]["created"], 1, done)

    @tap.cases([("format", ["import", "--format", "x", "f"], 1, "there is no format x"), ("export", ["export", "--format", "x"], 1, "there is no format x"),
                ("user", ["import", "--user", "ada", "f"], 1, "the format focusstats has no --user"), ("no file", ["import"], 2, "FILE... is missing"),
                ("gap", ["import", "--gap", "x", "f"], 2, "no number of seconds: x"), ("others", ["users", "--dry-run"], 2, "users has no --dry-run")])
    def test_wrong_use(self, arguments, status, reason):
        done = self.tool.run(*arguments)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done)
        self.assertIn(reason, done.stderr)


class Failures(TransferCase):
    def test_killed(self):
        """An import that is killed and begun anew ends as one that was not."""
        records = text_of([user(), *(session(number) for number in range(6000))])
        path = self.file(records)
        child = subprocess.Popen([self.tool.program, "import", path], env=self.tool.environment(), stdout=subprocess.DEVNULL)
        harness.wait_until(lambda: os.path.exists(os.path.join(self.store.home, "log.0000000002")) or child.poll() is not None, "a second log file")
        child.send_signal(signal.SIGKILL)
        self.assertIn(child.wait(), (-signal.SIGKILL, 0))  # it may have been done
        report, refused = self.take(records)
        self.assertEqual((report["sessions"]["created"] + report["sessions"]["alreadyThere"], refused), (6000, {}))
        self.assertGreater(report["sessions"]["alreadyThere"], 0)
        self.assertEqual(self.tool.lines("users")[0]["sessions"], 6000)

    def test_a_full_disk(self):
        self.serve()
        self.counts(text_of([user()]))
        self.faults.set("no-space")
        done = self.tool.run("import", self.file(text_of([session(1)])))
        self.assertEqual(done.returncode, 1)
        self.assertIn("no space left on the disk", done.stderr)
        self.faults.clear("no-space")
        harness.wait_until(lambda: self.tool.run("init", "reader").returncode == 0, "there is room again")
        self.assertEqual(self.counts(text_of([session(1)]))["sessions"], {"created": 1})

    def test_an_output_that_is_closed(self):
        self.counts(text_of([user(), *(session(number) for number in range(3000))]))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.tool.program, "export"], env=self.tool.environment(), stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, b"focusstats: writing the output failed\n"))

    def test_memory(self):
        """It does not grow with the file: below 100 MB, the cache of the store in it. A sanitizer's own memory comes on top."""
        with open(self.tool.program, "rb") as file:
            most = 600e6 if b"__asan_init" in file.read() else 100e6
        count = 1000000 if LONG else 30000
        child = subprocess.Popen([self.tool.program, "-q", "import", "-"], env=self.tool.environment(), stdin=subprocess.PIPE)
        child.stdin.write((json.dumps(HEAD) + "\n" + json.dumps(user()) + "\n").encode())
        for number in range(count):
            child.stdin.write((json.dumps(session(number, startTime="2020-01-01T00:00:00Z", endTime="2020-01-01T01:00:00Z")) + "\n").encode())
        child.stdin.write(b'{"end":{}}\n')
        child.stdin.close()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, 0)
        self.assertLess(used.ru_maxrss * 1024, most)
        self.assertEqual(self.tool.lines("users")[0]["sessions"], count)


class Removal(TransferCase):
    def test_all_of_a_large_user_is_gone(self):
        """Without a service nobody else would delete it."""
        self.counts(text_of([user(), *(session(number) for number in range(20000))]))
        self.assertEqual(self.tool.lines("--yes", "remove", "ada"), [{"removedSessions": 20000}])
        for name in DATABASES:
            dumped = subprocess.run(["db5.3_dump", os.path.join(self.store.home, name + ".db")], check=True, stdout=subprocess.PIPE).stdout
            self.assertNotIn(b"\n 61646", dumped.split(b"HEADER=END")[1], name)
            self.assertEqual(dumped.split(b"HEADER=END")[1], b"\nDATA=END\n", name)


class Documentation(TransferCase):
    def test_examples(self):
        """The commands of doc/moving.md, each block with a home of its own in which its files were imported before where it says so."""
        shown = [block for block in blocks(read("doc/moving.md").split("\n")) if block.language == "console" and "--format" not in block.text]
        export = next(block for block in shown if "export --user ada" in block.text).lines[1:]
        damaged = [export[0], export[1], export[3].replace("18:45:00", "17:45:00"), export[4], export[5]]
        self.assertEqual(len(shown), 3)
        for block in shown:
            folder = self.folder()
            tool = Tool(folder)
            for name, lines in (("reading.ndjson", export), ("damaged.ndjson", damaged)):
                with open(folder.join("log", name), "w", encoding="utf-8") as file:
                    file.write("\n".join(lines) + "\n")
            if "export" in block.text:
                tool.run("import", folder.join("log", "reading.ndjson"))
            elif "damaged" in block.text:
                tool.run("import", "-", input=("\n".join([*export[:2], export[5]]) + "\n").encode())
            printed = []
            for line in block.lines:
                if line.startswith("$ focusstats "):
                    done = subprocess.run("'%s' %s" % (tool.program, line[len("$ focusstats "):]), shell=True, cwd=folder.join("log"), env=tool.environment(),
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                    printed += [line, *done.stdout.decode().splitlines()]
            self.assertEqual(printed, block.lines)


if __name__ == "__main__":
    tap.main(globals())
