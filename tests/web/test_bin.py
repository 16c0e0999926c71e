"""The bin over HTTP: what DELETE means, what can be restored, until when, and by whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from tests.conftest import House, build_house
from tests.serving.conftest import settings_for_tests
from tests.web.conftest import Api


def in_bin(api: Api) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api("GET", "/api/v1/bin").get_json()["items"]
    return items


def test_delete_puts_into_the_bin_and_restore_takes_it_back(ada: Api, bob: Api) -> None:
    node = ada.put("/a/f", b"data")
    assert ada("DELETE", f"/api/v1/files/{node['id']}").status_code == 204
    for path in (
        f"/files/{node['id']}/download",
        f"/api/v1/files/{node['id']}",
        f"/api/v1/files/{node['id']}/details",
    ):
        assert ada("GET", path).status_code == 404
    assert ada("POST", f"/api/v1/files/{node['id']}/link", json={}).status_code == 404
    page = ada("GET", "/api/v1/bin").get_json()
    assert (page["days"], page["next"]) == (30, None)
    (entry,) = page["items"]
    assert entry.items() >= node.items()
    deleted, expires = (datetime.fromisoformat(entry[key]) for key in ("deleted_at", "expires_at"))
    assert expires - deleted == timedelta(days=30)
    restore = f"/api/v1/bin/{node['id']}/restore"
    assert bob("GET", "/api/v1/bin").get_json()["items"] == []
    assert bob("POST", restore).status_code == 404
    assert bob("DELETE", f"/api/v1/bin/{node['id']}").status_code == 404
    assert ada("POST", restore).get_json() == node
    assert ada("GET", f"/files/{node['id']}/download").data == b"data"
    assert ada("POST", restore).status_code == 404


def test_a_link_to_a_file_ends_while_it_is_in_the_bin(ada: Api) -> None:
    node = ada.put("/f", b"data")["id"]
    url = ada("POST", f"/api/v1/files/{node}/link", json={}).get_json()["url"]
    ada("DELETE", f"/api/v1/files/{node}")
    assert ada("GET", url).status_code == 404
    ada("POST", f"/api/v1/bin/{node}/restore", json={})
    assert ada("GET", url).data == b"data"


def test_many_are_deleted_together_or_none(ada: Api, bob: Api) -> None:
    ids = [ada.put(f"/{name}", b"x")["id"] for name in "abc"]
    url = "/api/v1/nodes/delete"
    assert ada("POST", url, json={"ids": [*ids, 10**6]}).status_code == 404
    assert bob("POST", url, json={"ids": ids}).status_code == 404
    assert in_bin(ada) == []
    assert ada("POST", url, json={"ids": [*ids, ids[0]]}).get_json() == {"removed": 3}
    assert ada("GET", "/api/v1/nodes").get_json()["items"] == []
    first = ada("GET", "/api/v1/bin?limit=2").get_json()
    second = ada("GET", f"/api/v1/bin?limit=2&cursor={first['next']}").get_json()
    assert {item["id"] for item in first["items"] + second["items"]} == set(ids)
    bad: list[dict[str, Any]] = [{}, {"ids": []}, {"ids": "1"}, {"ids": [1], "forever": True}]
    for wrong in bad:
        assert ada("POST", url, json=wrong).status_code == 400


def test_a_name_that_was_taken_meanwhile_wants_another_path(ada: Api) -> None:
    old = ada.put("/f", b"old")["id"]
    ada("DELETE", f"/api/v1/files/{old}")
    ada.put("/f", b"new")
    refused = ada("POST", f"/api/v1/bin/{old}/restore")
    assert refused.status_code == 409 and "'f'" in refused.get_json()["detail"]
    restored = ada("POST", f"/api/v1/bin/{old}/restore", json={"path": "/x/f"})
    assert restored.get_json()["path"] == "/x/f"


def test_what_is_removed_for_good_frees_its_messages(ada: Api, house: House) -> None:
    for name in "abcd":
        ada.put(f"/{name}", name.encode())
    ids = {item["name"]: item["id"] for item in ada("GET", "/api/v1/nodes").get_json()["items"]}
    assert ada("DELETE", f"/api/v1/files/{ids['a']}?forever=1").status_code == 204
    ada("POST", "/api/v1/nodes/delete", json={"ids": [ids["b"], ids["c"], ids["d"]]})
    house.gateway.upkeep.empty_bin()
    house.gateway.upkeep.empty_trash()
    assert len(house.store.labels) == 6
    assert ada("DELETE", f"/api/v1/bin/{ids['b']}").status_code == 204
    assert ada("DELETE", f"/api/v1/bin/{ids['b']}").status_code == 404
    assert ada("DELETE", "/api/v1/bin").get_json() == {"removed": 2}
    house.gateway.upkeep.empty_trash()
    assert not house.store.labels and in_bin(ada) == []
    assert ada("DELETE", f"/api/v1/files/{ids['a']}?forever=yes").status_code == 400


@pytest.mark.parametrize("days", [0, 1])
def test_bin_days_is_how_long_it_stays_and_0_means_no_bin(tmp_path: Path, days: int) -> None:
    house = build_house(tmp_path, bin_days=days)
    secret = house.gateway.people.make_token(house.user, "t")[1]
    ada = Api(create_app(house.gateway, settings_for_tests(tmp_path)).test_client(), secret)
    node = ada.put("/f", b"data")["id"]
    ada("DELETE", f"/api/v1/files/{node}")
    page = ada("GET", "/api/v1/bin").get_json()
    assert page["days"] == days and len(page["items"]) == days
    house.gateway.upkeep.empty_bin()
    house.gateway.upkeep.empty_trash()
    assert bool(house.store.labels) == bool(days)
    house.gateway.close()
    house.database.close()
