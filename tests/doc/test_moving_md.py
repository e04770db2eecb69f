#!/usr/bin/env python3
"""The commands that doc/moving.md shows with --format: each prints what the page says, from the files that the page shows."""

import json
import os
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness
import tap
from markdown import blocks, read, sections
from tool import Tool

PAGE = "doc/moving.md"
DESCRIBED = {"document": {"user": "ada", "document": "walden", "title": "Walden", "authors": ["Thoreau"]}}
SESSION = {"session": {"user": "ada", "focusSession": "019a6dc4-0b61-7f0b-9d53-1c9a4be0a7e2", "document": "walden", "library": "paper",
                       "startTime": "2025-11-10T12:41:01.123Z", "endTime": "2025-11-10T13:05:00Z", "progress": 0.25, "progressTime": "2025-11-10T13:05:00Z"}}


class Examples(harness.Case):
    def setUp(self):
        self.store = self.folder()
        self.tool = Tool(self.store)

    def section(self, title):
        """Its blocks by language, each the lines of all of that language."""
        section, = [section for section in sections(read(PAGE)) if section.title == title]
        found = {}
        for block in blocks(section.lines):
            found.setdefault(block.language, []).extend(block.lines)
        return found

    def put(self, name, lines):
        self.store.write(os.path.join("files", name), "\n".join(lines) + "\n")

    def check(self, shown):
        """Carries out what stands behind a $, and compares what it prints, CRLF as a line end too."""
        printed = []
        for line in shown:
            if line.startswith("$ focusstats "):
                done = subprocess.run("'%s' %s" % (self.tool.program, line[len("$ focusstats "):]), shell=True, cwd=self.store.join("files"),
                                      env=self.tool.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                printed += [line, *done.stdout.decode().splitlines()]
        self.assertGreater(len(printed), 1)
        self.assertEqual(printed, shown)

    def test_mongodb(self):
        found = self.section("From the earlier server (MongoDB)")
        self.put("focusStats.json", [line for line in found["json"] if "focusSessionIds" in line])
        self.put("focusSessions.json", [line for line in found["json"] if "startTime" in line])
        self.check(found["console"])

    def test_csv(self):
        found = self.section("CSV")
        self.put("reading.csv", found["csv"])
        self.tool.run("init", "ada")
        self.check(found["console"])

    def test_calendar(self):
        user = {"user": {"user": "ada", "focusStats": str(uuid.UUID(int=1)),
                         "settings": {"timezone": "UTC", "dayStart": "00:00", "weekStart": "monday", "dailyGoalSeconds": 0, "idleTimeoutSeconds": 600}}}
        self.put("all.ndjson", [json.dumps(record) for record in ({"focusstats": {"version": 1}}, user, DESCRIBED, SESSION, {"end": {}})])
        self.assertEqual(self.tool.run("import", self.store.join("files", "all.ndjson")).returncode, 0)
        self.check(self.section("Calendar")["console"])


if __name__ == "__main__":
    tap.main(globals())
