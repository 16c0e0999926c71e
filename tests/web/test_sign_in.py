"""The form and its cookie: what other sites cannot do with them, and how wrong passwords are slowed down."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from gateway.access.slowdown import FREE_BY_ACCOUNT
from tests.conftest import House
from tests.serving.conftest import settings_for_tests
from tests.web.conftest import PASSWORD, Api, basic, csrf

FORM = {"username": "ada", "password": PASSWORD}
STRANGER = {"REMOTE_ADDR": "198.51.100.7"}


def sign_in(client: FlaskClient, password: str = PASSWORD, **more: Any) -> TestResponse:
    return client.post("/login", data=FORM | {"password": password}, **more)


def make_slow(client: FlaskClient) -> None:
    """A stranger guesses at ada's password until that is slowed down."""
    for number in range(FREE_BY_ACCOUNT):
        assert sign_in(client, f"guess {number}", environ_overrides=STRANGER).status_code == 401


def test_the_form_is_slowed_down_and_says_so_on_itself(nobody: FlaskClient) -> None:
    make_slow(nobody)
    refused = sign_in(nobody, environ_overrides=STRANGER)
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "1"
    assert "too many wrong passwords" in refused.text and 'value="ada"' in refused.text


def test_basic_is_slowed_down_together_with_the_form(nobody: FlaskClient) -> None:
    make_slow(nobody)
    refused = nobody.get("/api/v1/nodes", headers=basic("ada", PASSWORD), environ_overrides=STRANGER)
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) >= 1
    assert refused.get_json()["type"].endswith("too-many-guesses")


def test_a_token_a_session_and_a_place_of_old_go_on_while_strangers_guess(
    nobody: FlaskClient, browser: FlaskClient, ada: Api, house: House
) -> None:
    make_slow(nobody)
    _, secret = house.gateway.people.make_token(house.user, "t")
    assert ada("GET", "/api/v1/nodes", environ_overrides=STRANGER).status_code == 200
    good = nobody.get("/api/v1/nodes", headers=basic("ada", secret), environ_overrides=STRANGER)
    assert good.status_code == 200
    assert browser.get("/api/v1/nodes", environ_overrides=STRANGER).status_code == 200
    assert sign_in(nobody).status_code == 303, "the browser's fixture has signed in from here"


def test_another_users_sign_in_is_not_slowed_down(nobody: FlaskClient, bob: Api) -> None:
    make_slow(nobody)
    headers = basic("bob", "battery staple")
    assert nobody.get("/api/v1/nodes", headers=headers, environ_overrides=STRANGER).status_code == 200


def test_an_unknown_name_reads_like_a_wrong_password(nobody: FlaskClient) -> None:
    answers = [
        nobody.post("/login", data={"username": name, "password": "wrong password"})
        for name in ("ada", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text.replace("ada", "") == answers[1].text.replace("nobody", "")


def test_signing_out_ends_the_session_itself(flask_app: Flask, browser: FlaskClient) -> None:
    cookie = browser.get_cookie("stowgram")
    assert cookie is not None
    assert browser.post("/logout").status_code == 403
    assert browser.post("/logout", data={"csrf_token": csrf(browser)}).status_code == 303
    thief = flask_app.test_client()
    thief.set_cookie("stowgram", cookie.value)
    assert thief.get("/api/v1/nodes").status_code == 401


def test_signing_in_again_ends_the_session_that_was(browser: FlaskClient, house: House) -> None:
    (before,) = house.gateway.sessions.of(house.user)
    assert sign_in(browser).status_code == 303
    (after,) = house.gateway.sessions.of(house.user)
    assert after.id != before.id


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(nobody: FlaskClient) -> None:
    cookie = sign_in(nobody).headers["Set-Cookie"]
    assert cookie.startswith("stowgram=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Secure" not in cookie and "Domain" not in cookie


def test_over_tls_the_cookie_is_secure_and_the_hosts_own(flask_app: Flask) -> None:
    client = flask_app.test_client()
    cookie = sign_in(client, base_url="https://localhost").headers["Set-Cookie"]
    assert cookie.startswith("__Host-stowgram=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(
        cookie.split("; ")
    ) and "Domain" not in cookie
    assert client.get("/api/v1/nodes", base_url="https://localhost").status_code == 200
    assert client.get("/api/v1/nodes").status_code == 401, "a plain cookie is another one"


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        ({"base_url": "https://files.example.org"}, {}),
        ({"trusted_proxies": 1}, {"X-Forwarded-Proto": "https"}),
    ],
)
def test_behind_a_proxy_with_tls_the_cookie_is_secure(
    house: House, tmp_path: Any, changes: dict[str, Any], headers: dict[str, str]
) -> None:
    client = create_app(house.gateway, settings_for_tests(tmp_path, **changes)).test_client()
    assert sign_in(client, headers=headers).headers["Set-Cookie"].startswith("__Host-stowgram=")


OURS = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost:80"},
    {"Origin": "https://files.example.org"},
    {"Referer": "http://localhost/login?next=%2F"},
    {"Origin": "http://behind.a.proxy", "Sec-Fetch-Site": "same-origin"},
]
ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost:8080"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://files.example.org"},
    {"Origin": "http://["},
    {"Origin": "null", "Referer": "http://localhost/"},
    {"Referer": "http://evil.example/?http://localhost/"},
    {"Sec-Fetch-Site": "none", "Origin": "http://evil.example"},
]


@pytest.fixture
def public_app(house: House, tmp_path: Any) -> Flask:
    return create_app(house.gateway, settings_for_tests(tmp_path, base_url="https://files.example.org"))


@pytest.mark.parametrize("headers", OURS, ids=str)
def test_our_own_form_signs_in(public_app: Flask, headers: dict[str, str]) -> None:
    assert sign_in(public_app.test_client(), headers=headers).status_code == 303


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_another_site_cannot_sign_somebody_in(public_app: Flask, headers: dict[str, str]) -> None:
    assert sign_in(public_app.test_client(), headers=headers).status_code == 403


@pytest.mark.parametrize("headers", ELSEWHERE[:6], ids=str)
def test_another_site_changes_nothing_though_cookie_basic_and_csrf_token_come_along(
    nobody: FlaskClient, browser: FlaskClient, house: House, headers: dict[str, str]
) -> None:
    by_cookie = headers | {"X-CSRFToken": csrf(browser)}
    by_basic = headers | basic("ada", PASSWORD)
    for client, credentials in ((browser, by_cookie), (nobody, by_basic)):
        refused = client.post("/api/v1/folders", json={"path": "/a"}, headers=credentials)
        assert refused.status_code == 403, refused.text
    assert browser.post("/logout", data={"csrf_token": csrf(browser)}, headers=headers).status_code == 403
    assert house.gateway.files.listing(house.user, "/").items == ()


def test_a_token_may_be_sent_from_a_page_elsewhere(ada: Api) -> None:
    made = ada("POST", "/api/v1/folders", {"Origin": "https://app.example"}, json={"path": "/a"})
    assert made.status_code == 201
