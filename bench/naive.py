"""The gateway that people write first: Flask under waitress, a generator, a fresh TelegramClient for each request.

    python -m bench.naive < ORDER

It fetches a chunk whole, then yields it. The order is JSON, written by `naive` below; the answer is the port, and it
serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import waitress
from flask import Flask, Response
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from bench.baselines import account_of, signed_in
from bench.fetch import Fetch
from bench.synthetic import SyntheticFile
from model import ByteRange
from tests.sandbox_process import RunningSandbox


@contextmanager
def naive(sandbox: RunningSandbox, file: SyntheticFile) -> Iterator[Fetch]:
    """Such a gateway, serving this one file; a download of it, to be run."""
    order = {"account": account_of(sandbox), "file": asdict(file)}
    command = [sys.executable, "-m", "bench.naive"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/download"
        try:
            yield Fetch(url, "", ByteRange(0, file.size), file.read, whole=True)
        finally:
            process.kill()


async def _sign_in(account: dict[str, Any]) -> str:
    async with signed_in(account) as client:
        return str(client.session.save())


def _chunks(account: dict[str, Any], session: str, messages: list[int]) -> Iterator[bytes]:
    loop = asyncio.new_event_loop()
    client = TelegramClient(StringSession(session), account["api_id"], account["api_hash"], loop=loop)
    try:
        loop.run_until_complete(client.connect())
        peer = loop.run_until_complete(client.get_input_entity(account["channel"]))
        for number in messages:
            message = loop.run_until_complete(client.get_messages(peer, ids=number))
            yield loop.run_until_complete(client.download_media(message, bytes))
    finally:
        client.disconnect()
        loop.close()


def main() -> None:
    order = json.loads(sys.stdin.readline())
    account = order["account"]
    rsa.add_key(account["key"], old=False)
    session = asyncio.run(_sign_in(account))
    app = Flask(__name__)

    @app.get("/download")
    def download() -> Response:
        chunks = _chunks(account, session, order["file"]["messages"])
        return Response(chunks, headers={"Content-Length": str(order["file"]["size"])})

    server = waitress.create_server(app, host="127.0.0.1", port=0)
    print(server.effective_port, flush=True)
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
