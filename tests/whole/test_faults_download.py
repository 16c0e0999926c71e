"""Everything that can go wrong with Telegram, in the middle of a running download.

Whatever happens: the bytes are right, or the client sees an error or a short body.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from threading import Timer

import pytest

from model import MIB
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.mishaps import (
    LONG,
    Mishap,
    Scene,
    chunk_messages,
    flood,
    long_floods,
    mend,
    passing,
)
from tests.whole.running import RunningGateway
from tests.whole.transfer import (
    assert_problem,
    assert_true,
    comes_out_right,
    download,
    downloads_running,
    metric,
    node_of,
    put,
    within,
)

pytestmark = pytest.mark.slow

SIZE = 16 * MIB + 5
"""Chunks of 4, 4, 4 and 4 MiB and 5 bytes: 17 pieces."""
PACE = 3 * MIB
"""Bytes per second on each of four connections: when a download begins, most of it is still to be asked for."""
STALL = 3
"""Longer than a test stops reading to let a mishap strike, and shorter than a hasty gateway waits for Telegram."""
STOPS_WITHIN = 2.0
HASTY = ("-m", "tests.whole.hasty")
GET_FILE = "upload.getFile"
BODY = os.urandom(SIZE)
KEPT = os.urandom(2 * MIB + 1)
"""A file that nothing ever happens to; it tells whether the system has recovered."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(shared: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    settings = {"CHUNK_SIZE_MIB": "4", "TELEGRAM_CONNECTIONS": "2", "DOWNLOAD_STALL_SECONDS": str(STALL)}
    running = RunningGateway(tmp_path_factory.mktemp("gateway") / "data", shared, settings)
    running.start(HASTY)
    yield running
    assert running.stop() == 0


@pytest.fixture
def sandbox(shared: RunningSandbox) -> Iterator[RunningSandbox]:
    yield shared
    mend(shared)


@pytest.fixture(scope="module")
def kept(gateway: RunningGateway) -> int:
    return int(put(gateway, "/kept", KEPT)["id"])


@pytest.fixture
def file_id(gateway: RunningGateway, sandbox: RunningSandbox, kept: int) -> int:
    """BODY, stored; what is done to it touches no other test."""
    stored = int(put(gateway, "/victim", BODY)["id"])
    sandbox.control.bandwidth(PACE)
    return stored


def get_file_calls(sandbox: RunningSandbox) -> int:
    return int(sandbox.control.stats()["calls"].get(GET_FILE, 0))


@pytest.fixture
def forgetful(gateway: RunningGateway) -> Iterator[None]:
    """A flood wait outlasts its test; only another process knows nothing of it."""
    yield
    gateway.stop()
    gateway.start(HASTY)


class Strike:
    """A mishap to be called in the middle; afterwards `calls` tells how many reads met it."""

    def __init__(self, sandbox: RunningSandbox, mishap: Mishap) -> None:
        self._scene = Scene(sandbox, chunk_messages(sandbox))
        self._mishap = mishap
        self._before = 0

    def __call__(self) -> None:
        self._mishap(self._scene)
        self._before = get_file_calls(self._scene.sandbox)

    @property
    def calls(self) -> int:
        return get_file_calls(self._scene.sandbox) - self._before


@pytest.mark.parametrize("name", passing(GET_FILE))
def test_the_bytes_come_out_right_in_spite_of(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox, file_id: int, kept: int
) -> None:
    strike = Strike(sandbox, passing(GET_FILE)[name])
    received = download(gateway, file_id, strike)
    assert strike.calls >= 4, "it came too late to be in the middle"
    assert_true(received, BODY)
    assert not received.is_short
    assert not node_of(gateway, file_id)["damaged"]
    mend(sandbox)
    assert comes_out_right(gateway, kept, KEPT)


def test_flood_waits_are_counted_and_shown(
    gateway: RunningGateway, sandbox: RunningSandbox, file_id: int
) -> None:
    before = metric(gateway, "stowgram_store_flood_waits_total")
    download(gateway, file_id, Strike(sandbox, flood(GET_FILE, 1, 2)))
    mend(sandbox)
    assert within(5, lambda: metric(gateway, "stowgram_store_flood_waits_total") >= before + 1)
    assert metric(gateway, "stowgram_store_flood_seconds_total") >= 1


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("name", long_floods(GET_FILE))
def test_the_other_account_goes_on_during(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox, file_id: int, kept: int
) -> None:
    received = download(gateway, file_id, Strike(sandbox, long_floods(GET_FILE)[name]))
    assert_true(received, BODY)
    assert not received.is_short
    assert comes_out_right(gateway, kept, KEPT)


LASTING: dict[str, Mishap] = {
    "a long flood wait of every account": flood(GET_FILE, LONG, None),
    "a long premium flood wait of every account": flood(GET_FILE, LONG, None, "FLOOD_PREMIUM_WAIT"),
    "silence that lasts": lambda scene: scene.sandbox.control.silence("*", None),
    "connections that always drop": lambda scene: scene.sandbox.control.drop(GET_FILE, None),
}


@pytest.mark.parametrize("name", LASTING)
def test_the_body_ends_short_and_no_file_is_called_damaged_after(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox, file_id: int, kept: int
) -> None:
    received = download(gateway, file_id, Strike(sandbox, LASTING[name]))
    assert_true(received, BODY)
    assert received.is_short
    mend(sandbox)
    assert comes_out_right(gateway, kept, KEPT)
    assert comes_out_right(gateway, file_id, BODY)
    assert not node_of(gateway, file_id)["damaged"]


