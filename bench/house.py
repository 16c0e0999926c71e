"""A sandbox and a gateway as processes of their own, for benchmarks; and the plain things they are compared with."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from model import MIB
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.running import RunningGateway, running_gateway


@contextmanager
def house(folder: Path, **settings: str) -> Iterator[tuple[RunningSandbox, RunningGateway]]:
    """Both, running, with the settings people run with unless `settings` says otherwise."""
    usual = {"CHUNK_SIZE_MIB": "64", "STAGING_SIZE_MIB": "512", "LOG_LEVEL": "warning"}
    with (
        start_sandbox(folder / "sandbox") as sandbox,
        running_gateway(folder, sandbox, usual | settings) as gateway,
    ):
        yield sandbox, gateway


def random_file(path: Path, mib: int) -> Path:
    """`mib` MiB that no layer can compress."""
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(MIB))
    return path


def curl(gateway: RunningGateway, file_id: int) -> float:
    """Seconds that curl takes to fetch the whole file and throw it away."""
    command = ["curl", "-sf", "-o", os.devnull, "-H", f"Authorization: Bearer {gateway.token}"]
    began = time.perf_counter()
    subprocess.run([*command, f"{gateway.url}/files/{file_id}/download"], check=True, timeout=900)
    return time.perf_counter() - began


def iter_download(sandbox: RunningSandbox, message: int) -> float:
    """Seconds that a stock Telethon client takes for one document, in a process of its own, connecting not counted."""
    key = sandbox.key.read_text(encoding="ascii")
    words = [sandbox.host, sandbox.port, sandbox.dc, key, sandbox.api_id, sandbox.api_hash]
    words += [sandbox.bot_tokens[0], sandbox.channel, message]
    command = [sys.executable, "-m", "bench.house", *map(str, words)]
    return float(subprocess.run(command, check=True, timeout=900, capture_output=True).stdout)


async def _iter_download(words: list[str]) -> float:
    host, port, dc, key, api_id, api_hash, token, channel, message = words
    rsa.add_key(key, old=False)
    session = StringSession()
    session.set_dc(int(dc), host, int(port))
    client = TelegramClient(session, int(api_id), api_hash, receive_updates=False)
    await client.start(bot_token=token)
    try:
        found = await client.get_messages(await client.get_input_entity(int(channel)), ids=int(message))
        began = time.perf_counter()
        async for _ in client.iter_download(found.media):
            pass
        return time.perf_counter() - began
    finally:
        await client.disconnect()


if __name__ == "__main__":
    print(asyncio.run(_iter_download(sys.argv[1:])))
