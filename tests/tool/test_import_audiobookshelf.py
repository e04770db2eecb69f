#!/usr/bin/env python3
"""Audiobookshelf's listening sessions, imported by the tool, in every layout in which its API or a person may have put them."""

import fcntl
import json
import os
import re
import subprocess
import sys
import termios
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "doc"))

import harness
import tap
from imports import ImportCase, milliseconds
from markdown import blocks, read

SPACE = uuid.UUID("e26b308a-41d7-4f05-b17c-902df4661b3e")
START = 1668330137087
USER = "2b1f0c3e-7a52-4a9e-9d56-0a7e2c3d4e5f"
LIBRARY = "5a1d7a4e-0c8b-4c56-8a70-3c2f1e0d9b8a"
BOOK = "0d9f2c1a-6f5b-4b7e-8f10-8a7c6d5e4f30"
PODCAST = "b3c1e0f2-1111-4222-8333-944455556666"
EPISODE = "c4d2f1e3-7777-4888-9999-aaaabbbbcccc"


def session(number=0, **changed):
    """One as the API answers it (server/objects/PlaybackSession.js, toJSON), of a book or, with an episodeId, of a podcast."""
    made = {
        "id": str(uuid.uuid5(SPACE, "session %d" % number)), "userId": USER, "libraryId": LIBRARY, "libraryItemId": BOOK, "bookId": str(uuid.uuid4()),
        "episodeId": None, "mediaType": "book",
        "mediaMetadata": {"title": "The Time Machine", "authors": [{"id": "1", "name": "H. G. Wells"}, {"id": "2", "name": "Jr., A. Nother"}],
                          "narrators": ["Somebody Else"], "series": [{"sequence": "1", "name": "sessions"}], "description": "a \"quote\", [brackets] {braces} \\"},
        "chapters": [{"id": 0, "start": 0, "end": 10, "title": "1"}], "displayTitle": "The Time Machine", "displayAuthor": "H. G. Wells, Jr., A. Nother",
        "coverPath": "/metadata/items/x/cover.jpg", "duration": 12345.5, "playMethod": 0, "mediaPlayer": "html5",
        "deviceInfo": {"id": "d", "ipAddress": "192.0.2.1", "browserName": "Firefox", "osName": "Linux", "serverVersion": "2.17.0"}, "serverVersion": "2.17.0",
        "date": "2022-11-13", "dayOfWeek": "Sunday", "timeListening": 15, "startTime": 596.779402, "currentTime": 6172.75,
        "startedAt": START + number * 86400000, "updatedAt": START + number * 86400000 + 15070}
    made.update(changed)
    return {key: value for key, value in made.items() if value != "absent"}


def page(sessions, **more):
    return {"total": len(sessions), "numPages": 1, "page": 0, "itemsPerPage": 10, **more, "sessions": sessions, "userId": USER}


# How each writes a list of sessions.
LAYOUTS = {
    "a page": lambda sessions: json.dumps(page(sessions)),
    "a page over many lines": lambda sessions: json.dumps(page(sessions), indent=2),
    "a page whose list comes first": lambda sessions: json.dumps({"sessions": sessions, "total": 1, "more": {"sessions": [{}], "a": "]}"}}),
    "pages one behind the other": lambda sessions: "".join(json.dumps(page([one])) for one in sessions),
    "pages with line breaks": lambda sessions: "\r\n\r\n".join(json.dumps(page([one]), indent="\t") for one in sessions) + "\n",
    "a list": json.dumps,
    "a list over many lines": lambda sessions: "\ufeff \n" + json.dumps(sessions, indent=1),
    "one a line": lambda sessions: "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in sessions),
    "one a line, with lists of the same name deeper within": lambda sessions: "".join(
        json.dumps({"deviceInfo": {"sessions": [{"id": "x"}]}, **{key: value for key, value in one.items() if key != "deviceInfo"}}) + "\n" for one in sessions),
    "one over many lines": lambda sessions: "\n".join(json.dumps(one, indent=4) for one in sessions),
    "with empty pages": lambda sessions: json.dumps(page([])) + json.dumps(page(sessions)) + json.dumps(page([])) + "[]",
}


class AudiobookshelfCase(ImportCase):
    FORMAT = "audiobookshelf"
    OPTIONS = ("--create-users",)

    def file(self, text, name="sessions.json"):
        return self.store.write(name, text)

    def take(self, *sessions, options=()):
        return self.imported(self.file(json.dumps(page(list(sessions)))), *options)

    def only(self):
        found, = self.exported("session")
        return found


