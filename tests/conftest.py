"""What every room's tests share: a whole gateway over a memory store, a real database and real staging."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from db import Database
from gateway import Gateway, Limits, Post
from model import MIB, User
from storage.memory import MemoryStore
from storage.objects.base import ObjectStore
from streaming.staging import Staging

# Random examples are not timed one by one: the machine may be busy with something else.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
# Each of httpx's clients reads all roots of trust anew, 40 ms of work, though here all of them speak plain HTTP.
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)  # type: ignore[attr-defined]


_ALL_SLOW = re.compile(r"^pytestmark = (\[\s*)?pytest\.mark\.slow", re.MULTILINE)


@dataclass(frozen=True)
class House:
    """A gateway and the rooms behind it, for tests that look behind it."""

    gateway: Gateway
    store: MemoryStore
    database: Database
    staging: Staging
    user: User

    @property
    def downloading(self) -> int:
        """Connections of downloads."""
        return self.gateway.transfers.figures().connections["download"]


LIMITS = {
    "yield_size": 256 << 10,
    "downloads": 64,
    "downloads_per_user": 32,
    "connections_per_download": 32,
}


@cache
def new_database() -> bytes:
    """A database as a first start makes it. Migrating one for each test would be most of many tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.sqlite"
        database = Database(f"sqlite:///{path.as_posix()}")
        database.migrate()
        database.close()
        return path.read_bytes()


def build_house(
    folder: Path,
    store: MemoryStore | None = None,
    *,
    chunk_size: int = 2 * MIB,
    room: int = 64 * MIB,
    objects: ObjectStore | None = None,
    post: Post | None = None,
    **limits: int,
) -> House:
    """A gateway on `folder`; building it again on the same folder and store is a restart."""
    path = folder / "stowgram.sqlite"
    if not path.exists():
        path.write_bytes(new_database())
    database = Database(f"sqlite:///{path.as_posix()}")
    database.migrate()
    store = store or MemoryStore()
    staging = Staging(folder / "staging", limit=room)
    allowed = Limits(**LIMITS | {"chunk_size": chunk_size} | limits)
    gateway = Gateway(database, store, staging, folder, allowed, objects=objects, post=post)
    user = next(iter(gateway.people.all()), None) or gateway.people.add("ada", "correct horse", is_admin=True)
    return House(gateway, store, database, staging, user)


def wait_for_transit(house: House, upload_id: UUID) -> None:
    """Until nothing of the upload is on its way: a real restart leaves no thread that goes on carrying."""
    deadline = time.monotonic() + 10
    while house.gateway.uploads.in_transit(upload_id):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What is slow as a whole is not even imported for the fast subset: it needs the largest of the tests' tools."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return _ALL_SLOW.search(collection_path.read_text(encoding="utf-8")) is not None or None


@pytest.fixture(autouse=True, scope="session")
def _as_installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests start as processes is what users start. Telethon and httpx load these two libraries as well wherever
    they are, for a quarter of every start; here they are since the tests' own tools need them. And it is compiled once.
    """
    folder = tmp_path_factory.mktemp("absent")
    for name in ("aiohttp", "rich"):
        (folder / f"{name}.py").write_text(
            "raise ImportError('what users have does not need it')\n", encoding="utf-8"
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2, but with the least work: two hashes a test would be most of the time."""
    monkeypatch.setattr(
        "gateway.access.passwords.PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=64)
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path)
    yield built
    built.gateway.close()
    built.store.close()
    built.database.close()


def damage(database: Path, table: str, after: int = 0) -> None:
    """Write noise over the root page of the table, or so many pages after it, also while somebody uses it."""
    with closing(sqlite3.connect(database)) as beside:
        beside.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (size,) = beside.execute("PRAGMA page_size").fetchone()
        (page,) = beside.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1 + after) * size)
        file.write(os.urandom(size))
    with closing(sqlite3.connect(database)) as beside:
        beside.execute("PRAGMA user_version = 7")  # a change, so that nobody trusts pages read before
        beside.commit()


@pytest.fixture(autouse=True)
def _outside_programs(request: pytest.FixtureRequest) -> None:
    """Skip a test whose outside program is missing, and say which; in CI that is a failure instead."""
    for marker in request.node.iter_markers("needs"):
        for tool in marker.args:
            if shutil.which(tool) is None:
                reason = f"{tool} is not installed"
                if os.environ.get("CI"):
                    pytest.fail(f"{reason}; .ci/run should have installed it")
                pytest.skip(reason)
