"""The least that a client of MTProto must do to have a file's bytes: decrypt, check the message key, compare a sample.

The limit that everything else is measured against. Several connections take from one list of wanted blocks.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import cryptg
from telethon import functions

_SEGMENT = 32 << 10
_RPC_RESULT = 0xF35C6D01
_BODY = 60
"""Where the bytes begin in a packet with an upload.file: after salt, session, message and result heads."""
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to read over a media connection."""

    auth_key: bytes
    key_id: bytes
    salt: int
    port: int


@dataclass(frozen=True, slots=True)
class Block:
    """`limit` bytes of a document from `offset`; `sample` is how they begin."""

    location: Any
    offset: int
    limit: int
    sample: bytes


class RawConnection:
    """One media connection over the abridged transport, with a sliding window of requests."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._key = access.auth_key
        self._session = os.urandom(8)
        self._ids = itertools.count(int(time.time()) << 32, 4)
        self._sequence = itertools.count(1, 2)
        self._socket = socket.create_connection(("127.0.0.1", access.port))
        self._socket.setblocking(False)
        self._buffer = bytearray(2 << 20)
        self._asked: dict[int, Block] = {}
        self.received = 0

    async def read(self, blocks: Iterator[Block], window: int) -> None:
        """Take blocks, with `window` requests in flight, until there are none. Raises ValueError for wrong bytes."""
        loop = asyncio.get_running_loop()
        with self._socket:
            await loop.sock_sendall(self._socket, b"\xef")
            for block in itertools.islice(blocks, window):
                await loop.sock_sendall(self._socket, self._request(block))
            while self._asked:
                came = await self._receive()
                if came is None:
                    continue
                self.received += came.limit
                if (block := next(blocks, None)) is not None:  # type: ignore[assignment]
                    await loop.sock_sendall(self._socket, self._request(block))

    def _request(self, block: Block) -> bytes:
        number = next(self._ids)
        self._asked[number] = block
        body = bytes(functions.upload.GetFileRequest(block.location, block.offset, block.limit))
        head = struct.pack("<q", self._access.salt) + self._session
        head += struct.pack("<qii", number, next(self._sequence), len(body))
        plaintext = head + body + os.urandom(-(len(head) + len(body) + 12) % 16 + 12)
        msg_key = sha256(self._key[88:120] + plaintext).digest()[8:24]
        encrypted = cryptg.encrypt_ige(plaintext, *_derive(self._key, msg_key, 0))
        packet = b"".join((self._access.key_id, msg_key, encrypted))
        words = len(packet) >> 2
        return (bytes([words]) if words < 127 else b"\x7f" + words.to_bytes(3, "little")) + packet

    async def _receive(self) -> Block | None:
        """The block that the next message brings, decrypted and checked; None if it brings something else."""
        words = (await self._read(1))[0]
        if words == 127:
            words = int.from_bytes(await self._read(3), "little")
        packet = await self._read(words * 4)
        msg_key = bytes(packet[8:24])
        key, iv = _derive(self._key, msg_key, 8)
        digest = sha256(self._key[96:128])
        first = b""
        for start in range(24, len(packet), _SEGMENT):
            segment = bytes(packet[start : start + _SEGMENT])
            plaintext = cryptg.decrypt_ige(segment, key, iv)
            iv = segment[-16:] + plaintext[-16:]
            digest.update(plaintext)
            first = first or plaintext
        if digest.digest()[8:24] != msg_key:
            raise ValueError("a reply whose message key is wrong")
        return self._settle(first, len(packet))

    def _settle(self, first: bytes, size: int) -> Block | None:
        constructor, number = struct.unpack_from("<Iq", first, 32)
        if constructor != _RPC_RESULT:
            return None
        block = self._asked.pop(number)
        if size < block.limit or first[_BODY : _BODY + len(block.sample)] != block.sample:
            raise ValueError(f"not the bytes at {block.offset}")
        return block

    async def _read(self, size: int) -> memoryview:
        view = memoryview(self._buffer)[:size]
        filled = 0
        while filled < size:
            receiving = asyncio.get_running_loop().sock_recv_into(self._socket, view[filled:])
            got = await asyncio.wait_for(receiving, PATIENCE) if size == 1 else await receiving
            if not got:
                raise ConnectionError("the sandbox closed the connection")
            filled += got
        return view


def _derive(auth_key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + auth_key[x : x + 36]).digest()
    b = sha256(auth_key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]


async def read_all(
    access: Access, blocks: Iterator[Block], connections: int, window: int
) -> tuple[int, float]:
    """The bytes that came over all connections together, and the seconds that it took."""
    raw = [RawConnection(access) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(*(one.read(blocks, window) for one in raw))
    return sum(one.received for one in raw), time.perf_counter() - began
