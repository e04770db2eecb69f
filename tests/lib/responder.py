"""The program without a web server: as FastCGI responder, as plain CGI, from the command line. The overview is in harness.py."""

import atexit
import json
import os
import re
import signal
import socket
import subprocess

import fcgi
import webclient
from folder import AS_ROOT, DEADLINE_SECONDS, child_environment, patience, wait_until, worker


def ended(process, seconds):
    """Whether a child ends within SECONDS."""
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def ready_for_signals(child):
    """Waits until a signal ends a process of the program in order: SIGTERM is blocked then, in all its threads but the one that waits for it."""
    wait_until(lambda: child.poll() is not None or blocks_the_end(child.pid), "the new process is ready for signals")


def signals_of(pid, name):
    """A set of signals (proc(5)) of each thread of a process."""
    masks = []
    for thread in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/status" % (pid, thread), encoding="ascii", errors="replace") as file:
                masks.append(int(re.search(r"(?m)^%s:\s*(\w+)" % name, file.read()).group(1), 16))
        except (FileNotFoundError, ProcessLookupError):
            pass  # a thread that has ended
    return masks


def blocks_the_end(pid):
    """Whether a thread of the process blocks SIGTERM. A handler would not tell: it may be one of before the program was executed."""
    return any(mask >> (signal.SIGTERM - 1) & 1 for mask in signals_of(pid, "SigBlk"))


RUNNING = []
CRASHES = (signal.SIGILL, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV)


@atexit.register
def end_all():
    """However the script ends, nothing that it started goes on."""
    for child in RUNNING:
        if child.poll() is None:
            child.terminate()
            if not ended(child, 5):
                child.kill()


class Child:
    """Something a test starts and stops."""

    def __init__(self, folder, settings=None):
        self.folder = folder
        self.settings = dict(settings or {})

    def popen(self, command, log, env, stdin=subprocess.DEVNULL, as_worker=False):
        """Starts COMMAND; what it writes is appended to the log file."""
        who = {}
        if as_worker and AS_ROOT:
            who = {"user": worker().pw_uid, "group": worker().pw_gid, "extra_groups": []}
        with open(os.path.join(self.folder.logs, log), "ab") as output:
            child = subprocess.Popen(command, stdin=stdin, stdout=output, stderr=output, env=env, cwd=self.folder.path, **who)
        RUNNING.append(child)
        return child


class Responder(Child):
    """The program as FastCGI responder, without a web server. All its processes share one listening socket, which stays open in the test, so that
    connections wait where none of them is alive."""

    ends_in_order = True  # at SIGTERM, as the service does; another program in its place need not

    def __init__(self, folder, settings=None, processes=1):
        super().__init__(folder, settings)
        self.count = processes
        self.listener = None
        self.children = []

    @property
    def pids(self):
        """The living ones."""
        return [child.pid for child in self.children if child.poll() is None]

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.folder.socket)
        os.chmod(self.folder.socket, 0o666)
        self.listener.listen(4096)
        for _ in range(self.count):
            self.start_one()
        self.wait_ready()
        for child in self.children if self.ends_in_order else ():
            ready_for_signals(child)
        return self

    def wait_ready(self):
        def ready():
            if not self.pids:
                raise AssertionError("no responder is left:\n" + self.folder.log_text())
            try:
                return self.ask("GET", "/FocusStats/health").status == 200
            except (fcgi.ConnectionClosed, OSError):
                return False
        wait_until(ready, "health through the responder's socket; log: " + self.folder.log_text()[-2000:])

    def start_one(self):
        """One more process on the same socket."""
        env = child_environment(self.folder, {"FOCUSSTATS_HOME": self.folder.home, **self.settings})
        child = self.popen([self.folder.program], "responder.log", env, stdin=self.listener, as_worker=True)
        self.children.append(child)
        return child

    def stop(self):
        """SIGTERM to all; each must end with status 0 within 10 s unless it had ended before, and then not by a signal of its own making."""
        asked = [child for child in self.children if child.poll() is None]
        for child in asked:
            if self.ends_in_order:
                ready_for_signals(child)
            child.send_signal(signal.SIGTERM)
        wrong = ["responder %d crashed with signal %d" % (child.pid, -child.returncode) for child in self.children
                 if child not in asked and -child.returncode in CRASHES]
        for child in asked:
            if not ended(child, patience(10)):
                child.kill()
                child.wait()
                wrong.append("responder %d did not end within 10 s of SIGTERM" % child.pid)
            elif child.returncode != 0:
                wrong.append("responder %d ended with %d after SIGTERM" % (child.pid, child.returncode))
        if self.listener:
            self.listener.close()
            self.listener = None
        if wrong:
            raise AssertionError("; ".join(wrong))

    def connect(self, timeout=None):
        return fcgi.Connection(self.folder.socket, timeout or patience(DEADLINE_SECONDS))

    def ask(self, method, path_info, body=b"", extra=None, timeout=None):
        with self.connect(timeout) as connection:
            return connection.ask(method, path_info, body, extra)

    def post(self, action, fields, extra=None):
        return self.ask("POST", "/FocusStats/" + action, encode(fields), extra)


def encode(fields):
    """A request's body: bytes as they are, anything else as JSON."""
    return fields if isinstance(fields, bytes) else json.dumps(fields).encode()


def run_program(folder, arguments=(), env=None, stdin=subprocess.DEVNULL, timeout=None, input=None):
    """Runs the program to its end as the folder's user. ENV is added to the environment; a value of None takes a variable away."""
    variables = {"FOCUSSTATS_HOME": folder.home, **(env or {})}
    environment = child_environment(folder, {name: value for name, value in variables.items() if value is not None})
    who = {"user": worker().pw_uid, "group": worker().pw_gid, "extra_groups": []} if AS_ROOT else {}
    given = {"input": input} if input is not None else {"stdin": stdin}
    done = subprocess.run([folder.program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=folder.path,
                          timeout=timeout or patience(DEADLINE_SECONDS), check=False, **given, **who)
    with open(os.path.join(folder.logs, "program.log"), "ab") as log:
        log.write(done.stderr)
    return done


def cgi(folder, method, path_info, body=b"", extra=None, settings=None, timeout=None):
    """Runs the program as plain CGI and parses its answer; `.stderr` and `.exit_status` are added to it."""
    variables = fcgi.request_params(method, path_info, body, extra)
    done = run_program(folder, env={**variables, **(settings or {})}, input=body, timeout=timeout)
    try:
        reply = webclient.parse_cgi(done.stdout)
    except ValueError as error:
        raise AssertionError("not a CGI answer, exit status %d: %s\n%s" % (done.returncode, error, done.stderr.decode())) from error
    reply.stderr = done.stderr.decode("utf-8", "replace")
    reply.exit_status = done.returncode
    return reply
