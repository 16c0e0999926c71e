"""A folder as a ZIP over the whole house: fetched, killed, the gateway restarted, gone on with, and tested by unzip."""

from __future__ import annotations

import os
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from model import MIB
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.programs import ARIA2C, CURL, Program
from tests.whole.running import RunningGateway, running_gateway
from tests.whole.sums import digests

pytestmark = pytest.mark.slow

SMALL = 100
"""Files of a few bytes, besides the large ones."""

programs = [
    pytest.param(
        program, marks=[pytest.mark.needs(program.name), pytest.mark.needs("unzip")], id=program.name
    )
    for program in (CURL, ARIA2C)
]


@dataclass(frozen=True)
class Shelf:
    gateway: RunningGateway
    sandbox: RunningSandbox
    local: Path
    url: str
    """Of the folder as it is."""

    @property
    def header(self) -> str:
        return f"Authorization: Bearer {self.gateway.token}"

    @property
    def served(self) -> int:
        """Bytes that have left the sandbox."""
        return int(self.sandbox.control.stats()["bytes_served"])


def wait_arrived(goal: Path, size: int) -> None:
    """Until so many bytes of the file are on this machine's disk, holes not counted."""
    deadline = time.monotonic() + 60
    while not goal.exists() or getattr(goal.stat(), "st_blocks", 0) * 512 < size:
        assert time.monotonic() < deadline, "the download did not run"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("zip")
    local = folder / "local"
    (local / "größe" / "deep").mkdir(parents=True)
    (local / "empty folder").mkdir()
    for name, size in (("none", 0), ("one", 1), ("deep/film", 17 * MIB + 5), ("other film", 9 * MIB)):
        (local / "größe" / name).write_bytes(os.urandom(size))
    for number in range(SMALL):
        (local / f"{number}.txt").write_bytes(os.urandom(number))
    with (
        start_sandbox(folder / "sandbox") as sandbox,
        running_gateway(folder, sandbox, {"CHUNK_SIZE_MIB": "2"}) as gateway,
    ):
        gateway.run("put", local, "/zip")
        with gateway.client() as client:
            found = client.get("/api/v1/nodes", params={"path": "/zip"}).json()["folder"]
            head = client.head(f"/folders/{found['id']}/download.zip")
        yield Shelf(gateway, sandbox, local, gateway.url + head.headers["Content-Location"])


def test_what_unzips_is_what_was_put(shelf: Shelf, tmp_path: Path) -> None:
    goal = tmp_path / "z.zip"
    with shelf.gateway.client() as client:
        goal.write_bytes(client.get(shelf.url).content)
    with zipfile.ZipFile(goal) as archive:
        archive.extractall(tmp_path / "back")
    assert digests(tmp_path / "back") == digests(shelf.local)
    assert (tmp_path / "back" / "empty folder").is_dir()


@pytest.mark.parametrize("program", programs)
def test_a_zip_goes_on_where_it_was_killed_though_the_gateway_was_too(
    program: Program, shelf: Shelf, tmp_path: Path
) -> None:
    goal = tmp_path / "z.zip"
    shelf.sandbox.control.bandwidth(MIB)
    try:
        with program.start(shelf.url, shelf.header, goal) as process:
            wait_arrived(goal, 8 * MIB)
            process.kill()
    finally:
        shelf.sandbox.control.clear()
    shelf.gateway.kill()
    shelf.gateway.start()
    before = shelf.served
    program.fetch(shelf.url, shelf.header, goal)
    subprocess.run(["unzip", "-tqq", goal], check=True, timeout=60)
    with zipfile.ZipFile(goal) as archive:
        archive.extractall(tmp_path / "back")
    assert digests(tmp_path / "back") == digests(shelf.local)
    again = shelf.served - before
    assert program is not CURL or again < goal.stat().st_size - 4 * MIB, (
        "what was there was not fetched again"
    )
