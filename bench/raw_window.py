"""How fast the sandbox answers a raw window of upload.getFile: so that it is never what other benchmarks measure.

    python -m bench.raw_window [--size-mib 256] [--seconds 3]

The client is hand-rolled and does only what every client must: it decrypts, checks the message key, and counts.
Server and client are two processes; each needs a core of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import struct
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from telethon import TelegramClient, functions, types
from telethon.crypto import rsa
from telethon.sessions import StringSession

from bench.options import options
from bench.raw import Access, Block, read_all
from tests.sandbox_process import RunningSandbox, start_sandbox

_PART = 512 << 10
_PLANS = [(1, 4, 512), (1, 8, 512), (1, 8, 1024), (1, 16, 1024), (4, 4, 512), (4, 4, 1024), (8, 2, 1024)]
"""Connections, requests in flight on each, and KiB in each request."""


async def prepare(sandbox: RunningSandbox, size: int) -> tuple[Access, Any]:
    """Sign in with Telethon, put a document of `size` bytes, and take what a raw connection to it needs."""
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
        return Access(key.key, struct.pack("<Q", key.key_id), salt, media.port), location
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


def for_a_while(seconds: float, location: Any, size: int, limit: int) -> Iterator[Block]:
    """The document's blocks, over and over, until the time is over."""
    end = time.perf_counter() + seconds
    for offset in itertools.cycle(range(0, size - limit + 1, limit)):
        if time.perf_counter() > end:
            return
        yield Block(location, offset, limit, b"")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--size-mib", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=3.0)
    chosen = parser.parse_args()
    run: Callable[[Awaitable[Any]], Any] = asyncio.run  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder, start_sandbox(Path(folder) / "sandbox") as sandbox:
        access, location = run(prepare(sandbox, chosen.size_mib << 20))
        server = psutil.Process(sandbox.pid)
        print(
            "| connections | in flight on each | KiB a request | MB/s | MB per second of the server's CPU |"
        )
        print("|---|---|---|---|---|")
        for connections, window, kib in _PLANS:
            before = server.cpu_times()
            blocks = for_a_while(chosen.seconds, location, chosen.size_mib << 20, kib << 10)
            received, elapsed = run(read_all(access, blocks, connections, window))
            after = server.cpu_times()
            used = after.user + after.system - before.user - before.system
            speeds = f"{received / elapsed / 1e6:.0f} | {received / used / 1e6:.0f}"
            print(f"| {connections} | {window} | {kib} | {speeds} |", flush=True)


if __name__ == "__main__":
    main()
