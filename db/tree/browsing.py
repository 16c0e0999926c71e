"""One owner's tree of names: look, list, make. Another owner's nodes must never be told of."""

from __future__ import annotations

import names
from db.connection import Database
from db.schema import FILE, FOLDER
from db.tree import listing
from db.tree import nodes as rows
from errors import Conflict, NotFound
from model import File, Folder, Listing, Node, Order, Sort


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

    def listing(
        self,
        owner_id: int,
        path: str,
        cursor: str | None = None,
        limit: int = 200,
        *,
        sort: Sort = "name",
        order: Order = "asc",
    ) -> Listing:
        """One page of the folder at `path`: folders first, then files; names are compared without regard to case.

        At most `limit` nodes, after the place that `cursor`, an earlier page's `next`,
        names. What is there all the while is listed once, whatever comes and goes meanwhile. Raises NotFound,
        and BadInput for a cursor that is none of ours, or of another sort.
        """
        parts = names.split(path)
        with self._database.read() as connection:
            row = rows.at(connection, owner_id, parts)
            if row.kind != FOLDER:
                raise NotFound(f"{names.join(*parts)} is a file, not a folder.")
            found, following = listing.page(connection, row.id, sort, order, cursor, limit)
        items = tuple(rows.to_node(item, names.join(*parts, item.name)) for item in found)
        return Listing(rows.to_folder(row, names.join(*parts)), items, following)

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
            return rows.to_folder(rows.make_folder(connection, parent, path, self._database.now()), path)

    def make_folders(self, owner_id: int, path: str) -> Folder:
        """The folder at `path`, made with all that lead to it where they are missing.

        Raises Conflict when a file is in the way, or a name that differs only in case or normal form.
        """
        parts = names.split(path)
        with self._database.write() as connection:
            row = rows.make_folders(connection, owner_id, parts, self._database.now())
            return rows.to_folder(row, names.join(*parts))
