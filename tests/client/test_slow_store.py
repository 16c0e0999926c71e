"""A Telegram that takes longer than the client's patience for a server that says nothing new."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from client import nodes
from client.api import Api
from client.digest import tree_of
from client.upload import Uploader
from model import MIB, Label, Locator
from tests.client.conftest import Line
from tests.conftest import House


@pytest.mark.slow
def test_put_waits_for_telegram_once_every_byte_is_on_the_server(
    house: House, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.incoming.uploads.FINISH_WAIT", 0.2)
    slow = threading.Event()
    threading.Timer(4.0, slow.set).start()

    def on_put(label: Label, locator: Locator | None) -> None:
        slow.wait(20)

    house.store.on_put = on_put
    local = tmp_path / "in"
    local.write_bytes(os.urandom(9 * MIB))
    token = house.gateway.people.make_token(house.user, "test")[1]
    with Api(f"http://127.0.0.1:{line.port}", token, patience=2.0) as api:
        assert Uploader(api, tmp_path / "state", lambda size: None).send(local, "/f")
        assert nodes.at(api, "/f").etag == tree_of(local)
