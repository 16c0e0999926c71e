"""Links that need no cookie: good for one file, for a while, and no longer than the password."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer

from app import create_app
from tests.conftest import House
from tests.serving.conftest import settings_for_tests
from tests.web.conftest import Api

DATA = b"0123456789"


@pytest.fixture
def node(ada: Api) -> int:
    node_id: int = ada.put("/f.bin", DATA)["id"]
    return node_id


def link_to(api: Api, node: int, **body: object) -> str:
    """Path and query."""
    made = api("POST", f"/api/v1/files/{node}/link", json=body)
    assert made.status_code == 201, made.text
    parts = urlsplit(made.get_json()["url"])
    assert (parts.scheme, parts.netloc) == ("http", "localhost")
    return f"{parts.path}?{parts.query}"


def test_a_link_serves_its_file_with_ranges_to_whoever_has_it(
    ada: Api, nobody: FlaskClient, node: int
) -> None:
    link = link_to(ada, node)
    whole = nobody.get(link)
    assert (whole.status_code, whole.data) == (200, DATA)
    part = nobody.get(link, headers={"Range": "bytes=4-", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.data) == (206, DATA[4:])
    assert nobody.head(link).headers["Content-Length"] == "10"


def test_a_link_opens_nothing_else(ada: Api, nobody: FlaskClient, node: int) -> None:
    other = ada.put("/g", b"secret")["id"]
    query = link_to(ada, node).partition("?")[2]
    assert nobody.get(f"/files/{other}/download?{query}").status_code == 404
    for path in (f"/api/v1/files/{node}", "/api/v1/nodes", f"/api/v1/files/{node}/details"):
        assert nobody.get(f"{path}?{query}").status_code == 401
    for token in ("", "x", query[6:-1], query[6:] + "x", "WzEsMiwzLCJ4Il0.abc", "é"):
        assert nobody.get(f"/files/{node}/download", query_string={"token": token}).status_code == 404
    assert nobody.delete(f"/api/v1/files/{node}?{query}").status_code == 401


def test_a_link_of_another_key_or_kind_is_refused(
    flask_app: Flask, ada: Api, nobody: FlaskClient, node: int, house: House
) -> None:
    content = [house.user.id, node, 1 << 40, house.gateway.people.stamp(house.user)]
    assert flask_app.secret_key
    for key, salt in (("other", "file link"), (flask_app.secret_key, "other")):
        forged = URLSafeSerializer(key, salt=salt).dumps(content)
        assert nobody.get(f"/files/{node}/download?token={forged}").status_code == 404


def test_a_link_ends_with_its_time(
    ada: Api, nobody: FlaskClient, node: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_to(ada, node, hours=1)
    now = __import__("time").time()
    monkeypatch.setattr("web.outgoing.links.time.time", lambda: now + 3590)
    assert nobody.get(link).status_code == 200
    monkeypatch.setattr("web.outgoing.links.time.time", lambda: now + 3610)
    assert nobody.get(link).status_code == 410


def test_a_link_ends_when_the_password_changes_or_the_user_goes(
    ada: Api, bob: Api, nobody: FlaskClient, node: int, house: House
) -> None:
    link = link_to(ada, node)
    house.gateway.people.set_password("ada", "another one")
    assert nobody.get(link).status_code == 410
    theirs = bob.put("/b", b"b")["id"]
    link = link_to(bob, theirs)
    assert nobody.get(link).status_code == 200
    bob("DELETE", f"/api/v1/files/{theirs}?forever=1")
    assert nobody.get(link).status_code == 404
    house.gateway.people.remove(house.gateway.people.named("bob").id)
    assert nobody.get(link).status_code == 410


def test_a_link_follows_its_file_and_rests_while_that_is_in_the_bin(
    ada: Api, nobody: FlaskClient, node: int
) -> None:
    link = link_to(ada, node)
    ada("PATCH", f"/api/v1/files/{node}", json={"path": "/moved"})
    assert nobody.get(link).data == DATA
    ada("DELETE", f"/api/v1/files/{node}")
    ada.put("/moved", b"another at that place")
    assert nobody.get(link).status_code == 404
    ada("POST", f"/api/v1/bin/{node}/restore", json={"path": "/back"})
    assert nobody.get(link).data == DATA
    ada("DELETE", f"/api/v1/files/{node}?forever=1")
    assert nobody.get(link).status_code == 404


def test_only_the_owner_makes_links_and_not_for_long(ada: Api, bob: Api, node: int) -> None:
    assert bob("POST", f"/api/v1/files/{node}/link", json={}).status_code == 404
    for hours in (0, 169, -1, "1", 1.5, True, None):
        assert ada("POST", f"/api/v1/files/{node}/link", json={"hours": hours}).status_code == 400


def test_a_link_is_under_the_address_that_people_use(
    house: House, ada: Api, node: int, tmp_path: Path
) -> None:
    app = create_app(house.gateway, settings_for_tests(tmp_path, base_url="https://files.example.org/x"))
    secret = house.gateway.people.make_token(house.user, "t")[1]
    headers = {"Authorization": f"Bearer {secret}"}
    made = app.test_client().post(f"/api/v1/files/{node}/link", json={}, headers=headers).get_json()
    assert made["url"].startswith(f"https://files.example.org/x/files/{node}/download?token=")


def test_a_link_is_in_no_log(
    ada: Api, nobody: FlaskClient, node: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    link = link_to(ada, node)
    nobody.get(link, buffered=True)
    nobody.get(link + "x")
    assert caplog.records and link.partition("token=")[2][:20] not in caplog.text
