"""Where uploaded bytes wait on local disk until they rest in the store: one file for each chunk, so that the
space of a stored chunk is free at once. It must never know whose bytes they are; what of them is acknowledged
is its caller's word.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from errors import BadInput, ChecksumMismatch, Gone, TooLarge
from model import ByteRange
from storage.base import Source
from streaming.room import Room, disk_errors, sync_folder

BLOCK = 1 << 20
"""Bytes read from a body, and held in memory, at a time."""


def ignore(index: int) -> None:
    """For uploads whose chunks nobody waits for."""


class Staging:
    """The bytes of uploads under `root`, at most `limit` of them; what an earlier run left there counts.

    The caller sees to it that one upload has one writer at a time. No file stays open between calls: Windows
    neither deletes nor replaces an open one.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self._root = root
        self._limit = limit
        root.mkdir(parents=True, exist_ok=True)
        self._room = Room(limit)
        for upload in self.uploads():
            for index, size in self.parts(upload).items():
                self._room.note(upload, index, size)

    def __repr__(self) -> str:
        return f"<Staging {self._root} holds {self.held} of {self._limit} bytes>"

    @property
    def held(self) -> int:
        """Bytes on disk, and those for which running uploads have been given room."""
        return self._room.held

    def uploads(self) -> tuple[UUID, ...]:
        """Every upload that has left something on the disk."""
        return tuple(upload for path in self._root.iterdir() if (upload := _uuid(path.name)) is not None)

    def parts(self, upload: UUID) -> dict[int, int]:
        """The chunks of `upload` that are on the disk, whole or begun: index to bytes."""
        files = self._folder(upload).glob("*.part")
        return {int(path.stem): path.stat().st_size for path in sorted(files) if path.stem.isdecimal()}

    def receive(
        self,
        upload: UUID,
        offset: int,
        body: BinaryIO,
        length: int,
        *,
        total: int,
        chunk_size: int,
        wait: float,
        checksum: bytes | None = None,
        on_chunk: Callable[[int], None] = ignore,
    ) -> None:
        """Take the next `length` bytes of an upload of `total` bytes, which stands at `offset`; on disk when
        it returns.

        `on_chunk(index)` is called once a chunk is complete (the last one too) and durable; it may hand the
        chunk on and `drop` it, so a body larger than the staging passes through. With a `checksum` (SHA-256
        of the body) it is called only after the checksum proved right. What an earlier run left past `offset`
        is cut off first.

        Waits up to `wait` seconds each time for room. Raises AtCapacity, BadInput (body too short),
        ChecksumMismatch, OutOfSpace, TooLarge, Gone (acknowledged bytes are no longer on the disk), and what
        `on_chunk` raises. After an error the upload stands at `offset`, or at the end of the last chunk that
        `on_chunk` was called for.
        """
        if not 0 <= offset <= offset + length <= total:
            raise BadInput(f"{length} bytes at {offset} do not fit into an upload of {total} bytes.")
        self._rewind(upload, offset, chunk_size)
        self._assert_whole(upload, offset, chunk_size)
        unproven = self._unproven(body, length, chunk_size, checksum)
        kept, finished = offset, []
        try:
            for span in _by_chunk(offset, length, chunk_size):
                index = span.start // chunk_size
                self._room.take(upload, index, span.stop - index * chunk_size, chunk_size, wait)
                self._append(upload, index, body, span.length, unproven)
                if span.stop % chunk_size == 0 or span.stop == total:
                    finished.append(index)
                if unproven is None and finished:
                    kept = span.stop
                    on_chunk(finished.pop())
            if unproven is not None and unproven.digest() != checksum:
                raise ChecksumMismatch(
                    "The bytes that arrived do not have the checksum that was sent with them."
                )
        except BaseException:
            self._rewind(upload, kept, chunk_size)
            raise
        for index in finished:
            on_chunk(index)

    def source(self, upload: UUID, index: int) -> Source:
        """Reads a staged chunk, from any thread. It raises Gone when the chunk is not there as it was."""
        path = self._part(upload, index)

        def read(span: ByteRange) -> bytes:
            try:
                with path.open("rb") as part:
                    part.seek(span.start)
                    data = part.read(span.length)
            except FileNotFoundError:
                data = b""
            if len(data) != span.length:
                raise Gone("A part of this upload is no longer on the disk. Begin the upload again.")
            return data

        return read

    def drop(self, upload: UUID, index: int) -> None:
        """Free the space of one chunk; no error when it is free already."""
        self._cut(upload, index, 0)

    def drop_all(self, upload: UUID) -> None:
        """Forget an upload. What another thread still reads on Windows stays, and stays in `uploads()`, for a
        later try.
        """
        for index in self.parts(upload):
            try:
                self.drop(upload, index)
            except PermissionError:
                continue
        try:
            self._folder(upload).rmdir()
        except OSError:  # not there, or not empty: uploads() tells
            pass

    def _folder(self, upload: UUID) -> Path:
        return self._root / str(upload)

    def _part(self, upload: UUID, index: int) -> Path:
        return self._folder(upload) / f"{index}.part"

    def _unproven(
        self, body: BinaryIO, length: int, chunk_size: int, checksum: bytes | None
    ) -> hashlib._Hash | None:
        """The hash to run along while receiving, or None when nothing is left to prove.

        A seekable body (waitress has spooled it) is looked through first, so that nothing wrong is ever
        written.
        """
        if body.seekable():
            start = body.tell()
            seen = hashlib.sha256()
            if checksum is None:
                available = body.seek(0, os.SEEK_END) - start
            else:
                available = sum(_feed(seen, block) for block in _blocks(body, length))
            body.seek(start)
            if available < length:
                raise _short(available, length)
            if checksum is not None and seen.digest() != checksum:
                raise ChecksumMismatch(
                    "The bytes that arrived do not have the checksum that was sent with them."
                )
            return None
        if checksum is not None and length + chunk_size > self._limit:
            raise TooLarge(
                f"At most {self._limit - chunk_size} bytes can be checked in one part. Send smaller parts."
            )
        return None if checksum is None else hashlib.sha256()

    def _append(
        self, upload: UUID, index: int, body: BinaryIO, length: int, unproven: hashlib._Hash | None
    ) -> None:
        path = self._part(upload, index)
        with disk_errors():
            new_folder, new_file = not path.parent.exists(), not path.exists()
            path.parent.mkdir(exist_ok=True)
            got = 0
            with path.open("ab") as part:
                for block in _blocks(body, length):
                    got += part.write(block)
                    if unproven is not None:
                        unproven.update(block)
                part.flush()
                os.fsync(part.fileno())
            if new_file:  # a name is durable once its folder is
                sync_folder(path.parent)
            if new_folder:
                sync_folder(self._root)
        if got != length:
            raise _short(got, length)

    def _assert_whole(self, upload: UUID, offset: int, chunk_size: int) -> None:
        """The begun chunk must be there up to `offset`; those before it may have been stored and dropped."""
        index, begun = divmod(offset, chunk_size)
        if begun and self.parts(upload).get(index) != begun:
            raise Gone("A part of this upload is no longer on the disk. Begin the upload again.")

    def _rewind(self, upload: UUID, offset: int, chunk_size: int) -> None:
        """Cut off everything past `offset`."""
        for index, size in self.parts(upload).items():
            self._cut(upload, index, min(size, max(0, offset - index * chunk_size)))

    def _cut(self, upload: UUID, index: int, size: int) -> None:
        path = self._part(upload, index)
        if size == 0:
            path.unlink(missing_ok=True)
        elif size < path.stat().st_size:
            with path.open("r+b") as part:
                part.truncate(size)
                os.fsync(part.fileno())
        self._room.note(upload, index, size)


def _by_chunk(offset: int, length: int, chunk_size: int) -> Iterator[ByteRange]:
    """`length` bytes from `offset` of a file, cut at the borders of its chunks."""
    stop = offset + length
    while offset < stop:
        end = min(offset - offset % chunk_size + chunk_size, stop)
        yield ByteRange(offset, end)
        offset = end


def _blocks(body: BinaryIO, length: int) -> Iterator[bytes]:
    """The next `length` bytes of `body`, or what there is of them."""
    while length and (block := body.read(min(BLOCK, length))):
        yield block
        length -= len(block)


def _feed(seen: hashlib._Hash, block: bytes) -> int:
    seen.update(block)
    return len(block)


def _short(got: int, length: int) -> BadInput:
    return BadInput(
        f"The body ended after {got} of the {length} bytes that were announced. None of it was kept."
    )


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
