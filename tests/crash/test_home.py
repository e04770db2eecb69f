#!/usr/bin/env python3
"""The home folder: which ones are refused and with what line, what lies in it from before, and one that another host may have."""

import copy
import os
import re
import signal
import socket
import stat
import subprocess
import time

from common import CrashCase, Faults, harness, note, one_more

import offline  # noqa: E402
import tap  # noqa: E402
from watch import owners  # noqa: E402

EXIT_FAILURE = 1
PATH_OF_A_SOCKET = 108


class Home(CrashCase):
    """What all tests here need."""

    abstract = True

    def refused(self, folder, home, pattern):
        """A FastCGI process with this home ends with status 1 and one line; a CGI process answers 503 and writes the line too."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(folder.join("run", "refused.sock"))
            listener.listen()
            done = harness.run_program(folder, env={"FOCUSSTATS_HOME": home}, stdin=listener)
        os.unlink(folder.join("run", "refused.sock"))
        self.assertEqual((done.returncode, done.stdout), (EXIT_FAILURE, b""))
        line = self.one_line(done.stderr, home, pattern)
        reply = harness.cgi(folder, "GET", "/FocusStats/health", settings={"FOCUSSTATS_HOME": home})
        self.assertEqual((reply.status, reply.header("Retry-After"), reply.exit_status), (503, "1", EXIT_FAILURE))
        self.assertNotIn(home, reply.text)
        self.one_line(reply.stderr.encode(), home, pattern)
        return line

    def one_line(self, errors, home, pattern):
        lines = errors.decode().splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z focusstats\[\d+\]: FOCUSSTATS_HOME: ")
        self.assertIn(home, lines[0])
        self.assertRegex(lines[0], pattern)
        return lines[0]

    def responder(self, folder, home=None, ready=True, **settings):
        """A running responder; with another home than the folder's own, which the folder then has as its own."""
        if home:
            folder.home = home
        if os.path.exists(folder.socket):
            os.unlink(folder.socket)
        made = harness.Responder(folder, settings)
        if not ready:
            made.wait_ready = lambda: None
        return self.start(made)

    def works(self, responder, user="u"):
        self.assertEqual(responder.post("initUser", {"user": user}).status, 200)
        identity = responder.post("startSession", {"user": user, "document": "d", "library": "l"}).json()["focusSession"]
        self.assertEqual(responder.post("endSession", {"focusSession": identity}).status, 200)
        return identity


class Refused(Home):
    """Homes that nothing is kept in."""

    def make(self, folder, name, mode=0o700):
        path = folder.join("run", name)
        os.mkdir(path)
        folder.give(path)
        os.chmod(path, mode)
        return path

    def test_parent_is_missing(self):
        folder = self.folder()
        self.refused(folder, folder.join("run", "no", "home"), "parent folder is missing")
        self.assertFalse(os.path.exists(folder.join("run", "no")))

    def test_parent_is_not_writable(self):
        folder = self.folder()
        os.mkdir(folder.join("run", "closed"), 0o555)
        self.refused(folder, folder.join("run", "closed", "home"), "Permission denied")
        os.chmod(folder.join("run", "closed"), 0o700)

    def test_is_a_file(self):
        folder = self.folder()
        self.refused(folder, folder.write(os.path.join("run", "file"), "text"), "is not a folder")

    def test_is_below_a_file(self):
        folder = self.folder()
        self.refused(folder, os.path.join(folder.write(os.path.join("run", "file"), "text"), "home"), "Not a directory")

    def test_is_a_broken_link(self):
        folder = self.folder()
        os.symlink(folder.join("nowhere"), folder.join("run", "link"))
        self.refused(folder, folder.join("run", "link"), "No such file or directory")

    @tap.cases([("not writable", 0o500), ("not readable", 0o300), ("not searchable", 0o600), ("nothing", 0o000)])
    def test_own_but(self, mode):
        folder = self.folder()
        path = self.make(folder, "home", mode)
        self.refused(folder, path, "Permission denied|is not writable")
        os.chmod(path, 0o700)

    @tap.cases([("group may read", 0o740), ("group may enter", 0o710), ("others may read", 0o704), ("others may enter", 0o701),
                ("others may write", 0o702), ("everybody may do everything", 0o777), ("sticky", 0o1777)])
    def test_open_to_others(self, mode):
        folder = self.folder()
        path = self.make(folder, "home", mode)
        line = self.refused(folder, path, "has mode 0?%o.*chmod 700" % mode)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode, line)
        self.assertEqual(os.listdir(path), [])

    def test_of_another_user(self):
        folder = self.folder()
        if harness.AS_ROOT:
            path = folder.join("run", "home")
            os.mkdir(path, 0o700)
            self.refused(folder, path, "belongs to user 0|Permission denied")
        else:
            self.refused(folder, "/root" if os.stat("/root").st_uid != os.geteuid() else "/", "belongs to user 0|Permission denied")

    def test_of_root_and_open_to_all(self):
        """/tmp itself: writable, and not ours."""
        if not harness.AS_ROOT and os.stat("/tmp").st_uid == os.geteuid():
            self.skipTest("/tmp belongs to this user")
        self.refused(self.folder(), "/tmp", "belongs to user")

    def test_is_relative(self):
        folder = self.folder()
        done = harness.run_program(folder, env={"FOCUSSTATS_HOME": "home", "REQUEST_METHOD": "GET"})
        self.assertEqual(done.returncode, EXIT_FAILURE)
        self.assertIn(b"FOCUSSTATS_HOME: 'home' is not an absolute path", done.stderr)


