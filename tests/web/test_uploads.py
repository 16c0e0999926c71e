"""tus 1.0.0, header by header; then the way real clients use it."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from errors import BadInput
from tests.conftest import House
from tests.web.conftest import Api
from web.incoming.uploads import decode_checksum, decode_metadata, encode_metadata

TUS = {"Tus-Resumable": "1.0.0"}
DATA = bytes(range(256)) * 20_000
"""A little under 5 MiB: three chunks of 2 MiB, and not a whole number of pieces."""


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def begin(api: Api, length: int, name: str = "f", **more: str) -> TestResponse:
    pairs = {"filename": name, **more}
    metadata = ",".join(f"{key} {b64(value)}" for key, value in pairs.items())
    return api("POST", "/api/v1/uploads", TUS | {"Upload-Length": str(length), "Upload-Metadata": metadata})


def append(api: Api, url: str, offset: int, data: bytes, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    standard = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    length = {"CONTENT_LENGTH": str(len(data))}
    return api("PATCH", url, TUS | standard | named, data=data, environ_overrides=length)


def stands(api: Api, url: str) -> int:
    return int(api("HEAD", url, TUS).headers["Upload-Offset"])


def test_options_tells_what_we_speak_and_needs_no_login(ada: Api) -> None:
    response = ada("OPTIONS", "/api/v1/uploads")
    assert response.status_code == 204
    assert response.headers["Tus-Version"] == "1.0.0"
    assert response.headers["Tus-Extension"] == "creation,checksum,expiration,termination"
    assert response.headers["Tus-Checksum-Algorithm"] == "sha256,tree"


def test_a_file_comes_in_by_parts_and_is_there_when_the_last_is_acknowledged(ada: Api) -> None:
    created = begin(ada, len(DATA), "größe.bin", path="/a/b", filetype="application/x-test")
    assert created.status_code == 201
    url = created.headers["Location"]
    assert "Upload-Expires" in created.headers and created.headers["Cache-Control"] == "no-store"
    for offset in range(0, len(DATA), 1 << 20):
        part = DATA[offset : offset + (1 << 20)]
        head = ada("HEAD", url, TUS)
        assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (str(offset), str(len(DATA)))
        assert head.headers["Cache-Control"] == "no-store" and "Content-Location" not in head.headers
        response = append(
            ada, url, offset, part, Upload_Checksum=f"sha256 {b64(hashlib.sha256(part).digest())}"
        )
        assert response.status_code == 204, response.text
        assert response.headers["Upload-Offset"] == str(offset + len(part))
        assert response.headers["Tus-Resumable"] == "1.0.0"
    node = ada("GET", "/api/v1/nodes?path=/a/b").get_json()["items"][0]
    assert (node["name"], node["media_type"]) == ("größe.bin", "application/x-test")
    assert node["sha256"] == hashlib.sha256(DATA).hexdigest()
    for answer in (response, ada("HEAD", url, TUS)):
        assert answer.headers["Content-Location"] == f"/api/v1/files/{node['id']}"
    assert ada("GET", f"/files/{node['id']}/download").data == DATA


def test_an_upload_tells_its_metadata_again(ada: Api) -> None:
    url = begin(ada, 5, "x.txt", path="/p").headers["Location"]
    metadata = decode_metadata(ada("HEAD", url, TUS).headers["Upload-Metadata"])
    assert metadata == {"filename": "x.txt", "path": "/p", "filetype": "text/plain"}


def test_an_empty_file_is_there_as_soon_as_it_is_created(ada: Api) -> None:
    url = begin(ada, 0, "empty").headers["Location"]
    assert stands(ada, url) == 0
    assert append(ada, url, 0, b"").status_code == 204
    assert [item["size"] for item in ada("GET", "/api/v1/nodes").get_json()["items"]] == [0]


def test_a_wrong_offset_is_a_409_that_names_the_right_one(ada: Api) -> None:
    url = begin(ada, 10).headers["Location"]
    append(ada, url, 0, b"12345")
    response = append(ada, url, 4, b"x")
    assert response.status_code == 409
    assert response.headers["Upload-Offset"] == "5" and response.get_json()["expected"] == 5


def test_a_part_that_came_damaged_is_a_460_and_nothing_of_it_is_kept(ada: Api) -> None:
    url = begin(ada, 10).headers["Location"]
    response = append(
        ada, url, 0, b"12345", Upload_Checksum=f"sha256 {b64(hashlib.sha256(b'other').digest())}"
    )
    assert response.status_code == 460 and response.status == "460 Checksum Mismatch"
    assert stands(ada, url) == 0


def test_more_bytes_than_the_file_has_are_refused(ada: Api) -> None:
    url = begin(ada, 3).headers["Location"]
    assert append(ada, url, 0, b"12345").status_code == 400
    assert stands(ada, url) == 0


class Held(io.BytesIO):
    """A body that does not come to its end until it may."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.begun, self.may_end = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self.begun.set()
        self.may_end.wait(10)
        return super().read(size)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self.begun.set()
        self.may_end.wait(10)
        return super().readinto(buffer)