def test_a_server_that_goes_away_ends_the_body_short_and_serves_again_when_it_is_back(
    gateway: RunningGateway, sandbox: RunningSandbox, file_id: int, kept: int
) -> None:
    try:
        received = download(gateway, file_id, sandbox.kill)
    finally:
        sandbox.restart()
    assert_true(received, BODY)
    assert received.is_short
    assert comes_out_right(gateway, kept, KEPT)
    assert comes_out_right(gateway, file_id, BODY)


def _deleted(scene: Scene) -> None:
    scene.sandbox.control.delete_message(scene.sandbox.channel, scene.last_whole)


DAMAGING: dict[str, Mishap] = {
    "a byte that is always flipped": lambda scene: scene.sandbox.control.flip(
        None, scene.sandbox.channel, scene.last_whole
    ),
    "replies that are always cut": lambda scene: scene.sandbox.control.cut(
        None, scene.sandbox.channel, scene.last_whole
    ),
    "a message that somebody deleted": _deleted,
}


@pytest.mark.parametrize("name", DAMAGING)
def test_the_body_ends_short_and_listings_call_the_file_damaged_after(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox, file_id: int, kept: int
) -> None:
    received = download(gateway, file_id, Strike(sandbox, DAMAGING[name]))
    assert_true(received, BODY)
    assert received.is_short
    assert within(5.0, lambda: bool(node_of(gateway, file_id)["damaged"]))
    with gateway.client() as client:
        listed = client.get("/api/v1/nodes").json()["items"]
    assert {node["name"]: node["damaged"] for node in listed} == {"kept": False, "victim": True}
    assert comes_out_right(gateway, kept, KEPT)


@pytest.mark.parametrize("name", DAMAGING)
def test_a_first_piece_that_is_lost_is_a_502_and_no_broken_200(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox, kept: int
) -> None:
    file_id = int(put(gateway, "/small", KEPT)["id"])
    message = next(iter(chunk_messages(sandbox).values()))
    DAMAGING[name](Scene(sandbox, {0: message, 1: message}))
    received = download(gateway, file_id)
    assert received.status == 502
    assert_problem(received.status, received.headers)
    assert within(5.0, lambda: bool(node_of(gateway, file_id)["damaged"]))
    with gateway.client() as client:
        assert client.delete(f"/api/v1/files/{file_id}?forever=1").status_code == 204


@pytest.mark.parametrize("name", [name for name in LASTING if "premium" not in name])
def test_a_first_piece_that_does_not_come_is_a_503_that_says_when_to_come_back(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox, file_id: int, kept: int
) -> None:
    LASTING[name](Scene(sandbox, {}))
    received = download(gateway, file_id)
    assert received.status == 503
    assert_problem(received.status, received.headers)
    mend(sandbox)
    assert comes_out_right(gateway, file_id, BODY)


def reader_of(gateway: RunningGateway, file_id: int) -> socket.socket:
    """A client whose response has begun, with a small buffer of its own, so that it feels when it does not read."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    reader.settimeout(30.0)
    reader.connect(("127.0.0.1", gateway.port))
    lines = (f"GET /files/{file_id}/download HTTP/1.1", "Host: x", f"Authorization: Bearer {gateway.token}")
    reader.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert reader.recv(4096).startswith(b"HTTP/1.1 200")
    return reader


def read_on(reader: socket.socket) -> None:
    """Read to the end, or until the socket's patience ends."""
    while reader.recv(1 << 20):
        pass


def test_a_client_that_goes_away_stops_its_work(
    gateway: RunningGateway, sandbox: RunningSandbox, file_id: int
) -> None:
    with reader_of(gateway, file_id) as reader:
        sandbox.control.silence(
            GET_FILE, None
        )  # so that the gateway would ask again for as long as it is let
        reader.settimeout(1.0)
        with pytest.raises(TimeoutError):
            read_on(reader)
        assert downloads_running(gateway) == 1
    left = time.monotonic()
    assert within(STOPS_WITHIN, lambda: downloads_running(gateway) == 0)
    time.sleep(max(0.0, left + STOPS_WITHIN - time.monotonic()))
    before = get_file_calls(sandbox)
    time.sleep(1.5)
    assert get_file_calls(sandbox) == before


def test_a_client_that_leaves_a_flowing_download_stops_its_work(
    gateway: RunningGateway, sandbox: RunningSandbox, file_id: int
) -> None:
    reader_of(gateway, file_id).close()
    assert within(STOPS_WITHIN, lambda: downloads_running(gateway) == 0)


def test_a_client_that_stays_but_stops_reading_is_cut(
    gateway: RunningGateway, sandbox: RunningSandbox, file_id: int
) -> None:
    sandbox.control.clear()
    with reader_of(gateway, file_id) as reader:
        # The watchdog looks once a second, and /metrics is asked in between.
        assert within(STALL + 2.5, lambda: downloads_running(gateway) == 0)
        with pytest.raises(ConnectionResetError):
            read_on(reader)


def test_a_client_that_waits_for_telegram_is_not_taken_for_one_that_stopped_reading(
    gateway: RunningGateway, sandbox: RunningSandbox, file_id: int
) -> None:
    # Every account is told to wait once; twice, one after the other, would be longer than a piece is waited for.
    calm = Timer(1.0, sandbox.control.clear)

    def told_to_wait(scene: Scene) -> None:
        flood(GET_FILE, STALL + 1, None)(scene)
        calm.start()

    began = time.monotonic()
    received = download(gateway, file_id, Strike(sandbox, told_to_wait))
    calm.join()
    assert_true(received, BODY)
    assert not received.is_short
    assert time.monotonic() - began > STALL
