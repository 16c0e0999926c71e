"""The parts of one upload on their way: while the server takes one in, the next one travels, all but its end.

The end follows once the part before it is acknowledged. So the line is never idle while the server works, and the
server still sees one part after the other: a part that comes to nothing takes the next one with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from types import TracebackType
from typing import Self

from client import tus
from client.api import Api
from client.parts import Part, Parts

BLOCK = 256 << 10
"""Bytes that are handed to the socket at once."""
HELD_BACK = 256 << 10
"""Bytes of a part that wait until the part before it is acknowledged."""
TRICKLE = 32 << 10
"""Bytes of these that go all the same after each TRICKLE_EVERY: servers and proxies cut a request that stands still."""
TRICKLE_EVERY = 20.0
"""Seconds. With HELD_BACK this is for longer than a server may work on one part: it lets no client wait a minute."""


class Withdrawn(Exception):
    """Ends a request whose body is not wanted any more, with its connection."""


class _Request:
    """One part on its way. It becomes whole when `release` says so, and is withdrawn when that takes too long."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._undecided = Lock()  # whoever has it decides, and keeps it
        self._decided = Event()
        self._wanted = False
        self.answer: Future[int]

    def release(self) -> bool:
        """False if it has been withdrawn."""
        return self._decide(wanted=True)

    def withdraw(self) -> None:
        self._decide(wanted=False)

    def _decide(self, *, wanted: bool) -> bool:
        if not self._undecided.acquire(blocking=False):
            return False
        self._wanted = wanted
        self._decided.set()
        return True

    def body(self) -> Iterator[bytes]:
        data = self.part.data
        at = max(0, len(data) - HELD_BACK)
        for start in range(0, at, BLOCK):
            yield data[start : min(start + BLOCK, at)]
        while not self._decided.wait(TRICKLE_EVERY):
            if at + TRICKLE < len(data):
                yield data[at : at + TRICKLE]
                at += TRICKLE
            else:
                self.withdraw()
        if not self._wanted:
            raise Withdrawn
        yield data[at:]


class Sending:
    """Sends the `parts` of the upload to `api`; only the thread that made it uses it."""

    def __init__(self, api: Api, upload: str, parts: Parts) -> None:
        self._api = api
        self._upload = upload
        self._parts = parts
        self._threads = ThreadPoolExecutor(2, "sending")
        self._next: _Request | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._withdraw()
        self._threads.shutdown()

    def send(self, offset: int) -> int:
        """The part that begins at `offset`; where the upload stands after it. Raises what `tus.append` raises, OSError,
        and Conflict when the file changed.
        """
        if self._next is not None and self._next.part.start != offset:
            self._withdraw()
        request, self._next = self._next, None
        if request is None or not request.release():
            request = self._begun(offset)
            request.release()
        try:
            if request.part.stop < self._parts.size:
                self._next = self._begun(request.part.stop)
            return request.answer.result()
        except BaseException:
            self._withdraw()
            raise

    def _begun(self, start: int) -> _Request:
        part = self._parts.at(start)
        request = _Request(part)
        request.answer = self._threads.submit(
            tus.append, self._api, self._upload, start, request.body(), len(part.data), part.checksum
        )
        return request

    def _withdraw(self) -> None:
        if self._next is not None:
            self._next.withdraw()
            self._next = None