class Taken(Home):
    """Homes that are all right."""

    def test_missing_is_made_private(self):
        folder = self.watched()
        responder = self.responder(folder, folder.join("run", "new"))
        self.works(responder)
        info = os.stat(folder.home)
        self.assertEqual((stat.S_IMODE(info.st_mode), info.st_uid), (0o700, harness.worker().pw_uid))
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(folder.home, "relay.sock")).st_mode), 0o600)
        for name in os.listdir(folder.home):
            self.assertEqual(os.stat(os.path.join(folder.home, name)).st_mode & 0o077, 0, name)
        responder.stop()
        self.assertEqual(len(self.read(folder).sessions), 1)

    def test_link_to_a_good_one(self):
        folder = self.watched()
        real, link = folder.home, folder.join("run", "link")
        os.symlink(real, link)
        responder = self.responder(folder, link)
        self.works(responder)
        # By its own name it is the same home.
        reply = harness.cgi(folder, "POST", "/FocusStats/_getSessions", harness.encode({"user": "u"}), settings={"FOCUSSTATS_HOME": real})
        self.assertEqual(len(reply.json()), 1)
        self.assertEqual(len(owners(folder)), 1)
        responder.stop()
        self.assertEqual(len(self.read(folder).sessions), 1)

    @tap.cases([("%d bytes" % size, size) for size in (PATH_OF_A_SOCKET - 13, PATH_OF_A_SOCKET - 12, PATH_OF_A_SOCKET - 11, PATH_OF_A_SOCKET - 8,
                                                       PATH_OF_A_SOCKET, 250, 1000)])
    def test_path_around_the_length_of_a_socket(self, size):
        """A socket's address holds 107 bytes; the home's path may be longer, and relaying works all the same."""
        folder = self.watched()
        path = folder.join("run")
        while size - len(path) > 251:
            path = os.path.join(path, "x" * 200)
            os.mkdir(path)
            os.chmod(path, 0o755)
            folder.give(path)
        responder = self.responder(folder, os.path.join(path, "h" * (size - len(path) - 1)))
        self.assertEqual(len(folder.home), size)
        self.works(responder)
        for number in range(3):
            reply = harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "cgi-%d" % number}))
            self.assertEqual(reply.status, 200)
        # It has relayed, and not waited for the lock.
        self.assertEqual(owners(folder), responder.pids)
        responder.stop()
        self.assertEqual(len(self.read(folder).users), 4)

    def test_odd_names(self):
        """A colon, a blank, a percent sign, UTF-8."""
        folder = self.watched()
        responder = self.responder(folder, folder.join("run", "a:1 %s é"))
        self.works(responder)
        self.assertEqual(harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "v"})).status, 200)
        responder.stop()
        self.assertEqual(len(self.read(folder).users), 2)

    def test_second_start(self):
        """On the same home, with a socket of its own: it relays, and goes on when the first one leaves."""
        folder = self.watched()
        first = self.responder(folder)
        self.works(first)
        second = self.responder(folder)
        self.assertEqual(second.post("startSession", {"user": "u", "document": "e", "library": "l"}).status, 200)
        self.assertEqual(owners(folder), first.pids)
        first.stop()
        self.assertEqual(second.post("startSession", {"user": "u", "document": "f", "library": "l"}).status, 200)
        self.assertEqual(owners(folder), second.pids)
        second.stop()
        self.assertEqual(len(self.read(folder).sessions), 3)


