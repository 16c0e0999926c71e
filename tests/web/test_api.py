"""Names, folders, content, tokens and health over HTTP, and what bad input gets."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

import errors
from app import create_app
from storage.memory import MemoryClient, MemoryStore
from tests.conftest import House, build_house
from tests.serving.conftest import settings_for_tests
from tests.web.conftest import Api
from web.wire.errors import TABLE, rule_for

NODE = {
    "id",
    "kind",
    "name",
    "path",
    "size",
    "sha256",
    "etag",
    "media_type",
    "inline",
    "damaged",
    "created_at",
    "modified_at",
}


def test_put_makes_folders_and_tells_new_from_replaced(ada: Api) -> None:
    first = ada("PUT", "/api/v1/content/a/b/f.txt", data=b"one")
    assert first.status_code == 201
    node = first.get_json()
    assert set(node) == NODE
    assert (node["path"], node["kind"], node["size"], node["media_type"]) == (
        "/a/b/f.txt",
        "file",
        3,
        "text/plain",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", node["created_at"])
    assert first.headers["Location"] == f"/api/v1/files/{node['id']}"
    second = ada("PUT", "/api/v1/content/a/b/f.txt", data=b"two")
    assert second.status_code == 200
    assert ada("GET", f"/files/{second.get_json()['id']}/download").data == b"two"


def test_put_keeps_the_conditions_that_a_client_sets(ada: Api) -> None:
    path = "/api/v1/content/f"
    assert ada("PUT", path, {"If-Match": "*"}, data=b"x").status_code == 412
    tag = ada("PUT", path, {"If-None-Match": "*"}, data=b"one").headers["ETag"]
    assert ada("PUT", path, {"If-None-Match": "*"}, data=b"x").status_code == 412
    assert ada("PUT", path, {"If-None-Match": tag}, data=b"x").status_code == 412
    assert ada("PUT", path, {"If-Match": '"other"'}, data=b"x").status_code == 412
    assert ada("PUT", path, {"If-Match": tag}, data=b"two").status_code == 200


def test_put_refuses_what_is_no_whole_file(ada: Api) -> None:
    path = "/api/v1/content/f"
    assert ada("PUT", path).status_code == 411
    assert ada("PUT", path, {"Content-Range": "bytes 0-0/2"}, data=b"x").status_code == 400
    assert ada("PUT", path, {"Content-Encoding": "gzip"}, data=b"x").status_code == 415
    assert ada("PUT", "/api/v1/content/", data=b"x").status_code == 400
    assert ada("PUT", "/api/v1/content/a/", data=b"x").status_code == 400
    assert ada("GET", "/api/v1/nodes").get_json()["items"] == []


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "a/../b",
        "a//b",
        "/a",
        "a%5Cb",
        "a%00b",
        "a%0Ab",
        "CON",
        "nul.txt",
        "x" * 300,
        "a%E2%80%AEb",
    ],
)
def test_a_bad_name_gets_a_sentence(ada: Api, name: str) -> None:
    response = ada("PUT", f"/api/v1/content/{name}", data=b"x")
    assert response.status_code == 400, response.text
    assert response.get_json()["detail"].endswith(".")
    assert ada("GET", "/api/v1/nodes").get_json()["items"] == []


def test_an_address_that_is_not_utf_8_is_refused(ada: Api) -> None:
    # Werkzeug's client would mend the bytes; WSGI hands them over as Latin-1.
    broken = {"PATH_INFO": "/api/v1/content/\xf0\x9f\x98"}
    assert ada("PUT", "/", data=b"x", environ_overrides=broken).status_code == 400
    assert ada("GET", "/api/v1/nodes", environ_overrides={"QUERY_STRING": "path=/%FF"}).status_code == 400


def test_names_that_differ_only_in_case_or_form_are_one_name(ada: Api) -> None:
    ada.put("/Größe", b"x")
    assert ada("PUT", "/api/v1/content/GRÖSSE", data=b"y").status_code == 409
    assert ada("PUT", "/api/v1/content/Gro\u0308ße", data=b"y").status_code == 200


def test_a_listing_pages_by_cursor_folders_first(ada: Api) -> None:
    for name in ("b", "a", "d/x", "c/x"):
        ada.put(f"/{name}", b"")
    names, cursor = [], None
    while True:
        query = {"path": "/", "limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = ada("GET", "/api/v1/nodes", query_string=query).get_json()
        names += [(item["kind"], item["name"]) for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == [("folder", "c"), ("folder", "d"), ("file", "a"), ("file", "b")]


@pytest.mark.parametrize(
    ("query", "status"),
    [("path=a", 400), ("path=/none", 404), ("limit=0", 400), ("limit=x", 400), ("limit=9999", 400), ("cursor=!", 400),
     ("path=/%FF", 400), ("path=/..", 400), ("limit=" + "9" * 5000, 400)],
)  # fmt: skip
def test_a_listing_that_cannot_be_is_refused(ada: Api, query: str, status: int) -> None:
    assert ada("GET", f"/api/v1/nodes?{query}").status_code == status


def test_folders_are_made_moved_and_removed(ada: Api) -> None:
    made = ada("POST", "/api/v1/folders", json={"path": "/a/b"})
    assert made.status_code == 201 and made.get_json()["path"] == "/a/b"
    assert ada("POST", "/api/v1/folders", json={"path": "/a/b"}).status_code == 409
    other = ada("POST", "/api/v1/folders", json={"name": "c", "parent": "/a"}).get_json()
    folder = f"/api/v1/folders/{other['id']}"
    assert ada("GET", folder).get_json() == other
    assert ada("PATCH", folder, json={"path": "/a/b/c"}).get_json()["path"] == "/a/b/c"
    assert ada("PATCH", folder, json={"name": "d"}).get_json()["path"] == "/a/b/d"
    assert ada("PATCH", folder, json={"parent": "/"}).get_json()["path"] == "/d"
    assert ada("PATCH", folder, json={"parent": "/d"}).status_code == 409
    assert ada("DELETE", folder).status_code == 204
    assert ada("GET", folder).status_code == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b"null", b'{"path": 1}', b'{"nmae": "a"}', b'{"name": "\\ud800"}', b"[" * 100_000, b"{}",
     b'{"path": "/"}',
     b'{"path": "/a", "name": "b"}', b'{"name": "a/b"}', b'{"name": "a", "parent": "b"}', b"9" * 5000, b"\xff"],
)  # fmt: skip
def test_json_that_makes_no_folder_is_refused(ada: Api, body: bytes) -> None:
    response = ada("POST", "/api/v1/folders", data=body, content_type="application/json")
    assert response.status_code in {400, 409}, response.text
    assert response.mimetype == "application/problem+json"


def test_a_file_is_renamed_and_moved(ada: Api) -> None:
    ada("POST", "/api/v1/folders", json={"path": "/there"})
    node = ada.put("/f", b"x")
    path = f"/api/v1/files/{node['id']}"
    assert ada("GET", path).get_json() == node | {"totals": {"downloads": 0, "bytes_sent": 0}}
    assert ada("PATCH", path, json={"name": "g", "parent": "/there"}).get_json()["path"] == "/there/g"
    ada.put("/f", b"y")
    assert ada("PATCH", path, json={"path": "/f"}).status_code == 409
    assert ada("PATCH", path, json={}).status_code == 400
    assert ada("GET", path.replace("files", "folders")).status_code == 404


def test_a_token_is_shown_once_and_works_until_it_is_revoked(ada: Api, nobody: FlaskClient) -> None:
    ends = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    made = ada("POST", "/api/v1/tokens", json={"name": "phone", "expires_at": ends}).get_json()
    header = {"Authorization": f"Bearer {made['token']}"}
    assert nobody.get("/api/v1/nodes", headers=header).status_code == 200
    listed = ada("GET", "/api/v1/tokens").get_json()["items"]
    assert "phone" in {token["name"] for token in listed} and not any("token" in token for token in listed)
    assert ada("DELETE", f"/api/v1/tokens/{made['id']}").status_code == 204
    assert nobody.get("/api/v1/nodes", headers=header).status_code == 401


@pytest.mark.parametrize(
    "ends", ["2000-01-01T00:00:00Z", "2999-01-01T00:00:00", "9999-12-31T23:00:00-12:00", "soon", 5]
)
def test_a_token_that_cannot_end_like_that_is_refused(ada: Api, ends: Any) -> None:
    assert ada("POST", "/api/v1/tokens", json={"name": "x", "expires_at": ends}).status_code == 400


def test_health_needs_no_login(nobody: FlaskClient) -> None:
    assert nobody.get("/healthz").get_json() == {"status": "ok"}
    ready = nobody.get("/readyz")
    assert ready.status_code == 200
    well = {"database": "ok", "telegram": "ok", "jobs": "ok", "mode": "memory"}
    assert ready.get_json() == well


def test_workers_in_trouble_are_told_of_and_keep_nobody_from_files(house: House, nobody: FlaskClient) -> None:
    house.gateway.jobs.note("a worker", "Jobs are not done.")
    ready = nobody.get("/readyz")
    assert (ready.status_code, ready.get_json()["jobs"]) == (200, "Jobs are not done.")


def test_errors_are_a_page_for_people_and_a_document_for_programs(ada: Api, nobody: FlaskClient) -> None:
    page = nobody.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404 and page.mimetype == "text/html" and "Not Found" in page.text
    document = ada("GET", "/nowhere")
    assert document.mimetype == "application/problem+json"
    assert document.get_json()["status"] == 404
    assert document.headers["X-Request-Id"] == document.get_json()["request_id"]
    wrong = ada("POST", "/healthz")
    assert wrong.status_code == 405 and "GET" in wrong.headers["Allow"]


def test_every_response_is_guarded_and_carries_its_id(ada: Api, nobody: FlaskClient) -> None:
    for response in (
        nobody.get("/login"),
        nobody.get("/static/app.css", buffered=True),
        ada("GET", "/api/v1/nodes"),
        ada("GET", "/x"),
    ):
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert (
        nobody.get("/healthz", headers={"X-Request-Id": "abcd-1234"}).headers["X-Request-Id"] == "abcd-1234"
    )
    assert nobody.get("/healthz", headers={"X-Request-Id": "<script>"}).headers["X-Request-Id"] != "<script>"


def test_no_inside_leaks_from_an_error_that_nobody_expected(flask_app: Flask, ada: Api, house: House) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret inside")

    house.gateway.files.listing = broken  # type: ignore[assignment,method-assign]
    response = ada("GET", "/api/v1/nodes")
    assert response.status_code == 500 and "secret" not in response.text
    assert response.headers["X-Request-Id"] in response.get_json()["detail"]


def test_every_error_of_ours_has_its_own_rule_or_its_parents() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.StowgramError)
    ]
    assert len(kinds) > 20
    ours = {errors.StowgramError, errors.Misconfigured}
    for kind in kinds:
        rule = rule_for(kind.__new__(kind))
        assert (rule is TABLE[errors.StowgramError]) == (kind in ours), kind


class Failing(MemoryStore):
    """A memory store whose reads fail as a test says."""

    failure: Exception | None = None

    def client(self) -> MemoryClient:
        if self.failure is not None:
            raise self.failure
        return super().client()


@pytest.mark.parametrize(
    ("failure", "status", "retry"),
    [
        (errors.Transient("Telegram asks us to wait.", 7.2), 503, "8"),
        (errors.ChunkMissing("The message is gone."), 502, None),
        (errors.ChunkCorrupt("Bytes differ."), 502, None),
        (errors.AtCapacity("Too many.", 3), 503, "3"),
        (errors.DatabaseUnavailable("Locked."), 503, "5"),
    ],
)
def test_a_store_that_fails_at_once_is_an_error_and_no_broken_200(
    tmp_path: Path, failure: Exception, status: int, retry: str | None
) -> None:
    store = Failing()
    house = build_house(tmp_path, store)
    try:
        flask_app = create_app(house.gateway, settings_for_tests(tmp_path))
        api = Api(flask_app.test_client(), house.gateway.people.make_token(house.user, "t")[1])
        path = f"/files/{api.put('/f', b'x' * 100)['id']}/download"
        store.failure = failure
        response = api("GET", path)
        assert (response.status_code, response.headers.get("Retry-After")) == (status, retry)
        assert response.get_json()["detail"] == str(failure)
        assert house.downloading == 0
    finally:
        house.gateway.close()
        house.store.close()
        house.database.close()
