"""Everything that can go wrong with Telegram, in the middle of a running upload.

Whatever happens: the file is there, whole and true, or the client sees an error, nothing is visible, and the upload
goes on from where it stands as soon as Telegram is well again.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from model import MIB
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.known import orphans
from tests.whole.mishaps import LONG, Mishap, Scene, chunk_messages, flood, mend, passing
from tests.whole.running import RunningGateway
from tests.whole.transfer import PATIENCE, assert_problem, comes_out_right, node_of, put, within

pytestmark = pytest.mark.slow

SIZE = 12 * MIB + 5
CHUNKS = 13
"""Of at most 1 MiB each; four travel at a time."""
PACE = 2 * MIB
"""Bytes per second on each of four connections until the mishap: an upload would take over a second."""
ORPHANS_GO = 15.0
"""Seconds in which upkeep, which looks every ten, has found what a lost answer left in the channel."""
HASTY = ("-m", "tests.whole.hasty")
SAVE_PART = "upload.saveFilePart"
POST = "messages.sendMedia"
UPLOADS = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
KEPT = os.urandom(2 * MIB + 1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(shared: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    settings = {"CHUNK_SIZE_MIB": "1", "TELEGRAM_CONNECTIONS": "2"}
    running = RunningGateway(tmp_path_factory.mktemp("gateway") / "data", shared, settings)
    running.start(HASTY)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def kept(gateway: RunningGateway) -> int:
    return int(put(gateway, "/kept", KEPT)["id"])


@pytest.fixture
def sandbox(shared: RunningSandbox, kept: int) -> Iterator[RunningSandbox]:
    shared.control.bandwidth(PACE)
    yield shared
    mend(shared)


@pytest.fixture
def forgetful(gateway: RunningGateway) -> Iterator[None]:
    """A flood wait outlasts its test; only another process knows nothing of it."""
    yield
    gateway.stop()
    gateway.start(HASTY)


class Sending:
    """A tus client's view of one upload, of a file with a name of its own."""

    def __init__(self, gateway: RunningGateway, body: bytes) -> None:
        self._gateway = gateway
        self._body = body
        self.name = f"victim {uuid4()}"
        metadata = "filename " + base64.b64encode(self.name.encode()).decode()
        length = {"Upload-Length": str(len(body)), "Upload-Metadata": metadata}
        with gateway.client() as client:
            created = client.post(UPLOADS, headers=TUS | length)
            assert created.status_code == 201, created.text
            self._url = created.headers["Location"]

    def offset(self) -> int:
        with self._gateway.client() as client:
            head = client.head(self._url, headers=TUS)
            assert head.status_code == 200
            return int(head.headers["Upload-Offset"])

    def send(self, offset: int) -> httpx.Response:
        """The rest of the file, from `offset`."""
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        with self._gateway.client() as client:
            return client.patch(self._url, headers=TUS | headers, content=self._body[offset:])

    def go_on(self) -> bool:
        """Whether the upload ends, for a client that comes back when it is told to."""
        deadline = time.monotonic() + PATIENCE
        while (offset := self.offset()) < len(self._body):
            answer = self.send(offset)
            if answer.status_code != 204:
                assert_problem(answer.status_code, answer.headers)
                if time.monotonic() > deadline:
                    return False
                time.sleep(float(answer.headers.get("Retry-After", 1)))
        return True


def interrupted(sandbox: RunningSandbox, sending: Sending, mishap: Mishap) -> httpx.Response:
    """The answer to a whole upload in whose middle `mishap` strikes."""
    before = set(chunk_messages(sandbox).values())
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(sending.send, 0)
        assert within(30.0, lambda: not before & set(chunk_messages(sandbox).values()))
        scene = Scene(sandbox, chunk_messages(sandbox))
        assert len(scene.chunks) < CHUNKS, "it came too late to be in the middle"
        sandbox.control.bandwidth(0)
        mishap(scene)
        return answer.result(PATIENCE)


def visible(gateway: RunningGateway) -> dict[str, int]:
    """Name to id of what a listing shows."""
    with gateway.client() as client:
        items = client.get("/api/v1/nodes").raise_for_status().json()["items"]
        return {item["name"]: item["id"] for item in items}


def assert_stored(gateway: RunningGateway, sandbox: RunningSandbox, name: str, body: bytes) -> None:
    """The file is there and right, is not called damaged, and no message is left that nobody knows."""
    file_id = visible(gateway)[name]
    assert comes_out_right(gateway, file_id, body)
    assert not node_of(gateway, file_id)["damaged"]
    assert within(ORPHANS_GO, lambda: not orphans(gateway.data, sandbox)), orphans(gateway.data, sandbox)


