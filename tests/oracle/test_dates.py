#!/usr/bin/env python3
"""Date logic against an oracle that shares nothing with the service: oracle.mjs computes every answer again, from the specification's rules and wall
clocks by Node's Intl.

For every zone below and every change of its clock from 2020 to 2030, and for some of other years, readers with random sessions around it are
recorded through the real program, once with each of three day starts and again after settings of any kind; then everything is asked. A case is one
answer, compared as a whole. Where Node's time zone database and the system's disagree, Python's zoneinfo tells the offsets; how many cases each of
the two has judged is printed."""

import json
import os
import queue
import random
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import timed
import tap
from histories import WEEKDAYS, GOALS, History, text
from zones import Zone, ms_of_date

LONG = os.environ.get("FOCUSSTATS_LONG") == "1"
QUICK = os.environ.get("FOCUSSTATS_QUICK") == "1"
HERE = os.path.dirname(os.path.abspath(__file__))
NODE = shutil.which("node") or shutil.which("nodejs")
FROM_MS, TO_MS = ms_of_date(1970), ms_of_date(2061)
DAY_STARTS = ["00:00", "02:30", "04:00"]
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca",
         "Asia/Tehran", "UTC"]
# Clocks that change at midnight, by two hours, on a Saturday evening, and on the other side of the date line.
MORE_ZONES = ["America/Santiago", "Antarctica/Troll", "America/Nuuk", "Pacific/Kiritimati"]
# The day that Samoa skipped, and clocks of Newfoundland that changed at a minute past midnight.
MORE_INSTANTS = {"Pacific/Apia": ["2011-12-30T10:00:00Z"], "America/St_Johns": ["2010-11-07T02:31:00Z", "2011-03-13T03:31:00Z"]}


