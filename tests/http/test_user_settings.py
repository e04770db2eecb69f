#!/usr/bin/env python3
"""A user's settings: their bounds, the names of zones, and that a change applies to all history."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import timed
import tap

KEYS = ["timezone", "dayStart", "weekStart", "dailyGoalSeconds", "idleTimeoutSeconds"]
DEFAULTS = {"timezone": "UTC", "dayStart": "00:00", "weekStart": "monday", "dailyGoalSeconds": 0, "idleTimeoutSeconds": 600}
WRONG_TYPES = [None, True, [], {}]

GOOD_ZONES = ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT+12", "Etc/GMT-14", "GMT0", "EST5EDT",
              "EST",
              "Asia/Calcutta", "US/Eastern", "Zulu", "Etc/UTC", "Antarctica/DumontDUrville", "America/North_Dakota/New_Salem"]
BAD_ZONES = [("empty", ""), ("a blank", " "), ("another case", "europe/berlin"), ("all capitals", "EUROPE/BERLIN"), ("a small utc", "utc"),
             ("unknown", "Europe/Nowhere"),
             ("a folder", "Europe"), ("a folder with a slash", "Europe/"), ("a path", "/usr/share/zoneinfo/Europe/Berlin"),
             ("up", "../zoneinfo/Europe/Berlin"),
             ("up in the middle", "Europe/../Europe/Berlin"), ("a dot", "./Europe/Berlin"), ("a dot in the middle", "Europe/./Berlin"),
             ("two slashes", "Europe//Berlin"), ("a slash before", "/Europe/Berlin"), ("posix", "posix/Europe/Berlin"),
             ("right", "right/Europe/Berlin"),
             ("localtime", "localtime"), ("posixrules", "posixrules"), ("a table of the database", "zone.tab"), ("another table", "tzdata.zi"),
             ("leap seconds", "leapseconds"),
             ("an offset", "+01:00"), ("an offset of UTC", "UTC+1"), ("rules", "CET-1CEST,M3.5.0,M10.5.0/3"), ("rules without dates", "CET-1CEST"),
             ("a colon before", ":Europe/Berlin"), ("Z", "Z"), ("a blank behind", "Europe/Berlin "), ("a blank before", " Europe/Berlin"),
             ("a newline", "Europe/Berlin\n"),
             ("a NUL", "Europe/Berlin\u0000"), ("a backslash", "Europe\\Berlin"), ("no letters of ours", "Европа/Берлин"), ("255 bytes", "x" * 255),
             ("256 bytes", "x" * 256), ("passwd", "../../../etc/passwd"), ("an abbreviation", "CESTX"), ("a number", 1), ("null", None),
             ("true", True),
             ("an array", ["UTC"]), ("an object", {})]


class SettingsCase(timed.TimedCase):
    """A reader."""

    abstract = True

    def setUp(self):
        super().setUp()
        self.init()

    def stored(self):
        return self.one("_getSettings")

    def set(self, **fields):
        self.assertEqual(self.ok("setSettings", {"user": self.user, **fields}), {"user": self.user})


class Settings(SettingsCase):
    """setSettings and _getSettings."""

    def test_defaults(self):
        self.assertEqual(self.post("_getSettings", {"user": self.user}).text,
                         '[{"settings":{"timezone":"UTC","dayStart":"00:00","weekStart":"monday","dailyGoalSeconds":0,"idleTimeoutSeconds":600}}]\n')

    def test_what_is_left_out_stays(self):
        wanted = dict(DEFAULTS)
        for name, value in (("timezone", "Europe/Berlin"), ("dayStart", "04:30"), ("weekStart", "sunday"), ("dailyGoalSeconds", 1800),
                            ("idleTimeoutSeconds", 300)):
            self.set(**{name: value})
            wanted[name] = value
            self.assertEqual(self.stored(), wanted)
        self.set()
        self.assertEqual(self.stored(), wanted)
        self.set(**DEFAULTS)
        self.assertEqual(self.stored(), DEFAULTS)

    @tap.cases([("dayStart " + value, "dayStart", value) for value in ("00:00", "00:01", "02:30", "09:59", "19:00", "23:59")]
               + [("weekStart " + day, "weekStart", day) for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")]
               + [("dailyGoalSeconds %d" % value, "dailyGoalSeconds", value) for value in (0, 1, 86400)]
               + [("idleTimeoutSeconds %d" % value, "idleTimeoutSeconds", value) for value in (60, 61, 86400)])
    def test_good(self, name, value):
        self.set(**{name: value})
        self.assertEqual(self.stored(), {**DEFAULTS, name: value})

    @tap.cases([("%s %r" % (name, value), name, value) for name, values in {
        "dayStart": ["", "24:00", "23:60", "4:00", "04:0", "0400", "04:00:00", "-1:00", "04.00", " 04:00", "04:00 ", "4am", "٠٤:٠٠", "04:00\n", 4, 0],
        "weekStart": ["", "Monday", "MONDAY", "mon", "montag", "monday ", 1, 0],
        "dailyGoalSeconds": [-1, 86401, 1.5, "600", 1e300, 2 ** 63, 2 ** 32 + 600],
        "idleTimeoutSeconds": [59, 0, -600, 86401, 600.5, "600", 2 ** 32 + 600],
    }.items() for value in values + WRONG_TYPES])
    def test_bad(self, name, value):
        """Names the field, and stores none of the others beside it."""
        more = {"dailyGoalSeconds": 1200} if name != "dailyGoalSeconds" else {"dayStart": "05:00"}
        self.refused(400, [name], "setSettings", {"user": self.user, name: value, **more})
        self.assertEqual(self.stored(), DEFAULTS)

    def test_integral_numbers(self):
        for number, wanted in ((b"600.0", 600), (b"6e2", 600), (b"0.12e4", 1200), (b"60000E-2", 600), (b"-0", 0), (b"-0.0", 0)):
            self.ok("setSettings", b'{"user":"%s","dailyGoalSeconds":%s}' % (self.user.encode(), number))
            self.assertIs(type(self.stored()["dailyGoalSeconds"]), int)
            self.assertEqual(self.stored()["dailyGoalSeconds"], wanted)
        for number in (b"600.5", b"1e-1", b"86400.0000001"):
            self.refused(400, ["dailyGoalSeconds"], "setSettings", b'{"user":"%s","dailyGoalSeconds":%s}' % (self.user.encode(), number))

    def test_unknown_user(self):
        self.refused(404, ["nobody of this name"], "setSettings", {"user": "nobody of this name", "dayStart": "04:00"})
        self.refused(404, ["nobody of this name"], "_getSettings", {"user": "nobody of this name"})

    def test_each_user_has_their_own(self):
        other = self.user + "-2"
        self.init(other)
        self.set(timezone="Asia/Tehran", weekStart="saturday")
        self.assertEqual(self.list("_getSettings", {"user": other}), [DEFAULTS])

    def test_a_bad_field_is_told_before_an_unknown_user(self):
        self.refused(400, ["dayStart"], "setSettings", {"user": "nobody of this name", "dayStart": "24:00"})


class Zones(SettingsCase):
    """Names of zones."""

    @tap.cases([(zone, zone) for zone in GOOD_ZONES if os.path.exists("/usr/share/zoneinfo/" + zone)])
    def test_good(self, zone):
        """Stored as given, links as well, and good as F's timezone."""
        self.set(timezone=zone)
        self.assertEqual(self.stored()["timezone"], zone)
        self.one("_getSummary", {"timezone": zone, "from": "2025-11-03"})

    @tap.cases(BAD_ZONES)
    def test_bad(self, zone):
        self.refused(400, ["timezone"], "setSettings", {"user": self.user, "timezone": zone, "dailyGoalSeconds": 60})
        self.assertEqual(self.stored(), DEFAULTS)
        for query, more in (("_getSummary", {}), ("_getPeriods", {"unit": "day"}), ("_getHours", {}), ("_getDocuments", {}), ("_getStreaks", {}),
                            ("_getGoal", {}),
                            ("_getSessions", {})):
            self.refused(400, ["timezone"], query, {"user": self.user, "timezone": zone, **more})

    def test_names_that_are_rules_are_zones(self):
        """EST5EDT is a name in the database, with the clock of New York."""
        self.add("2025-07-01T03:30:00Z", "2025-07-01T04:30:00Z")
        self.assertEqual([period["label"] for period in self.list("_getPeriods", {"unit": "day", "timezone": "EST5EDT"})],
                         ["2025-06-30", "2025-07-01"])


