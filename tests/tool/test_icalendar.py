#!/usr/bin/env python3
"""iCalendar: each session that has ended is an event of its own, in UTC, as RFC 5545 has them, told by a parser that takes nothing else; and by that
of Debian's package python3-icalendar."""

import datetime
import os
import re
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import debian
import harness
from test_csv import CsvCase, odd_store, own_format
import tap

DATE_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$")
# Property names of an event, and whether it has to be there; what follows in RFC 5545 is a parameter, of which there are none here.
PROPERTIES = {"UID": True, "DTSTAMP": True, "DTSTART": True, "DTEND": False, "SUMMARY": True, "DESCRIPTION": True, "TRANSP": True}


def content_lines(data):
    """RFC 5545, 3.1: lines of at most 75 bytes, each of whole characters, ended by CRLF; a blank at the beginning continues the line before."""
    if not data.endswith(b"\r\n"):
        raise ValueError("the last line has no end")
    lines = []
    for line in data[:-2].split(b"\r\n"):
        if len(line) > 75 or not line:
            raise ValueError("%d bytes: %r" % (len(line), line))
        text = line.decode("utf-8")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
            raise ValueError("a control character: %r" % text)
        if text[0] == " ":
            lines[-1] += text[1:]
        else:
            lines.append(text)
    return lines


def text_value(value):
    """RFC 5545, 3.3.11."""
    if not re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", value):
        raise ValueError("no TEXT: %r" % value)
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def instant(value):
    found = DATE_TIME.match(value)
    if not found:
        raise ValueError("no UTC: %r" % value)
    return datetime.datetime(*map(int, found.groups()), tzinfo=datetime.timezone.utc)


def parsed(data):
    """The calendar's properties and its events, each a dictionary of its values."""
    calendar, events, event = {}, [], None
    lines = content_lines(data)
    if lines[0] != "BEGIN:VCALENDAR" or lines[-1] != "END:VCALENDAR":
        raise ValueError("no calendar")
    for line in lines[1:-1]:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT" and event is None:
            event = {}
        elif line == "END:VEVENT" and event is not None:
            missing = [name for name, needed in PROPERTIES.items() if needed and name not in event]
            if missing or ("DTEND" in event and event["DTEND"] <= event["DTSTART"]):
                raise ValueError("%s: %r" % (missing, event))
            events.append(event)
            event = None
        elif event is None:
            if events or name in calendar:
                raise ValueError("out of place: %r" % line)
            calendar[name] = value
        else:
            if name not in PROPERTIES or name in event:
                raise ValueError("out of place: %r" % line)
            event[name] = instant(value) if name.startswith("DT") else value if name == "TRANSP" else text_value(value)
    if event is not None or set(calendar) != {"VERSION", "PRODID"} or calendar["VERSION"] != "2.0":
        raise ValueError("no whole calendar: %r" % calendar)
    if len({event["UID"] for event in events}) != len(events):
        raise ValueError("two events have one UID")
    return calendar, events


