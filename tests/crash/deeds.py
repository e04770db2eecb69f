"""Clients that do everything the API has, and what they were told. Each has users of its own and sends one request at a time, so it knows what must
be there: of each session, title and the like every state that it may be in. More than one only after a request without an answer, and then the
thing is left alone from there on.

    deeds = Deeds(Ledger())
    crowd = Crowd(deeds, 16, connect)           connect(index) -> something with ask(action, fields) -> Reply (fields None: GET), and close()
    crowd.start(); ...; crowd.stop()
    deeds.done                                  {action: how often it was answered with success}
    deeds.check(export)                         export(user) -> what _exportUser answers, None where there is no such user

ACTIONS has a method for each action of the API: a test holds it against the service's own description of itself.
"""

import random
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timezone

from ledger import DONE, MAYBE, REFUSED, UNAVAILABLE, Threads, outcome

# A user has so many steps of its client; then comes the next one.
STEPS = 60
IDLE_MS = 600000
CLOCK_MS = 2
ZONES = ["UTC", "Europe/Berlin", "America/New_York"]


def ms_of(text):
    return None if text is None else int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp() * 1000 + 0.5)


def text_of(ms):
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (ms % 1000)


def within(value, wanted):
    """An instant within an interval (None: there is none)."""
    if wanted is None or value is None:
        return value is wanted
    return wanted[0] - CLOCK_MS <= value <= wanted[1] + CLOCK_MS


class Thing:
    """Something stored, and the states that it may be in; a state is a dictionary, or None where there is no such thing."""

    def __init__(self, state=None):
        self.states = [state]
        self.leaving = False  # its removal was asked for, and may have been carried out before that is answered

    @property
    def sure(self):
        """Whether it is there, whoever looks."""
        return self.known and self.state is not None and not self.leaving

    @property
    def known(self):
        return len(self.states) == 1

    @property
    def state(self):
        return self.states[0]

    def leave(self):
        self.leaving = True

    def became(self, what, state):
        if what == DONE:
            self.states = [state]
        elif what == MAYBE:
            self.states = [self.state, state]
        self.leaving = False


def session_is(state, found, now_ms):
    """Whether a session of an export is as a state says."""
    if state is None or found is None:
        return state is found
    end, seen = ms_of(found["endTime"]), ms_of(found["lastSeen"])
    # One without a heartbeat for so long counts as ended at its last.
    settled = state["end"] is None and seen is not None and end == seen and now_ms - seen >= IDLE_MS
    return (found["document"], found["library"], found["progress"]) == (state["document"], "library", state["progress"]) \
        and within(ms_of(found["startTime"]), state["start"]) and (settled or within(end, state["end"])) and within(seen, state["seen"])


class Person:
    """A user, as the only client who knows it does."""

    def __init__(self, name):
        self.name = name
        self.identity = Thing()
        self.settings = Thing()
        self.titles = {}
        # Each has an id, or None where none was told, the document that it was started with, and states.
        self.sessions = []

    def things(self):
        return [self.identity, self.settings, *self.titles.values(), *(session for session in self.sessions)]

    def wrong(self, exported, now_ms):
        """What of an export (None where there is no such user) no state allows."""
        if exported is None:
            return [] if None in self.identity.states else ["user %s is lost" % self.name]
        found = exported[0]["export"]
        if not any(state is not None and (state == {} or state["id"] == found["focusStats"]) for state in self.identity.states):
            return ["user %s is %s, expected one of %s" % (self.name, found["focusStats"], self.identity.states)]
        wrong = []
        if self.settings.states != [None] and not any(state is None or state.items() <= found["settings"].items() for state in self.settings.states):
            wrong.append("settings of %s are %s, expected one of %s" % (self.name, found["settings"], self.settings.states))
        titles = {each["document"]: each for each in found["documents"]}
        for document, thing in self.titles.items():
            told = titles.pop(document, None)
            if (told and {"title": told["title"], "authors": told["authors"]}) not in thing.states:
                wrong.append("document %s of %s is %s, expected one of %s" % (document, self.name, told, thing.states))
        wrong += ["document %s of %s was never described" % (document, self.name) for document in titles]
        return wrong + self.wrong_sessions(found["sessions"], now_ms)

    def wrong_sessions(self, found, now_ms):
        wrong = []
        by_id = {each["_id"]: each for each in found}
        by_document = {each["document"]: each for each in found}
        for session in self.sessions:
            told = by_id.pop(session.id, None) if session.id else by_document.get(session.document)
            if told is not None and session.id is None:
                by_id.pop(told["_id"])
            if not any(session_is(state, told, now_ms) for state in session.states):
                wrong.append("session %s of %s is %s, expected one of %s" % (session.id, self.name, told, session.states))
        return wrong + ["session %s of %s was never asked for" % (identity, self.name) for identity in by_id]


