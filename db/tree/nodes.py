"""Rows of the tree, inside somebody's transaction: finding, making, placing and removing them.

Every path is followed by names.key, but only the very name that is kept opens: two names that a file system
could take for one never stand in one folder (docs/decisions/names.md). It must never begin a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, update

import names
from db.happening import events
from db.schema import BIN, FILE, FOLDER, TREE, contents, nodes
from db.stored.contents import let_go
from db.tree.paths import paths, reach, subtree
from errors import BadInput, Conflict, NotFound
from model import File, Folder, Node

NODES: Select[Any] = select(
    nodes, contents.c.size, contents.c.tree, contents.c.sha256, contents.c.damaged_at
).select_from(nodes.outerjoin(contents))
"""A node with what a File says of its contents; `to_node` reads its rows."""


class Stored(NamedTuple):
    """What a file stands for; the members are called as the columns are."""

    content_id: int
    media_type: str


# What every upload asks many times is built once: building a statement takes longer than SQLite does.
_TOP = NODES.where(
    nodes.c.owner_id == bindparam("owner"), nodes.c.parent_id.is_(None), nodes.c.name_key == bindparam("key")
)
_BY_ID = NODES.where(nodes.c.id == bindparam("node"), nodes.c.owner_id == bindparam("owner"))
_CHILD = NODES.where(nodes.c.parent_id == bindparam("parent"), nodes.c.name_key == bindparam("key"))


def to_node(row: Row[Any], path: str) -> Node:
    if row.kind == FOLDER:
        return to_folder(row, path)
    return to_file(row, path)


def to_file(row: Row[Any], path: str) -> File:
    return File(
        id=row.id,
        owner_id=row.owner_id,
        parent_id=row.parent_id,
        name=row.name,
        path=path,
        created_at=row.created_at,
        modified_at=row.modified_at,
        content_id=row.content_id,
        size=row.size,
        media_type=row.media_type,
        tree=row.tree,
        sha256=row.sha256,
        damaged_at=row.damaged_at,
    )


def to_folder(row: Row[Any], path: str) -> Folder:
    return Folder(row.id, row.owner_id, row.parent_id, row.name, path, row.created_at, row.modified_at)


# Finding. ---------------------------------------------------------------------------------------------------


def root(connection: Connection, owner_id: int, which: str = TREE) -> Row[Any]:
    """The owner's top folder, or the BIN. Raises NotFound when there is no such user."""
    row = connection.execute(_TOP, {"owner": owner_id, "key": which}).one_or_none()
    if row is None:
        raise NotFound("There is no such user.")
    return row


def by_id(connection: Connection, owner_id: int, node_id: int, kind: int | None = None) -> Row[Any]:
    """The owner's node of this id (and kind), wherever it lies. Raises NotFound, also for another owner's."""
    row = connection.execute(_BY_ID, {"owner": owner_id, "node": node_id}).one_or_none()
    if row is None or kind not in {None, row.kind}:
        raise NotFound(f"There is no {word(kind)} with the number {node_id}.")
    return row


def several(connection: Connection, owner_id: int, node_ids: Sequence[int]) -> list[Row[Any]]:
    """The owner's nodes of these ids, each once, in their order, wherever they lie. Raises NotFound."""
    mine = NODES.where(nodes.c.owner_id == owner_id, nodes.c.id.in_(node_ids))
    found = {row.id: row for row in connection.execute(mine)}
    for node_id in node_ids:
        if node_id not in found:
            raise NotFound(f"There is no file or folder with the number {node_id}.")
    return [found[node_id] for node_id in dict.fromkeys(node_ids)]


def child(connection: Connection, parent_id: int, name: str) -> Row[Any] | None:
    """What stands in the folder under this name, or under one that a file system could take for it."""
    return connection.execute(_CHILD, {"parent": parent_id, "key": names.key(name)}).one_or_none()


def at(connection: Connection, owner_id: int, parts: Sequence[str]) -> Row[Any]:
    """The node at this path. Raises NotFound."""
    row = root(connection, owner_id)
    for name in parts:
        found = child(connection, row.id, name) if row.kind == FOLDER else None
        if found is None or found.name != name:
            raise NotFound(f"There is nothing at {names.join(*parts)}.")
        row = found
    return row


def in_tree(connection: Connection, owner_id: int, node_ids: Sequence[int]) -> list[tuple[Row[Any], str]]:
    """`several`, each with its path. What is in the bin is NotFound."""
    found = several(connection, owner_id, node_ids)
    where = paths(connection, [row.id for row in found])
    for row in found:
        if row.id not in where:
            raise _unknown(row)
    return [(row, where[row.id]) for row in found]


def path_of(connection: Connection, row: Row[Any]) -> str:
    """The node's path, from its names up to the top folder. Raises NotFound for what is in the bin."""
    where = paths(connection, [row.id])
    if row.id not in where:
        raise _unknown(row)
    return where[row.id]


def _unknown(row: Row[Any]) -> NotFound:
    return NotFound(f"There is no {word(row.kind)} with the number {row.id}.")


