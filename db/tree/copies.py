"""Copies of nodes and of all below them, inside somebody's transaction. Contents are shared, and counted once more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, insert, select

from db.schema import FILE, FOLDER, contents, nodes
from db.schema.columns import UtcTime
from db.tree.nodes import name_columns
from db.tree.paths import subtree
from errors import TooLarge

MAX_NODES = 50_000
"""That one call may make: nobody else writes meanwhile."""

_NOW = bindparam("now", type_=UtcTime())
_KEPT = ("owner_id", "kind", "name", "name_key", "name_bytes", "content_id", "media_type")
_CHILDREN = insert(nodes).from_select(
    [*_KEPT, "parent_id", "created_at", "modified_at"],
    select(
        *(nodes.c[column] for column in _KEPT),
        bindparam("twin"),
        _NOW,
        case((nodes.c.kind == FILE, nodes.c.modified_at), else_=_NOW),
    ).where(nodes.c.parent_id == bindparam("original")),
)
"""A copy of each node of one folder. A file keeps the time of its change, as when it is moved."""
_FOLDERS = select(nodes.c.name_key, nodes.c.id).where(
    nodes.c.parent_id == bindparam("parent"), nodes.c.kind == FOLDER
)


def weigh(connection: Connection, found: Iterable[Row[Any]]) -> int:
    """The bytes of all these nodes and of what is below them. Raises TooLarge for more than MAX_NODES."""
    count = size = 0
    for row in found:
        added = (1, row.size) if row.kind == FILE else _weigh_folder(connection, row.id)
        count, size = count + added[0], size + added[1]
        if count > MAX_NODES:
            raise TooLarge(
                f"At most {MAX_NODES} files and folders can be copied at a time. Copy parts of it."
            )
    return size


def _weigh_folder(connection: Connection, folder_id: int) -> tuple[int, int]:
    tree = subtree(folder_id)
    sums = select(func.count(), func.coalesce(func.sum(contents.c.size), 0))
    whole = sums.select_from(tree.outerjoin(contents, contents.c.id == tree.c.content_id))
    count, size = connection.execute(whole).one()
    return count, size


def copy(connection: Connection, row: Row[Any], parent_id: int, name: str, now: datetime) -> int:
    """One of `row`, called `name`, in that folder, where nothing of that name is; its id."""
    kept = {column: row._mapping[column] for column in _KEPT} | name_columns(name)
    times = {"created_at": now, "modified_at": row.modified_at if row.kind == FILE else now}
    top = kept | times | {"parent_id": parent_id}
    made: int = connection.execute(insert(nodes).returning(nodes.c.id), top).scalar_one()
    pending = [(row.id, made)] if row.kind == FOLDER else []
    while pending:
        # Invariant: the folders in here are copied, what is in them is not.
        original, twin = pending.pop()
        connection.execute(_CHILDREN, {"original": original, "twin": twin, "now": now})
        twins = {row.name_key: row.id for row in connection.execute(_FOLDERS, {"parent": twin})}
        originals = connection.execute(_FOLDERS, {"parent": original})
        pending += [(row.id, twins[row.name_key]) for row in originals]
    return made
