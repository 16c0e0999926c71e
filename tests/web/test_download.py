"""Bytes out through Flask: the headers that go with them, what starts no I/O, and what a failing store becomes."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from disposition import content_disposition
from tests.conftest import House
from tests.serving.conftest import settings_for_tests
from tests.web.conftest import Api

DATA = bytes(range(256)) * 5000


def test_a_download_is_the_file_and_says_all_about_it(ada: Api) -> None:
    node = ada.put("/a b/größe.bin", DATA)
    response = ada("GET", f"/files/{node['id']}/download")
    assert response.status_code == 200 and response.data == DATA
    headers = response.headers
    assert headers["ETag"] == f'"{node["etag"]}"'
    assert headers["Content-Length"] == str(len(DATA))
    assert headers["Accept-Ranges"] == "bytes"
    digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    assert headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert (
        headers["Content-Disposition"]
        == "attachment; filename=\"groe.bin\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.bin"
    )
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-cache"
    assert "Last-Modified" in headers


def test_head_has_the_headers_of_get_and_starts_nothing(ada: Api, house: House) -> None:
    path = f"/files/{ada.put('/f', DATA)['id']}/download"
    got, head = ada("GET", path), ada("HEAD", path)
    volatile = {"X-Request-Id", "Date"}
    assert [h for h in got.headers if h[0] not in volatile] == [
        h for h in head.headers if h[0] not in volatile
    ]
    assert head.data == b"" and house.downloading == 0


def test_a_range_is_a_206_and_the_rest_resumes(ada: Api) -> None:
    path = f"/files/{ada.put('/f', DATA)['id']}/download"
    first = ada("GET", path, {"Range": "bytes=0-999999"})
    rest = ada("GET", path, {"Range": "bytes=1000000-", "If-Range": first.headers["ETag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.data + rest.data == DATA
    assert rest.headers["Content-Range"] == f"bytes 1000000-{len(DATA) - 1}/{len(DATA)}"
    assert rest.headers["Repr-Digest"] == first.headers["Repr-Digest"]


def test_what_needs_no_bytes_reads_none(ada: Api, house: House) -> None:
    node = ada.put("/f", DATA)
    path = f"/files/{node['id']}/download"
    tag = f'"{node["etag"]}"'
    unchanged = ada("GET", path, {"If-None-Match": tag})
    assert unchanged.status_code == 304 and unchanged.headers["ETag"] == tag and unchanged.data == b""
    changed = ada("GET", path, {"If-Match": '"other"'})
    assert changed.status_code == 412 and changed.get_json()["type"].endswith("precondition-failed")
    beyond = ada("GET", path, {"Range": f"bytes={len(DATA)}-"})
    assert beyond.status_code == 416 and beyond.headers["Content-Range"] == f"bytes */{len(DATA)}"
    assert beyond.mimetype == "application/problem+json"


def test_an_empty_file_is_a_file(ada: Api) -> None:
    path = f"/files/{ada.put('/empty', b'')['id']}/download"
    response = ada("GET", path)
    assert (response.status_code, response.data, response.headers["Content-Length"]) == (200, b"", "0")
    assert ada("GET", path, {"Range": "bytes=0-"}).status_code == 416


def test_without_range_requests_everything_is_sent_in_order(house: House, tmp_path: Path) -> None:
    sequential = create_app(house.gateway, settings_for_tests(tmp_path, enable_range_requests=False))
    api = Api(sequential.test_client(), house.gateway.people.make_token(house.user, "t")[1])
    path = f"/files/{api.put('/f', DATA)['id']}/download"
    response = api("GET", path, {"Range": "bytes=5-9"})
    assert (response.status_code, response.data) == (200, DATA)
    assert response.headers["Accept-Ranges"] == "none"


@pytest.mark.parametrize(
    ("media_type", "shown"),
    [
        ("image/png", True),
        ("text/plain", True),
        ("audio/x-wav", True),  # what Python calls .wav
        ("video/quicktime", True),  # what telephones film
        ("text/html", False),
        ("image/svg+xml", False),
        ("text/xml", False),
    ],
)
def test_only_what_runs_nothing_is_shown_inline(ada: Api, media_type: str, shown: bool) -> None:
    put = ada("PUT", "/api/v1/content/f", {"Content-Type": media_type}, data=b"<script>")
    path = f"/files/{put.get_json()['id']}/download"
    assert put.get_json()["inline"] is shown, "who shows it need not know which types those are"
    inline = ada("GET", path + "?inline=1")
    assert inline.headers["Content-Disposition"].startswith("inline" if shown else "attachment")
    assert "sandbox" in inline.headers["Content-Security-Policy"]
    assert ada("GET", path).headers["Content-Disposition"].startswith("attachment")


def test_a_deleted_file_is_a_404_and_so_is_another_users(ada: Api, bob: Api) -> None:
    node = ada.put("/f", DATA)
    assert bob("GET", f"/files/{node['id']}/download").status_code == 404
    assert ada("DELETE", f"/api/v1/files/{node['id']}").status_code == 204
    assert ada("GET", f"/files/{node['id']}/download").status_code == 404
    assert ada("GET", f"/files/{2**70}/download").status_code == 404


def test_a_browser_without_a_session_is_asked_for_basic_so_that_managers_can_answer(
    nobody: FlaskClient,
) -> None:
    response = nobody.get("/files/1/download")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    by_script = nobody.get("/files/1/download", headers={"Sec-Fetch-Mode": "cors"})
    assert by_script.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        (".bashrc", 'attachment; filename=".bashrc"'),
        ("日本.txt", "attachment; filename=\"download.txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt"),
        ("日本", "attachment; filename=\"download\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC"),
        ("naïve", "attachment; filename=\"naive\"; filename*=UTF-8''na%C3%AFve"),
        ('a"b', "attachment; filename=\"a'b\"; filename*=UTF-8''a%22b"),
        ("100%41.txt", "attachment; filename=\"100_41.txt\"; filename*=UTF-8''100%2541.txt"),
    ],
)
def test_a_name_is_told_in_ascii_and_exactly(name: str, value: str) -> None:
    assert content_disposition(name) == value
