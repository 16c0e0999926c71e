"""Files some of whose stored bytes no longer match their digests. It must never take a mark back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

import names
from db.connection import Database
from db.happening import events
from db.schema import contents, nodes, users
from db.tree import nodes as rows
from db.tree.paths import paths
from model import File


class Damage:
    def __init__(self, database: Database) -> None:
        self._database = database

    def files(self, limit: int) -> tuple[tuple[File, str], ...]:
        """Up to `limit` files of damaged contents, each with its owner's name; the one found last first."""
        damaged = rows.NODES.add_columns(users.c.name.label("owner")).join(
            users, users.c.id == nodes.c.owner_id
        )
        latest = damaged.where(contents.c.damaged_at.is_not(None)).order_by(
            contents.c.damaged_at.desc(), nodes.c.id
        )
        with self._database.read() as connection:
            found = connection.execute(latest.limit(limit)).all()
            where = paths(connection, [row.id for row in found])
        return tuple((rows.to_file(row, where[row.id]), row.owner) for row in found if row.id in where)

    def mark(self, uuid: UUID, when: datetime) -> None:
        """These contents are damaged; whoever has a file of them is told. The first time counts.

        Does nothing when they have been deleted.
        """
        first = contents.c.uuid == uuid, contents.c.damaged_at.is_(None)
        marked = update(contents).where(*first).values(damaged_at=when).returning(contents.c.id)
        with self._database.write(durable=False) as connection:
            content_id = connection.execute(marked).scalar()
            if content_id is None:
                return
            found = connection.execute(rows.NODES.where(nodes.c.content_id == content_id)).all()
            where = paths(connection, [row.id for row in found])
            for row in found:
                if row.id in where:
                    events.damaged(connection, row.owner_id, row.id, names.parent(where[row.id]), when)
