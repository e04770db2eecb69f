#!/usr/bin/env python3
"""doc/api.md and doc/statistics.md against the running service: every request that stands there is sent through a real web server, in order, and must be
answered as it stands there; every action of the dispatch table has its section, every field its row, every metric its line.

A paragraph that begins with "At `2025-11-10T18:00:00Z`" sets the service's clock, which stands there until the next one."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
import tap
from examples import Bindings, Message, differences, error_of
from faults import Faults
from markdown import Block, code, parts, read, sections
from timed import ms_of

PAGES = {"api": "doc/api.md", "statistics": "doc/statistics.md"}
# Those that do not start the program: the clock is the program's alone.
SERVERS = [harness.Nginx, harness.ApacheProxyFcgi]
CLOCK = re.compile(r"At `(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)`")
FILTER = "The filter"


def settings_of(section):
    """The settings that the section's examples need; None where they are those of the sections before."""
    line = re.search(r"(?m)^Settings of these examples: (.*)\.$", section.text)
    return dict(pair.split("=", 1) for pair in re.findall(r"`([^`]+)`", line[1])) if line else None


def steps(section):
    """What is done in a section, in order: an instant that the clock is set to, a block, a table."""
    lines = []
    for line in section.lines:
        found = CLOCK.match(line)
        if found:
            yield from parts(lines)
            yield found[1]
            lines = []
        lines.append(line)
    yield from parts(lines)


class Service:
    """A web server with the service, for the sections that have the same settings."""

    def __init__(self, case, settings):
        settings = dict(settings)
        auth = settings.pop("FOCUSSTATS_AUTH", "none") == "required"
        folder = case.folder()
        self.faults = Faults(folder)
        kinds = [kind for kind in SERVERS if kind.missing() is None]
        if not kinds:
            case.skipTest(SERVERS[0].missing())
        self.server = case.start(kinds[0](folder, auth=auth, settings=self.faults.settings(settings)))
        self.bindings = Bindings()

    def set_clock(self, instant):
        self.faults.set("clock", str(ms_of(instant)))
        self.bindings.keep_instants()

    def exchange(self, request):
        body = self.bindings.apply(request.body).encode() if request.first[0] == "POST" else None
        return self.server.request(request.first[0], request.first[1], body, request.headers)

    def run_table(self, table):
        """The rows of a table whose head says which action their bodies are sent to; returns how many there were and what differs."""
        action = re.fullmatch(r"Body sent to `(\w+)`", table[0][0])
        if not action:
            return 0, []
        wrong = []
        for body, status, text in table[1:]:
            sent = self.bindings.apply(code(body) or "")
            reply = self.server.post(action[1], sent.encode())
            if reply.status != int(status) or error_of(reply) != self.bindings.apply(code(text)):
                wrong.append("%s %s: %s %s, answered %r" % (action[1], sent, status, code(text), reply))
        return len(table) - 1, wrong


class Examples(harness.Case):
    """The examples, each group of sections with a service of its own."""

    @tap.cases(PAGES.items())
    def test_examples(self, page):
        service, counted, wrong = Service(self, {}), 0, []
        for section in sections(read(page)):
            settings = settings_of(section)
            if settings:
                service = Service(self, settings)
            request = None
            for step in steps(section):
                if isinstance(step, str):
                    service.set_clock(step)
                elif not isinstance(step, Block):
                    count, found = service.run_table(step)
                    counted += count
                    wrong += found
                elif step.language == "http" and request is None:
                    request = Message(step.text)
                    self.assertFalse(request.is_answer, step.text)
                elif step.language == "http":
                    reply = service.exchange(request)
                    wrong += ["%s: %s: %s" % (section.title, " ".join(request.first), what)
                              for what in differences(Message(step.text), reply, service.bindings)]
                    counted += 1
                    request = None
            self.assertIsNone(request, "%s: a request without an answer" % section.title)
        self.assertEqual(wrong, [])
        self.assertGreater(counted, 40, "requests found on the page")


