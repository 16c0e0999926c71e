"""A local file that is being sent: what tells that it is still the same, and its parts, read and hashed ahead."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from client import tus
from client.digest import Digest
from errors import Conflict
from model import MIB, PIECE_SIZE

PART_SIZE = 8 * MIB
"""Bytes per request: the server takes a whole request in before it looks at it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A local file, open, and what tells whether it is still the same later."""

    path: Path
    file: BinaryIO
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path, file: BinaryIO) -> Source:
        status = os.fstat(file.fileno())
        return cls(path, file, status.st_size, status.st_mtime_ns)

    @property
    def media_type(self) -> str:
        return mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"

    def read(self, start: int, stop: int) -> bytes:
        self.file.seek(start)
        return self.file.read(stop - start)

    def check_unchanged(self) -> None:
        if Source.of(self.path, self.file) != self:
            raise Conflict(f"{self.path} changed while it was being sent. Put it again.")


@dataclass(frozen=True, slots=True)
class Part:
    start: int
    data: bytes
    checksum: str
    """As tus has it."""

    @property
    def stop(self) -> int:
        return self.start + len(self.data)


class Parts:
    """The parts of a file; while one travels, the next is read and hashed on a thread of its own."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.size = source.size
        self._digest = Digest()
        self._thread = ThreadPoolExecutor(1, "reading")
        self._ahead: tuple[int, Future[Part]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)  # waits: the caller closes the file next

    def at(self, start: int) -> Part:
        """The part that begins at byte `start`. Raises OSError, and Conflict when the file changed meanwhile."""
        ahead, self._ahead = self._ahead, None
        future = ahead[1] if ahead and ahead[0] == start else self._thread.submit(self._read, start)
        part = future.result()
        if part.stop < self.size:
            self._ahead = part.stop, self._thread.submit(self._read, part.stop)
        return part

    def tree(self) -> str:
        """The tree digest of the whole file. Raises OSError."""
        return self._thread.submit(self._tree).result()

    def _read(self, start: int) -> Part:
        data = self._source.read(start, start - start % PART_SIZE + PART_SIZE)
        self._source.check_unchanged()
        self._digest.read(self._source.file, start)  # after a resumption: what the server has already
        self._digest.update(memoryview(data)[self._digest.taken - start :])
        return Part(start, data, self._checksum(start, data))

    def _checksum(self, start: int, data: bytes) -> str:
        """Made of the pieces' digests, if they begin with this part and end with it."""
        if start % PIECE_SIZE == 0 and self._digest.taken == start + len(data):
            return tus.checksum("tree", self._digest.since(start))
        return tus.checksum("sha256", hashlib.sha256(data).digest())

    def _tree(self) -> str:
        self._digest.read(self._source.file, self._source.size)
        return self._digest.tree()
