"""Prepared ZIPs over HTTP: asked for, followed, fetched by a link without a cookie, and cancelled."""

from __future__ import annotations

import http.client
import os
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import PreparedSettings
from model import MIB, ByteRange
from tests.conftest import House
from tests.gateway.preparing import worked
from tests.serving.conftest import Running, settings_for_tests
from tests.web.conftest import Api

LONG = os.urandom(2 * MIB + 5)


@pytest.fixture
def folder(ada: Api) -> int:
    ada.put("/größe/long.bin", LONG)
    ada.put("/größe/one", b"1")
    number: int = ada("GET", "/api/v1/nodes?path=/größe").get_json()["folder"]["id"]
    return number


def ask(api: Api, folder: int) -> dict[str, Any]:
    response = api("POST", f"/api/v1/folders/{folder}/prepare-download", json={})
    assert response.status_code in {200, 202}, response.text
    job: dict[str, Any] = response.get_json()
    assert response.headers["Location"] == f"/api/v1/jobs/{job['job_id']}"
    return job


def made(api: Api, house: House, folder: int) -> dict[str, Any]:
    """The job, ready."""
    asked = ask(api, folder)
    worked(house.gateway)
    job: dict[str, Any] = api("GET", f"/api/v1/jobs/{asked['job_id']}").get_json()
    assert job["status"] == "ready", job
    return job


def local(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_a_zip_is_asked_for_followed_and_fetched_without_a_cookie(
    ada: Api, nobody: FlaskClient, house: House, folder: int
) -> None:
    asked = ask(ada, folder)
    assert (asked["status"], asked["progress"], asked["folder"]) == ("queued", 0, "/größe")
    here = f"/api/v1/jobs/{asked['job_id']}"
    first = ada("GET", here)
    assert ada("GET", here, {"If-None-Match": first.headers["ETag"]}).status_code == 304
    worked(house.gateway)
    second = ada("GET", here, {"If-None-Match": first.headers["ETag"]})
    job = second.get_json()
    assert (second.status_code, job["status"], job["progress"]) == (200, "ready", 100)
    assert ada("GET", here, {"If-None-Match": second.headers["ETag"]}).status_code == 304
    assert ada("POST", f"/api/v1/folders/{folder}/prepare-download", json={}).status_code == 200
    assert [each["job_id"] for each in ada("GET", "/api/v1/jobs").get_json()["items"]] == [job["job_id"]]
    fetched = nobody.get(local(job["download_url"]), buffered=True)
    assert len(fetched.data) == job["size"] == int(fetched.headers["Content-Length"])
    assert zipfile.ZipFile(BytesIO(fetched.data)).read("long.bin") == LONG
    assert "filename*=UTF-8''gr%C3%B6%C3%9Fe.zip" in fetched.headers["Content-Disposition"]
    assert fetched.headers["Cache-Control"].startswith("private, max-age=86")
    assert "immutable" in fetched.headers["Cache-Control"]
    streamed = ada("GET", f"/folders/{folder}/download.zip")
    assert (fetched.data, fetched.headers["ETag"]) == (streamed.data, streamed.headers["ETag"])


def test_ranges_and_conditions_are_those_of_files(
    ada: Api, nobody: FlaskClient, house: House, folder: int
) -> None:
    url = local(made(ada, house, folder)["download_url"])
    whole = nobody.get(url, buffered=True)
    tag = whole.headers["ETag"]
    part = nobody.get(url, headers={"Range": "bytes=100-299", "If-Range": tag}, buffered=True)
    assert (part.status_code, part.data) == (206, whole.data[100:300])
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(whole.data)}"
    assert nobody.get(url, headers={"Range": "bytes=-22"}, buffered=True).data == whole.data[-22:]
    assert (
        nobody.get(url, headers={"Range": "bytes=100-", "If-Range": '"other"'}, buffered=True).status_code
        == 200
    )
    assert nobody.get(url, headers={"If-None-Match": tag}, buffered=True).status_code == 304
    assert nobody.get(url, headers={"If-Match": '"other"'}, buffered=True).status_code == 412
    assert nobody.get(url, headers={"Range": f"bytes={len(whole.data)}-"}, buffered=True).status_code == 416
    head = nobody.head(url)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.data))


