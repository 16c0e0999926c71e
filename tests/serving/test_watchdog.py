"""Requests that never finish arriving are cut; those that are merely slow are not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import serving.watchdog
from tests.serving.conftest import App, Running, everything, response, serve, settings_for_tests

HEADERS = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.watchdog, "HEADERS_WITHIN", 1.5)
    monkeypatch.setattr(serving.watchdog, "BODY_INTERVAL", 1.5)
    monkeypatch.setattr(serving.watchdog, "LEAST_BODY", 1000)


def trickle(running: Running, data: bytes, step: int, pause: float) -> bytes:
    """What comes back when `data` is sent in steps; raises ConnectionError when we are cut meanwhile."""
    with running.connection() as sock:
        for at in range(0, len(data), step):
            sock.sendall(data[at : at + step])
            time.sleep(pause)
        return response(sock)[1]


@pytest.mark.slow
def test_headers_that_trickle_are_cut(running: Running) -> None:
    with pytest.raises(ConnectionError):
        trickle(running, HEADERS, 1, 0.2)


@pytest.mark.slow
def test_a_body_that_trickles_is_cut(running: Running) -> None:
    with pytest.raises(ConnectionError):
        trickle(running, HEADERS + bytes(100000), 100, 0.2)


@pytest.mark.slow
def test_a_body_that_is_slow_but_comes_is_taken(running: Running) -> None:
    assert trickle(running, HEADERS + bytes(100000), 10000, 0.5) == bytes(100000)


@pytest.mark.slow
def test_an_app_that_thinks_and_a_connection_between_requests_are_left_alone(
    app: App, tmp_path: Path
) -> None:
    with serve(app, settings_for_tests(tmp_path)) as running, running.connection() as sock:
        for _ in range(2):
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert response(sock)[1] == b"hello /"
            time.sleep(3)


@pytest.mark.slow
def test_half_a_request_behind_a_running_one_costs_nothing(app: App, running: Running) -> None:
    with running.connection() as sock:
        sock.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
        time.sleep(3)
        app.let_go.set()
        assert response(sock)[1] == b"hello /slow"
        with pytest.raises(ConnectionError):  # from now on it has to come
            everything(sock)
