"""Archives at rest on the local disk: half-made ones grow, whole ones are only read.

A whole one is called NAME.zip. Of a half-made one there are NAME.part and, beside it, NAME.marks: what its maker has to
know to go on. It must never know what is in them, or for whom.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from streaming.room import disk_errors, sync_folder

FULL = (
    "The disk that prepared ZIPs are kept on is full. Make room on it, or fetch the folder's ZIP as a stream."
)
WHOLE, HALF, MARKS = ".zip", ".part", ".marks"


class Shelf:
    """Files in `root`, by names that are ours. One maker at a time for each name; any number of readers."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"<Shelf {self._root}: {len(self.sizes())} archives>"

    def sizes(self) -> Counter[str]:
        """What each takes on the disk, half-made or whole, in bytes."""
        sizes: Counter[str] = Counter()
        for path in self._root.iterdir():
            if path.suffix in {WHOLE, HALF, MARKS}:
                with suppress(FileNotFoundError):  # it was taken off while we look
                    sizes[path.stem] += path.stat().st_size
        return sizes

    def path(self, name: str) -> Path:
        """Where a whole one is, or would be."""
        return self._root / (name + WHOLE)

    def make(self, name: str) -> HalfMade:
        """Begin it, or go on with it; to be closed. Raises OutOfSpace."""
        return HalfMade(self._root, name)

    def remove(self, name: str) -> None:
        """Whole or half-made; no error when it is not there. On Windows one that is being read stays: ask again."""
        for suffix in (WHOLE, HALF, MARKS):
            with suppress(PermissionError):
                (self._root / (name + suffix)).unlink(missing_ok=True)


class HalfMade:
    """An archive that is being written. What was there when it was opened may end anywhere: `cut` it first."""

    def __init__(self, root: Path, name: str) -> None:
        self._whole, self._half, self._marks = (root / (name + suffix) for suffix in (WHOLE, HALF, MARKS))
        with disk_errors(FULL):
            self._half.touch()
            sync_folder(root)  # a name is durable once its folder is
        self._file: BinaryIO = self._half.open("r+b")
        self._at = 0
        self.size = self._half.stat().st_size
        """Up to where it is written, in bytes."""

    def __enter__(self) -> HalfMade:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        try:
            self._file.close()
        except OSError:  # what was not written is not missed: it is made again
            if kind is None:
                raise

    def cut(self, size: int) -> None:
        """Keep at most so many bytes."""
        self.size = min(self.size, size)
        self._file.truncate(self.size)

    def write(self, data: bytes, place: int | None = None) -> None:
        """At the end, or elsewhere. Raises OutOfSpace."""
        place = self.size if place is None else place
        with disk_errors(FULL):
            if place != self._at:
                self._file.seek(place)
            self._file.write(data)
        self._at = place + len(data)
        self.size = max(self.size, self._at)

    def write_all(self, writes: Iterable[tuple[int, bytes]]) -> None:
        """Each at its place."""
        for place, data in writes:
            self.write(data, place)

    def sync(self, marks: bytes = b"") -> None:
        """All that was written is durable, and then these marks are, behind those before. Raises OutOfSpace."""
        with disk_errors(FULL):
            self._file.flush()
            os.fsync(self._file.fileno())
            if marks:
                with self._marks.open("ab") as file:
                    file.write(marks)
                    file.flush()
                    os.fsync(file.fileno())

    def marks(self) -> bytes:
        """Those that were made durable so far; the last may be there in part."""
        return self._marks.read_bytes() if self._marks.exists() else b""

    def keep_marks(self, size: int) -> None:
        """Keep so many bytes of them."""
        if self._marks.exists():
            os.truncate(self._marks, size)

    def finish(self) -> None:
        """It is whole, durably, and has its name."""
        self.sync()
        self._file.close()
        self._half.replace(self._whole)
        self._marks.unlink(missing_ok=True)
        sync_folder(self._whole.parent)
