"""Clients that were told nothing by a lost answer, and therefore send everything several times, in any order, from several threads, until each request
has an answer. What is there in the end must be exactly what one client would have left that sent each request once.

    plans = Plans(user, seed, start_ms)        requests with client ids: sessions started, seen and ended, added alone and in batches
    plans.send(post, threads=16)               post(index) -> something with post(action, fields) and close(), one for each thread
    plans.answered()                           how many answers there were, whatever they said
    plans.check(case, exported)                the sessions of _exportUser

The service's clock must stand at START_MS, so that every stored value is known.
"""

import queue
import random
import threading
import time
import uuid

from folder import patience
from timed import instant

RETRIES_SECONDS = 60


class Request:
    """A request and the statuses that end its retries. 404 does not end those of a session that may not have been started yet."""

    def __init__(self, action, fields, final):
        self.action = action
        self.fields = fields
        self.final = final


class Plans:
    """The sessions of a user, and the requests that make them."""

    def __init__(self, user, seed, start_ms, count=60):
        self.random = random.Random(seed)
        self.user = user
        self.start_ms = start_ms
        self.wanted = {}
        self.requests = []
        self.failures = []
        self.statuses = {}
        for number in range(count):
            self.random.choice([self.plan_recorded, self.plan_recorded, self.plan_added, self.plan_batch])(number)
        self.random.shuffle(self.requests)

    def want(self, number, library, start, end, seen, progress):
        identity = str(uuid.UUID(int=self.random.getrandbits(128)))
        self.wanted[identity] = {
            "_id": identity, "document": "document %d" % number, "library": library, "startTime": instant(start), "endTime": instant(end),
            "lastSeen": instant(seen), "progress": progress, "progressTime": instant(self.start_ms) if progress is not None else None}
        return identity

    def several(self, request):
        self.requests += [request] * self.random.randint(2, 5)

    def plan_recorded(self, number):
        """Some are left open; of some the last words are a heartbeat's."""
        ends, beats = self.random.random() < 0.7, self.random.random() < 0.5
        end = self.start_ms + self.random.randint(0, 299) * 1000 if ends else None
        progress = self.random.random() if ends or beats else None
        identity = self.want(number, "home", self.start_ms, end, None, progress)
        self.several(Request("startSession", {"user": self.user, "document": "document %d" % number, "library": "home", "focusSession": identity},
                             {200}))
        if ends:
            self.several(Request("endSession", {"focusSession": identity, "endTime": instant(end), "progress": progress}, {200}))
        if beats:
            # Before the end or after it: last-seen is the one thing that depends on the order.
            self.wanted[identity]["lastSeen"] = (None, instant(self.start_ms)) if ends else instant(self.start_ms)
            report = {} if ends else {"progress": progress}
            self.several(Request("heartbeat", {"focusSession": identity, **report}, {200, 409} if ends else {200}))

    def added(self, number):
        start = self.start_ms - self.random.randint(1, 10 ** 9)
        end = start + self.random.randint(0, 10 ** 7)
        identity = self.want(number, "work", start, min(end, self.start_ms), None, None)
        return {name: self.wanted[identity][name] for name in ("document", "library", "startTime", "endTime")} | {"focusSession": identity}

    def plan_added(self, number):
        self.several(Request("addSession", {"user": self.user, **self.added(number)}, {200}))

    def plan_batch(self, number):
        """Batches that overlap: each session is in two."""
        elements = [self.added(1000 * (number + 1) + index) for index in range(12)]
        for low, high in ((0, 8), (4, 12), (8, 12), (0, 4)):
            self.several(Request("addSessions", {"user": self.user, "sessions": elements[low:high]}, {200}))

    def answered(self):
        return sum(count for status, count in list(self.statuses.items()) if isinstance(status, int))

    # Sending

    def send(self, connect, threads=16):
        """Every request until it has its answer. The first failure of a thread is raised."""
        waiting = queue.Queue()
        for request in self.requests:
            waiting.put(request)
        deadline = time.monotonic() + patience(RETRIES_SECONDS)
        workers = [threading.Thread(target=self.work, args=(connect, index, waiting, deadline), daemon=True) for index in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if self.failures:
            raise self.failures[0]

    def work(self, connect, index, waiting, deadline):
        client = None
        try:
            client = connect(index)
            while True:
                try:
                    request = waiting.get_nowait()
                except queue.Empty:
                    return
                if not self.ask(client, request):
                    if time.monotonic() > deadline:
                        raise AssertionError("no answer within %g s: %s %r; answers: %s" % (RETRIES_SECONDS, request.action, request.fields,
                                                                                            self.statuses))
                    waiting.put(request)
                    time.sleep(0.001)
        except BaseException as error:  # send() raises it
            self.failures.append(error)
        finally:
            if client is not None:
                client.close()

    def ask(self, client, request):
        """Whether the request has its answer."""
        try:
            reply = client.post(request.action, request.fields)
        except Exception as error:  # no answer, whatever it was
            self.count(type(error).__name__)
            return False
        self.count(reply.status)
        if reply.status in request.final:
            wrong = [result for result in reply.json().get("results", []) if "error" in result]
            if wrong:
                raise AssertionError("%s %r: %r" % (request.action, request.fields, wrong))
            if request.action != "addSessions" and reply.status == 200 and reply.json() != {"focusSession": request.fields["focusSession"]}:
                raise AssertionError("%s %r: %r" % (request.action, request.fields, reply))
            return True
        if reply.status == 503 or (reply.status == 404 and request.action in ("heartbeat", "endSession")) or reply.status in (502, 504):
            return False
        raise AssertionError("%s %r: %r" % (request.action, request.fields, reply))

    def count(self, what):
        self.statuses[what] = self.statuses.get(what, 0) + 1

    def check(self, case, exported):
        """Exactly one session for each id, with exactly the right values."""
        case.assertEqual(sorted(session["_id"] for session in exported), sorted(self.wanted))
        for session in exported:
            wanted = dict(self.wanted[session["_id"]])
            if isinstance(wanted["lastSeen"], tuple):
                case.assertIn(session["lastSeen"], wanted["lastSeen"])
                wanted["lastSeen"] = session["lastSeen"]
            case.assertEqual(session, wanted)
