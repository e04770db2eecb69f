#!/usr/bin/env python3
"""The manual pages against the programs: every example is run, every action, field, bound, answer and refusal of openapi.json is in focusstats(7), every
setting's example and bounds in focusstats(5) are so, all that the program says of itself in focusstats.fcgi(8) is said; and mandoc finds nothing to
complain of. test_texts.py compares the settings with their table."""

import os
import re
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
import tap
from faults import Faults
from folder import SOURCE
from markdown import read
from mdoc import blocks, is_console, items, plain, sections
from shell import Shell, masked
from timed import ms_of

API = "man/focusstats.7"
SETTINGS = "man/focusstats.5"
RESPONDER = "man/focusstats.fcgi.8"
TOOL = "man/focusstats.1"
PAGES = [TOOL, SETTINGS, API, RESPONDER]
# Those that do not start the program: the clock is the program's alone.
SERVERS = [harness.Nginx, harness.ApacheProxyFcgi]
SHARED = {"200", "400", "401", "403", "405", "413", "415", "503"}
FILTER = "the filter"
CHILD = "spawn-fcgi"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\S+Z focusstats\[\d+\]: ")


def api_blocks():
    """The literal blocks of focusstats(7), each behind the instant that the page sets the clock to before it, if it does."""
    for part in re.split(r"(?m)^(?=At \S+Z)", read(API)):
        at = re.match(r"At (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", part)
        if at:
            yield at[1], None
        for shown in re.findall(r"(?ms)^\.Bd -literal.*?^\.Ed$", part):
            yield None, shown


class Examples(harness.Case):
    def check(self, folder, page, replacements=()):
        """Runs the page's console blocks in one shell; returns it, and how many blocks there were."""
        shell = Shell(folder, replacements)
        self.addCleanup(shell.close)
        shown = [text for text in blocks(page) if is_console(text)]
        for text in shown:
            self.assertEqual(shell.run(text), [])
        return shell, len(shown)

    def test_tool(self):
        self.assertGreaterEqual(self.check(self.folder(), TOOL)[1], 1)

    def test_settings(self):
        self.assertEqual(self.check(self.folder(), SETTINGS)[1], 2)

    def test_responder(self):
        if shutil.which(CHILD) is None:
            self.skipTest("spawn-fcgi is not installed (Debian package spawn-fcgi)")
        folder = self.folder()
        responder = harness.Responder(folder)
        # It runs as the worker already, who may not choose another user.
        here = [("/var/lib/focusstats", folder.home), ("/run/focusstats/focusstats.sock", folder.socket),
                ("/usr/local/lib/cgi-bin/focusstats.fcgi", folder.program), ("-U www-data -u focusstats", "")]
        self.addCleanup(self.end, folder)
        self.assertEqual(self.check(folder, RESPONDER, here)[1], 2)
        # The one that spawn-fcgi has started is there, and asks who signed in.
        self.assertEqual(responder.ask("GET", "/FocusStats/health").status, 200)
        self.assertEqual(responder.post("initUser", {"user": "reader"}).status, 401)

    def end(self, folder):
        for pid in folder.processes():
            os.kill(pid, 15)
        folder.assert_nothing_left()

    def test_api(self):
        if shutil.which("curl") is None:
            self.skipTest("curl is not installed (Debian package curl)")
        kinds = [kind for kind in SERVERS if kind.missing() is None]
        if not kinds:
            self.skipTest(SERVERS[0].missing())
        folder = self.folder()
        faults = Faults(folder)
        server = self.start(kinds[0](folder, settings=faults.settings()))
        shell = Shell(folder, [("127.0.0.1:8080", "127.0.0.1:%d" % server.port)])
        self.addCleanup(shell.close)
        shell.bindings.keep_instants()
        shown = blocks(API)
        count = 0
        for instant, block in api_blocks():
            if instant:
                faults.set("clock", str(ms_of(instant)))
            else:
                self.assertEqual(shell.run(shown[count]), [])
                count += 1
        self.assertEqual(count, len(shown))
        self.assertGreater(count, 20)

    def test_there_are_no_others(self):
        """Each block is one that a test runs: commands, settings of the engine (test_texts.py), or log lines."""
        for page in PAGES:
            for text in blocks(page):
                kind = is_console(text) or all(re.match(r"set_\w+ ", line) for line in text.split("\n")) or LOG_LINE.match(text)
                self.assertTrue(kind, text)
                self.assertTrue(page != API or is_console(text), text)

    def test_log_lines(self):
        shown = [masked(line) for text in blocks(RESPONDER) if LOG_LINE.match(text) for line in text.split("\n")]
        self.assertEqual(len(shown), 2)
        folder = self.folder()
        faults = Faults(folder)
        responder = self.start(harness.Responder(folder, settings=faults.settings()))
        responder.post("initUser", {"user": "reader"})
        faults.set("no-space")
        reply = responder.post("startSession", {"user": "reader", "document": "d", "library": "l"})
        faults.clear("no-space")
        self.assertEqual(reply.status, 503)
        said = [masked(line).replace(folder.home, "/var/lib/focusstats") for line in (folder.log_text() + reply.stderr).split("\n")]
        for line in shown:
            self.assertIn(line.replace("request ID", "request " + reply.header("X-Request-Id")), said)