class Moved(Home):
    """The folder is renamed while it is in use, and another one takes its name."""

    def test_both_keep_what_they_acknowledged(self):
        folder = self.folder()
        place, moved = folder.home, folder.home + ".moved"
        first = self.responder(folder)
        self.assertEqual(first.post("initUser", {"user": "u"}).status, 200)
        os.rename(place, moved)
        os.mkdir(place, 0o700)
        folder.give(place)
        other = copy.copy(folder)
        other.socket += "2"
        second = self.responder(other)
        self.assertEqual(second.post("initUser", {"user": "u"}).status, 200)
        acknowledged = ({}, {})

        def write(index):
            # More than a log file holds, so that both begin new ones.
            for number in range(300):
                session = {"user": "u", "document": "%d %d " % (index, number) + "d" * 200, "library": "l" * 200}
                reply = (first, second)[index % 2].post("startSession", session)
                self.assertEqual(reply.status, 200)
                acknowledged[index % 2][reply.json()["focusSession"]] = session["document"]

        harness.clients(8, write)
        for responder in (first, second):
            os.kill(responder.pids[0], signal.SIGKILL)
            responder.children[0].wait()
        for home, expected in ((moved, acknowledged[0]), (place, acknowledged[1])):
            reply = harness.cgi(folder, "POST", "/FocusStats/_getSessions", harness.encode({"user": "u"}), settings={"FOCUSSTATS_HOME": home})
            self.assertEqual(reply.status, 200, reply.stderr)
            found = {element["focusSession"]["_id"]: element["focusSession"]["document"] for element in reply.json()}
            self.assertEqual(found, expected)


