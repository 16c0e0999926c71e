"""One's own account: who one is, the password, the browsers; as nobody, as another user, as the owner."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import House
from tests.web.conftest import PASSWORD, Api, basic, csrf

NEW = "a new password"


@pytest.fixture
def phone(flask_app: Flask) -> FlaskClient:
    """Ada, signed in elsewhere."""
    client = flask_app.test_client()
    agent = {"User-Agent": "Phone/1.0 " + "x" * 500, "REMOTE_ADDR": "2001:db8::1"}
    form = {"username": "ada", "password": PASSWORD}
    signed_in = client.post(
        "/login",
        data=form,
        headers={"User-Agent": agent["User-Agent"]},
        environ_overrides={"REMOTE_ADDR": agent["REMOTE_ADDR"]},
    )
    assert signed_in.status_code == 303
    return client


def test_everybody_is_told_who_they_are(ada: Api, bob: Api, nobody: FlaskClient) -> None:
    assert ada("GET", "/api/v1/account").get_json().items() >= {"name": "ada", "is_admin": True}.items()
    assert bob("GET", "/api/v1/account").get_json().items() >= {"name": "bob", "is_admin": False}.items()
    assert nobody.get("/api/v1/account").status_code == 401


def test_everybody_is_told_what_they_store_and_may_store(ada: Api, bob: Api) -> None:
    ada.put("/f", b"12345")
    account = ada("GET", "/api/v1/account").get_json()
    assert (account["quota"], account["used"], account["files"]) == (None, 5, 1)
    assert bob("GET", "/api/v1/account").get_json()["used"] == 0


def test_sessions_are_listed_to_their_owner(
    browser: FlaskClient, phone: FlaskClient, bob: Api, nobody: FlaskClient
) -> None:
    items = browser.get("/api/v1/sessions").get_json()["items"]
    assert sorted((item["current"], item["address"]) for item in items) == [
        (False, "2001:db8::1"),
        (True, "127.0.0.1"),
    ]
    (other,) = (item for item in items if not item["current"])
    assert other["agent"].startswith("Phone/1.0") and len(other["agent"]) <= 160
    assert other["created_at"] <= other["last_used_at"] < other["expires_at"]
    assert set(other) == {
        *("id", "current", "address", "agent", "created_at", "last_used_at", "expires_at")
    }, "and no secret"
    assert bob("GET", "/api/v1/sessions").get_json() == {"items": []}
    assert nobody.get("/api/v1/sessions").status_code == 401


@pytest.mark.slow
def test_a_session_is_ended_from_another_by_its_owner_only(
    browser: FlaskClient, phone: FlaskClient, bob: Api, nobody: FlaskClient
) -> None:
    items = browser.get("/api/v1/sessions").get_json()["items"]
    (path,) = (f"/api/v1/sessions/{item['id']}" for item in items if not item["current"])
    assert nobody.delete(path).status_code == 401
    assert bob("DELETE", path).status_code == 404
    assert browser.delete(path).status_code == 403, "without the page's token"
    assert phone.get("/api/v1/nodes").status_code == 200
    assert browser.delete(path, headers={"X-CSRFToken": csrf(browser)}).status_code == 204
    assert phone.get("/api/v1/nodes").status_code == 401
    assert browser.get("/api/v1/nodes").status_code == 200


def test_all_other_sessions_are_ended_at_once(browser: FlaskClient, phone: FlaskClient, bob: Api) -> None:
    assert bob("DELETE", "/api/v1/sessions").get_json() == {"sessions_ended": 0}
    ended = browser.delete("/api/v1/sessions", headers={"X-CSRFToken": csrf(browser)})
    assert ended.get_json() == {"sessions_ended": 1}
    assert (phone.get("/api/v1/nodes").status_code, browser.get("/api/v1/nodes").status_code) == (401, 200)


def test_with_a_token_all_sessions_are_ended(browser: FlaskClient, phone: FlaskClient, ada: Api) -> None:
    assert ada("DELETE", "/api/v1/sessions").get_json() == {"sessions_ended": 2}
    assert browser.get("/api/v1/nodes").status_code == 401


def test_a_new_password_ends_all_other_sessions_and_says_so(
    browser: FlaskClient, phone: FlaskClient, ada: Api, nobody: FlaskClient
) -> None:
    assert nobody.get("/api/v1/nodes", headers=basic("ada", PASSWORD)).status_code == 200
    token = {"X-CSRFToken": csrf(browser)}
    changed = browser.put("/api/v1/account/password", json={"old": PASSWORD, "new": NEW}, headers=token)
    assert changed.get_json() == {"sessions_ended": 1}
    assert (phone.get("/api/v1/nodes").status_code, browser.get("/api/v1/nodes").status_code) == (401, 200)
    assert ada("GET", "/api/v1/nodes").status_code == 200, "tokens go on"
    assert nobody.get("/api/v1/nodes", headers=basic("ada", PASSWORD)).status_code == 401, "at once"
    assert nobody.get("/api/v1/nodes", headers=basic("ada", NEW)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"old": "wrong", "new": NEW}, 403),
        ({"old": PASSWORD, "new": "short"}, 400),
        ({"old": PASSWORD, "new": "stw_like a token"}, 400),
        ({"old": PASSWORD, "new": "x" * 2000}, 400),
        ({"old": PASSWORD, "new": None}, 400),
        ({"new": NEW}, 400),
        ({"old": PASSWORD, "new": NEW, "user": "bob"}, 400),
    ],
)
def test_a_change_of_password_that_will_not_do_changes_nothing(
    ada: Api, nobody: FlaskClient, body: dict[str, str], status: int
) -> None:
    assert ada("PUT", "/api/v1/account/password", json=body).status_code == status
    assert nobody.get("/api/v1/nodes", headers=basic("ada", PASSWORD)).status_code == 200


def test_nobody_changes_anothers_password(bob: Api, nobody: FlaskClient, house: House) -> None:
    body = {"old": PASSWORD, "new": NEW}
    assert nobody.put("/api/v1/account/password", json=body).status_code == 401
    assert bob("PUT", "/api/v1/account/password", json=body).status_code == 403, "it is not bob's"
    assert nobody.get("/api/v1/nodes", headers=basic("ada", PASSWORD)).status_code == 200
