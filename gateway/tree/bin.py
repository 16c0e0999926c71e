"""What was deleted: kept for some days, restored, or cleared away for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from db import Bin as Rows
from db import Clearing, Database
from model import BinPage, Node, User

PARTS = 20
"""Of what has to be cleared away, in one round of upkeep: a second's worth or so."""


class Bin:
    def __init__(self, database: Database, days: int) -> None:
        """`days` is how long things stay; 0 means that there is no bin, and all that is deleted is gone."""
        self._rows = Rows(database)
        self._clearing = Clearing(database)
        self.days = days

    def put(self, user: User, ids: Sequence[int], *, forever: bool = False) -> int:
        """Delete these and all below them; how many. With `forever` nobody can restore them.

        Raises NotFound, and Conflict for the top folder.
        """
        forever = forever or self.days == 0
        count = self._rows.put(user.id, ids, forever=forever)
        if forever:
            self._clearing.part()  # mostly that is all of it; upkeep does the rest
        return count

    def listing(self, user: User, cursor: str | None, limit: int) -> BinPage:
        """What the user can restore, the latest first. Raises BadInput for a cursor that is not ours."""
        return self._rows.listing(user.id, cursor, limit)

    def restore(self, user: User, node_id: int, path: str | None) -> Node:
        """Put it back where it was, or to `path`. Raises NotFound, and Conflict when something is there."""
        return self._rows.restore(user.id, node_id, path)

    def remove(self, user: User, node_id: int) -> None:
        """For good. Raises NotFound."""
        self._rows.remove(user.id, node_id)
        self._clearing.part()

    def remove_all(self, user: User) -> int:
        """All that is in the user's bin, for good; how many."""
        count = self._rows.remove_all(user.id)
        self._clearing.part()
        return count

    def expires(self, deleted_at: datetime) -> datetime:
        """When what was deleted then is cleared away."""
        return deleted_at + timedelta(days=self.days)

    def empty(self) -> None:
        """Clear away some of what nobody can restore any more, what is over included. For upkeep."""
        self._rows.expire(datetime.now(UTC) - timedelta(days=self.days))
        for _ in range(PARTS):
            if not self._clearing.part():
                return
