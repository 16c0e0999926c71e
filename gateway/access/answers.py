"""A short memory of yes and no, so that the sixteen connections of one download, or a program that goes on sending an
old password, cost one hash. It keeps HMACs under a key of this process, never what was asked.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from threading import BoundedSemaphore, Event, Lock

from errors import AtCapacity

REMEMBERED = 300.0
"""Seconds that an answer is good for."""
MAX_REMEMBERED = 1024
"""Answers of each kind: a flood of wrong passwords pushes no right one out."""
MAX_WAITING = 16
"""Threads that may wait for an answer which another is about to have: as many as a download manager opens at once."""
WAIT = 5.0
"""Seconds."""
_BUSY = "Too many requests wait for the same password to be checked. Try again in a few seconds."


class Answers:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._kept: dict[bool, dict[bytes, float]] = {True: {}, False: {}}
        self._asking: dict[bytes, Event] = {}
        self._lock = Lock()  # guards both dicts
        self._waiting = BoundedSemaphore(MAX_WAITING)

    def __repr__(self) -> str:
        return f"<Answers: {len(self._kept[True])} yes, {len(self._kept[False])} no>"

    def to(self, *question: str, ask: Callable[[], bool]) -> bool:
        """What `ask` says to this question, or said a moment ago. Of callers at one time one asks, the others wait.

        Raises AtCapacity when too many wait, and what `ask` raises, which is not remembered.
        """
        digest = self._digest(question)
        deadline = self._clock() + WAIT
        while True:
            with self._lock:
                answer = self._recall(digest)
                if answer is not None:
                    return answer
                asked = self._asking.get(digest)
                if asked is None:
                    mine = self._asking[digest] = Event()
                    break
            self._wait(asked, deadline - self._clock())
        try:
            answer = ask()
            return answer
        finally:
            with self._lock:
                del self._asking[digest]
                if answer is not None:
                    self._remember(digest, answer)
            mine.set()

    def _digest(self, question: tuple[str, ...]) -> bytes:
        parts = (part.encode("utf-8", "surrogatepass") for part in question)
        return hmac.digest(
            self._key, b"".join(len(part).to_bytes(8, "big") + part for part in parts), "sha256"
        )

    def _wait(self, asked: Event, seconds: float) -> None:
        if not self._waiting.acquire(blocking=False):
            raise AtCapacity(_BUSY)
        try:
            if not asked.wait(max(0.0, seconds)):
                raise AtCapacity(_BUSY)
        finally:
            self._waiting.release()

    def _recall(self, digest: bytes) -> bool | None:
        now = self._clock()
        return next((answer for answer, kept in self._kept.items() if now < kept.get(digest, now)), None)

    def _remember(self, digest: bytes, answer: bool) -> None:
        kept = self._kept[answer]
        kept.pop(digest, None)  # the dict keeps them in the order in which they will end
        while len(kept) >= MAX_REMEMBERED:
            del kept[next(iter(kept))]
        kept[digest] = self._clock() + REMEMBERED
