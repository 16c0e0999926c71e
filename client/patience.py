"""How long to go on trying: back-off between tries, and a deadline that every bit of progress pushes back."""

from __future__ import annotations

import random
from collections.abc import Callable
from threading import Event
from time import monotonic

from errors import AtCapacity, ClientGone, StowgramError, Transient

LONGEST_PAUSE = 15.0
"""Seconds between two tries at most, unless the server asked for more."""

TRIES_BEFORE_NOTICE = 4
"""After about 2 s of trying in silence."""


class Patience:
    """Allows for `seconds` without progress. `stop` ends every pause at once, with ClientGone.

    `notice` gets a sentence when the trouble lasts, so that nobody looks at a bar that stands still and wonders.
    """

    def __init__(self, seconds: float, stop: Event, notice: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._stop = stop
        self._notice = notice
        self.renew()

    def renew(self) -> None:
        """There was progress."""
        self._deadline = monotonic() + self._seconds
        self._tries = 0

    def pause(self, error: StowgramError) -> None:
        """Wait before the next try after `error`; raise it when its time does not fit before the deadline."""
        pause = min(LONGEST_PAUSE, 0.25 * 2**self._tries) * random.uniform(0.5, 1.0)
        if isinstance(error, AtCapacity | Transient):
            pause = max(pause, error.retry_after)
        if monotonic() + pause > self._deadline:
            raise error
        self._tries += 1
        if self._tries == TRIES_BEFORE_NOTICE:
            self._notice(f"{error} Trying again for up to {self._seconds:.0f} s.")
        if self._stop.wait(pause):
            raise ClientGone("stopped") from error
