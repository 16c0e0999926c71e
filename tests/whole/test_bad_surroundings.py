"""A full disk, a database that is held or damaged, a channel or session that is gone.

Each is told in a sentence, by the response or by the line with which the server does not start; no file is lost.
"""

from __future__ import annotations

import base64
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from model import MIB
from storage.telegram.login import sign_in
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.refusal import refused_start
from tests.whole.running import RunningGateway, clean_environment, running_gateway, telegram
from tests.whole.transfer import assert_problem, comes_out_right, download, put, within

pytestmark = pytest.mark.slow

BODY = os.urandom(2 * MIB + 1)
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path / "sandbox") as running:
        yield running


def started(folder: Path, sandbox: RunningSandbox, **settings: str) -> RunningGateway:
    gateway = RunningGateway(folder / "data", sandbox, settings)
    gateway.start()
    return gateway


def ready(gateway: RunningGateway) -> dict[str, str]:
    document: dict[str, str] = httpx.get(f"{gateway.url}/readyz", timeout=20).json()
    return document


def listed(gateway: RunningGateway) -> set[str]:
    with gateway.client() as client:
        return {item["name"] for item in client.get("/api/v1/nodes").raise_for_status().json()["items"]}


# A full disk. --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="a limit for the size of files is POSIX")
def test_an_upload_onto_a_full_disk_is_a_507_and_goes_on_when_there_is_room(
    tmp_path: Path, sandbox: RunningSandbox
) -> None:
    gateway = RunningGateway(tmp_path / "data", sandbox, {"CHUNK_SIZE_MIB": "4"})
    gateway.start(("-m", "tests.whole.cramped", str(3 * MIB)))
    kept = put(gateway, "/kept", BODY)["id"]
    body = os.urandom(4 * MIB)
    with gateway.client() as client:
        named = TUS | {"Upload-Metadata": "filename " + base64.b64encode(b"victim").decode()}
        url = client.post("/api/v1/uploads", headers=named | {"Upload-Length": str(len(body))}).headers[
            "Location"
        ]

        def part(offset: int) -> httpx.Response:
            said = TUS | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            return client.patch(url, headers=said, content=body[offset : offset + 2 * MIB])

        assert part(0).status_code == 204
        full = part(2 * MIB)
        assert full.status_code == 507, full.text
        assert_problem(full.status_code, full.headers)
        assert "full" in full.json()["detail"]
        assert client.head(url, headers=TUS).headers["Upload-Offset"] == str(2 * MIB)
        assert listed(gateway) == {"kept"}
        assert gateway.stop() == 0
        gateway.start()  # with room
        assert part(2 * MIB).status_code == 204
        victim = next(n["id"] for n in client.get("/api/v1/nodes").json()["items"] if n["name"] == "victim")
    assert comes_out_right(gateway, victim, body)
    assert comes_out_right(gateway, kept, BODY)
    assert gateway.stop() == 0


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[None]:
    """A file system of `size` bytes at `place`; skips the test where nobody may mount one."""
    if shutil.which("mount") is None:
        pytest.skip("a small disk is mounted with `mount`")
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=False)
    if mounted.returncode != 0:
        pytest.skip("this account may not mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_that_fills_up_to_the_last_byte_loses_nothing(tmp_path: Path, sandbox: RunningSandbox) -> None:
    with small_disk(tmp_path / "data", 12 * MIB), running_gateway(tmp_path, sandbox) as gateway:
        kept = put(gateway, "/kept", BODY)["id"]
        ballast = gateway.data / "ballast"
        with pytest.raises(OSError, match="No space"), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))
        with gateway.client() as client:
            full = client.put("/api/v1/content/victim", content=BODY)
        assert full.status_code == 507, full.text
        assert_problem(full.status_code, full.headers)
        ballast.unlink()
        assert listed(gateway) == {"kept"}
        assert comes_out_right(gateway, kept, BODY)
        assert comes_out_right(gateway, put(gateway, "/victim", BODY)["id"], BODY)


# The database. -------------------------------------------------------------------------------------------------------


