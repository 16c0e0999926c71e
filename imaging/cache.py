"""Small pictures on disk, a file each, the one used longest ago going first. It must never know what they show.

Nothing is synced: a file has its name only once it is whole, and what a power cut takes is made again.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from pathlib import Path
from threading import Lock, get_ident

log = logging.getLogger(__name__)

BLOCK = 4096
"""Bytes of the disk that a file takes at least; so the bound is one on the number of files, too."""
_SUFFIX = ".webp"


class Cache:
    """At most `limit` bytes below `folder`. `read` and `write` may come from any thread; a failing disk is a miss."""

    def __init__(self, folder: Path, limit: int) -> None:
        """Take up what an earlier run left, the oldest first; make the folder when something is written."""
        self._folder = folder
        self._limit = limit
        self._lock = Lock()  # the order and the sum change as one; never held while a file is read or written
        self._kept: OrderedDict[str, int] = OrderedDict()
        self._held = 0
        try:
            found = [(path.stat(), path) for path in folder.iterdir()]
        except OSError:
            found = []
        for about, path in sorted(found, key=lambda one: one[0].st_mtime):
            if path.suffix == _SUFFIX:
                self._note(path.stem, about.st_size)
            else:
                self._remove(path)  # begun, and never finished

    def __repr__(self) -> str:
        return f"<Cache of {len(self._kept)} pictures, {self._held} of {self._limit} bytes>"

    def read(self, key: str) -> bytes | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
        try:
            return self._path(key).read_bytes()
        except OSError:  # thrown out a moment ago, or by somebody else
            with self._lock:
                self._held -= self._kept.pop(key, 0)
            return None

    def write(self, key: str, data: bytes) -> None:
        """`key` is a file's name without its end, and means the same bytes for ever."""
        path = self._path(key)
        begun = path.with_name(f"{key}.{get_ident()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            begun.write_bytes(data)
            begun.replace(path)
        except OSError as error:
            log.warning("a small picture was not kept: %s", error)
            self._remove(begun)
            return
        with self._lock:
            going = self._note(key, len(data))
        for one in going:
            self._remove(self._path(one))

    def _note(self, key: str, size: int) -> list[str]:
        """What has to go for it."""
        self._held -= self._kept.pop(key, 0)
        self._kept[key] = -(-size // BLOCK) * BLOCK
        self._held += self._kept[key]
        going = []
        while self._held > self._limit and len(self._kept) > 1:
            oldest, took = self._kept.popitem(last=False)
            self._held -= took
            going.append(oldest)
        return going

    @staticmethod
    def _remove(path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:  # somebody reads it, on Windows; or it never came to be
            log.debug("%s stays: %s", path, error)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"
