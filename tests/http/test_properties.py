#!/usr/bin/env python3
"""Random histories: sessions are started, seen, ended, added late, edited and removed, retried and refused, zones and days change, and after every
step the program answers what a model of the recording answers, and its figures hold together: days, months, years and hours sum to the summary, no day
is longer than itself. At the end the totals in the files are those that their sessions make."""

import os
import random
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "crash")]

import offline
import timed
import tap
from model import ACTIVE, Model, User, rounded, union

LONG = os.environ.get("FOCUSSTATS_LONG") == "1"
QUICK = os.environ.get("FOCUSSTATS_QUICK") == "1"
HISTORIES = 200 if LONG else 6 if QUICK else 20
STEPS = 60
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca",
         "Asia/Tehran"]
DOCUMENTS = ["walden", "the odyssey", "книга"]


class History(timed.TimedCase):
    """A reader and another one, each step compared with the model. WHOLE: all times are whole seconds, so that sums of seconds are exact."""

    abstract = True
    checks = 0

    def begin_history(self, seed, whole):
        self.random = random.Random("%s %s" % (seed, whole))
        self.unit = 1000 if whole else 1
        self.model = Model()
        self.users = ["%s %s %d" % (name, seed, whole) for name in ("ada", "adam")]
        self.steps = []
        self.ids = []
        # Beside a change of the clock in many zones: the last Sunday of March or October, the first of November.
        self.move(timed.ms_of(self.random.choice(["2025-03-28T12:00:00Z", "2025-10-24T12:00:00Z", "2025-11-01T00:00:00Z", "2011-12-28T00:00:00Z",
                                                  "2024-02-28T00:00:00Z"])))
        for user in self.users:
            self.init(user)
            self.model.users[user] = User()

    def move(self, ms):
        self.at(ms)
        self.model.now = ms

    # Random things

    def pick_user(self):
        return self.random.choice(self.users[:1] * 4 + self.users[1:])

    def pick_id(self):
        """Mostly of a session that was there some time."""
        if self.ids and self.random.random() < 0.95:
            return self.random.choice(self.ids[-12:])
        return self.new_id()

    def new_id(self):
        made = str(uuid.UUID(int=self.random.getrandbits(128)))
        self.ids.append(made)
        return made

    def pick_time(self, back_s=3 * 86400, ahead_s=0):
        return (self.now + self.random.randint(-back_s * 1000, ahead_s * 1000)) // self.unit * self.unit

    def pick_span(self):
        start = self.pick_time(self.random.choice([3600, 86400, 40 * 86400]))
        length = self.random.choice([0, 1000, 600000, self.random.randint(0, 7200000), self.random.randint(0, 4 * timed.DAY_MS), -1000])
        return start, (start + length) // self.unit * self.unit

    # Steps: each asks the program and the model, and returns what both were asked

    def step(self):
        seconds = self.random.choice([0, 1, 30, 59, 599, 601, 3600, 20000])
        self.move(self.now + seconds * 1000 + (0 if self.unit == 1000 else self.random.randrange(1000)))
        kinds = [self.step_start] * 4 + [self.step_heartbeat] * 5 + [self.step_end] * 5 + [self.step_add] * 5 + [self.step_batch] + [self.step_edit] * 4 \
            + [self.step_remove] * 2 + [self.step_settings]
        self.random.choice(kinds)()

    def both(self, wanted, action, fields):
        """Sends a request whose right statuses the model has told."""
        reply = self.post(action, fields)
        self.steps.append("%s %s %s: %d %s" % (timed.instant(self.now), action, fields, reply.status, reply.text.strip()[:200]))
        self.assertIn(reply.status, wanted, self.told())
        return reply

    def told(self):
        return "the last steps:\n" + "\n".join(self.steps[-12:])

    def step_start(self):
        user, document = self.pick_user(), self.random.choice(DOCUMENTS)
        identity = self.new_id() if self.random.random() < 0.8 else self.pick_id()
        fields = {"user": user, "document": document, "library": "home", "focusSession": identity}
        for _ in range(self.random.choice([1, 1, 2])):
            self.both(self.model.start(user, document, "home", identity), "startSession", fields)

    def step_heartbeat(self):
        identity, progress = self.pick_id(), self.random.choice([None, self.random.random()])
        self.both(self.model.heartbeat(identity, progress), "heartbeat", {"focusSession": identity, **given(progress=progress)})

    def step_end(self):
        identity, progress = self.pick_id(), self.random.choice([None, self.random.random()])
        end = self.random.choice([None, None, self.pick_time(3600, 400), self.now])
        fields = {"focusSession": identity, **given(progress=progress, endTime=timed.instant(end))}
        for _ in range(self.random.choice([1, 1, 2])):
            self.both(self.model.end(identity, end, progress), "endSession", fields)

    def step_add(self):
        user, document = self.pick_user(), self.random.choice(DOCUMENTS)
        start, end = self.pick_span()
        identity = self.new_id() if self.random.random() < 0.9 else self.pick_id()
        fields = {"user": user, "document": document, "library": "work", "focusSession": identity, "startTime": timed.instant(start),
                  "endTime": timed.instant(end)}
        for _ in range(self.random.choice([1, 1, 2])):
            self.both(self.model.add(user, document, "work", start, end, identity), "addSession", fields)

    def step_batch(self):
        user = self.pick_user()
        elements, wanted = [], []
        for _ in range(self.random.randint(0, 12)):
            start, end = self.pick_span()
            identity = self.new_id() if self.random.random() < 0.8 else self.pick_id()
            document = self.random.choice(DOCUMENTS)
            elements.append({"document": document, "library": "work", "focusSession": identity, "startTime": timed.instant(start),
                             "endTime": timed.instant(end)})
            wanted.append(self.model.add(user, document, "work", start, end, identity) == {200})
        reply = self.both({200}, "addSessions", {"user": user, "sessions": elements})
        self.assertEqual(["focusSession" in result for result in reply.json()["results"]], wanted, self.told())

    def step_edit(self):
        identity = self.pick_id()
        start, end = self.pick_span()
        changes = self.random.choice([{"start": start}, {"end": end}, {"start": start, "end": end}, {"document": "another"},
                                      {"start": start, "document": "walden"}])
        fields = {"focusSession": identity, **given(startTime=timed.instant(changes.get("start")), endTime=timed.instant(changes.get("end")),
                                                    document=changes.get("document"))}
        self.both(self.model.edit(identity, **changes), "editSession", fields)

    def step_remove(self):
        identity = self.pick_id()
        self.both(self.model.remove(identity), "removeSession", {"focusSession": identity})

    def step_settings(self):
        user, idle = self.pick_user(), self.random.choice([60, 600, 3600, 86400])
        self.model.set_idle(user, idle * 1000)
        self.both({200}, "setSettings", {"user": user, "idleTimeoutSeconds": idle, "timezone": self.random.choice(ZONES),
                                         "dayStart": self.random.choice(["00:00", "02:30", "04:00", "23:59"]),
                                         "weekStart": self.random.choice(["monday", "sunday"])})

    # What must hold

    def check(self):
        for user in self.users:
            self.user = user
            self.check_lists(user)
            self.check_figures(user)
        History.checks += 1

    def check_lists(self, user):
        sessions = self.model.sessions(user)
        listed = [{"_id": session.id, "user": user, "document": session.document, "startTime": timed.instant(session.start),
                   "endTime": timed.instant(self.model.end_of(user, session))} for session in sessions]
        self.assertEqual(self.sessions(), listed, self.told())
        self.assertEqual(self.ended(), [session["_id"] for session in listed if session["endTime"]], self.told())
        self.assertEqual([(session["_id"], session["lastSeen"]) for session in self.list("_getActiveSessions", {})],
                         [(session.id, timed.instant(session.seen)) for session in sessions if self.model.end_of(user, session) is ACTIVE],
                         self.told())
        self.assertEqual([(session["_id"], session["library"], session["lastSeen"], session["progress"]) for session in self.sessions(order="asc")],
                         [(session.id, session.library, timed.instant(session.seen), session.progress) for session in sessions], self.told())

    def check_figures(self, user):
        ended = self.model.ended(user)
        ms = union([(start, end) for start, end, _ in ended])
        raw = sum(end - start for start, end, _ in ended)
        summary = self.one("_getSummary")
        days = self.list("_getPeriods", {"unit": "day", "fill": True})
        wanted = {
            "seconds": rounded(ms), "rawSeconds": rounded(raw), "sessions": len(ended),
            "documents": len({session.document for _, _, session in ended}),
            "activeDays": sum(day["sessions"] > 0 for day in days), "averageSessionSeconds": rounded(raw, len(ended)) if ended else 0,
            "longestSessionSeconds": rounded(max((end - start for start, end, _ in ended), default=0)),
            "firstStart": timed.instant(min((start for start, _, _ in ended), default=None)),
            "lastEnd": timed.instant(max((end for _, end, _ in ended), default=None))}
        self.assertEqual({key: summary[key] for key in wanted}, wanted, self.told())
        self.check_periods(days)
        for unit in ("day", "week", "month", "year"):
            self.check_sum(summary, [period["seconds"] for period in self.list("_getPeriods", {"unit": unit})], unit)
        self.check_sum(summary, [hour["seconds"] for hour in self.list("_getHours", {})], "hours")
        documents = self.list("_getDocuments", {})
        self.assertEqual(sum(document["sessions"] for document in documents), summary["sessions"], self.told())
        for document in documents:
            own = [(start, end) for start, end, session in ended if session.document == document["document"]]
            self.assertEqual(document["seconds"], rounded(union(own)), self.told())
            reports = [(session.progress_time, session.progress) for session in self.model.sessions(user)
                       if session.document == document["document"] and session.progress is not None]
            if len({time for time, _ in reports}) == len(reports):
                self.assertEqual(document["progress"], max(reports)[1] if reports else None, self.told())

    def check_sum(self, summary, parts, what):
        """Exact where all is whole seconds; otherwise each part may be rounded by half a second."""
        slack = 0 if self.unit == 1000 else (sum(part > 0 for part in parts) + len(parts) + 1) / 2
        self.assertLessEqual(abs(sum(parts) - summary["seconds"]), slack, "%s: %r; %s" % (what, parts, self.told()))

    def check_periods(self, days):
        for day, following in zip(days, days[1:] + [None]):
            self.assertLessEqual(day["seconds"], rounded(timed.ms_of(day["end"]) - timed.ms_of(day["start"])), self.told())
            if following:
                self.assertEqual(day["end"], following["start"], self.told())

    def run_history(self, seed, whole):
        self.begin_history(seed, whole)
        for _ in range(STEPS):
            self.step()
            self.check()
        for user in self.users:
            self.user = user
            exported = self.one("_exportUser")["sessions"]
            self.assertEqual([(session["_id"], session["progress"], session["progressTime"]) for session in exported],
                             [(session.id, session.progress, timed.instant(session.progress_time)) for session in self.model.sessions(user)],
                             self.told())
        return self.model


