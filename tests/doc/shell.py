"""A shell for the commands that the documentation shows.

    shell = Shell(folder, replacements)     runs as the folder's user, with both programs in its PATH and a home of its own
    shell.run(text) -> what is wrong        the commands of a console block, in order, and what they print
    shell.do(text)                          the commands of a block that shows no output; none may fail

In a console block "$ " begins a command and "> " goes on with it, as a shell's prompts do; everything else is what it prints, where a backslash at the
end of a line says that the line goes on, and "..." stands for anything. Ids are bound as in examples.py; the time, process and duration of a log
line may be any.
"""

import re
import subprocess

from examples import LEFT_OUT, Bindings
from folder import AS_ROOT, child_environment, worker
from tool import Tool

MARK = "-- the end of what it printed --"


def commands(text):
    """Pairs of a command and the lines that it prints."""
    made = []
    goes_on = False
    for line in text.split("\n"):
        if line.startswith("$ "):
            made.append((line[2:], []))
        elif line.startswith("> "):
            made[-1] = (made[-1][0] + "\n" + line[2:], [])
        elif made[-1][0].endswith("\\") and not made[-1][1]:
            made[-1] = (made[-1][0] + "\n" + line, [])
        elif goes_on:
            made[-1][1][-1] += line
        else:
            made[-1][1].append(line)
        printed = made[-1][1]
        goes_on = bool(printed) and printed[-1].endswith("\\")
        if goes_on:
            printed[-1] = printed[-1][:-1]
    return made


def masked(line):
    """A log line without what is another one in each run."""
    line = re.sub(r"^\S+Z (focusstats)\[\d+\]: ", r"TIME \1[PID]: ", line)
    return re.sub(r"\(\d+ ms\)", "(N ms)", line)


class Shell:
    """REPLACEMENTS are pairs of what a page says and what it is here; /tmp is the shell's home."""

    def __init__(self, folder, replacements=()):
        self.tmp = folder.join("shell")
        Tool(folder)  # copies it beside the program
        folder.write("shell/.here", "")
        folder.give(self.tmp)
        self.replacements = dict([*replacements, ("/tmp/", self.tmp + "/")])
        self.bindings = Bindings()
        who = {"user": worker().pw_uid, "group": worker().pw_gid, "extra_groups": []} if AS_ROOT else {}
        env = child_environment(folder)
        env["PATH"] = folder.bin + ":" + env["PATH"]
        env["HOME"] = self.tmp
        self.shell = subprocess.Popen(["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=self.tmp,
                                      encoding="utf-8", **who)

    def close(self):
        self.shell.stdin.close()
        self.shell.stdout.close()
        self.shell.wait()

    def put(self, text):
        return re.sub("|".join(map(re.escape, self.replacements)), lambda found: self.replacements[found[0]], text)

    def printed(self, command):
        """What a command prints, in lines."""
        self.shell.stdin.write("%s\necho '%s'\n" % (self.put(self.bindings.apply(command)), MARK))
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            if line.rstrip("\n") == MARK:
                return lines
            lines.append(line.rstrip("\n"))
        raise AssertionError("the shell has ended after: %s" % command)

    def do(self, text):
        printed = self.printed("set -e\n%s\nset +e\necho done" % text)
        if printed[-1:] != ["done"]:
            raise AssertionError("%s: %s" % (text, printed))

    def run(self, text):
        wrong = []
        for command, documented in commands(text):
            answered = self.printed(command)
            same = len(answered) == len(documented) and all(
                self.bindings.match(masked(self.put(left)).replace("...", LEFT_OUT), masked(right)) for left, right in zip(documented, answered))
            if not same:
                wrong.append((command, documented, answered))
        return wrong
