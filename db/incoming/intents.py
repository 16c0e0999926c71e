"""Messages that were announced and whose outcome is not known yet: they may rest in the store, or may not.

An intent is written before its message is sent: so no crash can leave a message that nothing knows of. It
must never begin a transaction.
"""

from __future__ import annotations

from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, insert, select

from db.schema import RECEIVING, intents, uploads
from model import Label, Locator


def note(connection: Connection, upload_id: UUID, label: Label, after: Locator | None) -> bool:
    """Keep the intent. False where it is noted already: its older, hence safer, `after` stays."""
    if connection.execute(select(intents.c.id).where(*_same(label))).first():
        return False
    values = _columns(label) | {"upload_id": upload_id}
    if after is not None:
        values |= {"after_channel": after.channel, "after_message": after.message}
    connection.execute(insert(intents), values)
    return True


def settle(connection: Connection, label: Label) -> None:
    """The outcome is known: forget the intent."""
    connection.execute(delete(intents).where(*_same(label)))


def of_upload(connection: Connection, upload_id: UUID) -> tuple[tuple[Label, Locator | None], ...]:
    """Oldest first."""
    mine = select(intents).where(intents.c.upload_id == upload_id).order_by(intents.c.id)
    return tuple(_read(row) for row in connection.execute(mine))


def orphans(connection: Connection, limit: int) -> tuple[tuple[UUID, Label, Locator | None], ...]:
    """Oldest first: intents whose upload is no longer under way."""
    live = exists().where(uploads.c.id == intents.c.upload_id, uploads.c.state == RECEIVING)
    lost = select(intents).where(~live).order_by(intents.c.id).limit(limit)
    return tuple((row.upload_id, *_read(row)) for row in connection.execute(lost))


def _columns(label: Label) -> dict[str, Any]:
    return {
        "kind": label.kind,
        "file": label.file,
        "chunk_index": label.index,
        "offset": label.offset,
        "size": label.size,
        "sha256": label.sha256,
        "attempt": label.attempt,
    }


def _same(label: Label) -> list[ColumnElement[bool]]:
    return [intents.c[column] == value for column, value in _columns(label).items()]


def _read(row: Row[Any]) -> tuple[Label, Locator | None]:
    kind = cast('Literal["chunk", "manifest"]', row.kind)
    label = Label(kind, row.file, row.chunk_index, row.offset, row.size, row.sha256, row.attempt)
    after = None if row.after_message is None else Locator(row.after_channel, row.after_message)
    return label, after
