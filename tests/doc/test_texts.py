#!/usr/bin/env python3
"""What the program can say, and what the documentation says that it says: every error and log line of the sources is explained in doc/api.md,
doc/statistics.md or doc/operation.md, every setting in its manual page with its bounds, the examples of DB_CONFIG work, and no link leads nowhere.
test_man.py has the rest of the manual pages."""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
import mdoc
import tap
from folder import SOURCE
from markdown import blocks, links, read, sections

PAGES = ["README.md", "CONTRIBUTING.md", "doc/api.md", "doc/moving.md", "doc/operation.md", "doc/performance.md", "doc/schema.md", "doc/statistics.md"]
SETTINGS = "man/focusstats.5"
RESPONDER = "man/focusstats.fcgi.8"
MANUALS = ["man/focusstats.1", SETTINGS, "man/focusstats.7", RESPONDER]
# The functions whose text reaches a client or a log.
CALLS = ["error_set", "error_detail", "environment_error", "log_line", "log_repeated", "unusable", "cannot", "bad", "refuse", "refuse_session", "import_refuse", "give_up",
         "fatal", "snprintf(why", "snprintf(what", "doctor_problem", "doctor_warning"]
STRING = r'"((?:[^"\\]|\\.)*)"'


def c_files(top):
    for folder, _, names in sorted(os.walk(os.path.join(SOURCE, top))):
        for name in sorted(names):
            if name.endswith(".c"):
                yield os.path.relpath(os.path.join(folder, name), SOURCE)


def arguments(text, start):
    """The text between the parenthesis at START and the one that closes it."""
    depth = 0
    for at, found in ((match.start(), match[0]) for match in re.finditer(STRING + r"|[()]", text[start:])):
        depth += {"(": 1, ")": -1}.get(found, 0)
        if depth == 0:
            return text[start:start + at]
    raise AssertionError("no end of: " + text[start:start + 100])


def texts(path):
    """Every message of a source file."""
    source = read(path)
    for name in CALLS:
        function = name.split("(")[0]
        for call in re.finditer(r"(?<![\w>])(?:hooks\.)?" + re.escape(name) + ("" if "(" in name else r"(?=\()"), source):
            inside = arguments(source, source.index("(", call.start()))
            inside = re.sub(STRING + r"\s+(?=\")", lambda found: found[0].rstrip(), inside).replace('""', "")
            for text in re.findall(STRING, inside):
                yield function, text


