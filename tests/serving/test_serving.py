"""Real sockets against the real server: what waitress alone would not do."""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from errors import Misconfigured
from serving import Server
from serving.routes import LARGE_BODY, SMALL_BODY
from serving.sockets import connection_limit
from tests.serving.conftest import App, Running, everything, response, serve, settings_for_tests, until

HELLO = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
DOWNLOAD = b"GET /files/1/download HTTP/1.1\r\nHost: a\r\n\r\n"


def test_thirty_slow_downloads_leave_the_pages_fast(app: App, running: Running) -> None:
    with ExitStack() as stack:
        for _ in range(30):
            sock = stack.enter_context(running.connection(buffer=4096))
            sock.sendall(DOWNLOAD)
            sock.recv(1)
        assert until(lambda: app.open == 30)
        before = time.monotonic()
        for _ in range(10):
            assert running.say(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).endswith(
                b"hello /"
            )
        assert time.monotonic() - before < 10
    assert until(lambda: app.open == 0, 2)


@pytest.mark.parametrize("reset", [False, True])
def test_a_vanished_reader_stops_its_stream_within_two_seconds(
    app: App, running: Running, reset: bool
) -> None:
    with running.connection() as sock:
        sock.sendall(DOWNLOAD)
        sock.recv(1)
        assert until(lambda: app.open == 1)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert until(lambda: app.open == 0, 2)


@pytest.mark.slow
def test_a_reader_that_stalls_is_cut_and_one_that_is_slow_is_not(app: App, tmp_path: Path) -> None:
    with serve(app, settings_for_tests(tmp_path, download_stall_seconds=3)) as running, ExitStack() as stack:
        stalled = stack.enter_context(running.connection(buffer=4096))
        slow = stack.enter_context(running.connection(buffer=4096))
        for sock in stalled, slow:
            sock.sendall(DOWNLOAD)
            sock.recv(1)
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            for _ in range(64):
                assert slow.recv(65536)
            time.sleep(0.05)
        assert app.open == 1
        with pytest.raises(ConnectionResetError):
            everything(stalled)


@pytest.mark.slow
def test_a_connection_whose_app_is_still_thinking_is_not_stalled(app: App, tmp_path: Path) -> None:
    with (
        serve(app, settings_for_tests(tmp_path, download_stall_seconds=0.2)) as running,
        running.connection() as sock,
    ):
        sock.sendall(HELLO.replace(b"/ ", b"/slow "))
        time.sleep(2.5)
        app.let_go.set()
        assert response(sock)[1] == b"hello /slow"


def test_a_connection_serves_many_requests_and_changes_lanes(app: App, running: Running) -> None:
    with running.connection() as sock:
        for path in (b"/", b"/api/v1/uploads", b"/"):
            sock.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
            assert response(sock)[1] == b"abc"
        sock.sendall(b"HEAD /files/1/download HTTP/1.1\r\nHost: a\r\n\r\n")
        head = sock.recv(65536)
        assert b'Etag: "x"' in head and head.endswith(b"\r\n\r\n") and app.open == 0
        sock.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        head, _ = response(sock)
        assert b"204" in head and b"close" not in head
        sock.sendall(HELLO)
        assert response(sock)[1] == b"hello /"


def test_a_204_closes_for_those_who_ask_for_it(running: Running) -> None:
    answer = running.say(b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"Connection: close" in answer
    assert running.say(b"GET /nothing HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 204")


def test_pipelined_requests_are_answered_in_order(app: App, running: Running) -> None:
    with running.connection() as sock:
        paths = [f"/{number}" for number in range(20)]
        sock.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in paths))
        assert [response(sock)[1].decode() for _ in paths] == [f"hello {path}" for path in paths]