MET = {f"{name}, sending parts": mishap for name, mishap in passing(SAVE_PART).items()} | {
    "a short flood wait, posting": flood(POST, 1, 2),
    "a short premium flood wait, posting": flood(POST, 1, 2, "FLOOD_PREMIUM_WAIT"),
    "connections dropped, posting": lambda scene: scene.sandbox.control.drop(POST, 2),
    "silence, posting": lambda scene: scene.sandbox.control.silence(POST, 2),
    "AUTH_KEY_DUPLICATED, posting": lambda scene: scene.sandbox.control.duplicate_key(POST),
    "a lost first part": lambda scene: scene.sandbox.control.rpc_error(POST, 400, "FILE_PART_0_MISSING", 2),
    "lost parts": lambda scene: scene.sandbox.control.rpc_error(POST, 400, "FILE_PART_1_MISSING", 2),
    "a fault of Telegram's own": lambda scene: scene.sandbox.control.rpc_error(POST, 500, "RPC_CALL_FAIL", 2),
}


@pytest.mark.parametrize("name", MET)
def test_an_upload_ends_well_without_its_clients_help_in_spite_of(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox
) -> None:
    body = os.urandom(SIZE)
    sending = Sending(gateway, body)
    answer = interrupted(sandbox, sending, MET[name])
    assert answer.status_code == 204, answer.text
    assert answer.headers["Upload-Offset"] == str(SIZE)
    sandbox.control.clear()
    assert_stored(gateway, sandbox, sending.name, body)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("method", [SAVE_PART, POST])
def test_the_other_account_goes_on_during_a_long_flood_wait(
    method: str, gateway: RunningGateway, sandbox: RunningSandbox
) -> None:
    body = os.urandom(SIZE)
    sending = Sending(gateway, body)
    interrupted(sandbox, sending, flood(method, 600, 1))
    assert sending.go_on()
    sandbox.control.clear()
    assert_stored(gateway, sandbox, sending.name, body)


LASTING: dict[str, Mishap] = {
    "a long flood wait of every account, sending parts": flood(SAVE_PART, LONG, None),
    "a long flood wait of every account, posting": flood(POST, LONG, None),
    "silence that lasts": lambda scene: scene.sandbox.control.silence("*", None),
    "bytes that are always flipped": lambda scene: scene.sandbox.control.flip(None),
    "replies that are always cut": lambda scene: scene.sandbox.control.cut(None),
}


@pytest.mark.parametrize("name", LASTING)
def test_an_upload_is_refused_shows_nothing_and_goes_on_later_after(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox, kept: int
) -> None:
    body = os.urandom(SIZE)
    sending = Sending(gateway, body)
    answer = interrupted(sandbox, sending, LASTING[name])
    assert answer.status_code in {502, 503}, answer.text
    assert_problem(answer.status_code, answer.headers)
    assert sending.name not in visible(gateway)
    mend(sandbox)
    assert sending.go_on()
    assert_stored(gateway, sandbox, sending.name, body)
    assert comes_out_right(gateway, kept, KEPT)


def _deleted(scene: Scene) -> None:
    scene.sandbox.control.delete_message(scene.sandbox.channel, next(iter(scene.chunks.values())))


def test_a_chunk_that_somebody_deletes_meanwhile_is_stored_again_before_the_file_is_there(
    gateway: RunningGateway, sandbox: RunningSandbox, kept: int
) -> None:
    body = os.urandom(SIZE)
    sending = Sending(gateway, body)
    # Before it was read back, it is stored again from what is staged; after that the client has to send it again.
    answer = interrupted(sandbox, sending, _deleted)
    assert answer.status_code in {204, 502}, answer.text
    assert (answer.status_code == 204) == (sending.name in visible(gateway))
    assert sending.go_on()
    assert_stored(gateway, sandbox, sending.name, body)
    assert comes_out_right(gateway, kept, KEPT)


def test_a_server_that_goes_away_keeps_the_upload_waiting_and_loses_nothing(
    gateway: RunningGateway, sandbox: RunningSandbox, kept: int
) -> None:
    body = os.urandom(SIZE)
    sending = Sending(gateway, body)
    try:
        answer = interrupted(sandbox, sending, lambda scene: scene.sandbox.kill())
        assert answer.status_code == 503, answer.text
        assert sending.name not in visible(gateway)
    finally:
        sandbox.restart()
    assert sending.go_on()
    assert_stored(gateway, sandbox, sending.name, body)
    assert comes_out_right(gateway, kept, KEPT)


@pytest.mark.parametrize("name", ["silence that lasts", "bytes that are always flipped"])
def test_a_plain_put_that_fails_keeps_nothing_and_leaves_what_it_was_to_replace(
    name: str, gateway: RunningGateway, sandbox: RunningSandbox
) -> None:
    sandbox.control.clear()
    before, staged = os.urandom(MIB), set((gateway.data / "staging").iterdir())
    victim = int(put(gateway, "/victim", before)["id"])
    LASTING[name](Scene(sandbox, {}))
    with gateway.client() as client:
        answer = client.put("/api/v1/content/victim", content=os.urandom(SIZE))
    assert answer.status_code in {502, 503}, answer.text
    assert_problem(answer.status_code, answer.headers)
    mend(sandbox)
    assert visible(gateway)["victim"] == victim
    assert_stored(gateway, sandbox, "victim", before)
    assert within(10.0, lambda: set((gateway.data / "staging").iterdir()) <= staged)
