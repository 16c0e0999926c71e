"""A Telegram that takes longer than the client's patience for a server that says nothing new."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import closing
from pathlib import Path

import pytest

from app import create_app
from client import nodes, tus
from client.api import Api
from client.digest import tree_of
from client.parts import Parts, Source
from client.sending import Sending
from client.upload import Uploader
from model import MIB, Label, Locator
from tests.client.conftest import Line
from tests.conftest import House, build_house
from tests.serving.conftest import serve, settings_for_tests


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


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[House]:
    """A gateway whose staging holds hardly more than a part."""
    built = build_house(tmp_path, room=10 * MIB)
    yield built
    built.gateway.close()
    built.store.close()
    built.database.close()


@pytest.mark.slow
def test_a_part_that_waits_for_a_slow_store_keeps_its_connection_and_is_not_sent_again(
    crowded: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.watchdog.BODY_INTERVAL", 2.0)
    monkeypatch.setattr("client.sending.TRICKLE_EVERY", 0.6)
    slow, settings = threading.Event(), settings_for_tests(tmp_path)

    def on_put(label: Label, locator: Locator | None) -> None:
        slow.wait(20)

    crowded.store.on_put = on_put
    local = tmp_path / "in"
    local.write_bytes(os.urandom(20 * MIB))
    token = crowded.gateway.people.make_token(crowded.user, "test")[1]
    with (
        serve(create_app(crowded.gateway, settings), settings) as running,
        closing(Line(running.address[1])) as line,
        Api(f"http://127.0.0.1:{line.port}", token) as api,
    ):
        threading.Timer(3.5, slow.set).start()
        assert Uploader(api, tmp_path / "state", lambda size: None).send(local, "/f")
        assert line.passed < 21 * MIB


@pytest.mark.slow
def test_a_part_that_is_not_called_for_in_time_is_begun_anew(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.sending.TRICKLE_EVERY", 0.01)
    local = tmp_path / "in"
    local.write_bytes(os.urandom(20 * MIB))
    upload = tus.create(api, "/", "f", 20 * MIB, "text/plain")
    with (
        local.open("rb") as file,
        Parts(Source.of(local, file)) as parts,
        Sending(api, upload, parts) as sending,
    ):
        offset = sending.send(0)
        assert sending._next is not None
        wait([sending._next.answer], 10)
        while offset < 20 * MIB:
            offset = sending.send(offset)
    assert nodes.at(api, "/f").etag == tree_of(local)
