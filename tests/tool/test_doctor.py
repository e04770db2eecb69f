#!/usr/bin/env python3
"""`focusstats doctor`: a home that is well has no problems, every prepared fault is named with what to do about it, and nothing is changed."""

import ctypes
import hashlib
import json
import os
import pwd
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import schema1
import tap
from faults import Faults
from folder import AS_ROOT, DEADLINE_SECONDS, worker
from tool import Tool

CHECKS = ["settings", "engine", "limits", "home", "service", "access", "files", "file system", "space", "clock", "databases", "leftovers", "owner", "store"]
DATABASES = ["active_by_user.db", "documents.db", "meta.db", "sessions.db", "sessions_by_user.db", "stats.db"]
PR_CAPBSET_DROP, CAP_SETUID = 24, 7  # linux/prctl.h, linux/capability.h
BRIEF = {"FOCUSSTATS_RELAY_TIMEOUT": "300"}

# Takes the locks that it is told to in the home, under a name and as a user, and says so; lives until its standard input ends.
HOLDER = """
import fcntl, os, struct, sys
name, kinds, user = sys.argv[1:]
with open("/proc/self/comm", "w") as file:
    file.write(name)
folder = os.open(".", os.O_RDONLY)  # let go of before the file, as the kernel closes them in their order
lock = os.open("lock", os.O_RDWR) if "o" in kinds else None
if lock is not None:
    fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
if "f" in kinds:
    fcntl.flock(folder, fcntl.LOCK_EX)
if int(user) != os.geteuid():
    os.setuid(int(user))
print("ready", flush=True)
sys.stdin.read()
"""


def state_of(pid):
    """R, S, D, T and others (proc(5))."""
    with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]


def snapshot(home):
    """Every file of the home: kind, mode, owner, time, and what it holds."""
    found = {}
    for place, folders, names in os.walk(home):
        for name in [".", *folders, *names]:
            path = os.path.join(place, name)
            info = os.lstat(path)
            content = b""
            if os.path.isfile(path) and os.access(path, os.R_OK):
                with open(path, "rb") as file:
                    content = file.read()
            found[path] = (info.st_mode, info.st_uid, info.st_mtime_ns, hashlib.sha256(content).hexdigest())
    return found


