#!/usr/bin/env python3
"""doc/operation.md: the installation on a shared host, every command of it, in an account of its own behind an Apache that lets folders have an
.htaccess. make check-install has the machines of one's own, test_texts.py the settings of the engine."""

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


class SharedHost(harness.Case):
    def blocks(self):
        """Those of the section that are run on the host: the first one builds the program elsewhere."""
        section, = [section for section in sections(read(PAGE)) if section.title == HOST]
        found = blocks(section.lines)
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


if __name__ == "__main__":
    tap.main(globals())
