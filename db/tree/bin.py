"""What was deleted and can be restored. It lies below a top folder of its own, which no path leads to, so that nothing
that follows paths ever meets it; only its topmost nodes are moved there, and told of in `binned`.

There each has its number for a name key: in the bin no name is in the way of another (docs/decisions/bin.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, literal, tuple_, update

import names
from db import cursor
from db.connection import Database
from db.happening import events
from db.schema import BIN, binned, nodes
from db.schema.columns import UtcTime
from db.tree import nodes as rows
from db.tree.paths import topmost
from errors import Conflict, NotFound
from model import Binned, BinPage, Node

_TO_THE_BIN = (
    update(nodes)
    .where(nodes.c.id == bindparam("node"))
    .values(parent_id=bindparam("bin"), name_key=bindparam("key"))
)
_NEWEST = binned.c.deleted_at.desc(), binned.c.node_id.desc()
_ENTRIES = rows.NODES.join(binned, binned.c.node_id == nodes.c.id).add_columns(
    binned.c.folder, binned.c.deleted_at
)

_GONE = update(binned).where(binned.c.deleted_at.is_not(None)).values(deleted_at=None)


class Bin:
    """Another owner's nodes are NotFound. What can no longer be restored is cleared away by db/tree/clearing.py."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, owner_id: int, node_ids: Sequence[int], *, forever: bool = False) -> int:
        """Take the nodes and all below them out of the tree; how many, where one that goes with its folder counts
        for nothing. With `forever` they cannot be restored.

        Raises NotFound, and Conflict for the top folder.
        """
        now = self._database.now()
        with self._database.write() as connection:
            found = topmost(rows.in_tree(connection, owner_id, node_ids))
            left = defaultdict[str, list[int]](list)
            for row, path in found:
                if row.parent_id is None:
                    raise Conflict("The top folder cannot be removed; remove what is in it.")
                left[names.parent(path)].append(row.id)
            for folder, ids in left.items():
                take(connection, owner_id, ids, folder, None if forever else now)
                events.removed(connection, owner_id, ids, folder, now)
        return len(found)

    def listing(self, owner_id: int, after: str | None, limit: int) -> BinPage:
        """What can be restored, the latest first: up to `limit` behind the cursor `after`. Raises BadInput."""
        mine = _ENTRIES.where(binned.c.owner_id == owner_id, binned.c.deleted_at.is_not(None))
        if after is not None:
            at, node_id = cursor.decode(after, (str, int))
            place = tuple_(literal(cursor.moment(str(at)), UtcTime()), literal(node_id))
            mine = mine.where(tuple_(binned.c.deleted_at, binned.c.node_id) < place)
        with self._database.read() as connection:
            found = connection.execute(mine.order_by(*_NEWEST).limit(limit + 1)).all()
        items = tuple(Binned(_as_it_was(row), row.deleted_at) for row in found[:limit])
        if len(found) <= limit:
            return BinPage(items, None)
        last = found[limit - 1]
        return BinPage(items, cursor.encode([last.deleted_at.isoformat(), last.id]))

    def restore(self, owner_id: int, node_id: int, path: str | None = None) -> Node:
        """Put it back where it was, or to `path`; folders that lead there are made again.

        Raises NotFound for what is not in the bin, and Conflict when something has that name there.
        """
        now = self._database.now()
        with self._database.write() as connection:
            row = _entry(connection, owner_id, node_id)
            parts = names.split(_as_it_was(row).path if path is None else path)
            if not parts:
                raise Conflict("The top folder is not a place for a file or a folder.")
            *above, name = parts
            parent = rows.make_folders(connection, owner_id, above, now)
            found = rows.child(connection, parent.id, name)
            if found is not None:
                raise rows.taken(found, name)
            folder = names.join(*above)
            rows.require_length(connection, row, folder, name)
            place = {"parent_id": parent.id, **rows.name_columns(name)}
            connection.execute(update(nodes).where(nodes.c.id == node_id).values(place))
            connection.execute(delete(binned).where(binned.c.node_id == node_id))
            events.restored(connection, owner_id, [node_id], folder, now)
            return rows.to_node(rows.by_id(connection, owner_id, node_id), names.join(*above, name))

    def remove(self, owner_id: int, node_id: int) -> None:
        """It cannot be restored any more. Raises NotFound."""
        with self._database.write() as connection:
            _entry(connection, owner_id, node_id)
            connection.execute(_GONE.where(binned.c.node_id == node_id))

    def remove_all(self, owner_id: int) -> int:
        """Nothing of the owner's can be restored any more; how many entries that were."""
        with self._database.write() as connection:
            return connection.execute(_GONE.where(binned.c.owner_id == owner_id)).rowcount

    def expire(self, before: datetime) -> int:
        """Nothing that was deleted before this time can be restored any more; how many entries that were."""
        with self._database.write() as connection:
            return connection.execute(_GONE.where(binned.c.deleted_at < before)).rowcount


def take(
    connection: Connection, owner_id: int, node_ids: Sequence[int], folder: str, deleted_at: datetime | None
) -> None:
    """Move these nodes of one folder into the bin, inside somebody's transaction; None for what nobody can restore."""
    top = rows.root(connection, owner_id, BIN)
    moves = [{"node": node_id, "bin": top.id, "key": str(node_id)} for node_id in node_ids]
    entry = {"owner_id": owner_id, "folder": folder, "deleted_at": deleted_at}
    connection.execute(_TO_THE_BIN, moves)
    connection.execute(insert(binned), [entry | {"node_id": node_id} for node_id in node_ids])


def _entry(connection: Connection, owner_id: int, node_id: int) -> Row[Any]:
    mine = _ENTRIES.where(binned.c.node_id == node_id, binned.c.owner_id == owner_id)
    row = connection.execute(mine.where(binned.c.deleted_at.is_not(None))).one_or_none()
    if row is None:
        raise NotFound(f"There is nothing with the number {node_id} in the bin.")
    return row


def _as_it_was(row: Row[Any]) -> Node:
    """With the path that it had."""
    return rows.to_node(row, names.inside(row.folder, row.name))