def test_a_link_opens_one_zip_and_ends_with_it(
    ada: Api, bob: Api, nobody: FlaskClient, house: House, folder: int
) -> None:
    job = made(ada, house, folder)
    url = local(job["download_url"])
    path, _, token = url.partition("?token=")
    assert nobody.get(f"{path}?token={token.swapcase()}").status_code == 404
    other = f"/prepared/{'0' * 32}/x.zip"
    assert nobody.get(f"{other}?token={token}", buffered=True).status_code == 404
    assert (
        nobody.get(f"/prepared/{job['job_id']}/any name.zip?token={token}", buffered=True).status_code == 200
    )
    assert nobody.get(path).status_code in {303, 401} and bob("GET", path).status_code == 404
    assert ada("GET", path).status_code == 200, "its owner needs no link"
    ada.put("/größe/new", b"x")
    assert nobody.get(url, buffered=True).status_code == 410
    again = local(made(ada, house, folder)["download_url"])
    assert nobody.get(again, buffered=True).status_code == 200
    house.gateway.people.set_password("ada", "another horse")
    assert nobody.get(again, buffered=True).status_code == 410


def test_a_cancelled_one_is_gone(ada: Api, bob: Api, nobody: FlaskClient, house: House, folder: int) -> None:
    job = made(ada, house, folder)
    here = f"/api/v1/jobs/{job['job_id']}"
    assert bob("DELETE", here).status_code == 404
    assert ada("DELETE", here).status_code == 204
    assert ada("DELETE", here).status_code == 409
    assert ada("GET", here).get_json()["status"] == "cancelled"
    assert nobody.get(local(job["download_url"]), buffered=True).status_code == 410


def test_an_admin_sees_everybodys_jobs_and_no_link(ada: Api, bob: Api, house: House, folder: int) -> None:
    bob.put("/b/f", b"x")
    made(bob, house, bob("GET", "/api/v1/nodes?path=/b").get_json()["folder"]["id"])
    assert bob("GET", "/api/v1/admin/jobs").status_code == 403
    (seen,) = ada("GET", "/api/v1/admin/jobs").get_json()["items"]
    assert (seen["user"], seen["status"], seen["attempts"]) == ("bob", "ready", 1)
    assert "download_url" not in seen


def test_its_owner_hears_of_it(ada: Api, house: House, folder: int) -> None:
    last = ada("GET", "/api/v1/events").get_json()["last"]
    job = made(ada, house, folder)
    told = ada("GET", f"/api/v1/events?since={last}").get_json()["events"]
    assert [(each["type"], each["status"]) for each in told] == [
        ("prepared", "queued"),
        ("prepared", "processing"),
        ("prepared", "ready"),
    ]
    assert {each["job_id"] for each in told} == {job["job_id"]} and told[0]["folder"] == "/größe"


def test_with_a_proxy_or_a_cdn_in_front_the_address_and_the_bytes_are_theirs(
    ada: Api, house: House, folder: int, tmp_path: Path
) -> None:
    job = made(ada, house, folder)
    prepared = PreparedSettings(accel="/internal/prepared", cdn="https://cdn.example.org")
    there = create_app(house.gateway, replace(settings_for_tests(tmp_path), prepared=prepared)).test_client()
    auth = {"Authorization": "Bearer " + house.gateway.people.make_token(house.user, "t")[1]}
    url = there.get(f"/api/v1/jobs/{job['job_id']}", headers=auth).get_json()["download_url"]
    assert url.startswith("https://cdn.example.org/prepared/")
    handed = there.get(local(url), headers={"Range": "bytes=5-"})
    assert (handed.status_code, handed.data) == (200, b"")
    assert handed.headers["X-Accel-Redirect"] == f"/internal/prepared/{job['job_id']}.zip"
    assert handed.headers["Cache-Control"].startswith("public, max-age=")
    mine = there.get(urlsplit(url).path, headers=auth)
    assert mine.headers["Cache-Control"].startswith("private"), "this address alone opens nothing"


