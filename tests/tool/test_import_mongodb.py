#!/usr/bin/env python3
"""Moving from the earlier server: what mongoexport writes of its two collections, in every form that dates and ids have there, becomes the same users
and sessions, ids and all; what is none is refused with its line, and importing again changes nothing."""

import base64
import datetime
import json
import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap
from tool import Tool

# Of ids that are no UUIDs: src/tool/extended_json.h, doc/moving.md.
SPACE = uuid.UUID("e7dfee13-021b-402e-95d1-2e188c037fb6")
START = 1762778461123
OBJECT_ID = "5d505646cf6d4fe581014ab2"
NOTHING = {"created": 0, "alreadyThere": 0, "grown": 0, "refused": 0}


def text_of(ms, offset_minutes=0, offset="Z"):
    """An instant, whose milliseconds MongoDB leaves out where they are 0."""
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms, minutes=offset_minutes)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (".%03d" % (ms % 1000) if ms % 1000 else "") + offset


# How mongoexport, and the server, write an instant: name, function of the milliseconds.
DATES = [
    ("version 2, relaxed", lambda ms: {"$date": text_of(ms)}),
    ("version 2, canonical", lambda ms: {"$date": {"$numberLong": str(ms)}}),
    ("version 1, text", lambda ms: {"$date": text_of(ms, 0, "+0000")}),
    ("version 1, text of New York", lambda ms: {"$date": text_of(ms, -300, "-0500")}),
    ("version 1, number", lambda ms: {"$date": ms}),
    ("stored as text", text_of),
    ("stored as text, with an offset", lambda ms: text_of(ms, 345, "+05:45")),
    ("stored as a number", lambda ms: ms),
    ("stored as a long number", lambda ms: {"$numberLong": str(ms)}),
    ("stored as a double", lambda ms: {"$numberDouble": "%d.0" % ms}),
]
BYTES = uuid.UUID("c8edabc3-f738-4ca3-b68d-ab92a91478a3")
# How an id is written, and the UUID that it becomes.
IDS = [
    ("a UUID as text", str(BYTES), BYTES),
    ("capital letters", str(BYTES).upper(), BYTES),
    ("$uuid", {"$uuid": str(BYTES)}, BYTES),
    ("binary, version 2", {"$binary": {"base64": base64.b64encode(BYTES.bytes).decode(), "subType": "04"}}, BYTES),
    ("binary, version 1", {"$binary": base64.b64encode(BYTES.bytes).decode(), "$type": "04"}, BYTES),
    ("binary of an old driver", {"$binary": {"base64": base64.b64encode(BYTES.bytes).decode(), "subType": "03"}}, BYTES),
    ("an ObjectId", {"$oid": OBJECT_ID}, uuid.uuid5(SPACE, OBJECT_ID)),
    ("its digits", OBJECT_ID, uuid.uuid5(SPACE, OBJECT_ID)),
    ("another text", "session é 1", uuid.uuid5(SPACE, "session é 1")),
    ("a number", 17, uuid.uuid5(SPACE, "17")),
]


def session(number, user="ann", **more):
    return {"_id": str(uuid.UUID(int=number)), "user": user, "document": "book %d" % (number % 3), "startTime": {"$date": text_of(START + number * 3600000)},
            "endTime": {"$date": text_of(START + number * 3600000 + 60000)}, **more}


def stats(user="ann", number=1, ids=()):
    return {"_id": str(uuid.UUID(int=number << 64)), "user": user, "focusSessionIds": list(ids)}


class MongoCase(harness.Case):
    def setUp(self):
        self.store = self.folder()
        self.tool = Tool(self.store)

    def put(self, name, *documents, array=False):
        lines = [json.dumps(document) for document in documents]
        return self.store.write(name, "[" + ",\n".join(lines) + "]\n" if array else "".join(line + "\n" for line in lines))

    def bring(self, *arguments, status=0, **more):
        """The report, and the lines of what was refused."""
        done = self.tool.run("--json", "import", "--format", "mongodb", *arguments, **more)
        self.assertEqual(done.returncode, status, done)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        refused = [(os.path.basename(line["refused"]["file"]), line["refused"]["line"], line["refused"]["reason"]) for line in lines if "refused" in line]
        return lines[-1], refused

    def records(self, kind):
        return [record[kind] for record in (json.loads(line) for line in self.tool.run("export").stdout.splitlines()) if kind in record]


