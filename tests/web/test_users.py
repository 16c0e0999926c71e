"""Users and quotas, as an admin's page has them: what is changed holds at once, and what is full takes no bytes."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.conftest import House
from tests.web.conftest import PASSWORD, Api, basic

NEW = "another horse entirely"
TUS = {"Tus-Resumable": "1.0.0"}


def test_an_admin_adds_a_user_who_can_sign_in(ada: Api, nobody: FlaskClient) -> None:
    response = ada("POST", "/api/v1/users", json={"name": "eve", "password": NEW, "quota": 1000})
    assert response.status_code == 201
    eve = response.get_json()
    assert (eve["name"], eve["is_admin"], eve["quota"], eve["used"], eve["files"]) == (
        "eve",
        False,
        1000,
        0,
        0,
    )
    assert eve in ada("GET", "/api/v1/users").get_json()["items"]
    assert nobody.get("/api/v1/account", headers=basic("eve", NEW)).get_json() == eve
    assert ada("POST", "/api/v1/users", json={"name": "Eve", "password": NEW}).status_code == 409


def test_what_a_user_cannot_be_is_refused(ada: Api) -> None:
    for more in (
        {"quota": -1},
        {"quota": 1.5},
        {"quota": True},
        {"quota": 1 << 63},
        {"is_admin": 1},
        {"x": 1},
    ):
        body = {"name": "eve", "password": NEW, **more}
        assert ada("POST", "/api/v1/users", json=body).status_code == 400, more
    assert ada("POST", "/api/v1/users", json={"name": "eve"}).status_code == 400
    assert ada("PATCH", "/api/v1/users/99", json={"quota": 1}).status_code == 404


def test_an_admin_s_new_password_for_a_user_ends_the_old_one(ada: Api, bob: Api, nobody: FlaskClient) -> None:
    number = bob("GET", "/api/v1/account").get_json()["id"]
    assert ada("PATCH", f"/api/v1/users/{number}", json={"password": NEW}).status_code == 200
    assert nobody.get("/api/v1/account", headers=basic("bob", "battery staple")).status_code == 401
    assert nobody.get("/api/v1/account", headers=basic("bob", NEW)).status_code == 200


def test_only_what_is_given_changes(ada: Api, bob: Api, nobody: FlaskClient) -> None:
    path = f"/api/v1/users/{bob('GET', '/api/v1/account').get_json()['id']}"
    assert ada("PATCH", path, json={"quota": 5}).get_json()["quota"] == 5
    promoted = ada("PATCH", path, json={"is_admin": True}).get_json()
    assert (promoted["is_admin"], promoted["quota"]) == (True, 5)
    assert ada("PATCH", path, json={"quota": None}).get_json()["quota"] is None
    assert nobody.get("/api/v1/account", headers=basic("bob", "battery staple")).status_code == 200


def test_a_user_goes_when_no_files_are_left_and_the_last_admin_stays(ada: Api, bob: Api) -> None:
    path = f"/api/v1/users/{bob('GET', '/api/v1/account').get_json()['id']}"
    file = bob.put("/f", b"x")
    assert ada("DELETE", path).status_code == 409
    bob("DELETE", f"/api/v1/files/{file['id']}")
    assert ada("DELETE", path).status_code == 204
    assert bob("GET", "/api/v1/account").status_code == 401
    mine = f"/api/v1/users/{ada('GET', '/api/v1/account').get_json()['id']}"
    assert ada("DELETE", mine).status_code == 409
    assert ada("PATCH", mine, json={"is_admin": False}).status_code == 409


def test_past_the_quota_nothing_is_taken_by_either_way_in(ada: Api, house: House) -> None:
    house.gateway.people.change(house.user.id, quota=10)
    ada.put("/a", b"12345")
    refused = ada("PUT", "/api/v1/content/b", data=b"123456")
    assert refused.status_code == 507
    assert refused.get_json()["type"].endswith(":over-quota")
    metadata = TUS | {"Upload-Metadata": "filename Yg=="}
    assert ada("POST", "/api/v1/uploads", metadata | {"Upload-Length": "6"}).status_code == 507
    assert ada("POST", "/api/v1/uploads", metadata | {"Upload-Length": "5"}).status_code == 201
    assert ada("PUT", "/api/v1/content/c", data=b"1").status_code == 507, "the upload under way counts"


def test_a_file_may_be_replaced_by_one_that_fits_in_its_place(ada: Api, house: House) -> None:
    house.gateway.people.change(house.user.id, quota=5)
    ada.put("/a", b"12345")
    ada.put("/a", b"54321")
    assert ada("PUT", "/api/v1/content/a", data=b"654321").status_code == 507
    assert PASSWORD not in ada("GET", "/api/v1/users").text
