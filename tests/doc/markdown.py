"""What the tests read from the project's Markdown: sections, fenced blocks, tables, links.

    for section in sections(text): section.level, section.title, section.lines
    for block in blocks(lines):    block.language, block.text
    for table in tables(lines):    table[0] is the list of head cells, the others are rows; cells are without backticks
"""

import os
import re

from folder import SOURCE


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


class Section:
    """A heading and what follows it up to the next one of any level."""

    def __init__(self, level, title):
        self.level = level
        self.title = title
        self.lines = []

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def anchor(self):
        """The name that a link to the heading has (GitHub's rule)."""
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")


def sections(text):
    made = [Section(0, "")]
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        heading = None if fenced else re.match(r"(#+) (.*)", line)
        if heading:
            made.append(Section(len(heading[1]), heading[2].replace("`", "")))
        else:
            made[-1].lines.append(line)
    return made


class Block:
    """A fenced block."""

    def __init__(self, language):
        self.language = language
        self.lines = []

    @property
    def text(self):
        return "\n".join(self.lines)


def parts(lines):
    """The fenced blocks (Block) and tables (list of rows) in the order in which they stand."""
    made = []
    block = table = None
    for line in lines:
        if line.startswith("```"):
            if block is None:
                block = Block(line[3:].strip())
            else:
                made.append(block)
                block = None
            table = None
        elif block is not None:
            block.lines.append(line)
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.strip("|- ") else None
            if table is None:
                table = []
                made.append(table)
            if cells is not None:
                table.append(cells)
        else:
            table = None
    return made


def blocks(lines):
    return [part for part in parts(lines) if isinstance(part, Block)]


def code(cell):
    """What stands between the first pair of backticks of a cell; None where there is none."""
    found = re.search(r"`([^`]*)`", cell)
    return found[1] if found else None


def links(text):
    """The targets of all links outside of fenced blocks."""
    outside = re.sub(r"(?ms)^```.*?^```", "", text)
    return re.findall(r"\]\(([^)\s]+)\)", outside)
