#!/usr/bin/env python3
"""The dashboard's reading days, which web/zone.js computes in the browser, against the oracle's: page.mjs asks both, in Node, for many instants around each
change of a zone's clock. A case is a zone."""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from folder import SOURCE
from zones import ms_of_date

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = shutil.which("node") or shutil.which("nodejs")
# Clocks that change at midnight, just after it, by half an hour, by two hours, by a day, during Ramadan; and zones that moved over the date line.
ZONES = ["Africa/Cairo", "Africa/Casablanca", "America/Havana", "America/Juneau", "America/New_York", "America/Nuuk", "America/Santiago", "America/Sao_Paulo",
         "America/St_Johns", "Antarctica/Casey", "Antarctica/Troll", "Asia/Amman", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu", "Asia/Pyongyang",
         "Asia/Tehran", "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin", "Pacific/Apia", "Pacific/Fakaofo", "Pacific/Kiritimati",
         "Pacific/Kwajalein", "UTC"]


class Page(unittest.TestCase, metaclass=tap.Cases):
    @classmethod
    def setUpClass(cls):
        if NODE is None:
            raise unittest.SkipTest("Node is not installed (Debian package nodejs)")
        # In a folder that says that they are modules: not every Node sees that by itself.
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.zone_js = os.path.join(folder.name, "zone.js")
        for file in glob.glob(os.path.join(SOURCE, "web", "*.js")):
            shutil.copy(file, folder.name)
        with open(os.path.join(folder.name, "package.json"), "w", encoding="ascii") as package:
            package.write('{"type": "module"}')

    @tap.limit(120)
    @tap.cases([(zone, zone) for zone in ZONES])
    def test_zone(self, zone):
        line = subprocess.run([NODE, os.path.join(HERE, "page.mjs"), self.zone_js, str(ms_of_date(1970)), str(ms_of_date(2038)), zone], stdout=subprocess.PIPE,
                              check=True, text=True).stdout.strip()
        print("# " + line)
        self.assertTrue(re.fullmatch(re.escape(zone) + r": \d+ instants", line), line)


if __name__ == "__main__":
    tap.main(globals())
