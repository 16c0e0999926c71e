"""The piece cache in the whole system: what Telegram is asked for when many connections want the same file."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from model import MIB
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.running import RunningGateway, running_gateway
from tests.whole.transfer import download, metric, put, within

pytestmark = pytest.mark.slow

SIZE = 12 * MIB + 3
BODY = os.urandom(SIZE)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def gateway(tmp_path: Path, sandbox: RunningSandbox) -> Iterator[RunningGateway]:
    """With a cache that is cold: reading back filled it, so it is thrown away."""
    with running_gateway(tmp_path, sandbox, {"CACHE_SIZE_MIB": "64", "CHUNK_SIZE_MIB": "4"}) as running:
        put(running, "/film", BODY)
        running.stop()
        for kept in (running.data / "cache").iterdir():
            kept.unlink()
        running.start()
        yield running


def served(sandbox: RunningSandbox) -> int:
    return int(sandbox.control.stats()["bytes_served"])


def asked(sandbox: RunningSandbox) -> int:
    return int(sandbox.control.stats()["calls"].get("upload.getFile", 0))


def film(gateway: RunningGateway) -> int:
    with gateway.client() as client:
        return int(client.get("/api/v1/nodes", params={"path": "/"}).json()["items"][0]["id"])


@pytest.mark.needs("aria2c")
def test_sixteen_connections_cost_telegram_the_file_once(
    tmp_path: Path, gateway: RunningGateway, sandbox: RunningSandbox
) -> None:
    before = served(sandbox)
    url = f"{gateway.url}/files/{film(gateway)}/download"
    header = f"Authorization: Bearer {gateway.token}"
    options = [
        "-x16",
        "-s16",
        "-k1M",
        "--quiet=true",
        f"--header={header}",
        f"--dir={tmp_path}",
        "--out=film",
    ]
    subprocess.run(["aria2c", *options, url], check=True, timeout=60)
    assert hashlib.sha256((tmp_path / "film").read_bytes()).digest() == hashlib.sha256(BODY).digest()
    assert served(sandbox) - before <= 1.02 * SIZE


def test_what_was_fetched_once_is_not_asked_for_again_after_a_restart_either(
    gateway: RunningGateway, sandbox: RunningSandbox
) -> None:
    film_id = film(gateway)
    assert download(gateway, film_id).body == BODY
    before = asked(sandbox)
    assert download(gateway, film_id).body == BODY
    gateway.stop()
    gateway.start()
    assert download(gateway, film_id).body == BODY
    assert asked(sandbox) == before
    assert within(5, lambda: metric(gateway, "stowgram_store_cache_disk_hits_total") == 13)


def test_the_seeks_after_the_first_look_no_message_up(
    gateway: RunningGateway, sandbox: RunningSandbox
) -> None:
    def calls() -> Counter[str]:
        counted = Counter(sandbox.control.stats()["calls"])
        return Counter({method: counted[method] for method in ("channels.getMessages", "upload.getFile")})

    def seek(start: int) -> Counter[str]:
        before = calls()
        with gateway.client() as client:
            got = client.get(address, headers={"Range": f"bytes={start}-{start + 99}"})
        assert got.content == BODY[start : start + 100]
        return calls() - before

    address, before = f"/files/{film(gateway)}/download", calls()
    seek(5 * MIB)
    # The message that is read is asked for alone, and those around it beside the bytes, by each account that may read.
    lookups = 1 + len(sandbox.bot_tokens)
    assert within(5, lambda: calls() - before == {"channels.getMessages": lookups, "upload.getFile": 1})
    for start in (9 * MIB, 1 * MIB, 11 * MIB):
        assert seek(start) == {"upload.getFile": 1}


def test_rot_in_the_cache_heals_and_no_wrong_byte_gets_out(gateway: RunningGateway) -> None:
    film_id = film(gateway)
    assert download(gateway, film_id).body == BODY
    gateway.stop()
    slab = gateway.data / "cache" / "pieces.slab"
    with slab.open("r+b") as file:
        for slot in range(slab.stat().st_size // MIB):
            file.seek(slot * MIB + 1000)
            file.write(os.urandom(64))
    gateway.start()
    assert download(gateway, film_id).body == BODY
    assert within(
        5, lambda: metric(gateway, "stowgram_store_cache_refetched_total") == 12
    )  # not the one of 3 bytes
    assert download(gateway, film_id).body == BODY
    assert not within(3, lambda: metric(gateway, "stowgram_store_cache_refetched_total") != 12)
