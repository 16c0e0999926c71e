"""Files on their way in: how far each has come, what of it rests, and the transaction that makes it visible.

It must never know where the bytes wait meanwhile.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

import names
from db.connection import Database
from db.happening import events
from db.incoming import intents
from db.schema import ABANDONED, FINISHED, RECEIVING, upload_chunks, uploads
from db.stored.contents import chunk_values, keep, to_chunk
from db.stored.messages import note_newest
from db.stored.quotas import weigh, weigh_again
from db.stored.trash import throw, throw_selected
from db.tree import nodes
from errors import Conflict, Gone, NotFound, OffsetMismatch
from model import Chunk, File, Label, Locator, StoredFile, Upload

_LOCATOR = (upload_chunks.c.channel, upload_chunks.c.message)
_FIELDS = [field.name for field in fields(Upload)]
"""The columns of `uploads` are called as the fields are."""
_BY_ID = select(uploads).where(uploads.c.id == bindparam("upload"))


class Uploads:
    """Uploads, by their uuid, which their contents take over in the end. What is kept here is durable if not said
    otherwise; what is not becomes so with the next that is, since both go through one log in order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, upload: Upload, replace: bool) -> None:
        """Begin one; not durably, for nothing of it is promised yet.

        Raises Conflict where `finish` would, before anybody has sent a byte, and OverQuota.
        """
        row = {field: getattr(upload, field) for field in _FIELDS} | {"replace": replace, "state": RECEIVING}
        *parts, name = names.split(names.join(*names.split(upload.folder), upload.name))
        with self._database.write(durable=False) as connection:
            found = nodes.standing(connection, upload.owner_id, parts, name)
            nodes.refuse_clash(found, name, replace)
            spared = weigh(connection, upload.owner_id, found, upload.length, self._database.now())
            connection.execute(insert(uploads), row | {"spared": spared})

    def check_room(self, owner_id: int, path: str, length: int) -> None:
        """Raises OverQuota where `create` would for so many bytes at this path, and Conflict for what is in the way."""
        *parts, name = names.split(path)
        with self._database.read() as connection:
            found = nodes.standing(connection, owner_id, parts, name)
            weigh(connection, owner_id, found, length, self._database.now())

    def check_place(self, upload_id: UUID) -> None:
        """Raises Conflict and OverQuota where `finish` would, but before its work; NotFound, and Gone."""
        with self._database.read() as connection:
            row = _receiving(connection, upload_id)
            found = nodes.standing(connection, row.owner_id, names.split(row.folder), row.name)
            nodes.refuse_clash(found, row.name, row.replace)
            weigh_again(connection, row, found, self._database.now())

    def get(self, upload_id: UUID, owner_id: int | None = None) -> Upload:
        """The upload (of this owner only, when one is given).

        Raises NotFound, and Gone when it was given up, has expired, or became a file that was removed since.
        """
        with self._database.read() as connection:
            row = _row(connection, upload_id)
        if owner_id not in {None, row.owner_id}:
            raise _unknown()
        if row.state == RECEIVING and row.expires_at <= self._database.now():
            raise Gone("The upload has expired. Begin it again.")
        if row.state == FINISHED and row.file_id is None:
            raise Gone("The upload was finished, and its file has been removed since.")
        if row.state == ABANDONED:
            raise _given_up()
        return _upload(row)

    def advance(
        self, upload_id: UUID, start: int, stop: int, expires_at: datetime, *, durable: bool = True
    ) -> None:
        """Bytes up to `stop` are on the disk for good, and, when this is `durable`, may be acknowledged from now on.

        Raises OffsetMismatch unless the upload stands at `start`, NotFound, and Gone when it was given up.
        """
        with self._database.write(durable=durable) as connection:
            row = _receiving(connection, upload_id)
            if row.offset != start:
                raise OffsetMismatch(row.offset, start)
            values = {"offset": stop, "expires_at": expires_at}
            connection.execute(update(uploads).where(uploads.c.id == upload_id).values(values))

    def intend(self, upload_id: UUID, label: Label, after: Locator | None) -> bool:
        """Note that a message of this label is about to be sent, before it is. False, and no change, when it was noted
        before: then the message may be there already.

        `after` is a message known to be older. Raises NotFound, and Gone when the upload was given up.
        """
        with self._database.write() as connection:
            _receiving(connection, upload_id)
            return intents.note(connection, upload_id, label, after)

    def stored(self, upload_id: UUID, label: Label, chunk: Chunk, *, durable: bool = True) -> None:
        """The chunk is at rest and its intent settled; an older message for its index goes into the trash.

        It has to be `durable` before what is staged of the chunk goes. Otherwise a power cut may bring the intent back.

        Raises NotFound or Gone when the upload ended meanwhile; the chunk's message is in the trash then.
        """
        now = self._database.now()
        with self._database.write(durable=durable) as connection:
            row = connection.execute(_BY_ID, {"upload": upload_id}).one_or_none()
            intents.settle(connection, label)
            note_newest(connection, chunk.locator)
            if row is None or row.state != RECEIVING:
                throw(connection, [chunk.locator], now)
            else:
                mine = _chunk(upload_id, chunk.index)
                older = connection.execute(delete(upload_chunks).where(*mine).returning(*_LOCATOR)).all()
                values = chunk_values(chunk) | {"upload_id": upload_id}
                connection.execute(insert(upload_chunks), values)
                throw(connection, [Locator(*each) for each in older], now)
        if row is None:
            raise _unknown()
        if row.state != RECEIVING:
            raise _given_up()

    def discard_chunk(self, upload_id: UUID, index: int) -> None:
        """The chunk came back bad: its message goes into the trash; what is staged is to be stored again."""
        with self._database.write() as connection:
            _discard(connection, upload_id, _chunk(upload_id, index), self._database.now())

    def rewind(self, upload_id: UUID, index: int) -> None:
        """The chunk came back bad, and only the client has its bytes: the upload stands before it again.

        The messages of this chunk and of all after it go into the trash. Raises NotFound, and Gone.
        """
        with self._database.write() as connection:
            row = _receiving(connection, upload_id)
            after = upload_chunks.c.upload_id == upload_id, upload_chunks.c.chunk_index >= index
            _discard(connection, upload_id, after, self._database.now())
            values = {"offset": min(row.offset, index * row.chunk_size)}
            connection.execute(update(uploads).where(uploads.c.id == upload_id).values(values))

    def chunks(self, upload_id: UUID) -> tuple[Chunk, ...]:
        """The chunks at rest, in order; some may be missing in between."""
        with self._database.read() as connection:
            return _chunks(connection, upload_id)

    def indexes(self, upload_id: UUID) -> frozenset[int]:
        """Which chunks are at rest: asked for every part that arrives, so without all their digests."""
        mine = select(upload_chunks.c.chunk_index).where(upload_chunks.c.upload_id == upload_id)
        with self._database.read() as connection:
            return frozenset(connection.execute(mine).scalars())

    def intents(self, upload_id: UUID) -> tuple[tuple[Label, Locator | None], ...]:
        """Messages of this upload that may or may not be there, each with one known to be older."""
        with self._database.read() as connection:
            return intents.of_upload(connection, upload_id)

    def finish(
        self, upload_id: UUID, stored: StoredFile, label: Label, manifest: Locator
    ) -> tuple[File, bool]:
        """Make the file visible, in one transaction; returns it, and whether it replaced an older one.

        `manifest` is where the message of this `label` rests. Repeating it gives the file again, and False.
        Raises Conflict when `stored` is not what is at rest, or its place was taken meanwhile (by a file that
        may not be replaced, a folder, or a similar name), OverQuota, NotFound, and Gone.
        """
        now = self._database.now()
        with self._database.write() as connection:
            row = _row(connection, upload_id)
            if row.state == FINISHED and row.file_id is not None:
                found = nodes.by_id(connection, row.owner_id, row.file_id)
                return _file(found, nodes.path_of(connection, found)), False
            if row.state != RECEIVING:
                raise _given_up()
            if stored.chunks != _chunks(connection, upload_id) or stored.size != row.length:
                raise Conflict("The upload has changed meanwhile. Ask for its offset and go on from there.")
            held = nodes.Stored(keep(connection, stored, manifest, now), row.media_type)
            parent = nodes.make_folders(connection, row.owner_id, names.split(row.folder), now)
            weigh_again(connection, row, nodes.child(connection, parent.id, row.name), now)
            file_id, replaced = nodes.put_file(connection, parent, row.name, held, row.replace, now)
            intents.settle(connection, label)
            note_newest(connection, manifest)
            connection.execute(delete(upload_chunks).where(upload_chunks.c.upload_id == upload_id))
            ending = {"state": FINISHED, "offset": row.length, "file_id": file_id, "ended_at": now}
            connection.execute(update(uploads).where(uploads.c.id == upload_id).values(ending))
            path = names.join(*names.split(row.folder), row.name)
            file = _file(nodes.by_id(connection, row.owner_id, file_id), path)
            events.file_available(connection, file, now)
            return file, replaced

    def abandon(self, upload_id: UUID) -> None:
        """Give it up: its chunks' messages go into the trash; its intents stay, to be looked for.

        May be repeated. Raises NotFound, and Conflict when it is finished.
        """
        with self._database.write() as connection:
            row = _row(connection, upload_id)
            if row.state == FINISHED:
                raise Conflict("The upload is finished; remove the file instead.")
            if row.state == RECEIVING:
                give_up(connection, upload_id, self._database.now())

    def expired(self, now: datetime) -> tuple[UUID, ...]:
        """Uploads that nobody went on with in time; they are to be abandoned."""
        late = select(uploads.c.id).where(uploads.c.state == RECEIVING, uploads.c.expires_at <= now)
        with self._database.read() as connection:
            return tuple(connection.execute(late).scalars())

    def unfinished(self) -> tuple[Upload, ...]:
        """Uploads under way, oldest first, the expired ones too."""
        under_way = select(uploads).where(uploads.c.state == RECEIVING).order_by(uploads.c.created_at)
        with self._database.read() as connection:
            return tuple(_upload(row) for row in connection.execute(under_way))

    def orphan_intents(self, limit: int) -> tuple[tuple[UUID, Label, Locator | None], ...]:
        """Up to `limit` intents whose upload has ended: the upload, the label, a message known to be older.

        Look for each message, throw it away, then `drop_intent`.
        """
        with self._database.read() as connection:
            return intents.orphans(connection, limit)

    def drop_intent(self, label: Label) -> None:
        """Nothing needs to be looked for under this label any more."""
        with self._database.write() as connection:
            intents.settle(connection, label)

    def forget_old(self, before: datetime) -> None:
        """Drop what is left of uploads that ended before this time; they are NotFound from now on."""
        old = uploads.c.state != RECEIVING, uploads.c.ended_at < before
        with self._database.write(durable=False) as connection:
            connection.execute(delete(uploads).where(*old))


