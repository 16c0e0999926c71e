"""When upkeep is done: each task in its own time, whatever another one is doing."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from errors import Transient
from gateway import Gateway
from jobs.keeper import Keeper
from tests.conftest import House


def test_damage_is_noted_and_the_trash_emptied_while_another_task_takes_long(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, emptied, over = threading.Event(), threading.Event(), threading.Event()
    upkeep = house.gateway.upkeep
    monkeypatch.setattr(upkeep, "go_on_with_uploads", lambda: over.wait(30))
    monkeypatch.setattr(upkeep, "complete_digests", lambda stop: over.wait(30))
    monkeypatch.setattr(upkeep, "note_damage", noted.set)
    monkeypatch.setattr(upkeep, "empty_trash", emptied.set)
    keeper = Keeper(house.gateway)
    keeper.start()
    try:
        assert noted.wait(3)
        noted.clear()
        assert noted.wait(3), "and again"
        assert emptied.wait(3)
    finally:
        over.set()
        keeper.stop()


def test_a_task_that_fails_is_tried_again_after_the_time_that_the_store_names() -> None:
    tries = threading.Semaphore(0)

    def fails() -> None:
        tries.release()
        raise Transient("not now", retry_after=0.1)

    def nothing(*_: object) -> None:
        return None

    names = (
        "note_damage",
        "watch_transfers",
        "keep_totals",
        "go_on_with_uploads",
        "empty_bin",
        "empty_trash",
        "settle_intents",
        "pass_on_events",
        "expire",
        "keep_uses",
        "make_room",
        "complete_digests",
        "tidy_prepared",
        "look_outside",
        "check_database",
    )
    upkeep = SimpleNamespace(**dict.fromkeys(names, nothing) | {"note_damage": fails})
    keeper = Keeper(cast(Gateway, cast(Any, SimpleNamespace(upkeep=upkeep))))
    keeper.start()
    try:
        assert tries.acquire(timeout=3)
        assert tries.acquire(timeout=3)
    finally:
        keeper.stop()
    assert not any(thread.name.startswith("keeper") for thread in threading.enumerate())
