#!/usr/bin/env python3
"""doc/api.md against the running service: every request that stands there is sent through a real web server, in order, and must be answered as
it stands there but for ids and instants; every action of the dispatch table has its section."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
import tap
from examples import Bindings, Message, differences, error_of
from markdown import Block, code, parts, read, sections

PAGE = "doc/api.md"
SERVERS = [harness.Lighttpd, harness.Nginx, harness.ApacheProxyFcgi]


def settings_of(section):
    """The settings that the section's examples need; None where they are those of the sections before."""
    line = re.search(r"(?m)^Settings of these examples: (.*)\.$", section.text)
    return dict(pair.split("=", 1) for pair in re.findall(r"`([^`]+)`", line[1])) if line else None


def actions():
    """Path and method of every row of the dispatch table."""
    rows = re.findall(r"(?s)\t\{\n\t\t\.path = \"([^\"]+)\",(.*?)\n\t\},", read("src/api/actions.c"))
    return [(path, "GET" if ".is_get = true" in row else "POST") for path, row in rows]


class Examples(harness.Case):
    """The examples, each group of sections with a service of its own."""

    def serve(self, settings):
        settings = dict(settings)
        auth = settings.pop("FOCUSSTATS_AUTH", "none") == "required"
        for server in SERVERS:
            if server.missing() is None:
                return self.start(server(self.folder(), auth=auth, settings=settings))
        self.skipTest(SERVERS[0].missing())
        return None

    def exchange(self, server, request, bindings):
        body = bindings.apply(request.body).encode() if request.first[0] == "POST" else None
        return server.request(request.first[0], request.first[1], body, request.headers)

    def run_table(self, server, table, bindings):
        """The rows of a table whose head says which action their bodies are sent to; returns how many there were and what differs."""
        action = re.fullmatch(r"Body sent to `(\w+)`", table[0][0])
        if not action:
            return 0, []
        wrong = []
        for body, status, text in table[1:]:
            sent = bindings.apply(code(body) or "")
            reply = server.post(action[1], sent.encode())
            if reply.status != int(status) or error_of(reply) != bindings.apply(code(text)):
                wrong.append("%s %s: %s %s, answered %r" % (action[1], sent, status, code(text), reply))
        return len(table) - 1, wrong

    def test_examples(self):
        server, bindings = self.serve({}), Bindings()
        counted, wrong = 0, []
        for section in sections(read(PAGE)):
            settings = settings_of(section)
            if settings:
                server, bindings = self.serve(settings), Bindings()
            request = None
            for part in parts(section.lines):
                if not isinstance(part, Block):
                    count, found = self.run_table(server, part, bindings)
                    counted += count
                    wrong += found
                elif part.language == "http" and request is None:
                    request = Message(part.text)
                    self.assertFalse(request.is_answer, part.text)
                elif part.language == "http":
                    reply = self.exchange(server, request, bindings)
                    wrong += ["%s: %s: %s" % (section.title, " ".join(request.first), what)
                              for what in differences(Message(part.text), reply, bindings)]
                    counted += 1
                    request = None
            self.assertIsNone(request, "%s: a request without an answer" % section.title)
        self.assertEqual(wrong, [])
        self.assertGreater(counted, 40, "requests found on the page")


class Coverage(harness.Case):
    """What there is, and what the page says there is."""

    def test_every_action_has_its_section_with_an_example(self):
        titles = {section.title: section for section in sections(read(PAGE))}
        self.assertGreaterEqual(len(actions()), 7)
        for path, method in actions():
            name = path.rsplit("/", 1)[1]
            self.assertIn(name, titles, "%s has no section for %s" % (PAGE, path))
            self.assertIn("```http\n%s /api%s HTTP/1.1\n" % (method, path), titles[name].text)
            self.assertRegex(titles[name].text, r"```http\nHTTP/1\.1 200 OK\n")

    def test_every_action_on_the_page_is_one_of_the_program(self):
        responder = self.start(harness.Responder(self.folder()))
        known = dict(actions())
        for path in sorted(set(re.findall(r"(?m)^(?:POST|GET|OPTIONS) /api(\S+) HTTP/1\.1$", read(PAGE)))):
            reply = responder.ask("DELETE", path)
            self.assertEqual(reply.status, 405 if path in known else 404, path)

    def test_every_field_is_listed(self):
        fields = dict(re.findall(r"(?m)^#define (\w+) \{\"(\w+)\",", read("src/api/actions.c")))
        titles = {section.title: section.text for section in sections(read(PAGE))}
        rows = re.findall(r"\.path = \"[^\"]*/(\w+)\",(?:(?!\.path).)*?\.fields = \{([^}]*)\}", read("src/api/actions.c").replace("\n", " "))
        self.assertGreaterEqual(len(rows), 6)
        for name, macros in rows:
            for macro in macros.split(", "):
                self.assertRegex(titles[name], r"(?m)^\| `%s` \| id, required \|" % fields[macro])


if __name__ == "__main__":
    tap.main(globals())
