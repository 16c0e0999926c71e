"""Where uploaded bytes wait on the local disk until they rest in the store.

One file for each chunk, so that the space of a stored chunk is free at once. It must never know whose bytes they are;
how many of them were acknowledged is its caller's word.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

from errors import BadInput, Gone, TooLarge
from model import ByteRange
from storage.base import Source
from streaming.body import Body
from streaming.room import Room, disk_errors, never, sync_folder


def ignore(index: int) -> None:
    """For uploads whose chunks nobody waits for."""


class Staging:
    """The bytes of uploads under `root`, at most `limit` of them; what an earlier run left there counts.

    The caller sees to it that one upload has one writer at a time. No file stays open between calls: Windows neither
    deletes nor replaces an open one.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self._root = root
        self.limit = limit
        root.mkdir(parents=True, exist_ok=True)
        self._room = Room(limit)
        for upload in self.uploads():
            for index, size in self.parts(upload).items():
                self._room.found(upload, index, size)

    def __repr__(self) -> str:
        return f"<Staging {self._root} holds {self.held} of {self.limit} bytes>"

    @property
    def held(self) -> int:
        """Bytes on disk, and those for which running uploads have been given room."""
        return self._room.held

    @property
    def waited_for(self) -> bool:
        """Whether somebody waits for room."""
        return self._room.waiting > 0

    def uploads(self) -> tuple[UUID, ...]:
        """Every upload that has left something on the disk."""
        return tuple(upload for path in self._root.iterdir() if (upload := _uuid(path.name)) is not None)

    def parts(self, upload: UUID) -> dict[int, int]:
        """The chunks of `upload` that are on the disk, whole or begun: index to bytes."""
        sizes = {}
        for path in self._folder(upload).glob("*.part"):
            try:
                sizes[int(path.stem)] = path.stat().st_size
            except (ValueError, FileNotFoundError):  # not ours; or stored and dropped while we look
                continue
        return sizes

    def receive(
        self,
        upload: UUID,
        body: Body,
        *,
        total: int,
        chunk_size: int,
        wait: float,
        wanted: Callable[[], bool] = never,
        on_chunk: Callable[[int], None] = ignore,
    ) -> None:
        """Take the next bytes of an upload of `total`, which stands where the body begins; durable on return.

        `on_chunk(index)` is called when a chunk (the last one too) is complete and durable, and proved by the body's
        checksum if it has one. It may hand the chunk on, and whoever has it may `drop` it, so a body larger than the
        staging passes through. Waits up to `wait` seconds for each room, unless `wanted`.

        Raises AtCapacity, Busy, BadInput (too short), ChecksumMismatch, OutOfSpace, TooLarge, Gone (acknowledged bytes
        are lost), and what `on_chunk` raises. The upload then stands where it did, or after the last whole chunk.
        """
        offset, length = body.span.start, body.span.length
        if not 0 <= offset <= offset + length <= total:
            raise BadInput(f"{length} bytes at {offset} do not fit into an upload of {total} bytes.")
        self._rewind(upload, offset, chunk_size)
        self._assert_whole(upload, offset, chunk_size)
        self._require_proof(body, chunk_size)
        kept = offset
        room = partial(self._room.take, upload, chunk_size=chunk_size, wait=wait, wanted=wanted)
        try:
            for span in self._arrivals(upload, body, chunk_size, room):
                if span.stop % chunk_size == 0 or span.stop == total:
                    kept = span.stop
                    on_chunk(span.start // chunk_size)
        except BaseException:
            self._rewind(upload, kept, chunk_size)
            raise

    def _arrivals(
        self, upload: UUID, body: Body, chunk_size: int, room: Callable[[int, int], None]
    ) -> Iterator[ByteRange]:
        """Bring the body to the disk, and give what of each chunk is durable and proven.

        `room(index, size)` returns when that chunk may grow to `size` bytes.
        """
        unproven = []
        for span in _by_chunk(body.span, chunk_size):
            index = span.start // chunk_size
            room(index, span.stop - index * chunk_size)
            self._append(self._part(upload, index), span.length, body)
            if body.proven:
                yield span
            else:
                unproven.append(span)
        body.prove()
        yield from unproven

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
        """Free the space of one chunk; no error when it is free already.

        On Windows a file that somebody is reading stays, counts, and is left to `drop_all`.
        """
        try:
            self._remove(upload, index)
        except PermissionError:
            pass

    def drop_all(self, upload: UUID) -> None:
        """Forget an upload. While something of it could not be dropped, `uploads()` still names it."""
        for index in self.parts(upload):
            self.drop(upload, index)
        try:
            self._folder(upload).rmdir()
        except OSError:  # not there, or not empty: uploads() tells
            pass

    def _folder(self, upload: UUID) -> Path:
        return self._root / str(upload)

    def _part(self, upload: UUID, index: int) -> Path:
        return self._folder(upload) / f"{index}.part"

    def _remove(self, upload: UUID, index: int) -> None:
        self._part(upload, index).unlink(missing_ok=True)
        self._room.keep(upload, index, 0)

    def _require_proof(self, body: Body, chunk_size: int) -> None:
        """Of a body that crosses into another chunk, before it is taken: what it completes could not be handed on
        before its end is seen, and two such would wait for each other's room.
        """
        if body.proven or body.span.start // chunk_size == (body.span.stop - 1) // chunk_size:
            return
        if body.seekable:
            body.prove_ahead()
        elif body.span.length + chunk_size > self.limit:
            raise TooLarge(f"Send parts of at most {self.limit - chunk_size} bytes with a checksum.")

    def _append(self, path: Path, length: int, body: Body) -> None:
        """Bring the next `length` bytes of the body to the disk, at the end of this part."""
        with disk_errors():
            new_folder, new_file = not path.parent.exists(), not path.exists()
            path.parent.mkdir(exist_ok=True)
            with path.open("ab") as part:
                for block in body.blocks(length):
                    part.write(block)
                part.flush()
                os.fsync(part.fileno())
            if new_file:  # a name is durable once its folder is
                sync_folder(path.parent)
            if new_folder:
                sync_folder(self._root)

    def _assert_whole(self, upload: UUID, offset: int, chunk_size: int) -> None:
        """The begun chunk must be there up to `offset`; those before it may have been stored and dropped."""
        index, begun = divmod(offset, chunk_size)
        if begun and self.parts(upload).get(index) != begun:
            raise Gone("A part of this upload is no longer on the disk. Begin the upload again.")

    def _rewind(self, upload: UUID, offset: int, chunk_size: int) -> None:
        """Cut off everything past `offset`. Chunks that end before it may be in other hands: left alone."""
        sizes = self.parts(upload)
        for index in self._room.indexes(upload) | sizes.keys():
            if (index + 1) * chunk_size <= offset:
                continue
            have, wanted = sizes.get(index, 0), max(0, offset - index * chunk_size)
            if wanted == 0:
                self._remove(upload, index)
                continue
            if wanted < have:
                with self._part(upload, index).open("r+b") as part:
                    part.truncate(wanted)
                    os.fsync(part.fileno())
            self._room.keep(upload, index, min(have, wanted))


def _by_chunk(span: ByteRange, chunk_size: int) -> Iterator[ByteRange]:
    """`span` of a file, cut at the borders of its chunks."""
    start = span.start
    while start < span.stop:
        stop = min(start - start % chunk_size + chunk_size, span.stop)
        yield ByteRange(start, stop)
        start = stop


def _uuid(name: str) -> UUID | None:
    """The upload whose folder has this name, which is written as `_folder` writes it."""
    try:
        upload = UUID(name)
    except ValueError:
        return None
    return upload if str(upload) == name else None
