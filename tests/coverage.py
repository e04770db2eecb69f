#!/usr/bin/env python3
"""Which lines of src are carried out, told by gcov of the counters in a build's folder:

    coverage.py BUILD [--least PERCENT] [--missed]

prints each file with its lines, those carried out, and their part in percent, then the sum; with --missed, the functions that never were and how many lines
of each of the others. Ends with 1 where the sum is below PERCENT. A build has counters when it was made with --coverage and ran: make coverage,
make fuzz-coverage.
"""

import argparse
import collections
import gzip
import json
import os
import subprocess
import sys
import tempfile

SOURCE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))


def counters(build):
    """Of the objects of src: those that ran, and those that did not."""
    for place, _, names in os.walk(build):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), build)
            if name.endswith(".gcno") and "src/" in path:
                yield path


def add(lines, functions, told):
    for file in told["files"]:
        path = os.path.realpath(os.path.join(told["current_working_directory"], file["file"]))
        name = os.path.relpath(path, SOURCE)
        if not name.startswith("src" + os.sep):
            continue
        for line in file["lines"]:
            lines[name][line["line_number"]] += line["count"]
            if line.get("function_name"):
                functions[name].setdefault(line["function_name"], set()).add(line["line_number"])


def read(build):
    """Of each file its lines with how often they ran, and its functions with their lines."""
    lines, functions = collections.defaultdict(collections.Counter), collections.defaultdict(dict)
    objects = list(counters(build))
    if not objects:
        sys.exit("%s has no counters: build with --coverage" % build)
    for path in objects:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["gcov", "--json-format", "--object-directory", os.path.join(build, os.path.dirname(path)), os.path.join(build, path)],
                                  cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            made = [name for name in os.listdir(folder) if name.endswith(".json.gz")]
            if not made:
                sys.exit("gcov %s: %s" % (path, done.stdout.decode(errors="replace")))
            for name in made:
                with gzip.open(os.path.join(folder, name), "rt", encoding="utf-8") as file:
                    add(lines, functions, json.load(file))
    return lines, functions


def percent(part, whole):
    return 100 * part / whole if whole else 100


def ranges(numbers):
    """7, 9-12."""
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else "%d-%d" % (first, last) for first, last in found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--missed", action="store_true")
    arguments = parser.parse_args()
    lines, functions = read(os.path.abspath(arguments.build))
    if not lines:
        sys.exit("%s has no counters of %s/src" % (arguments.build, SOURCE))
    ran_all = count_all = 0
    for name in sorted(lines):
        ran, count = sum(1 for often in lines[name].values() if often), len(lines[name])
        ran_all, count_all = ran_all + ran, count_all + count
        print("%-36s %5d %5d %6.1f" % (name, count, ran, percent(ran, count)))
        for function, numbers in sorted(functions[name].items()) if arguments.missed else ():
            missed = {number for number in numbers if lines[name][number] == 0}
            if missed:
                print("    %s: %s" % (function, "never" if missed == numbers else ranges(missed)))
    whole = percent(ran_all, count_all)
    print("%-36s %5d %5d %6.1f" % ("src", count_all, ran_all, whole))
    if whole < arguments.least:
        sys.exit("%.1f %% of the lines of src, fewer than %g" % (whole, arguments.least))


if __name__ == "__main__":
    main()