class History(SettingsCase):
    """A change applies to all history."""

    def test_zone_and_day_start(self):
        self.add("2025-11-03T01:00:00Z", "2025-11-03T02:00:00Z")
        for settings, label, start in (({}, "2025-11-03", "2025-11-03T00:00:00.000Z"),
                                       ({"timezone": "America/New_York"}, "2025-11-02", "2025-11-02T04:00:00.000Z"),
                                       ({"dayStart": "21:00"}, "2025-11-01", "2025-11-02T01:00:00.000Z"),
                                       ({"timezone": "Asia/Kathmandu"}, "2025-11-02", "2025-11-02T15:15:00.000Z"),
                                       ({"dayStart": "00:00"}, "2025-11-03", "2025-11-02T18:15:00.000Z")):
            self.set(**settings)
            self.assertEqual([(period["label"], period["start"]) for period in self.list("_getPeriods", {"unit": "day"})], [(label, start)])

    def test_week_start(self):
        self.add("2025-11-02T10:00:00Z", "2025-11-02T11:00:00Z")
        self.assertEqual(self.one("_getPeriods", {"unit": "week"})["label"], "2025-10-27")
        self.set(weekStart="sunday")
        self.assertEqual(self.one("_getPeriods", {"unit": "week"})["label"], "2025-11-02")