class Properties(History):
    """Histories one after the other, then the files."""

    models = []

    @tap.limit(1200 if LONG else 120)
    def test_1_whole_seconds(self):
        self.run_many(True)

    @tap.limit(1200 if LONG else 120)
    def test_2_milliseconds(self):
        self.run_many(False)

    def run_many(self, whole):
        for seed in range(HISTORIES):
            self.models.append(self.run_history(seed, whole))
        print("# %d histories, %d steps after each of which everything was compared" % (HISTORIES, HISTORIES * STEPS))

    def test_3_totals_stored_are_totals_recomputed(self):
        """offline.read makes the totals and every index again from the sessions alone, and compares them with what is stored."""
        if offline.missing():
            self.skipTest(offline.missing())
        self.service.stop()
        try:
            store = offline.read(self.folder)
        finally:
            self.service.responder = timed.harness.Responder(self.folder, settings=self.service.responder.settings)
            os.unlink(self.folder.socket)
            self.service.start()
        wanted = {session.id: (user, session)
                  for model in self.models for user, of_user in model.users.items() for session in of_user.sessions.values()}
        self.assertEqual(set(store.sessions), set(wanted))
        self.assertGreater(len(wanted), 100)
        for identity, record in store.sessions.items():
            user, session = wanted[identity]
            self.assertEqual((record.user, record.document, record.library, record.start_ms),
                             (user, session.document, session.library, session.start))
            self.assertEqual(record.end_ms if record.ended else None, session.end if session.end is not ACTIVE or not record.ended else session.seen)


def given(**fields):
    """Those that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


if __name__ == "__main__":
    tap.main(globals())
