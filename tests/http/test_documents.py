#!/usr/bin/env python3
"""Documents: their names, what was read of them, how far, and what is left."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import timed
import tap

DOCUMENT = ["document", "title", "authors", "seconds", "sessions", "activeDays", "firstStart", "lastEnd", "progress", "remainingSeconds"]


class DocumentCase(timed.TimedCase):
    """A reader in UTC."""

    abstract = True

    def setUp(self):
        super().setUp()
        self.init()

    def set(self, document="a book", **fields):
        self.assertEqual(self.ok("setDocument", {"user": self.user, "document": document, **fields}), {"document": document})

    def documents(self, **fields):
        return self.list("_getDocuments", fields)

    def document(self, name="a book", **fields):
        return next(document for document in self.documents(**fields) if document["document"] == name)


class Names(DocumentCase):
    """setDocument."""

    def setUp(self):
        super().setUp()
        self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z")

    def named(self, **fields):
        document = self.document(**fields)
        return document["title"], document["authors"]

    def test_unnamed(self):
        self.assertEqual(self.named(), (None, []))

    def test_title_and_authors(self):
        self.set(title="The Odyssey", authors=["Homer", "Emily Wilson"])
        self.assertEqual(self.named(), ("The Odyssey", ["Homer", "Emily Wilson"]))

    def test_what_is_left_out_stays(self):
        self.set(title="The Odyssey")
        self.set(authors=["Homer"])
        self.assertEqual(self.named(), ("The Odyssey", ["Homer"]))
        self.set(title="Odyssey")
        self.set()
        self.assertEqual(self.named(), ("Odyssey", ["Homer"]))

    def test_empty_ones_clear(self):
        self.set(title="The Odyssey", authors=["Homer"])
        self.set(title="")
        self.assertEqual(self.named(), (None, ["Homer"]))
        self.set(authors=[])
        self.assertEqual(self.named(), (None, []))

    def test_no_session_is_needed(self):
        self.set("another", title="Walden")
        self.assertEqual([document["document"] for document in self.documents()], ["a book"])
        self.add("2025-11-03T10:00:00Z", "2025-11-03T10:30:00Z", "another")
        self.assertEqual(self.document("another")["title"], "Walden")

    def test_names_are_the_user_s_own(self):
        self.set(title="Mine")
        other = self.user + "-2"
        self.init(other)
        self.ok("addSession", {"user": other, "document": "a book", "library": "l", "startTime": "2025-11-03T10:00:00Z",
                               "endTime": "2025-11-03T11:00:00Z"})
        self.assertIsNone(self.list("_getDocuments", {"user": other})[0]["title"])

    @tap.cases([("1,000 bytes", "x" * 1000), ("of three bytes each", "書" * 333 + "x"), ("quotes and a backslash", "\"The\" \\ Odyssey"),
                ("markup", "<b>&amp;</b>"),
                ("a blank", " "), ("not normalised", "e\u0301\u00e9"), ("beyond the first plane", "📚\U0010ffff")])
    def test_good_title(self, title):
        self.set(title=title, authors=[title.encode()[:255].decode("utf-8", "ignore")])
        self.assertEqual(self.named(), (title, [title.encode()[:255].decode("utf-8", "ignore")]))

    @tap.cases([("1,001 bytes", "x" * 1001), ("1,002 bytes", "書" * 334), ("a newline", "a\nb"), ("a NUL", "a\u0000"), ("DEL", "\u007f"),
                ("null", None), ("a number", 1),
                ("an array", ["a"]), ("an object", {}), ("true", True)])
    def test_bad_title(self, title):
        self.set(title="The Odyssey", authors=["Homer"])
        self.refused(400, ["title"], "setDocument", {"user": self.user, "document": "a book", "title": title, "authors": []})
        self.assertEqual(self.named(), ("The Odyssey", ["Homer"]))

    def test_half_a_surrogate_pair(self):
        self.refused(400, [], "setDocument", b'{"user":"%s","document":"a book","title":"\\ud83d"}' % self.user.encode())
        self.refused(400, [], "setDocument", b'{"user":"%s","document":"a book","title":"\xff"}' % self.user.encode())

    def test_fifty_authors(self):
        authors = ["%02d" % number + "x" * 253 for number in range(50)]
        self.set(authors=authors)
        self.assertEqual(self.named()[1], authors)

    @tap.cases([("51 of them", ["a"] * 51), ("256 bytes", ["a", "x" * 256]), ("an empty one", ["a", ""]), ("a newline", ["a\nb"]),
                ("null in it", ["a", None]),
                ("a number in it", [1]), ("an array in it", [["a"]]), ("null", None), ("a string", "Homer"), ("an object", {}), ("a number", 0)])
    def test_bad_authors(self, authors):
        self.refused(400, ["authors"], "setDocument", {"user": self.user, "document": "a book", "title": "x", "authors": authors})
        self.assertEqual(self.named(), (None, []))

    def test_unknown_user(self):
        self.refused(404, ["nobody of this name"], "setDocument", {"user": "nobody of this name", "document": "d", "title": "t"})

    def test_document_is_required(self):
        self.refused(400, ["document"], "setDocument", {"user": self.user, "title": "t"})

    def test_the_name_stays_when_the_last_session_goes(self):
        self.set(title="The Odyssey")
        self.ok("removeSession", {"focusSession": self.ended()[0]})
        self.assertEqual(self.documents(), [])
        self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z")
        self.assertEqual(self.named()[0], "The Odyssey")


class Titles(DocumentCase):
    """_getTitles."""

    def titles(self):
        return self.list("_getTitles", {})

    def test_none(self):
        self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z")
        self.assertEqual(self.post("_getTitles", {"user": self.user}).text, "[]\n")

    def test_with_and_without_sessions(self):
        self.set("walden", title="Walden")
        self.set("emma", authors=["Jane Austen"])
        self.begin()
        self.set(title="The Odyssey", authors=["Homer"])
        self.assertEqual(self.titles(), [
            {"document": "a book", "title": "The Odyssey", "authors": ["Homer"]},
            {"document": "emma", "title": None, "authors": ["Jane Austen"]},
            {"document": "walden", "title": "Walden", "authors": []}])

    def test_cleared(self):
        self.set("emma", title="Emma", authors=["Jane Austen"])
        self.set("emma", title="", authors=[])
        self.assertEqual(self.titles(), [])

    def test_of_the_user_alone(self):
        self.set(title="Mine")
        other = self.user + "-2"
        self.init(other)
        self.assertEqual(self.list("_getTitles", {"user": other}), [])
        self.refused(404, ["nobody of this name"], "_getTitles", {"user": "nobody of this name"})


class Read(DocumentCase):
    """_getDocuments."""

    def test_none(self):
        self.assertEqual(self.post("_getDocuments", {"user": self.user}).text, "[]\n")

    def test_keys_and_figures(self):
        self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z")
        self.add("2025-11-03T10:30:00Z", "2025-11-03T12:00:00Z")
        self.add("2025-11-05T10:00:00Z", "2025-11-05T10:00:00.499Z")
        self.assertEqual(self.keys("_getDocuments", {}), [DOCUMENT])
        self.assertEqual(self.documents(), [{
            "document": "a book", "title": None, "authors": [], "seconds": 7200, "sessions": 3, "activeDays": 2,
            "firstStart": "2025-11-03T10:00:00.000Z",
            "lastEnd": "2025-11-05T10:00:00.499Z", "progress": None, "remainingSeconds": None}])

    def test_most_read_first(self):
        """By milliseconds, those with as many by their id's bytes."""
        for name, end in (("b", "10:00:01.000"), ("c", "10:00:01.001"), ("a", "10:00:01.000"), ("B", "10:00:01.000"), ("é", "10:00:01.000"),
                          ("zero", "10:00:00.000"),
                          ("most", "10:00:02.000"), ("ab", "10:00:01.000"), ("\U00010000", "10:00:01.000"), ("\uffff", "10:00:01.000")):
            self.add("2025-11-03T10:00:00Z", "2025-11-03T%sZ" % end, name)
        self.assertEqual([document["document"] for document in self.documents()],
                         ["most", "c", "B", "a", "ab", "b", "é", "\uffff", "\U00010000", "zero"])

    def test_unions_within_the_document(self):
        """Two books at once have their time each."""
        self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z", "one")
        self.add("2025-11-03T10:00:00Z", "2025-11-03T11:00:00Z", "two")
        self.assertEqual([document["seconds"] for document in self.documents()], [3600, 3600])
        self.assertEqual(self.one("_getSummary")["seconds"], 3600)

    def test_of_zero_length(self):
        self.add("2025-11-03T10:00:00Z", "2025-11-03T10:00:00Z")
        document = self.document()
        self.assertEqual((document["seconds"], document["sessions"], document["activeDays"], document["firstStart"], document["lastEnd"]),
                         (0, 1, 0, "2025-11-03T10:00:00.000Z", "2025-11-03T10:00:00.000Z"))
        self.assertEqual(self.documents(to="2025-11-03T10:00:00Z"), [])
        self.assertEqual(len(self.documents(**{"from": "2025-11-03T10:00:00Z"})), 1)

    def test_cut_at_the_range(self):
        self.add("2025-11-03T10:00:00Z", "2025-11-05T10:00:00Z")
        document = self.document(**{"from": "2025-11-04", "to": "2025-11-05"})
        self.assertEqual((document["seconds"], document["activeDays"], document["firstStart"], document["lastEnd"]),
                         (86400, 1, "2025-11-04T00:00:00.000Z", "2025-11-05T00:00:00.000Z"))


