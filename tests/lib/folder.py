"""A folder of its own for every test, and small things that everything here uses. The overview is in harness.py."""

import fcntl
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.abspath(os.environ.get("top_srcdir") or os.path.join(HERE, "..", ".."))
BUILD = os.path.abspath(os.environ.get("top_builddir") or os.getcwd())
DEADLINE_SECONDS = 20
AS_ROOT = os.geteuid() == 0
SLOWNESS = None
RESERVED = []  # sockets of free_port
F_OFD_SETLK = getattr(fcntl, "F_OFD_SETLK", 37)

# What must never be in a log. The last line is what mod_fcgid and lighttpd say of the program's end by a signal of its own making; Apache's AH00052
# is about Apache's own children, of which one now and then crashes while Apache shuts down.
REPORT = re.compile(
    r"(ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: (Thread|Memory)Sanitizer|Sanitizer:DEADLYSIGNAL|runtime error: "
    r"|Assertion [`'].*failed|stack smashing detected|buffer overflow detected|double free or corruption|free\(\): |malloc\(\): |corrupted size|PANIC"
    r"|get (unexpected )?signal (4|6|7|8|11)\b|child signall?ed: (4|6|7|8|11)\b)")

SUPPRESSIONS = {
    "lsan": """# In a private environment Berkeley DB 5.3 never frees what it keeps of a transaction for the sake of a page's older versions (TXN_DETAIL),
# nor the buffer of a page's version that is in none of the cache's lists when it closes; nor, where recovery fails, the regions that it removes.
leak:__txn_begin
leak:__memp_alloc
leak:__env_remove_env
""",
    "tsan": """# Berkeley DB takes its own mutexes in several orders, on purpose; it is not built for this sanitizer.
deadlock:libdb-5.3.so
# It knows that EPOLL_CTL_ADD comes before the event that it leads to, but not that EPOLL_CTL_MOD does.
race:^watch$
race:^look_at_slow$
""",
}


def find_program():
    for folder in (BUILD, os.path.join(BUILD, "cgi-bin"), SOURCE, os.path.join(SOURCE, "cgi-bin")):
        path = os.path.join(folder, "focusstats.fcgi")
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError("focusstats.fcgi is in neither %s nor %s: run make first" % (BUILD, SOURCE))


def worker():
    """The password entry of who runs the program and the web servers' workers."""
    if not AS_ROOT:
        return pwd.getpwuid(os.geteuid())
    for name in ("www-data", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise KeyError("neither www-data nor nobody is a user here")


def wait_until(condition, what, seconds=DEADLINE_SECONDS):
    deadline = time.monotonic() + patience(seconds)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("not within %g s: %s" % (seconds, what))
        time.sleep(0.01)


def clients(count, function, *arguments):
    results = [None] * count
    errors = []

    def run(index):
        try:
            results[index] = function(index, *arguments)
        except BaseException as error:  # whatever it is, the caller gets it
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def free_port():
    """One that nobody else is given while the script runs; a server that sets SO_REUSEADDR, as all of them do, can listen on it."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    RESERVED.append(probe)
    return probe.getsockname()[1]


def child_environment(folder, settings=None):
    """The environment of everything a test starts: no FOCUSSTATS_ variable of the caller, sanitizers that write into the folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("FOCUSSTATS_")}
    env["LC_ALL"] = "C.UTF-8"
    env.update(folder.sanitizer_options())
    env.update(settings or {})
    return env


def occupation(pid):
    """What a process is at: its state, the signals that wait for it, and where in the kernel each of its threads is."""
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as file:
        found = [line.strip().replace("\t", " ") for line in file if line.startswith(("State", "PPid", "SigPnd", "ShdPnd", "SigBlk"))]
    for thread in sorted(os.listdir("/proc/%d/task" % pid)):
        for name in ("wchan", "syscall"):
            try:
                with open("/proc/%d/task/%s/%s" % (pid, thread, name), encoding="ascii") as file:
                    found.append("%s %s" % (thread, file.read().strip()))
            except OSError:
                pass
    return "; ".join(found)


def patience(seconds):
    """SECONDS, and more of them for a program that a sanitizer makes slow."""
    global SLOWNESS
    if SLOWNESS is None:
        with open(find_program(), "rb") as file:
            program = file.read()
        SLOWNESS = 6 if b"__tsan_init" in program else 3 if b"__asan_init" in program else 1
    return seconds * SLOWNESS


