"""A disk that loses power, made of what tests/preload/record.c wrote down.

    events = disk.read(path)                        each with .kind .name .numbers .data .position: how long the record was behind it
    made = disk.Disk()
    for event in events:
        made.take(event)
        made.cut(random)                            name -> content, as the disk may hold them were the power cut now
    made.dropped(random)                            the same where a sync has failed now and the power stays

What such a disk may hold: all that a completed sync of a file covers. Of later writes, any, whole or in part, in sectors of 512 bytes, the unit that
is written whole. A sector holds the first few of its later writes, never one
without those before it, as the kernel's cache holds only the newest.

Names reach the disk in their order, as in the journal of ext4, XFS and btrfs: a sync of a file covers those that were made up to that file's own, one
of the folder all. POSIX promises the latter alone; the engine does not sync the folder when it begins a log file, so on a file system that has no
such order a log file could be lost with all that is in it.
"""

SECTOR, PAGE = 512, 4096
# Mapped, locked or listened on; none of them holds what was stored.
IGNORED = ("metrics", "lock", "relay.sock")


class Event:
    __slots__ = ("kind", "name", "numbers", "data", "position")

    def __init__(self, fields, data, position):
        self.kind, self.name, self.numbers = fields[0], fields[1], [int(field) for field in fields[2:]]
        self.data, self.position = data, position


def read(path):
    with open(path, "rb") as file:
        text = file.read()
    events, at = [], 0
    while at < len(text):
        end = text.index(b"\n", at)
        fields = text[at:end].decode().split(" ")
        size = int(fields[-1])
        events.append(Event(fields[:-1], text[end + 1:end + 1 + size], end + 1 + size))
        at = end + 1 + size
    return events


class File:
    """A file's content: what is surely there, and what came later."""

    def __init__(self):
        self.sure = bytearray()
        self.later = []  # (number, offset, data); None as data: cut or grown to offset
        self.named = 0   # the number of the operation that gave it its name


class Disk:
    def __init__(self):
        self.now = {}      # name -> File, as the program sees them
        self.sure = {}     # as they are surely on the disk
        self.later = []    # (number, operation, name, File or new name)
        self.begun = {}
        self.number = 0

    def take(self, event):
        self.number += 1
        if event.name.startswith(IGNORED) or event.kind.startswith(("call-", "fail-")):
            return
        getattr(self, event.kind)(event)

    def create(self, event):
        self.now[event.name] = File()
        self.rename_or_create("create", event.name, self.now[event.name])

    def rename(self, event):
        if event.name in self.now:
            self.now[event.data.decode()] = self.now.pop(event.name)
            self.rename_or_create("rename", event.name, event.data.decode())

    def rename_or_create(self, what, name, more):
        self.later.append((self.number, what, name, more))
        self.now[name if what == "create" else more].named = self.number

    def unlink(self, event):
        if self.now.pop(event.name, None):
            self.later.append((self.number, "unlink", event.name, None))

    def write(self, event):
        if event.name in self.now:
            self.now[event.name].later.append((self.number, event.numbers[0], event.data))

    def truncate(self, event):
        if event.name in self.now:
            self.now[event.name].later.append((self.number, event.numbers[0], None))

    def begin(self, event):
        self.begun[event.numbers[0]] = (self.number, self.now.get(event.name))

    def synced(self, event):
        number, file = self.begun.pop(event.numbers[0])
        if event.name == ".":
            self.settle_names(number)
        elif file:
            self.settle_names(file.named)
            for _, offset, data in [later for later in file.later if later[0] < number]:
                put(file.sure, offset, data)
            file.later = [later for later in file.later if later[0] > number]

    def settle_names(self, number):
        for operation in [later for later in self.later if later[0] <= number]:
            apply(self.sure, operation)
        self.later = [later for later in self.later if later[0] > number]

    def cut(self, random):
        """One of the states."""
        names = dict(self.sure)
        for operation in self.later[:random.randint(0, len(self.later))]:
            apply(names, operation)
        share = random.choice((0, 0.02, 0.1, 0.5, 0.9, 0.98, 1))
        torn = random.random() < 0.6
        return {name: content(file, random, share, torn) for name, file in names.items()}

    def dropped(self, random):
        """What a kernel may leave that could not write what it was to: all names, and of what was not synced any pages of its cache."""
        share = random.choice((0, 0.1, 0.5, 0.9))
        return {name: content(file, random, share, True, PAGE) for name, file in self.now.items()}

    def put(self, name, data):
        """A file that was there before."""
        self.now[name] = self.sure[name] = File()
        self.now[name].sure += data


def apply(names, operation):
    _, what, name, more = operation
    if what == "create":
        names[name] = more
    elif what == "unlink":
        names.pop(name, None)
    elif name in names:
        names[more] = names.pop(name)


def put(content_of, offset, data):
    if data is None:
        del content_of[offset:]
        content_of.extend(bytes(offset - len(content_of)))
        return
    content_of.extend(bytes(max(0, offset - len(content_of))))
    content_of[offset:offset + len(data)] = data


def content(file, random, share, torn, unit=SECTOR):
    """SHARE of the later writes, or with TORN of their sectors or pages, each with those before it."""
    made, lost = bytearray(file.sure), set()
    for _, offset, data in file.later:
        kept = random.random() < share
        if data is None:
            if kept:
                put(made, offset, None)
            continue
        for first in range(offset - offset % unit, offset + len(data), unit):
            if first in lost or not (random.random() < share if torn else kept):
                lost.add(first)
                continue
            begin, end = max(first, offset), min(first + unit, offset + len(data))
            put(made, begin, data[begin - offset:end - offset])
    return made