class Sessions(AudiobookshelfCase):
    @tap.cases([("without a service", False), ("with one", True)])
    def test_a_book(self, served):
        if served:
            self.serve()
        made = session()
        report = self.take(made)
        self.assertEqual([report[kind]["created"] for kind in ("users", "documents", "sessions")], [1, 1, 1])
        found = self.only()
        self.assertEqual((found["focusSession"], found["user"], found["document"], found["library"]), (made["id"], USER, BOOK, LIBRARY))
        self.assertEqual((milliseconds(found["startTime"]), milliseconds(found["endTime"])), (START, START + 15000))
        self.assertEqual((found["progress"], milliseconds(found["progressTime"])), (6172.75 / 12345.5, START + 15070))
        document, = self.exported("document")
        self.assertEqual((document["document"], document["title"], document["authors"]), (BOOK, "The Time Machine", ["H. G. Wells", "Jr., A. Nother"]))

    def test_an_episode_of_a_podcast(self):
        self.take(session(libraryItemId=PODCAST, episodeId=EPISODE, bookId=None, mediaType="podcast", displayTitle="1 - Pilot", displayAuthor="The Presenters",
                          mediaMetadata={"title": "The Podcast", "author": "The Presenters"}))
        self.assertEqual(self.only()["document"], PODCAST + "-" + EPISODE)
        document, = self.exported("document")
        self.assertEqual((document["title"], document["authors"]), ("1 - Pilot", ["The Presenters"]))

    @tap.cases((name, layout) for name, layout in LAYOUTS.items())
    def test_layout(self, layout):
        made = [session(number, displayTitle="[\"{é\\") for number in range(5)]
        report = self.imported(self.file(layout(made)))
        self.assertEqual(report["sessions"]["created"], 5)
        self.assertEqual({(found["focusSession"], milliseconds(found["startTime"])) for found in self.exported("session")},
                         {(one["id"], one["startedAt"]) for one in made})

    def test_standard_input(self):
        done = self.run_import("-", input=json.dumps(page([session()])).encode())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(self.exported("session")), 1)

    @tap.cases([
        ("listened all the time", 15, 15070, 15000), ("with a pause", 60, 3600000, 60000), ("longer than there was time for", 900000, 3600000, 3600000),
        ("a fraction", 12.3456, 3600000, 12346), ("not at all", 0, 3600000, 0), ("unknown", None, 3600000, 0), ("absent", "absent", 3600000, 0),
        ("no time at all", 5, 0, 0), ("huge", 1e300, 1000, 1000)])
    def test_how_long(self, listened, until, expected):
        self.take(session(timeListening=listened, updatedAt=START + until))
        self.assertEqual(milliseconds(self.only()["endTime"]) - START, expected)

    @tap.cases([("half", 50, 100, 0.5), ("begin", 0, 100, 0), ("end", 100, 100, 1), ("beyond", 101.5, 100, 1), ("no duration", 5, 0, None), ("null", 5, None, None),
                ("no place", None, 100, None), ("absent", "absent", 100, None), ("before the begin", -5, 100, None)])
    def test_progress(self, at, duration, expected):
        self.take(session(currentTime=at, duration=duration))
        self.assertEqual(self.only().get("progress"), expected)

    def test_media_positions_are_no_times(self):
        """startTime and currentTime are seconds within the recording."""
        self.take(session(startTime=4102444800, currentTime=4102444800, duration=5000000000))
        self.assertEqual(milliseconds(self.only()["startTime"]), START)

    def test_ids_of_old_versions(self):
        """From before 2.3: kept as they are where an id may be anything, and derived from where it must be a UUID."""
        old = session(id="play_4oq00chunexu9s03jw", userId="root", libraryId="lib_p9wkw2i85qy9oltijt", libraryItemId="li_bufnnmp4y5o2gbbxfm",
                      episodeId="ep_lh6ko39pumnrma3dhv")
        self.take(old)
        found = self.only()
        self.assertEqual((found["focusSession"], found["user"], found["document"], found["library"]),
                         (str(uuid.uuid5(SPACE, "root\0play_4oq00chunexu9s03jw")), "root", "li_bufnnmp4y5o2gbbxfm-ep_lh6ko39pumnrma3dhv", "lib_p9wkw2i85qy9oltijt"))
        self.assertEqual(self.take(old)["sessions"]["alreadyThere"], 1)

    def test_what_is_no_longer_in_a_library(self):
        self.take(session(1, libraryItemId=None, bookId=BOOK, libraryId=None), session(2, libraryItemId=None, bookId=None, episodeId=EPISODE))
        self.assertEqual([(found["document"], found["library"]) for found in self.exported("session")], [(BOOK, "audiobookshelf"), (EPISODE, LIBRARY)])

    def test_names(self):
        """Authors one by one where there is a list of them; otherwise the line as it is shown. Nothing where nothing is said."""
        self.take(session(1, libraryItemId="a", mediaMetadata=None), session(2, libraryItemId="b", displayTitle="Two\u0000x", displayAuthor="", mediaMetadata={}),
                  session(3, libraryItemId="c", displayTitle="", displayAuthor=None, mediaMetadata={"authors": [{"id": 1}, "x", None, {"name": "A\nB"}]}),
                  session(4, libraryItemId="d", displayTitle="é" * 600, displayAuthor="absent", mediaMetadata={"authors": "none"}),
                  session(5, libraryItemId="e", displayTitle=None, displayAuthor=None, mediaMetadata=[]))
        self.assertEqual({document["document"]: (document.get("title"), document.get("authors") or []) for document in self.exported("document")}, {
            "a": ("The Time Machine", ["H. G. Wells, Jr., A. Nother"]), "b": ("Two", []), "c": (None, ["A B"]), "d": ("é" * 500, [])})
        self.assertEqual(len(self.exported("session")), 5)

    def test_library_and_user_may_be_named(self):
        self.take(session(), options=("--library", "audio", "--user", "ann"))
        self.assertEqual((self.only()["library"], self.only()["user"]), ("audio", "ann"))

    def test_two_listeners_are_not_made_one(self):
        path = self.file(json.dumps(page([session(1), session(2, userId="another"), session(3), session(4, userId="absent")])))
        self.assertEqual([reason for _, reason in self.refusals(path, "--user", "ann")],
                         ["userId: is another one than in the sessions before, which are imported as --user"])
        self.assertEqual(len(self.exported("session")), 3)
        self.tool.run("remove", "ann", "--yes")
        self.assertEqual([reason for _, reason in self.refusals(path)], ["userId: is missing"])
        self.assertEqual(sorted(found["user"] for found in self.exported("session")), [USER, USER, "another"])

    def test_again_and_later(self):
        """A session that goes on is there with the same id, and grows."""
        self.take(session(1), session(2))
        before = self.exported_text()
        self.assertEqual(self.take(session(1), session(2))["sessions"], {"created": 0, "alreadyThere": 2, "grown": 0, "refused": 0})
        self.assertEqual(self.exported_text(), before)
        report = self.take(session(1), session(2, timeListening=100, updatedAt=session(2)["startedAt"] + 200000), session(3))
        self.assertEqual(report["sessions"], {"created": 1, "alreadyThere": 1, "grown": 1, "refused": 0})
        self.assertEqual([milliseconds(found["endTime"]) - milliseconds(found["startTime"]) for found in self.exported("session")], [15000, 100000, 15000])

    def test_dry_run(self):
        self.assertEqual(self.take(session(), options=("--dry-run",))["sessions"]["created"], 1)
        self.assertEqual(self.tool.lines("users"), [])

    def test_options_that_it_has_not(self):
        for option in ("--gap", "--shift"):
            done = self.run_import(self.file("[]"), option, "1")
            self.assertEqual((done.returncode, option in done.stderr), (1, True), done)


