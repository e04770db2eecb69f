#!/usr/bin/env python3
"""KOReader's statistics.sqlite3, imported by the tool, against figures that SQLite reckons from the same file."""

import json
import os
import shutil
import sqlite3
import struct
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "doc"))

import harness
import tap
from folder import AS_ROOT, BUILD, SOURCE
from imports import ImportCase, instant, milliseconds

REAL = os.path.join(SOURCE, "tests", "data", "koreader-statistics.sqlite3")
SPACE = uuid.UUID("5d0f9b52-7a0e-4c39-9c3e-6411a8d257e6")
START = 1745755121

# As KOReader makes them: the tables are the same in all three, the indexes are not.
BOOK = """CREATE TABLE book (id integer PRIMARY KEY autoincrement, title text, authors text, notes integer, last_open integer, highlights integer,
    pages integer, series text, language text, md5 text, total_read_time integer, total_read_pages integer)"""
PAGES = """CREATE TABLE page_stat_data (id_book integer, page integer NOT NULL DEFAULT 0, start_time integer NOT NULL DEFAULT 0,
    duration integer NOT NULL DEFAULT 0, total_pages integer NOT NULL DEFAULT 0, UNIQUE (id_book, page, start_time), FOREIGN KEY(id_book) REFERENCES book(id))"""
VIEW = "CREATE VIEW page_stat AS SELECT id_book, page, start_time, 1 AS duration FROM page_stat_data"
INDEXES = {
    20201010: ["CREATE INDEX book_title_authors_md5 ON book(title, authors, md5)"],
    20201022: ["CREATE INDEX book_title_authors_md5 ON book(title, authors, md5)", "CREATE INDEX page_stat_data_start_time ON page_stat_data(start_time)"],
    20221111: ["CREATE UNIQUE INDEX book_title_authors_md5 ON book(title, authors, md5)", "CREATE INDEX page_stat_data_start_time ON page_stat_data(start_time)"],
}
# Rows are joined by document while the next one starts no later than GAP behind the latest end so far.
SESSIONS = """
    WITH pages AS (
        SELECT b.md5 AS document, p.start_time AS start, p.start_time + p.duration AS end, 1.0 * min(p.page, p.total_pages) / p.total_pages AS progress,
            row_number() OVER near AS number, max(p.start_time + p.duration) OVER (near ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM page_stat_data p JOIN book b ON b.id = p.id_book
        WINDOW near AS (PARTITION BY b.md5 ORDER BY p.start_time, p.duration, p.rowid)),
    joined AS (SELECT *, sum(before IS NULL OR start - before > :gap) OVER (PARTITION BY document ORDER BY number) AS session FROM pages),
    last AS (SELECT document, session, max(number) AS number FROM joined GROUP BY document, session)
    SELECT j.document, min(j.start), max(j.end), max(CASE WHEN j.number = l.number THEN j.progress END), max(CASE WHEN j.number = l.number THEN j.end END)
    FROM joined j JOIN last l USING (document, session) GROUP BY j.document, j.session"""


def reckoned(path, gap=300, shift=0):
    """{(document, start, end): (progress, its time)} of the file, in ms."""
    with sqlite3.connect("file:%s?immutable=1" % path, uri=True) as database:
        return {(document, (start + shift) * 1000, (end + shift) * 1000): (round(progress, 9), (told + shift) * 1000)
                for document, start, end, progress, told in database.execute(SESSIONS, {"gap": gap})}


def session_id(document, start, user="reader", library="koreader"):
    return str(uuid.uuid5(SPACE, "\0".join([user, library, document, str(start)])))


