"""The recording part of the specification in a few lines of Python, to be compared with the program: what each action answers and leaves.

    model = Model()
    model.now = ms
    model.start(user, document, library, identity)  -> a set of statuses that are right, {200} where it is carried out
    model.sessions(user)                            -> the sessions in their order, as they count at the moment
"""

LATEST_AHEAD_MS = 5 * 60000
ACTIVE = None


class Session:
    """One session. END is ACTIVE, which is None, while it is open."""

    def __init__(self, identity, document, library, start, end=ACTIVE):
        self.id = identity
        self.document = document
        self.first_document = document
        self.library = library
        self.start = start
        self.end = end
        self.seen = None
        self.progress = None
        self.progress_time = None


class User:
    """A user, their sessions by id, and the setting that recording depends on."""

    def __init__(self):
        self.sessions = {}
        self.idle_ms = 600000


class Model:
    """All users."""

    def __init__(self):
        self.now = 0
        self.users = {}

    # What counts

    def end_of(self, user, session):
        """When it ended or counts as ended; ACTIVE where it does not."""
        if session.end is ACTIVE and session.seen is not None and self.now - session.seen >= self.users[user].idle_ms:
            return max(session.seen, session.start)
        return session.end

    def sessions(self, user):
        return sorted(self.users[user].sessions.values(), key=lambda session: (session.start, session.id))

    def ended(self, user):
        """(start, end, session) of what is in the statistics."""
        return [(session.start, self.end_of(user, session), session) for session in self.sessions(user) if self.end_of(user, session) is not ACTIVE]

    def find(self, identity):
        """(user, session), or (None, None)."""
        for name, user in self.users.items():
            if identity in user.sessions:
                return name, user.sessions[identity]
        return None, None

    # Actions

    def start(self, user, document, library, identity):
        owner, there = self.find(identity)
        if there is not None:
            # A retry of the start is one after an edit of the document as well.
            return {200} if owner == user and document in (there.document, there.first_document) else {409}
        self.users[user].sessions[identity] = Session(identity, document, library, self.now)
        return {200}

    def report(self, session, progress):
        if progress is not None:
            session.progress = progress
            session.progress_time = self.now

    def heartbeat(self, identity, progress=None):
        user, session = self.find(identity)
        if session is None:
            return {404}
        if self.end_of(user, session) is not ACTIVE:
            return {409}
        session.seen = max(self.now, session.start, session.seen or 0)
        self.report(session, progress)
        return {200}

    def end(self, identity, end=None, progress=None):
        user, session = self.find(identity)
        if session is None:
            return {404}
        ended = self.end_of(user, session)
        if ended is not ACTIVE:
            if end is not None and end == ended:
                return {200}
            # Which of two reasons a refusal tells is open.
            return {409} if end is None or session.start <= end <= self.now + LATEST_AHEAD_MS else {400, 409}
        if end is not None and not session.start <= end <= self.now + LATEST_AHEAD_MS:
            return {400}
        session.end = max(self.now, session.start) if end is None else end
        self.report(session, progress)
        return {200}

    def add(self, user, document, library, start, end, identity):
        if not start <= end <= self.now + LATEST_AHEAD_MS:
            return {400}
        owner, there = self.find(identity)
        if there is not None:
            same = owner == user and (there.document, there.library, there.start, self.end_of(user, there)) == (document, library, start, end)
            return {200} if same else {409}
        self.users[user].sessions[identity] = Session(identity, document, library, start, end)
        return {200}

    def edit(self, identity, start=None, end=None, document=None):
        user, session = self.find(identity)
        if session is None:
            return {404}
        ended = self.end_of(user, session)
        if ended is ACTIVE and end is not None:
            return {409} if session.start <= end <= self.now + LATEST_AHEAD_MS else {400, 409}
        if ended is not ACTIVE:
            new_start, new_end = session.start if start is None else start, ended if end is None else end
            if new_start > new_end or (end is not None and new_end > self.now + LATEST_AHEAD_MS):
                return {400}
            session.end = new_end
        if start is not None:
            session.start = start
            # The reader is never last seen before the start.
            session.seen = max(session.seen, start) if session.seen is not None else None
        if document is not None:
            session.document = document
        return {200}

    def remove(self, identity):
        user, session = self.find(identity)
        if session is None:
            return {404}
        del self.users[user].sessions[identity]
        return {200}

    def set_idle(self, user, idle_ms):
        """What counts as ended by the old one is stored first."""
        for session in self.users[user].sessions.values():
            session.end = self.end_of(user, session)
        self.users[user].idle_ms = idle_ms


def union(pieces):
    """The length of the union of (start, end) pieces, in ms."""
    total, reached = 0, None
    for start, end in sorted(pieces):
        if reached is None or start > reached:
            total, reached = total + end - start, end
        elif end > reached:
            total, reached = total + end - reached, end
    return total


def rounded(ms, count=1):
    """Whole seconds of ms / count, half up."""
    return (2 * ms + 1000 * count) // (2000 * count)