class Refused(AudiobookshelfCase):
    @tap.cases([
        ("no id", {"id": "absent"}, "id: is missing"), ("an empty id", {"id": ""}, "id: is missing"), ("a number as id", {"id": 5}, "id: is missing"),
        ("no user", {"userId": None}, "userId: is missing"), ("a user that is none", {"userId": "a\nb"}, "userId: holds the control character U+000A"),
        ("a document that is too long", {"libraryItemId": "x" * 250, "episodeId": "y" * 10}, "libraryItemId, episodeId: is 256 bytes long, more than 255"),
        ("nothing listened to", {"libraryItemId": None, "bookId": None}, "libraryItemId: is missing"),
        ("no start", {"startedAt": None}, "startedAt: is no number of milliseconds since 1970"),
        ("a start in words", {"startedAt": "2022-11-13"}, "startedAt: is no number of milliseconds since 1970"),
        ("a start before 1970", {"startedAt": -1}, "startedAt: is no number of milliseconds since 1970"),
        ("a start out of bounds", {"startedAt": 1e30}, "startedAt: is no number of milliseconds since 1970"),
        ("no update", {"updatedAt": "absent"}, "updatedAt: is no number of milliseconds since 1970"),
        ("an update before the start", {"updatedAt": START - 1}, "updatedAt: is before startedAt"),
        ("listened in words", {"timeListening": "15"}, "timeListening: is no number of seconds"),
        ("listened less than nothing", {"timeListening": -15}, "timeListening: is no number of seconds"),
        ("a library that is none", {"libraryId": "x" * 256}, "libraryId: is 256 bytes long, more than 255"),
        ("the future", {"startedAt": int(time.time() * 1000) + 10**9, "updatedAt": int(time.time() * 1000) + 2 * 10**9}, "is more than 5 minutes in the future")])
    def test_one_of_three(self, changed, reason):
        path = self.file(json.dumps(page([session(1), {**session(0), **{key: value for key, value in changed.items() if value != "absent"}}
                                          if "absent" not in changed.values() else session(0, **changed), session(2)]), indent=1))
        with open(path, encoding="utf-8") as file:
            line = [number for number, text in enumerate(file, 1) if text == "  {\n"][1]
        (place, said), = self.refusals(path)
        self.assertEqual(place, line)
        self.assertIn(reason, said)
        self.assertEqual(len(self.exported("session")), 2)

    def test_objects_that_are_no_json(self):
        texts = [json.dumps(session(1)), '{"id": nan}', '{"a" "b"}', '{"id": "\x01"}', json.dumps(session(2))]
        path = self.file("\n".join(texts) + "\n")
        self.assertEqual(self.refusals(path), [(line, "this is not JSON as RFC 8259 has it") for line in (2, 3, 4)])
        self.assertEqual(len(self.exported("session")), 2)

    def test_what_is_no_list_of_sessions(self):
        path = self.file(json.dumps({"users": [session()]}))
        self.assertEqual([reason for _, reason in self.refusals(path)], ["userId: is missing"])
        self.assertEqual(self.imported(self.file(""))["sessions"]["created"], 0)

    @tap.cases([
        ("cut within a session", json.dumps(page([session(1), session(2)]))[:-400], "the file ends within an object", 1),
        ("cut between", json.dumps([session(1)])[:-1], "the file ends within an array", 1),
        ("cut behind the list", json.dumps(page([session(1)]))[:-20], "the file ends within an object", 1),
        ("cut in a string", json.dumps([session(1), session(2)])[:-5], "the file ends within an object", 1),
        ("words", "Unauthorized", "an object should begin here", 0), ("a page of HTML", "<html></html>", "an object should begin here", 0),
        ("numbers", "[1, 2]", "an object should begin here", 0), ("a list in a list", json.dumps([session(1), [session(2)]]), "an object should begin here", 1),
        ("too large", '[{"a": "%s"}]' % ("x" * (17 << 20)), "an object is larger than 16 MiB", 0)])
    def test_files_that_end_the_import(self, text, reason, before):
        path = self.file(text)
        said = self.fails(path, reason)
        self.assertRegex(said, r"focusstats: %s:\d+: %s" % (path, reason))
        self.assertEqual(len(self.exported("session")), before)

    def test_files_that_cannot_be_read(self):
        self.fails(self.store.join("missing"), self.store.join("missing") + ": No such file or directory")
        self.fails(self.store.path, self.store.path + ": ", "Is a directory")


