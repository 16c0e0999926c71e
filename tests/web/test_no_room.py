"""The database is locked by another program, or its disk is full, while nodes are moved, copied, deleted, restored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.conftest import House
from tests.web.conftest import Api


@pytest.fixture
def verbs(ada: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, what is sent) of all that changes the tree."""
    file, binned = ada.put("/f", b"x")["id"], ada.put("/g", b"y")["id"]
    ada("POST", "/api/v1/folders", json={"path": "/to"})
    ada("DELETE", f"/api/v1/files/{binned}")
    put_there = {"json": {"ids": [file], "parent": "/to"}}
    return [
        ("POST", "/api/v1/nodes/copy", put_there),
        ("POST", "/api/v1/nodes/move", put_there),
        ("POST", "/api/v1/nodes/delete", {"json": {"ids": [file]}}),
        ("POST", f"/api/v1/bin/{binned}/restore", {}),
        ("DELETE", f"/api/v1/bin/{binned}", {}),
        ("DELETE", "/api/v1/bin", {}),
    ]


def state(api: Api) -> list[Any]:
    paths = ("/api/v1/nodes", "/api/v1/nodes?path=/to", "/api/v1/bin", "/api/v1/account")
    return [api("GET", path).get_json() for path in paths]


def test_while_another_program_writes_nothing_changes_and_a_time_is_named(
    ada: Api, house: House, verbs: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.database, "_patience", 0.05)
    before = state(ada)
    with closing(sqlite3.connect(tmp_path / "stowgram.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for method, path, sent in verbs:
            refused = ada(method, path, **sent)
            assert refused.status_code == 503 and refused.headers["Retry-After"], (path, refused.text)
        assert state(ada) == before, "what is read waits for no writer"
    assert all(ada(method, path, **sent).status_code < 300 for method, path, sent in verbs[:1])


def test_on_a_full_disk_each_is_done_or_refused_and_nothing_in_between(
    ada: Api, house: House, verbs: list[Any]
) -> None:
    def cramp(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # as many as there are: SQLite never takes some away

    event.listen(house.database._engine, "checkout", cramp)
    for number in range(200):
        made = ada("POST", "/api/v1/folders", json={"path": f"/to/{number:03}{'n' * 200}"})
        if made.status_code == 507:
            break
    assert made.status_code == 507 and "disk" in made.get_json()["detail"]
    for method, path, sent in verbs:
        before = state(ada)
        answer = ada(method, path, **sent)
        if answer.status_code >= 300:
            # A restore finds nothing of what an earlier verb has emptied, and a move what is moved.
            assert answer.status_code in {404, 409, 507}, (path, answer.text)
            assert state(ada) == before, path
    event.remove(house.database._engine, "checkout", cramp)
    assert ada("POST", "/api/v1/folders", json={"path": "/room"}).status_code == 201
