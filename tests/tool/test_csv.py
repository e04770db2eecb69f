#!/usr/bin/env python3
"""CSV both ways: what is exported is what a CSV reader understands, no cell of it is a formula, and it is imported as it was; what spreadsheets make of
such a file is understood too; and what is no session is refused with the line where its record begins."""

import csv
import datetime
import io
import itertools
import json
import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap
from tool import Tool

# Of records without an id: src/tool/csv_sessions.h, doc/moving.md.
SPACE = uuid.UUID("eb9a9414-72df-465a-b550-c4f4a162b158")
COLUMNS = ["user", "session", "document", "title", "authors", "library", "startTime", "endTime", "seconds", "progress"]
START = "2025-11-10T12:41:01.123Z"
END = "2025-11-10T12:43:06.000Z"
NOTHING = {"created": 0, "alreadyThere": 0, "grown": 0, "refused": 0}
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ODD = ["plain", "=1+1", "'=1+1", "''=1", "+49 30", "-x", "@a", " =1", "' =1", " ' =1", "'", "''", "'plain", "a,b", "a;b", 'say "x"', '"', '""', '",', "=\"a\",b", " x ",
       "é 📚", "＝1", "＋", "'－1", "＠x", "x" * 255, "\\", "a\\;b", "\\\\;", "N/A", "0", "1e5", "--", "=cmd|' /C calc'!A0"]


