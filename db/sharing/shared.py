"""What lies below a share, told by paths that begin there: nothing of the tree outside of it may be told of.

A node belongs to a share as long as it is the shared one or lies below it, at the moment of asking.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

import names
from db.connection import Database
from db.schema import FILE, FOLDER, contents, nodes
from db.tree import listing
from db.tree import nodes as rows
from db.tree.paths import lineage
from errors import NotFound
from model import File, Folder, Order, Share, SharedFolder, Sort, Trail


class Shared:
    """What does not belong to the share is NotFound, whoever's it is, in the words for what is not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def file(self, share: Share, file_id: int) -> File:
        with self._database.read() as connection:
            row, trail = _found(connection, share, file_id, FILE)
            return rows.to_file(row, _path(trail, row))

    def folder(self, share: Share, folder_id: int) -> Folder:
        with self._database.read() as connection:
            row, trail = _found(connection, share, folder_id, FOLDER)
            return rows.to_folder(row, _path(trail, row))

    def listing(
        self, share: Share, folder_id: int, after: str | None, limit: int, *, sort: Sort, order: Order
    ) -> SharedFolder:
        """One page of a folder. Raises BadInput, too, for a cursor that is none of ours, or of another sort."""
        with self._database.read() as connection:
            row, trail = _found(connection, share, folder_id, FOLDER)
            folder = rows.to_folder(row, _path(trail, row))
            found, following = listing.page(connection, folder_id, sort, order, after, limit)
            files, folders, size = connection.execute(_SUMS.where(nodes.c.parent_id == folder_id)).one()
        items = tuple(rows.to_node(row, names.inside(folder.path, row.name)) for row in found)
        return SharedFolder(folder, trail, items, following, files, folders, size)


_SUMS = select(
    func.count(nodes.c.content_id),
    func.count() - func.count(nodes.c.content_id),
    func.coalesce(func.sum(contents.c.size), 0),
).select_from(nodes.outerjoin(contents))
"""Files, folders and bytes."""


def _found(connection: Connection, share: Share, node_id: int, kind: int) -> tuple[Row[Any], Trail]:
    """The node, and what leads to it from the shared one, both included. Raises NotFound."""
    up = [(row.id, row.name) for row in lineage(connection, node_id)]
    place = next((place for place, (each, _) in enumerate(up) if each == share.node.id), None)
    row = connection.execute(rows.NODES.where(nodes.c.id == node_id, nodes.c.kind == kind)).one_or_none()
    if place is None or row is None:
        raise NotFound(f"There is no {rows.word(kind)} with the number {node_id} here.")
    return row, tuple(up[place::-1])


def _path(trail: Trail, row: Row[Any]) -> str:
    """The shared folder is the top; a file that is shared by itself has its name."""
    below = trail if row.kind == FILE and len(trail) == 1 else trail[1:]
    return names.join(*(name for _, name in below))
