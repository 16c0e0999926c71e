"""What an admin sees of everybody's: the log, what is stored, what is damaged. Who is an admin, its callers see to."""

from __future__ import annotations

from db import Database
from db.happening.events import Events
from db.stored.messages import Messages
from db.tree.damage import Damage
from model import File, News, Stock

MAX_DAMAGED = 1000
"""Damaged files in one answer."""


class Oversight:
    def __init__(self, database: Database) -> None:
        self._events = Events(database)
        self._damage = Damage(database)
        self._messages = Messages(database)

    def log(self, seen: int | None) -> News:
        """What happened to anybody after the event with the id `seen`; with None, the latest."""
        return self._events.latest() if seen is None else self._events.since(seen)

    def stock(self) -> Stock:
        return self._messages.stock()

    def damaged(self) -> tuple[tuple[File, str], ...]:
        """Files some of whose bytes no longer match, each with its owner's name; the one found last first."""
        return self._damage.files(MAX_DAMAGED)