def test_a_database_held_by_another_program_is_a_503_until_it_is_let_go(
    tmp_path: Path, sandbox: RunningSandbox
) -> None:
    with running_gateway(tmp_path, sandbox) as gateway, gateway.client() as client:
        kept = put(gateway, "/kept", BODY)["id"]
        with closing(sqlite3.connect(gateway.data / "stowgram.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            held = client.put("/api/v1/content/victim", content=b"x")
            assert held.status_code == 503, held.text
            assert_problem(held.status_code, held.headers)
            assert "held by another program" in held.json()["detail"]
            assert comes_out_right(gateway, kept, BODY)
            other.execute("ROLLBACK")
        assert listed(gateway) == {"kept"}
        assert comes_out_right(gateway, put(gateway, "/victim", BODY)["id"], BODY)


def test_a_damaged_database_is_told_and_a_backup_brings_every_file_back(
    tmp_path: Path, sandbox: RunningSandbox
) -> None:
    gateway = started(tmp_path, sandbox)
    kept = put(gateway, "/kept", BODY)["id"]
    assert gateway.stop() == 0
    database = gateway.data / "stowgram.sqlite3"
    backup = database.read_bytes()
    for damaged in (os.urandom(len(backup)), backup[:100] + os.urandom(len(backup) - 100), b"not a database"):
        database.write_bytes(damaged)
        code, lines = refused_start(gateway.environment)
        assert code == 1
        assert len(lines) == 1
        assert "damaged" in lines[0]
        assert "backup" in lines[0]
        assert database.read_bytes() == damaged, "nobody wrote into what may still be mended"
    database.write_bytes(backup)
    gateway.start()
    assert comes_out_right(gateway, kept, BODY)
    assert gateway.stop() == 0


def test_a_database_that_is_damaged_while_it_is_used_is_told_by_readyz_and_by_errors(
    tmp_path: Path, sandbox: RunningSandbox
) -> None:
    with running_gateway(tmp_path, sandbox) as gateway, gateway.client() as client:
        put(gateway, "/kept", BODY)
        with closing(sqlite3.connect(gateway.data / "stowgram.sqlite3")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with (gateway.data / "stowgram.sqlite3").open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(4096)
            file.write(os.urandom(size - 4096))
        with closing(sqlite3.connect(gateway.data / "stowgram.sqlite3")) as database:
            database.execute("PRAGMA user_version = 7")  # a change, so that nobody trusts pages read before
            database.commit()
        assert within(5.0, lambda: "damaged" in ready(gateway)["database"])
        told = client.put("/api/v1/content/victim", content=b"x")
        assert told.status_code == 503, told.text
        assert_problem(told.status_code, told.headers)
        assert "Traceback" not in gateway.log.read_text(encoding="utf-8")


# Telegram. -----------------------------------------------------------------------------------------------------------


def test_a_channel_that_is_gone_is_told_while_running_and_at_the_next_start(
    tmp_path: Path, own_sandbox: RunningSandbox
) -> None:
    with running_gateway(tmp_path, own_sandbox) as gateway:
        kept = put(gateway, "/kept", BODY)["id"]
        own_sandbox.control.delete_channel(own_sandbox.channel)
        with gateway.client() as client:
            told = client.put("/api/v1/content/victim", content=BODY)
        assert told.status_code == 502, told.text
        assert_problem(told.status_code, told.headers)
        assert "TELEGRAM_CHANNEL" in told.json()["detail"]
        assert download(gateway, kept).status == 502
        assert within(5.0, lambda: "TELEGRAM_CHANNEL" in ready(gateway)["telegram"])  # it looks every 2 s
        assert listed(gateway) == {"kept"}
        assert gateway.stop() == 0
        code, lines = refused_start(gateway.environment)
    assert code == 1
    assert len(lines) == 1
    assert "TELEGRAM_CHANNEL" in lines[0]


def test_bots_whose_sessions_were_revoked_sign_in_again_at_start(
    tmp_path: Path, own_sandbox: RunningSandbox
) -> None:
    with running_gateway(tmp_path, own_sandbox) as gateway:
        kept = put(gateway, "/kept", BODY)["id"]
        assert gateway.stop() == 0
        assert own_sandbox.control.revoke_session() > 0
        gateway.start()
        assert comes_out_right(gateway, kept, BODY)


def test_a_person_whose_session_was_revoked_is_asked_to_sign_in_at_start(
    tmp_path: Path, own_sandbox: RunningSandbox
) -> None:
    session = sign_in(
        api_id=own_sandbox.api_id,
        api_hash=own_sandbox.api_hash,
        phone=lambda: own_sandbox.phone,
        code=lambda: own_sandbox.code,
        password=lambda: "",
        tell=lambda sentence: None,
        server=(own_sandbox.dc, own_sandbox.host, own_sandbox.port),
        server_key=own_sandbox.key,
    )
    own_sandbox.control.revoke_session()
    settings = telegram(own_sandbox) | {"TELEGRAM_SESSION": session}
    del settings["TELEGRAM_BOT_TOKENS"]
    code, lines = refused_start(
        clean_environment() | settings | {"DATA_DIR": str(tmp_path / "data"), "PORT": "0"}
    )
    assert code == 1
    assert len(lines) == 1
    assert "run.py login" in lines[0]
    assert session not in lines[0]
