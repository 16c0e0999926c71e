"""The two tiers together: pieces in memory in front of pieces on disk. A disk that fails is bypassed, never felt.

What is kept goes to memory at once and to disk by a thread of its own, so that neither a stream nor the loop that
fetched it waits for a write. It must never know who reads, or whether the bytes are right.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from pathlib import Path

from model import PIECE_SIZE, Locator
from storage.cache.index import Place
from storage.cache.recent import RecentPieces
from storage.cache.slab import Slab
from storage.cache.statistics import CacheStatistics

BACKLOG = 32 * PIECE_SIZE
"""Bytes that may wait to be written. What comes on top is not written."""
REST = 30.0
"""Seconds for which nothing is written after a write that failed: a full disk stays full for a while."""
CLOSE_DEADLINE = 4.0
"""Seconds for the backlog to reach the disk; the contract gives `close` five."""
_IDLE = 60.0

_log = logging.getLogger(__name__)


class PieceCache:
    """At most `disk_limit` bytes below `folder`, and `memory_limit` plus `BACKLOG` bytes in memory. For any thread."""

    def __init__(self, folder: Path, disk_limit: int, memory_limit: int) -> None:
        """Never raises for a disk that does not work: there is no disk tier then, and `statistics` says why."""
        self._changed = threading.Condition()  # guards all below but the slab; never held during I/O
        self._recent = RecentPieces(memory_limit)
        self._backlog: dict[Place, bytes] = {}
        self._backlog_bytes = 0
        self._rest_until = 0.0
        self._closed = False
        self._fault: str | None = None
        self._memory_hits = self._disk_hits = self._bytes_hit = self._not_written = self._errors = 0
        self._slab = self._open(folder, disk_limit // PIECE_SIZE)
        self._writer = threading.Thread(target=self._write_all, name="cache-writer", daemon=True)
        self._writer.start()

    def __repr__(self) -> str:
        disk = "no disk" if self._slab is None else self._slab
        return f"<PieceCache {self._recent} {disk}{' closed' if self._closed else ''}>"

    def __contains__(self, place: Place) -> bool:
        with self._changed:
            if self._closed:
                return False
            if place in self._recent or place in self._backlog:
                return True
        return self._slab is not None and place in self._slab

    def get(self, place: Place) -> bytes | None:
        """The piece, from memory or by one read of the disk on this thread; None where it has to be fetched."""
        with self._changed:
            if self._closed:
                return None
            data = self._recent.get(place) or self._backlog.get(place)
            if data is not None:
                self._memory_hits += 1
                self._bytes_hit += len(data)
                return data
        data = self._read(place)
        if data is not None:
            with self._changed:
                self._disk_hits += 1
                self._bytes_hit += len(data)
                self._recent.keep(place, data)
        return data

    def keep(self, place: Place, data: bytes) -> None:
        """Keep `data` for whoever asks next. Does no I/O."""
        with self._changed:
            if self._closed or not data:
                return
            self._recent.keep(place, data)
            if self._slab is None or len(data) > self._slab.slot_size:
                return
            self._unqueue(place)
            if self._backlog_bytes + len(data) > BACKLOG or time.monotonic() < self._rest_until:
                self._not_written += 1
                return
            self._backlog[place] = data
            self._backlog_bytes += len(data)
            self._changed.notify()

    def drop(self, place: Place) -> None:
        """Forget the piece, which is bad or gone."""
        with self._changed:
            self._recent.drop(place)
            self._unqueue(place)
        self._drop_from_disk(place)

    def forget(self, locators: Collection[Locator]) -> None:
        """Drop all pieces of these messages."""
        with self._changed:
            places = {*self._recent.places(), *self._backlog}
        if self._slab is not None:
            places.update(self._slab.places())
        for place in places:
            if place.locator in locators:
                self.drop(place)

    def statistics(self, *, misses: int, shared: int, refetched: int, bytes_fetched: int) -> CacheStatistics:
        """What was counted here, beside what only the store can count."""
        slab = self._slab
        with self._changed:
            return CacheStatistics(
                memory_hits=self._memory_hits,
                disk_hits=self._disk_hits,
                misses=misses,
                shared=shared,
                refetched=refetched,
                bytes_hit=self._bytes_hit,
                bytes_fetched=bytes_fetched,
                evictions=0 if slab is None else slab.evictions,
                not_written=self._not_written,
                errors=self._errors,
                fault=self._fault,
                pieces_on_disk=0 if slab is None else len(slab),
                bytes_in_memory=self._recent.held + self._backlog_bytes,
            )

    def close(self) -> None:
        """Write what waits to be written, as far as time allows, and let go of the files. May be repeated."""
        with self._changed:
            self._closed = True
            self._recent = RecentPieces(0)
            self._changed.notify()
        self._writer.join(CLOSE_DEADLINE)
        if self._slab is not None:
            self._slab.close()

    def _open(self, folder: Path, slots: int) -> Slab | None:
        if slots == 0:
            return None
        try:
            return Slab(folder, slots, PIECE_SIZE)
        except OSError as error:
            self._note(error)
            return None

    def _read(self, place: Place) -> bytes | None:
        if self._slab is None:
            return None
        try:
            return self._slab.read(place)
        except OSError as error:
            self._note(error)
            self._drop_from_disk(place)
            return None

    def _write_all(self) -> None:
        while (waiting := self._next()) is not None:
            self._write(*waiting)

    def _next(self) -> tuple[Place, bytes] | None:
        """What has waited longest; it stays in the backlog, where readers find it, until it is written."""
        with self._changed:
            while not self._backlog:
                if self._closed:
                    return None
                self._changed.wait(_IDLE)
            return next(iter(self._backlog.items()))

    def _write(self, place: Place, data: bytes) -> None:
        assert self._slab is not None  # else nothing comes into the backlog
        try:
            self._slab.write(place, data)
        except OSError as error:
            self._note(error)
            self._rest()
            return
        with self._changed:
            recovered, self._fault = self._fault is not None, None
            wanted = self._backlog.get(place) is data
            if wanted:
                self._unqueue(place)
        if recovered:
            _log.info("The piece cache writes to disk again.")
        if not wanted:  # dropped, or replaced, while we wrote it
            self._drop_from_disk(place)

    def _drop_from_disk(self, place: Place) -> None:
        if self._slab is not None:
            try:
                self._slab.drop(place)
            except OSError as error:
                self._note(error)

    def _rest(self) -> None:
        with self._changed:
            self._rest_until = time.monotonic() + REST
            self._not_written += len(self._backlog)
            self._backlog.clear()
            self._backlog_bytes = 0

    def _note(self, error: OSError) -> None:
        with self._changed:
            self._errors += 1
            known, self._fault = self._fault, f"The cache's disk is bypassed: {error.strerror or error}."
            news = self._fault != known
        if news:  # one line for one trouble, however many pieces meet it
            _log.warning("%s Reads go on without it.", self._fault)

    def _unqueue(self, place: Place) -> None:
        self._backlog_bytes -= len(self._backlog.pop(place, b""))