class Moving(MongoCase):
    @tap.cases([("lines", False), ("an array", True)])
    def test_ids_and_all(self, array):
        sessions = [session(number, user) for number, user in enumerate(["ann", "bob", "ann", "bob", "ann"], 1)]
        users = [stats("ann", 1, [sessions[at]["_id"] for at in (0, 2, 4)]), stats("bob", 2, [sessions[at]["_id"] for at in (1, 3)]), stats("carl", 3)]
        files = [self.put("focusStats.json", *users, array=array), self.put("focusSessions.json", *sessions, array=array)]
        report, refused = self.bring(*files)
        self.assertEqual((report["users"], report["documents"], report["sessions"], refused),
                         ({**NOTHING, "created": 3}, NOTHING, {**NOTHING, "created": 5}, []))
        responder = self.start(harness.Responder(self.store))
        for user in users:
            told = responder.post("_viewStats", {"user": user["user"]}).json()[0]["focusStats"]
            self.assertEqual(told, {"id": user["_id"], "user": user["user"], "focusSessionIds": user["focusSessionIds"]})
        told = [answer["focusSession"] for answer in responder.post("_getSessions", {"user": "bob"}).json()]
        self.assertEqual([(one["_id"], one["user"], one["document"], one["startTime"], one["endTime"]) for one in told],
                         [(one["_id"], "bob", one["document"], one["startTime"]["$date"], one["endTime"]["$date"]) for one in (sessions[1], sessions[3])])
        self.assertEqual({one["library"] for one in self.records("session")}, {"mongodb"})
        before = self.tool.run("export").stdout
        report, refused = self.bring(*files)
        self.assertEqual((report["users"], report["sessions"], refused), ({**NOTHING, "alreadyThere": 3}, {**NOTHING, "alreadyThere": 5}, []))
        self.assertEqual(self.tool.run("export").stdout, before)

    @tap.cases(DATES)
    def test_dates(self, write):
        ends = [START + 1, START + 3600877, START + 2 ** 40 % 100000000, START]
        sessions = [session(number, startTime=write(START), endTime=write(end)) for number, end in enumerate(ends, 1)]
        sessions.append(session(9, startTime=write(86400000), endTime=write(86401000)))
        self.assertEqual(self.bring(self.put("dump.json", stats(), *sessions))[1], [])
        told = sorted((one["startTime"], one["endTime"]) for one in self.records("session"))
        expected = sorted((text_of(start), text_of(end)) for start, end in [*((START, end) for end in ends), (86400000, 86401000)])
        self.assertEqual(told, [(full(start), full(end)) for start, end in expected])

    @tap.cases(IDS)
    def test_ids(self, written, expected):
        document = session(1, _id=written)
        self.assertEqual(self.bring(self.put("dump.json", {**stats(), "_id": written}, document))[1], [])
        self.assertEqual([one["focusSession"] for one in self.records("session")], [str(expected)])
        self.assertEqual([one["focusStats"] for one in self.records("user")], [str(expected)])
        self.assertEqual(self.bring(self.put("dump.json", document))[0]["sessions"], {**NOTHING, "alreadyThere": 1})

    def test_users_and_documents_with_object_ids(self):
        oid = {"$oid": OBJECT_ID}
        self.assertEqual(self.bring(self.put("dump.json", {**stats(), "user": oid}, session(1, oid, document=oid, library=oid)))[1], [])
        one, = self.records("session")
        self.assertEqual((one["user"], one["document"], one["library"]), (OBJECT_ID,) * 3)

    def test_open_sessions(self):
        absent = session(1)
        del absent["endTime"]
        self.bring(self.put("dump.json", stats(), absent, session(2, endTime=None), session(3)))
        self.assertEqual([one.get("endTime") is None for one in self.records("session")], [True, True, False])
        self.assertEqual(self.tool.lines("users")[0]["active"], 2)

    def test_what_has_ended_since(self):
        """Exported once while it was open, and once more later: it ends; and the first file again says nothing against that."""
        first, later = session(1, endTime=None), session(1)
        users = self.put("focusStats.json", stats())
        self.assertEqual(self.bring(users, self.put("first.json", first))[0]["sessions"], {**NOTHING, "created": 1})
        self.assertEqual(self.bring("--dry-run", self.put("later.json", later))[0]["sessions"], {**NOTHING, "grown": 1})
        self.assertEqual([one.get("endTime") for one in self.records("session")], [None])
        self.assertEqual(self.bring(self.store.join("later.json"))[0]["sessions"], {**NOTHING, "grown": 1})
        self.assertEqual([one["endTime"] for one in self.records("session")], [full(later["endTime"]["$date"])])
        for name in ("first.json", "later.json"):
            self.assertEqual(self.bring(self.store.join(name))[0]["sessions"], {**NOTHING, "alreadyThere": 1})
        longer = session(1, endTime={"$date": text_of(START + 2 * 3600000)})
        other = session(1, document="another")
        for document in (longer, other):
            report, refused = self.bring(self.put("other.json", document), status=1)
            self.assertEqual((report["sessions"], len(refused)), ({**NOTHING, "refused": 1}, 1))
        self.assertEqual([one["endTime"] for one in self.records("session")], [full(later["endTime"]["$date"])])

    def test_used_since(self):
        """What the service noted of an imported session meanwhile is nothing that the earlier server could know."""
        path = self.put("dump.json", stats(), session(1, endTime=None), session(2))
        self.bring(path)
        responder = self.start(harness.Responder(self.store))
        for action, fields in (("heartbeat", {"focusSession": session(1)["_id"], "progress": 0.5}), ("editSession", {"focusSession": session(2)["_id"], "document": "book 1"}),
                               ("editSession", {"focusSession": session(2)["_id"], "document": "book 2"})):
            reply = responder.post(action, fields)
            self.assertEqual(reply.status, 200, reply)
        before = self.records("session")
        self.assertEqual(before[0]["progress"], 0.5)
        self.assertEqual(self.bring(path)[0]["sessions"], {**NOTHING, "alreadyThere": 2})
        self.assertEqual(self.records("session"), before)

    def test_libraries(self):
        path = self.put("dump.json", stats(), session(1), session(2, library="own"))
        self.bring("--library", "books", path)
        self.assertEqual([one["library"] for one in self.records("session")], ["books", "own"])
        self.bring("--library", "books", path)
        report, refused = self.bring(path, status=1)
        self.assertEqual([(name, line) for name, line, _ in refused], [("dump.json", 2)])
        self.assertIn("is there already, with other values", refused[0][2])
        self.assertIn("--library: ", self.tool.run("import", "--format", "mongodb", "--library", "", path).stderr)

    def test_users_come_first(self):
        files = self.put("focusSessions.json", session(1), session(2, "bob")), self.put("focusStats.json", stats())
        report, refused = self.bring(*files, status=1)
        self.assertEqual(report["sessions"], {**NOTHING, "refused": 2})
        self.assertEqual([line for _, line, _ in refused], [1, 2])
        self.assertEqual(refused[0][2], "there is no user 'ann': users come before what is theirs, or --create-users makes them")
        self.assertEqual(self.bring(*files, status=1)[0]["sessions"], {**NOTHING, "created": 1, "refused": 1})
        report, refused = self.bring("--create-users", files[0])
        self.assertEqual((report["users"], report["sessions"], refused), ({**NOTHING, "created": 1}, {**NOTHING, "created": 1, "alreadyThere": 1}, []))

    def test_dry_run(self):
        path = self.put("dump.json", stats(), session(1), session(2, "bob"))
        report, refused = self.bring("--dry-run", path, status=1)
        self.assertEqual((report["dryRun"], report["users"], report["sessions"]), (True, {**NOTHING, "created": 1}, {**NOTHING, "created": 1, "refused": 1}))
        self.assertEqual(self.tool.lines("users"), [])

    def test_standard_input(self):
        given = "".join(json.dumps(one) + "\n" for one in (stats(), session(1), {"x": 1})).encode()
        report, refused = self.bring("-", status=1, input=given)
        self.assertEqual((report["sessions"]["created"], refused[0][:2]), (1, ("standard input", 3)))

    def test_many_ids(self):
        """A reader of many years: the list of ids is in one line."""
        path = self.put("focusStats.json", stats(ids=[str(uuid.UUID(int=number)) for number in range(110000)]))
        self.assertGreater(os.path.getsize(path), 4 << 20)
        self.assertEqual(self.bring(path)[0]["users"], {**NOTHING, "created": 1})

    def test_more_than_a_batch(self):
        path = self.put("dump.json", stats(), *(session(number) for number in range(1, 1702)), array=True)
        self.assertEqual(self.bring(path)[0]["sessions"], {**NOTHING, "created": 1701})
        self.assertEqual(self.bring(path)[0]["sessions"], {**NOTHING, "alreadyThere": 1701})