class CsvCase(harness.Case):
    def setUp(self):
        self.store = self.folder()
        self.tool = Tool(self.store)

    def bring(self, *arguments, status=0, tool=None, **more):
        """The report, what was refused as (line, reason), and what else was said."""
        done = (tool or self.tool).run("--json", "import", *arguments, **more)
        self.assertEqual(done.returncode, status, done)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[-1], [(line["refused"]["line"], line["refused"]["reason"]) for line in lines if "refused" in line], done.stderr

    def bring_text(self, text, *arguments, status=0):
        path = self.store.join("given.csv")
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return self.bring("--format", "csv", *arguments, path, status=status)

    def records(self, kind, tool=None):
        return [record[kind] for record in (json.loads(line) for line in (tool or self.tool).run("export").stdout.splitlines()) if kind in record]

    def exported(self, *arguments, tool=None):
        done = (tool or self.tool).run("export", "--format", "csv", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout


def own_format(*records):
    lines = [{"focusstats": {"version": 1}}, *records]
    lines.append({"end": {kind + "s": sum(kind in record for record in records) for kind in ("user", "document", "session")}})
    return "".join(json.dumps(line) + "\n" for line in lines)


def user(name, number):
    settings = {"timezone": "UTC", "dayStart": "00:00", "weekStart": "monday", "dailyGoalSeconds": 0, "idleTimeoutSeconds": 600}
    return {"user": {"user": name, "focusStats": str(uuid.UUID(int=number)), "settings": settings}}


def odd_store():
    """Users, documents, titles, authors and libraries of all kinds, each as every one of these; sessions with and without end and progress."""
    numbers = itertools.count(1)
    records = [user(name, next(numbers)) for name in ODD]
    for at, name in enumerate(ODD):
        others = ODD[at:] + ODD[:at]
        for document, title, author, library in zip(others, others[1:], others[2:], others[3:]):
            records.append({"document": {"user": name, "document": document, "title": title, "authors": [author, name, library][:at % 4]}})
            number = next(numbers)
            start = datetime.datetime(2025, 1, 1) + datetime.timedelta(minutes=number, milliseconds=number % 3)
            session = {"user": name, "focusSession": str(uuid.UUID(int=number)), "document": document, "library": library, "startTime": text_of(start)}
            if number % 4:
                session["endTime"] = text_of(start + datetime.timedelta(seconds=number % 100, milliseconds=number % 7))
            if number % 5 == 0:
                session.update(progress=number % 11 / 10 * 0.77, progressTime=session.get("endTime", session["startTime"]))
            records.append({"session": session})
    return records


def text_of(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


class ThereAndBack(CsvCase):
    def test_odd_texts(self):
        """Through CSV into another home: the same again, to the byte."""
        records = odd_store()
        self.store.write("odd.ndjson", own_format(*records))
        report, refused, _ = self.bring(self.store.join("odd.ndjson"))
        count = len(ODD) * (len(ODD) - 3)
        self.assertEqual((report["sessions"]["created"], refused), (count, []))
        shown = self.exported()
        with open(self.store.join("odd.csv"), "w", encoding="utf-8", newline="") as file:
            file.write(shown)
        other = Tool(self.folder())
        self.store.write("users.ndjson", own_format(*(record for record in records if "user" in record)))
        self.bring(self.store.join("users.ndjson"), tool=other)
        report, refused, said = self.bring("--format", "csv", self.store.join("odd.csv"), tool=other)
        self.assertEqual((report["sessions"], refused, said), ({**NOTHING, "created": count}, [], ""))
        self.assertEqual(self.exported(tool=other), shown)
        for kind in ("user", "session", "document"):
            self.assertEqual(self.records(kind, tool=other), self.records(kind), kind)
        report, refused, _ = self.bring("--format", "csv", self.store.join("odd.csv"), tool=other)
        self.assertEqual((report["sessions"], refused), ({**NOTHING, "alreadyThere": count}, []))
        self.assertEqual((report["documents"]["created"], report["documents"]["refused"]), (0, 0))
        self.check(shown, records)

    def check(self, shown, records):
        """What Python's CSV reader understands; what a spreadsheet would run is not in it."""
        rows = list(csv.reader(io.StringIO(shown, newline="")))
        self.assertEqual(rows[0], COLUMNS)
        titles = {(one["document"]["user"], one["document"]["document"]): one["document"] for one in records if "document" in one}
        sessions = {one["session"]["focusSession"]: one["session"] for one in records if "session" in one}
        self.assertEqual(len(rows), 1 + len(sessions))
        for row in rows[1:]:
            for cell in row:
                self.assertFalse(cell.lstrip(" ").startswith(FORMULAS), cell)
            row = dict(zip(COLUMNS, map(undone, row)))
            session = sessions[row["session"]]
            document = titles[row["user"], row["document"]]
            self.assertEqual([row["user"], row["document"], row["library"], row["startTime"], row["endTime"], row["title"]],
                             [session["user"], session["document"], session["library"], session["startTime"], session.get("endTime", ""), document["title"]])
            self.assertEqual(row["authors"], "; ".join(name.replace("\\", "\\\\").replace(";", "\\;") for name in document["authors"]))
            self.assertEqual(row["progress"], "" if "progress" not in session else repr(session["progress"]).replace("0.0", "0", session["progress"] == 0))

    def test_into_the_store_that_it_came_from(self):
        """Nothing changes, though CSV has neither heartbeats nor when progress was told."""
        responder = self.start(harness.Responder(self.store))
        responder.post("initUser", {"user": "ann"})
        for end in (True, False):
            session = responder.post("startSession", {"user": "ann", "document": "d", "library": "l"}).json()["focusSession"]
            self.assertEqual(responder.post("heartbeat", {"focusSession": session, "progress": 0.3}).status, 200)
            if end:
                self.assertEqual(responder.post("endSession", {"focusSession": session}).status, 200)
                self.assertEqual(responder.post("editSession", {"focusSession": session, "document": "e"}).status, 200)
        before = self.records("session")
        self.assertEqual([sorted(one) for one in before][0],
                         ["document", "endTime", "focusSession", "lastSeen", "library", "progress", "progressTime", "startTime", "startedWith", "user"])
        report, refused, _ = self.bring_text(self.exported())
        self.assertEqual((report["sessions"], refused), ({**NOTHING, "alreadyThere": 2}, []))
        self.assertEqual(self.records("session"), before)
        report, refused, _ = self.bring_text(self.exported().replace("0.3", "0.4"), status=1)
        self.assertEqual((report["sessions"]["refused"], len(refused)), (2, 2))

    def test_layout(self):
        """RFC 4180: CRLF everywhere, a header, as many cells in each record; UTF-8 without a mark."""
        self.bring_text("user,document,startTime,endTime,title\nann,d,%s,%s,\"a,\nb\"\n" % (START, END), "--create-users", status=1)
        self.bring_text("user,document,startTime,endTime,title,authors,progress,session\nann,d,%s,%s,\"a, \"\"b\"\"\",X;Y,0.5,%s\n"
                        % (START, END, uuid.UUID(int=1)), "--create-users")
        self.assertEqual(self.tool.run("export", "--format", "csv").stdout,
                         "user,session,document,title,authors,library,startTime,endTime,seconds,progress\r\n"
                         "ann,00000000-0000-0000-0000-000000000001,d,\"a, \"\"b\"\"\",\"X; Y\",csv,%s,%s,124,0.5\r\n" % (START, END))

    def test_one_user(self):
        self.bring_text("user,document,startTime,seconds\nann,d,%s,5\nbob,e,%s,6\n" % (START, START), "--create-users")
        self.assertEqual([row["document"] for row in csv.DictReader(io.StringIO(self.exported("--user", "bob")))], ["e"])
        self.assertEqual([row["user"] for row in csv.DictReader(io.StringIO(self.exported()))], ["ann", "bob"])
        done = self.tool.run("export", "--format", "csv", "--user", "carl")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no user 'carl'", done.stderr)

    def test_nobody(self):
        self.assertEqual(self.exported(), ",".join(COLUMNS) + "\r\n")


def undone(cell):
    """Without the apostrophe of a cell that would be a formula, told in another way than the program tells it."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("' ").startswith(FORMULAS) else cell


SPREADSHEETS = [
    ("commas", ",", "\r\n", ""),
    ("semicolons", ";", "\r\n", ""),
    ("tabs", "\t", "\r\n", ""),
    ("LF", ",", "\n", ""),
    ("a mark", ";", "\r\n", "\ufeff"),
    ("blank lines", ",", "\r\n\r\n", ""),
]


class Importing(CsvCase):
    def setUp(self):
        super().setUp()
        self.tool.run("init", "ann")

    @tap.cases(SPREADSHEETS)
    def test_layouts(self, separator, line_end, mark):
        quoted = separator if separator != "\t" else "x"  # no title holds a tab
        rows = [["Document", " STARTTIME ", "endtime", "title"], ["d", START, END, '"two\nlines %s"' % quoted], ["e", START, END, ""]]
        text = mark + line_end.join(separator.join(row) for row in rows)
        report, refused, said = self.bring_text(text, "--user", "ann", status=1)
        self.assertEqual(refused, [(3 if line_end == "\r\n\r\n" else 2, "title: holds the control character U+000A")])
        report, refused, said = self.bring_text(text.replace("two\nlines", "one line"), "--user", "ann")
        self.assertEqual((report["sessions"]["created"], report["sessions"]["alreadyThere"], refused, said), (1, 1, [], ""))
        self.assertEqual([one["title"] for one in self.records("document")], ["one line %s" % quoted])

    def test_ids_from_content(self):
        """The same record is the same session, wherever it stands; another user, library, document or start is another."""
        header = "user,library,document,startTime,endTime\n"
        rows = ["ann,l,d,%s,%s\n" % (START, END), "ann,m,d,%s,%s\n" % (START, END), "ann,l,e,%s,%s\n" % (START, END),
                "ann,l,d,2025-11-10T12:41:01.124Z,%s\n" % END, "bob,l,d,%s,%s\n" % (START, END)]
        report, _, _ = self.bring_text(header + "".join(rows), "--create-users")
        self.assertEqual(report["sessions"]["created"], 5)
        self.assertIn(str(uuid.uuid5(SPACE, "\0".join(["ann", "l", "d", START]))), [one["focusSession"] for one in self.records("session")])
        report, _, _ = self.bring_text("endTime,startTime,document,library,user\n" + "".join(
            ",".join(reversed(row.strip().split(","))) + "\n" for row in reversed(rows)))
        self.assertEqual(report["sessions"], {**NOTHING, "alreadyThere": 5})
        report, _, _ = self.bring_text(header + rows[0].replace("12:41:01.123Z", "13:41:01.123+01:00"))
        self.assertEqual(report["sessions"], {**NOTHING, "alreadyThere": 1})

    def test_times(self):
        given = ["2025-11-10T12:41:01Z", "2025-11-10 12:41:02Z", "2025-11-10 13:41:03+01:00", "2025-11-10T14:41:04+0200", "2025-11-10t07:41:05-05:00",
                 " 2025-11-10T12:41:06Z ", "2025-11-10 12:41:07.25+00"]
        self.bring_text("document,startTime,seconds\n" + "".join("d,%s,1\n" % one for one in given), "--user", "ann")
        self.assertEqual([one["startTime"] for one in self.records("session")], ["2025-11-10T12:41:0%d.%s0Z" % (at, "00" if at < 7 else "25") for at in range(1, 8)])

    def test_ends(self):
        rows = [(END, "", 124877), ("", "90", 90000), ("", "90.5", 90500), ("", '"0,25"', 250), (END, "7", 124877), ("", "0", 0), ("", "", None)]
        text = "".join("d%d,%s,%s,%s\n" % (at, START, end, seconds) for at, (end, seconds, _) in enumerate(rows))
        self.bring_text("document,startTime,endTime,seconds\n" + text, "--user", "ann")
        start = datetime.datetime.strptime(START, "%Y-%m-%dT%H:%M:%S.%fZ")
        expected = {"d%d" % at: ms is not None and text_of(start + datetime.timedelta(milliseconds=ms)) or None for at, (_, _, ms) in enumerate(rows)}
        self.assertEqual({one["document"]: one.get("endTime") for one in self.records("session")}, expected)

    def test_progress(self):
        self.bring_text("document,startTime,endTime,progress\nd,%s,%s,0.25\ne,%s,,\"0,5\"\nf,%s,%s,\n" % (START, END, START, START, END), "--user", "ann")
        self.assertEqual({one["document"]: (one.get("progress"), one.get("progressTime")) for one in self.records("session")},
                         {"d": (0.25, END), "e": (0.5, START), "f": (None, None)})

    def test_descriptions(self):
        rows = [("d", "One", "A; B"), ("d", "One", "A; B"), ("e", "", r"C\;D;E\\; F \g"), ("f", "Two", ""), ("g", "", ""), ("d", "Other", "A")]
        text = "".join("%s,2025-11-10T12:00:0%dZ,1,%s,%s\n" % (document, at, title, authors) for at, (document, title, authors) in enumerate(rows))
        report, _, _ = self.bring_text("document,startTime,seconds,title,authors\n" + text, "--user", "ann")
        self.assertEqual({one["document"]: (one["title"], one["authors"]) for one in self.records("document")},
                         {"d": ("One", ["A", "B"]), "e": (None, ["C;D", "E\\", "F \\g"]), "f": ("Two", [])})
        self.assertEqual(report["documents"], {**NOTHING, "created": 3, "alreadyThere": 1})

    def test_a_library_read_by_turns(self):
        """Each document is told of once, though every record of it says what it is called."""
        rows = ["book %d,2025-11-10T12:%02d:%02d.%03dZ,1,Title %d\n" % (book, at, book // 100, book % 100, book) for at in range(3) for book in range(600)]
        report, _, _ = self.bring_text("document,startTime,seconds,title\n" + "".join(rows), "--user", "ann")
        self.assertEqual((report["documents"], report["sessions"]), ({**NOTHING, "created": 600}, {**NOTHING, "created": 1800}))

    def test_users_and_libraries(self):
        """Of the record, or else of the command."""
        self.tool.run("init", "bob")
        text = "user,library,document,startTime,seconds\nann,l,d,%s,1\n,,e,%s,1\n" % (START, START)
        report, refused, _ = self.bring_text(text, status=1)
        self.assertEqual(refused, [(3, "user: must not be empty, or --user be given")])
        self.bring_text(text, "--user", "bob", "--library", "own")
        self.assertEqual([(one["user"], one["library"], one["document"]) for one in self.records("session")], [("ann", "l", "d"), ("bob", "own", "e")])
        _, refused, _ = self.bring_text(text.replace("ann", "carl"), "--user", "bob", "--library", "own", status=1)
        self.assertEqual([line for line, _ in refused], [2])
        self.assertIn("there is no user 'carl'", refused[0][1])
        for option in ("--user", "--library"):
            done = self.tool.run("import", "--format", "csv", option, "x" * 256, self.store.join("given.csv"))
            self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (1, "focusstats: %s: is 256 bytes long, more than 255" % option))

    def test_columns_that_are_not_read(self):
        text = "Rating,document,startTime,,seconds,Page\n5,d,%s,,9,12\n4,e,%s,,9,13\n" % (START, START)
        _, refused, said = self.bring_text(text, "--user", "ann")
        self.assertEqual((refused, said), ([], "%s: columns that are not read: 'Rating', one without a name, 'Page'\n" % self.store.join("given.csv")))
        self.assertEqual(len(self.records("session")), 2)

    def test_standard_input(self):
        report, refused, _ = self.bring("--format", "csv", "--user", "ann", "-", input=("document,startTime,seconds\nd,%s,1\n" % START).encode())
        self.assertEqual((report["sessions"]["created"], refused), (1, []))

    def test_dry_run(self):
        text = "document,startTime,seconds,title\nd,%s,1,T\n" % START
        report, _, _ = self.bring_text(text, "--user", "ann", "--dry-run")
        self.assertEqual((report["dryRun"], report["documents"]["created"], report["sessions"]["created"]), (True, 1, 1))
        self.assertEqual(self.records("session") + self.records("document"), [])


RFC3339 = " is no instant of 1970 to 9999 as RFC 3339 writes it"
BAD = [
    ("no document", {"document": ""}, "document: must not be empty"),
    ("a long document", {"document": "x" * 256}, "document: is 256 bytes long, more than 255"),
    ("a long library", {"library": "x" * 256}, "library: is 256 bytes long, more than 255"),
    ("no start", {"startTime": ""}, "startTime: must not be empty"),
    ("no offset", {"startTime": "2025-11-10 12:41:01"}, "startTime: '2025-11-10 12:41:01' has no offset from UTC, as 2025-11-10T12:41:01Z has"),
    ("a spreadsheet's number", {"startTime": "45971.52848"}, "startTime: '45971.52848'" + RFC3339),
    ("another order", {"startTime": "10.11.2025 12:41"}, "startTime: '10.11.2025 12:41'" + RFC3339),
    ("an end that is none", {"endTime": "later"}, "endTime: 'later'" + RFC3339),
    ("an end before the start", {"endTime": "2025-11-10T12:41:00Z"}, "endTime: is before startTime"),
    ("a future end", {"endTime": "9000-01-01T00:00:00Z"}, "endTime: is more than 5 minutes in the future"),
    ("seconds that are none", {"endTime": "", "seconds": "1:30"}, "seconds: must be a number, 0 or more"),
    ("seconds below 0", {"endTime": "", "seconds": "-1"}, "seconds: must be a number, 0 or more"),
    ("endless seconds", {"endTime": "", "seconds": "1e300"}, "seconds: must be a number, 0 or more"),
    ("no number", {"endTime": "", "seconds": "nan"}, "seconds: must be a number, 0 or more"),
    ("hexadecimal", {"endTime": "", "seconds": "0x10"}, "seconds: must be a number, 0 or more"),
    ("progress in percent", {"progress": "50 %"}, "progress: must be a number from 0 to 1"),
    ("progress above 1", {"progress": "1.01"}, "progress: must be a number from 0 to 1"),
    ("progress below 0", {"progress": "-0.1"}, "progress: must be a number from 0 to 1"),
    ("an id that is none", {"session": "17"}, "session: must be a UUID, or empty"),
    ("a long title", {"title": "x" * 1001}, "title: is 1001 bytes long, more than 1000"),
    ("a control character", {"title": "a\x1b"}, "title: holds the control character U+001B"),
    ("too many authors", {"authors": ";".join("abc"[:1 + number % 3] for number in range(51))}, "authors: has more than 50 names"),
    ("a long author", {"authors": "A;" + "x" * 256}, "authors: has a name of more than 255 bytes"),
    ("a quote in a quoted cell", {"title": '"a"b'}, "the record has something behind a closing quote; a quote within a cell has to be doubled"),
    ("one cell too many", {"progress": ",9"}, "the record has more cells than the first line has names"),
    ("more than 256 cells", {"progress": "," * 300}, "the record has more than 256 cells"),
]


class Refusals(CsvCase):
    def setUp(self):
        super().setUp()
        self.tool.run("init", "ann")

    def row(self, **cells):
        row = {"user": "ann", "document": "d", "startTime": START, "endTime": END, **cells}
        return ",".join(row.get(column, "") for column in COLUMNS) + "\r\n"

    @tap.cases(BAD)
    def test_one_record(self, cells, reason):
        """It is refused with the line where it begins, and what is around it is taken."""
        rows = [self.row(document="c"), self.row(**cells), self.row(document='"e"', library='"two\r\nlines"'), self.row(document="f")]
        report, refused, _ = self.bring_text(",".join(COLUMNS) + "\r\n" + "".join(rows), status=1)
        self.assertEqual(refused, [(3, reason), (4, "library: holds the control character U+000D")])
        self.assertEqual(report["sessions"]["created"], 2)
        self.assertEqual(sorted(one["document"] for one in self.records("session")), ["c", "f"])

    def test_not_utf_8(self):
        _, refused, _ = self.bring_text(b"document,startTime,seconds,user\nd\xe9,%s,1,ann\n" % START.encode(), status=1)
        self.assertEqual(refused, [(2, "document: is not valid UTF-8")])

    def test_other_values(self):
        """The same id again with another end: both stay what they were."""
        self.bring_text("user,document,startTime,seconds\nann,d,%s,1\n" % START)
        report, refused, _ = self.bring_text("user,document,startTime,seconds\nann,d,%s,2\n" % START, status=1)
        self.assertEqual((report["sessions"], refused[0][0]), ({**NOTHING, "refused": 1}, 2))
        self.assertIn("is there already, with other values", refused[0][1])
        self.assertEqual(len(self.records("session")), 1)

    def test_a_quote_without_end(self):
        path = self.store.join("given.csv")
        text = ",".join(COLUMNS) + "\r\n" + self.row() + self.row(document='"e') + self.row(document="f")
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        done = self.tool.run("import", "--format", "csv", path)
        self.assertEqual((done.returncode, done.stderr),
                         (1, 'focusstats: %s:3: the record has a quote (") that is not closed before the end of the file\n' % path))
        self.assertEqual([one["document"] for one in self.records("session")], ["d"])

    @tap.cases([
        ("nothing", b"", "is empty: the first line has to name the columns"),
        ("blank lines", b"\r\n\r\n", "is empty: the first line has to name the columns"),
        ("no header", b"ann,d,2025-11-10T12:41:01Z,5\n", "its first line names no column 'document'"),
        ("no start", b"document,endTime\n", "its first line names no column 'startTime'"),
        ("no end", b"document,startTime\n", "its first line names no column 'endTime' or 'seconds'"),
        ("two of a name", b"document,startTime,endTime,Document\n", "has two columns 'document'"),
        ("UTF-16", "document;startTime;endTime\n".encode("utf-16"), "is UTF-16: save it as UTF-8"),
        ("half a mark", b"\xef\xbbdocument", "is not UTF-8"),
    ])
    def test_no_such_file_at_all(self, content, reason):
        path = self.store.join("given.csv")
        with open(path, "wb") as file:
            file.write(content)
        done = self.tool.run("import", "--format", "csv", "--user", "ann", path)
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (1, "focusstats: %s: %s" % (path, reason)))

    def test_files(self):
        for path, words in ((self.store.join("none.csv"), "No such file or directory"), (self.store.path, "reading: Is a directory")):
            done = self.tool.run("import", "--format", "csv", path)
            self.assertEqual((done.returncode, done.stderr), (1, "focusstats: %s: %s\n" % (path, words)))


if __name__ == "__main__":
    tap.main(globals())