class Left(Home):
    """What lies in the home from before."""

    def killed(self, folder):
        """A home as a killed owner leaves it."""
        responder = self.responder(folder)
        self.works(responder)
        folder.watch.kill(responder.pids[0])
        responder.children[0].wait()
        self.assertTrue(os.path.exists(os.path.join(folder.home, "relay.sock")))
        return responder

    def test_stale_socket(self):
        folder = self.watched()
        responder = self.killed(folder)
        one_more(responder)
        self.assertEqual(responder.post("startSession", {"user": "u", "document": "e", "library": "l"}).status, 200)
        # It listens on a new one.
        self.assertEqual(harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "v"})).status, 200)
        responder.stop()
        self.assertFalse(os.path.exists(os.path.join(folder.home, "relay.sock")))
        self.assertEqual(len(self.read(folder).sessions), 2)

    def test_stale_socket_and_plain_cgi(self):
        folder = self.watched()
        self.killed(folder)
        begun = time.monotonic()
        self.assertEqual(harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "v"})).status, 200)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(len(self.read(folder).users), 2)

    @tap.cases([("a file", lambda path: open(path, "w").close()), ("a folder", os.mkdir), ("a broken link", lambda path: os.symlink("nowhere", path))])
    def test_where_the_socket_should_be(self, make):
        """Something else lies there. A folder cannot be replaced; then it says so and answers 503."""
        folder = self.watched()
        path = os.path.join(folder.home, "relay.sock")
        make(path)
        if os.path.isdir(path):
            responder = self.responder(folder, ready=False)
            reply = responder.ask("GET", "/FocusStats/health")
            self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
            self.assertIn("relay.sock", folder.log_text())
            os.rmdir(path)
            harness.wait_until(lambda: responder.ask("GET", "/FocusStats/health").status == 200, "it works once the folder is gone")
        else:
            responder = self.responder(folder)
        self.works(responder)
        self.assertEqual(harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "v"})).status, 200)
        responder.stop()
        self.read(folder)

    def check_unusable(self, folder, pattern, repair):
        """It lives and answers 503, says why in the log and not to the client, and works once it was repaired."""
        responder = self.responder(folder, ready=False)
        reply = responder.post("initUser", {"user": "u"})
        self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
        self.assertNotIn(folder.home, reply.text)
        self.assertRegex(folder.log_text(), pattern)
        self.assertEqual(responder.ask("GET", "/FocusStats/health").status, 503)
        self.check_names(folder, responder)
        cgi = harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "u"}))
        self.assertEqual((cgi.status, cgi.header("Retry-After")), (503, "1"))
        self.assertRegex(cgi.stderr, pattern)
        repair()
        harness.wait_until(lambda: responder.ask("GET", "/FocusStats/health").status == 200, "it works once it was repaired")
        self.works(responder, "w")
        responder.stop()
        return reply

    def check_names(self, folder, responder):
        """A 503 and its line in the log have the same id: the web server's where it is harmless, and nothing else that could make a line of its own."""
        for given, taken in (("0a1B-2c_3@4", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("a\nfocusstats[1]: owner of everything", False),
                             ("a\x1b[2J", False), ("é", False), ("", False)):
            with responder.connect() as connection:
                reply = connection.ask("GET", "/FocusStats/health", extra={"REQUEST_ID": given})
            name = reply.header("X-Request-Id")
            self.assertEqual((reply.status, name == given), (503, taken))
            self.assertRegex(name, r"\A[-_@0-9A-Za-z]{1,64}\Z")
            self.assertRegex(reply.stderr, r"\A(\S+ )?focusstats\[\d+\]: request %s: health: [^\n]+\n?\Z" % re.escape(name))

    def test_lock_is_a_link(self):
        """Whoever can make one in the home is its user; but a copy of the home may hold one, and nothing outside may be touched through it."""
        folder = self.watched()
        outside = folder.write(os.path.join("run", "outside"), "untouched")
        folder.give(outside)
        lock = os.path.join(folder.home, "lock")
        os.symlink(outside, lock)
        self.check_unusable(folder, "lock", lambda: os.unlink(lock))
        with open(outside, encoding="utf-8") as file:
            self.assertEqual(file.read(), "untouched")
        self.read(folder)

    def test_lock_is_a_folder(self):
        folder = self.watched()
        lock = os.path.join(folder.home, "lock")
        os.mkdir(lock)
        self.check_unusable(folder, "lock", lambda: os.rmdir(lock))
        self.read(folder)

    def test_lock_is_removed_while_it_is_held(self):
        """By somebody who thinks that it is stale. There is still one owner."""
        folder = self.watched()
        responder = self.responder(folder)
        self.works(responder)
        os.unlink(os.path.join(folder.home, "lock"))
        for number in range(3):
            self.assertEqual(harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "v%d" % number})).status, 200)
        second = self.responder(folder)
        self.works(second, "w")
        self.assertEqual(owners(folder), responder.pids)
        responder.stop()
        self.works(second, "x")
        second.stop()
        self.assertEqual(len(self.read(folder).users), 6)

    def test_socket_is_removed_while_it_is_listened_on(self):
        """Then the others cannot reach the owner: they answer 503 in bounded time, and still do not touch the store."""
        folder = self.watched()
        responder = self.responder(folder)
        self.works(responder)
        os.unlink(os.path.join(folder.home, "relay.sock"))
        begun = time.monotonic()
        reply = harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "v"}), settings={"FOCUSSTATS_RELAY_TIMEOUT": "300"})
        self.assertEqual(reply.status, 503)
        self.assertLess(time.monotonic() - begun, 4)
        self.works(responder, "w")
        responder.stop()
        self.assertEqual(set(self.read(folder).users), {"u", "w"})

    def test_newer_schema(self):
        """Written by a newer version: refused with a line that says so, and nothing is changed."""
        if not offline.tool("load") or not offline.tool("dump"):
            self.skipTest(offline.missing() or "Berkeley DB's tools are not installed (Debian package db5.3-util)")
        folder = self.watched()
        responder = self.responder(folder)
        self.works(responder)
        responder.stop()
        self.set_schema(folder, b"3")
        before = set(offline.sessions(folder))
        reply = self.check_unusable(folder, "schema version 3 and this program knows only up to 2", lambda: self.set_schema(folder, b"2"))
        self.assertIn("newer version", reply.json()["error"])
        self.assertLess(before, set(self.read(folder).sessions))

    @tap.cases([("no number", b"x"), ("nothing", b""), ("zero", b"0"), ("far too long", b"9" * 30), ("negative", b"-1")])
    def test_damaged_schema(self, version):
        if not offline.tool("load"):
            self.skipTest("Berkeley DB's tools are not installed (Debian package db5.3-util)")
        folder = self.watched()
        responder = self.responder(folder)
        self.works(responder)
        responder.stop()
        self.set_schema(folder, version)
        self.check_unusable_for_good(folder, "meta.db")

    def test_schema_is_gone(self):
        """Without meta.db, and with records, nobody knows what they are."""
        folder = self.watched()
        responder = self.responder(folder)
        self.works(responder)
        responder.stop()
        os.unlink(os.path.join(folder.home, "meta.db"))
        self.check_unusable_for_good(folder, "meta.db")

    @tap.cases([(name, name) for name in ("sessions.db", "sessions_by_user.db", "active_by_user.db", "documents.db", "stats.db")])
    def test_file_is_gone(self, name):
        """An incomplete copy of a home is not taken into service."""
        folder = self.watched()
        responder = self.responder(folder)
        self.works(responder)
        responder.stop()
        os.unlink(os.path.join(folder.home, name))
        self.check_unusable_for_good(folder, name)
        self.assertFalse(os.path.exists(os.path.join(folder.home, name)))

    def check_unusable_for_good(self, folder, pattern):
        reply = harness.cgi(folder, "POST", "/FocusStats/initUser", harness.encode({"user": "v"}))
        self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
        self.assertRegex(reply.stderr, pattern)

    @staticmethod
    def set_schema(folder, version):
        subprocess.run([offline.tool("load"), "-T", "-t", "btree", os.path.join(folder.home, "meta.db")], input=b"schema\n" + version + b"\n", check=True)
        folder.give(os.path.join(folder.home, "meta.db"))


