"""A file that many threads read and write, each at a position of its own. It must never know what is in it."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PositionedFile:
    """Open for reading and writing, made if it is missing. Errors are OSErrors, also once it is closed.

    A `temporary` one begins empty, and is gone when it is closed or the process ends.

    `close` never waits: the descriptor goes when its last user is done, so that no thread ever uses one that the system
    has given to another file meanwhile.
    """

    def __init__(self, path: Path, *, temporary: bool = False) -> None:
        flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if temporary else 0)
        if sys.platform == "win32":
            flags |= os.O_BINARY | (os.O_TEMPORARY if temporary else 0)
        self._descriptor = os.open(path, flags, 0o600)
        if temporary and sys.platform != "win32":
            path.unlink()
        self._lock = threading.Lock()  # who uses the descriptor, and (Windows) where it stands
        self._users = 1  # its owner, until `close`
        self._closed = False

    @property
    def size(self) -> int:
        with self._in_use() as descriptor:
            return os.fstat(descriptor).st_size

    def truncate(self, size: int) -> None:
        with self._in_use() as descriptor:
            os.ftruncate(descriptor, size)

    def read_at(self, position: int, length: int) -> bytes:
        """`length` bytes, fewer at the file's end."""
        with self._in_use() as descriptor:
            if sys.platform == "win32":
                with self._lock:
                    os.lseek(descriptor, position, os.SEEK_SET)
                    return os.read(descriptor, length)
            else:
                return os.pread(descriptor, length, position)

    def write_at(self, position: int, data: bytes) -> None:
        """All of `data`, or an OSError."""
        with self._in_use() as descriptor:
            if sys.platform == "win32":
                with self._lock:
                    os.lseek(descriptor, position, os.SEEK_SET)
                    written = os.write(descriptor, data)
            else:
                written = os.pwrite(descriptor, data, position)
        if written < len(data):  # a disk that fills up takes a part; the next write would say why
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._leave()

    @contextmanager
    def _in_use(self) -> Iterator[int]:
        with self._lock:
            if self._closed:
                raise OSError(errno.EBADF, "the file is closed")
            self._users += 1
        try:
            yield self._descriptor
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            os.close(self._descriptor)
