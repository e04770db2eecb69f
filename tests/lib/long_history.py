"""A long history whose figures are known without adding anything up: from Monday, 1 January 1990, a session begins every two hours, in turn of a book
that is read for 90 minutes and of one that is read for 150, so that the second runs half an hour into the next.

Of every four hours that is three and a half, of every whole day 21 hours: the first and third and fourth hour of four, and half of the second.
"""

from timed import HOUR_MS, MINUTE_MS, instant, ms_of

BEGIN_MS = ms_of("1990-01-01T00:00:00Z")
BOOKS = [("the short one", 90), ("the long one", 150)]
BATCH = 1000


def element(number):
    document, minutes = BOOKS[number % 2]
    start = BEGIN_MS + 2 * HOUR_MS * number
    return {"focusSession": "%08x-0000-4000-8000-000000000000" % number, "document": document, "library": "home", "startTime": instant(start),
            "endTime": instant(start + minutes * MINUTE_MS)}


def batches(count):
    """The sessions as they fit into addSessions."""
    for low in range(0, count, BATCH):
        yield [element(number) for number in range(low, min(low + BATCH, count))]


def summary(count):
    """What _getSummary answers of an even COUNT in UTC."""
    hours = count // 2 * 3.5 + 0.5
    end = BEGIN_MS + 2 * HOUR_MS * count + 30 * MINUTE_MS
    days = -(-(end - BEGIN_MS) // (24 * HOUR_MS))
    return {
        "seconds": round(hours * 3600), "rawSeconds": count * 7200, "sessions": count, "documents": 2, "activeDays": days,
        "averageSessionSeconds": 7200,
        "averageActiveDaySeconds": (2 * round(hours * 3600) + days) // (2 * days), "longestSessionSeconds": 9000, "firstStart": instant(BEGIN_MS),
        "lastEnd": instant(end)}
