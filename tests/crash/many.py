"""Very many connections at once from one thread.

    told = many.ask(connect, requests, whole, seconds)      connect() -> a socket that is connecting or connected, not blocking; one for each of the
                                                            requests (bytes), all of which are open before the first is sent; whole(answer) says
                                                            whether an answer is complete
    told.answers                                            for each request (its answer's bytes, seconds); None where the connection was closed
                                                            before there was any; AssertionError where one waits longer than SECONDS
    many.drip(sockets, bytes, seconds)                      sends each of the sockets one more byte of its text each time, until it is over
"""

import errno
import select
import time


class Told:
    def __init__(self, count):
        self.answers = [None] * count
        self.open = 0

    @property
    def slowest(self):
        return max((one[1] for one in self.answers if one), default=0.0)


class One:
    def __init__(self, index, sock, data):
        self.index = index
        self.socket = sock
        self.data = data
        self.answer = b""


def ask(connect, requests, whole, seconds):
    told = Told(len(requests))
    poll = select.epoll()
    begun = time.monotonic()
    waiting = {}
    for index, data in enumerate(requests):
        one = One(index, connect(), data)
        waiting[one.socket.fileno()] = one
    told.open = len(waiting)
    for number in waiting:
        poll.register(number, select.EPOLLOUT)
    try:
        while waiting:
            left = begun + seconds - time.monotonic()
            if left <= 0:
                raise AssertionError("%d of %d have no answer after %g s" % (len(waiting), len(requests), seconds))
            for number, events in poll.poll(left):
                one = waiting[number]
                try:
                    ended = step(one, events, poll, whole)
                except OSError as error:
                    if error.errno in (errno.EAGAIN, errno.EINTR):
                        continue
                    ended = True
                if ended:
                    told.answers[one.index] = (one.answer, time.monotonic() - begun) if one.answer else None
                    del waiting[number]
                    one.socket.close()
    finally:
        for one in waiting.values():
            one.socket.close()
        poll.close()
    return told


def step(one, events, poll, whole):
    """Sends or receives what goes now. Whether that was the end of it."""
    if one.data:
        one.data = one.data[one.socket.send(one.data):]
        if not one.data:
            poll.modify(one.socket.fileno(), select.EPOLLIN)
        return False
    got = one.socket.recv(1 << 16)
    one.answer += got
    return not got or whole(one.answer)


def drip(sockets, text, seconds, pause=0.1):
    """Until SECONDS have gone; those that were closed meanwhile are left out. Returns how many are open still."""
    at, deadline = 0, time.monotonic() + seconds
    left = list(sockets)
    while time.monotonic() < deadline and at < len(text):
        still = []
        for one in left:
            try:
                one.send(text[at:at + 1])
                still.append(one)
            except BlockingIOError:
                still.append(one)
            except OSError:
                pass
        left = still
        at += 1
        select.select([], [], [], pause)
    return len(left)
