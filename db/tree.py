"""One owner's tree of names: look, list, make, move, remove. Another owner's nodes must never be told of."""

from __future__ import annotations

import base64
import binascii

from sqlalchemy import select, tuple_, update

import names
from db import events
from db import nodes as rows
from db.connection import Database
from db.schema import FILE, FOLDER, nodes
from errors import BadInput, Conflict, NotFound
from model import File, Folder, Listing, Node

MAX_PAGE = 1000
"""Nodes on one page of a listing, at most."""


class Tree:
    """Files and folders. All paths are absolute; names and paths that could not be kept raise BadName."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def root(self, owner_id: int) -> Folder:
        """The owner's top folder."""
        return self.folder_at(owner_id, "/")

    def node_at(self, owner_id: int, path: str) -> Node:
        """What is at `path`. Raises NotFound, also where the name differs in case or normal form."""
        parts = names.split(path)
        with self._database.read() as connection:
            return rows.to_node(rows.at(connection, owner_id, parts), names.join(*parts))

    def standing_at(self, owner_id: int, folder: str, name: str) -> Node | None:
        """What `name` in `folder` stands for now; None where nothing does, and a file could be put.

        Raises Conflict when a file is in the way to it, or a name that differs only in case or normal form.
        """
        *parts, name = names.split(names.join(*names.split(folder), name))
        with self._database.read() as connection:
            row = rows.standing(connection, owner_id, parts, name)
        return None if row is None else rows.to_node(row, names.join(*parts, name))

    def folder_at(self, owner_id: int, path: str) -> Folder:
        """The folder at `path`. Raises NotFound, also when it is a file."""
        node = self.node_at(owner_id, path)
        if not isinstance(node, Folder):
            raise NotFound(f"{node.path} is a file, not a folder.")
        return node

    def file(self, owner_id: int, file_id: int) -> File:
        """The owner's file of this id. Raises NotFound."""
        with self._database.read() as connection:
            row = rows.by_id(connection, owner_id, file_id, FILE)
            node = rows.to_node(row, rows.path_of(connection, row))
        assert isinstance(node, File)
        return node

    def folder(self, owner_id: int, folder_id: int) -> Folder:
        """The owner's folder of this id. Raises NotFound."""
        with self._database.read() as connection:
            row = rows.by_id(connection, owner_id, folder_id, FOLDER)
            return rows.to_folder(row, rows.path_of(connection, row))

    def listing(self, owner_id: int, path: str, cursor: str | None = None, limit: int = 200) -> Listing:
        """One page of the folder at `path`: folders first, then files, each by name without regard to case.

        At most `limit` nodes (from 1 to MAX_PAGE), after the place that `cursor`, an earlier page's `next`,
        names. What is there all the while is listed once, whatever comes and goes meanwhile. Raises NotFound,
        and BadInput for a cursor that is none of ours.
        """
        limit = min(max(limit, 1), MAX_PAGE)
        parts = names.split(path)
        with self._database.read() as connection:
            row = rows.at(connection, owner_id, parts)
            if row.kind != FOLDER:
                raise NotFound(f"{names.join(*parts)} is a file, not a folder.")
            page = rows.NODES.where(nodes.c.parent_id == row.id)
            if cursor is not None:
                page = page.where(tuple_(nodes.c.kind, nodes.c.name_key) > tuple_(*_place(cursor)))
            found = connection.execute(page.order_by(nodes.c.kind, nodes.c.name_key).limit(limit + 1)).all()
        items = tuple(rows.to_node(item, names.join(*parts, item.name)) for item in found[:limit])
        more = len(found) > limit
        return Listing(
            folder=rows.to_folder(row, names.join(*parts)),
            items=items,
            next=_cursor(found[limit - 1].kind, found[limit - 1].name_key) if more else None,
        )

    def make_folder(self, owner_id: int, parent_path: str, name: str) -> Folder:
        """A new folder in one that is there. Raises NotFound, and Conflict when the name is taken."""
        name = names.checked(name)
        path = names.join(*names.split(parent_path), name)
        *parents, _ = names.split(path)
        with self._database.write() as connection:
            parent = rows.at(connection, owner_id, parents)
            if parent.kind != FOLDER:
                raise Conflict(f"{names.join(*parents)} is a file; nothing can be put into it.")
            found = rows.child(connection, parent.id, name)
            if found is not None:
                raise rows.taken(found, name)
            return rows.to_folder(rows.make_folder(connection, parent, name, self._database.now()), path)

    def make_folders(self, owner_id: int, path: str) -> Folder:
        """The folder at `path`, made with all that lead to it where they are missing.

        Raises Conflict when a file is in the way, or a name that differs only in case or normal form.
        """
        parts = names.split(path)
        with self._database.write() as connection:
            row = rows.make_folders(connection, owner_id, parts, self._database.now())
            return rows.to_folder(row, names.join(*parts))

    def move(
        self, owner_id: int, node_id: int, *, parent_id: int | None = None, name: str | None = None
    ) -> Node:
        """Put the node into another folder, or give it another name, or both; None leaves that as it is.

        Raises NotFound, Conflict when the name is taken there or the node would come to lie in itself, and
        BadName when a path below it would grow too long.
        """
        with self._database.write() as connection:
            row = rows.by_id(connection, owner_id, node_id)
            if row.parent_id is None:
                raise Conflict("The top folder can be neither moved nor renamed.")
            name = row.name if name is None else names.checked(name)
            target = row.parent_id if parent_id is None else parent_id
            parent = rows.by_id(connection, owner_id, target, FOLDER)
            below = rows.subtree(row.id)
            if connection.execute(select(below.c.id).where(below.c.id == parent.id)).first():
                raise Conflict(f"The folder {row.name!r} cannot be moved into itself.")
            found = rows.child(connection, parent.id, name)
            if found is not None and found.id != row.id:
                raise rows.taken(found, name)
            path = names.join(*names.split(rows.path_of(connection, parent)), name)
            now, values = self._database.now(), rows.name_columns(name)
            grown = len(path.encode()) + rows.reach(connection, row.id) - row.name_bytes - 1
            if grown > names.MAX_PATH_BYTES:
                raise BadInput(
                    f"Paths there would have {grown} bytes; at most {names.MAX_PATH_BYTES} are possible."
                )
            if row.kind == FOLDER:
                values["modified_at"] = now
            left = names.parent(rows.path_of(connection, row))
            connection.execute(
                update(nodes).where(nodes.c.id == row.id).values(parent_id=parent.id, **values)
            )
            events.moved(connection, owner_id, [row.id], left, names.parent(path), now)
            return rows.to_node(rows.by_id(connection, owner_id, row.id), path)

    def remove(self, owner_id: int, node_id: int) -> None:
        """Take out the node and all below it; their messages go into the trash.

        Raises NotFound, and Conflict for the top folder.
        """
        with self._database.write() as connection:
            row = rows.by_id(connection, owner_id, node_id)
            if row.parent_id is None:
                raise Conflict("The top folder cannot be removed; remove what is in it.")
            now, folder = self._database.now(), names.parent(rows.path_of(connection, row))
            rows.remove(connection, row.id, now)
            events.removed(connection, owner_id, [row.id], folder, now)


def _cursor(kind: int, name_key: str) -> str:
    return base64.urlsafe_b64encode(f"{kind}{name_key}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[int, str]:
    """The kind and name key that a cursor stands for. Raises BadInput."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if text[:1] not in {str(FOLDER), str(FILE)}:
        raise BadInput("The cursor is not one that a listing gave. Begin at the first page.")
    return int(text[0]), text[1:]
