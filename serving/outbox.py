"""The body of one response while no thread runs it: what the pump got of it waits here for the reader.

waitress takes it for a file (`wsgi.file_wrapper`), of which it sends as much as there is. It must never know what the
bytes are.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from waitress.buffers import ReadOnlyFileBasedBuffer

from model import Wait
from serving.hold import Block, Hold
from serving.pump import Pump

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

    from serving.channel import Channel

log = logging.getLogger(__name__)

MOST = 32 << 20
"""Bytes that may wait for one reader, for a body that does not bound itself by what its reader takes."""
BITE = 256 << 10
"""Bytes that a reader has taken when its body hears of it, unless it has taken all before."""


@runtime_checkable
class Polled(Protocol):
    """A response's body that needs no thread of its own."""

    def started(self, wake: Callable[[], None]) -> None:
        """Called once, before the first `poll`. `wake` has it polled soon, whatever it waits for; from any thread."""

    def poll(self, left: int) -> bytes | Wait | None:
        """The next bytes, what to wait for, or None when there are no more; `left` given ones wait for the reader.

        It never waits. Called by one thread at a time, again whenever the reader has taken something. Raising cuts the
        response.
        """

    def close(self) -> None:
        """Called once, whatever happened, and never while `poll` runs."""


class Outbox(ReadOnlyFileBasedBuffer):  # type: ignore[misc]  # waitress has no types
    """A buffer that is fed while it is sent. `remain`: bytes promised and not taken yet; `ready`: those that are here.

    The lock: the pump feeds, the main loop or another thread of the pump sends, and either may close.
    """

    remain: int

    def __init__(self, body: Polled, hold: Hold, pump: Pump) -> None:
        self._body = body
        self._hold = hold
        self._pump = pump
        self._channel: Channel | None = None
        self._lock = Lock()
        self._blocks: deque[Block] = deque()
        self._taken_of_first = 0
        self._unheard = 0
        self._promised = self._closed = self._gone = False
        self.remain = self.ready = 0

    def __repr__(self) -> str:
        return f"<Outbox {self.ready} of {self.remain} bytes{' closed' if self._closed else ''}>"

    # What waitress calls, under the channel's lock of its buffers.

    def prepare(self, size: int | None = None) -> int:
        """Promise `size` bytes; without a length nothing can be promised, and waitress iterates."""
        self.remain = size or 0
        self._promised = self.remain > 0
        return self.remain

    def __iter__(self) -> Iterator[bytes]:
        body: Any = self._body
        return iter(body)

    def get(self, numbytes: int = -1, skip: bool = False) -> memoryview:
        """At most so many bytes of those that are there. Raises OSError when the disk fails."""
        with self._lock:
            if not self._blocks:
                return memoryview(b"")
            return self._hold.read(self._blocks[0], self._taken_of_first, numbytes)

    def skip(self, numbytes: int, allow_prune: bool = False) -> None:
        """The reader has taken so many bytes."""
        with self._lock:
            self.remain -= numbytes
            self.ready -= numbytes
            self._unheard += numbytes
            self._taken_of_first += numbytes
            while self._blocks and self._taken_of_first >= self._blocks[0].size:
                block = self._blocks.popleft()
                self._taken_of_first -= block.size
                self._hold.drop(block)
            heard = self._unheard >= BITE or not self.ready
            if heard:
                self._unheard = 0
        if heard:
            self._pump.wake(self)

    def close(self) -> None:
        """Everything was taken, or the reader is gone."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._gone = self.remain > 0 or not self._promised
            self.ready = self.remain = 0
            while self._blocks:
                self._hold.drop(self._blocks.popleft())
        if self._channel is not None:
            self._channel.leave(self)
        self._pump.wake(self)

    # The other side.

    def begin(self, channel: Channel) -> None:
        """It is among the buffers of `channel` now."""
        self._channel = channel
        self._body.started(partial(self._pump.wake, self))
        self._pump.wake(self)

    def append(self, block: Block) -> bool:
        """Whether nothing was ready before."""
        with self._lock:
            if self._closed:
                self._hold.drop(block)
                return False
            first = not self.ready
            self._blocks.append(block)
            self.ready += block.size
            return first

    def cut(self) -> int:
        """Promise no more than what is there; how many bytes fewer that are."""
        with self._lock:
            missing = self.remain - self.ready
            self.remain = self.ready
            return missing

    def step(self) -> Wait | None:
        """Poll the body once. The pump's one way in (see `Job`)."""
        given = self._polled()
        if given is None or self._closed:
            self._end()
            return None
        if isinstance(given, Wait):
            return given
        given = given[: self.remain - self.ready]  # what was not promised is dropped
        if given and self._channel is not None:
            self._channel.feed(self, self._hold.keep(given))
        return Wait(0.0)

    def _polled(self) -> bytes | Wait | None:
        if self._gone:
            return None
        if self.ready >= MOST:
            return Wait(math.inf)
        try:
            return self._body.poll(self.ready)
        except OSError:  # how a body says that it was cut; it has said why
            return None
        except Exception:
            log.exception("a response's body failed")
            return None

    def _end(self) -> None:
        body, self._body = self._body, _ENDED
        body.close()
        if self._channel is not None and self.ready < self.remain:
            self._channel.cut_short(self)


class _Ended:
    """A body that was closed."""

    def started(self, wake: Callable[[], None]) -> None:
        pass

    def poll(self, left: int) -> None:
        return None

    def close(self) -> None:
        pass


_ENDED = _Ended()


def handed_over(app: WSGIApplication, hold: Hold, pump: Pump) -> WSGIApplication:
    """`app`, but bodies that can be polled come in an outbox."""

    def calling(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        body = app(environ, start_response)
        return Outbox(body, hold, pump) if isinstance(body, Polled) else body

    return calling