def test_what_visitors_fetch_is_no_cdns_to_keep(
    ada: Api, nobody: FlaskClient, house: House, folder: int, tmp_path: Path
) -> None:
    here, job = visitor(ada, folder, password="sesame"), made(ada, house, folder)["job_id"]
    prepared = PreparedSettings(cdn="https://cdn.example.org")
    there = create_app(house.gateway, replace(settings_for_tests(tmp_path), prepared=prepared)).test_client()
    told = there.get(f"{here}/download-status/{job}?password=sesame").get_json()["download_url"]
    assert told.startswith("http://localhost/api/share/"), "the share is asked again each time"
    fetched = there.get(local(told), buffered=True)
    assert (fetched.status_code, fetched.headers["Cache-Control"][:8]) == (200, "private,")


def test_the_server_sends_it_by_itself(running: Running, ada: Api, house: House, folder: int) -> None:
    url = local(made(ada, house, folder)["download_url"])
    whole = ada("GET", url).data
    connection = http.client.HTTPConnection(*running.address, timeout=10)
    for span in (ByteRange(0, len(whole)), ByteRange(5, MIB), ByteRange(len(whole) - 22, len(whole))):
        connection.request("GET", url, headers={"Range": f"bytes={span.start}-{span.stop - 1}"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (206, whole[span.start : span.stop])
    connection.request("HEAD", url)
    assert connection.getresponse().read() == b""
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200, "the connection goes on"
    connection.close()
    assert house.downloading == 0, "it is no transfer"


def visitor(ada: Api, folder: int, **terms: Any) -> str:
    """The address below which a share of the folder is."""
    made = ada("POST", "/api/v1/shares", json={"folder_id": folder, **terms})
    assert made.status_code == 201, made.text
    return f"/api/share/{made.get_json()['token']}"


def test_a_visitor_has_it_made_and_fetches_it_and_learns_nothing_of_the_owners_tree(
    ada: Api, nobody: FlaskClient, house: House, folder: int
) -> None:
    here = visitor(ada, folder, max_downloads=2)
    asked = nobody.post(f"{here}/prepare-download", json={})
    assert asked.status_code == 202
    assert ask(ada, folder)["job_id"] == asked.get_json()["job_id"], "the owner joins"
    worked(house.gateway)
    told = nobody.get(asked.headers["Location"])
    assert not {"folder", "folder_id", "created_at"} & told.get_json().keys()
    assert (
        nobody.get(asked.headers["Location"], headers={"If-None-Match": told.headers["ETag"]}).status_code
        == 304
    )
    url = urlsplit(told.get_json()["download_url"]).path
    for _ in range(3):
        fetched = nobody.get(url, buffered=True)
        assert zipfile.ZipFile(BytesIO(fetched.data)).read("long.bin") == LONG
    listed = ada("GET", "/api/v1/shares").get_json()["items"]
    assert [share["downloads"] for share in listed] == [1], "the same from the same place is one"


def test_what_locks_a_link_locks_its_prepared_zips(
    ada: Api, nobody: FlaskClient, house: House, folder: int
) -> None:
    here = visitor(ada, folder, password="sesame")
    assert nobody.post(f"{here}/prepare-download", json={}).status_code == 401
    asked = nobody.post(f"{here}/prepare-download?password=sesame", json={})
    worked(house.gateway)
    status = asked.headers["Location"]
    assert nobody.get(status).status_code == 401
    url = local(nobody.get(f"{status}?password=sesame").get_json()["download_url"])
    plain, _, _token = url.partition("?")
    assert nobody.get(plain).status_code == 401
    assert nobody.get(url, buffered=True).status_code == 200, "a signed address needs no password"
    other = visitor(ada, folder, password="another")
    assert nobody.get(url.replace(here, other)).status_code == 404
    token = here.rpartition("/")[2]
    assert ada("PATCH", f"/api/v1/shares/{token}", json={"password": "changed"}).status_code == 200
    assert nobody.get(url).status_code == 410
    assert ada("DELETE", f"/api/v1/shares/{token}").status_code == 204
    assert nobody.get(url).status_code == 404


def test_a_visitor_reaches_no_zip_but_those_of_what_is_shared(
    ada: Api, nobody: FlaskClient, house: House, folder: int
) -> None:
    ada.put("/größe/below/f", b"below")
    below: int = ada("GET", "/api/v1/nodes?path=/größe/below").get_json()["folder"]["id"]
    whole = made(ada, house, folder)["job_id"]
    here = visitor(ada, below)
    assert nobody.get(f"{here}/download-status/{whole}").status_code == 404
    assert nobody.get(f"{here}/prepared/{whole}/x.zip").status_code == 404
    assert nobody.post(f"{here}/prepare-download", json={"folder_id": folder}).status_code == 404
    above = visitor(ada, folder)
    asked = nobody.post(f"{above}/prepare-download", json={"folder_id": below})
    worked(house.gateway)
    assert nobody.get(asked.headers["Location"]).get_json()["status"] == "ready"
    assert ada("PATCH", f"/api/v1/folders/{below}", json={"parent": "/"}).status_code == 200
    assert nobody.get(asked.headers["Location"]).status_code == 404, "it was moved out"


@pytest.mark.parametrize("limit", ["rate_limit_kb", "max_connections"])
def test_a_limited_share_gives_no_prepared_zip_though_it_was_made_before(
    ada: Api, nobody: FlaskClient, house: House, folder: int, limit: str
) -> None:
    job, here = made(ada, house, folder)["job_id"], visitor(ada, folder)
    assert nobody.get(f"{here}/prepared/{job}/x.zip", buffered=True).status_code == 200
    token = here.rpartition("/")[2]
    assert ada("PATCH", f"/api/v1/shares/{token}", json={limit: 100}).status_code == 200
    assert nobody.get(f"{here}/prepared/{job}/x.zip", buffered=True).status_code == 403
    assert nobody.post(f"{here}/prepare-download", json={}).status_code == 403


def test_an_answer_without_bytes_is_no_download_of_a_share(
    ada: Api, nobody: FlaskClient, house: House, folder: int
) -> None:
    job, here = made(ada, house, folder)["job_id"], visitor(ada, folder, max_downloads=1)
    address = f"{here}/prepared/{job}/x.zip"
    tag = nobody.head(address).headers["ETag"]
    for header, value in (("If-None-Match", tag), ("If-Match", '"x"'), ("Range", "bytes=999999999-")):
        assert nobody.get(address, headers={header: value}).status_code in {304, 412, 416}

    def counted() -> list[int]:
        return [share["downloads"] for share in ada("GET", "/api/v1/shares").get_json()["items"]]

    assert counted() == [0]
    assert nobody.get(address, headers={"Range": "bytes=0-4"}, buffered=True).status_code == 206
    assert counted() == [1]
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert nobody.get(address, environ_overrides=elsewhere).status_code == 410, "none are left"


def test_what_a_visitor_has_made_is_named_to_its_owner_by_the_owners_path(
    ada: Api, nobody: FlaskClient, folder: int
) -> None:
    assert nobody.post(f"{visitor(ada, folder)}/prepare-download", json={}).status_code == 202
    assert [job["folder"] for job in ada("GET", "/api/v1/jobs").get_json()["items"]] == ["/größe"]


def test_visitors_leave_room_for_the_owner(ada: Api, nobody: FlaskClient, folder: int) -> None:
    for number in range(7):
        ada.put(f"/größe/{number}/f", b"x")
    items = ada("GET", "/api/v1/nodes?path=/größe").get_json()["items"]
    ids = [item["id"] for item in items if item["kind"] == "folder"]
    here = visitor(ada, folder)
    answers = [nobody.post(f"{here}/prepare-download", json={"folder_id": one}).status_code for one in ids]
    assert answers == [202] * 5 + [503] * 2
    assert ask(ada, ids[-1])["status"] == "queued"