class Documentation(AudiobookshelfCase):
    def test_examples(self):
        """The command of doc/moving.md with the answer that stands before it."""
        answer, = [block.text for block in blocks(read("doc/moving.md").split("\n")) if block.language == "json" and "timeListening" in block.text]
        self.file(answer, "log/sessions.json")
        self.assert_examples("audiobookshelf", 1)
        self.assertEqual([(found["library"], milliseconds(found["endTime"]) - milliseconds(found["startTime"])) for found in self.exported("session")],
                         [("audiobooks", 1800000), ("audiobooks", 2400000)])


class Large(AudiobookshelfCase):
    def test_memory_does_not_grow_with_a_page(self):
        """One page of 8,000 sessions and more than 8 MiB: when all but its end was read, the tool has never had as much memory."""
        self.serve()
        child = subprocess.Popen([self.tool.program, "-q", "import", "--format", self.FORMAT, *self.OPTIONS, "-"], env=self.tool.environment(), stdin=subprocess.PIPE)
        size = child.stdin.write(b'{"total": 8000, "sessions": [')
        for number in range(8000):
            made = session(id=str(uuid.UUID(int=number)), startedAt=START + number * 1000, updatedAt=START + number * 1000 + 500)
            size += child.stdin.write(((", " if number else "") + json.dumps(made)).encode())
        child.stdin.flush()
        self.assertGreater(size, 8 << 20)
        harness.wait_until(lambda: fcntl.ioctl(child.stdin, termios.FIONREAD, bytes(4)) == bytes(4), "all is read")
        with open("/proc/%d/status" % child.pid, encoding="ascii") as file:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1])
        child.stdin.write(b"]}")
        child.stdin.close()
        self.assertEqual(child.wait(harness.DEADLINE_SECONDS), 0)
        self.assertEqual([user["sessions"] for user in self.tool.lines("users")], [8000])
        with open(self.tool.program, "rb") as file:
            sanitized = re.search(rb"__[at]san_init", file.read())
        if not sanitized:  # they keep what was freed
            self.assertLess(peak, 8 << 10)


if __name__ == "__main__":
    tap.main(globals())
