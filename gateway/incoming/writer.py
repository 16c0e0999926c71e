"""Who writes to an upload, and the digests of what was written so far. It must never know where the bytes are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from threading import Lock

from errors import Gone
from model import ByteRange
from storage.base import Source
from streaming.digests import ChunkDigests, Measuring


class Writer:
    """What this process knows of an upload that is being written: who writes, who wants to, and the hash of what was
    measured so far.

    That is of every chunk before `_measured`, and of what has come of the next one; it is lost with the process, and
    then upkeep makes the whole's digest later. Measured on one thread, in the order in which bytes were staged.
    """

    def __init__(self) -> None:
        self._turn = Lock()  # one writer at a time, or two parts at one offset would mix
        self._wanting = 0
        self._counting = Lock()  # guards that number, which several requests change
        self._whole = hashlib.sha256()
        self._measured = 0
        self._begun: Measuring | None = None

    def enter(self, wait: float) -> bool:
        """Become the one who writes; False when another still does after `wait` seconds, in which it is asked not to
        wait for anything itself. Who has no time asks for nothing.
        """
        if self._turn.acquire(blocking=False):
            return True
        with self._counting:
            self._wanting += 1
        try:
            return wait > 0 and self._turn.acquire(timeout=wait)
        finally:
            with self._counting:
                self._wanting -= 1

    def leave(self) -> None:
        self._turn.release()

    def wanted(self) -> bool:
        """Whether another request has come for this upload: whoever writes shall let go sooner than wait."""
        return self._wanting > 0

    def measure_ahead(
        self, source: Source, chunk: ByteRange, part: ByteRange, pieces: Mapping[int, bytes]
    ) -> None:
        """Measure `part` of the file, which was staged just now, so that little is left to do when its chunk is whole.

        `pieces` are SHA-256s of whole pieces that are known already, by where they begin in the file.
        """
        begun = self._going_on(chunk, part.start)
        try:
            begun.read(source, part.stop - chunk.start, pieces)
        except (Gone, OSError):  # set back meanwhile, or given up: who needs the digests measures all of it
            return
        self._begun = begun

    def measure(
        self, source: Source, chunk: ByteRange, *, begun: int, pieces: Mapping[int, bytes]
    ) -> ChunkDigests:
        """The digests of the chunk at `chunk` of the file, which the whole's takes in if it is next in order.

        What lies before `begun` was measured ahead, if nothing came between; `pieces` as there.
        """
        measuring = self._going_on(chunk, begun)
        measuring.read(source, chunk.length, pieces)
        if measuring.whole is not None:
            self._whole, self._measured = measuring.whole, chunk.stop
        return measuring.digests()

    def _going_on(self, chunk: ByteRange, at: int) -> Measuring:
        """What was measured of the chunk, if that is all before `at`; else nothing of it yet.

        It is taken from here, and the whole's hash is a copy, so that an exception leaves no half of a part in either.
        """
        if chunk.start < self._measured:  # the upload was set back: other bytes may come than before
            self._whole, self._measured = hashlib.sha256(), 0
        begun, self._begun = self._begun, None
        if begun is not None and (begun.start, begun.start + begun.size) == (chunk.start, at):
            return begun
        return Measuring(chunk.start, whole=self._whole.copy() if chunk.start == self._measured else None)

    def sha256(self, length: int) -> bytes | None:
        """The whole's, if all its `length` bytes were measured in order."""
        return self._whole.digest() if self._measured == length else None