class Settings(harness.Case):
    def settings(self):
        return {name: text for name, text in re.findall(r"(?ms)^\.It Ev (\w+)\n(.*?)(?=^\.It |^\.El)", read(SETTINGS))}

    def health(self, given):
        folder = self.folder()
        return harness.cgi(folder, "GET", "/FocusStats/health", settings={name: value for name, value in given.items() if name != "FOCUSSTATS_HOME"})

    def test_examples(self):
        given = {}
        for name, text in self.settings().items():
            shown = [line for line in text.split("\n") if line.startswith(".Dl ")]
            self.assertEqual(len(shown), 1, name)
            word, = shlex.split(shown[0][4:])
            self.assertEqual(word.split("=", 1)[0], name)
            given[name] = word.split("=", 1)[1]
        self.assertEqual(self.health(given).status, 200)
        self.assertTrue(given["FOCUSSTATS_HOME"].startswith("/"))

    def test_bounds(self):
        count = 0
        for name, text in self.settings().items():
            for least, most in re.findall(r"(\d+) to (\d+)\.", plain(text)):
                for value, status in ((int(least), 200), (int(most), 200), (int(least) - 1, 503), (int(most) + 1, 503)):
                    self.assertEqual(self.health({name: str(value)}).status, status, (name, value))
                count += 1
        self.assertEqual(count, 3)


