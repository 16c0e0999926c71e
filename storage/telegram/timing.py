"""Every wait of the Telegram store, in seconds, in one place. Telethon has no deadlines of its own."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Defaults suit a home line; tests shorten them."""

    connect: float = 15.0
    """To open a connection: TCP, the key exchange where one is needed, and the first answer."""
    silence: float = 10.0
    """A connection that owes an answer and says nothing for so long is given up."""
    request: float = 40.0
    """The longest that one request may take on a connection that does say other things."""
    read: float = 60.0
    """All that one read may take, retries and short flood waits included; also one part of an upload."""
    control: float = 45.0
    """All that one control call (resolve, post, delete) may take, retries included."""
    idle: float = 50.0
    """A connection that was idle for so long is pinged, so that no router forgets it."""
    backoff_first: float = 0.3
    """Before the second attempt to connect; every further failure doubles it, up to `backoff_most`."""
    backoff_most: float = 30.0
    stable: float = 5.0
    """A connection that lived shorter counts as a failure: a server that accepts and drops must not be stormed."""
    sign_in_again: float = 60.0
    """Between two sign-ins of one bot; doubles each time, since sign-ins are flood-limited."""


class Backoff:
    """How long to leave a failing thing alone: exponential, with jitter, reset by success."""

    def __init__(self, first: float, most: float) -> None:
        self._first, self._most = first, most
        self.failures = 0
        self.until = 0.0
        """On the clock that was given to `fail`; nothing is to be tried before."""

    def fail(self, now: float) -> None:
        delay = min(self._most, self._first * 2 ** min(self.failures, 16))
        self.failures += 1
        self.until = now + delay * random.uniform(
            0.5, 1.0
        )  # jitter: many must not come back at the same moment

    def succeed(self) -> None:
        self.failures = 0
        self.until = 0.0
