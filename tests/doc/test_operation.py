#!/usr/bin/env python3
"""The commands of doc/operation.md: the installation on a shared host, step by step, in an account of its own behind an Apache that lets folders have
an .htaccess; the admin tool; and the rewriting of the files after which nothing is left of an erased user. make check-install has the machines of
one's own, test_texts.py the settings of the engine."""

import glob
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
import tap
from folder import SOURCE
from markdown import blocks, read, sections
from shell import Shell

PAGE = "doc/operation.md"
HOST = "On a shared host"
WORD = "word"
# What make install would have put there: installed as, built or source file.
FILES = {"share/focusstats/apache-conf/focusstats.cgi": "cgi-bin/focusstats.cgi", "share/focusstats/apache-conf/htaccess": "apache-conf/htaccess.in",
         "share/focusstats/web": "web"}


class Account(harness.ApacheCgi):
    """Apache as a shared host has it, for one account."""

    def __init__(self, folder, account):
        super().__init__(folder)
        self.site_folder = os.path.join(account, "public_html")

    def include(self):
        pass

    def main_lines(self):
        return self.setting_lines() + [
            'DocumentRoot "%s"' % self.site_folder, 'ScriptAlias "/cgi-bin/" "%s/cgi-bin/"' % self.site_folder,
            '<Directory "%s">' % self.site_folder, "AllowOverride AuthConfig Limit FileInfo Options", "Require all granted", "</Directory>"]

    def health(self):
        return self.request("GET", "/there-is-nothing")

    def ready(self):
        try:
            return self.health().status == 404
        except OSError:
            return False


def blocks_of(title):
    section, = [section for section in sections(read(PAGE)) if section.title == title]
    return blocks(section.lines)


class SharedHost(harness.Case):
    def blocks(self):
        """Those of the section that are run on the host: the first one builds the program elsewhere."""
        found = blocks_of(HOST)
        self.assertIn("./configure", found[0].text)
        self.assertGreater(len(found), 8)
        return found[1:]

    def upload(self, shell, folder):
        """The folder that the first step makes."""
        usr = os.path.join(shell.tmp, "focusstats-files", "usr")
        for installed, source in FILES.items():
            place = os.path.join(usr, installed)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if os.path.isdir(os.path.join(SOURCE, source)):
                shutil.copytree(os.path.join(SOURCE, source), place)
            else:
                shutil.copy(os.path.join(SOURCE, source), place)
        os.makedirs(os.path.join(usr, "lib", "cgi-bin"))
        shutil.copy(folder.program, os.path.join(usr, "lib", "cgi-bin"))
        os.makedirs(os.path.join(shell.tmp, "public_html", "cgi-bin"))
        for place, _, _ in os.walk(shell.tmp):
            os.chmod(place, 0o755)
            folder.give(place)

    def put(self, text):
        """The password is not asked at a terminal."""
        return text.replace("htpasswd -c ", "echo %s | htpasswd -ci " % WORD)

    def test_every_command(self):
        if shutil.which("curl") is None or shutil.which("htpasswd") is None:
            self.skipTest("curl or htpasswd is not installed (Debian packages curl, apache2-utils)")
        if harness.ApacheCgi.missing():
            self.skipTest(harness.ApacheCgi.missing())
        folder = self.folder()
        os.rmdir(folder.home)
        folder.home = folder.join("shell", "focusstats")
        shell = Shell(folder)
        self.addCleanup(shell.close)
        self.upload(shell, folder)
        server = self.start(Account(folder, shell.tmp))
        shell.replacements["https://you.example"] = "http://127.0.0.1:%d" % server.port
        # The script finds the account's home in the password database, which knows nothing of this one.
        script = os.path.join(shell.tmp, "focusstats-files/usr/share/focusstats/apache-conf/focusstats.cgi")
        text = read("cgi-bin/focusstats.cgi")
        asked = '$(getent passwd "$(id -u)" | cut -d : -f 6)'
        self.assertEqual(text.count(asked), 1)
        with open(script, "w", encoding="utf-8") as file:
            file.write(text.replace(asked, shell.tmp))
        shell.do("umask 022")
        for block in self.blocks():
            if block.language == "console":
                self.assertEqual(shell.run(block.text), [])
            else:
                self.assertEqual(block.language, "sh")
                shell.do(self.put(block.text))
        # The pages' own headers, and the users as the admin tool sees them.
        self.assertIn("default-src 'none'", server.request("GET", "/reading/").header("Content-Security-Policy"))
        self.assertEqual(shell.printed("FOCUSSTATS_HOME=~/focusstats focusstats -q users | awk '{ print $NF }'"), ["reader"])
        self.assertEqual(server.request("GET", "/reading/app.js").status, 200)

    def test_libraries_of_one_s_own(self):
        """The line that the page adds to focusstats.cgi where the host lacks libraries."""
        if shutil.which("ldd") is None:
            self.skipTest("ldd is not installed (Debian package libc-bin)")
        section, = [section for section in sections(read(PAGE)) if section.title == HOST]
        line = "LD_LIBRARY_PATH=$HOME/focusstats-libraries; export LD_LIBRARY_PATH"
        self.assertIn(line, section.text)
        folder = self.folder()
        shell = Shell(folder)
        self.addCleanup(shell.close)
        listed = subprocess.run(["ldd", folder.program], stdout=subprocess.PIPE, check=True).stdout.decode()
        own = [words[2] for words in map(str.split, listed.split("\n")) if words and words[0].startswith(("libjson-c", "libfcgi", "libdb"))]
        self.assertEqual(len(own), 3, listed)
        os.mkdir(os.path.join(shell.tmp, "focusstats-libraries"))
        for path in own:
            shutil.copy(path, os.path.join(shell.tmp, "focusstats-libraries"))
        shell.do(line)
        used = [line.split()[2] for line in shell.printed('ldd "$(command -v focusstats.fcgi)"') if "focusstats-libraries" in line]
        self.assertEqual(len(used), 3)
        self.assertEqual(shell.printed("FOCUSSTATS_HOME=/tmp/home REQUEST_METHOD=GET PATH_INFO=/FocusStats/health focusstats.fcgi | head -n 1"),
                         ["Status: 200 OK"])


