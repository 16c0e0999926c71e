"""What happened, for pages that follow it and for the log of admins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from db import Database
from db.events import Events as Rows
from model import News, User

KEPT_FOR = timedelta(days=7)


class Events:
    def __init__(self, database: Database) -> None:
        self._rows = Rows(database)

    def since(self, user: User, seen: int | None) -> News:
        """The user's events after the one with the id `seen`; with None, only where they stand."""
        if seen is None:
            return News((), self._rows.last(user.id), reset=False)
        return self._rows.since(seen, user.id)

    def forget_old(self) -> None:
        self._rows.prune(datetime.now(UTC) - KEPT_FOR)
