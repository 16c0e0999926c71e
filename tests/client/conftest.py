"""A whole server on a loopback port, our client, and a line between them that can be made to fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock, Thread

import pytest

from app import create_app
from client.api import Api
from client.download import Downloader
from client.tree import Report
from client.upload import Uploader
from tests.conftest import House
from tests.serving.conftest import serve, settings_for_tests


class Line:
    """A TCP relay in front of a server. `cut_after(n)` lets n more bytes pass in either direction, then cuts once."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = Lock()
        self._left: int | None = None
        self.cuts = 0
        self.passed = 0
        self.port = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def cut_after(self, size: int) -> None:
        with self._lock:
            self._left = size

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            for source, goal in ((near, far), (far, near)):
                Thread(target=self._relay, args=(source, goal), daemon=True).start()

    def _relay(self, source: socket.socket, goal: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._is_last(len(data)):
                    break
                goal.sendall(data)
        for end in (source, goal):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _is_last(self, size: int) -> bool:
        with self._lock:
            self.passed += size
            if self._left is None:
                return False
            self._left -= size
            if self._left > 0:
                return False
            self._left = None
            self.cuts += 1
            return True


@pytest.fixture
def line(house: House, tmp_path: Path) -> Iterator[Line]:
    settings = settings_for_tests(tmp_path)
    with (
        serve(create_app(house.gateway, settings), settings) as running,
        closing(Line(running.address[1])) as line,
    ):
        yield line


@pytest.fixture
def api(house: House, line: Line) -> Iterator[Api]:
    token = house.gateway.people.make_token(house.user, "test")[1]
    with Api(f"http://127.0.0.1:{line.port}", token, patience=20.0) as api:
        yield api


class Moved:
    """What a progress bar would have been told."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.lines: list[str] = []

    @property
    def total(self) -> int:
        return sum(self.sizes)


@pytest.fixture
def moved() -> Moved:
    return Moved()


@pytest.fixture
def uploader(api: Api, tmp_path: Path, moved: Moved) -> Uploader:
    return Uploader(api, tmp_path / "state", moved.sizes.append)


@pytest.fixture
def downloader(api: Api, moved: Moved) -> Downloader:
    return Downloader(api, moved.sizes.append)


@pytest.fixture
def report(moved: Moved) -> Report:
    return Report(say=moved.lines.append, expect=lambda size: None)
