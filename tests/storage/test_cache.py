"""The cached store keeps the contract, in every mixture of its tiers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model import MIB
from storage.cache.store import CachedStore
from storage.memory import MemoryStore
from tests.storage.contract import StoreContract


class TestCachedStore(StoreContract):
    @pytest.fixture(params=["inline", "threaded"])
    def inner(self, request: pytest.FixtureRequest) -> MemoryStore:
        threaded = request.param == "threaded"
        return MemoryStore(on_read=(lambda locator, span, attempt, body: body) if threaded else None)

    @pytest.fixture(
        params=[(64 * MIB, 8 * MIB), (64 * MIB, 0), (0, 8 * MIB), (MIB, MIB), (0, 0)],
        ids=["disk and memory", "disk", "memory", "one piece", "nothing"],
    )
    def store(
        self, request: pytest.FixtureRequest, inner: MemoryStore, tmp_path: Path
    ) -> Iterator[CachedStore]:
        store = CachedStore(inner, tmp_path / "cache", *request.param)
        yield store
        store.close()
