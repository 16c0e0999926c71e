"""Failed sign-ins, noted for the log: at most one a minute of each account, so that guessing does not fill it."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from threading import Lock
from time import monotonic

from db.happening.events import Events
from errors import DatabaseUnavailable, OutOfSpace
from model import Client, User

REST = 60.0
"""Seconds after one of an account before the next is noted."""
MAX_KEPT = 1000
"""Accounts whose last one is remembered."""


class Failures:
    """The lock: sign-ins come on many threads."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._noted: OrderedDict[int | None, float] = OrderedDict()
        self._lock = Lock()

    def note(self, user: User | None, client: Client) -> None:
        """A wrong password for the user; None stands for all names that nobody has, as some type a password there."""
        user_id, now = None if user is None else user.id, monotonic()
        with self._lock:
            if now - self._noted.get(user_id, -REST) < REST:
                return
            self._noted[user_id] = now
            self._noted.move_to_end(user_id)
            while len(self._noted) > MAX_KEPT:
                self._noted.popitem(last=False)
        with suppress(DatabaseUnavailable, OutOfSpace):  # the answer does not depend on the log
            self._events.note(user_id, "sign_in_failed", address=client.address, agent=client.agent)
