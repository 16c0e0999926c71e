"""Events as they come, in one long response (https://html.spec.whatwg.org/multipage/server-sent-events.html).

It has a length, like a file's, so that the server keeps no thread for it: at its end, or that of its life, it is
filled up with a comment, and the browser comes again. Plain data only: it runs after the request is over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from threading import Event as Signal
from time import monotonic

from gateway.happening.feed import Subscription
from model import Event, Wait
from web.wire.documents import event

LENGTH = 64 << 10
"""Bytes of one response."""
LIFE = 300.0
"""Seconds that it lasts at most: after that whoever reads has to show again who they are."""
HEARTBEAT = 8.0
"""Seconds without an event after which a comment tells that the line is alive, before a proxy takes it for dead."""
COME_AGAIN = b"retry: 2000\n"
"""Milliseconds that a browser waits before it comes again."""


class EventStream(Iterator[bytes]):
    """The body. The server calls `close`, always."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._woken = Signal()
        subscription.wake = self._woken.set
        self._left = LENGTH
        self._ends = monotonic() + LIFE
        self._heard = monotonic()
        # An id without data: where to go on from, though nothing has happened yet.
        self._first: bytes | None = COME_AGAIN + b"id: %d\n\n" % subscription.last

    def started(self, wake: Callable[[], None]) -> None:
        """By a server that keeps no thread for it: `wake` has it polled soon."""
        self._subscription.wake = wake

    def poll(self, left: int) -> bytes | Wait | None:
        """What has come, a comment when nothing has for a while, or what to wait for; None at the end."""
        if not self._left:
            return None
        now = monotonic()
        block, self._first = self._first or self._news(), None
        if self._subscription.over or now >= self._ends or len(block) > self._left - 2:
            # What did not fit was not acknowledged: whoever comes again gets it.
            return self._give(b":" + b" " * (self._left - 2) + b"\n")
        if not block and now < self._heard + HEARTBEAT:
            return Wait(min(self._heard + HEARTBEAT, self._ends))
        self._heard = now
        return self._give(block or b":\n\n")

    def __next__(self) -> bytes:
        while isinstance(given := self.poll(0), Wait):
            self._woken.wait(max(0.0, given.until - monotonic()))
            self._woken.clear()
        if given is None:
            raise StopIteration
        return given

    def close(self) -> None:
        self._subscription.close()

    def _give(self, block: bytes) -> bytes:
        self._left -= len(block)
        return block

    def _news(self) -> bytes:
        events, reset = self._subscription.take()
        blocks = [_block(one) for one in events]
        if reset or sum(map(len, blocks)) > LENGTH // 2:  # or it might never fit
            return b"event: reset\nid: %d\ndata: {}\n\n" % self._subscription.last
        return b"".join(blocks)


def _block(of: Event) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (of.id, json.dumps(event(of)).encode())
