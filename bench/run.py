#!/usr/bin/env python3
"""make bench: runs one script after the other and makes one table of their rows, under a head that says on what machine. README.md explains it.

    run.py SCRIPT... [-- ARGUMENT...]       each with the ARGUMENTs; top_builddir, VERSION and TMPDIR from the environment

What a script prints up to its first empty line are rows, which all have the head of table.py; what follows stands below the table. All of it goes to
the terminal, and to bench.md in the build folder. The exit status is 1 where a script failed, 130 after Ctrl-C.
"""

import datetime
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import table

BUILD = os.environ.get("top_builddir") or os.getcwd()
SYNCS = 200
SYNC_BYTES = 256


def found(pattern, path, otherwise="unknown"):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            match = re.search(pattern, file.read(), re.M)
    except OSError:
        match = None
    return match[1].strip() if match else otherwise


def file_system(path):
    """The type of the one that PATH is on: of the mounts that it lies below, the deepest, and of several at one place the last."""
    deepest, kind = "", "unknown"
    with open("/proc/mounts", encoding="utf-8", errors="replace") as file:
        for line in file:
            _, place, this, *_ = line.split(" ")
            if os.path.commonpath([place, os.path.realpath(path)]) == place and len(place) >= len(deepest):
                deepest, kind = place, this
    return kind


def sync_ms(folder):
    """Milliseconds until a few bytes more of a file are on the disk, in the median."""
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(b"x" * SYNC_BYTES)
            os.fdatasync(file.fileno())
            times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


def head():
    folder = tempfile.gettempdir()
    memory = int(found(r"^MemTotal:\s+(\d+)", "/proc/meminfo", "0")) / (1 << 20)
    return "\n".join([
        "# FocusStats %s: benchmarks" % os.environ.get("VERSION", "(of no known version)"),
        "",
        "- Date: %s" % datetime.datetime.now().astimezone().isoformat(" ", "minutes"),
        "- Machine: %d × %s, %.1f GiB" % (os.cpu_count(), found(r"^model name\s*:(.*)$", "/proc/cpuinfo", platform.machine()), memory),
        "- System: %s, Linux %s" % (found(r'^PRETTY_NAME="?([^"\n]*)', "/etc/os-release"), platform.release()),
        "- Files: %s in %s, where %d bytes more are on the disk after %.2f ms" % (file_system(folder), folder, SYNC_BYTES, sync_ms(folder)),
        "",
        table.HEAD,
    ])


class Report:
    """What is printed is also written."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def line(self, text):
        print(text, flush=True)
        self.file.write(text + "\n")
        self.file.flush()


def run(script, arguments, report):
    """Its rows go to the report at once; returns the lines that follow them, and whether it failed."""
    rest, in_table = [], True
    with subprocess.Popen([sys.executable, script, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        try:
            for line in map(str.rstrip, child.stdout):
                in_table = in_table and line != ""
                if not in_table:
                    rest.append(line)
                elif line not in table.HEAD.split("\n"):
                    report.line(line)
        except BaseException:
            child.terminate()  # it ends what it started; leaving the `with` waits for it
            raise
    if child.returncode:
        rest += ["", "%s failed, with status %d." % (os.path.basename(script), child.returncode)]
    return rest, child.returncode != 0


def main():
    scripts, arguments = sys.argv[1:], []
    if "--" in scripts:
        scripts, arguments = scripts[:scripts.index("--")], scripts[scripts.index("--") + 1:]
    signal.signal(signal.SIGTERM, lambda received, _: sys.exit(128 + received))
    report = Report(os.path.join(BUILD, "bench.md"))
    report.line(head())
    below, failed = [], False
    for script in scripts:
        rest, one_failed = run(script, arguments, report)
        below += rest
        failed = failed or one_failed
    for line in below:
        report.line(line)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