class TestFolder:
    """A folder under /tmp with the home, a copy of the program (so that a web server's user can reach it) and the logs."""

    def __init__(self):
        base = tempfile.gettempdir()
        self.path = tempfile.mkdtemp(prefix="fs-", dir=base if len(base) <= 40 else "/tmp")
        self.home = self.join("home")
        self.bin = self.join("cgi-bin")
        self.program = self.join("cgi-bin", "focusstats.fcgi")
        self.web = self.join("web")
        self.run = self.join("run")
        self.socket = self.join("run", "fcgi.sock")
        self.logs = self.join("log")
        self.reports = self.join("log", "sanitizer")
        self.reported = set()
        self.keep = False
        self.leaks = True
        os.chmod(self.path, 0o755)
        for path, mode, own in ((self.home, 0o700, True), (self.bin, 0o755, False), (self.run, 0o755, True), (self.logs, 0o755, True),
                                (self.reports, 0o755, True)):
            os.mkdir(path)
            os.chmod(path, mode)
            if own:
                self.give(path)
        shutil.copy(find_program(), self.program)
        os.chmod(self.program, 0o755)
        self.copy_web()

    def copy_web(self):
        source = os.path.join(SOURCE, "web")
        if os.path.isdir(source):
            shutil.copytree(source, self.web)
        else:
            os.mkdir(self.web)
        for place, _, names in os.walk(self.web):
            os.chmod(place, 0o755)
            for name in names:
                os.chmod(os.path.join(place, name), 0o644)

    def join(self, *names):
        return os.path.join(self.path, *names)

    def give(self, path):
        """Makes the worker the owner of PATH, as root."""
        if AS_ROOT:
            os.chown(path, worker().pw_uid, worker().pw_gid)

    def write(self, name, text, mode=0o644):
        path = self.join(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def sanitizer_options(self):
        """Reports go into the folder, and are about this project; SUPPRESSIONS says what is not. Leaks have whole stacks only with the slow unwinder.
        They are not looked for where `leaks` is false: where requests break the protocol, and in a folder whose pages are damaged, as Berkeley DB frees
        nothing of an environment that it found to need recovery (__env_close_pp), and the sanitizer ends such a process before what it has printed
        is written."""
        for kind, lines in SUPPRESSIONS.items():
            if not os.path.exists(self.join(kind + ".supp")):
                self.write(kind + ".supp", lines)
        own = {
            "ASAN_OPTIONS": "fast_unwind_on_malloc=0:malloc_context_size=16" + ("" if self.leaks else ":detect_leaks=0"),
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "TSAN_OPTIONS": "print_suppressions=0:suppressions=" + self.join("tsan.supp"),
            "LSAN_OPTIONS": "print_suppressions=0:suppressions=" + self.join("lsan.supp"),
        }
        return {name: ":".join(filter(None, [options, "log_path=%s/report" % self.reports, os.environ.get(name)])) for name, options in own.items()}

    # Processes

    def processes(self):
        """Pids of the living processes that run this folder's program or have its home in their environment."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                with open("/proc/%s/stat" % entry, "rb") as file:
                    if file.read().rsplit(b")", 1)[1].split()[0] in (b"Z", b"X"):
                        continue
                program = os.readlink("/proc/%s/exe" % entry)
                with open("/proc/%s/environ" % entry, "rb") as file:
                    environment = file.read().split(b"\0")
            except OSError:
                continue
            if program.startswith(self.program) or b"FOCUSSTATS_HOME=" + self.home.encode() in environment:
                found.append(int(entry))
        return sorted(found)

    def assert_nothing_left(self, seconds=30):
        """No process is left and the lock can be had; what is left after SECONDS is killed, named, and said what it was at."""
        deadline = time.monotonic() + patience(seconds)
        left = self.processes()
        while left and time.monotonic() < deadline:
            time.sleep(0.02)
            left = self.processes()
        described = []
        for pid in left:
            try:
                with open("/proc/%d/cmdline" % pid, "rb") as file:
                    described.append("%d %s(%s)" % (pid, file.read().replace(b"\0", b" ").decode("utf-8", "replace"), occupation(pid)))
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        if described:
            self.keep = True
            raise AssertionError("processes left %g s after the end: %s" % (seconds, "; ".join(described)))
        # A process that is killed gives up what it has open after its memory, without which it is not known any more.
        wait_until(self.is_unlocked, "nobody holds the lock of " + self.home)

    def is_unlocked(self):
        """Nobody holds the home's lock, be it flock's or fcntl's."""
        path = os.path.join(self.home, "lock")
        if not os.path.exists(path):
            return True
        with open(path, "r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.flock(file, fcntl.LOCK_UN)
                fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
                return True
            except OSError:
                return False

    def owner_pid(self):
        """The process that has the home's lock open and is the last to have said that it owns the store; None where there is none."""
        said = re.findall(r"focusstats\[(\d+)\]: (owner of|no longer the owner of) ", self.log_text())
        alive = self.processes()
        for pid, what in reversed(said):
            if what == "owner of" and int(pid) in alive:
                return int(pid)
        return None

    def freeze_owner(self):
        """Stops the owner and returns its pid."""
        pid = self.owner_pid()
        self.freeze(pid)
        return pid

    @staticmethod
    def freeze(pid):
        """Stops a process (SIGSTOP) and returns once none of its threads runs any more: the signal reaches them one after the other."""
        os.kill(pid, signal.SIGSTOP)

        def stands_still():
            threads = "/proc/%d/task" % pid
            states = set()
            for thread in os.listdir(threads):
                with open(os.path.join(threads, thread, "stat"), encoding="utf-8", errors="replace") as file:
                    states.add(file.read().rpartition(")")[2].split()[0])
            return states == {"T"}
        wait_until(stands_still, "process %d stands still" % pid)

    # Logs

    def log_text(self):
        """Everything in the log folder, file after file."""
        text = ""
        for folder, _, names in sorted(os.walk(self.logs)):
            for name in sorted(names):
                try:
                    with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                        text += file.read()
                except FileNotFoundError:
                    pass
        return text

    def expect(self, pattern):
        """Lines with what PATTERN finds are no reason for assert_clean to complain: the test has brought them about."""
        self.reported.update(line for line in self.log_text().split("\n") if re.search(pattern, line))

    def assert_clean(self):
        """No sanitizer's report, failed assertion or crash that was not told before."""
        new = []
        for line in self.log_text().split("\n"):
            if REPORT.search(line) and line not in self.reported:
                self.reported.add(line)
                new.append(line)
        if new:
            self.keep = True
            raise AssertionError("in the logs of %s:\n%s" % (self.path, "\n".join(new[:20])))

    def remove(self):
        if self.keep:
            print("# kept: %s" % self.path)
            return
        shutil.rmtree(self.path, ignore_errors=True)
