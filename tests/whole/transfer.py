"""Transfers as a strict client makes them, which can be interrupted half-way by something that a test does.

The one promise is stated here: never a wrong byte, and never fewer bytes than promised without the client's seeing it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.whole.running import RunningGateway

FIRST = 64 << 10
"""Bytes of a download that are read before something happens."""
PATIENCE = 60.0


@dataclass(frozen=True)
class Received:
    """The end of a download: `promised` is its Content-Length, `body` what came."""

    status: int
    promised: int
    body: bytes
    headers: httpx.Headers

    @property
    def is_short(self) -> bool:
        return len(self.body) < self.promised


def nothing() -> None:
    """What happens in the middle of a quiet download."""


def download(
    gateway: RunningGateway, file_id: int, in_the_middle: Callable[[], object] = nothing
) -> Received:
    """GET the file; `in_the_middle` is called when its first bytes are there and most are not."""
    with gateway.client() as client, client.stream("GET", f"/files/{file_id}/download") as response:
        body, struck = bytearray(), False
        try:
            for block in response.iter_raw(FIRST):
                body += block
                if not struck:
                    struck = True
                    in_the_middle()
        except (httpx.RemoteProtocolError, httpx.ReadError):
            pass  # cut: `is_short` says so
        promised = int(response.headers["Content-Length"])
        return Received(response.status_code, promised, bytes(body), response.headers)


def assert_true(received: Received, stored: bytes) -> None:
    """What must hold whatever happened."""
    assert received.status in {200, 502, 503}
    if received.status != 200:
        assert_problem(received.status, received.headers)
        return
    assert received.promised == len(stored)
    assert len(received.body) <= len(stored)
    assert received.body == stored[: len(received.body)], "a wrong byte got out"


def assert_problem(status: int, headers: httpx.Headers) -> None:
    """An error that tells a program what it is, and when to come back if that can help."""
    assert headers["Content-Type"] == "application/problem+json"
    if status == 503:
        assert int(headers["Retry-After"]) >= 1


def put(gateway: RunningGateway, path: str, body: bytes) -> dict[str, Any]:
    """The node of a file that is stored now."""
    with gateway.client() as client:
        response = client.put(f"/api/v1/content{path}", content=body)
        assert response.status_code in {200, 201}, response.text
        node: dict[str, Any] = response.json()
        return node


def comes_out_right(gateway: RunningGateway, file_id: int, stored: bytes, patience: float = PATIENCE) -> bool:
    """Whether a client that comes back when it is told to gets the file, whole and true, within `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        received = download(gateway, file_id)
        assert_true(received, stored)
        if received.status == 200 and not received.is_short:
            return True
        pause = float(received.headers.get("Retry-After", 1))
        if time.monotonic() + pause > deadline:
            return False
        time.sleep(pause)


def node_of(gateway: RunningGateway, file_id: int) -> dict[str, Any]:
    with gateway.client() as client:
        node: dict[str, Any] = client.get(f"/api/v1/files/{file_id}").raise_for_status().json()
        return node


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether `holds` comes true in that time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def metric(gateway: RunningGateway, name: str) -> int:
    """What /metrics says of `name`."""
    text = httpx.get(f"{gateway.url}/metrics", timeout=10).text
    line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
    return int(line.removeprefix(f"{name} "))


def downloads_running(gateway: RunningGateway) -> int:
    return metric(gateway, "stowgram_downloads_running")
