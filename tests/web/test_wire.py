"""The whole way over real sockets: our app in our server, and the programs that people download with."""

from __future__ import annotations

import base64
import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from app import create_app
from errors import ChunkMissing
from model import MIB, ByteRange, File, Locator
from tests.conftest import House, build_house
from tests.serving.conftest import Running, everything, response, serve, settings_for_tests, until
from tests.web import redbot_notes
from tests.web.conftest import Api, basic

pytestmark = pytest.mark.slow

DATA = Random(9).randbytes(9_600_000)
"""A little over 9 MiB: five chunks, and far more than what sockets hold."""


@pytest.fixture
def secret(house: House) -> str:
    return house.gateway.people.make_token(house.user, "wire")[1]


@pytest.fixture
def path(ada: Api) -> str:
    """Where the file is to be had."""
    return f"/files/{ada.put('/big.bin', DATA)['id']}/download"


def request(method: str, path: str, secret: str, *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: a", f"Authorization: Bearer {secret}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def test_thirty_slow_downloads_leave_the_pages_fast_and_end_when_their_readers_leave(
    running: Running, house: House, secret: str, path: str
) -> None:
    with ExitStack() as stack:
        for _ in range(30):
            sock = stack.enter_context(running.connection(buffer=4096))
            sock.sendall(request("GET", path, secret))
            assert sock.recv(1)
        assert house.downloading == 30
        for _ in range(5):
            began = time.monotonic()
            assert b"200 OK" in running.say(request("GET", "/api/v1/nodes", secret, "Connection: close"))
            assert time.monotonic() - began < 2
    assert until(lambda: house.downloading == 0, 2)


def test_a_reader_who_leaves_while_the_store_is_slow_stops_the_work(
    running: Running, house: House, secret: str, path: str
) -> None:
    may_answer = threading.Event()

    def slow(locator: Locator, span: ByteRange, attempt: int, data: bytes) -> bytes:
        may_answer.wait(10)
        return data

    house.store.on_read = slow
    try:
        with running.connection() as sock:
            sock.sendall(request("GET", path, secret))
            assert until(lambda: house.downloading == 1)
        assert until(lambda: house.downloading == 0, 2)
    finally:
        may_answer.set()


def test_one_download_more_than_a_user_may_have_is_told_to_come_back(
    running: Running, house: House, secret: str, path: str
) -> None:
    with ExitStack() as stack:
        for _ in range(32):
            sock = stack.enter_context(running.connection(buffer=4096))
            sock.sendall(request("GET", path, secret))
            assert sock.recv(1)
        head = running.say(request("GET", path, secret, "Connection: close")).partition(b"\r\n\r\n")[0]
        assert b" 503 " in head and b"Retry-After: 5" in head


def test_a_store_that_fails_midway_gives_a_short_body_and_never_a_wrong_byte(
    running: Running, house: House, secret: str, path: str
) -> None:
    last = max(house.store.labels)

    def gone(locator: Locator, span: ByteRange, attempt: int, data: bytes) -> bytes:
        if locator.message >= last.message - 1:
            raise ChunkMissing("The message is gone.")
        return data

    house.store.on_read = gone
    head, _, body = running.say(request("GET", path, secret)).partition(b"\r\n\r\n")
    assert b" 200 " in head and f"Content-Length: {len(DATA)}".encode() in head
    assert 2 * MIB <= len(body) < len(DATA) and DATA.startswith(body)


def test_a_head_and_a_get_say_the_same_on_one_connection(running: Running, secret: str, path: str) -> None:
    def described(method: str, sock: socket.socket) -> list[bytes]:
        sock.sendall(request(method, path, secret, "X-Request-Id: the-same-for-both"))
        lines = []
        stream = sock.makefile("rb")
        while (line := stream.readline()) not in (b"\r\n", b""):
            lines.append(line)
        if method == "GET":
            assert stream.read(len(DATA)) == DATA
        return [line for line in lines if not line.startswith(b"Date")]

    with running.connection() as sock:
        assert described("HEAD", sock) == described("GET", sock) == described("HEAD", sock)


def test_an_unchanged_file_is_a_304_that_keeps_the_connection(
    running: Running, secret: str, path: str
) -> None:
    with running.connection() as sock:
        sock.sendall(request("HEAD", path, secret))
        tag = next(line for line in sock.recv(65536).split(b"\r\n") if line.lower().startswith(b"etag:"))[6:]
        for _ in range(3):
            sock.sendall(request("GET", path, secret, f"If-None-Match: {tag.decode()}"))
            head, _ = response(sock)
            assert b" 304 " in head and b"close" not in head


def test_a_file_put_over_the_wire_comes_back(running: Running, secret: str) -> None:
    with running.connection() as sock:
        for body in (b"", b"x", DATA):
            sock.sendall(request("PUT", "/api/v1/content/f", secret, f"Content-Length: {len(body)}") + body)
            head, document = response(sock)
            assert b" 201 " in head or b" 200 " in head
            assert hashlib.sha256(body).hexdigest().encode() in document


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[House]:
    """A house with room for three chunks in staging."""
    built = build_house(tmp_path, chunk_size=2 * MIB, room=6 * MIB)
    yield built
    built.gateway.close()
    built.store.close()
    built.database.close()


def test_a_checked_part_may_be_larger_than_the_room_that_it_passes_through(
    narrow: House, tmp_path: Path
) -> None:
    secret = narrow.gateway.people.make_token(narrow.user, "wire")[1]
    upload = narrow.gateway.uploads.create(narrow.user, folder="/", name="f", length=len(DATA))
    checksum = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    app = create_app(narrow.gateway, settings_for_tests(tmp_path))
    with serve(app, settings_for_tests(tmp_path)) as running, running.connection() as sock:
        part = (
            "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", "Upload-Offset: 0",
            f"Upload-Checksum: sha256 {checksum}", f"Content-Length: {len(DATA)}",
        )  # fmt: skip
        sock.sendall(request("PATCH", f"/api/v1/uploads/{upload.id}", secret, *part) + DATA)
        head, _ = response(sock)
    assert b" 204 " in head
    (file,) = narrow.gateway.files.listing(narrow.user, "/").items
    assert isinstance(file, File) and file.sha256 == hashlib.sha256(DATA).digest()


def test_a_body_shorter_than_its_length_leaves_nothing(running: Running, house: House, secret: str) -> None:
    with running.connection() as sock:
        sock.sendall(request("PUT", "/api/v1/content/f", secret, "Content-Length: 100") + b"half")
        sock.shutdown(socket.SHUT_WR)
        assert everything(sock) == b""
    assert house.gateway.files.listing(house.user, "/").items == () and not house.store.labels


def test_names_that_only_a_raw_request_can_carry_are_refused(running: Running, secret: str) -> None:
    for name in (
        b"a//b",
        b"../a",
        b"%2e%2e/a",
        b"a%00",
        b"%ff",
        b"a%0d%0ab",
        b"a\\b",
        b"\xc3\x28",
        b"%2F",
        b".",
    ):
        answer = running.say(
            request("PUT", "/api/v1/content/@", secret, "Content-Length: 1", "Connection: close").replace(
                b"@", name
            )
            + b"x"
        )
        assert b" 400 " in answer.split(b"\r\n")[0], name


def test_a_wrong_password_is_refused_to_sixteen_connections_at_once(running: Running, path: str) -> None:
    header = basic("ada", "not the password")["Authorization"]
    with ExitStack() as stack:
        socks = [stack.enter_context(running.connection(timeout=30)) for _ in range(16)]
        for sock in socks:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {header}\r\n\r\n".encode())
        assert {response(sock)[0].split(b" ")[1] for sock in socks} <= {b"401", b"503"}


Program = Callable[[str, str, Path], list[str]]
PROGRAMS: dict[str, Program] = {
    "curl": lambda url, header, to: ["curl", "-fsS", "-H", header, "-o", str(to), url],
    "wget": lambda url, header, to: ["wget", "-q", "--header", header, "-O", str(to), url],
    "wget2": lambda url, header, to: ["wget2", "-q", "--header", header, "-O", str(to), url],
    "axel": lambda url, header, to: ["axel", "-q", "-n", "8", "-H", header, "-o", str(to), url],
    "aria2c": lambda url, header, to: [
        "aria2c", "-q", "-x16", "-s16", "-k1M", "--header", header, "-d", str(to.parent), "-o", to.name, url
    ],
}  # fmt: skip


@pytest.fixture
def url(running: Running, path: str) -> Iterator[str]:
    yield f"http://{running.address[0]}:{running.address[1]}{path}"


@pytest.mark.parametrize("program", [pytest.param(name, marks=pytest.mark.needs(name)) for name in PROGRAMS])
def test_the_programs_that_people_use_get_every_byte(
    url: str, secret: str, program: str, tmp_path: Path
) -> None:
    to = tmp_path / "out.bin"
    command = PROGRAMS[program](url, f"Authorization: Bearer {secret}", to)
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    assert to.read_bytes() == DATA


@pytest.mark.parametrize(
    ("program", "resuming"),
    [
        pytest.param("curl", ["-C", "-"], marks=pytest.mark.needs("curl")),
        pytest.param("wget", ["-c"], marks=pytest.mark.needs("wget")),
        pytest.param("aria2c", ["-c"], marks=pytest.mark.needs("aria2c")),
    ],
)
def test_a_download_goes_on_where_it_stopped_and_a_complete_one_stays(
    url: str, secret: str, program: str, resuming: list[str], tmp_path: Path
) -> None:
    to = tmp_path / "out.bin"
    to.write_bytes(DATA[:5_000_000])
    command = PROGRAMS[program](url, f"Authorization: Bearer {secret}", to)
    for _ in range(2):
        subprocess.run(
            [command[0], *resuming, *command[1:]], check=False, timeout=60, stdin=subprocess.DEVNULL
        )
        assert to.read_bytes() == DATA


@pytest.mark.parametrize(
    "place", ["download", "/", "/login", "/api/v1/nodes", "/healthz", "/static/app/main.js"]
)
def test_redbot_finds_nothing_wrong(running: Running, secret: str, path: str, place: str) -> None:
    address = f"http://{running.address[0]}:{running.address[1]}{path if place == 'download' else place}"
    script = [sys.executable, redbot_notes.__file__, address, secret]
    found = subprocess.run(
        script, check=True, timeout=60, capture_output=True, text=True, encoding="utf-8"
    ).stdout
    notes = found.splitlines()
    assert notes and not [note for note in notes if note.startswith(("BAD", "WARN"))], found
    if place == "download":
        assert any("RANGE_CORRECT" in note for note in notes)


def test_behind_a_trusted_proxy_the_cookie_is_secure_and_the_client_is_not_local(
    house: House, tmp_path: Path
) -> None:
    settings = settings_for_tests(tmp_path, trusted_proxies=1)
    with serve(create_app(house.gateway, settings), settings) as running:
        body = "username=ada&password=correct+horse"
        answer = running.say(
            "POST /login HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        assert b" 303 " in answer and b"Secure" in answer
        metrics = (
            "GET /metrics HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n"
        )
        assert b" 401 " in running.say(metrics.encode())