class SessionThing(Thing):
    def __init__(self, identity, document, state=None):
        super().__init__(state)
        self.id = identity
        self.document = document


class Deeds:
    """What all clients did."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.lock = threading.Lock()
        self.persons = []
        self.done = Counter()
        self.checked = 0

    def check(self, export):
        """Every user is as its client knows it. Returns how many things may have been in more than one state."""
        wrong = list(self.ledger.nonsense)
        for person in self.persons:
            wrong += person.wrong(export(person.name), time.time() * 1000)
        if wrong:
            raise AssertionError("%d are wrong:\n%s" % (len(wrong), "\n".join(wrong[:20])))
        return sum(not thing.known for person in self.persons for thing in person.things())


class Client:
    """One client, step by step."""

    def __init__(self, deeds, index, connect):
        self.deeds = deeds
        self.index = index
        self.connect = connect
        self.connection = None
        self.random = random.Random("client %d" % index)
        self.number = 0
        self.person = None
        self.steps = 0

    def ask(self, action, fields=None):
        """Outcome, answer, and the interval in which it was carried out if it was."""
        reply = None
        sent_ms, sent = time.time() * 1000, time.monotonic()
        try:
            if self.connection is None:
                self.connection = self.connect(self.index)
            reply = self.connection.ask(action, fields)
        except Exception:  # whatever it was, there is no answer
            self.close()
        what = DONE if action == "metrics" and reply is not None and reply.status == 200 else outcome(reply)
        self.deeds.ledger.told(what, sent, time.monotonic(), reply, writes=action[0].islower() and fields is not None)
        if what == REFUSED:
            self.wrong("%s %r: %r", action, fields, reply)
        elif what == DONE:
            with self.deeds.lock:
                self.deeds.done[action] += 1
        return what, reply, (sent_ms, time.time() * 1000)

    def wrong(self, text, *values):
        self.deeds.ledger.wrong("client %d: " % self.index + text, *values)

    def begin(self, stopping):
        """Its users are made step by step."""

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def step(self):
        """One request. Returns its outcome."""
        if self.person is None:
            return self.init_user()
        self.steps += 1
        if self.steps > STEPS:
            return self.remove_user() if self.random.random() < 0.5 else self.next_person(DONE)
        return self.random.choice(self.WRITES if self.random.random() < 0.6 else self.READS)(self)

    def next_person(self, what):
        self.person = None
        return what

    def user(self):
        return {"user": self.person.name}

    def document(self):
        self.number += 1
        return "document-%d-%d" % (self.index, self.number)

    # Writes

    def init_user(self):
        self.number += 1
        self.steps = 0
        person = Person("user-%d-%d" % (self.index, self.number))
        with self.deeds.lock:
            self.deeds.persons.append(person)
        what, reply, _ = self.ask("initUser", {"user": person.name})
        # Without an answer its id is not known.
        person.identity.became(what, {"id": reply.json()["focusStats"]} if what == DONE else {})
        self.person = person if what == DONE else None
        return what

    def start_session(self):
        document = self.document()
        chosen = str(uuid.UUID(int=self.random.getrandbits(128))) if self.random.random() < 0.5 else None
        fields = {**self.user(), "document": document, "library": "library", **({"focusSession": chosen} if chosen else {})}
        what, reply, when = self.ask("startSession", fields)
        session = SessionThing(reply.json()["focusSession"] if what == DONE else chosen, document)
        session.became(what, {"document": document, "start": when, "end": None, "seen": None, "progress": None})
        self.person.sessions.append(session)
        return what

    def one(self, wanted):
        """A session whose state is known, and as wanted."""
        found = [session for session in self.person.sessions if session.known and session.state is not None and wanted(session.state)]
        return self.random.choice(found) if found else None

    def heartbeat(self):
        session = self.one(lambda state: state["end"] is None)
        if session is None:
            return self.start_session()
        progress = self.random.choice([None, 0.25, 0.5])
        what, _, when = self.ask("heartbeat", {"focusSession": session.id, **({"progress": progress} if progress else {})})
        session.became(what, {**session.state, "seen": when, "progress": progress or session.state["progress"]})
        return what

    def end_session(self):
        session = self.one(lambda state: state["end"] is None)
        if session is None:
            return self.start_session()
        what, _, when = self.ask("endSession", {"focusSession": session.id})
        session.became(what, {**session.state, "end": when})
        return what

    def past(self):
        start = 1700000000000 + self.random.randrange(10 ** 9)
        end = start + self.random.randrange(10 ** 7)
        document = self.document()
        return {"document": document, "library": "library", "startTime": text_of(start), "endTime": text_of(end),
                "focusSession": str(uuid.UUID(int=self.random.getrandbits(128)))}

    def added(self, what, fields):
        session = SessionThing(fields["focusSession"], fields["document"])
        start, end = ms_of(fields["startTime"]), ms_of(fields["endTime"])
        session.became(what, {"document": fields["document"], "start": (start, start), "end": (end, end), "seen": None, "progress": None})
        self.person.sessions.append(session)

    def add_session(self):
        fields = self.past()
        what, _, _ = self.ask("addSession", {**self.user(), **fields})
        self.added(what, fields)
        return what

    def add_sessions(self):
        batch = [self.past() for _ in range(self.random.randint(1, 10))]
        what, reply, _ = self.ask("addSessions", {**self.user(), "sessions": batch})
        told = [DONE if "error" not in result else UNAVAILABLE for result in reply.json()["results"]] if what == DONE else [what] * len(batch)
        for one, fields in zip(told, batch):
            self.added(one, fields)
        return what

    def edit_session(self):
        session = self.one(lambda state: state["end"] is not None and state["end"][0] == state["end"][1])
        if session is None:
            return self.add_session()
        start = int(session.state["start"][0]) - 1000
        what, _, _ = self.ask("editSession", {"focusSession": session.id, "startTime": text_of(start), "document": "edited"})
        session.became(what, {**session.state, "start": (start, start), "document": "edited"})
        return what

    def remove_session(self):
        session = self.one(lambda state: True)
        if session is None:
            return self.start_session()
        session.leave()
        what, _, _ = self.ask("removeSession", {"focusSession": session.id})
        session.became(what, None)
        return what

    def set_document(self):
        document = "described-%d" % self.random.randrange(3)
        thing = self.person.titles.setdefault(document, Thing())
        if not thing.known:
            return self.start_session()
        self.number += 1
        state = {"title": "Title %d" % self.number, "authors": ["A. Author"]}
        what, _, _ = self.ask("setDocument", {**self.user(), "document": document, **state})
        thing.became(what, state)
        return what

    def set_settings(self):
        if not self.person.settings.known:
            return self.start_session()
        state = {"timezone": self.random.choice(ZONES), "dailyGoalSeconds": self.random.randrange(10000)}
        what, _, _ = self.ask("setSettings", {**self.user(), **state})
        self.person.settings.became(what, state)
        return what

    def remove_user(self):
        person = self.person
        person.identity.leave()
        what, _, _ = self.ask("removeUser", {**self.user(), "confirm": person.name})
        person.identity.became(what, None)
        return self.next_person(what)

    # Reads. What they tell must be what this client knows, written by whichever process.

    def read(self, action, key, **fields):
        """Outcome, and the object within the only element of the answer."""
        what, reply, _ = self.ask(action, {**self.user(), **fields})
        return what, reply.json()[0][key] if what == DONE else None

    def export_user(self):
        what, reply, _ = self.ask("_exportUser", self.user())
        if what == DONE:
            for text in self.person.wrong(reply.json(), time.time() * 1000):
                self.wrong("_exportUser: %s", text)
            with self.deeds.lock:
                self.deeds.checked += 1
        return what

    def compare_ids(self, action, found, wanted):
        """Ids told are those of the sessions whose every state is as wanted, and perhaps of those of which one is."""
        now_ms = time.time() * 1000
        sure = {session.id for session in self.person.sessions if all(state is not None and wanted(state, now_ms) for state in session.states)}
        perhaps = {session.id for session in self.person.sessions if any(state is not None and wanted(state, now_ms) for state in session.states)}
        unknown = sum(session.id is None for session in self.person.sessions)
        if sure - {None} - found or len(found - perhaps) > unknown:
            self.wrong("%s: lacks %s, has %s too many", action, sure - {None} - found, found - perhaps)

    def get_sessions(self):
        what, reply, _ = self.ask("_getSessions", self.user())
        if what == DONE:
            self.compare_ids("_getSessions", {each["focusSession"]["_id"] for each in reply.json()}, lambda state, now_ms: True)
        return what

    def get_active_sessions(self):
        what, reply, _ = self.ask("_getActiveSessions", self.user())
        if what == DONE:
            # What had a heartbeat counts as ended after a while.
            self.compare_ids("_getActiveSessions", {each["focusSession"]["_id"] for each in reply.json()},
                             lambda state, now_ms: state["end"] is None and (state["seen"] is None or now_ms - state["seen"][1] < IDLE_MS))
        return what

    def view_stats(self):
        what, stats = self.read("_viewStats", "focusStats")
        if what == DONE:
            if stats["id"] != self.person.identity.state["id"]:
                self.wrong("_viewStats: %r", stats)
            self.compare_ids("_viewStats", set(stats["focusSessionIds"]),
                             lambda state, now_ms: state["end"] is not None or (state["seen"] is not None and now_ms - state["seen"][0] >= IDLE_MS))
        return what

    def get_settings(self):
        what, settings = self.read("_getSettings", "settings")
        if what == DONE and not any(state is None or state.items() <= settings.items() for state in self.person.settings.states):
            self.wrong("_getSettings: %r, expected one of %r", settings, self.person.settings.states)
        return what

    def get_titles(self):
        what, reply, _ = self.ask("_getTitles", self.user())
        if what == DONE:
            told = {each["document"]["document"] for each in reply.json()}
            sure = {document for document, thing in self.person.titles.items() if None not in thing.states}
            if sure - told or told - set(self.person.titles):
                self.wrong("_getTitles: %r, expected %r", told, sure)
        return what

    def get_summary(self):
        what, summary = self.read("_getSummary", "summary")
        if what == DONE:
            ended = [[state is not None and state["end"] is not None for state in session.states] for session in self.person.sessions]
            least, most = sum(all(one) for one in ended), len(ended)
            if not least <= summary["sessions"] <= most or summary["seconds"] > summary["rawSeconds"] or summary["seconds"] < 0:
                self.wrong("_getSummary: %r, expected %d to %d sessions", summary, least, most)
        return what

    def whole(self, action, count=None, **fields):
        """A query whose answer is a list: of so many elements, where that is known."""
        what, reply, _ = self.ask(action, {**self.user(), **fields})
        if what == DONE and (not isinstance(reply.json(), list) or (count is not None and len(reply.json()) != count)):
            self.wrong("%s: %r", action, reply)
        return what

    def get_periods(self):
        return self.whole("_getPeriods", unit="day")

    def get_hours(self):
        return self.whole("_getHours", 168)

    def get_documents(self):
        return self.whole("_getDocuments")

    def get_streaks(self):
        return self.whole("_getStreaks", 1)

    def get_goal(self):
        return self.whole("_getGoal", 1)

    # About the service

    def health(self):
        return self.ask("health")[0]

    def metrics(self):
        what, reply, _ = self.ask("metrics")
        if what == DONE and b"focusstats_requests_total" not in reply.body:
            self.wrong("metrics: %r", reply)
        return what

    def description(self):
        what, reply, _ = self.ask("openapi.json")
        if what == DONE and "paths" not in reply.json():
            self.wrong("openapi.json: %r", reply)
        return what

    ACTIONS = {
        "initUser": init_user, "startSession": start_session, "heartbeat": heartbeat, "endSession": end_session, "addSession": add_session,
        "addSessions": add_sessions, "editSession": edit_session, "removeSession": remove_session, "setDocument": set_document,
        "setSettings": set_settings, "removeUser": remove_user, "_viewStats": view_stats, "_getSessions": get_sessions,
        "_getActiveSessions": get_active_sessions, "_getSummary": get_summary, "_getPeriods": get_periods, "_getHours": get_hours,
        "_getDocuments": get_documents, "_getStreaks": get_streaks, "_getGoal": get_goal, "_getSettings": get_settings, "_getTitles": get_titles,
        "_exportUser": export_user, "health": health, "metrics": metrics, "openapi.json": description,
    }
    # Of these one is chosen at each step; users are made and removed between.
    WRITES = [start_session, start_session, heartbeat, end_session, add_session, add_sessions, edit_session, remove_session, set_document, set_settings]
    READS = [method for action, method in ACTIONS.items()
             if action.startswith("_") or action in ("health", "metrics", "openapi.json")]


class Crowd(Threads):
    """Threads of clients that do everything."""

    def __init__(self, deeds, count, connect, first=0, pause=0.0):
        super().__init__([Client(deeds, first + index, connect) for index in range(count)], pause)
