#!/usr/bin/env python3
"""Fuzzing: each target of libFuzzer replays its corpus, and then looks for other inputs for FUZZ_SECONDS, 15 where that is not set, 0 for none. As many run at
once as there are processors, two at most. What one finds stays in the build's tests/fuzz/found: an input for the corpus, once what it shows is put right.
With FUZZ_ACTIONS, as `make fuzz` sets it, the target actions goes on without sanitizers until so many answers are compared, and corpora grow in the build's
tests/fuzz/grown, which take their time at the next start.

And that the targets leave nothing out: every function that reads a record, every format that is imported, every action of the admin tool.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap
import unittest

SOURCE = os.path.join(HERE, "..", "..")
BUILD = os.path.abspath(os.environ["top_builddir"])
SECONDS = int(os.environ.get("FUZZ_SECONDS") or "15")
ACTIONS = int(os.environ.get("FUZZ_ACTIONS") or "0")
AT_ONCE = min(2, os.cpu_count() or 1)
# Under sanitizers, on a machine that does other things: what one input may take, and what ends a target that hangs.
INPUT_SECONDS = 60
SLACK_SECONDS = 300
# The admin tool and the service read the same settings, and so would the targets.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("FOCUSSTATS_")}
ENVIRONMENT["LSAN_OPTIONS"] = "print_suppressions=0"
# The largest input, and what else libFuzzer is told.
TARGETS = {
    "actions": (4096, ["-len_control=0"]),
    "arguments": (4096, []),
    "import": (20480, []),
    "record": (4096, []),
    "relay": (4096, []),
    "request": (4096, []),
    "times": (4096, []),
}
SWIFT_SECONDS = 60


def program(name):
    return os.path.join(BUILD, "tests", "fuzz", name)


def read(*names):
    with open(os.path.join(SOURCE, *names), encoding="utf-8") as file:
        return file.read()


def folder(*names):
    path = os.path.join(BUILD, "tests", "fuzz", *names)
    os.makedirs(path, exist_ok=True)
    return path


def run(name, arguments, seconds):
    """Its output; AssertionError where it finds something."""
    target = name.partition("-")[0]
    command = [program(name), "-timeout=%d" % INPUT_SECONDS, "-artifact_prefix=%s" % os.path.join(folder("found"), target + "-"), "-rss_limit_mb=4096", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds + SLACK_SECONDS, env=ENVIRONMENT,
                          check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise AssertionError("%s\n%s" % (" ".join(command), text[-6000:]))
    return text


def search(name, seconds, target=None):
    """Looks for other inputs; returns what libFuzzer says."""
    target = target or name
    size, more = TARGETS[target]
    with tempfile.TemporaryDirectory(prefix="focusstats-fuzz-corpus-") as short_lived:
        grown = folder("grown", target) if ACTIONS > 0 else short_lived
        return run(name, ["-max_total_time=%d" % seconds, "-max_len=%d" % size, "-print_final_stats=1", *more, grown, os.path.join(HERE, "corpus", target)],
                   seconds)


def actions_of(text):
    return sum(map(int, re.findall(r"^(\d+) actions compared", text, re.M)))


def fuzz(name):
    """A line of figures."""
    corpus = os.path.join(HERE, "corpus", name)
    files = [os.path.join(corpus, file) for file in sorted(os.listdir(corpus))]
    if not files:
        raise AssertionError("%s is empty" % corpus)
    figures = "%d inputs replayed" % len(files)
    text = run(name, files, SECONDS)
    if len(re.findall(r"^Executed ", text, re.M)) != len(files):
        raise AssertionError("not all of the corpus was replayed\n%s" % text[-2000:])
    if SECONDS > 0:
        text = search(name, SECONDS)
        executions = int(re.search(r"stat::number_of_executed_units: (\d+)", text).group(1))
        if executions <= len(files):
            raise AssertionError("%s ran %d inputs only" % (name, executions))
        figures += ", %d in %d s, %s edges covered" % (executions, SECONDS, re.findall(r"cov: (\d+)", text)[-1])
    if name == "actions":
        figures += ", %d actions compared" % actions_of(text)
    return figures


def compare(wanted):
    """Actions until as many are compared."""
    compared = 0
    while compared < wanted:
        more = actions_of(search("actions-swift", SWIFT_SECONDS, "actions"))
        if more == 0:
            raise AssertionError("no action was compared in %d s" % SWIFT_SECONDS)
        compared += more
    return compared


class Fuzz(unittest.TestCase, metaclass=tap.Cases):
    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        cls.addClassCleanup(cls.pool.shutdown, cancel_futures=True)
        cls.running = {name: cls.pool.submit(fuzz, name) for name in TARGETS if os.path.exists(program(name))}

    @tap.limit((SECONDS + SLACK_SECONDS) * len(TARGETS))
    @tap.cases([(name, name) for name in TARGETS])
    def test_target(self, name):
        if name not in self.running:
            self.skipTest("clang with libFuzzer is not installed (Debian packages clang and libclang-rt-dev)")
        print("# %s: %s" % (name, self.running[name].result()), flush=True)

    if ACTIONS > 0:
        @tap.limit(24 * 60 * 60)
        def test_actions_without_sanitizers(self):
            compared = compare(ACTIONS)
            print("# %d actions compared" % compared, flush=True)
            self.assertGreaterEqual(compared, ACTIONS)


class Complete(unittest.TestCase):
    """What has no target, or no input to begin with, fails."""

    def kinds(self, target):
        """The first bytes of its corpus."""
        corpus = os.path.join(HERE, "corpus", target)
        found = set()
        for name in os.listdir(corpus):
            with open(os.path.join(corpus, name), "rb") as file:
                found.add(file.read(1))
        return {byte[0] for byte in found if byte}

    def test_targets_have_corpora(self):
        sources = {name for name in TARGETS if "int LLVMFuzzerTestOneInput" in read("tests", "fuzz", name + ".c")}
        self.assertEqual(sources, set(TARGETS))
        self.assertEqual(set(os.listdir(os.path.join(HERE, "corpus"))), sources)

    def test_every_function_that_reads_a_record(self):
        header = read("src", "store", "record.h") + read("src", "api", "records.h")
        readers = set(re.findall(r"^(?:bool|int) (record\w*)\(", header, re.M))
        self.assertLessEqual({"record_decode_session", "records_take"}, readers)
        called = set(re.findall(r"\b(record\w*)\(", read("tests", "fuzz", "record.c")))
        self.assertEqual(readers - called, set())
        kinds = len(re.search(r"kinds\[\]\)\([^=]*= \{([^}]*)\}", read("tests", "fuzz", "record.c")).group(1).split(","))
        self.assertEqual({byte % kinds for byte in self.kinds("record")}, set(range(kinds)))

    def test_every_format_that_is_imported(self):
        helped = subprocess.run([os.path.join(BUILD, "focusstats"), "--help"], stdout=subprocess.PIPE, env=ENVIRONMENT, check=True).stdout.decode()
        names = re.findall(r"^  import  (\w+)  ", helped, re.M)
        self.assertIn("koreader", names)
        table = read("src", "tool", "import.c").partition("import_formats[] = {")[2].partition("};")[0]
        readers = dict(re.findall(r'\{"(\w+)",[^{}]*\b(import_\w+_read)\}', table))
        self.assertEqual(sorted(readers), sorted(names))
        fuzzed = re.findall(r"\bimport_\w+_read\b", read("tests", "fuzz", "import.c"))
        self.assertEqual(sorted(fuzzed), sorted(readers.values()))
        self.assertEqual({byte % len(fuzzed) for byte in self.kinds("import")}, set(range(len(fuzzed))))

    def test_every_action(self):
        """Those of the API are looked for by the target itself, which has their table."""
        header = set(re.findall(r"^#define (LOCAL_\w+)", read("src", "api", "local.h"), re.M))
        self.assertIn("LOCAL_SETTLE", header)
        self.assertEqual(header - set(re.findall(r"\{(LOCAL_\w+),", read("tests", "fuzz", "actions.c"))), set())


if __name__ == "__main__":
    tap.main(globals())