def test_a_stream_that_fails_midway_ends_short(running: Running) -> None:
    answer = running.say(b"GET /breaks HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"Content-Length: 100" in answer and answer.endswith(b"half")


def test_a_body_is_asked_for_with_100_continue(running: Running) -> None:
    with running.connection() as sock:
        sock.sendall(
            b"PUT /api/v1/content/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        )
        assert response(sock)[0].startswith(b"HTTP/1.1 100")
        sock.sendall(b"12345")
        assert response(sock)[1] == b"12345"


def test_a_large_body_from_nobody_is_refused_before_it_is_sent(running: Running) -> None:
    answer = running.say(
        b"PUT /api/v1/content/a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 401") and b"problem+json" in answer and b"Basic" in answer


def test_a_large_body_from_nobody_that_comes_anyway_is_dropped_and_refused(running: Running) -> None:
    length = SMALL_BODY + 1
    answer = running.say(
        f"PUT /api/v1/content/a HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode()
        + b"x" * length
    )
    assert answer.startswith(b"HTTP/1.1 401")


def test_a_body_of_unknown_length_needs_credentials(running: Running) -> None:
    chunked = b"PUT /api/v1/content/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    assert running.say(chunked + b"\r\n").startswith(b"HTTP/1.1 401")
    known = chunked + b"Authorization: Bearer x\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert running.say(known).endswith(b"abc")


@pytest.mark.parametrize(
    ("request_line", "length", "status"),
    [
        ("POST /login", SMALL_BODY + 1, 413),
        ("POST /api/v1/uploads", SMALL_BODY + 1, 413),
        ("PUT /api/v1/content/a", LARGE_BODY + 1, 413),
        ("PATCH /api/v1/uploads/x", 10**30, 413),
        ("POST /", -1, 400),
    ],
)
def test_a_body_too_large_for_its_route_is_refused_from_the_headers(
    running: Running, request_line: str, length: int, status: int
) -> None:
    answer = running.say(
        f"{request_line} HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nExpect: 100-continue\r\n"
        f"Content-Length: {length}\r\n\r\n".encode()
    )
    assert answer.startswith((f"HTTP/1.1 {status}".encode(), f"HTTP/1.0 {status}".encode()))
    assert b"application/problem+json" in answer


def test_garbage_gets_a_400(running: Running) -> None:
    for garbage in (b"\0\1\2\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"):
        assert b" 400 " in running.say(garbage).split(b"\r\n")[0]


def test_headers_without_end_get_a_431(running: Running) -> None:
    answer = running.say(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (1 << 16) + b"\r\n\r\n")
    assert b" 431 " in answer.split(b"\r\n")[0]


@pytest.mark.slow
def test_stopping_lets_a_short_request_end_and_cuts_a_long_one(app: App, tmp_path: Path) -> None:
    with serve(app, settings_for_tests(tmp_path)) as running, ExitStack() as stack:
        idle, short, long = (stack.enter_context(running.connection()) for _ in range(3))
        idle.sendall(HELLO)
        response(idle)
        short.sendall(HELLO.replace(b"/ ", b"/slow "))
        long.sendall(DOWNLOAD)
        assert long.recv(1) and until(lambda: app.open == 1)
        before = time.monotonic()
        running.server.stop()
        threading.Timer(0.5, app.let_go.set).start()
        assert response(short)[1] == b"hello /slow"
        assert idle.recv(1) == b""
        assert until(lambda: app.open == 0, 5) and time.monotonic() - before < 5


def test_a_server_that_was_stopped_before_it_ran_does_not_run(app: App, tmp_path: Path) -> None:
    server = Server(app, settings_for_tests(tmp_path))
    server.bind()
    server.stop()
    server.run()
    assert server.addresses == ()


if sys.platform != "win32":
    import resource

    def test_the_connections_fit_into_the_descriptors_of_the_process() -> None:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
            assert 0 < connection_limit() * 3 <= resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_port_that_is_taken_is_said_plainly(app: App, running: Running, tmp_path: Path) -> None:
    port = running.address[1]
    with pytest.raises(Misconfigured, match=f"PORT is {port}, which another program has taken"):
        Server(app, settings_for_tests(tmp_path, port=port)).bind()


def test_a_name_is_served_on_all_its_addresses_with_one_port(app: App, tmp_path: Path) -> None:
    with serve(app, settings_for_tests(tmp_path, host="localhost")) as running:
        assert len({port for _, port in running.server.addresses}) == 1
        for address in running.server.addresses:
            with socket.create_connection(address, timeout=5) as sock:
                sock.sendall(HELLO)
                assert response(sock)[1] == b"hello /"


def test_an_address_that_is_not_ours_is_said_plainly(app: App, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no address of this machine"):
        Server(app, settings_for_tests(tmp_path, host="192.0.2.1")).bind()
