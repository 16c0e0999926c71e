"""All messages that are known, whatever names them: what there is in numbers, and which is the newest that ever was."""

from __future__ import annotations

from sqlalchemy import Connection, Select, func, insert, select, update

from db.connection import Database
from db.schema import BIN, chunks, contents, newest_message, nodes, trash, upload_chunks, users
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
        """The newest message that was ever known, even if it is gone, as a hint of where the store stands."""
        with self._database.read() as connection:
            return _newest(connection)

    def stock(self) -> Stock:
        with self._database.read() as connection:
            files, size = connection.execute(
                select(func.coalesce(func.sum(users.c.files), 0), func.coalesce(func.sum(users.c.used), 0))
            ).one()
            stored = connection.execute(select(func.coalesce(func.sum(contents.c.size), 0))).scalar_one()
            counts = [connection.execute(select(func.count(message))).scalar_one() for _, message in _NAMED]
            binned = connection.execute(_BINNED).scalar_one()
        return Stock(files, size, stored, binned, messages=sum(counts), trash=counts[-1])


def note_newest(connection: Connection, message: Locator) -> None:
    """Have it remembered as the newest, if it is. One of another channel is: nothing is sent into two."""
    known = _newest(connection)
    values = {"channel": message.channel, "message": message.message}
    if known is None:
        connection.execute(insert(newest_message), values | {"id": 1})
    elif known.channel != message.channel or known.message < message.message:
        connection.execute(update(newest_message).values(values))


def _newest(connection: Connection) -> Locator | None:
    row = connection.execute(select(newest_message.c.channel, newest_message.c.message)).first()
    return None if row is None else Locator(*row)


def _in_bins() -> Select[int]:
    """Bytes of all files that lie in somebody's bin."""
    tops = select(nodes.c.id, nodes.c.content_id).where(nodes.c.parent_id.is_(None), nodes.c.name_key == BIN)
    below = tops.cte("below", recursive=True)
    below = below.union_all(select(nodes.c.id, nodes.c.content_id).where(nodes.c.parent_id == below.c.id))
    return select(func.coalesce(func.sum(contents.c.size), 0)).join(
        below, below.c.content_id == contents.c.id
    )


_BINNED = _in_bins()
