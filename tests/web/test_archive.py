"""A folder as a ZIP through Flask: what is in it, what resumes, and what a change of the folder does."""

from __future__ import annotations

import os
import subprocess
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from model import MIB, ByteRange, Totals
from tests.conftest import House, build_house
from tests.web.conftest import Api
from web.wire.inputs import MAX_ID

LONG = os.urandom(3 * MIB + 5)


@pytest.fixture
def folder(ada: Api) -> str:
    """The address of a folder with all sorts of things in it."""
    for path, data in (
        ("/z/empty.txt", b""),
        ("/z/größe/long.bin", LONG),
        ("/z/größe/one", b"1"),
        ("/z/a:b", b"colon"),
        ("/z/a_b", b"line"),
        ("/z/a:b:/deep", b"deep"),
    ):
        ada.put(path, data)
    ada("POST", "/api/v1/folders", json={"path": "/z/nothing in it"})
    return address(ada, "/z")


def address(api: Api, path: str) -> str:
    node: dict[str, Any] = api("GET", f"/api/v1/nodes?path={path}").get_json()["folder"]
    return f"/folders/{node['id']}/download.zip"


def test_it_holds_everything_under_names_that_all_systems_can_save(ada: Api, folder: str) -> None:
    response = ada("GET", folder)
    assert response.status_code == 200 and response.headers["Content-Length"] == str(len(response.data))
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="z.zip"'
    with zipfile.ZipFile(BytesIO(response.data)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found == {
        "größe/": b"",
        "nothing in it/": b"",
        "empty.txt": b"",
        "a_b": b"line",
        "a_b_1": b"colon",
        "a_b_/": b"",
        "größe/long.bin": LONG,
        "größe/one": b"1",
        "a_b_/deep": b"deep",
    }


def test_what_is_fetched_in_parts_is_what_is_fetched_whole_also_after_a_restart(
    ada: Api, folder: str, house: House, tmp_path: Path
) -> None:
    whole = ada("GET", folder)
    first = ada("GET", folder, {"Range": "bytes=0-999999"})
    assert first.headers["ETag"] == whole.headers["ETag"]
    again = build_house(tmp_path, house.store)
    try:
        here = again.gateway.files.folder(again.user, int(folder.split("/")[2]))
        assert f'"{again.gateway.archives.of(again.user, here).digest.hex()}"' == first.headers["ETag"]
    finally:
        again.gateway.close()
        again.database.close()
    rest = ada("GET", folder, {"Range": "bytes=1000000-", "If-Range": first.headers["ETag"]})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.data + rest.data == whole.data
    last = ada("GET", folder, {"Range": "bytes=-22"})
    assert last.data == whole.data[-22:] and last.data.startswith(b"PK\x05\x06")


def test_head_and_conditions_are_those_of_files(ada: Api, folder: str, house: House) -> None:
    got, head = ada("GET", folder), ada("HEAD", folder)
    volatile = {"X-Request-Id", "Date"}
    assert [h for h in got.headers if h[0] not in volatile] == [
        h for h in head.headers if h[0] not in volatile
    ]
    assert head.data == b"" and house.downloading == 0
    assert ada("GET", folder, {"If-None-Match": got.headers["ETag"]}).status_code == 304
    assert ada("GET", folder, {"If-Match": '"other"'}).status_code == 412
    beyond = ada("GET", folder, {"Range": f"bytes={len(got.data)}-"})
    assert beyond.status_code == 416 and beyond.headers["Content-Range"] == f"bytes */{len(got.data)}"


@pytest.mark.slow
def test_a_time_says_nothing_of_a_folder_and_so_does_not_count(ada: Api, folder: str) -> None:
    assert "Last-Modified" not in ada("HEAD", folder).headers
    old, coming = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    assert ada("HEAD", folder, {"If-Modified-Since": coming}).status_code == 200
    assert ada("HEAD", folder, {"If-Unmodified-Since": old}).status_code == 200
    assert ada("GET", folder, {"Range": "bytes=0-4", "If-Range": coming}).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda ada: ada.put("/z/größe/new", b""),
        lambda ada: ada.put("/z/größe/one", b"2"),
        lambda ada: ada("POST", "/api/v1/folders", json={"path": "/z/größe/new"}),
        lambda ada: ada("PATCH", node(ada, "/z/größe", "one"), json={"name": "two"}),
        lambda ada: ada("DELETE", node(ada, "/z/größe", "one")),
        lambda ada: ada("PATCH", node(ada, "/z", "größe", "folders"), json={"parent": "/"}),
    ],
)
def test_a_change_anywhere_below_is_another_archive_and_refuses_those_who_resume(
    ada: Api, folder: str, change: Any
) -> None:
    before = ada("GET", folder)
    pinned = before.headers["Content-Location"]
    assert ada("GET", pinned, {"Range": "bytes=5-"}).status_code == 206
    assert change(ada) is not None
    after = ada("HEAD", folder)
    assert after.headers["ETag"] != before.headers["ETag"]
    with_tag = {"Range": "bytes=5-", "If-Range": before.headers["ETag"]}
    assert ada("GET", folder, with_tag).status_code == 200
    assert ada("GET", folder, {"Range": "bytes=5-", "If-Match": before.headers["ETag"]}).status_code == 412
    refused = ada("GET", pinned, {"Range": "bytes=5-"})
    assert refused.status_code == 412 and after.headers["Content-Location"] in refused.get_json()["detail"]


