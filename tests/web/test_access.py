"""Who may come in, by which credentials, and to what: every route, as nobody, another user, the owner and an admin."""

from __future__ import annotations

import io
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from tests.conftest import House
from tests.serving.conftest import settings_for_tests
from tests.web.conftest import PASSWORD, Api, basic, csrf
from tests.web.walk import KNOWN, STEPS, Step, Things, nothing
from web.access.session import local_path

CALLERS = ("nobody", "another user", "the owner", "an admin")


def rules(flask_app: Flask) -> set[tuple[str, str]]:
    """Every method and rule there is. OPTIONS is answered by the framework, but for uploads, where tus has it."""
    return {
        (method, rule.rule)
        for rule in flask_app.url_map.iter_rules()
        for method in rule.methods or ()
        if method != "OPTIONS" or rule.endpoint == "uploads.options"
    }


def test_the_walk_leads_through_every_route(flask_app: Flask) -> None:
    """A new route needs a step in tests/web/walk.py."""
    about = nothing({name for step in STEPS for name in step.things})
    where = flask_app.url_map.bind("localhost")
    walked = set()
    for step in STEPS:
        path = step.about(about)[0].partition("?")[0]
        walked.add((step.method, where.match(path, step.method, return_rule=True)[0].rule))
    assert walked == rules(flask_app)
    assert len(walked) == len(STEPS)


def expected(step: Step, declared: str, caller: str) -> set[int]:
    """The statuses that are right; what is done for somebody who may may answer in many ways."""
    done = {200, 201, 202, 204, 303}
    if declared in {"anybody", "visitors"}:
        return done
    if caller == "nobody":
        return {303} if "/api/" not in step.path and not step.things and step.path != "/metrics" else {401}
    if declared == "admins":
        return done if caller == "an admin" else {403}
    theirs = caller == "the owner" or (caller == "an admin" and step.things == {"transfer"})
    return done if theirs or not step.things else {404}


@pytest.mark.slow
@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_lets_in_whom_it_should_and_shows_each_their_own(
    flask_app: Flask, house: House, nobody: FlaskClient, ada: Api, caller: str
) -> None:
    people = house.gateway.people
    owner, other = people.add("owner", PASSWORD), people.add("other", PASSWORD)
    user = {"the owner": owner, "another user": other}.get(caller, house.user)
    token = people.make_token(user, "walk")[1]
    house.gateway.uploads.put(user, "/known", io.BytesIO(KNOWN), len(KNOWN))
    where = flask_app.url_map.bind("localhost")
    with Things(house, owner) as things:
        for step in STEPS:
            path, sent = step.about(things.make(step.things))
            if caller != "nobody":
                sent["headers"] = sent["headers"] | {"Authorization": f"Bearer {token}"}
            endpoint = where.match(path.partition("?")[0], step.method)[0]
            declared = vars(flask_app.view_functions[endpoint])["declared"]
            response = flask_app.test_client().open(
                path,
                method=step.method,
                environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
                buffered=True,
                **sent,
            )
            right = expected(step, declared, caller)
            assert response.status_code in right, (caller, step.method, path, response.text)
            assert response.status_code != 401 or "WWW-Authenticate" in response.headers


@pytest.mark.slow
def test_what_is_another_s_is_refused_in_the_words_for_what_is_not_there(
    flask_app: Flask, house: House, bob: Api
) -> None:
    """Else numbers would tell what others have."""

    def words(text: str) -> str:
        detail = json.loads(text)["detail"]
        return re.sub(r"[0-9a-f-]{36}|\d+", "N", detail)

    with Things(house, house.user) as things:
        for step in STEPS:
            if not step.things or step.things == {"user"} or step.method in {"HEAD", "OPTIONS"}:
                continue
            if step.for_visitors:  # of whom nobody asks who they are
                continue
            (path, sent), (nowhere, of_nothing) = (
                step.about(found) for found in (things.make(step.things), nothing(step.things))
            )
            theirs, none = bob(step.method, path, **sent), bob(step.method, nowhere, **of_nothing)
            assert (theirs.status_code, words(theirs.text)) == (404, words(none.text)), path


def test_a_list_that_holds_anothers_changes_nothing(ada: Api, bob: Api) -> None:
    mine, theirs = bob.put("/f", b"mine")["id"], ada.put("/f", b"theirs")["id"]
    for verb, more in (("move", {"parent": "/"}), ("copy", {"parent": "/"}), ("delete", {})):
        for mixed in ([mine, theirs], [theirs, mine]):
            assert bob("POST", f"/api/v1/nodes/{verb}", json={"ids": mixed} | more).status_code == 404
    assert [item["id"] for item in bob("GET", "/api/v1/nodes").get_json()["items"]] == [mine]
    assert bob("GET", f"/files/{mine}/download").data == b"mine"
    assert ada("GET", f"/files/{theirs}/download").data == b"theirs"


def test_every_route_that_changes_something_refuses_a_cookie_alone(
    flask_app: Flask, house: House, browser: FlaskClient
) -> None:
    with Things(house, house.user) as things:
        for step in STEPS:
            if step.method in {"GET", "HEAD", "OPTIONS"} or step.path == "/login" or step.for_visitors:
                continue
            path, sent = step.about(things.make(step.things))
            response = browser.open(path, method=step.method, buffered=True, **sent)
            assert response.status_code == 403, (step.method, path, response.text)
            assert "load it again" in response.text
            elsewhere = {"headers": sent["headers"] | {"Origin": "https://evil.example"}}
            refused = browser.open(path, method=step.method, buffered=True, **(sent | elsewhere))
            assert refused.status_code == 403 and "another site" in refused.text, path


def test_a_token_of_another_user_cannot_be_revoked(ada: Api, bob: Api) -> None:
    token = ada("POST", "/api/v1/tokens", json={"name": "t"}).get_json()["id"]
    assert bob("DELETE", f"/api/v1/tokens/{token}").status_code == 404
    assert ada("DELETE", f"/api/v1/tokens/{token}").status_code == 204


def test_a_view_that_does_not_say_who_may_call_it_stops_the_app(flask_app: Flask) -> None:
    from web.access.auth import refuse_undeclared

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
