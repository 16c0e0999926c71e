"""The Telegram store keeps the contract on the sandbox, over a real MTProto wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kept over the tests, as over restarts, so that the bots sign in once."""
    return tmp_path_factory.mktemp("sessions")


class TestTelegramStore(StoreContract):
    @pytest.fixture
    def store(self, sandbox: RunningSandbox, sessions: Path) -> Iterator[TelegramStore]:
        store = TelegramStore(settings_for(sandbox), sessions, "sandbox", QUICK)
        store.start(10.0)
        yield store
        store.close()