class Commands(harness.Case):
    def test_admin_tool(self):
        block, = blocks_of("The admin tool")
        folder = self.folder()
        shell = Shell(folder, [("/var/lib/focusstats", folder.home), ("focusstats remove", "focusstats --yes remove")])
        self.addCleanup(shell.close)
        harness.cgi(folder, "POST", "/FocusStats/initUser", b'{"user":"reader"}')
        init = "focusstats init reader"
        self.assertIn(init, block.text)
        for line in block.text.split("\n"):
            # There is nobody to be made, as they are there already.
            shell.do(line.replace(init, "! " + init))
        self.assertEqual(shell.printed("focusstats -q users"), [])

    @tap.cases([("a page of an index", "sessions_by_user.db", -40, "page", True), ("a page of the users", "stats.db", -40, "page", False),
                ("the beginning of a file", "sessions.db", 100, "sessions.db", False), ("the log", "log.*", 20, "log", False),
                ("a missing file", "documents.db", None, "documents.db", False)])
    def test_damaged_file(self, name, at, said, saved):
        """The five steps, as they stand there: from each kind of damage to a running service with what the backup had, and what could be saved."""
        steps = [block.text for block in blocks_of("A file is missing or damaged") if block.language == "sh"]
        self.assertEqual(len(steps), 5)
        folder = self.folder()
        folder.leaks = False
        folder.give(folder.path)
        damaged, backup = folder.join("home.damaged"), folder.join("backup")
        shell = Shell(folder, [("/var/lib/focusstats.damaged", damaged), ("/var/lib/focusstats", folder.home), ("/var/backups/focusstats/first", backup),
                               ("/var/tmp", folder.path)])
        self.addCleanup(shell.close)
        shell.do("export FOCUSSTATS_HOME=/var/lib/focusstats")
        self.fill(folder, range(12), 30)
        before = self.told(folder)
        shell.do("focusstats backup /var/backups/focusstats/first")
        self.fill(folder, range(6, 18), 1)  # after the backup
        after = self.told(folder)
        shell.do("focusstats users")  # its recovery ends with a checkpoint
        self.damage(folder, name, at)
        doctor, verify = steps[0].split("\n")
        for command in (doctor, verify):
            self.assertIn(said, "\n".join(shell.printed(command + "; echo status $?")))
            self.assertEqual(shell.printed(command + " >/var/tmp/out 2>&1; echo $?"), ["1"])
        shell.do(steps[1])
        self.assertEqual(shell.printed(steps[2] + " 2>/var/tmp/out; echo $?"), ["1"])
        shell.do(steps[3])
        self.assertEqual(self.told(folder), before)
        if saved:
            self.assertEqual(shell.printed(steps[4] + " >/var/tmp/out 2>&1; echo $?"), ["0"])
            told = self.told(folder)
            for user, sessions in told.items():
                self.assertGreaterEqual(sessions, before.get(user, set()))
                self.assertLessEqual(sessions, after[user])
            self.assertGreater(sum(sessions == after[user] != before.get(user) for user, sessions in told.items()), 0)
        self.assertRegex(shell.printed(verify)[-1], "is whole")
        folder.reported.update(line for line in folder.log_text().split("\n") if "PANIC" in line)

    def fill(self, folder, users, sessions):
        """Long ids, so that each database has several pages."""
        responder = self.start(harness.Responder(folder))
        for number in users:
            user = ("user %02d" % number).ljust(240, "x")
            responder.post("initUser", {"user": user})
            responder.post("setDocument", {"user": user, "document": "d", "title": "T"})
            responder.post("addSessions", {"user": user, "sessions": [
                {"document": "d", "library": "l", "startTime": "2024-01-01T00:%02d:00Z" % minute, "endTime": "2024-01-01T01:00:00Z"}
                for minute in range(sessions)]})
        responder.stop()
        os.unlink(folder.socket)

    def told(self, folder):
        """The sessions of each user."""
        responder = self.start(harness.Responder(folder))
        answers = {}
        for number in range(18):
            user = ("user %02d" % number).ljust(240, "x")
            reply = responder.post("_exportUser", {"user": user})
            if reply.status == 200:
                answers[user] = {session["_id"] for session in reply.json()[0]["export"]["sessions"]}
        responder.stop()
        os.unlink(folder.socket)
        return answers

    def damage(self, folder, name, at):
        """One byte; at no place, the file is removed."""
        path, = glob.glob(os.path.join(folder.home, name))
        if at is None:
            os.unlink(path)
            return
        with open(path, "r+b") as file:
            # From the end of the last leaf, behind the one that most users have something in.
            file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))

    def test_erasing_for_good(self):
        if shutil.which("db5.3_dump") is None:
            self.skipTest("db5.3_dump is not installed (Debian package db5.3-util)")
        block, = [block for block in blocks_of("Erasing for good") if block.language == "sh"]
        folder = self.folder()
        # In place of /var/lib, as the home's own user.
        shell = Shell(folder, [("/var/lib", folder.path), ("-o focusstats -g focusstats ", ""), ("chown focusstats:focusstats", "ls")])
        self.addCleanup(shell.close)
        for name in ("focusstats", "focusstats.old"):
            self.assertIn(name, block.text)
        os.rename(folder.home, folder.join("focusstats"))
        folder.home = folder.join("focusstats")
        folder.give(folder.path)
        responder = self.start(harness.Responder(folder))
        for user in ("remaining", "erased"):
            responder.post("initUser", {"user": user})
            responder.post("setDocument", {"user": user, "document": "book of " + user, "title": "title of " + user})
            added = [{"document": "book of " + user, "library": "l", "startTime": "2024-01-01T00:%02d:00Z" % minute, "endTime": "2024-01-01T01:00:00Z"}
                     for minute in range(50)]
            responder.post("addSessions", {"user": user, "sessions": added})
        before = responder.post("_exportUser", {"user": "remaining"}).json()
        self.assertEqual(responder.post("removeUser", {"user": "erased", "confirm": "erased"}).status, 200)
        responder.stop()
        os.unlink(folder.socket)
        self.assertIn("erased", self.bytes_of(folder.home))
        shell.do(block.text)
        responder = self.start(harness.Responder(folder))
        self.assertEqual(responder.post("_exportUser", {"user": "remaining"}).json(), before)
        responder.stop()
        found = self.bytes_of(folder.home)
        self.assertIn("book of remaining", found)
        self.assertNotIn("erased", found)

    def bytes_of(self, home):
        text = ""
        for name in os.listdir(home):
            path = os.path.join(home, name)
            if os.path.isfile(path):
                with open(path, encoding="latin-1") as file:
                    text += file.read()
        return text


if __name__ == "__main__":
    tap.main(globals())
