"""What each file and each user has moved, summed up for good. Rows go with what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, Table, insert, literal, select, update

from db.connection import Database
from db.schema import file_totals, nodes, user_totals, users
from model import Totals as Sums


class Totals:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of_file(self, file_id: int) -> Sums:
        return self._of(file_totals, file_totals.c.file_id, file_id)

    def of_user(self, user_id: int) -> Sums:
        return self._of(user_totals, user_totals.c.user_id, user_id)

    def add(self, files: Mapping[int, Sums], people: Mapping[int, Sums]) -> None:
        """Add to what is there, in one transaction. What belongs to a file or user that is gone is dropped."""
        with self._database.write(durable=False) as connection:
            for file_id, sums in files.items():
                _add(connection, file_totals, file_totals.c.file_id, nodes.c.id, file_id, sums)
            for user_id, sums in people.items():
                _add(connection, user_totals, user_totals.c.user_id, users.c.id, user_id, sums)

    def _of(self, table: Table, key: Column[Any], of: int) -> Sums:
        with self._database.read() as connection:
            row = connection.execute(select(*_sums(table, key)).where(key == of)).one_or_none()
        return Sums(**row._mapping) if row is not None else Sums()


def _sums(table: Table, key: Column[Any]) -> list[Column[Any]]:
    """Every column but the key: they are called as the members of model.Totals are."""
    return [column for column in table.c if column is not key]


def _add(
    connection: Connection, table: Table, key: Column[Any], owner: Column[Any], of: int, sums: Sums
) -> None:
    columns = _sums(table, key)
    more = {column.name: column + getattr(sums, column.name) for column in columns}
    if connection.execute(update(table).where(key == of).values(more)).rowcount:
        return
    values = [literal(getattr(sums, column.name)) for column in columns]
    connection.execute(insert(table).from_select([key, *columns], select(owner, *values).where(owner == of)))
