"""Clearing away what nobody can restore any more, a bounded part at a time, so that nobody waits long to write.

A folder does not go as a whole: the folders in it become entries of their own, its files go, and then it goes. After
a crash the rest goes on from there, since nothing but this can reach it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, select

from db.connection import Database
from db.schema import FOLDER, binned, nodes
from db.stored.contents import let_go
from db.tree.bin import take

PART = 500
"""Nodes that go, or get on their way, in one transaction, but for one that may come on top."""

_ENTRIES = (
    select(nodes)
    .join(binned, binned.c.node_id == nodes.c.id)
    .where(binned.c.deleted_at.is_(None))
    .limit(PART)
)


class Clearing:
    def __init__(self, database: Database) -> None:
        self._database = database

    def part(self) -> bool:
        """Remove some; False when nothing was left to be. Messages that nothing names any more go into the trash."""
        with self._database.read() as connection:
            if connection.execute(_ENTRIES).first() is None:
                return False
        with self._database.write() as connection:
            going, left = list[Row[Any]](), PART
            for entry in connection.execute(_ENTRIES).all():
                if entry.kind == FOLDER:
                    left -= _take_apart(connection, entry, left, going)
                else:
                    going.append(entry)
                    left -= 1
                if left <= 0:
                    break
            # One statement: a folder's row and those of its files may go in any order, as keys are compared at its end.
            connection.execute(delete(nodes).where(nodes.c.id.in_([row.id for row in going])))
            held = [row.content_id for row in going if row.content_id is not None]
            let_go(connection, held, self._database.now())
        return True


def _take_apart(connection: Connection, folder: Row[Any], most: int, going: list[Row[Any]]) -> int:
    """Add to `going` files in the folder, and itself when these are the last. Folders in it are on their way as well,
    from now on. Up to `most`; how many that were, itself included.
    """
    found = connection.execute(select(nodes).where(nodes.c.parent_id == folder.id).limit(most)).all()
    folders = [row.id for row in found if row.kind == FOLDER]
    if folders:
        take(connection, folder.owner_id, folders, "", None)
    going += [row for row in found if row.kind != FOLDER]
    if len(found) < most:
        going.append(folder)
    return len(found) + 1
