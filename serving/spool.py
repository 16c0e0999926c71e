"""Where request bodies wait until they have arrived whole: in memory, or in files in a folder of ours.

waitress would take the system's folder for temporary files, which may be in memory and is not where we look for room.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from threading import Lock
from typing import Any

from waitress.buffers import OverflowableBuffer, TempfileBasedBuffer

from serving.routes import LARGE_BODY

SPOOL_SIZE = 4 * LARGE_BODY
"""Bytes on disk that all bodies on their way in may take, of the routes that take large ones."""


class Spool:
    """How much disk the bodies that are on their way in may take together: credentials are checked only later.

    What has arrived counts, not what is promised: four empty promises of a stranger would keep everybody out.

    The lock: room is taken on the main loop and given back by the threads that run the app.
    """

    def __init__(self, size: int = SPOOL_SIZE, folder: Path | None = None) -> None:
        """The files, which nobody else finds, are in `folder`; in the system's for temporary files if none is given."""
        self._free = size
        self._folder = folder
        self._lock = Lock()

    def buffer(self, overflow: int) -> OverflowableBuffer:
        """For one body: up to `overflow` bytes in memory, more in a file."""
        return _Buffer(overflow, self._folder)

    def fits(self, count: int) -> bool:
        """Whether there is room for `count` bytes at this moment; none is taken."""
        return count <= self._free

    def take(self, count: int) -> bool:
        """Whether there was room for `count` bytes; it is taken then."""
        with self._lock:
            if count > self._free:
                return False
            self._free -= count
            return True

    def give_back(self, count: int) -> None:
        with self._lock:
            self._free += count


class Void:
    """A buffer that keeps nothing."""

    def append(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    def __len__(self) -> int:
        return 0


class _Buffer(OverflowableBuffer):  # type: ignore[misc]  # waitress has no types
    """waitress's own, which asks `_set_large_buffer` for its file."""

    buf: Any

    def __init__(self, overflow: int, folder: Path | None) -> None:
        super().__init__(overflow)
        self._folder = folder

    def _set_large_buffer(self) -> None:
        small, self.buf = self.buf, _File(self._folder, self.buf)
        if small is not None:
            small.close()
        self.overflowed = True


class _File(TempfileBasedBuffer):  # type: ignore[misc]
    def __init__(self, folder: Path | None, from_buffer: Any) -> None:
        self._folder = folder
        super().__init__(from_buffer)

    def newfile(self) -> Any:
        return tempfile.TemporaryFile("w+b", dir=self._folder)
