"""Packets of the abridged transport as they come in, each whole, by way of a buffer that is used again for the next.

It must never know what is in a packet.
"""

from __future__ import annotations

import asyncio
import time

LARGE = 64 << 10
"""Bytes of a packet above which its head is cut off."""
HEAD = 24
"""Bytes before what is encrypted: key id and message key (core.telegram.org/mtproto/description)."""
LARGEST = 2 << 20
"""Bytes of a packet: an answer with 1 MiB of a file, and some. Who announces more does not speak MTProto."""
WAITING = 2
"""Packets that may wait to be taken; then no more is read from the socket."""
_LENGTH = 4
"""Bytes read first: the packet's length is in the first of them or in all, and no packet is shorter."""

Packet = bytes | list[bytes]
"""A small one as it is; a large one as its head and the rest, in a list that whoever has read it empties."""


class Packets(asyncio.BufferedProtocol):
    """One connection's. What is written goes out as it is; in the manner of asyncio's streams, as Telethon expects."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.moved_at = 0.0
        """When bytes last came, on the clock of time.monotonic, which every asyncio loop shares."""
        self._arrived: asyncio.Queue[Packet | None] = asyncio.Queue()
        self._buffer = bytearray(LARGE)
        self._filled = 0
        self._wanted = _LENGTH
        self._start: int | None = None
        """Where in the buffer the packet begins, once its length is known."""
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()

    async def take(self) -> Packet:
        """The next packet. Raises ConnectionResetError after the last."""
        packet = await self._arrived.get()
        if packet is None:
            self._arrived.put_nowait(None)
            raise ConnectionResetError("the server hung up")
        if not self._lost.is_set():
            self.transport.resume_reading()  # does nothing where it was not paused
        return packet

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)[self._filled : self._wanted]

    def buffer_updated(self, nbytes: int) -> None:
        self.moved_at = time.monotonic()
        self._filled += nbytes
        if self._filled == self._wanted and self._start is None:
            self._measure()
        if self._filled == self._wanted and self._start is not None:
            self._hand_over(self._start)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        self._writable.set()
        self._arrived.put_nowait(None)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What Telethon calls.

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    async def drain(self) -> None:
        await self._writable.wait()
        if self._lost.is_set():
            raise ConnectionResetError("the connection was lost")

    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def close(self) -> None:
        self.transport.close()

    async def wait_closed(self) -> None:
        await self._lost.wait()

    def _measure(self) -> None:
        """Learn how long the packet is (core.telegram.org/mtproto/mtproto-transports#abridged)."""
        words, self._start = self._buffer[0], 1
        if words == 0x7F:
            words, self._start = int.from_bytes(self._buffer[1:4], "little"), 4
        self._wanted = self._start + 4 * words
        if not _LENGTH < self._wanted <= LARGEST:
            self.transport.abort()
            self._wanted = len(self._buffer)
        elif self._wanted > len(self._buffer):
            self._buffer = self._buffer[: self._filled] + bytearray(self._wanted - self._filled)

    def _hand_over(self, start: int) -> None:
        with memoryview(self._buffer)[start : self._filled] as packet:
            self._arrived.put_nowait(_cut(packet))
        self._filled, self._wanted, self._start = 0, _LENGTH, None
        if self._arrived.qsize() >= WAITING:
            self.transport.pause_reading()


def _cut(packet: memoryview) -> Packet:
    if len(packet) <= LARGE:
        return bytes(packet)
    return [bytes(packet[:HEAD]), bytes(packet[HEAD:])]
