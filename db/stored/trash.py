"""Messages that nothing names any more, until they are deleted. It must never give out one that is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, insert, literal, select

from db.connection import Database
from db.schema import chunks, contents, trash, upload_chunks
from db.schema.columns import UtcTime
from model import Locator

_BATCH = 500
"""Rows per statement: well under the number of values that any database takes in one."""


class Trash:
    """The one way out for messages: deleted files, replaced contents and given-up uploads all end here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, locators: Iterable[Locator]) -> None:
        """Throw these away, but for those that a file or an upload under way still names."""
        with self._database.write() as connection:
            throw(connection, locators, self._database.now())

    def batch(self, limit: int, after: int = 0) -> tuple[tuple[int, Locator], ...]:
        """Up to `limit` of the oldest behind the id `after`, each with the id to `forget` it by once it is deleted."""
        oldest = select(trash).where(~_named(), trash.c.id > after).order_by(trash.c.id).limit(limit)
        with self._database.read() as connection:
            return tuple((row.id, Locator(row.channel, row.message)) for row in connection.execute(oldest))

    def forget(self, ids: Sequence[int]) -> None:
        """Their messages are gone. Not durable: to delete a message twice does no harm."""
        with self._database.write(durable=False) as connection:
            for start in range(0, len(ids), _BATCH):
                connection.execute(delete(trash).where(trash.c.id.in_(ids[start : start + _BATCH])))

    def count(self) -> int:
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(trash)).scalar_one()


def throw(connection: Connection, locators: Iterable[Locator], since: datetime) -> None:
    """Put these into the trash, but for those that something still names, and those in it already."""
    rows = [{"channel": each.channel, "message": each.message, "since": since} for each in locators]
    if rows:
        first = connection.execute(select(func.coalesce(func.max(trash.c.id), 0))).scalar_one()
        connection.execute(insert(trash), rows)
        before = trash.alias()
        twice = exists().where(
            before.c.channel == trash.c.channel, before.c.message == trash.c.message, before.c.id < trash.c.id
        )
        connection.execute(delete(trash).where(trash.c.id > first, _named() | twice))


def throw_selected(connection: Connection, locators: Select[tuple[int, int]], since: datetime) -> None:
    """The same for the (channel, message) rows of a query; the caller takes out the rows that name them."""
    source = locators.add_columns(literal(since, UtcTime()))
    connection.execute(insert(trash).from_select(["channel", "message", "since"], source))


def _named() -> ColumnElement[bool]:
    """Does a file or an upload under way still name this message?

    It can come to that: after a crash a store looks for what an unfinished `put` left, and captions do not
    tell attempts apart, so that it may find the message of the attempt that counted.
    """
    by_file = exists().where(chunks.c.channel == trash.c.channel, chunks.c.message == trash.c.message)
    by_upload = exists().where(
        upload_chunks.c.channel == trash.c.channel, upload_chunks.c.message == trash.c.message
    )
    as_manifest = exists().where(
        contents.c.manifest_channel == trash.c.channel, contents.c.manifest_message == trash.c.message
    )
    return by_file | by_upload | as_manifest
