"""`kill -9` of the gateway at every step of an upload, with the real `put` on the other side."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.known import orphans
from tests.whole.running import RunningGateway

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform == "win32", reason="kill -9 is POSIX; Windows' TerminateProcess is the same to files"
    ),
]

SIZE = (9 << 20) + 17
"""Two parts of `put`; chunks of 4, 4 and 1 MiB and 17 bytes: with the manifest, four messages."""
WALK = [
    ("create", "before", 1),
    ("create", "after", 1),
    ("receive", "before", 2),
    ("advance", "before", 1),
    ("advance", "after", 2),
    ("receive", "after", 2),
    ("intend", "before", 1),
    ("intend", "before", 3),
    ("put", "before", 1),
    ("put", "after", 1),
    ("put", "after", 2),
    ("stored", "after", 1),
    ("read back", "after", 1),
    ("drop", "after", 1),
    ("read back", "before", 3),
    ("intend", "before", 4),
    ("put", "before", 4),
    ("put", "after", 4),
    ("finish", "before", 1),
    ("finish", "after", 1),
    ("free staging", "after", 1),
]
"""The state of the world changes between these; what comes before one is what comes after the one above it."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@dataclass(frozen=True)
class Doomed:
    """A gateway that has outlived every test before, and the file that tells it where to die."""

    gateway: RunningGateway
    fate: Path

    def start(self) -> None:
        self.gateway.start(("-m", "tests.whole.dying", str(self.fate)))


@pytest.fixture(scope="module")
def doomed(sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doomed]:
    folder = tmp_path_factory.mktemp("gateway")
    doomed = Doomed(RunningGateway(folder / "data", sandbox, {"CHUNK_SIZE_MIB": "4"}), folder / "fate")
    doomed.start()
    yield doomed
    assert doomed.gateway.stop() == 0


@pytest.mark.parametrize(("step", "when", "number"), WALK)
def test_a_gateway_killed_at_any_step_loses_nothing_and_leaves_no_orphan(
    tmp_path: Path, sandbox: RunningSandbox, doomed: Doomed, step: str, when: str, number: int
) -> None:
    gateway, folder = doomed.gateway, f"/{step}-{when}-{number}"
    local = tmp_path / "film.bin"
    local.write_bytes(os.urandom(SIZE))
    doomed.fate.write_text(f"{step} {when} {number}", encoding="utf-8")
    assert gateway.process is not None
    with gateway.command("put", local, f"{folder}/") as put:
        try:
            assert gateway.process.wait(40) == -9, "the step was reached"
            _nothing_is_half_visible(gateway)
            doomed.fate.unlink()
            doomed.start()
            said, _ = put.communicate(timeout=60)
        finally:
            put.kill()
    if put.returncode != 0:
        gateway.run("put", local, f"{folder}/")
    with gateway.client() as client:
        (node,) = client.get("/api/v1/nodes", params={"path": folder}).json()["items"]
        body = client.get(f"/files/{node['id']}/download").content
    assert hashlib.sha256(body).digest() == hashlib.sha256(local.read_bytes()).digest(), said
    _no_orphan_stays(gateway, sandbox)


def _nothing_is_half_visible(gateway: RunningGateway) -> None:
    """A file that is in the tree has all of its chunks."""
    chunks = "select coalesce(sum(chunks.size), 0) from chunks where content_id = contents.id"
    with closing(sqlite3.connect(gateway.data / "stowgram.sqlite3")) as database:
        rows = database.execute(f"select size, ({chunks}) from contents").fetchall()
    assert all(size == there for size, there in rows)


def _no_orphan_stays(gateway: RunningGateway, sandbox: RunningSandbox) -> None:
    deadline = time.monotonic() + 40
    while orphans(gateway.data, sandbox):
        assert time.monotonic() < deadline, f"orphans: {orphans(gateway.data, sandbox)}"
        time.sleep(0.2)
