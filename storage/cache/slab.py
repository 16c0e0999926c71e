"""Pieces on disk: one large file of equal slots, and a small one that says what is in each.

Two files however much is kept, nothing is ever deleted or renamed, and a piece is read by one call. Nothing is synced:
what a crash of the machine tears is found by the gate, which asks again, and is then replaced. It must never know why
a piece is kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from positioned import PositionedFile
from storage.cache.index import BLANK, RECORD_SIZE, Place, Record, pack, unpack


class _Entry(NamedTuple):
    """Where a piece lies, and by which write: `stamp` tells it from the same piece in the same slot at another time."""

    slot: int
    stamp: int


class Slab:
    """At most `slots` pieces of at most `slot_size` bytes under `folder`, the least recently used going first.

    Any thread may read and drop; one at a time may write. Every method may raise OSError; the slab stays sound then.
    """

    def __init__(self, folder: Path, slots: int, slot_size: int) -> None:
        """Take up what an earlier run left in `folder`, as far as it fits; make the folder if it is missing."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.slots = slots
        self.slot_size = slot_size
        self.evictions = 0
        self._data = PositionedFile(folder / "pieces.slab")
        self._index = PositionedFile(folder / "pieces.index")
        self._lock = threading.Lock()  # the slots' state changes as one; never held during I/O
        self._kept: OrderedDict[Place, _Entry] = OrderedDict()
        self._free: list[int] = []
        self._fresh = 0
        self._stamp = 0
        try:
            self._take_up()
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<Slab {len(self._kept)} of {self.slots} slots of {self.slot_size} bytes>"

    def __contains__(self, place: Place) -> bool:
        with self._lock:
            return place in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def places(self) -> tuple[Place, ...]:
        """Of all that is kept, the least recently used first."""
        with self._lock:
            return tuple(self._kept)

    def read(self, place: Place) -> bytes | None:
        """The piece as it was written, or None if it is not here (any more)."""
        with self._lock:
            entry = self._kept.get(place)
            if entry is None:
                return None
            self._kept.move_to_end(place)
        data = self._data.read_at(entry.slot * self.slot_size, place.span.length)
        if len(data) < place.span.length:  # somebody cut the file
            self.drop(place)
            return None
        with self._lock:  # the slot may have gone to another piece while we read it
            return data if self._kept.get(place) == entry else None

    def write(self, place: Place, data: bytes) -> None:
        """Keep `data`, in the room of the least recently used piece if there is no other."""
        slot = self._vacant_slot(place)
        try:
            # In this order, so that a record never stands beside bytes of another piece if we are killed in between.
            self._write_record(slot, BLANK)
            self._data.write_at(slot * self.slot_size, data)
            self._stamp += 1
            self._write_record(slot, pack(Record(place, self._stamp)))
        except BaseException:
            self._release(slot)
            raise
        with self._lock:
            self._kept[place] = _Entry(slot, self._stamp)

    def drop(self, place: Place) -> None:
        """Forget the piece, if it is here, also for the next run."""
        with self._lock:
            entry = self._kept.pop(place, None)
        if entry is not None:
            try:
                self._write_record(entry.slot, BLANK)
            finally:  # and not before: nobody may write a new record meanwhile
                self._release(entry.slot)

    def close(self) -> None:
        """May be repeated. What is kept is there for the next run, with the order of its use."""
        try:
            self._write_order()
        except OSError:
            pass  # then the next run takes it in the order in which it was written
        self._data.close()
        self._index.close()

    def _take_up(self) -> None:
        self._index.truncate(min(self._index.size, self.slots * RECORD_SIZE))
        self._data.truncate(min(self._data.size, self.slots * self.slot_size))
        size = self._data.size
        for slot, (place, stamp) in sorted(self._records(), key=lambda found: found[1].stamp):
            if place.span.length <= self.slot_size and slot * self.slot_size + place.span.length <= size:
                self._kept.pop(place, None)  # two have it if we were killed at a bad moment; the newer counts
                self._kept[place] = _Entry(slot, stamp)
            self._stamp = stamp
        taken = {entry.slot for entry in self._kept.values()}
        self._fresh = max(taken, default=-1) + 1
        self._free = [slot for slot in range(self._fresh) if slot not in taken]

    def _records(self) -> Iterator[tuple[int, Record]]:
        data = self._index.read_at(0, self.slots * RECORD_SIZE)
        for slot in range(len(data) // RECORD_SIZE):
            record = unpack(data[slot * RECORD_SIZE : (slot + 1) * RECORD_SIZE])
            if record is not None:
                yield slot, record

    def _write_record(self, slot: int, record: bytes) -> None:
        self._index.write_at(slot * RECORD_SIZE, record)

    def _write_order(self) -> None:
        with self._lock:
            records = bytearray(self._fresh * RECORD_SIZE)
            for stamp, (place, entry) in enumerate(self._kept.items()):
                start = entry.slot * RECORD_SIZE
                records[start : start + RECORD_SIZE] = pack(Record(place, stamp))
        self._index.write_at(0, bytes(records))

    def _vacant_slot(self, place: Place) -> int:
        """A slot that is nobody's now: the one of `place`, a free one, or the one whose use lies furthest back."""
        with self._lock:
            if place in self._kept:
                return self._kept.pop(place).slot
            if self._free:
                return self._free.pop()
            if self._fresh < self.slots:  # the file grows only as it fills
                self._fresh += 1
                return self._fresh - 1
            self.evictions += 1
            return self._kept.popitem(last=False)[1].slot

    def _release(self, slot: int) -> None:
        with self._lock:
            self._free.append(slot)
