#!/usr/bin/env python3
"""How long every question about a user's history takes inside the store, beside the same question to SQLite in the same process.

    make && top_builddir=. ../bench/queries.py [--quick] [--rounds N] [--sessions N...]

bench/queries.c, which this builds with make, asks both and says how it measures; bench/queries_sql.c is SQLite's side. There are users with 20, 1,000
and 100,000 sessions, and 1,000 others with 20. The answers of both are compared first, figure by figure: where they differ, that is an error and nothing
is printed. The figures are answers a second of one thread's processor time. In all rows ours is JSON and SQLite's are rows; of _viewStats and _getSessions that is
nearly all of the work.
"""

import datetime
import json
import os
import shutil
import subprocess
import tempfile

import table

BUILD = os.path.abspath(os.environ.get("top_builddir") or os.getcwd())
DAY_MS = 86400000
GOAL_SECONDS = 1800
TODAY = datetime.date(2026, 1, 1)
EPOCH = datetime.date(1970, 1, 1)


def instant(ms):
    """As the program writes it; None stays None."""
    if ms is None:
        return None
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"


def seconds(ms):
    return (ms + 500) // 1000


def average(ms, count):
    return (2 * ms + 1000 * count) // (2000 * count) if count else 0


def date(day):
    return (EPOCH + datetime.timedelta(days=day)).isoformat()


def session_id(blob):
    return "-".join((blob[:8], blob[8:12], blob[12:16], blob[16:20], blob[20:]))


# What the rows of SQLite say, in the form of the API's answer. Each takes the rows and what the API answered, for what is not asked of SQLite.

def summary(rows, _):
    ms, raw, count, documents, days, longest, first, last = [value or 0 for value in rows[0]]
    return [{"summary": {
        "seconds": seconds(ms), "rawSeconds": seconds(raw), "sessions": count, "documents": documents, "activeDays": days,
        "averageSessionSeconds": average(raw, count), "averageActiveDaySeconds": average(ms, days), "longestSessionSeconds": seconds(longest),
        "firstStart": instant(first) if count else None, "lastEnd": instant(last) if count else None}}]


def period_of(unit, number):
    """The first day of a period, and of the next one, and the label."""
    if unit == "day":
        return number, number + 1, date(number)
    if unit == "week":
        return 7 * number - 3, 7 * number + 4, date(7 * number - 3)
    first = datetime.date.fromisoformat(number + "-01")
    following = (first + datetime.timedelta(days=31)).replace(day=1)
    return (first - EPOCH).days, (following - EPOCH).days, number


def periods(unit):
    def made(rows, _):
        found = []
        for number, ms, count, documents in rows:
            first, following, label = period_of(unit, number)
            found.append({"period": {"start": instant(first * DAY_MS), "end": instant(following * DAY_MS), "label": label, "seconds": seconds(ms),
                                     "sessions": count, "documents": documents}})
        return [one for one in found if one["period"]["sessions"]]
    return made


