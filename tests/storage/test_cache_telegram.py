"""The cached store keeps the contract before the Telegram store on the sandbox: answers come on a loop's thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model import MIB
from storage.cache.store import CachedStore
from storage.telegram.store import TelegramStore
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.storage.contract import StoreContract
from tests.storage.telegram_store import QUICK, settings_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kept over the tests, as over restarts: sign-ins, and what the cache holds."""
    return tmp_path_factory.mktemp("kept")


class TestCachedTelegramStore(StoreContract):
    @pytest.fixture
    def store(self, sandbox: RunningSandbox, folder: Path) -> Iterator[CachedStore]:
        telegram = TelegramStore(settings_for(sandbox), folder / "sessions", "sandbox", QUICK)
        telegram.start(10.0)
        store = CachedStore(telegram, folder / "cache", 16 * MIB, 4 * MIB)
        yield store
        store.close()