class Database(timed.harness.Case):
    """The zone database itself, in a folder of the test's (TZDIR)."""

    def database(self, *zones):
        path = self.store.join("zones-%d" % self.number)
        self.number += 1
        for zone in zones:
            os.makedirs(os.path.dirname(os.path.join(path, zone)), exist_ok=True)
            shutil.copy(os.path.join("/usr/share/zoneinfo", zone), os.path.join(path, zone))
        os.makedirs(path, exist_ok=True)
        for place, _, _ in os.walk(path):
            os.chmod(place, 0o755)
        return path

    def serve(self, path):
        if os.path.exists(self.store.socket):
            os.unlink(self.store.socket)
        self.responder = self.start(timed.harness.Responder(self.store, settings={"TZDIR": path}))

    def setUp(self):
        super().setUp()
        self.store = self.folder()
        self.number = 0
        self.serve(self.database("Europe/Berlin", "Asia/Kathmandu"))
        for action, fields in (("initUser", {}), ("setSettings", {"timezone": "Europe/Berlin"}),
                               ("addSession", {"document": "d", "library": "l", "startTime": "2025-11-02T23:30:00Z",
                                               "endTime": "2025-11-03T00:30:00Z"})):
            self.assertEqual(self.post(action, **fields).status, 200)

    def post(self, action, **fields):
        return self.responder.post(action, {"user": "reader", **fields})

    def days(self, **fields):
        return [element["period"]["label"] for element in self.post("_getPeriods", unit="day", **fields).json()]

    def test_only_what_is_in_it(self):
        self.assertEqual(self.days(), ["2025-11-03"])
        self.assertEqual(self.days(timezone="Asia/Kathmandu"), ["2025-11-03"])
        self.assertEqual(self.post("_getPeriods", unit="day", timezone="Asia/Tehran").status, 400)
        self.assertEqual(self.post("setSettings", timezone="Asia/Tehran").status, 400)

    def test_one_that_vanished_counts_as_utc_and_is_logged(self):
        self.responder.stop()
        self.serve(self.database("Asia/Kathmandu"))
        self.assertEqual(self.days(), ["2025-11-02", "2025-11-03"])
        self.assertEqual(self.days(timezone="Asia/Kathmandu"), ["2025-11-03"])
        self.assertEqual(self.post("_getSettings").json()[0]["settings"]["timezone"], "Europe/Berlin")
        self.assertEqual(self.post("setSettings", dayStart="04:00").status, 200)
        self.assertIn("Europe/Berlin", self.store.log_text())

    def test_one_that_cannot_be_read_now(self):
        """Neither is UTC meant then, nor is the name wrong."""
        path = self.database("Europe/Berlin", "Asia/Kathmandu")
        self.responder.stop()
        self.serve(path)
        for zone in ("Europe/Berlin", "Asia/Kathmandu"):
            os.chmod(os.path.join(path, zone), 0)
        for reply in (self.post("_getPeriods", unit="day"), self.post("setSettings", timezone="Asia/Kathmandu")):
            self.assertEqual((reply.status, reply.header("Retry-After")), (503, "1"), reply)
            self.assertIn("Permission denied", reply.json()["error"])
        for zone in ("Europe/Berlin", "Asia/Kathmandu"):
            os.chmod(os.path.join(path, zone), 0o644)
        self.assertEqual(self.days(), ["2025-11-03"])
        self.assertEqual(self.post("setSettings", timezone="Asia/Kathmandu").status, 200)

    def test_utc_needs_no_database(self):
        self.responder.stop()
        self.serve(self.store.join("nothing here"))
        self.assertEqual(self.post("setSettings", timezone="UTC").status, 200)
        self.assertEqual(self.days(), ["2025-11-02", "2025-11-03"])
        self.assertEqual(self.post("setSettings", timezone="Asia/Kathmandu").status, 400)

    def test_files_that_are_no_zones(self):
        """Empty, of other content, cut off, a folder, a pipe: refused like a name that is not there."""
        path = self.database("Europe/Berlin")
        with open(os.path.join(path, "Europe", "Berlin"), "rb") as file:
            good = file.read()
        for name, content in (("Empty", b""), ("Text", b"not a zone\n" * 100), ("Short", good[:60]), ("Half", good[:len(good) // 2]),
                              ("Magic", b"TZif"),
                              ("Noise", b"TZif2" + bytes(range(256)) * 20)):
            with open(os.path.join(path, name), "wb") as file:
                file.write(content)
        os.mkdir(os.path.join(path, "Folder"))
        os.mkfifo(os.path.join(path, "Pipe"))
        self.responder.stop()
        self.serve(path)
        for name in ("Empty", "Text", "Short", "Half", "Magic", "Noise", "Folder", "Pipe"):
            self.assertEqual(self.post("_getSummary", timezone=name).status, 400, name)
        self.assertEqual(self.days(), ["2025-11-03"])


if __name__ == "__main__":
    tap.main(globals())
