"""All messages that are known, whatever names them: which is the newest, and what there is in numbers."""

from __future__ import annotations

from sqlalchemy import Select, func, select

from db.connection import Database
from db.schema import BIN, chunks, contents, nodes, trash, upload_chunks, users
from model import Locator, Stock

_NAMED = (
    (upload_chunks.c.channel, upload_chunks.c.message),
    (chunks.c.channel, chunks.c.message),
    (contents.c.manifest_channel, contents.c.manifest_message),
    (trash.c.channel, trash.c.message),
)
"""Wherever a message is named."""


class Messages:
    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> Locator | None:
        """The highest message that is known, as a hint of where the store stands; None when there is none."""
        known: list[Locator] = []
        with self._database.read() as connection:
            for channel, message in _NAMED:
                highest = select(channel, message).where(message.is_not(None))
                row = connection.execute(highest.order_by(channel.desc(), message.desc()).limit(1)).first()
                known += [Locator(*row)] if row else []
        return max(known, default=None)

    def stock(self) -> Stock:
        with self._database.read() as connection:
            files, size = connection.execute(
                select(func.coalesce(func.sum(users.c.files), 0), func.coalesce(func.sum(users.c.used), 0))
            ).one()
            stored = connection.execute(select(func.coalesce(func.sum(contents.c.size), 0))).scalar_one()
            counts = [connection.execute(select(func.count(message))).scalar_one() for _, message in _NAMED]
            binned = connection.execute(_BINNED).scalar_one()
        return Stock(files, size, stored, binned, messages=sum(counts), trash=counts[-1])


def _in_bins() -> Select[int]:
    """Bytes of all files that lie in somebody's bin."""
    tops = select(nodes.c.id, nodes.c.content_id).where(nodes.c.parent_id.is_(None), nodes.c.name_key == BIN)
    below = tops.cte("below", recursive=True)
    below = below.union_all(select(nodes.c.id, nodes.c.content_id).where(nodes.c.parent_id == below.c.id))
    return select(func.coalesce(func.sum(contents.c.size), 0)).join(
        below, below.c.content_id == contents.c.id
    )


_BINNED = _in_bins()
