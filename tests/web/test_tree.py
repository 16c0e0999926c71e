"""What is done with many nodes at once, sorted listings, search and details, over HTTP."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import pytest

from model import MIB
from tests.conftest import House
from tests.web.conftest import Api


def listed(api: Api, **query: Any) -> list[str]:
    page = api("GET", "/api/v1/nodes", query_string=query)
    assert page.status_code == 200, page.text
    return [item["name"] for item in page.get_json()["items"]]


def test_a_listing_sorts_by_name_size_and_time_and_tells_its_folder(ada: Api) -> None:
    for name, data in (("b", b"1"), ("a", b"333"), ("c", b"22")):
        ada.put(f"/x/{name}", data)
    ada("POST", "/api/v1/folders", json={"path": "/x/z"})
    assert listed(ada, path="/x") == ["z", "a", "b", "c"]
    assert listed(ada, path="/x", order="desc") == ["z", "c", "b", "a"]
    assert listed(ada, path="/x", sort="size", order="desc") == ["z", "a", "c", "b"]
    assert listed(ada, path="/x", sort="modified") == ["z", "b", "a", "c"]
    page = ada("GET", "/api/v1/nodes?path=/x").get_json()
    assert page["folder"] == ada("GET", f"/api/v1/folders/{page['folder']['id']}").get_json()
    for wrong in ("sort=colour", "order=up", "sort=", "cursor=x", "limit=0", "limit=1001"):
        assert ada("GET", f"/api/v1/nodes?{wrong}").status_code == 400


def test_one_path_is_looked_up_by_itself(ada: Api, bob: Api) -> None:
    file = ada.put("/x/Größe & co.bin", b"1")
    query = {"path": "/x/Größe & co.bin"}
    assert ada("GET", "/api/v1/nodes/at", query_string=query).get_json() == file
    for folder in ("/", "/x"):
        found = ada("GET", f"/api/v1/nodes/at?path={folder}").get_json()
        assert found == ada("GET", f"/api/v1/nodes?path={folder}").get_json()["folder"]
    assert bob("GET", "/api/v1/nodes/at", query_string=query).status_code == 404
    for nowhere in ("/y", "/X", "/x/Größe & co.bin/y"):
        assert ada("GET", "/api/v1/nodes/at", query_string={"path": nowhere}).status_code == 404
    for wrong in ("", "?path=", "?path=x", "?path=/..", "?path=/%00"):
        assert ada("GET", f"/api/v1/nodes/at{wrong}").status_code == 400


def test_search_finds_by_words_below_a_folder_and_pages(ada: Api, bob: Api) -> None:
    for path in ("/Photos/Summer 2025.jpg", "/Photos/summer/2025 at the sea.jpg", "/summer.txt"):
        ada.put(path, b"x")
    found = ada("GET", "/api/v1/search", query_string={"q": "2025 SUMMER"}).get_json()
    assert [item["path"] for item in found["items"]] == ["/Photos/Summer 2025.jpg"]
    query: dict[str, Any] = {"q": "summer", "path": "/Photos", "limit": 1}
    first = ada("GET", "/api/v1/search", query_string=query).get_json()
    second = ada("GET", "/api/v1/search", query_string=query | {"cursor": first["next"]}).get_json()
    assert [item["name"] for item in first["items"] + second["items"]] == ["summer", "Summer 2025.jpg"]
    by_size = query | {"limit": 10, "sort": "size", "order": "desc"}
    ada.put("/Photos/summer.png", b"xx")
    found = ada("GET", "/api/v1/search", query_string=by_size).get_json()
    assert [item["name"] for item in found["items"]] == ["summer.png", "Summer 2025.jpg", "summer"]
    assert bob("GET", "/api/v1/search?q=summer").get_json() == {"items": [], "next": None}
    too_long = f"?q={'%25' * 1001}"  # SQLite has a bound of its own, which would be a fault of ours
    for wrong in ("", "?q=", "?q=x&cursor=x", "?q=x&limit=0", too_long):
        assert ada("GET", f"/api/v1/search{wrong}").status_code == 400
    assert ada("GET", "/api/v1/search?q=x&path=/nowhere").status_code == 404


@pytest.mark.parametrize("verb", ["move", "copy"])
def test_many_nodes_are_moved_or_copied_or_none(ada: Api, bob: Api, verb: str) -> None:
    ids = [ada.put(f"/a/{name}", name.encode())["id"] for name in "xyz"]
    ada.put("/b/z", b"other")
    url = f"/api/v1/nodes/{verb}"
    refused = ada("POST", url, json={"ids": ids, "parent": "/b"})
    assert refused.status_code == 409 and "'z'" in refused.get_json()["detail"]
    assert listed(ada, path="/b") == ["z"]
    done = ada("POST", url, json={"ids": ids, "parent": "/b", "if_exists": "rename"})
    assert done.status_code == 200
    assert [item["path"] for item in done.get_json()["items"]] == ["/b/x", "/b/y", "/b/z (2)"]
    assert listed(ada, path="/a") == ([] if verb == "move" else ["x", "y", "z"])
    twin = done.get_json()["items"][2]["id"]
    assert ada("GET", f"/files/{twin}/download").data == b"z"
    assert bob("POST", url, json={"ids": [twin], "parent": "/"}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": [1]},
        {"ids": [], "parent": "/"},
        {"ids": ["1"], "parent": "/"},
        {"ids": [True], "parent": "/"},
        {"ids": [-1], "parent": "/"},
        {"ids": [1 << 63], "parent": "/"},
        {"ids": [1] * 1001, "parent": "/"},
        {"ids": 1, "parent": "/"},
        {"ids": [1], "parent": "/", "if_exists": "replace"},
        {"ids": [1], "parent": 1},
        {"ids": [1], "parent": "here"},
    ],
)
def test_what_is_no_request_about_nodes_gets_a_sentence(ada: Api, body: dict[str, Any]) -> None:
    for verb in ("move", "copy"):
        response = ada("POST", f"/api/v1/nodes/{verb}", json=body)
        assert response.status_code == 400 and response.get_json()["detail"].endswith(".")


def test_details_tell_hashes_and_where_each_chunk_rests(ada: Api, bob: Api, house: House) -> None:
    data = bytes(5 * MIB)
    node = ada.put("/f.bin", data)
    url = f"/api/v1/files/{node['id']}/details"
    details = ada("GET", url).get_json()
    assert details.items() >= node.items()
    assert details["crc32"] == f"{zlib.crc32(data):08x}"
    assert (details["tree"], details["piece_size"], details["damaged_at"]) == (node["etag"], MIB, None)
    assert details["totals"] == {"downloads": 0, "bytes_sent": 0}
    chunks = details["chunks"]
    assert [(one["index"], one["offset"], one["size"]) for one in chunks] == [
        (0, 0, 2 * MIB),
        (1, 2 * MIB, 2 * MIB),
        (2, 4 * MIB, MIB),
    ]
    assert chunks[2]["sha256"] == hashlib.sha256(bytes(MIB)).hexdigest()
    resting = {(locator.channel, locator.message) for locator in house.store.labels}
    assert {(one["channel"], one["message"]) for one in chunks} <= resting
    first = ada("GET", f"{url}?limit=2").get_json()
    second = ada("GET", f"{url}?limit=2&cursor={first['next']}").get_json()
    assert first["chunks"] + second["chunks"] == chunks and second["next"] is None
    assert bob("GET", url).status_code == 404