class Progress(DocumentCase):
    """How far, and what is left."""

    def setUp(self):
        super().setUp()
        self.at("2025-11-03T08:00:00Z")

    def read(self, minutes, progress=None, document="a book"):
        """A session of some minutes from now on; a minute's pause follows."""
        started = self.begin(document)
        self.later(60 * minutes)
        self.end(started, **({} if progress is None else {"progress": progress}))
        self.later(60)
        return started

    def left(self, **fields):
        document = self.document(**fields)
        return document["progress"], document["remainingSeconds"]

    def test_unknown(self):
        self.read(10)
        self.assertEqual(self.left(), (None, None))

    def test_one_report_has_no_pace(self):
        self.read(10, 0.5)
        self.assertEqual(self.left(), (0.5, None))

    def test_pace(self):
        """20 and 40 minutes for 0.1 and 0.2: half the book is left after 0.5. The session before, of unknown length of text, counts nowhere."""
        self.read(600, 0.2)
        self.read(20, 0.3)
        self.read(40, 0.5)
        self.assertEqual(self.left(), (0.5, round(0.5 * 3600 / 0.3)))

    def test_sessions_without_report_are_left_out(self):
        self.read(20, 0.25)
        self.read(600)
        self.read(30, 0.5)
        self.assertEqual(self.left(), (0.5, 3600))

    def test_going_back_is_left_out(self):
        """Only Δ > 0 counts, with the time of those sessions."""
        self.read(10, 0.5)
        self.read(20, 0.25)
        self.read(30, 0.5)
        self.read(40, 0.5)
        self.assertEqual(self.left(), (0.5, 3600))

    def test_at_the_end(self):
        self.read(10, 0.5)
        self.read(10, 1)
        self.assertEqual(self.left(), (1, 0))

    def test_at_the_end_without_pace(self):
        """0 at 1; null without Δ: with a single report there is no Δ."""
        self.read(10, 1)
        self.assertEqual(self.left()[0], 1)

    def test_progress_is_the_latest_report_whatever_the_range(self):
        self.read(20, 0.25)
        self.read(30, 0.5)
        self.at("2025-11-09T08:00:00Z")
        self.read(10, 0.75)
        self.assertEqual(self.left(to="2025-11-04"), (0.75, 1800))
        self.assertEqual(self.left(), (0.75, 1200))
        self.assertEqual(self.left(**{"from": "2025-11-09"}), (0.75, None))

    def test_seconds_are_cut_at_the_range(self):
        self.read(20, 0.25)
        self.read(30, 0.5)
        self.assertEqual(self.left(to="2025-11-03T08:36:00Z"), (0.5, 1800))

    def test_the_latest_report_is_of_whichever_session(self):
        """Of an open one as well; and the later start is not the later report."""
        first = self.begin()
        second = self.begin()
        self.later(60)
        self.ok("heartbeat", {"focusSession": second, "progress": 0.75})
        self.later(60)
        self.end(first, progress=0.25)
        self.assertEqual(self.left()[0], 0.25)
        self.later(60)
        self.ok("heartbeat", {"focusSession": second, "progress": 0.125})
        self.assertEqual(self.left()[0], 0.125)

    def test_each_document_has_its_own(self):
        self.read(20, 0.25, "one")
        self.read(20, 0.5, "two")
        self.read(20, 0.5, "one")
        self.assertEqual([(document["document"], document["progress"], document["remainingSeconds"]) for document in self.documents()],
                         [("one", 0.5, 2400), ("two", 0.5, None)])

    def test_an_edit_takes_its_report_along(self):
        self.read(20, 0.25, "one")
        moved = self.read(20, 0.5, "one")
        self.ok("editSession", {"focusSession": moved, "document": "two"})
        self.assertEqual([(document["document"], document["progress"]) for document in self.documents()], [("one", 0.25), ("two", 0.5)])
        self.ok("removeSession", {"focusSession": moved})
        self.assertEqual(self.document("one")["progress"], 0.25)

    def test_removal_takes_the_latest_report_away(self):
        self.read(20, 0.25)
        removed = self.read(20, 0.5)
        self.ok("removeSession", {"focusSession": removed})
        self.assertEqual(self.left(), (0.25, None))

    def test_expired_sessions_keep_theirs(self):
        self.read(20, 0.25)
        started = self.begin()
        self.later(1800)
        self.ok("heartbeat", {"focusSession": started, "progress": 0.5})
        self.later(3600)
        self.assertEqual(self.left(), (0.5, 3600))

    def test_by_library(self):
        """Figures and pace are of the filter's sessions; progress is the document's."""
        self.read(20, 0.25)
        self.read(30, 0.5)
        self.assertEqual(self.documents(library="work"), [])
        self.assertEqual(self.left(library="home"), (0.5, 3600))


if __name__ == "__main__":
    tap.main(globals())
