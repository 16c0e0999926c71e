"""A real database in a file, a clock that only moves when told, and chunks to remember."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from db import Bin, Clearing, Database, People, Uploads
from model import Chunk, File, Label, Locator, StoredFile, Upload, User, tree_digest
from tests.conftest import new_database

PIECE = 4


class Clock:
    """Gives one time until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stowgram.db"


def open_new(path: Path, clock: Clock) -> Database:
    """A database as a first start leaves it."""
    path.write_bytes(new_database())
    return Database(url_of(path), now=clock, patience=5)


@pytest.fixture
def database(path: Path, clock: Clock) -> Iterator[Database]:
    database = open_new(path, clock)
    yield database
    database.close()


@pytest.fixture
def ann(database: Database) -> User:
    return People(database).add("ann", "hash")


@pytest.fixture
def bob(database: Database) -> User:
    return People(database).add("bob", "hash")


def a_chunk(index: int, offset: int, data: bytes, message: int) -> Chunk:
    pieces = b"".join(hashlib.sha256(data[i : i + PIECE]).digest() for i in range(0, len(data), PIECE))
    digest = hashlib.sha256(data).digest()
    return Chunk(index, offset, len(data), digest, zlib.crc32(data), pieces, Locator(1, message), PIECE)


def label_of(upload_id: UUID, chunk: Chunk, attempt: int = 0) -> Label:
    return Label("chunk", upload_id, chunk.index, chunk.offset, chunk.size, chunk.sha256, attempt)


def an_upload(owner: User, clock: Clock, path: str = "/a.bin", length: int = 10) -> Upload:
    folder, _, name = path.rpartition("/")
    expires = clock.time + timedelta(days=1)
    return Upload(
        uuid4(), owner.id, folder or "/", name, length, "text/plain", 8, 0, clock.time, expires, None
    )


def put(
    database: Database,
    owner: User,
    clock: Clock,
    path: str,
    *messages: int,
    manifest: int | None = None,
    replace: bool = True,
) -> tuple[File, bool]:
    """Store a file of one eight-byte chunk a message."""
    uploads, upload = Uploads(database), an_upload(owner, clock, path, 8 * len(messages))
    uploads.create(upload, replace)
    for index, message in enumerate(messages):
        chunk = a_chunk(index, 8 * index, message.to_bytes(8, "big"), message)
        uploads.intend(upload.id, label_of(upload.id, chunk), None)
        uploads.stored(upload.id, label_of(upload.id, chunk), chunk)
    label = Label("manifest", upload.id, 0, 0, 9, bytes(32))
    uploads.intend(upload.id, label, None)
    return finish(database, upload, manifest if manifest is not None else 10_000 + next(_manifests))


def remove(database: Database, owner_id: int, node_id: int) -> None:
    """Delete the node for good, at once."""
    Bin(database).put(owner_id, [node_id], forever=True)
    while Clearing(database).part():
        pass


_manifests = count()


def finish(
    database: Database, upload: Upload, manifest: int = 9_000, chunks: tuple[Chunk, ...] | None = None
) -> tuple[File, bool]:
    """Make the upload a file; its manifest is announced, and rests in the message `manifest`."""
    uploads = Uploads(database)
    chunks = uploads.chunks(upload.id) if chunks is None else chunks
    stored = StoredFile(upload.id, upload.length, tree_digest(chunks), None, 7, chunks)
    label = Label("manifest", upload.id, 0, 0, 9, bytes(32))
    return uploads.finish(upload.id, stored, label, Locator(1, manifest))