@pytest.mark.slow
def test_a_second_writer_is_a_423(ada: Api, house: House) -> None:
    upload = house.gateway.uploads.create(house.user, folder="/", name="f", length=10, media_type=None)
    held = Held(b"12345")
    first = threading.Thread(target=lambda: house.gateway.uploads.append(house.user, upload.id, 0, held, 5))
    first.start()
    try:
        assert held.begun.wait(5)
        assert append(ada, f"/api/v1/uploads/{upload.id}", 0, b"12345").status_code == 423
        assert ada("DELETE", f"/api/v1/uploads/{upload.id}", TUS).status_code == 423
    finally:
        held.may_end.set()
        first.join(10)
    assert stands(ada, f"/api/v1/uploads/{upload.id}") == 5


def test_an_upload_that_was_given_up_is_a_410(ada: Api) -> None:
    url = begin(ada, 10).headers["Location"]
    append(ada, url, 0, b"12345")
    assert ada("DELETE", url, TUS).status_code == 204
    assert append(ada, url, 5, b"67890").status_code == 410
    assert ada("HEAD", url, TUS).status_code == 410
    assert ada("GET", "/api/v1/nodes").get_json()["items"] == []


def test_what_never_was_is_a_404(ada: Api, bob: Api) -> None:
    assert ada("HEAD", f"/api/v1/uploads/{uuid.uuid4()}", TUS).status_code == 404
    assert ada("HEAD", "/api/v1/uploads/x", TUS).status_code == 404
    assert bob("HEAD", begin(ada, 10).headers["Location"], TUS).status_code == 404


def test_another_version_of_tus_is_refused_before_anything_is_done(ada: Api) -> None:
    url = begin(ada, 10).headers["Location"]
    for version in ({}, {"Tus-Resumable": "0.2.2"}):
        response = ada("PATCH", url, version | {"Upload-Offset": "0"}, data=b"12345")
        assert response.status_code == 412 and response.headers["Tus-Version"] == "1.0.0"
    assert stands(ada, url) == 0