def hours(rows, _):
    known = dict(rows)
    return [{"hour": {"weekday": at // 24 + 1, "hour": at % 24, "seconds": seconds(known.get(at, 0))}} for at in range(7 * 24)]


def documents(rows, _):
    return [{"document": {"document": name, "title": title, "authors": authors, "seconds": seconds(ms), "sessions": count, "activeDays": days,
                          "firstStart": instant(first), "lastEnd": instant(last), "progress": latest,
                          "remainingSeconds": None if remaining is None else seconds(int(remaining * (1 + 1e-12)))}}
            for name, title, authors, ms, count, days, first, last, latest, remaining in rows]


def row_of(islands):
    """Days in a row up to today, or up to yesterday where today has none yet, and whether it has."""
    today = (TODAY - EPOCH).days
    runs = {last: count for count, _, last in islands}
    return runs.get(today, runs.get(today - 1, 0)), today in runs


def streaks(rows, _):
    current, read = row_of(rows)
    longest = max(rows, key=lambda row: (row[0], -row[1]), default=(0, None, None))
    return [{"streak": {"currentDays": current, "longestDays": longest[0], "longestStart": longest[1] and date(longest[1]),
                        "longestEnd": longest[2] and date(longest[2]), "readToday": read}}]


def goal(rows, answer):
    current, read = row_of(rows)
    return [{"goal": {**answer[0]["goal"], "reached": read, "daysReached": sum(row[0] for row in rows), "currentDays": current}}]


def view(rows, answer):
    return [{"focusStats": {**answer[0]["focusStats"], "focusSessionIds": [session_id(row[0]) for row in rows]}}]


def sessions(rows, answer):
    user = answer[0]["focusSession"]["user"] if answer else None
    return [{"focusSession": {"_id": session_id(row[0]), "user": user, "document": row[1], "startTime": instant(row[2]), "endTime": instant(row[3])}}
            for row in rows]


def extended(rows, answer):
    user = answer[0]["focusSession"]["user"] if answer else None
    return [{"focusSession": {"_id": session_id(identifier), "user": user, "document": name, "library": library, "startTime": instant(start),
                              "endTime": instant(end), "lastSeen": seen, "progress": progress}}
            for identifier, name, library, start, end, seen, progress in rows]


def active(rows, answer):
    told = answer[0]["focusSession"]
    return [{"focusSession": {**told, "_id": session_id(row[0]), "document": row[1], "startTime": instant(row[2]), "lastSeen": row[3]}} for row in rows]


FORMS = {"_getSummary": summary, "_getPeriods day": periods("day"), "_getPeriods week": periods("week"), "_getPeriods month": periods("month"),
         "_getHours": hours, "_getDocuments": documents, "_getStreaks": streaks, "_getGoal": goal, "_viewStats": view, "_getSessions": sessions,
         "_getSessions, the last 100": extended, "_getSessions, a week": extended, "_getActiveSessions": active}


def compare(count, question, answer, rows):
    form = FORMS.get(question) or FORMS[question.rpartition(",")[0]]
    answer = json.loads(answer)
    expected = form(json.loads(rows), answer)
    if answer == expected:
        return
    differ = next((pair for pair in zip(answer, expected) if pair[0] != pair[1]), (len(answer), len(expected)))
    raise AssertionError("%s of %s sessions: the store and SQLite differ:\n%s\n%s" % (question, count, *differ))


def least_of(count, question):
    """What is to be reached: over a whole history of length ten times as fast, otherwise one and a half."""
    return 10 if count >= 1000 and "," not in question and question != "_getActiveSessions" else 1.5


def main():
    parser = table.options()
    parser.add_argument("--sessions", type=int, nargs="+")
    asked = parser.parse_args()
    rounds = asked.rounds or (1 if asked.quick else 5)
    counts = asked.sessions or ([20, 1000] if asked.quick else [20, 1000, 100000])
    subprocess.run(["make", "-s", "bench/queries"], cwd=BUILD, check=True)
    folder = tempfile.mkdtemp(prefix="fs-")
    times = {}
    try:
        command = [os.path.join(BUILD, "bench", "queries"), folder, "20" if asked.quick else "1000", str(rounds), "5" if asked.quick else "50"]
        with subprocess.Popen([*command, *map(str, counts)], stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout:
                what, count, question, ours, beside = line.rstrip("\n").split("\t")
                if what == "answer":
                    compare(count, question, ours, beside)
                else:
                    pairs = times.setdefault((int(count), question), ([], []))
                    pairs[0].append(1e6 / float(ours))
                    pairs[1].append(1e6 / float(beside))
        if child.returncode != 0:
            raise AssertionError("%s ended with %d" % (command[0], child.returncode))
    finally:
        shutil.rmtree(folder)
    print(table.HEAD)
    for (count, question), (ours, beside) in times.items():
        table.row("%s of %s sessions" % (question, format(count, ",")), ours, "SQLite", beside, "/s", least=least_of(count, question))


if __name__ == "__main__":
    main()
