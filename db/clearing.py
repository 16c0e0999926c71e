"""Clearing away what nobody can restore any more, a bounded part at a time, so that nobody waits long to write.

A folder does not go as a whole: the folders in it become entries of their own, its files go, and then it goes. After
a crash the rest goes on from there, since nothing but this can reach it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, select

from db.bin import take
from db.connection import Database
from db.contents import let_go
from db.schema import FOLDER, binned, nodes

PART = 500
"""Nodes that are looked at in one transaction, but for one folder's share, which may come on top."""

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
            going: list[Row[Any]] = []
            for entry in connection.execute(_ENTRIES).all():
                going += _parts_of(connection, entry) if entry.kind == FOLDER else [entry]
                if len(going) >= PART:
                    break
            # One statement: a folder's row and those of its files may go in any order, as keys are compared at its end.
            connection.execute(delete(nodes).where(nodes.c.id.in_([row.id for row in going])))
            held = [row.content_id for row in going if row.content_id is not None]
            let_go(connection, held, self._database.now())
        return True


def _parts_of(connection: Connection, folder: Row[Any]) -> list[Row[Any]]:
    """Files in the folder, and itself when these are the last. Folders in it are on their way as well, from now on."""
    found = connection.execute(select(nodes).where(nodes.c.parent_id == folder.id).limit(PART)).all()
    folders = [row.id for row in found if row.kind == FOLDER]
    if folders:
        take(connection, folder.owner_id, folders, "", None)
    files = [row for row in found if row.kind != FOLDER]
    return [*files, folder] if len(found) < PART else files
