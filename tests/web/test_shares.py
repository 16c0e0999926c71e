"""Links that owners give to others: what visitors see by them, under which password, within which limits."""

from __future__ import annotations

import re
import zipfile
from html import unescape
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import Api, basic

PASSWORD = "open sesame"
DATA = b"0123456789"


class Album:
    """A folder with something in it and something beside it."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.picture = api.put("/album/a.png", DATA)["id"]
        self.deep = api.put("/album/sub/deep.txt", b"deep")["id"]
        self.beside = api.put("/beside.txt", b"secret")["id"]
        self.folder, self.sub = self.number("/album"), self.number("/album/sub")

    def number(self, path: str) -> int:
        node: dict[str, Any] = self._api("GET", f"/api/v1/nodes?path={path}").get_json()["folder"]
        return int(node["id"])

    def share(self, **terms: Any) -> str:
        """The token of a new share, of the folder unless something else is named."""
        what = {} if "file_id" in terms else {"folder_id": self.folder}
        made = self._api("POST", "/api/v1/shares", json=what | terms)
        assert made.status_code == 201, made.text
        assert re.fullmatch("[A-Za-z0-9]{24}", made.get_json()["token"])
        return str(made.get_json()["token"])


@pytest.fixture
def album(ada: Api) -> Album:
    return Album(ada)


def links(page: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'(?:href|data-copy|data-download)="([^"]+)"', page)]


def test_a_folder_is_seen_with_all_below_it_and_nothing_else(nobody: FlaskClient, album: Album) -> None:
    token = album.share()
    page = nobody.get(f"/share/{token}")
    assert page.status_code == 200 and "a.png" in page.text and "beside" not in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    below = nobody.get(f"/share/{token}?folder={album.sub}")
    assert "deep.txt" in below.text
    found = [link for link in links(page.text + below.text) if "/api/share/" in link]
    assert len(found) > 4
    assert {nobody.get(link).status_code for link in found} == {200}
    zipped = nobody.get(f"/api/share/{token}/download-all")
    assert zipfile.ZipFile(BytesIO(zipped.data)).namelist() == ["sub/", "a.png", "sub/deep.txt"]
    one = nobody.get(f"/api/share/{token}/download-all?folder={album.sub}")
    assert zipfile.ZipFile(BytesIO(one.data)).namelist() == ["deep.txt"]
    assert nobody.get(zipped.headers["Content-Location"]).data == zipped.data


def test_a_file_is_seen_alone(nobody: FlaskClient, album: Album) -> None:
    token = album.share(file_id=album.picture)
    assert "a.png" in nobody.get(f"/share/{token}").text
    for place in (f"download/{album.picture}", "download-all"):
        whole = nobody.get(f"/api/share/{token}/{place}")
        assert (whole.status_code, whole.data) == (200, DATA)
    part = nobody.get(f"/api/share/{token}/download/{album.picture}", headers={"Range": "bytes=4-"})
    assert (part.status_code, part.data) == (206, DATA[4:])
    assert nobody.get(f"/api/share/{token}/download/{album.deep}").status_code == 404


def test_a_password_comes_by_form_basic_query_or_a_signed_address(
    flask_app: Flask, nobody: FlaskClient, album: Album
) -> None:
    token = album.share(password=PASSWORD)
    page, file = f"/share/{token}", f"/api/share/{token}/download/{album.picture}"
    locked = nobody.get(page)
    assert "a.png" not in locked.text and 'name="password"' in locked.text
    refused = nobody.get(file)
    assert refused.status_code == 401 and refused.headers["WWW-Authenticate"].startswith("Basic ")

    browser = flask_app.test_client()
    opened = browser.post(page, data={"password": PASSWORD})
    assert (opened.status_code, opened.headers["Location"]) == (303, page)
    unlocked = browser.get(page)
    assert "a.png" in unlocked.text
    assert browser.get(file).data == DATA
    signed = [link for link in links(unlocked.text) if "token=" in link]
    assert len(signed) >= 4
    assert {nobody.get(link).status_code for link in signed} == {200}

    assert nobody.get(file, headers=basic("anybody", PASSWORD)).data == DATA
    assert nobody.get(f"{file}?password=open+sesame").data == DATA
    clean = flask_app.test_client().get(f"{page}?password=open+sesame")
    assert (clean.status_code, clean.headers["Location"]) == (303, page)


def test_what_is_typed_into_the_form_goes_before_what_a_browser_sends_by_itself(
    nobody: FlaskClient, album: Album
) -> None:
    token = album.share(password="sesame")
    own = basic("ada", "of the account")
    unlocked = nobody.post(f"/share/{token}", data={"password": "sesame"}, headers=own)
    assert unlocked.status_code == 303
    assert nobody.get(f"/share/{token}", headers=own).status_code == 200


def test_the_cookie_goes_to_its_share_only(flask_app: Flask, album: Album) -> None:
    token, other = album.share(password=PASSWORD), album.share(password="another one")
    browser = flask_app.test_client()
    set_cookies = browser.post(f"/share/{token}", data={"password": PASSWORD}).headers.getlist("Set-Cookie")
    assert len(set_cookies) == 2
    for cookie in set_cookies:
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
        assert re.search(rf"Path=(/api)?/share/{token}(;|$)", cookie)
    stolen = {"Cookie": set_cookies[0].partition(";")[0]}
    thief = flask_app.test_client(use_cookies=False)
    assert thief.get(f"/api/share/{token}/download-all", headers=stolen).status_code == 200
    assert thief.get(f"/api/share/{other}/download-all", headers=stolen).status_code == 401


def test_the_owner_lists_changes_and_revokes(ada: Api, bob: Api, nobody: FlaskClient, album: Album) -> None:
    first, second = album.share(), album.share(file_id=album.picture, max_downloads=3)
    listed = ada("GET", "/api/v1/shares?limit=1").get_json()
    assert [item["token"] for item in listed["items"]] == [second]
    listed = ada("GET", f"/api/v1/shares?cursor={listed['next']}").get_json()
    assert [item["token"] for item in listed["items"]] == [first] and listed["next"] is None
    (one,) = ada("GET", f"/api/v1/shares?file_id={album.picture}").get_json()["items"]
    assert (one["kind"], one["file_id"], one["path"]) == ("file", album.picture, "/album/a.png")
    assert (one["has_password"], one["max_downloads"], one["state"]) == (False, 3, "active")
    assert urlsplit(one["url"]).path == f"/share/{second}"

    changed = ada("PATCH", f"/api/v1/shares/{second}", json={"password": PASSWORD, "max_downloads": None})
    assert (changed.get_json()["has_password"], changed.get_json()["max_downloads"]) == (True, None)
    assert nobody.get(f"/api/share/{second}/download-all").status_code == 401
    assert bob("PATCH", f"/api/v1/shares/{second}", json={}).status_code == 404
    assert bob("DELETE", f"/api/v1/shares/{second}").status_code == 404
    assert bob("GET", "/api/v1/shares").get_json()["items"] == []
    assert ada("DELETE", f"/api/v1/shares/{second}").status_code == 204
    assert nobody.get(f"/api/share/{second}/download-all").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"file_id": 1, "folder_id": 1},
        {"file_id": "1"},
        {"password": "abc"},
        {"password": 5},
        {"max_downloads": 0},
        {"max_connections": -1},
        {"rate_limit_kb": 1.5},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": "tomorrow"},
        {"unknown": 1},
    ],
)
def test_terms_that_mean_nothing_are_refused(ada: Api, album: Album, body: dict[str, Any]) -> None:
    about = {} if not body or "file_id" in body else {"folder_id": album.folder}
    assert ada("POST", "/api/v1/shares", json=about | body).status_code == 400


def test_a_download_by_a_share_counts_once_for_each_network_and_file(
    ada: Api, nobody: FlaskClient, album: Album
) -> None:
    token = album.share(max_downloads=2)
    file, other = (f"/api/share/{token}/download/{one}" for one in (album.picture, album.deep))

    def get(path: str, address: str, **more: Any) -> int:
        return nobody.get(path, environ_overrides={"REMOTE_ADDR": address}, buffered=True, **more).status_code

    assert nobody.head(file).status_code == 200
    assert get(file, "192.0.2.1", headers={"Range": "bytes=0-4"}) == 206
    assert get(file, "192.0.2.1") == 200
    (listed,) = ada("GET", "/api/v1/shares").get_json()["items"]
    assert (listed["downloads"], listed["state"]) == (1, "active")
    assert get(file, "192.0.2.2") == 200
    (listed,) = ada("GET", "/api/v1/shares").get_json()["items"]
    assert (listed["downloads"], listed["state"]) == (2, "used_up")
    assert get(file, "192.0.2.3") == 410
    assert get(other, "192.0.2.1") == 410, "what had not begun"
    assert get(file, "192.0.2.1", headers={"Range": "bytes=5-"}) == 206, "what has begun goes on"
    assert get(f"/share/{token}", "192.0.2.3") == 410


def test_a_person_whose_signed_address_is_over_is_led_to_the_page_of_the_link(
    nobody: FlaskClient, album: Album
) -> None:
    token = album.share(password=PASSWORD)
    person, program = {"Accept": "text/html,*/*;q=0.8"}, {"Accept": "*/*"}
    address = f"/api/share/{token}/download/{album.picture}?token=old"
    page = nobody.get(address, headers=person)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert f'href="/share/{token}"' in page.text and "gives new ones" in page.text
    assert nobody.get(address, headers=program).mimetype == "application/problem+json"
    assert nobody.get("/api/v1/nodes", headers=person).mimetype == "application/problem+json"