def test_a_client_that_cannot_patch_says_so_in_a_post(ada: Api) -> None:
    url = begin(ada, 5).headers["Location"]
    headers = {
        "X-HTTP-Method-Override": "PATCH",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
    }
    assert ada("POST", url, TUS | headers, data=b"12345").status_code == 204
    other = begin(ada, 5, "g").headers["Location"]
    assert ada("POST", other, TUS | {"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert ada("POST", other, TUS | {"X-HTTP-Method-Override": "PUT"}).status_code == 405


def test_a_body_of_another_type_is_a_415(ada: Api) -> None:
    url = begin(ada, 5).headers["Location"]
    assert append(ada, url, 0, b"12345", Content_Type="text/plain").status_code == 415


def test_a_name_that_is_there_is_replaced_or_kept_as_the_client_says(ada: Api) -> None:
    ada.put("/f", b"old")
    assert begin(ada, 3, "f", if_exists="refuse").status_code == 409
    assert append(ada, begin(ada, 3, "f").headers["Location"], 0, b"new").status_code == 204
    assert ada("GET", "/api/v1/nodes").get_json()["items"][0]["size"] == 3


@pytest.mark.parametrize("length", ["", "-1", "x", "1.5", "9" * 40, "١", "+1"])
def test_a_length_that_is_none_is_refused(ada: Api, length: str) -> None:
    headers = TUS | {"Upload-Metadata": f"filename {b64('f')}"}
    response = ada("POST", "/api/v1/uploads", headers, environ_overrides={"HTTP_UPLOAD_LENGTH": length})
    assert response.status_code == 400
    assert ada("POST", "/api/v1/uploads", headers | {"Upload-Length": str(1 << 60)}).status_code == 413
    assert ada("POST", "/api/v1/uploads", headers | {"Upload-Defer-Length": "1"}).status_code == 400


@pytest.mark.parametrize(
    "header",
    [
        "filename",
        "",
        "filename ???",
        "filename Zg==,filename Zg==",
        "filename /w==",
        " Zg==",
        "é Zg==",
        "path Lw==",
        "x" * 20_000,
    ],
)
def test_metadata_that_names_no_file_is_refused(ada: Api, header: str) -> None:
    response = ada(
        "POST",
        "/api/v1/uploads",
        TUS | {"Upload-Length": "1"},
        environ_overrides={"HTTP_UPLOAD_METADATA": header},
    )
    assert response.status_code == 400, response.text


@pytest.mark.parametrize(
    "header", ["sha1 x", "sha256", "sha256 !!", f"sha256 {b64('short')}", "md5 " + b64(b"x" * 16)]
)
def test_a_checksum_that_cannot_be_read_is_refused(ada: Api, header: str) -> None:
    url = begin(ada, 5).headers["Location"]
    assert append(ada, url, 0, b"12345", Upload_Checksum=header).status_code == 400
    assert stands(ada, url) == 0


@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1),
        st.text(),
    )
)
def test_metadata_survives_the_wire(metadata: dict[str, str]) -> None:
    try:
        encoded = encode_metadata(metadata)
    except UnicodeEncodeError:  # a lone surrogate is no text
        return
    if len(encoded) < 16384:
        assert decode_metadata(encoded) == metadata


@given(st.text(st.characters(codec="latin-1"), max_size=60))
def test_any_header_is_read_or_refused(header: str) -> None:
    for read in (decode_metadata, decode_checksum):
        try:
            read(header)
        except BadInput:
            continue


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["POST", "HEAD", "PATCH", "DELETE", "OPTIONS", "GET", "PUT"]),
    known=st.booleans(),
    headers=st.dictionaries(
        st.sampled_from(
            ["HTTP_UPLOAD_LENGTH", "HTTP_UPLOAD_OFFSET", "HTTP_UPLOAD_METADATA", "HTTP_UPLOAD_CHECKSUM",
             "HTTP_TUS_RESUMABLE", "HTTP_X_HTTP_METHOD_OVERRIDE", "CONTENT_TYPE", "HTTP_UPLOAD_DEFER_LENGTH"]
        ),
        st.text(st.characters(codec="latin-1"), max_size=30)
        | st.sampled_from(["0", "5", "1.0.0", "filename Zg==", "PATCH", "application/offset+octet-stream"]),
    ),
    body=st.binary(max_size=20),
)  # fmt: skip
def test_no_request_makes_a_5xx(
    ada: Api, method: str, known: bool, headers: dict[str, str], body: bytes
) -> None:
    url = begin(ada, 10, "fuzz").headers["Location"] if known else "/api/v1/uploads"
    response = ada(method, url, TUS, data=body, environ_overrides=headers)
    assert response.status_code < 500, response.text
