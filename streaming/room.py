"""Room on the local disk: who may write how much, who has to wait, and what a full disk is called."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from errors import AtCapacity, OutOfSpace, TooLarge

RETRY_AFTER = 5.0
"""Seconds after which a client that found no room may ask again."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_Part = tuple[UUID, int]


class Room:
    """An account of `limit` bytes, from which the parts of uploads take.

    The room for one chunk is kept back for whoever is first to run out of it, until that chunk has left.
    Otherwise a few uploads, each with half a chunk on the disk, could fill it so that none of them ever ended
    its chunk.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: dict[_Part, int] = {}
        self._last: _Part | None = None
        self._changed = threading.Condition()  # requests take while stored chunks leave from other threads

    @property
    def held(self) -> int:
        with self._changed:
            return sum(self._taken.values())

    def note(self, upload: UUID, index: int, size: int) -> None:
        """This part holds `size` bytes now; at 0 it has left."""
        with self._changed:
            self._taken[upload, index] = size
            if not size:
                del self._taken[upload, index]
                if self._last == (upload, index):
                    self._last = None
            self._changed.notify_all()

    def take(self, upload: UUID, index: int, size: int, chunk_size: int, wait: float) -> None:
        """Let this part grow to `size` bytes, and later to `chunk_size`; waits up to `wait` seconds for that.

        Raises AtCapacity, or TooLarge for a chunk that never has room.
        """
        if size > self._limit:
            raise TooLarge(f"There is room for {self._limit} bytes in all, and one chunk needs {size}.")
        part = (upload, index)
        with self._changed:
            if not self._changed.wait_for(lambda: self._fits(part, size, chunk_size), timeout=wait):
                raise AtCapacity(
                    "Uploads arrive faster than they can be stored. Try again shortly.", RETRY_AFTER
                )
            self._taken[part] = size

    def _fits(self, part: _Part, size: int, chunk_size: int) -> bool:
        others = sum(self._taken.values()) - self._taken.get(part, 0)
        if others + size > self._limit:
            return False
        if self._last in (None, part):
            if others + size + chunk_size > self._limit:
                self._last = part
            return True
        return others + size - self._taken.get(self._last, 0) + chunk_size <= self._limit


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turns a full disk, a used-up quota and a file past the permitted size into OutOfSpace."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfSpace("The gateway's disk is full. Nothing of this part was kept.") from error
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Windows has no such call; NTFS logs its names."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
