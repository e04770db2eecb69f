#!/usr/bin/env python3
"""Fuzzing: each target of libFuzzer replays its corpus, and then looks for other inputs for FUZZ_SECONDS, where that is set. What one finds stays in the build's tests/fuzz/found: an input for the corpus, once what it shows is put right."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap
import unittest

SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
# Under sanitizers, on a machine that does other things: what one input may take, and what ends a target that hangs.
INPUT_SECONDS = 60
SLACK_SECONDS = 300
# The admin tool and the service read the same settings, and so would the targets.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("FOCUSSTATS_")}
ENVIRONMENT["LSAN_OPTIONS"] = "print_suppressions=0"
TARGETS = [("actions", 4096), ("arguments", 4096), ("import", 20480), ("record", 4096), ("relay", 4096), ("request", 4096), ("times", 4096)]


class Fuzz(unittest.TestCase, metaclass=tap.Cases):
    @tap.limit(SECONDS + 2 * SLACK_SECONDS)
    @tap.cases([(name, name, size) for name, size in TARGETS])
    def test_target(self, name, size):
        program = os.path.join(os.environ["top_builddir"], "tests", "fuzz", name)
        if not os.path.exists(program):
            self.skipTest("clang with libFuzzer is not installed (Debian packages clang and libclang-rt-dev)")
        corpus = os.path.join(HERE, "corpus", name)
        self.assertTrue(os.listdir(corpus))
        found = os.path.join(os.environ["top_builddir"], "tests", "fuzz", "found")
        os.makedirs(found, exist_ok=True)
        grown = tempfile.mkdtemp(prefix="focusstats-fuzz-corpus-")
        self.addCleanup(shutil.rmtree, grown)
        files = [os.path.join(corpus, file) for file in sorted(os.listdir(corpus))]
        self.run_target([program, *files], found, name)
        if SECONDS == 0:
            return
        text = self.run_target([program, "-max_total_time=%d" % SECONDS, "-max_len=%d" % size, "-print_final_stats=1", grown, corpus], found, name)
        executions = int(re.search(r"stat::number_of_executed_units: (\d+)", text).group(1))
        self.assertGreater(executions, len(files))
        covered = re.findall(r"cov: (\d+)", text)
        actions = re.findall(r"^(\d+) actions compared", text, re.M)
        print("# %s: %d inputs, %s edges covered%s" % (name, executions, covered[-1] if covered else "no",
                                                       ", %s actions compared" % actions[-1] if actions else ""), flush=True)

    def run_target(self, command, found, name):
        command[1:1] = ["-timeout=%d" % INPUT_SECONDS, "-artifact_prefix=%s" % os.path.join(found, name + "-"), "-rss_limit_mb=4096"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS + SLACK_SECONDS,
                              env=ENVIRONMENT, check=False)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, "%s\n%s" % (" ".join(command), text[-6000:]))
        return text


if __name__ == "__main__":
    tap.main(globals())
