"""How fast the sandbox answers a raw window of upload.getFile: so that it is never what other benchmarks measure.

    python -m bench.raw_window [--size-mib 256] [--seconds 3]

The client is hand-rolled and does only what every client must: it decrypts, checks the message key, and counts.
Server and client are two processes; each needs a core of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import socket
import struct
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cryptg
import psutil
from telethon import TelegramClient, functions, types
from telethon.crypto import rsa
from telethon.sessions import StringSession

from tests.sandbox_process import RunningSandbox, start_sandbox

_PART = 512 << 10
_SEGMENT = 32 << 10
_PLANS = [(1, 4, 512), (1, 8, 512), (1, 8, 1024), (1, 16, 1024), (4, 4, 512), (4, 4, 1024), (8, 2, 1024)]
"""Connections, requests in flight on each, and KiB in each request."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document to read, and what it takes to read it over a media connection."""

    auth_key: bytes
    key_id: bytes
    salt: int
    port: int
    location: Any
    size: int


class RawConnection:
    """One media connection over the abridged transport, with a sliding window of requests."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._key = prepared.auth_key
        self._session = os.urandom(8)
        self._ids = itertools.count(int(time.time()) << 32, 4)
        self._sequence = itertools.count(1, 2)
        self._socket = socket.create_connection(("127.0.0.1", prepared.port))
        self._socket.setblocking(False)
        self._buffer = bytearray(2 << 20)
        self.received = 0

    async def read_for(self, seconds: float, window: int, limit: int) -> None:
        """Keep `window` requests of `limit` bytes in flight until the time is over."""
        loop = asyncio.get_running_loop()
        offsets = itertools.cycle(range(0, self._prepared.size - limit + 1, limit))
        with self._socket:
            await loop.sock_sendall(self._socket, b"\xef")
            for _ in range(window):
                await loop.sock_sendall(self._socket, self._request(next(offsets), limit))
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                if await self._receive() >= limit:
                    self.received += limit
                    await loop.sock_sendall(self._socket, self._request(next(offsets), limit))

    def _request(self, offset: int, limit: int) -> bytes:
        body = bytes(functions.upload.GetFileRequest(self._prepared.location, offset, limit))
        head = struct.pack("<q", self._prepared.salt) + self._session
        head += struct.pack("<qii", next(self._ids), next(self._sequence), len(body))
        plaintext = head + body + os.urandom(-(len(head) + len(body) + 12) % 16 + 12)
        msg_key = sha256(self._key[88:120] + plaintext).digest()[8:24]
        encrypted = cryptg.encrypt_ige(plaintext, *_derive(self._key, msg_key, 0))
        packet = b"".join((self._prepared.key_id, msg_key, encrypted))
        words = len(packet) >> 2
        return (bytes([words]) if words < 127 else b"\x7f" + words.to_bytes(3, "little")) + packet

    async def _receive(self) -> int:
        """The size of the next message, decrypted and checked."""
        words = (await self._read(1))[0]
        if words == 127:
            words = int.from_bytes(await self._read(3), "little")
        packet = await self._read(words * 4)
        msg_key = bytes(packet[8:24])
        key, iv = _derive(self._key, msg_key, 8)
        digest = sha256(self._key[96:128])
        size = 0
        for start in range(24, len(packet), _SEGMENT):
            segment = bytes(packet[start : start + _SEGMENT])
            plaintext = cryptg.decrypt_ige(segment, key, iv)
            iv = segment[-16:] + plaintext[-16:]
            digest.update(plaintext)
            if start == 24:
                size = int.from_bytes(plaintext[28:32], "little")
        if digest.digest()[8:24] != msg_key:
            raise ValueError("a reply whose message key is wrong")
        return size

    async def _read(self, size: int) -> memoryview:
        view = memoryview(self._buffer)[:size]
        filled = 0
        while filled < size:
            got = await asyncio.get_running_loop().sock_recv_into(self._socket, view[filled:])
            if not got:
                raise ConnectionError("the sandbox closed the connection")
            filled += got
        return view


def _derive(auth_key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + auth_key[x : x + 36]).digest()
    b = sha256(auth_key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]


async def prepare(sandbox: RunningSandbox, size: int) -> Prepared:
    """Sign in with Telethon, put a document of `size` bytes, and take what a raw connection needs."""
    rsa.add_key(sandbox.key.read_text(encoding="ascii"), old=False)
    session = StringSession()
    session.set_dc(sandbox.dc, sandbox.host, sandbox.port)
    client = TelegramClient(session, sandbox.api_id, sandbox.api_hash)
    await client.start(bot_token=sandbox.bot_tokens[0])
    try:
        config = await client(functions.help.GetConfigRequest())
        media = next(o for o in config.dc_options if o.id == sandbox.dc and o.media_only)
        document = await _put(client, sandbox.channel, size)
        location = types.InputDocumentFileLocation(
            document.id, document.access_hash, document.file_reference, ""
        )
        key, salt = session.auth_key, client._sender._state.salt
        return Prepared(key.key, struct.pack("<Q", key.key_id), salt, media.port, location, size)
    finally:
        await client.disconnect()


async def _put(client: Any, channel: int, size: int) -> Any:
    total, block = -(-size // _PART), os.urandom(_PART)
    for first in range(0, total, 8):
        numbers = range(first, min(first + 8, total))
        await asyncio.gather(
            *(client(functions.upload.SaveBigFilePartRequest(1, n, total, block)) for n in numbers)
        )
    media = types.InputMediaUploadedDocument(
        types.InputFileBig(1, total, "raw"), "application/octet-stream", []
    )
    peer = await client.get_input_entity(channel)
    sent = await client(functions.messages.SendMediaRequest(peer, media, "", random_id=1))
    return sent.updates[1].message.media.document


async def measure(
    prepared: Prepared, connections: int, window: int, limit: int, seconds: float
) -> tuple[int, float]:
    """The bytes that came over all connections together, and the seconds that it took."""
    raw = [RawConnection(prepared) for _ in range(connections)]
    started = time.perf_counter()
    await asyncio.gather(*(one.read_for(seconds, window, limit) for one in raw))
    return sum(one.received for one in raw), time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size-mib", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    run: Callable[[Awaitable[Any]], Any] = asyncio.run  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder, start_sandbox(Path(folder) / "sandbox") as sandbox:
        prepared = run(prepare(sandbox, options.size_mib << 20))
        server = psutil.Process(sandbox.pid)
        print(
            "| connections | in flight on each | KiB a request | MB/s | MB per second of the server's CPU |"
        )
        print("|---|---|---|---|---|")
        for connections, window, kib in _PLANS:
            before = server.cpu_times()
            received, elapsed = run(measure(prepared, connections, window, kib << 10, options.seconds))
            after = server.cpu_times()
            used = after.user + after.system - before.user - before.system
            speeds = f"{received / elapsed / 1e6:.0f} | {received / used / 1e6:.0f}"
            print(f"| {connections} | {window} | {kib} | {speeds} |", flush=True)


if __name__ == "__main__":
    main()
