"""A client that does every action that writes, one after the other, and knows what is right to be answered and to be there, whatever fails.

    client = Client()
    client.take(step, status, told)                 an answer to one of the steps of LIFE, LATER or LAST; Wrong where it cannot be right
    client.may_be_done(step)                        there was no answer, or none that says whether it was carried out
    client.problem(found)                           None, or why what exported() found is none of what may be there

After an answer that leaves open whether a request was carried out there are two states that may be; each later answer must be right for one of them,
which then is the one. A state is a dict:

    ("user", USER): id of the FocusStats            None where the answer was lost
    ("settings", USER): seconds of the daily goal
    ("document", USER, DOCUMENT): title
    ("session", ID): (user, document, whether it has ended, progress)
"""

import json

LONG_ID = "l" * 240
PAST = 150


def identity(number):
    return "00000000-0000-4000-8000-%012d" % number


class Step:
    """An action. RIGHT(state) is the status of its answer, CHANGE(state, told) what it leaves where that is 200, AGREES(state, told) whether the answer
    of a query is right."""

    def __init__(self, action, fields, right, change=None, agrees=None):
        self.action, self.fields, self.right = action, fields, right
        self.writes = change is not None
        self.change = change or (lambda state, told: state)
        self.agrees = agrees or (lambda state, told: True)


def with_value(state, key, value):
    return {**state, key: value}


def without_user(state, user):
    return {key: value for key, value in state.items() if key[1] != user and (key[0] != "session" or value[0] != user)}


def needs_user(user):
    return lambda state: 200 if ("user", user) in state else 404


def init_user(user):
    def change(state, told):
        return {**state, ("user", user): told and told["focusStats"], ("settings", user): 0}
    return Step("initUser", {"user": user}, lambda state: 409 if ("user", user) in state else 200, change)


def start(user, number, document):
    key = ("session", identity(number))
    return Step("startSession", {"user": user, "document": document, "library": "home", "focusSession": key[1]}, needs_user(user),
                lambda state, told: state if key in state else with_value(state, key, (user, document, False, None)))


def change_session(action, number, new, open_only=False, **fields):
    key = ("session", identity(number))

    def right(state):
        return 404 if key not in state else 409 if open_only and state[key][2] else 200
    return Step(action, {"focusSession": key[1], **fields}, right, lambda state, told: with_value(state, key, new(state[key])))


def remove_session(number):
    key = ("session", identity(number))
    return Step("removeSession", {"focusSession": key[1]}, lambda state: 200 if key in state else 404,
                lambda state, told: {other: value for other, value in state.items() if other != key})


def past(number, document):
    return {"document": document, "library": LONG_ID, "startTime": "2025-01-%02dT%02d:%02d:00Z" % (1 + number // 1440, number // 60 % 24, number % 60),
            "endTime": "2025-01-%02dT%02d:%02d:30Z" % (1 + number // 1440, number // 60 % 24, number % 60), "focusSession": identity(number)}


def add(user, number, document):
    return Step("addSession", {"user": user, **past(number, document)}, needs_user(user),
                lambda state, told: with_value(state, ("session", identity(number)), (user, document, True, None)))


def add_many(user, first):
    sessions = [past(first + place, "past-%d-" % place + LONG_ID) for place in range(PAST)]

    def change(state, told):
        taken = [session for place, session in enumerate(sessions) if told is None or "focusSession" in told["results"][place]]
        return {**state, **{("session", session["focusSession"]): (user, session["document"], True, None) for session in taken}}
    return Step("addSessions", {"user": user, "sessions": sessions}, needs_user(user), change)


def set_document(user, document, title):
    return Step("setDocument", {"user": user, "document": document, "title": title}, needs_user(user),
                lambda state, told: with_value(state, ("document", user, document), title))


def set_settings(user, goal):
    return Step("setSettings", {"user": user, "dailyGoalSeconds": goal}, needs_user(user),
                lambda state, told: with_value(state, ("settings", user), goal))


def remove_user(user):
    return Step("removeUser", {"user": user, "confirm": user}, needs_user(user), lambda state, told: without_user(state, user))


def get_sessions(user):
    def agrees(state, told):
        found = {(one["focusSession"]["_id"], one["focusSession"]["endTime"] is not None) for one in told}
        return found == {(key[1], value[2]) for key, value in state.items() if key[0] == "session" and value[0] == user}
    return Step("_getSessions", {"user": user}, needs_user(user), agrees=agrees)


def ended(value):
    return value[:2] + (True, value[3])


LIFE = [
    init_user("ann"), init_user("bob"), start("ann", 1, "walden"), change_session("heartbeat", 1, lambda value: value[:3] + (0.25,), True, progress=0.25),
    set_document("ann", "walden", "Walden"), set_settings("ann", 1800), change_session("endSession", 1, ended, True), add("ann", 2, "emma"),
    change_session("editSession", 2, lambda value: (value[0], "persuasion") + value[2:], document="persuasion"), get_sessions("ann"),
    start("bob", 3, "ulysses"), add_many("ann", 1000), add_many("bob", 2000), get_sessions("bob"), remove_session(2), add_many("ann", 3000),
    change_session("endSession", 3, ended, True), start("bob", 4, "dubliners"), get_sessions("ann"), remove_user("ann"), get_sessions("bob"), init_user("ann"),
]
# On what a kill has left.
LATER = [get_sessions("bob"), start("bob", 5, "exiles"), init_user("eve"), add("eve", 6, "emma"), get_sessions("eve"),
         change_session("endSession", 5, ended, True), set_document("bob", "ulysses", "Ulysses"), remove_user("eve"), get_sessions("bob")]
LAST = [start("bob", 7, "stephen hero"), get_sessions("bob"), remove_session(7)]


class Wrong(AssertionError):
    """An answer, or what is there, that cannot be right."""


class Client:
    """All the states that may be."""

    def __init__(self, states=({},)):
        self.states = list(states)

    def add(self, states):
        self.states += [state for state in states if state not in self.states]

    def may_be_done(self, step):
        self.add([step.change(state, None) for state in list(self.states) if step.right(state) == 200])

    def take(self, step, status, told):
        """An answer that is no 503."""
        right = [state for state in self.states if step.right(state) == status and (status != 200 or step.agrees(state, told))]
        if not right:
            raise Wrong("wrong answer to %s: %d %s" % (step.action, status, json.dumps(told)[:400]))
        self.states = [step.change(state, told) for state in right] if status == 200 else right

    def problem(self, found):
        if any(same(state, found) for state in self.states):
            return None
        must = self.states[0]
        return "%d of %d things acknowledged are lost or changed, %d are there that must not be: %r" % (
            len([key for key in must if found.get(key) != must[key]]), len(must), len([key for key in found if key not in must]),
            [(key, must.get(key), found.get(key)) for key in {**must, **found} if must.get(key) != found.get(key)][:3])


def same(state, found):
    """An id whose answer was lost may be any."""
    return state.keys() == found.keys() and all(found[key] == value or (key[0] == "user" and value is None) for key, value in state.items())


def exported(text):
    """What an export holds, as a state."""
    found = {}
    for line in text.splitlines():
        (kind, record), = json.loads(line).items()
        if kind == "user":
            found["user", record["user"]] = record["focusStats"]
            found["settings", record["user"]] = record["settings"]["dailyGoalSeconds"]
        elif kind == "document":
            found["document", record["user"], record["document"]] = record["title"]
        elif kind == "session":
            found["session", record["focusSession"]] = (record["user"], record["document"], "endTime" in record, record.get("progress"))
    return found
