"""Settings that cannot work, and a data folder that is taken: refused at start, in a line for each fault."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from model import MIB
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.refusal import refused_start
from tests.whole.running import clean_environment, running_gateway, telegram
from tests.whole.transfer import comes_out_right, put

pytestmark = pytest.mark.slow

BODY = os.urandom(2 * MIB + 1)
UNUSABLE = 2
"""The exit code for settings that cannot work."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def test_every_fault_of_the_settings_is_told_at_once(tmp_path: Path) -> None:
    wrong = {
        "PORT": "70000",
        "CHUNK_SIZE_MIB": "0",
        "LOG_FORMAT": "xml",
        "BASE_URL": "ftp://x",
        "TELEGRAM_BOT_TOKENS": "1:AAA-secret",
        "TELEGRAM_SERVER": "nowhere",
        "DATA_DIR": str(tmp_path / "data"),
    }
    code, lines = refused_start(clean_environment() | wrong)
    assert code == UNUSABLE
    told = "\n".join(lines)
    for name in (*wrong, "TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_CHANNEL"):
        assert name in told or name in {"DATA_DIR", "TELEGRAM_BOT_TOKENS"}
    assert "secret" not in told
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "missing", ["TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_CHANNEL", "TELEGRAM_BOT_TOKENS"]
)
def test_telegram_set_in_part_never_starts_the_sandbox(
    tmp_path: Path, sandbox: RunningSandbox, missing: str
) -> None:
    settings = telegram(sandbox) | {"DATA_DIR": str(tmp_path / "data"), "PORT": "0"}
    del settings[missing]
    code, lines = refused_start(clean_environment() | settings)
    assert code == UNUSABLE
    assert any(missing in line for line in lines)
    assert not (tmp_path / "data").exists()


def test_a_second_instance_on_the_same_data_is_refused_and_the_first_serves_on(
    tmp_path: Path, sandbox: RunningSandbox
) -> None:
    with running_gateway(tmp_path, sandbox) as gateway:
        kept = put(gateway, "/kept", BODY)["id"]
        code, lines = refused_start(gateway.environment | {"PORT": "0"})
        assert code == UNUSABLE
        assert len(lines) == 1
        assert "already running" in lines[0]
        assert comes_out_right(gateway, kept, BODY)
