"""Names, ranges, headers and bodies that no honest client sends, to the server that people run.

Each gets an error that says what is wrong, and the file that was there before is there after.
"""

from __future__ import annotations

import base64
import os
import socket
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPResponse
from urllib.parse import quote

import httpx
import pytest

from model import MIB
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.running import RunningGateway, running_gateway
from tests.whole.transfer import comes_out_right, put, within

pytestmark = pytest.mark.slow

BODY = os.urandom(2 * MIB + 1)
SIZE = len(BODY)
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module")
def shared(sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway"), sandbox) as running:
        put(running, "/Größe.bin", BODY)
        yield running


@pytest.fixture
def gateway(shared: RunningGateway) -> Iterator[RunningGateway]:
    """Whatever a test sends, the tree is the same after it, and so are the bytes."""
    before = tree(shared)
    yield shared
    assert tree(shared) == before
    assert comes_out_right(shared, file_id(shared), BODY)
    assert "Traceback" not in shared.log.read_text(encoding="utf-8")


def tree(gateway: RunningGateway) -> list[tuple[str, int | None]]:
    with gateway.client() as client:
        items = client.get("/api/v1/nodes").raise_for_status().json()["items"]
        return [(item["path"], item["size"]) for item in items]


def file_id(gateway: RunningGateway) -> int:
    with gateway.client() as client:
        return int(client.get("/api/v1/nodes").json()["items"][0]["id"])


def said(gateway: RunningGateway, raw: bytes, *, end: bool = False) -> HTTPResponse | None:
    """The answer to these very bytes; None when the line was closed without one. `end` closes our side after them."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as line:
        line.sendall(raw)
        if end:
            line.shutdown(socket.SHUT_WR)
        with closing(HTTPResponse(line)) as response:
            try:
                response.begin()
            except (ConnectionError, ValueError):
                return None
            return response


def headers(gateway: RunningGateway, *more: str) -> bytes:
    lines = ["Host: x", f"Authorization: Bearer {gateway.token}", *more]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def assert_refused(response: httpx.Response, status: int = 400) -> None:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].endswith((".", "…"))


BAD_NAMES = [
    "..",
    ".",
    "a\\b",
    "..\\up",
    "nul\x00here",
    "line\nbreak",
    "tab\there",
    "escape\x1b[2J",
    "c1\x85control",
    "delete\x7f",
    "CON",
    "con.txt",
    "Aux.tar.gz",
    "LPT9",
    "COM¹",
    "NUL .txt",
    "x" * 300,
    "é" * 128,
    "reversed\u202egnp.exe",
    "isolated\u2066name",
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_bad_name_is_refused_by_every_door(gateway: RunningGateway, name: str) -> None:
    there = file_id(gateway)
    metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    with gateway.client() as client:
        # Raw, because httpx would resolve dots by itself.
        target = f"/api/v1/content/{quote(name, safe='')}".replace("/..", "/%2E%2E").replace("/.", "/%2E")
        assert_refused(client.put(httpx.URL(gateway.url, raw_path=target.encode()), content=b"x"))
        assert_refused(
            client.post("/api/v1/uploads", headers=TUS | {"Upload-Length": "1", "Upload-Metadata": metadata})
        )
        assert_refused(client.post("/api/v1/folders", json={"name": name}))
        assert_refused(client.patch(f"/api/v1/files/{there}", json={"name": name}))


@pytest.mark.parametrize("path", ["/a/../b", "//a", "/a//b", "/%2e%2e/b", "/" + "/".join(["d" * 200] * 30)])
def test_a_path_that_is_none_is_refused(gateway: RunningGateway, path: str) -> None:
    answer = said(
        gateway, f"PUT /api/v1/content{path} HTTP/1.1\r\n".encode() + headers(gateway, "Content-Length: 0")
    )
    assert answer is not None
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_a_name_is_the_same_name_in_every_form_that_means_the_same(
    gateway: RunningGateway, form: str
) -> None:
    written = unicodedata.normalize(form, "Größe.bin")  # type: ignore[arg-type]  # a name of a form
    with gateway.client() as client:
        answer = client.put(f"/api/v1/content/{quote(written)}", content=BODY)
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "Größe.bin"


@pytest.mark.parametrize("other", ["grösse.BIN", "GRÖßE.bin", "GRÖSSE.bin", "Gro\u0308sse.bin"])
def test_a_name_that_differs_only_in_case_or_form_is_taken(gateway: RunningGateway, other: str) -> None:
    with gateway.client() as client:
        assert_refused(client.put(f"/api/v1/content/{quote(other)}", content=b"other"), 409)
        assert_refused(client.post("/api/v1/folders", json={"name": other}), 409)


WHOLE, PART, NO = 200, 206, 416
RANGES = {
    "bytes=0-": PART,
    "bytes=0-99999999999999999999999999": PART,
    "bytes=-99999999999999999999999999": PART,
    "bytes=99999999999999999999999999-": NO,
    f"bytes={SIZE}-": NO,
    "bytes=-0": NO,
    "bytes=5-2": WHOLE,
    "bytes=--1": WHOLE,
    "bytes=-1-": WHOLE,
    "bytes=a-b": WHOLE,
    "bytes=0x0-0x10": WHOLE,
    "bytes=٠-١": WHOLE,
    "bytes=": WHOLE,
    "bytes": WHOLE,
    "=0-1": WHOLE,
    "lines=0-1": WHOLE,
    "bytes=0-0,1-1": WHOLE,
    "bytes=" + "0-0," * 5000: WHOLE,
    "bytes=" + "9" * 20000 + "-": WHOLE,  # past counting, which is as good as malformed
}


@pytest.mark.parametrize("asked", RANGES, ids=lambda asked: asked[:30])
def test_an_absurd_range_gets_what_rfc_9110_owes_it(gateway: RunningGateway, asked: str) -> None:
    line = f"GET /files/{file_id(gateway)}/download HTTP/1.1\r\nRange: ".encode() + asked.encode() + b"\r\n"
    answer = said(gateway, line + headers(gateway, "Connection: close"))
    assert answer is not None
    assert answer.status == RANGES[asked]
    if answer.status == NO:
        assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    elif answer.status == PART:
        assert answer.headers["Content-Range"] == f"bytes 0-{SIZE - 1}/{SIZE}"
    else:
        assert answer.headers["Content-Length"] == str(SIZE)


CREATE = "POST /api/v1/uploads HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nContent-Length: 0\r\n"
HEADERS = {
    "GET /healthz HTTP/1.1\r\nX-Long: " + "x" * 300_000: 431,
    "GET /healthz HTTP/1.1\r\nNo colon here": 400,
    "GET /healthz HTTP/1.1\r\n : no name": 400,
    "GET /healthz HTTP/1.1\r\nSpace : before": 400,
    "GET": 400,
    "\x16\x03\x01\x02\x00\x01": 400,
    "GET /" + "a" * 300_000 + " HTTP/1.1": 431,
    "PUT /api/v1/content/x HTTP/1.1\r\nContent-Length: -1": 400,
    "PUT /api/v1/content/x HTTP/1.1\r\nContent-Length: 1e3": 400,
    "PUT /api/v1/content/x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2": 400,
    "PUT /api/v1/content/x HTTP/1.1\r\nContent-Length: 99999999999999999999": 413,
    "PUT /api/v1/content/x HTTP/1.1\r\nTransfer-Encoding: gzip": 501,
    "PUT /api/v1/content/x HTTP/1.1\r\nContent-Length: 0\r\nContent-Range: bytes 0-0/1": 400,
    "PATCH /api/v1/uploads/nothing HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nContent-Length: 0": 404,
    CREATE + "Upload-Length: -1": 400,
    CREATE + "Upload-Length: 1e99": 400,
    CREATE + "Upload-Length: 9223372036854775807": 413,
    CREATE.replace("1.0.0", "9") + "Upload-Length: 1": 412,
    CREATE + "Upload-Length: 1\r\nUpload-Metadata: filename %%%": 400,
    "GET /api/v1/nodes?path=%FF HTTP/1.1": 400,
    "GET /api/v1/nodes?limit=999999999999999999999 HTTP/1.1": 400,
    "GET /api/v1/nodes?cursor=../../etc HTTP/1.1": 400,
    "GET /files/99999999999999999999999/download HTTP/1.1": 404,
    "GET /files/-1/download HTTP/1.1": 404,
    "BREW /healthz HTTP/1.1": 405,
}  # fmt: skip


@pytest.mark.parametrize("head", HEADERS, ids=lambda head: ascii(head)[1:70])
def test_an_absurd_head_is_refused(gateway: RunningGateway, head: str) -> None:
    answer = said(gateway, head.encode("latin-1") + b"\r\n" + headers(gateway))
    assert answer is not None
    assert answer.status == HEADERS[head]


@pytest.mark.parametrize(
    "given", ["Bearer", "Bearer x", "Basic !!!", "Basic YQ==", "Digest a=b", "\x01", "Basic //8="]
)
def test_credentials_that_are_none_are_a_401(gateway: RunningGateway, given: str) -> None:
    head = f"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: {given}\r\n\r\n"
    answer = said(gateway, head.encode("latin-1"))
    assert answer is not None
    assert answer.status in ({400} if given == "\x01" else {401})


@pytest.mark.parametrize("sent", [0, 1, MIB, 2 * MIB - 1])
def test_a_put_that_breaks_off_leaves_nothing(gateway: RunningGateway, sent: int) -> None:
    head = b"PUT /api/v1/content/broken HTTP/1.1\r\n" + headers(gateway, f"Content-Length: {2 * MIB}")
    said(gateway, head + BODY[:sent], end=True)
    assert within(5.0, lambda: not list((gateway.data / "staging").iterdir()))


def test_a_part_that_breaks_off_leaves_the_upload_where_it_was(gateway: RunningGateway) -> None:
    with gateway.client() as client:
        metadata = f"filename {base64.b64encode(b'broken').decode()}"
        begun = TUS | {"Upload-Length": str(SIZE), "Upload-Metadata": metadata}
        url = client.post("/api/v1/uploads", headers=begun).headers["Location"]
        part = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        assert client.patch(url, headers=part, content=BODY[:MIB]).status_code == 204
        rest = (
            "Tus-Resumable: 1.0.0",
            f"Upload-Offset: {MIB}",
            "Content-Type: application/offset+octet-stream",
        )
        head = f"PATCH {url} HTTP/1.1\r\n".encode() + headers(gateway, *rest, f"Content-Length: {SIZE - MIB}")
        said(gateway, head + BODY[MIB : MIB + 1000], end=True)
        assert client.head(url, headers=TUS).headers["Upload-Offset"] == str(MIB)
        assert client.delete(url, headers=TUS).status_code == 204


def test_a_body_longer_than_its_length_is_not_taken_for_more_of_the_file(gateway: RunningGateway) -> None:
    head = b"PUT /api/v1/content/Gr%C3%B6%C3%9Fe.bin HTTP/1.1\r\n" + headers(
        gateway, f"Content-Length: {SIZE}"
    )
    answer = said(gateway, head + BODY + b"GET / HT")
    assert answer is not None
    assert answer.status == 200
