"""A real server on a free port, around a small WSGI app whose streams a test can watch."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from model import Wait
from serving import Server

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
BLOCK = b"x" * (256 << 10)
LONG = 1 << 32
"""Bytes of a stream that no test reads to its end."""


def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class App:
    """`/` says hello; `/slow` waits for `let_go`; `/files/N/download` streams for ever, and so does `/folders/N`, on
    a thread; `/files/made` is `body`, with a length if it has one; the rest echoes."""

    def __init__(self) -> None:
        self.open = 0
        self.calls = 0
        self.body: Callable[[], Any] = lambda: b""
        self.let_go = threading.Event()
        self._lock = threading.Lock()  # streams count themselves on their own threads

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.calls += 1
        if path == "/files/made":
            made = self.body()
            length = getattr(made, "length", None)
            start_response("200 OK", [] if length is None else [("Content-Length", str(length))])
            return made  # type: ignore[no-any-return]
        if path.startswith("/files/"):
            start_response("200 OK", [("Content-Length", str(LONG)), ("ETag", '"x"')])
            return Endless(self) if method == "GET" else ()
        if path.startswith("/folders/"):
            start_response("200 OK", [("Content-Length", str(LONG))])
            return self._stream()
        if path == "/slow":
            self.let_go.wait(10)
        if path == "/nothing":
            start_response("204 No Content", [])
            return ()
        if path == "/breaks":
            start_response("200 OK", [("Content-Length", "100")])
            return self._breaking()
        body = environ["wsgi.input"].read() or f"hello {path}".encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body] if method != "HEAD" else ()

    def count(self, change: int) -> None:
        with self._lock:
            self.open += change

    def _stream(self) -> Iterator[bytes]:
        self.count(1)
        try:
            for _ in range(LONG // len(BLOCK)):
                yield BLOCK
        finally:
            self.count(-1)

    @staticmethod
    def _breaking() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionAbortedError("the store failed")


class Endless:
    """A body that is polled, and gives what its reader takes."""

    def __init__(self, app: App) -> None:
        self._app = app
        app.count(1)

    def __iter__(self) -> Iterator[bytes]:
        return repeat(BLOCK)

    def started(self, wake: Callable[[], None]) -> None:
        self.wake = wake

    def poll(self, left: int) -> bytes | Wait | None:
        return Wait(math.inf) if left > len(BLOCK) else BLOCK

    def close(self) -> None:
        self._app.count(-1)


class Running:
    """A server that runs, and ways to speak to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.address = server.addresses[0]

    @contextmanager
    def connection(self, timeout: float = 10, buffer: int | None = None) -> Iterator[socket.socket]:
        with socket.socket() as sock:
            if buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            sock.settimeout(timeout)
            sock.connect(self.address)
            yield sock

    def say(self, request: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        with self.connection() as sock:
            sock.sendall(request)
            return everything(sock)


def everything(sock: socket.socket) -> bytes:
    received = bytearray()
    while block := sock.recv(65536):
        received += block
    return bytes(received)


def response(sock: socket.socket) -> tuple[bytes, bytes]:
    """One response with Content-Length: its head and its body."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        received += sock.recv(1)
    head = bytes(received)
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    body = bytearray()
    while len(body) < length:
        body += sock.recv(length - len(body))
    return head, bytes(body)


def settings_for_tests(tmp_path: Path, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "base_url": None,
        "data_dir": tmp_path,
        "database_url": "",
        "secret_key": b"k" * 32,
        "admin_username": "admin",
        "admin_password": None,
        "telegram": None,
        "chunk_size": 4 << 20,
        "staging_size": 64 << 20,
        "streaming_chunk_size": 256 << 10,
        "enable_range_requests": True,
        "max_concurrent_downloads": 40,
        "max_concurrent_downloads_per_user": 40,
        "max_connections_per_download": 32,
        "download_stall_seconds": 30.0,
        "shutdown_seconds": 2.0,
        "trusted_proxies": 0,
        "log_level": "info",
        "log_format": "text",
    }
    return Settings(**values | changes)


@contextmanager
def serve(app: Any, settings: Settings) -> Iterator[Running]:
    server = Server(app, settings)
    server.bind()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Running(server)
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def app() -> Iterator[App]:
    app = App()
    yield app
    app.let_go.set()


@pytest.fixture
def running(app: App, tmp_path: Path) -> Iterator[Running]:
    with serve(app, settings_for_tests(tmp_path)) as running:
        yield running
