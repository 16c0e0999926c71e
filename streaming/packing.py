"""An archive written to the local disk, by one who may be stopped at any byte and goes on later."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from time import monotonic

from errors import ClientGone
from model import PIECE_SIZE, ByteRange
from storage.base import ChunkStore
from streaming.deflated import Deflating, decode, encode, most_deflated
from streaming.read import DamageReport, VerifiedStream
from streaming.shelf import HalfMade
from streaming.stored_archive import ArchiveStream, Members, StoredArchive

SYNC_EVERY = 2.0
"""Seconds of work that a power cut may cost."""
Progress = Callable[[int], None]
"""Is told up to where of the stored archive the work is durable."""


def most(archive: StoredArchive, level: int) -> int:
    """Bytes that it takes at most when it is packed at this level, 0 for stored."""
    return most_deflated(archive.layout) if level else archive.size


def pack_stored(
    archive: StoredArchive,
    half: HalfMade,
    done: int,
    store: ChunkStore,
    *,
    progress: Progress,
    stopped: Callable[[], bool],
    report: Callable[[DamageReport], None],
) -> None:
    """Write the archive as it is, from byte `done` on, which are durable already. The caller finishes it.

    Raises ClientGone when it was `stopped`, OutOfSpace, StoreError and Damaged.
    """
    half.cut(done)
    rest = ByteRange(half.size, archive.size)
    stream = ArchiveStream(archive, rest, store, yield_size=PIECE_SIZE, gone=stopped, report=report)
    syncing = _Syncing(progress, stopped)
    with closing(stream):
        for block in stream:
            half.write(block)
            if syncing.due():
                half.sync()
                syncing.done(half.size)


def pack_deflated(
    archive: StoredArchive,
    level: int,
    half: HalfMade,
    store: ChunkStore,
    *,
    progress: Progress,
    stopped: Callable[[], bool],
    report: Callable[[DamageReport], None],
) -> None:
    """The same with members deflated at this level, 1 to 9, from the last mark on that is beside the half-made one."""
    marks = decode(half.marks(), half.size)
    half.keep_marks(len(encode(marks)))
    half.cut(marks[-1].place if marks else 0)
    deflating = Deflating(archive.layout, level, marks)
    members = Members(archive, deflating.wanted)
    stream = VerifiedStream(members, store, yield_size=PIECE_SIZE, gone=stopped, report=report)
    syncing = _Syncing(progress, stopped)
    half.write_all(deflating.opening())
    with closing(stream):
        for block in stream:
            half.write_all(deflating.take(block))
            if syncing.due():
                half.sync(encode(deflating.marks))
                deflating.marks.clear()
                syncing.done(deflating.done)
    for entry in deflating.directory():
        half.write(entry)


class _Syncing:
    """When it is time again to make durable what was done, and whether to go on after that."""

    def __init__(self, progress: Progress, stopped: Callable[[], bool]) -> None:
        self._progress = progress
        self._stopped = stopped
        self._next = monotonic() + SYNC_EVERY

    def due(self) -> bool:
        return monotonic() >= self._next

    def done(self, place: int) -> None:
        """All up to there is durable. Raises ClientGone: a stream asks only while it waits for members' bytes."""
        self._progress(place)
        if self._stopped():
            raise ClientGone("The ZIP is no longer wanted.")
        self._next = monotonic() + SYNC_EVERY