class Network(Home):
    """On a network file system (the system calls are made to say so)."""

    def network(self, folder, host):
        faults = Faults(folder)
        faults.set("network")
        faults.set("hostname", host)
        return faults

    def host_file(self, folder):
        return os.path.join(folder.home, "host")

    def test_host_is_named_while_it_is_owned(self):
        folder = self.watched()
        faults = self.network(folder, "alpha.example")
        responder = self.responder(folder, **faults.settings())
        self.works(responder)
        with open(self.host_file(folder), encoding="ascii") as file:
            self.assertEqual(file.read().strip(), "alpha.example")
        responder.stop()
        self.assertFalse(os.path.exists(self.host_file(folder)))
        self.read(folder)

    def test_same_host_after_a_kill(self):
        folder = self.watched()
        faults = self.network(folder, "alpha.example")
        responder = self.responder(folder, **faults.settings())
        self.works(responder)
        folder.watch.kill(responder.pids[0])
        responder.children[0].wait()
        self.assertTrue(os.path.exists(self.host_file(folder)))
        one_more(responder)
        responder.wait_ready()
        self.works(responder, "v")
        responder.stop()
        self.read(folder)

    def test_another_host(self):
        """Refused, with a line that says how to clear it; and it works as soon as it was cleared so."""
        folder = self.watched()
        faults = self.network(folder, "alpha.example")
        responder = self.responder(folder, **faults.settings())
        self.works(responder)
        folder.watch.kill(responder.pids[0])
        responder.children[0].wait()
        faults.set("hostname", "beta.example")
        one_more(responder)
        reply = responder.post("initUser", {"user": "v"})
        self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"))
        line = re.findall(r"focusstats\[\d+\]: (.*alpha\.example.*)", folder.log_text())[0]
        path = re.search(r"remove (\S+)$", line)
        self.assertTrue(path, line)
        self.assertEqual(path.group(1), self.host_file(folder))
        cgi = harness.cgi(folder, "GET", "/FocusStats/health", settings=faults.settings())
        self.assertEqual(cgi.status, 503)
        self.assertIn("alpha.example", cgi.stderr)
        os.unlink(path.group(1))
        harness.wait_until(lambda: responder.ask("GET", "/FocusStats/health").status == 200, "it works once it was cleared")
        self.works(responder, "v")
        responder.stop()
        note("%s", line)
        self.read(folder)

    def test_cut_host_file(self):
        """The power went before the name was written: whose it was is not known, and the line still says what to do."""
        folder = self.watched()
        faults = self.network(folder, "alpha.example")
        with open(self.host_file(folder), "w", encoding="ascii"):
            pass
        folder.give(self.host_file(folder))
        reply = harness.cgi(folder, "GET", "/FocusStats/health", settings=faults.settings())
        self.assertEqual(reply.status, 503)
        self.assertIn(self.host_file(folder), reply.stderr)

    def test_not_a_network(self):
        """On a local disk no host is recorded, so that a copy of the home works anywhere."""
        folder = self.watched()
        faults = Faults(folder)
        faults.set("hostname", "alpha.example")
        responder = self.responder(folder, **faults.settings())
        self.works(responder)
        self.assertFalse(os.path.exists(self.host_file(folder)))
        responder.stop()
        self.read(folder)


if __name__ == "__main__":
    tap.main(globals())