class DoctorCase(harness.Case):
    def setUp(self):
        self.store = self.folder()
        self.home = self.store.home
        self.tool = Tool(self.store)
        self.faults = Faults(self.store)

    def make(self):
        """A store with a user."""
        self.assertEqual(self.tool.run("init", "reader").returncode, 0)

    def serve(self, **more):
        self.responder = self.start(harness.Responder(self.store, settings=self.faults.settings(), **more))
        self.responder.post("initUser", {"user": "ann"})

    def write(self, name, text="", mode=0o600):
        path = self.store.write(os.path.join("home", name), text, mode)
        self.store.give(path)
        return path

    def doctor(self, *arguments, settings=None, home=None, limits=(), as_worker=False, without_setuid=False):
        """What it found, each finding a dict; its exit status tells whether a problem is among them."""
        def prepare():
            if without_setuid:
                ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SETUID, 0, 0, 0)
            for limit, number in limits:
                resource.setrlimit(limit, (number, number))
        who = {"user": worker().pw_uid, "group": worker().pw_gid, "extra_groups": []} if as_worker and AS_ROOT else {}
        variables = {**self.faults.settings(), **(settings or {})}
        done = subprocess.run([self.tool.program, "--home", home or self.home, "--json", "doctor", *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.tool.environment(variables), cwd=self.store.path,
                              timeout=DEADLINE_SECONDS, check=False, preexec_fn=prepare, **who)
        found = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.stderr = done.stderr.decode()
        problems = [finding for finding in found if finding["level"] == "problem"]
        self.assertEqual(done.returncode, 1 if problems else 0, (found, self.stderr))
        if problems:
            self.assertIn("focusstats: problems found: %d\n" % len(problems), self.stderr)
        for finding in found:
            self.assertIn(finding["level"], ("ok", "warning", "problem"))
            self.assertEqual(bool(finding["advice"]), finding["level"] != "ok", finding)
            self.assertFalse(finding["text"].endswith("."), finding)
        if not arguments and found[-1]["check"] != "clock":  # where there is no home it ends with that
            self.assertEqual(sorted({finding["check"] for finding in found}, key=CHECKS.index)[:4], CHECKS[:4])
        return found

    def well(self, **more):
        """No problem; the checks' texts by their names."""
        found = self.doctor(**more)
        self.assertEqual([finding for finding in found if finding["level"] == "problem"], [])
        self.assertEqual([finding["check"] for finding in found], CHECKS)
        return {finding["check"]: finding for finding in found}

    def finds(self, level, check, *words, also=(), unchanged=True, **more):
        """One finding of the level in the check, with the words in its text and advice; no problems in other checks but in those of `also`."""
        before = snapshot(self.home)
        found = self.doctor(**more)
        if unchanged:
            self.assertEqual(snapshot(self.home), before)
        fitting = [finding for finding in found if finding["level"] == level and finding["check"] == check
                   and all(word in finding["text"] + "\n" + finding["advice"] for word in words)]
        self.assertEqual(len(fitting), 1, found)
        others = {finding["check"] for finding in found if finding["level"] == "problem"} - {check, *also}
        self.assertEqual(others, set(), found)
        return fitting[0]

    def problem(self, check, *words, **more):
        return self.finds("problem", check, *words, **more)

    def warning(self, check, *words, **more):
        return self.finds("warning", check, *words, **more)

    def hold(self, name, kinds, user=os.geteuid(), home=None):
        """A process that has the home's locks: o, that on `lock`; f, that on the folder."""
        child = subprocess.Popen([sys.executable, "-c", HOLDER, name, kinds, str(user)], cwd=self.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 env={**os.environ, "FOCUSSTATS_HOME": home or self.home})
        self.addCleanup(child.communicate)
        self.assertEqual(child.stdout.readline(), b"ready\n")
        harness.wait_until(lambda: state_of(child.pid) == "S", "it waits")
        return child


class Well(DoctorCase):
    def test_empty_home(self):
        """It makes nothing in it."""
        found = self.well()
        self.assertIn("none", found["databases"]["text"])
        self.assertEqual(os.listdir(self.home), [])

    def test_store_without_a_service(self):
        """It is opened and closed."""
        self.make()
        found = self.well()
        self.assertEqual(found["store"]["text"], "it was opened and closed, and its pages are whole; users: 1")
        self.assertEqual(found["owner"]["text"], "no process owns the store now")
        self.assertEqual({name for name in os.listdir(self.home) if name.endswith(".db")}, set(DATABASES))
        for name in os.listdir(self.home):
            self.assertEqual(os.stat(os.path.join(self.home, name)).st_uid, worker().pw_uid, name)

    @tap.cases([("one process", 1), ("three", 3)])
    def test_service(self, processes):
        """The store stays its owner's."""
        self.serve(processes=processes)
        found = self.well()
        self.assertEqual(found["owner"]["text"], "process %d owns the store, and answers" % self.store.owner_pid())
        self.assertIn("its owner has it open", found["store"]["text"])
        self.assertEqual(found["service"]["text"], "processes at work on the home: %d, of %s" % (processes, worker().pw_name))

    def test_as_the_home_s_user(self):
        self.serve()
        found = self.well(as_worker=True)
        self.assertIn("process %d owns the store" % self.store.owner_pid(), found["owner"]["text"])
        self.assertIn("processes at work on the home: 1", found["service"]["text"])

    def test_killed_service(self):
        """The socket that it left harms nobody."""
        self.serve()
        os.kill(self.responder.pids[0], signal.SIGKILL)
        self.responder.children[0].wait()
        found = self.well()
        self.assertIn("harmless", found["owner"]["text"])
        self.assertEqual(found["store"]["text"], "it was opened and closed, and its pages are whole; users: 1")

    def test_what_is_printed(self):
        self.make()
        done = self.tool.run("doctor")
        self.assertEqual(done.returncode, 0, done)
        lines = done.stdout.splitlines()
        self.assertEqual([re.fullmatch(r"(?:ok|warning) +([a-z ]+): .+", line)[1] for line in lines], CHECKS)
        self.assertNotIn("ok  ", self.tool.run("-q", "doctor").stdout)
        os.chmod(self.home, 0o755)
        done = self.tool.run("doctor", "-q")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("problem  home: %s has mode 0755, open to others; chmod 700 %s\n" % (self.home, self.home), done.stdout)
        self.assertEqual(done.stderr, "focusstats: problems found: 1\n")

    def test_names_that_are_no_text(self):
        """Neither lines nor JSON break."""
        odd = os.path.join(self.home.encode(), b"a\nb\xff")
        os.symlink("nowhere", odd)
        if AS_ROOT:
            os.lchown(odd, worker().pw_uid, worker().pw_gid)
        self.problem("files", "a?b?")
        self.assertIn("a?b?", self.tool.run("-q", "doctor").stdout)

    def test_config_in_a_log_folder(self):
        """DB_CONFIG may say that the log is elsewhere."""
        there = self.store.join("logs")
        os.mkdir(there)
        self.store.give(there)
        self.write("DB_CONFIG", "set_lg_dir %s\n" % there)
        self.make()
        self.assertFalse([name for name in os.listdir(self.home) if name.startswith("log.")])
        self.well()


class Home(DoctorCase):
    def test_missing(self):
        missing = self.store.join("nowhere")
        self.problem("home", missing, "there is no such folder", "install -d -m 700", home=missing)
        self.assertFalse(os.path.exists(missing))

    def test_no_folder(self):
        self.problem("home", "is not a folder", home=self.store.write("file", "x"))

    def test_loop(self):
        loop = self.store.join("loop")
        os.symlink(loop, loop)
        self.problem("home", loop, "Too many levels of symbolic links", "namei -l", home=loop)

    @tap.cases([("%04o" % mode, mode) for mode in (0o755, 0o710, 0o770, 0o701)])
    def test_open_to_others(self, mode):
        os.chmod(self.home, mode)
        self.problem("home", "has mode %04o, open to others" % mode, "chmod 700 " + self.home)

    def test_not_writable(self):
        os.chmod(self.home, 0o500)
        self.problem("home", "has mode 0500, with which its own user cannot work in it", "chmod 700", also=["access"])
        self.problem("access", "cannot write in", also=["home"])

    def test_of_another_user(self):
        if AS_ROOT:
            os.chown(self.home, 0, 0)
        home = self.home if AS_ROOT else "/"
        self.problem("home", "belongs to root, and this command runs as " + worker().pw_name, "as root", home=home, as_worker=True)

    def test_folder_above(self):
        """It lets nobody but root through."""
        above = self.store.join("above")
        os.mkdir(above)
        os.rename(self.home, os.path.join(above, "home"))
        os.chmod(above, 0o700 if AS_ROOT else 0)
        self.addCleanup(os.chmod, above, 0o700)
        found = self.doctor(home=os.path.join(above, "home"))
        finding, = [finding for finding in found if finding["level"] == "problem"]
        self.assertEqual(finding["check"], "access" if AS_ROOT else "home")
        self.assertIn("Permission denied", finding["text"])
        self.assertIn("namei -l", finding["advice"])
        os.chmod(above, 0o755)
        os.rename(os.path.join(above, "home"), self.home)

    def test_closed_file(self):
        self.make()
        for name in ("stats.db", "log.0000000001"):
            os.chmod(os.path.join(self.home, name), 0)
        self.problem("files", " and 1 more in %s: %s cannot read and write it" % (self.home, worker().pw_name), "chmod -R u+rwX", also=["databases"])

    def test_closed_settings_of_the_engine(self):
        """These need to be read only."""
        os.chmod(self.write("DB_CONFIG"), 0o400)
        self.well()
        os.chmod(os.path.join(self.home, "DB_CONFIG"), 0)
        self.problem("files", "DB_CONFIG")

    def test_link_in_a_circle(self):
        self.make()
        path = os.path.join(self.home, "stats.db")
        os.unlink(path)
        os.symlink("stats.db", path)
        self.problem("files", "stats.db", "a symbolic link that leads nowhere", also=["databases"])

    if AS_ROOT:  # nobody else can give files to others
        def test_root_ran_something_here(self):
            self.make()
            for name in ("log.0000000002", "relay.sock.new"):
                os.chown(self.write(name), 0, 0)
            finding = self.problem("files", " and 1 more in %s: of root, not of %s" % (self.home, worker().pw_name), "chown -R")
            self.assertIn("something ran there as root", finding["advice"])

        def test_root_s_settings_of_the_engine(self):
            """Root may write them."""
            path = self.write("DB_CONFIG", "set_lg_max 10485760\n", 0o644)
            os.chown(path, 0, 0)
            self.well()

        def test_root_that_may_not_become_the_home_s_user(self):
            """As in a container without that capability."""
            self.problem("access", "becoming its user, %d" % worker().pw_uid, "run this command as " + worker().pw_name, without_setuid=True)

        def test_of_root(self):
            os.chown(self.home, 0, 0)
            self.warning("home", "belongs to root", "chown -R USER " + self.home)


class Place(DoctorCase):
    """File system, space, limits, clock, engine, settings."""

    def test_network(self):
        self.faults.set("network")
        self.make()
        self.warning("file system", "network file system", "local disk", unchanged=False)
        self.faults.set("hostname", "this")
        self.write("host", "that")
        self.problem("file system", "host that owns the store, and this is host this", "stop FocusStats there", "remove %s/host" % self.home)
        self.write("host", "")
        self.problem("file system", "a host that did not get to write its name", "remove %s/host" % self.home)
        self.write("host", "this")
        self.assertEqual(self.doctor()[-1]["text"], "it was opened and closed, and its pages are whole; users: 1")

    def test_host_of_a_local_disk(self):
        """It counts on a network only."""
        self.write("host", "that")
        self.well()

    def test_read_only(self):
        self.make()
        self.faults.set("read-only")
        self.problem("file system", "is read-only", "dmesg")

    @tap.cases([("less than 8 MiB", "problem", 8 * 2 ** 20 - 4096, 0), ("less than 64 MiB", "warning", 64 * 2 ** 20 - 4096, 0),
                ("less than the largest file", "warning", 90 * 2 ** 20, 100 * 2 ** 20)])
    def test_space(self, level, free_bytes, largest):
        os.truncate(self.write("large"), largest)
        self.faults.set("free-bytes", str(free_bytes))
        size = "%d bytes" % free_bytes if free_bytes < 10 * 2 ** 20 else "%d MiB" % (free_bytes // 2 ** 20)
        self.finds(level, "space", size + " are free where %s lies" % self.home, "make room")
        self.faults.set("free-bytes", str(110 * 2 ** 20))
        self.assertEqual(self.well()["space"]["text"], "110 MiB are free")

    @tap.cases([("hardly any", "problem", 15), ("few", "warning", 999)])
    def test_inodes(self, level, count):
        self.faults.set("free-inodes", str(count))
        self.finds(level, "space", "%d more files can be made" % count, "df -i")
        self.faults.set("free-inodes", "1000")
        self.well()

    @tap.cases([("hardly any", "problem", 63), ("few", "warning", 255)])
    def test_descriptors(self, level, count):
        self.finds(level, "limits", "%d files open" % count, "ulimit -Hn", limits=[(resource.RLIMIT_NOFILE, count)])

    def test_file_size(self):
        self.make()
        limit = 2 * 2 ** 20 - 4096
        self.problem("space", "a file may have %d bytes here" % limit, "ulimit -f", limits=[(resource.RLIMIT_FSIZE, limit)])
        self.well(limits=[(resource.RLIMIT_FSIZE, 2 * 2 ** 20 + 4096)])

    def test_no_proc(self):
        self.faults.set("no-proc")
        self.warning("limits", "/proc is not mounted", "mount it")

    def clock(self, seconds):
        """Where it stands, seen from the newest file."""
        newest = max(os.lstat(os.path.join(self.home, name)).st_mtime for name in os.listdir(self.home))
        self.faults.set("clock", str(int(newest + seconds) * 1000))

    def test_clock_before_all(self):
        self.faults.set("clock", "1000")
        self.problem("clock", "the clock says 1970-01-01T00:00:01Z", "set it")
        self.faults.set("clock", "1735689600000")
        self.well()

    def test_clock_that_was_set_back(self):
        self.write("file")
        self.clock(-3601)
        self.warning("clock", "60 minutes before a file of the home was written")
        self.clock(-240)
        self.assertEqual(self.well()["clock"]["level"], "ok")

    def test_clock_that_is_ahead(self):
        self.write("file")
        self.clock(400 * 86400 + 10)
        self.warning("clock", "400 days after anything in the home was written")
        self.clock(300 * 86400)
        self.assertEqual(self.well()["clock"]["level"], "ok")

    def test_engine(self):
        for version in ("5.2.28", "6.3.28"):
            self.faults.set("engine", version)
            self.problem("engine", "Berkeley DB %s is loaded, and the program was built for 5.3." % version, "libdb5.3")
        self.faults.set("engine", "5.3.99")
        self.assertIn("5.3.99", self.well()["engine"]["text"])

    @tap.cases([("unknown", {"FOCUSSTATS_THREAD": "1"}, "FOCUSSTATS_THREAD: there is no such setting"),
                ("bad", {"FOCUSSTATS_THREADS": "0"}, "'0' is not a number of threads"),
                ("empty", {"FOCUSSTATS_AUTH": ""}, "FOCUSSTATS_AUTH: the value is empty"),
                ("bad home", {"FOCUSSTATS_HOME": "here"}, "'here' is not an absolute path"),
                ("administrators without authentication", {"FOCUSSTATS_ADMINS": "ann"}, "FOCUSSTATS_ADMINS: works only with FOCUSSTATS_AUTH=required"),
                ("administrators, none", {"FOCUSSTATS_ADMINS": "ann", "FOCUSSTATS_AUTH": "none"}, "FOCUSSTATS_ADMINS: works only with")])
    def test_setting(self, settings, text):
        self.problem("settings", text, "focusstats.fcgi(8)", settings=settings)

    def test_settings(self):
        """All that are wrong are named, and the home is the one of the setting all the same."""
        settings = {"FOCUSSTATS_THREADS": "0", "FOCUSSTATS_X": "1", "FOCUSSTATS_AUTH": "maybe", "FOCUSSTATS_ADMINS": "ann"}
        done = self.tool.run("--json", "doctor", settings=settings)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(sorted(finding["text"].split(":")[0] for finding in found if finding["level"] == "problem"), sorted(settings))
        self.assertTrue([finding for finding in found if finding["check"] == "home" and self.home in finding["text"]], found)
        self.well(settings={"FOCUSSTATS_AUTH": "required", "FOCUSSTATS_ADMINS": "ann", "FOCUSSTATS_THREADS": "4"})


class Service(DoctorCase):
    """Who runs it, or would."""

    def system(self, name, text):
        self.store.write(os.path.join("system", name), text)
        self.faults.set("system", self.store.join("system"))

    def other(self):
        return next(user.pw_name for user in pwd.getpwall() if user.pw_uid not in (0, worker().pw_uid))

    SITE = '"bin-environment" => (\n"FOCUSSTATS_HOME" => "%s",\n)\n'
    STARTERS = [
        ("lighttpd", "etc/lighttpd/conf-enabled/50-site.conf", SITE, "etc/lighttpd/lighttpd.conf", 'server.port = 80\nserver.username             = "%s"\n'),
        ("lighttpd's main file", "etc/lighttpd/lighttpd.conf", SITE + 'server.username = "%%s"\n', None, None),
        ("Apache", "etc/apache2/sites-enabled/site.conf", 'FcgidInitialEnv FOCUSSTATS_HOME "%s"\n', "etc/apache2/envvars", "export APACHE_RUN_USER=%s\n"),
        ("Apache's CGI", "etc/apache2/conf-enabled/site.conf", "SetEnv FOCUSSTATS_HOME %s\n", "etc/apache2/envvars", "export APACHE_RUN_USER=%s\n"),
        ("systemd", "lib/systemd/system/focusstats.service", "Environment=FOCUSSTATS_HOME=%s\nUser=%%s\n", None, None),
        ("systemd, changed", "etc/systemd/system/focusstats.service", "Environment=FOCUSSTATS_HOME=%s\nUser=%%s\n", None, None),
    ]

    @tap.cases(STARTERS)
    def test_starter(self, site, line, users, user_line):
        def configure(home, user):
            self.system(site, line % home if users else line % home % user)
            if users:
                self.system(users, user_line % user)
        configure(self.home, self.other())
        self.problem("service", "/" + site, "runs the program as %s, and the home belongs to %s" % (self.other(), worker().pw_name), "chown -R")
        configure(self.home, worker().pw_name)
        self.assertEqual(self.well()["service"]["text"], "no process of it runs now; it is started as " + worker().pw_name)
        for home in (self.home + "2", self.home + "/below", "/elsewhere"):
            configure(home, self.other())
            self.assertIn("no configuration", self.well()["service"]["text"])

    def test_comments_name_nothing(self):
        self.system("etc/lighttpd/lighttpd.conf", 'server.username = "%s"\n  # "FOCUSSTATS_HOME" => "%s",\n' % (self.other(), self.home))
        self.assertIn("no configuration", self.well()["service"]["text"])

    def test_socket(self):
        """The way in for the web server."""
        path = self.store.join("system", "run", "focusstats", "focusstats.sock")
        os.makedirs(os.path.dirname(path))
        self.faults.set("system", self.store.join("system"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            os.chmod(path, 0o666)
            self.well()
            os.chmod(path, 0)
            self.problem("service", "the user of the web server, may not connect to /run/focusstats/focusstats.sock", "SocketUser=")
        os.unlink(path)
        os.mkdir(path, 0o777)
        self.problem("service", "may not connect")

    if AS_ROOT:  # nobody else can start processes of others
        def test_process_of_another_user(self):
            self.make()
            other = pwd.getpwnam(self.other())
            child = self.hold("focusstats.fcgi", "", other.pw_uid)
            self.problem("service", "the web server runs the program as %s (process %d), and the home belongs to %s"
                         % (other.pw_name, child.pid, worker().pw_name), "chown -R")

        def test_process_of_another_home(self):
            other = pwd.getpwnam(self.other())
            self.hold("focusstats.fcgi", "", other.pw_uid, home="/elsewhere")
            self.well()

        def test_process_of_root(self):
            """The home is not to be given to root."""
            self.hold("focusstats.fcgi", "")
            finding = self.problem("service", "the web server runs the program as root")
            self.assertEqual(finding["advice"], "start it as " + worker().pw_name)


class Databases(DoctorCase):
    @tap.cases([(name, name) for name in DATABASES])
    def test_missing(self, name):
        self.make()
        os.unlink(os.path.join(self.home, name))
        self.problem("databases", name + " is missing", "restore")

    def test_missing_under_its_owner(self):
        self.serve()
        self.assertEqual(self.tool.run("stats").returncode, 0)
        harness.wait_until(lambda: self.well()["databases"]["text"].endswith("version 2"), "the schema is on the disk")
        os.unlink(os.path.join(self.home, "documents.db"))
        self.problem("databases", "documents.db is missing", "restore", unchanged=False)

    @tap.cases([("empty", b"", "is empty"), ("short", b"x", "is no database"), ("another file", b"x" * 8192, "is no database")])
    def test_replaced(self, content, text):
        self.make()
        with open(os.path.join(self.home, "stats.db"), "wb") as file:
            file.write(content)
        self.problem("databases", "stats.db " + text, "restore the whole folder")

    @tap.cases([("database", "sessions.db"), ("log", "log.0000000001")])
    def test_newer_engine(self, name):
        self.make()
        with open(os.path.join(self.home, name), "r+b") as file:
            file.seek(16)
            file.write(struct.pack("=I", 99))
        self.problem("databases", name + " was written by a newer version of Berkeley DB", "install that version again")

    def test_unreadable(self):
        self.make()
        os.chmod(os.path.join(self.home, "sessions.db"), 0)
        self.problem("databases", "sessions.db cannot be read: Permission denied", also=["files"])

    def test_log_is_gone(self):
        self.make()
        os.unlink(os.path.join(self.home, "log.0000000001"))
        self.problem("databases", "no file of it (log.*)", "restore")

    def test_newer_schema(self):
        if not schema1.LOAD:
            self.skipTest(schema1.missing())
        self.make()
        subprocess.run([schema1.LOAD, "-T", "-t", "btree", os.path.join(self.home, "meta.db")], input=b"schema\n99\n", check=True)
        self.problem("databases", "the store has schema version 99, and this program knows only up to 2", "install the newer FocusStats again")

    def test_older_schema(self):
        """It is not brought up by a look at it; and that a store of db_load has no log is in order."""
        if not schema1.LOAD:
            self.skipTest(schema1.missing())
        schema1.install(self.store)
        self.warning("databases", "the store has schema version 1, and this program brings it to 2", "backup")
        self.assertIn("it would be brought to another version", self.well()["store"]["text"])

    @tap.cases([(line, line) for line in ("log_set_config DB_LOG_IN_MEMORY on", "log_set_config DB_LOG_DSYNC on", "set_cachesize 0 800000 1")])
    def test_refused_setting_of_the_engine(self, line):
        self.make()
        self.write("DB_CONFIG", "set_lg_bsize 4194304\n%s\n" % line)
        self.problem("databases", "a line that the program refuses: " + line, "remove it")
        self.assertNotEqual(self.tool.run("users").returncode, 0)

    def test_settings_of_the_engine_that_will_do(self):
        self.make()
        self.write("DB_CONFIG", "set_cachesize 0 16777216 1\nset_lg_max 10485760\n")
        self.well()


class Leftovers(DoctorCase):
    @tap.cases([(name, name, text, advice) for name, text, advice in (
        ("sync-failed", "a sync to the disk failed", "dmesg"), ("restoring", "a restore was interrupted", "restore again"),
        ("incomplete", "a backup that was not completed", "make another one"))])
    def test_marker(self, name, text, advice):
        """The store stays as it is, the mark too."""
        self.make()
        self.write(name)
        self.problem("leftovers", text, "(%s/%s)" % (self.home, name), advice)

    @tap.cases([(name, name) for name in ("copy.new", "restore.new", "replaced.20261126")])
    def test_old_copy(self, name):
        self.make()
        os.mkdir(os.path.join(self.home, name))
        for file in ("a", "b"):
            os.truncate(self.write(os.path.join(name, file)), 10 * 2 ** 20)
        self.store.give(os.path.join(self.home, name))
        self.warning("leftovers", name + ", an old copy with 20 MiB", "remove it", unchanged=False)

    def test_freezer(self):
        """Files that the engine puts old pages in, of a process that is no more; the start after that removes them."""
        self.make()
        for number in (1, 2):
            os.truncate(self.write("__db.freezer.%d.0.4096K" % number), 1000)
        self.warning("leftovers", "__db.freezer.* of a process that was killed: 2, with 2000 bytes", "the next start removes them", unchanged=False)
        self.assertEqual([name for name in os.listdir(self.home) if "freezer" in name], [])

    def test_freezer_of_the_owner(self):
        self.serve()
        self.write("__db.freezer.1.0.4096K")
        self.assertEqual(self.well()["leftovers"]["level"], "ok")


class Owner(DoctorCase):
    def test_stopped(self):
        self.serve()
        owner = self.store.freeze_owner()
        try:
            self.problem("owner", "process %d (focusstats.fcgi) has the lock and does not answer: it is stopped (T)" % owner, "kill -CONT %d" % owner)
            self.problem("owner", "process %d" % owner, as_worker=True)
        finally:
            os.kill(owner, signal.SIGCONT)
        self.well()

    def test_hangs(self):
        """Something has the lock and does nothing."""
        self.make()
        holder = self.hold("strange", "of")
        self.problem("owner", "process %d (strange) has the lock and does not answer: it is sleeping (S)" % holder.pid, "kill -KILL", settings=BRIEF)

    def test_hangs_with_the_socket(self):
        self.make()
        holder = self.hold("strange", "of")
        with socket.socket(socket.AF_UNIX) as listener:
            path = os.path.join(self.home, "relay.sock")
            listener.bind(path)
            self.store.give(path)
            listener.listen(5)
            self.problem("owner", "process %d (strange) has the lock" % holder.pid, settings=BRIEF)
        os.unlink(path)

    def test_owner_that_refuses(self):
        """As one of another version may."""
        self.make()
        self.hold("strange", "of")
        body = b'Status: 404 Not Found\r\n\r\n{"error":"there is no path"}'
        reply = struct.pack("!BBHHBB", 1, 6, 1, len(body), 0, 0) + body + struct.pack("!BBHHBB8x", 1, 3, 1, 8, 0, 0)
        with socket.socket(socket.AF_UNIX) as listener:
            path = os.path.join(self.home, "relay.sock")
            listener.bind(path)
            self.store.give(path)
            listener.listen(5)

            def serve():
                with listener.accept()[0] as connection:
                    connection.recv(4096)
                    connection.sendall(reply)
                    connection.recv(4096)
            serving = threading.Thread(target=serve, daemon=True)
            serving.start()
            self.problem("owner", "the owner of the store answers: there is no path", "of the same version")
            serving.join(DEADLINE_SECONDS)

    def test_hangs_unknown(self):
        """Without a lock on the folder nobody can tell who it is."""
        self.make()
        self.hold("strange", "o")
        self.problem("owner", "a process has the lock and does not answer on %s/relay.sock" % self.home, "fuser", settings=BRIEF)

    def test_tool_at_work(self):
        self.make()
        holder = self.hold("focusstats", "of")
        self.warning("owner", "focusstats, process %d, has the store to itself" % holder.pid, "wait for it", settings=BRIEF)

    def test_owner_that_ends_meanwhile(self):
        """It waits for whoever has the store for a moment."""
        self.make()
        holder = self.hold("strange", "of")
        child = subprocess.Popen([self.tool.program, "--home", self.home, "-q", "doctor"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 env=self.tool.environment({"FOCUSSTATS_RELAY_TIMEOUT": "10000"}), cwd=self.store.path)
        lock = os.stat(os.path.join(self.home, "lock"))
        harness.wait_until(lambda: self.tells(child.pid, "home") or child.poll() is not None, "it looks at the home")
        holder.communicate()
        shown = child.communicate(timeout=DEADLINE_SECONDS)[0].decode()
        self.assertEqual((child.returncode, "problem" in shown), (0, False), shown)
        self.assertEqual(os.stat(os.path.join(self.home, "lock")).st_ino, lock.st_ino)

    def test_plain_cgi(self):
        """Each process owns the store for its request."""
        self.make()
        ended = threading.Event()

        def ask():
            while not ended.is_set():
                harness.cgi(self.store, "GET", "/FocusStats/health")
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for _ in range(5):
                self.well(settings={"FOCUSSTATS_RELAY_TIMEOUT": "10000"})
        finally:
            ended.set()
            asking.join()

    def tells(self, pid, name):
        """Whether the process has the home open."""
        try:
            return any(os.readlink("/proc/%d/fd/%s" % (pid, fd)) == os.path.join(self.store.path, name) for fd in os.listdir("/proc/%d/fd" % pid))
        except OSError:
            return False

    def test_lock_was_removed(self):
        self.serve()
        owner = self.store.owner_pid()
        os.unlink(os.path.join(self.home, "lock"))
        self.problem("owner", "process %d owns the store, and its file %s/lock was removed or replaced" % (owner, self.home), "kill %d" % owner,
                     unchanged=False)
        self.write("lock")
        self.problem("owner", "process %d owns the store" % owner, unchanged=False)

    @tap.cases([("folder", "a folder"), ("link", "a symbolic link"), ("pipe", "something special")])
    def test_lock_is_something_else(self, what):
        self.in_place_of("lock", what)
        self.problem("owner", "%s/lock is %s, and should be a file" % (self.home, what), "remove it")

    @tap.cases([("folder", "a folder"), ("link", "a symbolic link"), ("file", "a file"), ("pipe", "something special")])
    def test_socket_is_something_else(self, what):
        self.make()
        self.in_place_of("relay.sock", what)
        self.problem("owner", "%s/relay.sock is %s, and should be a socket" % (self.home, what), "remove it")

    def in_place_of(self, name, what):
        path = os.path.join(self.home, name)
        if what == "a folder":
            os.mkdir(path)
        elif what == "a symbolic link":
            os.symlink(self.write("target"), path)
        elif what == "a file":
            self.write(name)
        else:
            os.mkfifo(path)
        if AS_ROOT:
            os.lchown(path, worker().pw_uid, worker().pw_gid)

    def test_lock_that_cannot_be_opened(self):
        self.make()
        os.chmod(os.path.join(self.home, "lock"), 0)
        self.problem("owner", "/lock cannot be looked at: Permission denied", "mode 0600", also=["files"])

    def test_listener_without_the_lock(self):
        self.make()
        with socket.socket(socket.AF_UNIX) as listener:
            path = os.path.join(self.home, "relay.sock")
            listener.bind(path)
            self.store.give(path)
            listener.listen(5)
            self.problem("owner", "something listens on %s and does not have the lock" % path, "fuser")


class Store(DoctorCase):
    def test_damaged_page(self):
        self.make()
        with open(os.path.join(self.home, "stats.db"), "r+b") as file:
            file.seek(100)
            file.write(b"\xff")
        self.problem("store", "it cannot be opened: ", "stats.db", "standard error", unchanged=False)
        self.assertIn("engine: ", self.stderr)

    def test_full_disk(self):
        self.make()
        self.faults.set("no-space")
        self.problem("store", "it cannot be opened: ", "no space left on the disk", unchanged=False)
        self.faults.clear("no-space")
        self.assertEqual(self.well()["store"]["text"], "it was opened and closed, and its pages are whole; users: 1")

    def test_unknown_setting_of_the_engine(self):
        self.make()
        self.write("DB_CONFIG", "set_nonsense 1\n")
        self.problem("store", "it cannot be opened: opening the environment", unchanged=False)
        self.assertIn("set_nonsense", self.stderr)

    def test_not_opened_where_something_else_is_wrong(self):
        """So what is damaged stays as it is."""
        self.make()
        self.faults.set("engine", "5.2.0")
        before = snapshot(self.home)
        self.assertIn("what is above comes first", self.doctor()[-1]["text"])
        self.assertEqual(snapshot(self.home), before)


if __name__ == "__main__":
    tap.main(globals())