def give_up(connection: Connection, upload_id: UUID, now: datetime) -> None:
    """Abandon an upload inside somebody's transaction."""
    mine = upload_chunks.c.upload_id == upload_id
    throw_selected(connection, select(*_LOCATOR).where(mine), now)
    connection.execute(delete(upload_chunks).where(mine))
    ending = {"state": ABANDONED, "ended_at": now}
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(ending))


def _discard(connection: Connection, upload_id: UUID, which: tuple[Any, ...], now: datetime) -> None:
    bad = connection.execute(delete(upload_chunks).where(*which).returning(*_LOCATOR)).all()
    throw(connection, [Locator(*each) for each in bad], now)
    more = {"discarded": uploads.c.discarded + len(bad)}
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(more))


def _row(connection: Connection, upload_id: UUID) -> Row[Any]:
    row = connection.execute(_BY_ID, {"upload": upload_id}).one_or_none()
    if row is None:
        raise _unknown()
    return row


def _receiving(connection: Connection, upload_id: UUID) -> Row[Any]:
    row = _row(connection, upload_id)
    if row.state != RECEIVING:
        raise _given_up()
    return row


def _unknown() -> NotFound:
    return NotFound("There is no such upload.")


def _given_up() -> Gone:
    return Gone("The upload has ended. Begin it again.")


def _chunk(upload_id: UUID, index: int) -> tuple[Any, Any]:
    return upload_chunks.c.upload_id == upload_id, upload_chunks.c.chunk_index == index


def _chunks(connection: Connection, upload_id: UUID) -> tuple[Chunk, ...]:
    mine = select(upload_chunks).where(upload_chunks.c.upload_id == upload_id)
    return tuple(to_chunk(row) for row in connection.execute(mine.order_by(upload_chunks.c.chunk_index)))


def _file(row: Row[Any], path: str) -> File:
    node = nodes.to_node(row, path)
    assert isinstance(node, File)
    return node


def _upload(row: Row[Any]) -> Upload:
    return Upload(*(row._mapping[field] for field in _FIELDS))
