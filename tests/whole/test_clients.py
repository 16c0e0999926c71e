"""Files go in by `put` and come out by every program that people download with: whole, resumed, and equal."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from model import MIB, PIECE_SIZE
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.programs import ARIA2C, CURL, PROGRAMS, WGET, WGET2, Program
from tests.whole.running import RunningGateway, running_gateway
from tests.whole.sums import digest, digests

pytestmark = pytest.mark.slow

CHUNK = 2 * MIB
SIZES = (
    0, 1, PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * MIB + 1, 9 * MIB + 1,
)  # fmt: skip
"""Every border, k MiB + 1, and one that `put` sends in parts."""
LONG = 24 * MIB + 5
SLOW = 1 * MIB
"""Bytes per second and connection, so that there is a middle in which to be interrupted."""

needed = [
    pytest.param(program, marks=pytest.mark.needs(program.name), id=program.name) for program in PROGRAMS
]
"""Every program."""
sequential = [
    pytest.param(program, marks=pytest.mark.needs(program.name), id=program.name)
    for program in (CURL, WGET, WGET2)
]
"""Those whose file grows from its start."""


@dataclass(frozen=True)
class Shelf:
    """A gateway with files in it, and the same files here."""

    gateway: RunningGateway
    sandbox: RunningSandbox
    local: Path
    ids: dict[str, int]

    def url(self, name: str) -> str:
        return f"{self.gateway.url}/files/{self.ids[name]}/download"

    @property
    def header(self) -> str:
        return f"Authorization: Bearer {self.gateway.token}"

    def wait_served(self, size: int) -> None:
        """Until so many bytes more have left the sandbox."""
        begun, deadline = self._served(), time.monotonic() + 30
        while self._served() < begun + size:
            assert time.monotonic() < deadline, "the download did not run"
            time.sleep(0.02)

    def last_span(self, name: str) -> tuple[int, int]:
        """Of the download of this file that ended last: which bytes were asked for, as the gateway's log has it."""
        log = self.gateway.log.read_text(encoding="utf-8")
        start, stop = re.findall(rf"download of file {self.ids[name]} \[(\d+), (\d+)\).*, complete", log)[-1]
        return int(start), int(stop)

    def _served(self) -> int:
        return int(self.sandbox.control.stats()["bytes_served"])


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("clients")
    local = folder / "local"
    local.mkdir()
    for size in SIZES:
        (local / f"{size}.bin").write_bytes(os.urandom(size))
    (local / "long.bin").write_bytes(os.urandom(LONG))
    with (
        start_sandbox(folder / "sandbox") as sandbox,
        running_gateway(folder, sandbox, {"CHUNK_SIZE_MIB": str(CHUNK // MIB)}) as gateway,
    ):
        gateway.run("put", local, "/sizes")
        with gateway.client() as client:
            items = client.get("/api/v1/nodes", params={"path": "/sizes"}).json()["items"]
        yield Shelf(gateway, sandbox, local, {item["name"]: item["id"] for item in items})


@pytest.fixture
def slow(shelf: Shelf) -> Iterator[None]:
    shelf.sandbox.control.bandwidth(SLOW)
    yield
    shelf.sandbox.control.clear()


def test_what_was_put_is_listed_with_its_own_digest_and_comes_back_by_get(
    shelf: Shelf, tmp_path: Path
) -> None:
    with shelf.gateway.client() as client:
        items = client.get("/api/v1/nodes", params={"path": "/sizes"}).json()["items"]
    assert {item["name"]: item["sha256"] for item in items} == digests(shelf.local)
    shelf.gateway.run("get", "/sizes", tmp_path / "back")
    assert digests(tmp_path / "back") == digests(shelf.local)


@pytest.mark.parametrize("program", needed)
def test_a_file_of_every_awkward_size_comes_out_equal(program: Program, shelf: Shelf, tmp_path: Path) -> None:
    for name in shelf.ids:
        goal = tmp_path / name / "download"
        goal.parent.mkdir()
        program.fetch(shelf.url(name), shelf.header, goal)
        assert digest(goal) == digest(shelf.local / name), name


@pytest.mark.parametrize("program", sequential)
def test_a_download_that_was_killed_goes_on_where_it_was(
    program: Program, shelf: Shelf, slow: None, tmp_path: Path
) -> None:
    goal = tmp_path / "download"
    with program.start(shelf.url("long.bin"), shelf.header, goal) as process:
        shelf.wait_served(16 * MIB)
        process.kill()
    there = goal.stat().st_size
    assert 0 < there < LONG
    shelf.sandbox.control.clear()
    program.fetch(shelf.url("long.bin"), shelf.header, goal)
    assert digest(goal) == digest(shelf.local / "long.bin")
    assert shelf.last_span("long.bin") == (there, LONG)


@pytest.mark.needs("aria2c")
def test_sixteen_connections_that_were_killed_go_on_where_they_were(
    shelf: Shelf, slow: None, tmp_path: Path
) -> None:
    goal = tmp_path / "download"
    with ARIA2C.start(shelf.url("long.bin"), shelf.header, goal) as process:
        shelf.wait_served(12 * MIB)
        process.kill()
    assert goal.with_name("download.aria2").exists(), "it was killed in the middle"
    shelf.sandbox.control.clear()
    ARIA2C.fetch(shelf.url("long.bin"), shelf.header, goal)
    assert digest(goal) == digest(shelf.local / "long.bin")
    assert not goal.with_name("download.aria2").exists()


@pytest.mark.parametrize(
    "program", [*sequential, pytest.param(ARIA2C, marks=pytest.mark.needs("aria2c"), id="aria2c")]
)
def test_a_file_that_is_complete_is_left_as_it_is(program: Program, shelf: Shelf, tmp_path: Path) -> None:
    goal = tmp_path / "download"
    shutil.copy(shelf.local / "5242881.bin", goal)
    program.fetch(shelf.url("5242881.bin"), shelf.header, goal)
    assert digest(goal) == digest(shelf.local / "5242881.bin")


@pytest.mark.needs("curl")
def test_a_program_that_knows_only_basic_comes_in_with_a_token_for_its_password(
    shelf: Shelf, tmp_path: Path
) -> None:
    line = ["curl", "-sS", "--fail", "-u", f"admin:{shelf.gateway.token}", "-o", str(tmp_path / "f")]
    subprocess.run([*line, shelf.url("1.bin")], check=True, timeout=30)
    assert digest(tmp_path / "f") == digest(shelf.local / "1.bin")


@pytest.mark.needs("curl")
def test_a_script_puts_with_curl_and_its_checksum_is_told(shelf: Shelf) -> None:
    local = shelf.local / f"{CHUNK + 1}.bin"
    line = ["curl", "-sS", "--fail", "-H", shelf.header, "-T", str(local)]
    said = subprocess.run(
        [*line, f"{shelf.gateway.url}/api/v1/content/by-curl/x.bin"],
        check=True,
        timeout=30,
        capture_output=True,
    ).stdout
    assert json.loads(said)["sha256"] == digest(local)


def test_a_tree_of_real_files_goes_in_and_comes_out_and_goes_in_only_once(
    shelf: Shelf, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(
        Path(json.__file__).parent.parent / "email", tree, ignore=shutil.ignore_patterns("__pycache__")
    )
    (tree / "empty folder").mkdir()
    (tree / "größe ½ & 100%.txt").write_text("ok", encoding="utf-8")
    count = len(digests(tree))
    assert f"{count} sent, 0 there already, 0 failed" in shelf.gateway.run("put", tree, "/tree")
    assert f"0 sent, {count} there already, 0 failed" in shelf.gateway.run("put", tree, "/tree")
    shelf.gateway.run("get", "/tree", tmp_path / "back")
    assert digests(tmp_path / "back") == digests(tree)
    assert (tmp_path / "back" / "empty folder").is_dir()


def test_a_get_that_was_killed_goes_on_where_it_was(shelf: Shelf, slow: None, tmp_path: Path) -> None:
    goal = tmp_path / "long.bin"
    with shelf.gateway.command("get", "/sizes/long.bin", goal) as process:
        shelf.wait_served(16 * MIB)
        process.kill()
    assert not goal.exists(), "a name is given to whole files only"
    shelf.sandbox.control.clear()
    (part,) = tmp_path.glob("*.part")
    there = part.stat().st_size
    shelf.gateway.run("get", "/sizes/long.bin", goal)
    assert digest(goal) == digest(shelf.local / "long.bin")
    assert 0 < there < LONG
    assert shelf.last_span("long.bin") == (there, LONG)
    assert [path.name for path in tmp_path.iterdir()] == ["long.bin"]


def test_a_put_that_was_killed_goes_on_where_it_was(shelf: Shelf, slow: None, tmp_path: Path) -> None:
    local = tmp_path / "film.bin"
    local.write_bytes(os.urandom(LONG))
    with shelf.gateway.command("put", local, "/killed/film.bin") as process:
        deadline = time.monotonic() + 30
        while not (began := uploads(shelf.gateway)):
            assert process.poll() is None and time.monotonic() < deadline, "the upload did not begin"
            time.sleep(0.02)
        process.kill()
    assert began == uploads(shelf.gateway)
    shelf.sandbox.control.clear()
    shelf.gateway.run("put", local, "/killed/film.bin")
    with shelf.gateway.client() as client:
        (node,) = client.get("/api/v1/nodes", params={"path": "/killed"}).json()["items"]
        finished = client.head(f"/api/v1/uploads/{began[0]}", headers={"Tus-Resumable": "1.0.0"})
    assert node["sha256"] == digest(local)
    assert int(finished.headers["Upload-Offset"]) == LONG, "it is the same upload that was finished"


def uploads(gateway: RunningGateway) -> list[UUID]:
    """Those under way of which something has arrived."""
    with closing(sqlite3.connect(gateway.data / "stowgram.sqlite3")) as database:
        rows = database.execute("select id from uploads where file_id is null and offset > 0").fetchall()
    return [UUID(row[0]) if isinstance(row[0], str) else UUID(bytes=row[0]) for row in rows]