def full(text):
    """An instant as it is exported: with milliseconds."""
    return text if "." in text else text[:-1] + ".000Z"


NEITHER = "is of neither collection: focusStats has focusSessionIds, focusSessions has document and startTime"
KINDS = ", and no text, ObjectId or UUID"
BAD = [
    ("of neither collection", {"_id": "x", "user": "ann"}, NEITHER),
    ("an empty object", {}, NEITHER),
    ("no id", {**session(1), "_id": None}, "_id: is missing" + KINDS),
    ("an id that is a list", {**session(1), "_id": []}, "_id: is array" + KINDS),
    ("no user", {**session(1), "user": None}, "user: is missing" + KINDS),
    ("an empty user", session(1, ""), "user: must not be empty"),
    ("a control character", session(1, document="a\x1bb"), "document: holds the control character U+001B"),
    ("a long document", session(1, document="x" * 256), "document: is 256 bytes long, more than 255"),
    ("no document", {**session(1), "document": None}, "document: is missing" + KINDS),
    ("a library that is an object", session(1, library={"a": 1}), "library: is object" + KINDS),
    ("no start", session(1, startTime=None), "startTime: is missing, and no date, text or number"),
    ("a timestamp", session(1, startTime={"$timestamp": {"t": 1, "i": 1}}), "startTime: is $timestamp, and no date, text or number"),
    ("a time without an offset", session(1, endTime="2025-11-10T12:41:01"),
     "endTime: '2025-11-10T12:41:01' has no offset from UTC, as 2025-11-10T12:41:01Z has"),
    ("what JavaScript prints", session(1, startTime="Mon Nov 10 2025 07:41:01 GMT-0500"),
     "startTime: 'Mon Nov 10 2025 07:41:01 GMT-0500' is no instant of 1970 to 9999 as RFC 3339 writes it"),
    ("before 1970", session(1, startTime={"$date": {"$numberLong": "-1"}}), "startTime: -1 ms is not within 1970 to 9999"),
    ("after 9999", session(1, endTime={"$date": {"$numberLong": "253402300800000"}}), "endTime: 253402300800000 ms is not within 1970 to 9999"),
    ("an end before the start", session(1, endTime={"$date": START}), "endTime: is before startTime"),
    ("a future start", session(1, startTime={"$date": "9000-01-01T00:00:00Z"}, endTime=None), "startTime: is more than 5 minutes in the future"),
    ("stats without a user", {**stats(), "user": None}, "user: is missing" + KINDS),
    ("stats without an id", {**stats(), "_id": {}}, "_id: is object" + KINDS),
    ("other stats of the user", stats("ann", 7), "user 'ann' is there already, with another FocusStats id"),
]


