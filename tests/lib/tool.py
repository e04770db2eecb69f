"""The admin tool in a test's folder.

    tool = Tool(folder)
    done = tool.run("users", "--json")              CompletedProcess, as who runs the test: root, where the tool becomes the home's user itself
    status, shown = tool.at_terminal(["remove", "ann"], "ann\\n")     with a pseudo-terminal, on which the text is typed
    tool.lines("users")                             what it printed with --json, each line read; it must have ended with 0
"""

import json
import os
import pty
import shutil
import subprocess

from folder import BUILD, DEADLINE_SECONDS, child_environment, patience

COMMAND_SECONDS = 60  # an import of many thousand sessions takes its time


class Tool:
    def __init__(self, folder):
        self.folder = folder
        self.program = folder.join("cgi-bin", "focusstats")
        if not os.path.exists(self.program):
            shutil.copy(os.path.join(BUILD, "focusstats"), self.program)

    def environment(self, settings=None):
        return child_environment(self.folder, {"FOCUSSTATS_HOME": self.folder.home, **(settings or {})})

    def run(self, *arguments, settings=None, input=b""):
        done = subprocess.run([self.program, *arguments], input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env=self.environment(settings), cwd=self.folder.path, timeout=patience(COMMAND_SECONDS))
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        with open(self.folder.join("log", "tool.log"), "a", encoding="utf-8") as log:
            log.write(done.stderr)
        return done

    def lines(self, *arguments, **more):
        done = self.run("--json", *arguments, **more)
        if done.returncode != 0:
            raise AssertionError("%s ended with %d: %s" % (arguments, done.returncode, done.stderr))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def at_terminal(self, arguments, typed):
        controller, terminal = pty.openpty()
        child = subprocess.Popen([self.program, *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env=self.environment(),
                                 cwd=self.folder.path)
        os.close(terminal)
        os.write(controller, typed.encode())
        shown = b""
        try:
            while True:
                piece = os.read(controller, 4096)
                if not piece:
                    break
                shown += piece
        except OSError:  # the other side is gone
            pass
        os.close(controller)
        return child.wait(patience(DEADLINE_SECONDS)), shown.decode().replace("\r\n", "\n")
