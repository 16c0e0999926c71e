"""Nodes put into another folder, one or many at a time: moved, renamed, copied. A call is done wholly or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

import names
from db.connection import Database
from db.happening import events
from db.schema import FILE, FOLDER, nodes
from db.stored.quotas import require_room
from db.tree import copies, paths
from db.tree import nodes as rows
from errors import Conflict, NotFound
from model import Node


class Moves:
    """All of one owner; another's nodes are NotFound. With `rename` what finds its name taken gets a number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def move(
        self, owner_id: int, node_id: int, *, folder: str | None = None, name: str | None = None
    ) -> Node:
        """Put the node into the folder at the path `folder`, or give it another name, or both; None leaves that.

        It keeps its id, and a file the time of its change. Raises NotFound, Conflict when the name is taken there
        or the node would come to lie in itself, and BadInput when a path below it would grow too long.
        """
        now = self._database.now()
        with self._database.write() as connection:
            ((row, here),) = _movable(connection, owner_id, [node_id])
            goal = _goal(connection, owner_id, here if folder is None else folder)
            there = _Names(connection, goal, rename=False)
            _move(connection, row, goal, row.name if name is None else names.checked(name), there, now)
            events.moved(connection, owner_id, [row.id], here, goal.path, now)
            return _as_nodes(connection, goal, [row.id])[0]

    def move_all(
        self, owner_id: int, node_ids: Sequence[int], folder: str, *, rename: bool
    ) -> tuple[Node, ...]:
        """Put the nodes into the folder at the path `folder`; they come back in the order of their ids. What lies in
        another of them goes with it, and comes back as part of that.

        Raises what `move` does.
        """
        now = self._database.now()
        with self._database.write() as connection:
            goal, found = _goal(connection, owner_id, folder), _movable(connection, owner_id, node_ids)
            left, there = defaultdict[str, list[int]](list), _Names(connection, goal, rename)
            for row, here in found:
                left[here].append(row.id)
                _move(connection, row, goal, row.name, there, now)
            for source, ids in left.items():
                events.moved(connection, owner_id, ids, source, goal.path, now)
            return _as_nodes(connection, goal, [row.id for row, _ in found])

    def copy_all(
        self, owner_id: int, node_ids: Sequence[int], folder: str, *, rename: bool
    ) -> tuple[Node, ...]:
        """Others like them come to lie in the folder, with all that is below; contents are shared and counted.
        What lies in another of them is copied with it, and only so.

        A copy of a file has the time of its change. Raises what `move` does, OverQuota, and TooLarge for
        more than copies.MAX_NODES.
        """
        now, made = self._database.now(), list[int]()
        with self._database.write() as connection:
            goal = _goal(connection, owner_id, folder)
            found = [row for row, _ in _movable(connection, owner_id, node_ids)]
            require_room(connection, owner_id, copies.weigh(connection, found), now)
            there = _Names(connection, goal, rename)
            for row in found:
                name = there.free(row, row.name)
                _require_room(connection, row, goal, name)
                made.append(copies.copy(connection, row, goal.row.id, name, now))
            events.copied(connection, owner_id, made, goal.path, now)
            return _as_nodes(connection, goal, made)


class _Goal(NamedTuple):
    """The folder that nodes are to lie in."""

    row: Row[Any]
    path: str
    leading_there: frozenset[int]
    """Its id, and those of all folders that lead to it."""


def _goal(connection: Connection, owner_id: int, folder: str) -> _Goal:
    parts = names.split(folder)
    row = rows.at(connection, owner_id, parts)
    if row.kind != FOLDER:
        raise NotFound(f"{names.join(*parts)} is a file, not a folder.")
    return _Goal(row, names.join(*parts), paths.above(connection, row.id))


def _movable(connection: Connection, owner_id: int, node_ids: Sequence[int]) -> list[tuple[Row[Any], str]]:
    """The nodes, each with the folder that it is in; what lies in another of them goes with it. Else a line of folders
    in each other would be gone through as often as it is long.
    """
    found = paths.topmost(rows.in_tree(connection, owner_id, node_ids))
    if any(row.parent_id is None for row, _ in found):
        raise Conflict("The top folder can be neither moved nor renamed nor copied.")
    return [(row, names.parent(path)) for row, path in found]


def _move(
    connection: Connection, row: Row[Any], goal: _Goal, name: str, there: _Names, now: datetime
) -> None:
    found = rows.child(connection, goal.row.id, name)
    if found is None or found.id != row.id:
        name = there.free(row, name)
    _require_room(connection, row, goal, name)
    values = {"parent_id": goal.row.id, **rows.name_columns(name)}
    if row.kind == FOLDER:
        values["modified_at"] = now
    connection.execute(update(nodes).where(nodes.c.id == row.id).values(values))


def _require_room(connection: Connection, row: Row[Any], goal: _Goal, name: str) -> None:
    """Raises Conflict where the node would lie in itself, BadInput where a path would grow too long."""
    if row.id in goal.leading_there:
        raise Conflict(f"The folder {row.name!r} cannot be put into itself.")
    rows.require_length(connection, row, goal.path, name)


class _Names:
    """Names for what is put into the goal's folder by one call. What stands there is asked for once, and numbers go on
    where they ended: else a thousand of one name beside as many more would be a million steps.
    """

    def __init__(self, connection: Connection, goal: _Goal, rename: bool) -> None:
        self._connection = connection
        self._folder_id = goal.row.id
        self._rename = rename
        self._numbered: dict[str, tuple[frozenset[str], Iterator[int]]] = {}

    def free(self, row: Row[Any], name: str) -> str:
        """`name`, or with `rename` and where that is taken, one with the first number that is free. Raises Conflict."""
        found = rows.child(self._connection, self._folder_id, name)
        if found is None:
            return name
        if not self._rename:
            raise rows.taken(found, name)
        stem, ending = names.parted(name) if row.kind == FILE else (name, "")
        in_the_way, numbers = self._alike(stem, ending)
        for number in numbers:
            numbered = names.numbered(stem, number, ending)
            if names.key(numbered) in in_the_way:
                continue
            if rows.child(self._connection, self._folder_id, numbered) is None:
                return numbered
        raise AssertionError("unreachable: numbers do not end")

    def _alike(self, stem: str, ending: str) -> tuple[frozenset[str], Iterator[int]]:
        """The keys of what stands there with a number, and the numbers that were not tried yet."""
        first = names.key(names.numbered(stem, 2, ending))
        if first not in self._numbered:
            start = names.key(stem) + " ("
            alike = (
                nodes.c.parent_id == self._folder_id,
                nodes.c.name_key.between(start, start + "\U0010ffff"),
            )
            keys = self._connection.execute(select(nodes.c.name_key).where(*alike)).scalars()
            self._numbered[first] = frozenset(keys), count(2)
        return self._numbered[first]


def _as_nodes(connection: Connection, goal: _Goal, node_ids: Sequence[int]) -> tuple[Node, ...]:
    parts = names.split(goal.path)
    found = rows.several(connection, goal.row.owner_id, node_ids)
    return tuple(rows.to_node(row, names.join(*parts, row.name)) for row in found)
