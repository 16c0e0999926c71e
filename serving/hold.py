"""Blocks that wait for their readers: a bounded part of them in memory, the rest in one file that nobody else finds.

It must never know whose blocks they are.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from positioned import PositionedFile

log = logging.getLogger(__name__)

HOLD = 32 << 20
"""Bytes of blocks in memory, over all responses."""
SLOT = 1 << 20
"""Bytes of the file for each block that is laid down: a whole piece fits. A shorter block leaves a hole, which costs
nothing where files are sparse."""
LEFT_ALONE = 30.0
"""Seconds that a disk on which a write failed is left alone."""


class Block:
    """Bytes that wait: in memory, or in a slot of the file. It belongs to the lock of its hold."""

    __slots__ = ("data", "dropped", "size", "slot")

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.data: bytes | None = data
        self.slot: int | None = None
        self.dropped = False


class Hold:
    """What has waited longest, which is the slowest readers', is laid down first when something new comes on top.

    The lock: blocks come and are laid down on several threads and go on others. It is never held while bytes move.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """Raises OSError when the file cannot be made in `folder`."""
        self._file = PositionedFile(folder / "outbox", temporary=True)
        self._limit = limit
        self._lock = Lock()
        self._in_memory: OrderedDict[Block, None] = OrderedDict()
        self._bytes = 0
        self._free: list[int] = []  # a heap, so that the file stays as short as it can
        self._slots = 0
        self._used = 0
        self._alone_until = 0.0

    def __repr__(self) -> str:
        return f"<Hold {self._bytes} bytes in memory, {self._used} blocks on disk>"

    @property
    def in_memory(self) -> int:
        """Bytes."""
        return self._bytes

    @property
    def laid_down(self) -> int:
        """Blocks."""
        return self._used

    def keep(self, data: bytes) -> Block:
        """Take `data` in. Never fails: what the disk does not take stays in memory."""
        block = Block(data)
        with self._lock:
            self._in_memory[block] = None
            self._bytes += block.size
        while (chosen := self._too_much()) is not None:
            self._lay_down(*chosen)
        return block

    def read(self, block: Block, start: int, count: int) -> memoryview:
        """At most `count` bytes of it from `start` on. Raises OSError when the disk fails."""
        with self._lock:
            data, slot = block.data, block.slot
        if data is None and slot is not None:
            count = min(count, block.size - start)
            return memoryview(self._file.read_at(slot * SLOT + start, count))
        return memoryview(data or b"")[start : start + count]

    def drop(self, block: Block) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            block.dropped = True
            if block in self._in_memory:
                self._forget(block)
            elif block.slot is not None:
                self._vacate(block.slot)
            block.data = None

    def close(self) -> None:
        self._file.close()

    def _too_much(self) -> tuple[Block, bytes, int] | None:
        """The block to be laid down, its bytes, and where; None when all is well, or the disk is left alone."""
        with self._lock:
            if self._bytes <= self._limit or time.monotonic() < self._alone_until:
                return None
            block = next(iter(self._in_memory))
            if block.data is None or block.size > SLOT:
                return None
            self._forget(block)
            self._used += 1
            if not self._free:
                self._free.append(self._slots)
                self._slots += 1
            return block, block.data, heapq.heappop(self._free)

    def _lay_down(self, block: Block, data: bytes, slot: int) -> None:
        try:
            self._file.write_at(slot * SLOT, data)
        except OSError as error:
            log.error("blocks that wait for slow readers stay in memory: %s", error)
            with self._lock:
                self._alone_until = time.monotonic() + LEFT_ALONE
                self._vacate(slot)
                if not block.dropped:
                    self._in_memory[block] = None
                    self._in_memory.move_to_end(block, last=False)
                    self._bytes += block.size
            return
        with self._lock:
            if block.dropped:  # meanwhile
                self._vacate(slot)
            else:
                block.slot, block.data = slot, None

    def _forget(self, block: Block) -> None:
        del self._in_memory[block]
        self._bytes -= block.size

    def _vacate(self, slot: int) -> None:
        heapq.heappush(self._free, slot)
        self._used -= 1
