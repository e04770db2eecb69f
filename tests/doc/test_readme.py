#!/usr/bin/env python3
"""The commands that README.md shows a reader, run by a shell against a running service, and what it says they print."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
import tap
from examples import Bindings
from folder import child_environment
from markdown import blocks, read, sections

PAGE = "README.md"
MARK = "-- the end of what it printed --"


def commands():
    """The commands of the page's console blocks, each with what it prints."""
    shown = [block for section in sections(read(PAGE)) for block in blocks(section.lines) if block.language == "console"]
    made = []
    for line in (line for block in shown for line in block.lines):
        if line.startswith("$ "):
            made.append((line[2:], []))
        else:
            made[-1][1].append(line)
    return made


class Readme(harness.Case):
    def test_commands(self):
        if shutil.which("curl") is None:
            self.skipTest("curl is not installed (Debian package curl)")
        server = self.start(harness.Lighttpd(self.folder()))
        bindings = Bindings()
        with subprocess.Popen(["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=child_environment(server.folder),
                              universal_newlines=True) as shell:
            for command, printed in commands():
                command = bindings.apply(command).replace("127.0.0.1:8080", "127.0.0.1:%d" % server.port)
                shell.stdin.write("%s\necho '%s'\n" % (command, MARK))
                shell.stdin.flush()
                lines = list(iter(lambda: shell.stdout.readline().rstrip("\n"), MARK))
                self.assertEqual(len(lines), len(printed), (command, lines))
                for documented, line in zip(printed, lines):
                    self.assertTrue(bindings.match(documented, line), (command, documented, line))
            shell.stdin.close()
        self.assertGreater(len(commands()), 9)


if __name__ == "__main__":
    tap.main(globals())
