#!/usr/bin/env python3
"""The order of the sources: a file includes only its own layer and those before it, only src/store knows Berkeley DB, neither it nor the domain knows
JSON, only the gateway knows FastCGI, only the base GLib, only the tool SQLite, and files stay readable.

The order is base, domain, store, api, gateway, then tool, the admin tool, and cgi-bin with the program's main. A file over 500 lines must say why in its first comment, in a
sentence that holds the words "one file".
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import unittest

import tap
from folder import SOURCE

LAYERS = ["base", "domain", "store", "api", "gateway", "tool", "cgi-bin"]
LINES = 500
LIBRARIES = {"db.h": ["store"], "json-c": ["base", "api", "gateway", "tool"], "fcgiapp.h": ["gateway", "cgi-bin"], "fcgios.h": ["gateway", "cgi-bin"],
             "glib.h": ["base"], "sqlite3.h": ["tool"]}


def sources():
    """(path from the source root, layer, text) of every C file."""
    for top in ("src", "cgi-bin"):
        for folder, _, names in sorted(os.walk(os.path.join(SOURCE, top))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    path = os.path.relpath(os.path.join(folder, name), SOURCE)
                    layer = path.split(os.sep)[1] if top == "src" else top
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        yield path, layer, file.read()


class Layers(unittest.TestCase):
    def test_there_are_sources_in_every_layer(self):
        self.assertEqual(sorted({layer for _, layer, _ in sources()}), sorted(LAYERS))

    def test_includes_go_one_way(self):
        wrong = []
        for path, layer, text in sources():
            for included in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M):
                target = included.split("/")[0]
                if included == "config.h":
                    continue
                if "/" not in included or target not in LAYERS:
                    wrong.append('%s includes "%s": written as "layer/file.h"?' % (path, included))
                elif LAYERS.index(target) > LAYERS.index(layer):
                    wrong.append("%s (%s) includes %s, of a later layer" % (path, layer, included))
        self.assertEqual(wrong, [])

    def test_libraries_stay_in_their_layer(self):
        wrong = []
        for path, layer, text in sources():
            for included in re.findall(r"^\s*#\s*include\s*<([^>]+)>", text, re.M):
                for library, layers in LIBRARIES.items():
                    if included.split("/")[0] == library and layer not in layers:
                        wrong.append("%s includes <%s>, which belongs to %s" % (path, included, " and ".join(layers)))
        self.assertEqual(wrong, [])

    def test_no_file_is_too_long(self):
        wrong = []
        for path, _, text in sources():
            first_comment = re.match(r"\s*/\*.*?\*/|(?:\s*//[^\n]*\n)+", text, re.S)
            if text.count("\n") > LINES and not (first_comment and "one file" in first_comment.group()):
                wrong.append("%s has %d lines and its first comment does not say why it is one file" % (path, text.count("\n")))
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    tap.main(globals())