class Api(harness.Case):
    def setUp(self):
        super().setUp()
        self.responder = self.start(harness.Responder(self.folder()))
        self.paths = self.responder.ask("GET", "/FocusStats/openapi.json").json()["paths"]
        self.sections = sections(API)

    def actions(self):
        return [(path.rsplit("/", 1)[1], method, operation) for path, item in self.paths.items() for method, operation in item.items()]

    def properties(self, operation):
        return operation["requestBody"]["content"]["application/json"]["schema"]

    def fields(self, name):
        made = items(self.sections[name])
        if FILTER in made:
            del made[FILTER]
            made.update(items(self.sections["Statistics"]))
        return made

    def test_every_action_has_its_section(self):
        first = list(self.sections).index("THE ACTIONS") + 1
        listed = list(self.sections)[first:list(self.sections).index("SEE ALSO")]
        self.assertEqual(sorted(set(listed) - {"Statistics"}), sorted(name for name, _, _ in self.actions()))

    def test_every_action_has_an_example(self):
        for name, method, _ in self.actions():
            call = r"ask %s '" % re.escape(name) if method == "post" else r"curl -s \$service/%s\b" % re.escape(name)
            self.assertRegex(self.sections[name], r"(?m)^\$ " + call)

    def test_every_field_has_its_place(self):
        for name, method, operation in self.actions():
            if method == "post":
                schema = self.properties(operation)
                fields = self.fields(name)
                self.assertEqual(sorted(fields), sorted(schema["properties"]), name)
                required = set(schema["required"]) | {"user"} & set(fields)
                self.assertEqual({field for field, text in fields.items() if "required" in text}, required, name)

    def test_every_type_and_bound(self):
        for name, method, operation in self.actions():
            for field, schema in self.properties(operation)["properties"].items() if method == "post" else ():
                text = self.fields(name)[field]
                words = [str(schema[key]) for key in ("minimum", "maximum", "maxItems") if key in schema] + schema.get("enum", [])
                words += ["UUID"] * (schema.get("format") == "uuid") + ["instant"] * (schema.get("format") == "date-time")
                words += ["instant", "date"] if "anyOf" in schema else []
                words += ["true", "false"] * (schema.get("type") == "boolean") + ["array"] * (schema.get("type") == "array")
                words += [str(schema["maxLength"])] if schema.get("maxLength", 255) != 255 else []
                words += ["id"] if schema.get("maxLength") == 255 else []
                for word in words:
                    self.assertRegex(text, r"(?<!\w)%s(?!\w)" % re.escape(word), "%s: %s" % (name, field))

    def test_every_key_of_an_answer(self):
        def keys(schema):
            for alternative in schema.get("anyOf", []) + [schema.get("items", {})]:
                yield from keys(alternative) if alternative else ()
            for key, inner in schema.get("properties", {}).items():
                yield key
                yield from keys(inner)
        count = 0
        for name, _, operation in self.actions():
            answer = re.search(r"(?ms)^Answer:(.*?)(?=^Refusals:|^\.Bd|\Z)", self.sections[name])
            for media in operation["responses"]["200"]["content"].values():
                for key in keys(media.get("schema", {})):
                    self.assertRegex(answer[1], r"(?<!\w)%s(?!\w)" % key, name)
                    count += 1
        self.assertGreater(count, 100)

    def test_every_refusal(self):
        for name, _, operation in self.actions():
            own = sorted(set(operation["responses"]) - SHARED)
            found = re.search(r"(?m)^Refusals: (.*)\.$", self.sections[name])
            self.assertEqual(found[1].split(", ") if found else [], own, name)
            self.assertIn("403", operation["responses"], name)
        self.assertEqual({status for status in items(self.sections["Answers"])},
                         {status for _, _, operation in self.actions() for status in operation["responses"]})


class Pages(harness.Case):
    @tap.cases((page, page) for page in PAGES)
    def test_lint(self, page):
        if shutil.which("mandoc") is None:
            self.skipTest("mandoc is not installed (Debian package mandoc)")
        done = subprocess.run(["mandoc", "-T", "lint", os.path.join(SOURCE, page)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        # Which other manual pages there are depends on the machine.
        self.assertEqual([line for line in done.stdout.decode().splitlines() if "referenced manual not found" not in line], [])

    def test_all_are_installed_and_found(self):
        self.assertEqual(sorted("man/" + name for name in os.listdir(os.path.join(SOURCE, "man"))), PAGES)
        listed = re.search(r"(?m)^dist_man_MANS = (.*)$", read("Makefile.am"))[1].split()
        self.assertEqual(sorted(listed), PAGES)
        titles = {(re.search(r"(?m)^\.Dt (\S+) (\d)$", read(page)).groups()) for page in PAGES}
        self.assertEqual({(title.lower(), section) for title, section in titles},
                         {tuple(os.path.basename(page).rsplit(".", 1)) for page in PAGES})
        for page in PAGES:
            for title, section in re.findall(r"(?m)^\.Xr (focusstats\S*) (\d)", read(page)):
                self.assertIn((title.upper(), section), titles, page)


if __name__ == "__main__":
    tap.main(globals())
