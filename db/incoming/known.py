"""Files made of contents that their owner stores already. Contents of others must never be told of, nor be had."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, select

import names
from db.connection import Database
from db.happening import events
from db.schema import contents, nodes
from db.stored.quotas import require_room
from db.tree import nodes as rows
from errors import NotFound
from model import File


class Known:
    def __init__(self, database: Database) -> None:
        self._database = database

    def has_size(self, owner_id: int, size: int) -> bool:
        """Does the owner store any sound contents of so many bytes?"""
        with self._database.read() as connection:
            return (
                connection.execute(select(contents.c.id).where(*_sound(owner_id, size))).first() is not None
            )

    def put(
        self, owner_id: int, parts: Sequence[str], size: int, tree: bytes, media_type: str, replace: bool
    ) -> tuple[File, bool]:
        """Let the path stand for the owner's contents of this size and tree; the file, and whether it replaced one.

        Folders are made. Raises NotFound when the owner stores no such contents, or damaged ones only; Conflict when
        the place is taken; OverQuota.
        """
        *folder, name = parts
        now = self._database.now()
        with self._database.write() as connection:
            same = select(contents.c.id).where(*_sound(owner_id, size), contents.c.tree == tree)
            content_id = connection.execute(same.order_by(contents.c.id)).scalar()
            if content_id is None:
                raise NotFound("You store no file with these contents. Send them.")
            found = rows.standing(connection, owner_id, folder, name)
            rows.refuse_clash(found, name, replace)
            require_room(connection, owner_id, size - (found.size if found is not None else 0), now)
            parent = rows.make_folders(connection, owner_id, folder, now)
            held = rows.Stored(content_id, media_type)
            file_id, replaced = rows.put_file(connection, parent, name, held, replace, now)
            file = rows.to_node(rows.by_id(connection, owner_id, file_id), names.join(*parts))
            assert isinstance(file, File)
            events.file_available(connection, file, now)
            return file, replaced


def _sound(owner_id: int, size: int) -> tuple[ColumnElement[bool], ...]:
    mine = exists().where(nodes.c.content_id == contents.c.id, nodes.c.owner_id == owner_id)
    return contents.c.size == size, contents.c.damaged_at.is_(None), mine
