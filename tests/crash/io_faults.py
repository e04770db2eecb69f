"""Calls to the disk that fail, as tests/preload/record.c lets them.

    settings = recorder(folder, recording, fault)   for what is started; the file RECORDING is begun anew
    faults = Faults(counts, seconds)                counts: kind -> how many calls there were of it where none failed
    fault = faults.next(); faults.was(fault, reached)
                                                    those of a short or a long run; what is to be known of each is whether there was such a call
    in_memory(case)                                 a folder for homes

FOCUSSTATS_IO_SEED repeats the choice of a short run, FOCUSSTATS_IO_SECONDS lets it take longer; FOCUSSTATS_IO_FAULT="sync 53 EIO 1,open 7 ENOSPC 0"
makes those runs alone.
"""

import os
import random
import re
import shutil
import tempfile
import time

from common import LONG

from folder import BUILD

SEED = int(os.environ.get("FOCUSSTATS_IO_SEED") or random.SystemRandom().randrange(1 << 32))
MISSED_MAX = 3
KINDS = {
    "write": ("EIO", "ENOSPC", "EINTR", "short"),
    "sync": ("EIO", "ENOSPC", "EINTR"),
    "open": ("EIO", "ENOSPC", "EINTR"),
    "rename": ("EIO", "ENOSPC", "EINTR"),
    "unlink": ("EIO", "EINTR"),
    "resize": ("EIO", "ENOSPC", "EINTR"),
    "mkdir": ("EIO", "ENOSPC"),
}
NEEDED_BYTES = 512 << 20
WHY = re.compile(r"focusstats(\[\d+\])?: .*(Input/output error|[Nn]o space left on|Interrupted system call|BDB\d{4} |a sync to the disk failed)")
# Once, for 200 ms, which is longer than the engine tries again by itself, and for good; what was interrupted is not for good.
TIMES = (1, -200, 0)


def times_of(error):
    return TIMES[:2] if error == "EINTR" else TIMES


def recorder(folder, recording, fault):
    library = folder.join("cgi-bin", "record.so")
    if not os.path.exists(library):
        shutil.copy(os.path.join(BUILD, "tests", "preload", "record.so"), library)
    with open(recording, "wb"):
        os.chmod(recording, 0o666)
    asan = folder.sanitizer_options()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return {"LD_PRELOAD": library, "RECORD_FILE": recording, "RECORD_FAIL": str(fault), "ASAN_OPTIONS": asan}


def in_memory(case):
    """In memory where there is room: syncs cost nothing there."""
    place = case.folder().path
    if os.path.isdir("/dev/shm") and os.statvfs("/dev/shm").f_bavail * os.statvfs("/dev/shm").f_frsize > NEEDED_BYTES:
        place = tempfile.mkdtemp(prefix="fs-io-", dir="/dev/shm")
        case.addCleanup(shutil.rmtree, place)
    os.chmod(place, 0o755)
    return place


class Fault:
    """What fails in a run."""

    def __init__(self, kind, number, error, times):
        self.kind, self.number, self.error, self.times = kind, number, error, times

    def __str__(self):
        return "%s %d %s %d" % (self.kind, self.number, self.error, self.times)

    @property
    def may_retry(self):
        """Whether it passes, so that what is asked again must be done."""
        return self.times != 0


class Faults:
    """Short: at random, each kind of call and each error as often as the others, for as long as there is time. Long: each N-th call of each kind with each
    error, until there is no such call any more, as how many there are differs by what the threads are at."""

    def __init__(self, counts, seconds):
        self.counts = {kind: count for kind, count in counts.items() if count}
        self.choose = random.Random(SEED)
        self.until = time.monotonic() + float(os.environ.get("FOCUSSTATS_IO_SECONDS") or seconds)
        self.left = [[Fault(kind, 0, error, times), 0] for kind in KINDS for error in KINDS[kind] for times in times_of(error)]
        self.turn = 0
        self.given = [fault.split() for fault in os.environ["FOCUSSTATS_IO_FAULT"].split(",")] if "FOCUSSTATS_IO_FAULT" in os.environ else None

    def next(self):
        if self.given is not None:
            kind, number, error, times = self.given.pop(0) if self.given else (None,) * 4
            return kind and Fault(kind, int(number), error, int(times))
        return self.next_of_all() if LONG else self.next_of_some()

    def next_of_some(self):
        if time.monotonic() > self.until:
            return None
        kind = list(self.counts)[self.turn % len(self.counts)]
        self.turn += 1
        error = self.choose.choice(KINDS[kind])
        return Fault(kind, self.choose.randint(1, self.counts[kind]), error, self.choose.choice(times_of(error)))

    def next_of_all(self):
        while self.left and self.left[0][1] >= MISSED_MAX:
            self.left.pop(0)
        if not self.left:
            return None
        fault = self.left[0][0]
        fault.number += 1
        return Fault(fault.kind, fault.number, fault.error, fault.times)

    def was(self, fault, reached):
        for row in self.left:
            if (row[0].kind, row[0].error, row[0].times) == (fault.kind, fault.error, fault.times):
                row[1] = 0 if reached else row[1] + 1
