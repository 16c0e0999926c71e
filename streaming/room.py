"""Room on the local disk: who may write how much, who has to wait, and what a full disk is called."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from uuid import UUID

from errors import AtCapacity, Busy, OutOfSpace, TooLarge

RETRY_AFTER = 5.0
"""Seconds after which a client that found no room may ask again."""
STEP = 0.25
"""Seconds between two looks whether the place of who waits is wanted by another."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_Part = tuple[UUID, int]


def never() -> bool:
    """For waits that nobody cuts short."""
    return False


def superseded() -> Busy:
    """What ends the wait of a request whose upload is wanted by another."""
    return Busy("Another request has come for this upload, and waits in place of this one.")


class Room:
    """An account of `limit` bytes, from which the parts of uploads take. A part is one chunk, whole or begun.

    The room for one whole chunk is kept back for whoever is first to run out, until that chunk has left. Otherwise a
    few uploads, each with half a chunk on the disk, could fill it so that none of them would ever end its chunk.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: dict[_Part, int] = {}
        self._favoured: _Part | None = None
        self.waiting = 0
        """Parts that wait for room now."""
        self._changed = threading.Condition()  # requests take while stored chunks leave on other threads

    @property
    def held(self) -> int:
        with self._changed:
            return sum(self._taken.values())

    def indexes(self, upload: UUID) -> frozenset[int]:
        """The chunks of `upload` that hold room, or were given some for bytes to come."""
        with self._changed:
            return frozenset(index for owner, index in self._taken if owner == upload)

    def found(self, upload: UUID, index: int, size: int) -> None:
        """An earlier run left `size` bytes of this part on the disk."""
        with self._changed:
            self._taken[upload, index] = size

    def keep(self, upload: UUID, index: int, size: int) -> None:
        """Give back all but `size` bytes of what this part has; at 0 it has left. One that has left stays so."""
        part = (upload, index)
        with self._changed:
            if self._taken.pop(part, 0) and size:
                self._taken[part] = size
            if not size and self._favoured == part:
                self._favoured = None
            self._changed.notify_all()

    def take(
        self,
        upload: UUID,
        index: int,
        size: int,
        chunk_size: int,
        wait: float,
        wanted: Callable[[], bool] = never,
    ) -> None:
        """Let this part grow to `size` bytes, of `chunk_size` in the end; waits up to `wait` seconds.

        Raises AtCapacity; Busy soon after the upload is `wanted` by another request; or TooLarge when not even one
        chunk has room.
        """
        if chunk_size > self._limit:
            raise TooLarge(f"A chunk of {chunk_size} bytes never fits into {self._limit} bytes of staging.")
        part = (upload, index)
        with self._changed:
            self.waiting += 1
            try:
                self._await(lambda: self._admits(part, size, chunk_size), monotonic() + wait, wanted)
            finally:
                self.waiting -= 1
            self._taken[part] = size

    def _await(self, admitted: Callable[[], bool], until: float, wanted: Callable[[], bool]) -> None:
        """Until it is `admitted`, with the lock held. Raises AtCapacity at `until`, and Busy."""
        while not self._changed.wait_for(admitted, timeout=max(0.0, min(STEP, until - monotonic()))):
            if wanted():
                raise superseded()
            if monotonic() >= until:
                raise AtCapacity(
                    "Uploads arrive faster than they are stored. Try again shortly.", RETRY_AFTER
                )

    def _admits(self, part: _Part, size: int, chunk_size: int) -> bool:
        """Whether `part` may grow; favours it when that is the only way and its whole chunk has room."""
        others = sum(self._taken.values()) - self._taken.get(part, 0)
        if self._favoured not in (None, part):
            kept_back = max(chunk_size, self._taken.get(self._favoured, 0))
            return others - self._taken.get(self._favoured, 0) + size + kept_back <= self._limit
        if others + size + chunk_size <= self._limit:
            return True
        if others + chunk_size <= self._limit:
            self._favoured = part
            return True
        return False


@contextmanager
def disk_errors(said: str = "The gateway's disk is full. Nothing of this part was kept.") -> Iterator[None]:
    """Turns a full disk, a used-up quota and a file past the permitted size into OutOfSpace with this sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfSpace(said) from error
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Windows has no such call; NTFS logs its names."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
