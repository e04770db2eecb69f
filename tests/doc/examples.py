"""Examples of the documentation against the running service: what differs from run to run is bound, everything else must be the same.

An id that the service makes stands for one of the run: it is bound to what first stands in its place in an answer, and from then on means that, in
requests too. So does an instant, unless the service's clock stands where the documentation says: then it is what it is. A "…" in an answer stands for
anything.
"""

import json
import re

ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LEFT_OUT = "…"


class Bindings:
    """Documented values and the real ones."""

    def __init__(self):
        self.real = {}
        self.variable = re.compile(ID + "|" + INSTANT)

    def keep_instants(self):
        """From now on an instant is bound to nothing."""
        self.variable = re.compile(ID)

    def apply(self, text):
        """The text with everything that is bound put in place."""
        return self.variable.sub(lambda found: self.real.get(found[0], found[0]), text)

    def match(self, documented, answered):
        """Binds what is new; returns whether the two are the same then."""
        if LEFT_OUT in documented:
            return self.matches_parts(self.apply(documented), answered)
        for left, right in zip(self.variable.findall(documented), self.variable.findall(answered)):
            if len(left) == len(right):
                self.real.setdefault(left, right)
        return self.apply(documented) == answered

    def matches_parts(self, documented, answered):
        """Whether the parts between what is left out are all there, in order. Nothing is bound."""
        return re.fullmatch(".+?".join(re.escape(part) for part in documented.split(LEFT_OUT)), answered, re.DOTALL) is not None


class Message:
    """A request or an answer as it stands in a block: first line, headers, body."""

    def __init__(self, text):
        head, _, self.body = text.partition("\n\n")
        first, *rest = head.split("\n")
        self.first = first.split(" ")
        self.headers = [tuple(line.split(": ", 1)) for line in rest]

    @property
    def is_answer(self):
        return self.first[0].startswith("HTTP/")


def differences(documented, reply, bindings):
    """What of a documented answer is not so in the real one."""
    found = []
    if int(documented.first[1]) != reply.status:
        found.append("status %s, answered %d" % (documented.first[1], reply.status))
    for name, value in documented.headers:
        if reply.header(name) != value:
            found.append("%s: %s, answered %s" % (name, value, reply.header(name)))
    answered = reply.text
    if answered and not answered.endswith("\n"):
        found.append("the body does not end in a newline")
    if not bindings.match(documented.body, answered.rstrip("\n")):
        found.append("%s, answered %s" % (documented.body, answered[:2000]))
    return found


def error_of(reply):
    """The text of a refusal; None where the answer is none."""
    try:
        answer = json.loads(reply.body)
    except ValueError:
        return None
    return answer.get("error") if isinstance(answer, dict) and list(answer) == ["error"] else None