class Coverage(harness.Case):
    """What there is, by the service's own description, and what the pages say there is."""

    def setUp(self):
        super().setUp()
        self.responder = self.start(harness.Responder(self.folder()))
        self.paths = self.responder.ask("GET", "/FocusStats/openapi.json").json()["paths"]
        self.sections = {section.title: section for page in PAGES.values() for section in sections(read(page))}

    def actions(self):
        """Name, path, method and description of each."""
        self.assertEqual(sorted(self.paths), sorted(re.findall(r"\.path = \"([^\"]+)\"", read("src/api/actions.c"))))
        return [(path.rsplit("/", 1)[1], path, method.upper(), operation) for path, item in self.paths.items() for method, operation in item.items()]

    def rows(self, name):
        """The rows of the tables of fields in an action's section, those of the filter where it refers to that: {field: its cells}."""
        made = {}
        for table in (part for part in parts(self.sections[name].lines) if not isinstance(part, Block) and part[0][0] == "Field"):
            for cells in table[1:]:
                if "#the-filter" in cells[0]:
                    made.update(self.rows(FILTER))
                else:
                    made[code(cells[0])] = cells[1:]
        return made

    def test_every_action_has_its_section_with_an_example(self):
        for name, path, method, _ in self.actions():
            self.assertIn(name, self.sections, "no section for %s" % name)
            self.assertIn("```http\n%s /api%s HTTP/1.1\n" % (method, path), self.sections[name].text)
            self.assertRegex(self.sections[name].text, r"```http\nHTTP/1\.1 200 OK\n")

    def test_every_action_on_the_pages_is_one_of_the_program(self):
        for page in PAGES.values():
            for path in sorted(set(re.findall(r"(?m)^(?:POST|GET|OPTIONS) /api(\S+) HTTP/1\.1$", read(page)))):
                self.assertEqual(self.responder.ask("DELETE", path).status, 405 if path in self.paths else 404, path)

    def test_every_field_has_its_row(self):
        for name, _, method, operation in self.actions():
            if method != "POST":
                continue
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            rows = self.rows(name)
            self.assertEqual(sorted(rows), sorted(schema["properties"]), name)
            # Where nobody signs in, the user is always required.
            required = set(schema["required"]) | {"user"} & set(rows)
            for field, cells in rows.items():
                self.assertEqual("required" in cells[0].split(", "), field in required, "%s: %s: %s" % (name, field, cells))

    def test_every_bound_is_in_the_row(self):
        for name, _, method, operation in self.actions():
            if method != "POST":
                continue
            rows = self.rows(name)
            for field, schema in operation["requestBody"]["content"]["application/json"]["schema"]["properties"].items():
                bounds = [schema[key] for key in ("minimum", "maximum", "maxItems") if key in schema] + schema.get("enum", [])
                for bound in bounds + ["UUID"] * (schema.get("format") == "uuid") + ["instant"] * (schema.get("format") == "date-time"):
                    shown = "{:,}".format(bound) if isinstance(bound, int) else bound
                    self.assertRegex(" ".join(rows[field]), r"(?<![\w,])%s(?![\w,]\w)" % re.escape(shown), "%s: %s" % (name, field))

    def test_every_key_of_an_answer_is_on_the_page(self):
        def keys(schema):
            for alternative in schema.get("anyOf", []) + [schema.get("items", {})]:
                yield from keys(alternative) if alternative else ()
            for key, inner in schema.get("properties", {}).items():
                yield key
                yield from keys(inner)
        for name, _, _, operation in self.actions():
            for media in operation["responses"]["200"]["content"].values():
                for key in keys(media["schema"]):
                    self.assertRegex(self.sections[name].text, r"\b%s\b" % key, name)

    def test_every_metric_has_its_line(self):
        told = dict(re.findall(r"(?m)^# TYPE (\w+) (\w+)$", self.responder.ask("GET", "/FocusStats/metrics").text))
        rows = [cells for part in parts(self.sections["metrics"].lines) if not isinstance(part, Block) and part[0][0] == "Metric" for cells in part[1:]]
        self.assertEqual({"focusstats_" + code(cells[0]): cells[1] for cells in rows}, told)


if __name__ == "__main__":
    tap.main(globals())