def require_length(connection: Connection, row: Row[Any], folder: str, name: str) -> None:
    """Raises BadInput where a path would grow too long if `row` were called `name` in the folder at this path."""
    grown = len(folder.encode()) + len(name.encode()) + 1 + reach(connection, row)
    if grown > names.MAX_PATH_BYTES:
        raise BadInput(f"Paths there would have {grown} bytes; at most {names.MAX_PATH_BYTES} are possible.")


# Making. ----------------------------------------------------------------------------------------------------


def taken(found: Row[Any], name: str) -> Conflict:
    """The refusal to put `name` where `found` stands."""
    if found.name == name:
        return Conflict(f"A {word(found.kind)} called {name!r} is there already. Choose another name.")
    return Conflict(
        f"{found.name!r} is there already and differs from {name!r} only in case or in the form of letters. "
        "Use that name, or another."
    )


def make_folders(connection: Connection, owner_id: int, parts: Sequence[str], now: datetime) -> Row[Any]:
    """The folder at this path, with all that lead to it.

    Raises Conflict when a file or a similar name is in the way.
    """
    row, path = root(connection, owner_id), "/"
    for name in parts:
        found, path = child(connection, row.id, name), names.inside(path, name)
        if found is None:
            row = make_folder(connection, row, path, now)
        elif found.kind == FOLDER and found.name == name:
            row = found
        else:
            raise taken(found, name)
    return row


def make_folder(connection: Connection, parent: Row[Any], path: str, now: datetime) -> Row[Any]:
    """A new folder where nothing is yet; `parent` is the one that its path leads through."""
    node_id = _insert(connection, parent, FOLDER, path.rpartition("/")[2], {}, now)
    events.folder_made(connection, parent.owner_id, node_id, path, now)
    return by_id(connection, parent.owner_id, node_id)


def standing(connection: Connection, owner_id: int, parts: Sequence[str], name: str) -> Row[Any] | None:
    """The node of this name in the folder at this path, or None where there is room for it; makes nothing.

    Raises Conflict when a file or a similar name is in the way to it or in its place.
    """
    row = root(connection, owner_id)
    for part in parts:
        found = child(connection, row.id, part)
        if found is None:
            return None
        if found.kind != FOLDER or found.name != part:
            raise taken(found, part)
        row = found
    found = child(connection, row.id, name)
    if found is not None and found.name != name:
        raise taken(found, name)
    return found


def put_file(
    connection: Connection, parent: Row[Any], name: str, stored: Stored, replace: bool, now: datetime
) -> tuple[int, bool]:
    """Let `name` in the folder stand for these contents; returns the file's id, and whether it was there.

    A replaced file keeps its id. Raises Conflict when it may not be replaced, or a folder or a similar name
    is there.
    """
    found = child(connection, parent.id, name)
    refuse_clash(found, name, replace)
    if found is None:
        return _insert(connection, parent, FILE, name, stored._asdict(), now), False
    values = stored._asdict() | {"modified_at": now}
    connection.execute(update(nodes).where(nodes.c.id == found.id).values(values))
    let_go(connection, [found.content_id], now)
    return found.id, True


def refuse_clash(found: Row[Any] | None, name: str, replace: bool) -> None:
    """Raises Conflict unless a file `name` may be put where `found` stands."""
    if found is not None and not (replace and found.kind == FILE and found.name == name):
        raise taken(found, name)


def insert_tops(connection: Connection, owner_id: int, now: datetime) -> None:
    """The two top folders of a new user."""
    common = {"owner_id": owner_id, "parent_id": None, "kind": FOLDER, "name": "", "name_bytes": 0}
    times = {"created_at": now, "modified_at": now}
    connection.execute(insert(nodes), [common | times | {"name_key": which} for which in (TREE, BIN)])


def _insert(
    connection: Connection, parent: Row[Any], kind: int, name: str, stored: dict[str, Any], now: datetime
) -> int:
    row = {"owner_id": parent.owner_id, "parent_id": parent.id, "kind": kind, **name_columns(name), **stored}
    times = {"created_at": now, "modified_at": now}
    node_id: int = connection.execute(insert(nodes).returning(nodes.c.id), row | times).scalar_one()
    return node_id


def name_columns(name: str) -> dict[str, Any]:
    """The columns that a name fills."""
    return {"name": name, "name_key": names.key(name), "name_bytes": len(name.encode())}


# Removing. --------------------------------------------------------------------------------------------------


def remove(connection: Connection, node_id: int, now: datetime) -> None:
    """Take out the node and all below it; contents that nothing counts any more go too."""
    tree = subtree(node_id)
    counted = (
        connection.execute(select(tree.c.content_id).where(tree.c.content_id.is_not(None))).scalars().all()
    )
    # One statement: a folder's row and those of its children may go in any order, as keys are compared at its
    # end.
    connection.execute(delete(nodes).where(nodes.c.id.in_(select(tree.c.id))))
    let_go(connection, counted, now)


def word(kind: int | None) -> str:
    return "file or folder" if kind is None else "file" if kind == FILE else "folder"