class Oracle:
    """The process of oracle.mjs."""

    def __init__(self):
        self.process = subprocess.Popen([NODE, os.path.join(HERE, "oracle.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.write, daemon=True).start()

    def write(self):
        """What is sent waits here, so that the oracle computes while the service is asked."""
        try:
            for line in iter(self.lines.get, None):
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()
            self.process.stdin.close()
        except BrokenPipeError:  # receive() notices
            pass

    def send(self, thing):
        self.lines.put(json.dumps(thing))

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the oracle ended")
        return json.loads(line)

    def stop(self):
        self.lines.put(None)
        self.process.stdout.close()
        self.process.wait()


class Dates(timed.TimedCase):
    """One reader after the other."""

    settings = {"FOCUSSTATS_MAX_BODY": "1048576"}

    @classmethod
    def setUpClass(cls):
        if NODE is None:
            raise unittest.SkipTest("Node is not installed (Debian package nodejs)")
        super().setUpClass()
        cls.zones = {name: Zone(name, FROM_MS, TO_MS) for name in ZONES + MORE_ZONES}
        cls.oracle = Oracle()
        cls.addClassCleanup(cls.oracle.stop)
        cls.oracle.send({"zones": list(cls.zones), "from": FROM_MS, "to": TO_MS, "system": {name: zone.table for name, zone in cls.zones.items()}})
        by_intl = cls.oracle.receive()
        cls.differences = {name: zone.differences(by_intl[name]) for name, zone in cls.zones.items()}
        cls.counts = {"intl": 0, "system": 0}

    @classmethod
    def tearDownClass(cls):
        for name, spans in cls.differences.items():
            if spans:
                low, high = text(spans[0][0]), text(min(spans[-1][1], TO_MS))
                print("# %s: Node and the system disagree in %d intervals, from %s to %s" % (name, len(spans), low, high))
        print("# %d cases by Intl, %d by zoneinfo" % (cls.counts["intl"], cls.counts["system"]))
        super().tearDownClass()

    # Who reads

    def instants(self, zone):
        """The instants around which something is read in a zone, and what they are good for."""
        made = zone.changes(ms_of_date(2020), ms_of_date(2031)) + 4 * [timed.ms_of(when) for when in MORE_INSTANTS.get(zone.name, [])]
        pick = random.Random(zone.name)
        others = zone.changes(ms_of_date(1973), ms_of_date(2020)) + zone.changes(ms_of_date(2031), ms_of_date(2059))
        made += pick.sample(others, min(len(others), 6))
        return made + [pick.randrange(ms_of_date(2020), ms_of_date(2031)) for _ in range(4 if len(made) > 6 else 12)]

    def record(self, history):
        """A new reader with the sessions of a history."""
        self.user = "reader-%d" % self.number
        Dates.number += 1
        self.at(history.now)
        self.init()
        self.ok("setSettings", {"user": self.user, "idleTimeoutSeconds": 86400})
        for ms, session, what, progress in history.events():
            self.at(ms)
            if what == "start":
                self.begin(session["document"], focusSession=session["id"], library=session["library"])
            else:
                report = {} if progress is None else {"progress": progress}
                self.ok("heartbeat" if what == "heartbeat" else "endSession", {"focusSession": session["id"], **report})
        self.at(history.now)
        added = self.ok("addSessions", {"user": self.user, "sessions": [
            {"focusSession": session["id"], "document": session["document"], "library": session["library"],
             "startTime": text(session["start"]), "endTime": text(session["end"])} for session in history.past]})
        self.assertEqual(added, {"results": [{"index": index, "focusSession": session["id"]} for index, session in enumerate(history.past)]})
        known = {"walden": {"title": "Walden", "authors": ["H. D. Thoreau"]}, "книга": {"title": "Книга \"о\" книге", "authors": []}}
        for document, fields in known.items():
            self.ok("setDocument", {"user": self.user, "document": document, **fields})
        return known

    number = 0

    def ask(self, history, known, settings, filters):
        """Sets the settings, asks the questions, tells the oracle; returns what the service said."""
        self.ok("setSettings", {"user": self.user, **settings})
        queries, said = [], []
        for name, fields in history.questions(filters, list(self.zones)):
            zone = fields.get("timezone", settings["timezone"])
            said.append(self.post(name, {"user": self.user, **fields}))
            queries.append({"query": name, "fields": fields, "now": history.now, "zone": zone, "table": self.judge(history, zone)})
        hour, minute = settings["dayStart"].split(":")
        self.oracle.send({"dayStart": int(hour) * 60 + int(minute), "weekStart": WEEKDAYS.index(settings["weekStart"]) + 1,
                          "goalSeconds": settings["dailyGoalSeconds"], "sessions": history.sessions, "documents": known, "reports": history.reports(),
                          "queries": queries})
        return settings, queries, said

    def judge(self, history, zone):
        """Whose table of the zone is right for a history: Intl's, where the databases agree from its first year to its last."""
        low = min(session["start"] for session in history.sessions) - 370 * timed.DAY_MS
        high = history.now + 370 * timed.DAY_MS
        return "system" if any(begin < high and low < end for begin, end in self.differences[zone]) else "intl"

    # What it is compared with

    def compare(self, seed, settings, queries, said):
        """Returns a text for every answer that is wrong."""
        wrong = []
        for query, reply, wanted in zip(queries, said, self.oracle.receive()):
            self.counts[query["table"]] += 1
            if reply.status == 200 and reply.text.rstrip("\n") == wanted:
                continue
            found = difference(reply.json(), []) if reply.status != 200 else difference(reply.pairs(), json.loads(wanted, object_pairs_hook=list))
            if found:
                wrong.append("seed %s, %s, now %s, %s %s:\n%s" % (seed, settings, text(query["now"]), query["query"], query["fields"], found))
        return wrong

    @tap.limit(3600 if LONG else 120)
    @tap.cases([(zone, zone) for zone in ZONES + MORE_ZONES])
    def test_zone(self, name):
        zone = self.zones[name]
        wrong, asked = [], []
        before = sum(self.counts.values())
        for number, anchor in enumerate(self.instants(zone)):
            for repeat in range(10 if LONG else 1):
                for day_start in DAY_STARTS:
                    if name in MORE_ZONES and not LONG and day_start != "00:00":
                        continue
                    seed = "%s %d %d %s %d" % (name, number, anchor, day_start, repeat)
                    history = History(seed, anchor, zone.offset(anchor))
                    known = self.record(history)
                    pick = history.random
                    settings = {"timezone": name, "dayStart": day_start, "weekStart": pick.choice(WEEKDAYS), "dailyGoalSeconds": pick.choice(GOALS)}
                    asked.append((seed, *self.ask(history, known, settings, 1 if QUICK else 5)))
                    settings = {"timezone": pick.choice(list(self.zones)),
                                "dayStart": "%02d:%02d" % (pick.randrange(24), pick.choice([0, 1, 30, 59])),
                                "weekStart": pick.choice(WEEKDAYS), "dailyGoalSeconds": pick.choice(GOALS)}
                    asked.append((seed, *self.ask(history, known, settings, 1)))
                    while len(asked) > 20:
                        wrong += self.compare(*asked.pop(0))
        for one in asked:
            wrong += self.compare(*one)
        print("# %s: %d clock changes, %d cases" % (name, len(zone.changes(ms_of_date(2020), ms_of_date(2031))), sum(self.counts.values()) - before))
        self.assertFalse(wrong, "%d answers are wrong; the first:\n%s" % (len(wrong), "\n".join(wrong[:3])))


def difference(said, wanted, where=""):
    """Where an answer, as lists of pairs, does not say what the oracle says, which does not round what is left of a document; None where it does."""
    if isinstance(said, (list, tuple)) and isinstance(wanted, (list, tuple)) and len(said) == len(wanted):
        if isinstance(wanted, tuple):
            where = "%s/%s" % (where, wanted[0])
        return next(filter(None, (difference(*pair, where) for pair in zip(said, wanted))), None)
    if where.endswith("/remainingSeconds") and isinstance(wanted, (int, float)) and isinstance(said, int):
        right = abs(said - wanted) <= 0.5 + 1e-9 * wanted
    elif isinstance(said, (int, float)) and isinstance(wanted, (int, float)):
        right = said == wanted and isinstance(said, bool) == isinstance(wanted, bool)
    else:
        right = type(said) is type(wanted) and said == wanted
    return None if right else "%s: answered %r, wanted %r" % (where, said, wanted)


if __name__ == "__main__":
    tap.main(globals())
