"""Who may come in, by which credentials, and to what: every route, as nobody, as another user, as the owner."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from tests.conftest import House
from tests.serving.conftest import settings_for_tests
from tests.web.conftest import PASSWORD, Api, basic, csrf
from web.session import local_path

OPEN_TO_ALL = {
    "static",
    "health.alive",
    "health.ready",
    "openapi.openapi",
    "session.form",
    "session.sign_in",
    "session.sign_out",
    "uploads.options",
}
FOR_ADMINS = ("admin.", "users.")
"""Beginnings of endpoints."""
OPEN_ON_THIS_HOST = {"metrics.metrics"}
TUS = {"Tus-Resumable": "1.0.0"}


def requests_to(flask_app: Flask, node: int, upload: str) -> list[tuple[str, str, str]]:
    """(endpoint, method, path) of everything there is, about one file and one upload."""
    found = []
    for rule in flask_app.url_map.iter_rules():
        path = rule.rule
        for converter, value in (
            ("<id:file_id>", str(node)),
            ("<id:folder_id>", str(node)),
            ("<id:node_id>", str(node)),
            ("<id:token_id>", "1"),
            ("<id:session_id>", "1"),
            ("<id:user_id>", "1"),
            ("<id:transfer_id>", "1"),
            ("<id:ticket_id>", "1"),
            ("<uuid:upload_id>", upload),
            ("<everything:path>", "f"),
            ("<path:filename>", "app.css"),
        ):
            path = path.replace(converter, value)
        assert "<" not in path, path
        methods = (rule.methods or set()) - {"OPTIONS"} if rule.endpoint != "uploads.options" else {"OPTIONS"}
        found += [(rule.endpoint, method, path) for method in sorted(methods)]
    return found


def test_nobody_gets_in_anywhere_but_where_all_may(flask_app: Flask, nobody: FlaskClient) -> None:
    for endpoint, method, path in requests_to(flask_app, 1, str(uuid4())):
        response = nobody.open(
            path, method=method, headers=TUS, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}, buffered=True
        )
        if endpoint in OPEN_TO_ALL:
            assert response.status_code != 401 or endpoint == "session.sign_in", (method, path)
        elif endpoint == "page.shell":
            onward = quote(path, safe="")
            assert response.status_code == 303 and response.headers["Location"] == f"/login?next={onward}"
        else:
            assert response.status_code == 401, (method, path)
            assert "WWW-Authenticate" in response.headers


def test_another_user_finds_nothing_of_the_owners(flask_app: Flask, ada: Api, bob: Api, house: House) -> None:
    node = ada.put("/f", b"secret")["id"]
    upload = house.gateway.uploads.create(house.user, folder="/", name="u", length=5, media_type=None)
    for endpoint, method, path in requests_to(flask_app, node, str(upload.id)):
        if str(node) not in path and str(upload.id) not in path:
            continue
        headers = TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        body: dict[str, Any] = (
            {"json": {"name": "mine"}} if method == "PATCH" and "uploads" not in path else {"data": b"12345"}
        )
        if path.endswith("/restore"):
            body = {"json": {}}
        if "json" in body:
            headers.pop("Content-Type")
        response = bob(method, path, headers, **body)
        expected = 204 if endpoint == "uploads.options" else 404
        if "tokens" in path:
            continue
        assert response.status_code == expected, (method, path, response.text)
    assert ada("GET", f"/files/{node}/download").data == b"secret"


def test_what_is_for_admins_is_refused_to_all_others(flask_app: Flask, ada: Api, bob: Api) -> None:
    found = requests_to(flask_app, 1, str(uuid4()))
    for_admins = {(method, path) for endpoint, method, path in found if endpoint.startswith(FOR_ADMINS)}
    assert len(for_admins) >= 8
    for method, path in for_admins:
        response = bob(method, path, json={})
        assert response.status_code == 403, (method, path)
        assert method == "HEAD" or "admin" in response.get_json()["detail"]
    assert all(ada("GET", path).status_code == 200 for method, path in for_admins if method == "HEAD")


def test_a_token_of_another_user_cannot_be_revoked(ada: Api, bob: Api) -> None:
    token = ada("POST", "/api/v1/tokens", json={"name": "t"}).get_json()["id"]
    assert bob("DELETE", f"/api/v1/tokens/{token}").status_code == 404
    assert ada("DELETE", f"/api/v1/tokens/{token}").status_code == 204


def test_a_view_that_does_not_say_who_may_call_it_stops_the_app(flask_app: Flask) -> None:
    from web.auth import refuse_undeclared

    flask_app.view_functions["forgotten"] = lambda: "all my files"
    with pytest.raises(TypeError, match="forgotten"):
        refuse_undeclared(flask_app)


def test_an_app_without_a_key_is_refused(house: House, tmp_path: object) -> None:
    from pathlib import Path

    with pytest.raises(ValueError, match="secret_key"):
        create_app(house.gateway, settings_for_tests(Path(str(tmp_path)), secret_key=b""))


def test_basic_takes_the_password_or_a_token_in_its_place(nobody: FlaskClient, house: House) -> None:
    token, secret = house.gateway.people.make_token(house.user, "t")
    for good in (PASSWORD, secret):
        assert nobody.get("/api/v1/nodes", headers=basic("ada", good)).status_code == 200
    for name, bad in (
        ("ada", "wrong"),
        ("bob", PASSWORD),
        ("bob", secret),
        ("", ""),
        ("ada", ""),
        ("a\0", "x"),
    ):
        assert nobody.get("/api/v1/nodes", headers=basic(name, bad)).status_code == 401
    house.gateway.people.revoke(house.user, token.id)
    assert nobody.get("/api/v1/nodes", headers=basic("ada", secret)).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic /w==",
        "Basic \xff",
        "Bearer",
        "Bearer ",
        "Bearer x y",
        "Digest a=b",
        "",
        "\xe9",
    ],
)
def test_credentials_that_cannot_be_read_are_wrong_even_beside_a_good_cookie(
    browser: FlaskClient, header: str
) -> None:
    assert browser.get("/api/v1/nodes").status_code == 200
    assert browser.get("/api/v1/nodes", headers={"Authorization": header}).status_code == 401


def test_a_cookie_changes_nothing_without_the_pages_token(browser: FlaskClient) -> None:
    refused = browser.post("/api/v1/folders", json={"path": "/a"})
    assert refused.status_code == 403 and "load it again" in refused.get_json()["detail"]
    assert browser.put("/api/v1/content/f", data=b"x", headers={"X-CSRFToken": "wrong"}).status_code == 403
    token = {"X-CSRFToken": csrf(browser)}
    assert browser.post("/api/v1/folders", json={"path": "/a"}, headers=token).status_code == 201
    assert browser.put("/api/v1/content/f", data=b"x", headers=token).status_code == 201


def test_a_form_of_another_site_cannot_pass_for_json(nobody: FlaskClient) -> None:
    """A browser that once asked for Basic sends it by itself, but no form can send this content type."""
    for form_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        response = nobody.post(
            "/api/v1/folders", data='{"path": "/a"}', content_type=form_type, headers=basic("ada", PASSWORD)
        )
        assert response.status_code == 415


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "/\\evil.example", "https://evil.example", "", None, "/a\nb", "x"]
)
def test_after_signing_in_one_stays_here(elsewhere: str | None) -> None:
    assert local_path(elsewhere) == "/"
    assert local_path("/?path=/a%20b") == "/?path=/a%20b"


def test_metrics_are_for_programs_on_this_host_and_for_users(nobody: FlaskClient, ada: Api) -> None:
    for host in ("localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"):
        assert "stowgram_ready" in nobody.get("/metrics", headers={"Host": host}).text
    assert nobody.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 401
    assert ada("GET", "/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"X-Real-IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"CF-Connecting-IP": "127.0.0.1"},
        {"True-Client-IP": "127.0.0.1"},
        {"Host": "files.example.org"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
    ],
)
def test_what_came_through_a_proxy_is_not_from_this_host(nobody: FlaskClient, header: dict[str, str]) -> None:
    assert nobody.get("/metrics", headers=header).status_code in {400, 401}
