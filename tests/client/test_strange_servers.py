"""Servers that are none of ours, or mean harm: one clear sentence, and nothing kept that was not asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import names
from client import nodes
from client.api import Api
from client.digest import Digest
from client.download import Downloader
from errors import Damaged, StoreError
from model import MIB

BYTES = b"four"
DIGEST = Digest()
DIGEST.update(BYTES)
NODE = nodes.Node(5, "file", "f", "/f", len(BYTES), DIGEST.tree(), "")


@contextmanager
def strange_server(body: bytes, **headers: str) -> Iterator[Api]:
    """A client of a server that has one answer to everything. It promises the body's length unless told another."""

    class Answer(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                pass  # the client had enough

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            with Api(f"http://127.0.0.1:{server.server_port}", "token", patience=1.0) as api:
                yield api
        finally:
            server.shutdown()
            thread.join(10)


@pytest.mark.parametrize(
    "page",
    [
        b"<html>Welcome to the hotel's network</html>",
        b"[1, 2]",
        b"{}",
        json.dumps({"items": 5, "next": None}).encode(),
        json.dumps({"items": [{"id": "x"}], "next": None}).encode(),
        json.dumps({"items": [7], "next": None}).encode(),
    ],
)
def test_a_listing_that_is_none_is_one_clear_error(page: bytes) -> None:
    with strange_server(page) as api, pytest.raises(StoreError, match="none of Stowgram's"):
        list(nodes.listing(api, "/"))


def test_a_listing_that_leads_back_to_itself_is_refused() -> None:
    with (
        strange_server(json.dumps({"items": [], "next": "same"}).encode()) as api,
        pytest.raises(StoreError, match="none of Stowgram's"),
    ):
        list(nodes.listing(api, "/"))


def test_a_body_longer_than_the_file_is_not_written_to_its_end(tmp_path: Path) -> None:
    moved: list[int] = []
    with (
        strange_server(bytes(64 * MIB), ETag=f'"{NODE.etag}"') as api,
        pytest.raises(Damaged),
    ):
        Downloader(api, moved.append).fetch(NODE, tmp_path / "f")
    assert sum(moved) < 8 * MIB
    assert list(tmp_path.iterdir()) == []


def test_a_promise_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    with strange_server(BYTES, ETag=f'"{NODE.etag}"', Repr_Digest="sha-256=:AAA:") as api:
        assert Downloader(api, lambda size: None).fetch(NODE, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == BYTES


def test_what_a_server_says_does_not_steer_the_terminal() -> None:
    assert (
        names.shown("\x1b[2Jred\nstowgram: all is well\u202e") == r"\x1b[2Jred\nstowgram: all is well\u202e"
    )
    assert names.shown("Grüße 👨\u200d👩") == "Grüße 👨\u200d👩"