def node(api: Api, folder: str, name: str, kind: str = "files") -> str:
    items = api("GET", f"/api/v1/nodes?path={folder}").get_json()["items"]
    return f"/api/v1/{kind}/{next(item['id'] for item in items if item['name'] == name)}"


def test_what_changes_elsewhere_or_what_the_folder_is_called_does_not_matter(ada: Api, folder: str) -> None:
    before = ada("HEAD", folder)
    ada.put("/elsewhere", b"x")
    assert ada("PATCH", folder.replace("/download.zip", "").replace("/f", "/api/v1/f", 1), json={"name": "y"})
    after = ada("HEAD", folder)
    assert after.headers["ETag"] == before.headers["ETag"]
    assert after.headers["Content-Disposition"] == 'attachment; filename="y.zip"'


def test_the_top_folder_and_an_empty_one_are_folders_too(ada: Api) -> None:
    empty = ada("GET", address(ada, "/"))
    assert empty.data == b"PK\x05\x06" + bytes(18)
    assert empty.headers["Content-Disposition"] == 'attachment; filename="stowgram.zip"'
    ada.put("/f", b"x")
    assert zipfile.ZipFile(BytesIO(ada("GET", address(ada, "/")).data)).namelist() == ["f"]


def test_it_is_one_transfer_and_counts_as_one(ada: Api, folder: str, house: House) -> None:
    size = len(ada("GET", folder).data)
    here = house.gateway.files.folder(house.user, int(folder.split("/")[2]))
    archive = house.gateway.archives.of(house.user, here)
    assert house.gateway.archives.of(house.user, here) is archive, "it is made once"
    before = house.gateway.totals.of_user(house.user.id)
    spans = (ByteRange(0, 1000), ByteRange(1000, size))
    running = [
        house.gateway.downloads.open_archive(house.user, here, archive, span, gone=lambda: False)
        for span in spans
    ]
    (shown,) = ada("GET", "/api/v1/transfers").get_json()["items"]
    assert (shown["folder_id"], shown["file_id"], shown["name"]) == (here.id, None, "z.zip")
    assert (shown["size"], shown["connections"]) == (size, 2)
    for download in running:
        assert len(b"".join(download)) == download.span.length
        download.close()
    assert house.gateway.totals.of_user(house.user.id) == before + Totals(1, size)


def test_another_users_folder_and_none_at_all_are_a_404(ada: Api, bob: Api, folder: str) -> None:
    assert bob("GET", folder).status_code == 404
    assert ada("GET", f"/folders/{MAX_ID}/download.zip").status_code == 404
    file = ada.put("/f", b"x")["id"]
    assert ada("GET", f"/folders/{file}/download.zip").status_code == 404


@pytest.mark.needs("unzip")
def test_times_are_those_of_the_files(ada: Api, folder: str, tmp_path: Path) -> None:
    (tmp_path / "z.zip").write_bytes(ada("GET", folder).data)
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    subprocess.run(["unzip", "-q", "z.zip"], cwd=tmp_path, env=environment, check=True, timeout=30)
    items = ada("GET", "/api/v1/nodes?path=/z/größe").get_json()["items"]
    told = {item["name"]: int(datetime.fromisoformat(item["modified_at"]).timestamp()) for item in items}
    assert {path.name: int(path.stat().st_mtime) for path in (tmp_path / "größe").iterdir()} == told