def expected(records):
    """What the events have to say, by UID."""
    titles = {(one["document"]["user"], one["document"]["document"]): one["document"] for one in records if "document" in one}
    events = {}
    for session in (one["session"] for one in records if "session" in one):
        if "endTime" not in session:
            continue
        document = titles.get((session["user"], session["document"]), {"title": None, "authors": []})
        start, end = (datetime.datetime.strptime(session[key][:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z") for key in ("startTime", "endTime"))
        lines = ["By " + ", ".join(document["authors"])] if document["authors"] else []
        lines += ["Reader: " + session["user"], "Library: " + session["library"]]
        if "progress" in session:
            lines.append("Progress: %.0f %%" % (session["progress"] * 100))
        event = {"UID": session["focusSession"], "DTSTAMP": end, "DTSTART": start, "SUMMARY": document["title"] or session["document"],
                 "DESCRIPTION": "\n".join(lines), "TRANSP": "TRANSPARENT"}
        if end > start:
            event["DTEND"] = end
        events[event["UID"]] = event
    return events


class Calendar(CsvCase):
    def calendar(self, *arguments):
        done = self.tool.run("export", "--format", "icalendar", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.encode()

    def fill(self, records):
        self.store.write("records.ndjson", own_format(*records))
        self.assertEqual(self.bring(self.store.join("records.ndjson"))[1], [])

    def test_odd_texts(self):
        records = odd_store()
        self.fill(records)
        data = self.calendar()
        calendar, events = parsed(data)
        self.assertEqual(calendar["PRODID"], "-//FocusStats//FocusStats//EN")
        self.assertEqual({event["UID"]: event for event in events}, expected(records))
        self.assertEqual(self.calendar(), data)

    def test_another_parser(self):
        icalendar = debian.module("icalendar", "python3-icalendar")
        records = odd_store()
        self.fill(records)
        found = {}
        for event in icalendar.Calendar.from_ical(self.calendar()).walk("VEVENT"):
            found[str(event["UID"])] = {name: event[name].dt if name.startswith("DT") else str(event[name]) for name in PROPERTIES if name in event}
        self.assertEqual(set(found), set(expected(records)))
        # Its release 4 takes escapes away twice, so of texts with a backslash it makes others.
        plain = [event for event in expected(records).values() if "\\" not in event["SUMMARY"] + event["DESCRIPTION"]]
        self.assertGreater(len(plain), 400)
        self.assertEqual([found[event["UID"]] for event in plain], plain)

    def test_one_user(self):
        records = odd_store()
        self.fill(records)
        _, events = parsed(self.calendar("--user", "é 📚"))
        of_user = [one for one in records if next(iter(one.values()))["user"] == "é 📚"]
        self.assertEqual({event["UID"]: event for event in events}, expected(of_user))
        self.assertGreater(len(events), 10)

    def test_recorded_by_the_service(self):
        responder = self.start(harness.Responder(self.store))
        responder.post("initUser", {"user": "ann"})
        for number in (1, 2):
            reply = responder.post("addSession", {"user": "ann", "document": "d%d" % number, "library": "l", "startTime": "2025-11-10T12:41:01.999Z",
                                                  "endTime": "2025-11-10T12:41:0%d.000Z" % (2 * number), "focusSession": str(uuid.UUID(int=number))})
            self.assertEqual(reply.status, 200, reply)
        responder.post("startSession", {"user": "ann", "document": "open", "library": "l"})
        responder.post("setDocument", {"user": "ann", "document": "d1", "title": "One; and, two\\", "authors": ["A, B"]})
        self.assertEqual(self.calendar().decode(), "\r\n".join([
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//FocusStats//FocusStats//EN",
            "BEGIN:VEVENT", "UID:00000000-0000-0000-0000-000000000001", "DTSTAMP:20251110T124102Z", "DTSTART:20251110T124101Z", "DTEND:20251110T124102Z",
            "SUMMARY:One\\; and\\, two\\\\", "DESCRIPTION:By A\\, B\\nReader: ann\\nLibrary: l", "TRANSP:TRANSPARENT", "END:VEVENT",
            "BEGIN:VEVENT", "UID:00000000-0000-0000-0000-000000000002", "DTSTAMP:20251110T124104Z", "DTSTART:20251110T124101Z", "DTEND:20251110T124104Z",
            "SUMMARY:d2", "DESCRIPTION:Reader: ann\\nLibrary: l", "TRANSP:TRANSPARENT", "END:VEVENT", "END:VCALENDAR", ""]))

    def test_nobody(self):
        self.assertEqual(parsed(self.calendar())[1], [])

    def test_no_format(self):
        done = self.tool.run("export", "--format", "ical")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("there is no format ical", done.stderr)


if __name__ == "__main__":
    tap.main({name: thing for name, thing in globals().items() if name != "CsvCase"})