def pieces(text):
    """The fixed parts of a format, without the conversions."""
    return [part for part in re.split(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:ll|l|z|hh|h)?[a-zA-Z]", text) if re.search(r"[A-Za-z]{2}", part)]


class Messages(harness.Case):
    def test_every_message_is_explained(self):
        lines = [line.replace("\\|", "|") for page in ("doc/api.md", "doc/statistics.md", "doc/operation.md", "doc/moving.md") for line in read(page).split("\n")]
        missing, count = [], 0
        for path in [*c_files("src"), *c_files("cgi-bin")]:
            for function, text in texts(path):
                fixed = pieces(text)
                if not fixed or re.fullmatch(r"[A-Z_]+|[a-z_]+\.[a-z_.]+", text.strip()):
                    continue
                count += 1
                pattern = re.compile(".*".join(re.escape(part.replace("\\\"", '"')) for part in fixed))
                if not any(pattern.search(line) for line in lines):
                    missing.append("%s: %s: %s" % (path, function, text))
        self.assertEqual(missing, [])
        self.assertGreater(count, 60)


class Settings(harness.Case):
    def items(self):
        """The manual's text for each setting."""
        return {name: text for name, text in re.findall(r"(?ms)^\.It Ev (FOCUSSTATS_\w+)\n(.*?)(?=^\.It |^\.El)", read(SETTINGS))}

    def test_every_setting_is_in_the_manual(self):
        known = re.findall(r"(?m)^\t\{\"([A-Z_]+)\", set_\w+\},$", read("src/base/config.c"))
        self.assertGreaterEqual(len(known), 8)
        self.assertEqual(sorted(self.items()), sorted("FOCUSSTATS_" + name for name in known))

    def test_bounds_and_defaults(self):
        source = read("src/base/config.c")
        for name, function in re.findall(r"(?m)^\t\{\"([A-Z_]+)\", (set_\w+)\},$", source):
            body = re.search(r"(?s)static enum status %s\(.*?\n\}" % function, source)[0]
            for bounds in re.findall(r"integer_between\(value, (\d+), (\d+),", body):
                text = self.items()["FOCUSSTATS_" + name]
                self.assertIn("%s to %s" % bounds, text.replace("\n", " "))
                field = re.search(r"config->(\w+) =", body)[1]
                default = re.search(r"\.%s = (\d+)," % field, source)[1]
                self.assertIn("The default is %s." % default, text)

    def test_every_setting_that_a_page_names_exists(self):
        known = set(self.items())
        for page in [*PAGES, *MANUALS]:
            for name in re.findall(r"FOCUSSTATS_[A-Z_]*[A-Z]\b", read(page)):
                if not re.search(r"%s`?:? ?(there is no such setting)" % name, read(page)):
                    self.assertIn(name, known, page)


class Examples(harness.Case):
    @tap.cases((str(number), text) for number, text in enumerate(
        [block.text for section in sections(read("doc/operation.md")) for block in blocks(section.lines) if block.language == "DB_CONFIG"] +
        [text for text in mdoc.blocks(SETTINGS) if text.startswith("set_")]))
    def test_db_config(self, text):
        folder = self.folder()
        for place in re.findall(r"(?m)^set_lg_dir (\S+)$", text):
            there = folder.join("other-disk")
            os.mkdir(there)
            folder.give(there)
            text = text.replace(place, there)
        folder.give(folder.write(os.path.join("home", "DB_CONFIG"), text + "\n"))
        responder = self.start(harness.Responder(folder))
        responder.post("initUser", {"user": "reader"})
        self.assertEqual(responder.post("startSession", {"user": "reader", "document": "d", "library": "l"}).status, 200)
        responder.stop()
        again = self.start(harness.Responder(self.folder_again(folder)))
        self.assertEqual(len(again.post("_getSessions", {"user": "reader"}).json()), 1)

    def folder_again(self, folder):
        os.unlink(folder.socket)
        return folder

    def test_refused_settings_of_the_engine(self):
        text = read("doc/operation.md")
        for line in re.findall(r"`(log_set_config DB_LOG_(?:IN_MEMORY|DSYNC) on)`", text):
            folder = self.folder()
            folder.give(folder.write(os.path.join("home", "DB_CONFIG"), line + "\nset_lg_bsize 4194304\n"))
            reply = harness.cgi(folder, "GET", "/FocusStats/health")
            self.assertEqual(reply.status, 503, line)
            self.assertIn("takes away that what is acknowledged is on the disk", reply.stderr)


class Manual(harness.Case):
    def test_exit_statuses(self):
        listed = re.search(r"(?s)\.Sh EXIT STATUS\n(.*?)\n\.Sh", read(RESPONDER))[1]
        self.assertEqual(re.findall(r"(?m)^\.It (\d+)$", listed), ["0", "1", "2", "70"])
        sources = "".join(read(path) for path in [*c_files("src"), *c_files("cgi-bin"), "src/gateway/owner.h"])
        self.assertEqual(re.findall(r"EXIT_FATAL = (\d+)", sources), ["70"])
        self.assertEqual(harness.run_program(self.folder(), ["--nonsense"]).returncode, 2)
        self.assertEqual(harness.run_program(self.folder(), ["--version"]).returncode, 0)


class Contributing(harness.Case):
    PAGE = "CONTRIBUTING.md"

    def test_functions_that_are_named_exist(self):
        sources = "".join(read(path) for top in ("src", "cgi-bin") for path in c_files(top))
        for section in sections(read(self.PAGE)):
            if section.title.startswith("One request"):
                named = set(re.findall(r"`([a-z_]+)`", section.text))
        self.assertGreater(len(named), 20)
        for name in sorted(named):
            self.assertRegex(sources, r"(?m)^[a-z].*\b%s\(" % name)

    def test_targets_exist(self):
        for target in re.findall(r"(?m)(?:^\| |, |; )`make ([a-z-]+)", read(self.PAGE)):
            self.assertRegex(read("Makefile.am") + "check: install: dist: distcheck: ", r"(?m)(^|\s)%s\b" % target)

    def test_the_new_action_compiles(self):
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            self.skipTest("no C compiler is installed (Debian package gcc)")
        function, row = [block.text for section in sections(read(self.PAGE)) for block in blocks(section.lines) if block.language == "c"]
        source = read("src/api/actions.c")
        for place, added in (("static enum status health(", function + "\n\n"), ('\t{\n\t\t.path = "/FocusStats/health"', row + "\n")):
            self.assertEqual(source.count(place), 1)
            source = source.replace(place, added + place)
        done = subprocess.run([compiler, "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                               "-I", os.path.join(SOURCE, "src"), "-x", "c", "-"],
                              input=source.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.stdout.decode(), "")


class Links(harness.Case):
    def test_links_lead_somewhere(self):
        wrong = []
        for page in PAGES:
            for target in links(read(page)):
                if re.match(r"https?:", target):
                    continue
                path, _, anchor = target.partition("#")
                path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                if not os.path.exists(os.path.join(SOURCE, path)):
                    wrong.append("%s: %s: no such file" % (page, target))
                elif anchor and anchor not in [section.anchor for section in sections(read(path))]:
                    wrong.append("%s: %s: no such heading" % (page, target))
        self.assertEqual(wrong, [])

    def test_files_that_are_named_exist(self):
        wrong = []
        for page in PAGES:
            for name in re.findall(r"`((?:src|tests|doc|man|web|apache-conf|cgi-bin)/[\w./-]*\w)`", read(page)):
                path = os.path.join(SOURCE, name)
                made = name.endswith((".fcgi", ".log"))
                if not made and not os.path.exists(path) and not os.path.exists(path.replace("-open.conf", ".conf") + ".in"):
                    wrong.append("%s: %s" % (page, name))
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    tap.main(globals())
