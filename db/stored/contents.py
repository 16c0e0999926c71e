"""Immutable contents and their chunks. Nodes of the tree count them; what no node counts any more goes.

It must never know what a file is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, insert, select, update

from db.connection import Database
from db.schema import chunks, contents, nodes
from db.stored.trash import throw_selected
from errors import NotFound
from model import PIECE_SIZE, ByteRange, Chunk, ChunkSummary, Details, Locator, StoredFile, StoredPart

NEARBY = 50
"""Chunks, about as many on both sides as one call to Telegram looks up."""
_BATCH = 500
_SUMMARY = ("chunk_index", "offset", "size", "sha256", "crc32", "channel", "message", "piece_size")


class Contents:
    """Contents at rest, by their id or by the uuid that their messages carry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stored_file(self, content_id: int) -> StoredFile:
        """All of it, for who reads it as a whole. Raises NotFound when it has been deleted."""
        return self._one(contents.c.id == content_id)

    def by_uuid(self, uuid: UUID) -> StoredFile:
        """The same, by the uuid in the captions of its messages. Raises NotFound."""
        return self._one(contents.c.uuid == uuid)

    def part(self, content_id: int, span: ByteRange) -> StoredPart:
        """The chunks that `span` touches, and no other: all that a download needs; and of those around them where they
        are, if they are not many already. Raises NotFound."""
        with self._database.read() as connection:
            uuid = connection.execute(select(contents.c.uuid).where(contents.c.id == content_id)).scalar()
            if uuid is None:
                raise _gone()
            touched = chunks.c.offset < span.stop, chunks.c.offset + chunks.c.size > span.start
            touching = _chunks(connection, chunks.c.content_id == content_id, *touched)
            return StoredPart(uuid, touching, _nearby(connection, content_id, touching))

    def details(self, content_id: int, first: int, limit: int) -> Details:
        """What is to be told of it, with up to `limit` chunks from the index `first`. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(contents).where(contents.c.id == content_id)).one_or_none()
            if row is None:
                raise _gone()
            # Without `pieces`, which is most of a row.
            columns = (chunks.c[name] for name in _SUMMARY)
            some = select(*columns).where(chunks.c.content_id == content_id, chunks.c.chunk_index >= first)
            found = connection.execute(some.order_by(chunks.c.chunk_index).limit(limit + 1)).all()
        shown = tuple(_summary(row) for row in found[:limit])
        piece_size = found[0].piece_size if found else PIECE_SIZE
        following = found[limit].chunk_index if len(found) > limit else None
        return Details(row.crc32, piece_size, row.created_at, shown, following)

    def _one(self, condition: ColumnElement[bool]) -> StoredFile:
        with self._database.read() as connection:
            row = connection.execute(select(contents).where(condition)).one_or_none()
            if row is None:
                raise _gone()
            parts = _chunks(connection, chunks.c.content_id == row.id)
        return StoredFile(row.uuid, row.size, row.tree, row.sha256, row.crc32, parts)

    def without_sha256(self, limit: int) -> tuple[int, ...]:
        """Ids of contents whose whole digest is not known yet, oldest first, but for the damaged ones."""
        unknown = contents.c.sha256.is_(None), contents.c.damaged_at.is_(None)
        oldest = select(contents.c.id).where(*unknown).order_by(contents.c.id).limit(limit)
        with self._database.read() as connection:
            return tuple(connection.execute(oldest).scalars())

    def set_sha256(self, content_id: int, digest: bytes) -> None:
        """Remember the digest of the whole file where it was not known when the file arrived."""
        with self._database.write() as connection:
            connection.execute(update(contents).where(contents.c.id == content_id).values(sha256=digest))


def _gone() -> NotFound:
    return NotFound("The file is no longer there.")


def _chunks(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Chunk, ...]:
    in_order = select(chunks).where(*conditions).order_by(chunks.c.chunk_index)
    return tuple(map(to_chunk, connection.execute(in_order)))


def _nearby(connection: Connection, content_id: int, touching: tuple[Chunk, ...]) -> tuple[Locator, ...]:
    """Where up to NEARBY chunks on either side of these are, nearest first."""
    if not 0 < len(touching) < NEARBY:
        return ()
    first, last = touching[0].index, touching[-1].index
    around = chunks.c.chunk_index.between(first - NEARBY, last + NEARBY)
    columns = chunks.c.chunk_index, chunks.c.channel, chunks.c.message
    rows = connection.execute(select(*columns).where(chunks.c.content_id == content_id, around)).all()
    apart = [
        (max(first - index, index - last), Locator(channel, message)) for index, channel, message in rows
    ]
    return tuple(locator for distance, locator in sorted(apart, key=itemgetter(0)) if distance > 0)


def to_chunk(row: Sequence[Any]) -> Chunk:
    """The chunk that a whole row of `chunks` or `upload_chunks` tells of.

    By place and not by name, which takes half the time: a plan of 100 GiB has 1600 of them.
    """
    _owner, index, offset, size, sha256, crc32, pieces, piece_size, channel, message = row
    return Chunk(index, offset, size, sha256, crc32, pieces, Locator(channel, message), piece_size)


def _summary(row: Row[Any]) -> ChunkSummary:
    locator = Locator(row.channel, row.message)
    return ChunkSummary(row.chunk_index, row.offset, row.size, row.sha256, row.crc32, locator)


def chunk_values(chunk: Chunk) -> dict[str, Any]:
    """The columns of such a row."""
    return {
        "chunk_index": chunk.index,
        "offset": chunk.offset,
        "size": chunk.size,
        "sha256": chunk.sha256,
        "crc32": chunk.crc32,
        "pieces": chunk.pieces,
        "piece_size": chunk.piece_size,
        "channel": chunk.locator.channel,
        "message": chunk.locator.message,
    }


def keep(connection: Connection, file: StoredFile, manifest: Locator | None, now: datetime) -> int:
    """Write new contents with all their chunks; returns their id. The caller makes a node count them."""
    row = {
        "uuid": file.uuid,
        "size": file.size,
        "sha256": file.sha256,
        "tree": file.tree,
        "crc32": file.crc32,
        "manifest_channel": manifest and manifest.channel,
        "manifest_message": manifest and manifest.message,
        "created_at": now,
    }
    content_id: int = connection.execute(insert(contents).returning(contents.c.id), row).scalar_one()
    if file.chunks:
        connection.execute(
            insert(chunks), [chunk_values(chunk) | {"content_id": content_id} for chunk in file.chunks]
        )
    return content_id


def let_go(connection: Connection, content_ids: Iterable[int], now: datetime) -> None:
    """Drop those of these contents that no node counts any more; their messages go into the trash."""
    ids = sorted(set(content_ids))
    for start in range(0, len(ids), _BATCH):
        _let_go_batch(connection, ids[start : start + _BATCH], now)


def _let_go_batch(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    uncounted = select(contents.c.id).where(
        contents.c.id.in_(ids), ~exists().where(nodes.c.content_id == contents.c.id)
    )
    of_chunks = select(chunks.c.channel, chunks.c.message).where(chunks.c.content_id.in_(uncounted))
    of_manifests = select(contents.c.manifest_channel, contents.c.manifest_message).where(
        contents.c.id.in_(uncounted), contents.c.manifest_message.is_not(None)
    )
    throw_selected(connection, of_chunks, now)
    throw_selected(connection, of_manifests, now)
    connection.execute(
        delete(contents).where(contents.c.id.in_(uncounted))
    )  # chunks go with them: ON DELETE CASCADE
