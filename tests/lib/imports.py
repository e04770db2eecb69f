"""What the tests of imports share.

    class Thing(ImportCase):
        FORMAT = "koreader"; OPTIONS = ("--user", "reader")      of every import
        def test_x(self):
            self.serve(processes=3)                  a service, where the test wants one; self.responder
            report = self.imported(path, "--gap", "60")          must succeed; the report of --json
            self.refusals(path)                      must end with 1; [(line or row, reason)]
            text = self.fails(path, "words")         must end with 1 and store nothing of the file; what it said
            self.exported("session")                 what the store has, as export writes it
            self.assert_examples("koreader", 2)      the two blocks of commands of doc/moving.md, in the folder log, print what stands there

The scripts put tests/doc on sys.path too.
"""

import datetime
import json
import subprocess

import harness
from markdown import blocks, read
from tool import Tool


def milliseconds(text):
    """An instant of the API as ms since 1970."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(milliseconds=1)


def instant(seconds):
    """Seconds since 1970 as an instant of the API."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class ImportCase(harness.Case):
    FORMAT = None
    OPTIONS = ()

    def setUp(self):
        self.store = self.folder()
        self.tool = Tool(self.store)

    def serve(self, **more):
        self.responder = self.start(harness.Responder(self.store, **more))

    def run_import(self, path, *options, **more):
        return self.tool.run("--json", "import", "--format", self.FORMAT, *self.OPTIONS, *options, path, **more)

    def imported(self, path, *options, **more):
        done = self.run_import(path, *options, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        report, = [json.loads(line) for line in done.stdout.splitlines()]
        return report

    def refusals(self, path, *options, **more):
        done = self.run_import(path, *options, **more)
        self.assertEqual(done.returncode, 1, done)
        refused = [line["refused"] for line in map(json.loads, done.stdout.splitlines()) if "refused" in line]
        self.assertEqual({line["file"] for line in refused}, {path}, done)
        return [(line["line"], line["reason"]) for line in refused]

    def fails(self, path, *words, options=(), **more):
        done = self.run_import(path, *options, **more)
        self.assertEqual(done.returncode, 1, done)
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr

    def assert_examples(self, format, count):
        shown = [block for block in blocks(read("doc/moving.md").split("\n")) if block.language == "console" and "--format %s " % format in block.text]
        self.assertEqual(len(shown), count)
        for block in shown:
            printed = []
            for line in block.lines:
                if line.startswith("$ focusstats "):
                    done = subprocess.run("'%s' %s" % (self.tool.program, line[len("$ focusstats "):]), shell=True, cwd=self.store.join("log"),
                                          env=self.tool.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                    printed += [line, *done.stdout.decode().splitlines()]
            self.assertEqual(printed, block.lines)

    def exported_text(self):
        done = self.tool.run("export")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout

    def exported(self, kind):
        return [line[kind] for line in map(json.loads, self.exported_text().splitlines()) if kind in line]
