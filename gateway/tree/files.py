"""Names and folders. Everything is asked for by somebody, and nobody sees what is not theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import names
from db import Contents, Database, Known, Moves, Search, Tree
from errors import BadInput, Conflict
from gateway.tree.media import media_type as kind_of
from model import Details, File, Folder, Listing, Node, Order, Page, Sort, User

Kind = Literal["file", "folder"]


class Files:
    def __init__(self, database: Database) -> None:
        self._tree = Tree(database)
        self._moves = Moves(database)
        self._search = Search(database)
        self._contents = Contents(database)
        self._known = Known(database)

    def listing(
        self,
        user: User,
        path: str,
        cursor: str | None = None,
        limit: int = 200,
        *,
        sort: Sort = "name",
        order: Order = "asc",
    ) -> Listing:
        """One page of a folder. Raises NotFound, BadName, and BadInput for a cursor that is not ours."""
        return self._tree.listing(user.id, path, cursor, limit, sort=sort, order=order)

    def search(
        self,
        user: User,
        text: str,
        path: str,
        cursor: str | None,
        limit: int,
        *,
        sort: Sort = "name",
        order: Order = "asc",
    ) -> Page:
        """What has every word of `text` in its name, below the folder at `path`.

        Raises NotFound, BadName, and BadInput for a text without words or a cursor that is not ours.
        """
        return self._search.by_name(user.id, text, path, cursor, limit, sort=sort, order=order)

    def at(self, user: User, path: str) -> Node:
        """What is at `path`. Raises NotFound and BadName."""
        return self._tree.node_at(user.id, path)

    def file(self, user: User, file_id: int) -> File:
        return self._tree.file(user.id, file_id)

    def folder(self, user: User, folder_id: int) -> Folder:
        return self._tree.folder(user.id, folder_id)

    def node(self, user: User, node_id: int, kind: Kind) -> Node:
        return self.file(user, node_id) if kind == "file" else self.folder(user, node_id)

    def make_folder(self, user: User, path: str) -> Folder:
        """Make the folder and those above it. Raises Conflict when something has that name already."""
        parts = names.split(path)
        if not parts:
            raise Conflict("The top folder is always there.")
        parent = names.join(*parts[:-1])
        self._tree.make_folders(user.id, parent)
        return self._tree.make_folder(user.id, parent, parts[-1])

    def move(
        self,
        user: User,
        node_id: int,
        *,
        kind: Kind,
        parent: str | None = None,
        name: str | None = None,
        path: str | None = None,
    ) -> Node:
        """Rename, move, or both: `path` is the whole new place; `parent` and `name` change one part of it.

        Raises NotFound when the node or the folder it should go to is not there, Conflict when the place is taken.
        """
        self.node(user, node_id, kind)
        if path is not None:
            if parent is not None or name is not None:
                raise BadInput("Give either `path`, or `parent` and `name`.")
            parts = names.split(path)
            if not parts:
                raise Conflict("The top folder is not a place for a file or a folder.")
            parent, name = names.join(*parts[:-1]), parts[-1]
        if parent is None and name is None:
            raise BadInput("Nothing to change: give `name`, `parent` or `path`.")
        return self._moves.move(user.id, node_id, folder=parent, name=name)

    def move_all(self, user: User, ids: Sequence[int], parent: str, *, rename: bool) -> tuple[Node, ...]:
        """All of them into the folder at `parent`, or none; with `rename` a name that is taken there gets a number.

        Raises NotFound, and Conflict for a name that is taken or a folder that would lie in itself.
        """
        return self._moves.move_all(user.id, ids, parent, rename=rename)

    def copy_all(self, user: User, ids: Sequence[int], parent: str, *, rename: bool) -> tuple[Node, ...]:
        """The same with copies, which share their contents. Raises TooLarge, too, for too many."""
        return self._moves.copy_all(user.id, ids, parent, rename=rename)

    def has_size(self, user: User, size: int) -> bool:
        """Does the user store any file of so many bytes, undamaged? Then `put_known` may be worth a try."""
        return self._known.has_size(user.id, size)

    def put_known(
        self, user: User, path: str, *, size: int, tree: bytes, media_type: str | None, replace: bool
    ) -> tuple[File, bool]:
        """Make a file of contents that the user stores already; whether it replaced one.

        Raises NotFound when the user does not, Conflict when the place is taken, and OverQuota.
        """
        parts = names.split(path)
        if not parts:
            raise BadInput("The path needs the name of a file.")
        return self._known.put(user.id, parts, size, tree, kind_of(media_type, parts[-1]), replace)

    def details(self, file: File, first_chunk: int, chunks: int) -> Details:
        """What is known of the file's contents, with so many chunks from `first_chunk`. Raises NotFound."""
        return self._contents.details(file.content_id, first_chunk, chunks)
