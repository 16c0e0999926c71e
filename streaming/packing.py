"""An archive written to the local disk, by one who may be stopped at any byte and goes on later."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from errors import ClientGone
from model import PIECE_SIZE, ByteRange
from storage.base import ChunkStore
from streaming.read import DamageReport
from streaming.shelf import HalfMade
from streaming.stored_archive import ArchiveStream, StoredArchive

SYNC_EVERY = 2.0
"""Seconds of work that a power cut may cost."""


def pack_stored(
    archive: StoredArchive,
    half: HalfMade,
    done: int,
    store: ChunkStore,
    *,
    progress: Callable[[int], None],
    stopped: Callable[[], bool],
    report: Callable[[DamageReport], None],
) -> None:
    """Write the archive as it is, from byte `done` on, which are durable already. The caller finishes it.

    `progress` is told what is durable. Raises ClientGone when it was `stopped`, OutOfSpace, StoreError and Damaged.
    """
    half.cut(done)
    rest = ByteRange(half.size, archive.size)
    stream = ArchiveStream(archive, rest, store, yield_size=PIECE_SIZE, gone=stopped, report=report)
    due = monotonic() + SYNC_EVERY
    try:
        for block in stream:
            half.write(block)
            if monotonic() >= due:
                half.sync()
                progress(half.size)
                due = monotonic() + SYNC_EVERY
                if stopped():  # the stream asks only while it waits for members' bytes
                    raise ClientGone("The ZIP is no longer wanted.")
    finally:
        stream.close()
