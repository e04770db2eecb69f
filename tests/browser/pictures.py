#!/usr/bin/env python3
"""Takes the pictures of the dashboard that README.md shows: make pictures. They go into the folder that is the only argument."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import test_dashboard
from test_dashboard import Scenarios, harness, tap

PLACE = os.path.abspath(sys.argv.pop()) if len(sys.argv) == 2 else sys.exit("usage: pictures.py FOLDER")


class Pictures(Scenarios):
    abstract = False
    server_class = harness.Nginx

    def test_pictures(self):
        self.play("pictures", "all", 1280, "light", "reader", pictures=PLACE)


if __name__ == "__main__":
    if test_dashboard.missing():
        sys.exit(test_dashboard.missing())
    tap.main(globals())