class Refusals(MongoCase):
    @tap.cases(BAD)
    def test_one_record(self, bad, reason):
        """It is refused with its line, and what is around it is taken."""
        for array in (False, True):
            path = self.put("dump.json", stats(), session(50), bad, session(60), array=array)
            report, refused = self.bring(path, status=1)
            self.assertEqual(refused, [("dump.json", 3, reason)])
            self.assertEqual(sum(report["sessions"][fate] for fate in ("created", "alreadyThere")), 2)
        self.assertEqual(len(self.records("session")), 2)

    @tap.cases([("Date", 'new Date(1762778461123)'), ("ISODate", 'ISODate("2025-11-10T12:41:01Z")'), ("cut off", '{"$date":"2025-')])
    def test_no_json(self, value):
        good = [json.dumps(one) for one in (stats(), session(1), session(2))]
        bad = '{"_id":"x","user":"ann","document":"d","startTime":%s}' % value
        path = self.store.write("dump.json", "\n".join([*good[:2], bad, "", good[2], ""]))
        report, refused = self.bring(path, status=1)
        self.assertEqual([one[:2] for one in refused], [("dump.json", 3)])
        self.assertIn("(mongoexport writes JSON, without the shell's ISODate(…) and new Date(…))", refused[0][2])
        self.assertEqual((report["sessions"]["created"], report["othersRefused"]), (2, 1))

    @tap.cases([
        ("another text", "hello\n", "is not what mongoexport writes"),
        ("BSON", "\x16\x00\x00\x00\x02hello\x00\x06\x00\x00\x00world\x00\x00", "is not what mongoexport writes"),
        ("an array cut off", json.dumps([stats(), session(1)])[:-20], "the file ends within an object"),
        ("an array of numbers", "[1,2]", "an object should begin here"),
    ])
    def test_no_export_at_all(self, content, words):
        path = self.store.write("dump.json", content)
        done = self.tool.run("import", "--format", "mongodb", path)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^focusstats: %s:1: .*\n$" % path)
        self.assertIn(words, done.stderr)

    def test_files(self):
        for path, words in ((self.store.join("none.json"), "No such file"), (self.store.path, "Is a directory")):
            done = self.tool.run("import", "--format", "mongodb", path)
            self.assertEqual(done.returncode, 1)
            self.assertIn("focusstats: " + path, done.stderr)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.bring(self.store.write("empty.json", "")), self.bring(self.store.write("none.json", "[]\n")))


if __name__ == "__main__":
    tap.main(globals())