class KOReaderCase(ImportCase):
    FORMAT = "koreader"
    OPTIONS = ("--user", "reader", "--create-users")

    def make(self, name="device/statistics.sqlite3", schema=20221111, books=(), pages=(), table=PAGES):
        """A database with (id, title, authors, md5) and (book, page, start, duration, total_pages), each start after START."""
        path = self.store.join(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        database = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(database.close)
        for statement in [BOOK, table, VIEW, *INDEXES.get(schema, []), "PRAGMA user_version = %d" % schema]:
            database.execute(statement)
        self.add(database, books, pages)
        self.database = database
        return path

    def add(self, database, books=(), pages=()):
        database.execute("BEGIN")
        database.executemany("INSERT INTO book (id, title, authors, md5) VALUES (?, ?, ?, ?)", books)
        database.executemany("INSERT INTO page_stat_data VALUES (?, ?, ?, ?, ?)",
                             [(book, page, START + start if isinstance(start, int) else start, *rest) for book, page, start, *rest in pages])
        database.execute("COMMIT")

    def stored(self):
        """As reckoned() has them."""
        return {(session["document"], milliseconds(session["startTime"]), milliseconds(session["endTime"])):
                (round(session["progress"], 9), milliseconds(session["progressTime"])) for session in self.exported("session")}

    def spans(self):
        """(document, start, end) in seconds after START, sorted."""
        return sorted((document, start // 1000 - START, end // 1000 - START) for document, start, end in
                      ((session["document"], milliseconds(session["startTime"]), milliseconds(session["endTime"])) for session in self.exported("session")))


class RealFile(KOReaderCase):
    @tap.cases([("without a service", 0), ("with one process", 1), ("with three", 3)])
    def test_sessions_and_documents(self, processes):
        if processes:
            self.serve(processes=processes)
        report = self.imported(REAL)
        expected = reckoned(REAL)
        self.assertEqual(self.stored(), expected)
        with sqlite3.connect("file:%s?immutable=1" % REAL, uri=True) as database:
            books = {md5: (number, title, authors) for number, title, authors, md5 in database.execute("SELECT id, title, authors, md5 FROM book")}
            seconds, = database.execute("SELECT sum(duration) FROM page_stat_data").fetchone()
            read = {md5 for md5, in database.execute("SELECT DISTINCT md5 FROM book JOIN page_stat_data ON id_book = id")}
        self.assertEqual(report["sessions"], {"created": len(expected), "alreadyThere": 0, "grown": 0, "refused": 0})
        self.assertEqual({document["document"]: (document.get("title"), document.get("authors") or []) for document in self.exported("document")},
                         {md5: (books[md5][1], [] if books[md5][2] == "N/A" else books[md5][2].split("\n")) for md5 in read})
        # Pages are read one at a time here, and between two of a session there may be a break.
        self.assertGreaterEqual(sum(end - start for _, start, end in expected), seconds * 1000)
        with open(os.path.join(SOURCE, "tests", "data", "reading-log.ndjson"), encoding="utf-8") as file:
            log = [json.loads(line) for line in file]
        self.assertEqual(sorted(("book-%d" % books[session["document"]][0], session["library"], session["startTime"], session["endTime"])
                                for session in self.exported("session")),
                         sorted((row["document"], row["library"], row["startTime"], row["endTime"]) for row in log))

    @tap.cases((str(gap), gap) for gap in (0, 1, 60, 300, 3600, 86400))
    def test_gap(self, gap):
        self.imported(REAL, "--gap", str(gap))
        self.assertEqual(self.stored(), reckoned(REAL, gap))

    def test_ids_are_derived_from_what_is_known(self):
        self.imported(REAL, "--library", "my reader")
        for session in self.exported("session"):
            self.assertEqual(session["library"], "my reader")
            self.assertEqual(session["focusSession"], session_id(session["document"], milliseconds(session["startTime"]) // 1000, library="my reader"))

    @tap.cases([("without a service", False), ("with one", True)])
    def test_twice_changes_nothing(self, served):
        if served:
            self.serve()
        first = self.imported(REAL)
        before = self.exported_text()
        again = self.imported(REAL)
        self.assertEqual(self.exported_text(), before)
        for kind in ("users", "documents", "sessions"):
            self.assertEqual((again[kind]["created"], again[kind]["grown"], again[kind]["refused"]), (0, 0, 0), kind)
        for kind in ("documents", "sessions"):
            self.assertEqual(again[kind]["alreadyThere"], first[kind]["created"], kind)

    def test_dry_run(self):
        report = self.imported(REAL, "--dry-run")
        self.assertEqual(report["sessions"]["created"], len(reckoned(REAL)))
        self.assertEqual(self.tool.lines("users"), [])

    @tap.cases((str(shift), shift) for shift in (3600, -3600, 86400 * 400, -86400 * 9000))
    def test_shift(self, shift):
        self.imported(REAL, "--shift", str(shift))
        self.assertEqual(self.stored(), reckoned(REAL, shift=shift))
        self.assertEqual({session["focusSession"] for session in self.exported("session")},
                         {session_id(document, start // 1000) for document, start, _ in reckoned(REAL)})

    def test_another_shift_does_not_double_them(self):
        self.imported(REAL)
        before = self.exported_text()
        refusals = self.refusals(REAL, "--shift", "3600")
        self.assertEqual(len(refusals), len(reckoned(REAL)))
        self.assertEqual(self.exported_text(), before)

    def test_the_file_stays_as_it_is(self):
        path = self.store.join("device", "statistics.sqlite3")
        os.mkdir(self.store.join("device"))
        shutil.copy(REAL, path)
        os.chmod(self.store.join("device"), 0o555)
        before = os.stat(path)
        self.imported(path)
        self.assertEqual(os.listdir(self.store.join("device")), ["statistics.sqlite3"])
        self.assertEqual((os.stat(path).st_mtime_ns, os.stat(path).st_ctime_ns), (before.st_mtime_ns, before.st_ctime_ns))
        os.chmod(self.store.join("device"), 0o755)

    def test_users_are_made_only_when_that_is_said(self):
        self.OPTIONS = ("--user", "reader")
        self.assertEqual(set(reason for _, reason in self.refusals(REAL)), {"there is no user 'reader': users come before what is theirs, or --create-users makes them"})
        self.tool.run("init", "reader")
        self.imported(REAL)
        self.assertEqual(self.stored(), reckoned(REAL))

    def test_whose_it_is_must_be_said(self):
        self.OPTIONS = ("--create-users",)
        self.fails(REAL, "--user")
        self.OPTIONS = ("--create-users", "--user", "")
        self.fails(REAL, "--user: must not be empty")
        self.OPTIONS = ("--create-users", "--user", "reader")
        self.fails(REAL, "--library: must not be empty", options=("--library", ""))


class Growth(KOReaderCase):
    def test_what_is_new_is_added(self):
        """Reading goes on within the last session, then in new ones; another book comes."""
        path = self.make(books=[(1, "One", "A", "aa")], pages=[(1, 1, 0, 30, 10), (1, 2, 30, 30, 10), (1, 3, 1000, 30, 10)])
        self.imported(path)
        self.assertEqual(self.spans(), [("aa", 0, 60), ("aa", 1000, 1030)])
        ids = [session["focusSession"] for session in self.exported("session")]
        self.add(self.database, [(2, "Two", "B", "bb")], [(1, 4, 1040, 20, 10), (1, 5, 1070, 30, 10), (1, 6, 5000, 10, 10), (2, 1, 1200, 10, 4)])
        report = self.imported(path)
        self.assertEqual(report["sessions"], {"created": 2, "alreadyThere": 1, "grown": 1, "refused": 0})
        self.assertEqual(report["documents"]["created"], 1)
        self.assertEqual(self.spans(), [("aa", 0, 60), ("aa", 1000, 1100), ("aa", 5000, 5010), ("bb", 1200, 1210)])
        self.assertEqual([session["focusSession"] for session in self.exported("session")][:2], ids)
        self.assertEqual(self.stored(), reckoned(path))
        again = self.imported(path)["sessions"]
        self.assertEqual((again["alreadyThere"], again["created"], again["grown"], again["refused"]), (4, 0, 0, 0))

    def test_as_if_it_were_imported_at_once(self):
        """The real file row by row of time, in steps, gives what it gives at once."""
        path = self.store.join("growing.sqlite3")
        shutil.copy(REAL, path)
        with sqlite3.connect(path) as database:
            rows = database.execute("SELECT * FROM page_stat_data ORDER BY start_time, rowid").fetchall()
            database.execute("DELETE FROM page_stat_data")
        for begin in range(0, len(rows), 100):
            with sqlite3.connect(path) as database:
                database.executemany("INSERT INTO page_stat_data VALUES (?, ?, ?, ?, ?)", rows[begin:begin + 100])
            self.imported(path)
        self.assertEqual(self.stored(), reckoned(REAL))

    def test_a_description_that_is_there_stays(self):
        self.serve()
        path = self.make(books=[(1, "One", "A", "aa")], pages=[(1, 1, 0, 30, 10)])
        self.imported(path)
        self.assertEqual(self.responder.post("setDocument", {"user": "reader", "document": "aa", "title": "Mine"}).status, 200)
        self.imported(path)
        self.assertEqual([document["title"] for document in self.exported("document")], ["Mine"])


class States(KOReaderCase):
    """What another program leaves beside the file."""

    BOOKS = [(1, "One", "A", "aa")]

    def taken(self, path, *suffixes):
        """A copy of the file and what is beside it, in a folder that nobody may write to."""
        folder = self.store.join("taken")
        os.mkdir(folder)
        for suffix in ("", *suffixes):
            self.assertGreater(os.path.getsize(path + suffix), 0)
            shutil.copy(path + suffix, folder)
        os.chmod(folder, 0o555)
        self.addCleanup(os.chmod, folder, 0o755)
        return os.path.join(folder, os.path.basename(path))

    def contents(self, folder):
        found = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                found[name] = file.read()
        return found

    def unchanged(self, path, *options):
        """Imports, and looks that neither the file's folder nor that for temporary files is another one afterwards."""
        place = self.store.join("tmp")
        os.makedirs(place, exist_ok=True)
        os.chmod(place, 0o777)
        before = self.contents(os.path.dirname(path))
        report = self.imported(path, *options, settings={"TMPDIR": place})
        self.assertEqual(self.contents(os.path.dirname(path)), before)
        self.assertEqual(os.listdir(place), [])
        return report

    @tap.cases((str(schema), schema) for schema in INDEXES)
    def test_schema(self, schema):
        path = self.make(schema=schema, books=[(1, "One", "A", "aa"), (2, "Two", None if schema < 20221111 else "", "bb")],
                         pages=[(1, 1, 0, 30, 10), (2, 1, 10, 5, 4), (1, 2, 30, 30, 10)])
        self.unchanged(path)
        self.assertEqual(self.stored(), reckoned(path))
        self.assertEqual(self.spans(), [("aa", 0, 60), ("bb", 10, 15)])

    @tap.cases([(str(schema), schema, word) for schema, word in ((0, "newer KOReader"), (20200601, "newer KOReader"), (20201009, "newer KOReader"),
                                                                 (20221112, "newer than this program"), (20260101, "newer than this program"))])
    def test_other_schemas(self, schema, word):
        path = self.make(schema=schema, books=self.BOOKS, pages=[(1, 1, 0, 30, 10)])
        self.assertIn("has schema %d of KOReader's statistics, and 20201010 to 20221111 can be read: " % schema, self.fails(path, word))

    def test_what_is_in_the_wal_alone(self):
        """Tables and some rows in the file, the rest only beside it, as KOReader has it while it runs and when it was cut off."""
        path = self.make(books=self.BOOKS, pages=[(1, 1, 0, 30, 10)])
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA wal_autocheckpoint = 0")
        self.add(self.database, pages=[(1, 2, 1000, 30, 10), (1, 3, 2000, 30, 10)])
        path = self.taken(path, "-wal")
        self.assertEqual(len(reckoned(path)), 1)
        self.unchanged(path)
        self.assertEqual(self.spans(), [("aa", 0, 30), ("aa", 1000, 1030), ("aa", 2000, 2030)])

    def test_a_wal_beside_a_link(self):
        path = self.make(books=self.BOOKS, pages=[(1, 1, 0, 30, 10)])
        self.database.execute("PRAGMA journal_mode = WAL")
        self.add(self.database, pages=[(1, 2, 1000, 30, 10)])
        os.symlink(self.taken(path, "-wal"), self.store.join("link"))
        self.imported(self.store.join("link"))
        self.assertEqual(len(self.spans()), 2)

    def test_an_empty_wal(self):
        path = self.make(books=self.BOOKS, pages=[(1, 1, 0, 30, 10)])
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.close()
        with open(path + "-wal", "wb"):
            pass
        path = self.taken(path)
        self.unchanged(path)
        self.assertEqual(self.spans(), [("aa", 0, 30)])

    def test_a_wal_of_another_file(self):
        """SQLite passes over what is no part of this database."""
        path = self.make(books=self.BOOKS, pages=[(1, 1, 0, 30, 10)])
        with open(path + "-wal", "wb") as file:
            file.write(b"\x37\x7f\x06\x82" + os.urandom(9000))
        self.unchanged(path)
        self.assertEqual(self.spans(), [("aa", 0, 30)])

    def test_a_journal_is_not_taken_back(self):
        """The file as it is in the middle of a write that never ended. A journal may name another file that SQLite would remove: nothing is
        done with it."""
        path = self.make(books=self.BOOKS, pages=[(1, page, 100 * page, 30, 5000) for page in range(1000)])
        self.database.execute("PRAGMA journal_mode = TRUNCATE")
        self.database.execute("PRAGMA cache_size = 1")
        with open(path, "rb") as file:
            before = file.read()
        self.database.execute("BEGIN")
        self.database.execute("UPDATE page_stat_data SET duration = 90")
        self.database.execute("DELETE FROM page_stat_data WHERE page > 500")
        path = self.taken(path, "-journal")
        found = self.contents(os.path.dirname(path))
        self.assertNotEqual(found["statistics.sqlite3"], before)
        self.tool.run("users")
        victim = os.path.join(self.store.home, "meta.db").encode()
        self.assertTrue(os.path.exists(victim))
        record = struct.pack(">I", 0) + victim + struct.pack(">II", len(victim), sum(victim)) + bytes.fromhex("d9d505f920a163d7")
        with open(path + "-journal", "ab") as file:
            file.write(record)
        self.fails(path, "a write to it was cut off, or goes on (%s-journal)" % path)
        self.assertTrue(os.path.exists(victim))
        self.assertEqual(self.spans(), [])

    def test_while_the_other_program_has_it_open(self):
        path = self.make(books=self.BOOKS, pages=[(1, 1, 0, 30, 10)])
        for mode in ("DELETE", "WAL"):
            self.database.execute("PRAGMA journal_mode = " + mode)
            self.database.execute("BEGIN IMMEDIATE")
            self.imported(path)
            self.database.execute("COMMIT")
            self.assertEqual(self.spans(), [("aa", 0, 30)])

    def test_no_place_for_the_copy(self):
        path = self.make(books=self.BOOKS, pages=[(1, 1, 0, 30, 10)])
        self.database.execute("PRAGMA journal_mode = WAL")
        self.add(self.database, pages=[(1, 2, 1000, 30, 10)])
        self.fails(path, "cannot be copied to /nowhere/focusstats-", settings={"TMPDIR": "/nowhere"})
        place = self.store.join("full")
        os.mkdir(place, 0o555)
        if AS_ROOT:
            self.fails(path, "cannot be copied to %s/focusstats-" % place, "Permission denied", settings={"TMPDIR": place})

    def test_a_name_with_everything_in_it(self):
        folder = "a b?mode=rwc&c=%41#d é"
        path = self.make(name=os.path.join(folder, "é?#%20 .sqlite3"), books=self.BOOKS, pages=[(1, 1, 0, 30, 10)])
        self.unchanged(path)
        self.assertEqual(self.spans(), [("aa", 0, 30)])
        self.assertEqual(len(os.listdir(self.store.join(folder))), 1)


class Contents(KOReaderCase):
    def test_names(self):
        long_title, long_author = "x" * 998 + "éé", "y" * 254 + "é"
        books = [
            (1, "Title\0\0\0", "Author\0\0", "m1"), (2, "N/A", "N/A", "m2"), (3, "", "", "m3"), (4, None, None, "m4"),
            (5, "Two\nlines\t", "A\nB\n\nA\nN/A\n C ", "m5"), (6, long_title, long_author, "m6"), (7, b"Caf\xe9", b"\xff", "m7"),
            (8, 1984, 5, "m8"), (9, "N/A", "Only the author", "m9\0\0"), (10, "Many", "\n".join("A%d" % i for i in range(60)), "m10"),
        ]
        path = self.make(books=books, pages=[(book[0], 1, book[0] * 10, 5, 10) for book in books])
        self.imported(path)
        self.assertEqual({document["document"]: (document.get("title"), document.get("authors") or []) for document in self.exported("document")}, {
            "m1": ("Title", ["Author"]), "m5": ("Two lines", ["A", "B", "C"]), "m6": ("x" * 998 + "é", ["y" * 254]), "m7": ("Caf\ufffd", ["\ufffd"]),
            "m8": ("1984", ["5"]), "m9": (None, ["Only the author"]), "m10": ("Many", ["A%d" % i for i in range(50)])})
        self.assertEqual({session["document"] for session in self.exported("session")}, {"m%d" % i for i in range(1, 11)})

    def test_a_book_that_was_renamed(self):
        """KOReader has two books of one checksum then, here with the same rows in both, as its synchronisation leaves them."""
        rows = [(1, 0, 30, 10), (2, 30, 30, 10), (3, 60, 30, 10)]
        path = self.make(books=[(1, "one.epub", "N/A", "aa"), (2, "One", "A", "aa")],
                         pages=[(book, *row) for row in rows for book in (1, 2)] + [(2, 4, 90, 30, 10)])
        report = self.imported(path)
        self.assertEqual(report["sessions"]["created"], 1)
        self.assertEqual(self.stored(), reckoned(path))
        self.assertEqual(self.spans(), [("aa", 0, 120)])
        self.assertEqual([(document["title"], document["authors"]) for document in self.exported("document")], [("One", ["A"])])

    def test_books_without_a_checksum(self):
        path = self.make(books=[(1, "One", "A", None), (2, "Two\0", "A", ""), (3, "Two", "A", "N/A"), (4, "Two", "B", None)],
                         pages=[(book, 1, 1000 * book, 30, 10) for book in (1, 2, 3, 4)])
        self.imported(path)
        ids = [str(uuid.uuid5(SPACE, name)) for name in ("One\0A", "Two\0A", "Two\0A", "Two\0B")]
        self.assertEqual(self.spans(), sorted((document, 1000 * book, 1000 * book + 30) for book, document in enumerate(ids, 1)))
        self.assertEqual({document["document"]: document["title"] for document in self.exported("document")}, dict(zip(ids, ("One", "Two", "Two", "Two"))))

    def test_pages_of_all_kinds(self):
        """Overlapping ones, empty ones, ones out of order, one within another, more pages than there are, none known."""
        path = self.make(books=[(1, "One", "A", "aa"), (2, "Two", "A", "bb"), (3, "Three", "A", "cc")], pages=[
            (1, 5, 500, 0, 10), (1, 1, 0, 120, 10), (1, 2, 10, 10, 10), (1, 3, 430, 20, 10),
            (2, 12, 0, 10, 10), (2, 3, 5, 10, 0),
            (3, 1, 0, 0, 0)])
        self.imported(path)
        self.assertEqual(self.spans(), [("aa", 0, 120), ("aa", 430, 500), ("bb", 0, 15), ("cc", 0, 0)])
        told = sorted((session["document"], session.get("progress"), session.get("progressTime")) for session in self.exported("session"))
        self.assertEqual(told, [("aa", 0.2, instant(START + 20)), ("aa", 0.5, instant(START + 500)), ("bb", 1, instant(START + 10)), ("cc", None, None)])

    def test_rows_that_are_none(self):
        soon, late = int(time.time()) + 200, int(time.time()) + 100000
        rows = [
            (1, 1, 0, 30, 10), (1, 1, "yesterday", 30, 10), (1, 1, None, 30, 10), (1, 1, -5 - START, 30, 10), (1, 1, 100, -1, 10), (1, 1, 100, "long", 10),
            (1, 1, 100, None, 10), (1, -1, 100, 1, 10), (1, 1, 100, 1, -10), (1, "x\0y", 100, 1, 10), (1, 1, 100.5, 1, 10), (1, 1, 100, 2.5, 10),
            (1, 1, late - START, 1, 10), (1, 1, soon - START, 100000, 10), (1, 1, 2**62 - START, 1, 10), (1, 1, 100, 2**62, 10),
            (7, 1, 200, 30, 10), (None, 1, 200, 30, 10), (2, 1, 200, 30, 10), (1, 2, 30, 30, 10), (1, 1, soon - START, 10, 10),
        ]
        path = self.make(books=[(1, "One", "A", "aa"), (2, "N/A", "A", "")], pages=rows, table="CREATE TABLE page_stat_data (id_book, page, start_time, duration, total_pages)")
        refused = self.refusals(path)
        ahead = "is, with duration and shift, more than 5 minutes in the future"
        none = "is no number from 0 on that can be"
        self.assertEqual(sorted(refused), [
            (2, "start_time: yesterday " + none), (3, "start_time: NULL " + none), (4, "start_time: -5 " + none), (5, "duration: -1 " + none),
            (6, "duration: long " + none), (7, "duration: NULL " + none), (8, "page: -1 " + none), (9, "total_pages: -10 " + none), (10, "page: x " + none),
            (11, "start_time: 100.5 " + none), (12, "duration: 2.5 " + none), (13, "start_time: %d %s" % (late, ahead)), (14, "start_time: %d %s" % (soon, ahead)),
            (15, "start_time: %d %s" % (2**62, none)), (16, "duration: %d %s" % (2**62, none)), (17, "id_book: 7 is no book"), (18, "id_book: NULL is no book"),
            (19, "id_book: 2 is a book without checksum and title")])
        self.assertEqual(self.spans(), [("aa", 0, 60), ("aa", soon - START, soon - START + 10)])

    def test_shifts_of_a_clock_that_was_wrong(self):
        """One that had begun in 1970, one that was years ahead."""
        ahead = 10 * 365 * 86400
        path = self.make(books=[(1, "One", "A", "aa")], pages=[(1, 1, 5000 - START, 30, 10)])
        self.assertEqual(self.refusals(path, "--shift", "-5001"), [(1, "start_time: 5000 is, with the shift, before 1970")])
        self.imported(path, "--shift", str(START))
        self.assertEqual(self.spans(), [("aa", 5000, 5030)])
        path = self.make(name="device/other.sqlite3", books=[(1, "Two", "A", "bb")], pages=[(1, 1, ahead, 30, 10)])
        self.assertEqual(len(self.refusals(path)), 1)
        self.imported(path, "--shift", str(-ahead))
        self.assertEqual(self.spans(), [("aa", 5000, 5030), ("bb", 0, 30)])

    def test_many_rows_in_many_batches(self):
        """More sessions than go to the owner at once; half of the books twice."""
        path = self.make(books=[(book, "Book %d" % book, "A", "md5-%d" % (book % 40)) for book in range(60)],
                         pages=[(row % 60, row, row * 97 % 500000, row % 120, 20000) for row in range(12000)])
        self.serve()
        expected = reckoned(path)
        self.assertGreater(len(expected), 3000)
        self.imported(path)
        self.assertEqual(self.stored(), expected)


class Documentation(KOReaderCase):
    def test_examples(self):
        """The commands of doc/moving.md with the real file."""
        shutil.copy(REAL, self.store.join("log", "statistics.sqlite3"))
        self.assert_examples("koreader", 1)


class NotOne(KOReaderCase):
    """What is no statistics file: a clear error that begins with the file's name, and nothing is stored."""

    def file(self, name, content):
        path = self.store.join(name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def real(self):
        with open(REAL, "rb") as file:
            return bytearray(file.read())

    def refused(self, path, *words, **more):
        self.assertIn(path + ": ", self.fails(path, *words, **more))
        self.assertEqual(self.tool.lines("users"), [])

    def test_what_is_no_database(self):
        for content in (b"", b"SQLite format 3", b"SQLite format 4\0" + bytes(5000), b"{}\n", os.urandom(8192)):
            self.refused(self.file("x", content), "is not an SQLite database, or an encrypted one")

    def test_what_is_no_file(self):
        self.refused(self.store.join("missing"), "No such file or directory")
        self.refused(self.store.path, "is a folder")
        os.mkfifo(self.store.join("pipe"), 0o644)
        self.refused(self.store.join("pipe"), "is a device or pipe")
        self.assertIn("-: a database is read from a file", self.fails("-"))

    def test_what_may_not_be_read(self):
        path = self.file("x", self.real())
        os.chmod(path, 0)
        self.refused(path, "Permission denied")

    def test_other_databases(self):
        path = self.store.join("other")
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE notes (text)")
        self.refused(path, "is not KOReader's statistics: there is no table book")
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE book (title)")
            database.execute("PRAGMA user_version = 20221111")
        self.refused(path, "is not KOReader's statistics: there is no table page_stat_data")
        with sqlite3.connect(path) as database:
            database.execute("CREATE VIEW page_stat_data AS SELECT 1 AS page")
        self.refused(path, "there is no table page_stat_data")
        with sqlite3.connect(path) as database:
            database.execute("DROP VIEW page_stat_data")
            database.execute("CREATE TABLE page_stat_data (page)")
        self.refused(path, "no such column")

    def test_truncated(self):
        whole = self.real()
        for size in (16, 100, 4096, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
            self.refused(self.file("x", whole[:size]), "x: ")

    def test_damaged(self):
        whole = self.real()
        for page in range(1, len(whole) // 4096):
            damaged = whole[:]
            damaged[page * 4096:page * 4096 + 64] = b"\xa5" * 64
            done = self.run_import(self.file("x", damaged))
            # A page that nothing is on may hold anything.
            if done.returncode == 0:
                self.assertEqual(self.stored(), reckoned(REAL))
                self.tool.run("remove", "reader", "--yes")
            else:
                self.assertRegex(done.stderr, r"(?m)^focusstats: .*x: is damaged: ")
                self.assertEqual(self.tool.lines("users"), [])
        self.refused(self.file("x", whole[:4096] + b"\xa5" * (len(whole) - 4096)), "is damaged: ")

    def test_sqlite_is_in_the_tool_alone(self):
        def has(program):
            with open(program, "rb") as file:
                return b"libsqlite3.so" in file.read()
        self.assertTrue(has(os.path.join(BUILD, "focusstats")))
        self.assertFalse(has(self.store.program))


if __name__ == "__main__":
    tap.main(globals())
