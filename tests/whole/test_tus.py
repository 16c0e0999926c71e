"""tus 1.0 against the running gateway: the whole protocol by hand, and tuspy over restarts."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from model import MIB
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.known import orphans
from tests.whole.running import ROOT, RunningGateway, running_gateway
from tests.whole.tus import TUS, UPLOADS, append, b64, checksum, content, create, created, stands

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, sandbox: RunningSandbox) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("tus"), sandbox) as gateway:
        yield gateway


@pytest.fixture
def client(gateway: RunningGateway) -> Iterator[httpx.Client]:
    with gateway.client() as client:
        yield client


# By hand. ------------------------------------------------------------------------------------------------------------


def test_options_tells_version_extensions_algorithm_and_largest_size(client: httpx.Client) -> None:
    response = httpx.options(f"{client.base_url}{UPLOADS}")  # by nobody
    assert response.status_code == 204
    assert response.headers["Tus-Version"] == "1.0.0"
    assert set(response.headers["Tus-Extension"].split(",")) == {
        "creation", "checksum", "expiration", "termination",
    }  # fmt: skip
    assert response.headers["Tus-Checksum-Algorithm"] == "sha256,tree"
    assert int(response.headers["Tus-Max-Size"]) >= 1 << 40


def test_every_answer_names_the_version_and_a_wrong_one_is_412(client: httpx.Client) -> None:
    url = created(client, 10, "version")
    for response in (
        create(client, 1, "v2"),
        client.head(url, headers=TUS),
        append(client, url, 0, b"12345"),
    ):
        assert response.headers["Tus-Resumable"] == "1.0.0"
    for version in ({}, {"Tus-Resumable": "0.2.2"}, {"Tus-Resumable": "2.0.0"}):
        for method in ("HEAD", "PATCH", "DELETE"):
            response = client.request(method, url, headers=version)
            assert (response.status_code, response.headers["Tus-Version"]) == (412, "1.0.0")
    assert stands(client, url) == 5


def test_a_wrong_offset_is_409_a_wrong_checksum_460_and_neither_leaves_a_byte(client: httpx.Client) -> None:
    url = created(client, 10, "wrong")
    assert append(client, url, 0, b"12345", checksum(b"12345")).status_code == 204
    for offset in (0, 4, 6, 10, 11, (1 << 63) - 1):
        assert append(client, url, offset, b"x").status_code == 409, offset
    response = append(client, url, 5, b"67890", checksum(b"6789x"))
    assert (response.status_code, response.reason_phrase) == (460, "Checksum Mismatch")
    assert append(client, url, 5, b"6", {"Upload-Checksum": "md5 " + b64(b"x" * 16)}).status_code == 400
    assert stands(client, url) == 5
    assert append(client, url, 5, b"67890").status_code == 204
    assert content(client, "wrong") == b"1234567890"


def test_an_upload_that_ran_out_of_time_is_410(gateway: RunningGateway, client: httpx.Client) -> None:
    url = created(client, 10, "late")
    assert "GMT" in append(client, url, 0, b"12345").headers["Upload-Expires"]
    expire(gateway, UUID(url.rsplit("/", 1)[1]))
    assert append(client, url, 5, b"67890").status_code == 410
    assert client.head(url, headers=TUS).status_code == 410


def expire(gateway: RunningGateway, upload: UUID) -> None:
    """As if a week had passed over it."""
    with closing(sqlite3.connect(gateway.data / "stowgram.sqlite3", timeout=10)) as database:
        changed = database.execute("update uploads set expires_at = created_at where id = ?", [upload.hex])
        assert changed.rowcount == 1
        database.commit()


def test_a_terminated_upload_is_410_and_its_messages_go(
    gateway: RunningGateway, sandbox: RunningSandbox, client: httpx.Client
) -> None:
    url = created(client, 3 * MIB, "terminated")
    assert append(client, url, 0, os.urandom(2 * MIB + 5)).status_code == 204
    assert client.delete(url, headers=TUS).status_code == 204
    assert client.head(url, headers=TUS).status_code == 410
    assert append(client, url, 2 * MIB + 5, b"x").status_code == 410
    assert client.delete(url, headers=TUS).status_code in {204, 410}
    deadline = time.monotonic() + 20
    while orphans(gateway.data, sandbox):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_another_users_upload_is_404_by_every_method(gateway: RunningGateway, client: httpx.Client) -> None:
    url = created(client, 10, "mine")
    add = [sys.executable, "-m", "cli", "user", "add", "eve"]
    subprocess.run(add, cwd=ROOT, env=gateway.environment, input=b"battery staple\n", check=True, timeout=30)
    with httpx.Client(base_url=gateway.url, auth=("eve", "battery staple"), timeout=30) as eve:
        assert eve.get("/api/v1/nodes").status_code == 200
        assert eve.head(url, headers=TUS).status_code == 404
        assert append(eve, url, 0, b"12345").status_code == 404
        assert eve.delete(url, headers=TUS).status_code == 404
        assert eve.head(f"{UPLOADS}/{uuid4()}", headers=TUS).status_code == 404
    assert stands(client, url) == 0


def test_of_many_writers_at_one_offset_one_wins_and_the_others_are_told(
    gateway: RunningGateway, client: httpx.Client
) -> None:
    size = 2 * MIB + 3
    url = created(client, size, "contended")
    bodies = [bytes([number]) * size for number in range(6)]
    answers: dict[int, int] = {}

    def write(number: int) -> None:
        with gateway.client() as mine:
            answers[number] = append(mine, url, 0, bodies[number]).status_code

    writers = [threading.Thread(target=write, args=[number]) for number in range(len(bodies))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert set(answers.values()) <= {204, 409, 423}
    (winner,) = [number for number, status in answers.items() if status == 204]
    assert content(client, "contended") == bodies[winner]


# tuspy. --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["kill -9", "a clean stop"])
def test_tuspy_goes_on_with_an_upload_over_restarts_of_the_gateway(
    gateway: RunningGateway, client: httpx.Client, tmp_path: Path, ending: str
) -> None:
    data = os.urandom(9 * MIB + 1)
    stop = gateway.kill if ending == "kill -9" else gateway.stop
    tus = TusClient(gateway.url + UPLOADS, headers={"Authorization": f"Bearer {gateway.token}"})
    metadata = {"filename": ending, "path": "/tus"}
    uploader = tus.uploader(file_stream=io.BytesIO(data), chunk_size=700_001, metadata=metadata)
    uploader.upload(stop_at=2_000_000)
    for reached in (4_000_000, 7_000_000, len(data)):
        safe = uploader.offset
        stop()
        with pytest.raises((TusUploadFailed, TusCommunicationError)):
            uploader.upload_chunk()
        gateway.start()
        uploader = tus.uploader(file_stream=io.BytesIO(data), chunk_size=700_001, url=uploader.url)
        assert uploader.offset >= safe, "what was acknowledged is there"
        uploader.upload(stop_at=reached)
    assert content(client, ending) == data


def test_tuspy_that_retries_by_itself_lives_through_a_crash_in_mid_upload(
    gateway: RunningGateway, client: httpx.Client
) -> None:
    data = os.urandom(16 * MIB + 7)
    tus = TusClient(gateway.url + UPLOADS, headers={"Authorization": f"Bearer {gateway.token}"})
    uploader = tus.uploader(
        file_stream=io.BytesIO(data),
        chunk_size=300_000,
        metadata={"filename": "crash", "path": "/tus"},
        retries=100,
        retry_delay=0.2,
    )

    def crash() -> None:
        while uploader.offset < 3_000_000:
            time.sleep(0.005)
        gateway.kill()
        gateway.start()

    crasher = threading.Thread(target=crash)
    crasher.start()
    uploader.upload()
    crasher.join(60)
    assert content(client, "crash") == data
