"""Examples of the documentation against the running service: what differs from run to run is bound, everything else must be the same.

An id or instant of the documentation stands for one of the run: it is bound to what first stands in its place in an answer, and
from then on means that, in requests too.
"""

import json
import re

VARIABLE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Bindings:
    """Documented values and the real ones."""

    def __init__(self):
        self.real = {}

    def apply(self, text):
        """The text with everything that is bound put in place."""
        return VARIABLE.sub(lambda found: self.real.get(found[0], found[0]), text)

    def match(self, documented, answered):
        """Binds what is new; returns whether the two are the same then."""
        for left, right in zip(VARIABLE.findall(documented), VARIABLE.findall(answered)):
            if len(left) == len(right):
                self.real.setdefault(left, right)
        return self.apply(documented) == answered


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
        found.append("%s, answered %s" % (documented.body, answered))
    return found


def error_of(reply):
    """The text of a refusal; None where the answer is none."""
    try:
        answer = json.loads(reply.body)
    except ValueError:
        return None
    return answer.get("error") if isinstance(answer, dict) and list(answer) == ["error"] else None
