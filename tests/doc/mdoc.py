"""What the tests read from the project's manual pages; shell.py runs the commands that they show.

    for text in blocks(page):               each literal block, without escapes
    sections(page)["_getSummary"]           the source below a heading of either level
    items(text)                             {tag: what follows it} of all lists, plain
    plain(text)                             the words, without macros
"""

import re

from markdown import read

MACRO = re.compile(r"(?m)^\.(?:Cm|Ev|Ql|Li|Pa|Nm|Xr|Sx|Sy|Va|Dv|Dq|Fl|Ar|Pq|Dl) ")


def unescape(text):
    return re.sub(r"\\&|\\e|\\-", lambda found: {"\\&": "", "\\e": "\\", "\\-": "-"}[found[0]], text)


def blocks(page):
    return [unescape(text) for text in re.findall(r"(?ms)^\.Bd -literal[^\n]*\n(.*?)\n\.Ed$", read(page))]


def is_console(text):
    return text.startswith("$ ")


def sections(page):
    made, name = {}, None
    for line in read(page).split("\n"):
        heading = re.match(r"\.S[hs] (.*)", line)
        if heading:
            name = heading[1]
            made[name] = ""
        elif name is not None:
            made[name] += line + "\n"
    return made


def plain(text):
    return re.sub(r"\s+", " ", re.sub(r" (Ns|Cm|=) ", " ", MACRO.sub("", unescape(text))))


def items(text):
    found = re.findall(r"(?ms)^\.It (?:(?:Cm|Ev) )?([^\n]*)\n(.*?)(?=^\.It |^\.El)", text)
    return {tag: plain(what) for tag, what in found}
