"""Contents that are there already: told to their owner only, shared, and counted."""

from __future__ import annotations

from typing import Any

import pytest

from model import MIB
from tests.conftest import House
from tests.web.conftest import Api


def known(api: Api, size: int) -> bool:
    answer: bool = api("GET", f"/api/v1/contents?size={size}").get_json()["known"]
    return answer


def test_contents_that_one_stores_become_a_file_without_being_sent(ada: Api, house: House) -> None:
    data = bytes(3 * MIB) + b"end"
    first = ada.put("/a.txt", data)
    messages = len(house.store.labels)
    assert known(ada, len(data)) and not known(ada, len(data) + 1)
    body = {"path": "/new/folder/b.html", "size": len(data), "tree": first["etag"]}
    made = ada("POST", "/api/v1/files", json=body)
    assert made.status_code == 201, made.text
    twin = made.get_json()
    assert (twin["etag"], twin["sha256"], twin["media_type"]) == (first["etag"], first["sha256"], "text/html")
    assert made.headers["Location"] == f"/api/v1/files/{twin['id']}"
    assert ada("GET", f"/api/v1/files/{first['id']}").get_json()["media_type"] == "text/plain"
    assert ada("DELETE", f"/api/v1/files/{first['id']}?forever=1").status_code == 204
    house.gateway.upkeep.empty_trash()
    assert len(house.store.labels) == messages
    assert ada("GET", f"/files/{twin['id']}/download").data == data
    assert ada("DELETE", f"/api/v1/files/{twin['id']}?forever=1").status_code == 204
    house.gateway.upkeep.empty_trash()
    assert not house.store.labels


def test_another_users_contents_are_unknown(ada: Api, bob: Api) -> None:
    node = ada.put("/a", b"secret")
    assert not known(bob, 6)
    body = {"path": "/b", "size": 6, "tree": node["etag"]}
    assert bob("POST", "/api/v1/files", json=body).status_code == 404
    assert bob("GET", "/api/v1/nodes").get_json()["items"] == []


def test_damaged_contents_are_unknown(ada: Api, house: House) -> None:
    node = ada.put("/a", b"bad")
    house.store.on_read = lambda locator, span, attempt, true: bytes(len(true))
    ada("GET", f"/files/{node['id']}/download")
    house.gateway.upkeep.note_damage()
    assert not known(ada, 3)
    body = {"path": "/b", "size": 3, "tree": node["etag"]}
    assert ada("POST", "/api/v1/files", json=body).status_code == 404


def test_a_name_that_is_taken_is_refused_or_replaced(ada: Api) -> None:
    node = ada.put("/a", b"one")
    ada.put("/b", b"two")
    body = {"path": "/b", "size": 3, "tree": node["etag"]}
    assert ada("POST", "/api/v1/files", json=body).status_code == 409
    assert ada("POST", "/api/v1/files", json=body | {"if_exists": "replace"}).status_code == 200
    body["path"] = "/a"
    assert ada("POST", "/api/v1/files", json=body | {"if_exists": "replace"}).status_code == 200
    for name in "ab":
        (found,) = [item for item in ada("GET", "/api/v1/nodes").get_json()["items"] if item["name"] == name]
        assert ada("GET", f"/files/{found['id']}/download").data == b"one"


def test_contents_that_are_known_count_for_the_quota(ada: Api, house: House) -> None:
    node = ada.put("/a", b"12345678")
    house.gateway.people.change(house.user.id, quota=12)
    body = {"path": "/b", "size": 8, "tree": node["etag"]}
    assert ada("POST", "/api/v1/files", json=body).status_code == 507


@pytest.mark.parametrize(
    "change",
    [
        {"path": None},
        {"path": "/"},
        {"path": "b"},
        {"size": "3"},
        {"size": -1},
        {"size": 3.0},
        {"tree": "x"},
        {"tree": "A" * 64},
        {"tree": None},
        {"if_exists": "rename"},
        {"more": 1},
    ],
)
def test_what_is_no_request_for_known_contents_gets_a_sentence(ada: Api, change: dict[str, Any]) -> None:
    body = {"path": "/b", "size": 3, "tree": "0" * 64} | change
    response = ada("POST", "/api/v1/files", json=body)
    assert response.status_code == 400 and response.get_json()["detail"].endswith(".")
