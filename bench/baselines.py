"""What ours is compared with, each in a process of its own: Telethon's `iter_download`, and a raw window of getFile.

    python -m bench.baselines < ORDER

The order is JSON, written by `iter_download` and `raw_window` below; the answer is the seconds. Connecting and signing
in are not counted. A sample of all that comes is compared with what the file holds.
"""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Any

from telethon import TelegramClient, functions, types
from telethon.crypto import rsa
from telethon.sessions import StringSession

from bench.raw import Access, Block, read_all
from bench.synthetic import CHUNK, SyntheticFile
from model import MIB
from tests.sandbox_process import RunningSandbox

SAMPLE = 4096


def iter_download(sandbox: RunningSandbox, file: SyntheticFile) -> float:
    """Seconds that a stock Telethon client takes for the file, message by message."""
    return _order(sandbox, file, {"what": "iter_download"})


def raw_window(sandbox: RunningSandbox, file: SyntheticFile, connections: int = 8, window: int = 4) -> float:
    """Seconds that raw connections take for the file with `window` requests of 1 MiB in flight on each."""
    return _order(sandbox, file, {"what": "raw_window", "connections": connections, "window": window})


def account_of(sandbox: RunningSandbox) -> dict[str, Any]:
    """What it takes to sign in, as JSON can carry it."""
    names = ("host", "port", "dc", "api_id", "api_hash", "channel")
    account = {name: getattr(sandbox, name) for name in names}
    return account | {"key": sandbox.key.read_text(encoding="ascii"), "token": sandbox.bot_tokens[0]}


def _order(sandbox: RunningSandbox, file: SyntheticFile, order: dict[str, Any]) -> float:
    order |= {"account": account_of(sandbox), "file": asdict(file)}
    command = [sys.executable, "-m", "bench.baselines"]
    done = subprocess.run(
        command, input=json.dumps(order).encode(), check=True, timeout=900, capture_output=True
    )
    return float(done.stdout)


@asynccontextmanager
async def signed_in(account: dict[str, Any]) -> AsyncIterator[Any]:
    """A stock client, signed in as the sandbox's first bot."""
    rsa.add_key(account["key"], old=False)
    session = StringSession()
    session.set_dc(account["dc"], account["host"], account["port"])
    client = TelegramClient(session, account["api_id"], account["api_hash"], receive_updates=False)
    await client.start(bot_token=account["token"])
    try:
        yield client
    finally:
        await client.disconnect()


async def _documents(client: Any, channel: int, messages: tuple[int, ...]) -> list[Any]:
    peer = await client.get_input_entity(channel)
    return [found.media.document for found in await client.get_messages(peer, ids=list(messages))]


async def _iter_download(order: dict[str, Any], file: SyntheticFile) -> float:
    async with signed_in(order["account"]) as client:
        documents = await _documents(client, order["account"]["channel"], file.messages)
        began, received = time.perf_counter(), 0
        for document in documents:
            async for block in client.iter_download(document):
                if block[:SAMPLE] != file.read(received, min(SAMPLE, len(block))):
                    raise ValueError(f"other bytes at {received}")
                received += len(block)
        assert received == file.size
        return time.perf_counter() - began


async def _raw_window(order: dict[str, Any], file: SyntheticFile) -> float:
    async with signed_in(order["account"]) as client:
        documents = await _documents(client, order["account"]["channel"], file.messages)
        config = await client(functions.help.GetConfigRequest())
        key, salt = client.session.auth_key, client._sender._state.salt
    media = next(o for o in config.dc_options if o.id == order["account"]["dc"] and o.media_only)
    access = Access(key.key, struct.pack("<Q", key.key_id), salt, media.port)
    received, seconds = await read_all(
        access, _blocks(file, documents), order["connections"], order["window"]
    )
    assert received == file.size
    return seconds


def _blocks(file: SyntheticFile, documents: list[Any]) -> Iterator[Block]:
    for start in range(0, file.size, MIB):
        document = documents[start // CHUNK]
        location = types.InputDocumentFileLocation(
            document.id, document.access_hash, document.file_reference, ""
        )
        yield Block(location, start % CHUNK, MIB, file.read(start, SAMPLE))


def main() -> None:
    order = json.load(sys.stdin)
    file = SyntheticFile(**order["file"])
    work = {"iter_download": _iter_download, "raw_window": _raw_window}[order["what"]]
    print(asyncio.run(work(order, replace(file, messages=tuple(file.messages)))))


if __name__ == "__main__":
    main()
