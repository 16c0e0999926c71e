"""Responses that no thread runs: right to the last byte, in order, closed once, and costing nothing while they wait."""

from __future__ import annotations

import math
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

import pytest

from model import Wait
from serving import Server
from serving.lanes import DOWNLOAD_THREADS
from tests.serving.conftest import App, Running, everything, response, serve, settings_for_tests, until

HELLO = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
MADE = b"GET /files/made HTTP/1.1\r\nHost: a\r\n\r\n"
FOREVER = Wait(math.inf)


class Body:
    """A body that does as its script says: bytes to give, waits, exceptions to raise; then it ends."""

    def __init__(self, *script: bytes | Wait | Exception, length: int | None = None) -> None:
        self.length = sum(len(act) for act in script if isinstance(act, bytes)) if length is None else length
        self._script = iter(script)
        self.polls = self.closes = 0
        self._polling = threading.Lock()

    def started(self, wake: Callable[[], None]) -> None:
        self.wake = wake

    def poll(self, left: int) -> bytes | Wait | None:
        with self._polling:
            self.polls += 1
            act = next(self._script, None)
            if isinstance(act, Exception):
                raise act
            return act

    def close(self) -> None:
        assert self._polling.acquire(blocking=False), "closed while it was polled"
        self._polling.release()
        self.closes += 1


class Gated(Body):
    """Gives `data` once `gate` has ended."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.gate: Future[bytes] = Future()

    def poll(self, left: int) -> bytes | Wait | None:
        if not self.gate.done():
            self.polls += 1
            return Wait(math.inf, self.gate)
        return super().poll(left)


def test_more_downloads_than_threads_leave_downloads_and_pages_an_answer(app: App, running: Running) -> None:
    many = DOWNLOAD_THREADS + 16
    before = threading.active_count()
    with ExitStack() as stack:
        for _ in range(many):
            sock = stack.enter_context(running.connection(buffer=4096))
            sock.sendall(b"GET /files/1/download HTTP/1.1\r\nHost: a\r\n\r\n")
            assert sock.recv(1)
        assert app.open == many and threading.active_count() <= before
        assert running.say(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).endswith(b"hello /")
    assert until(lambda: app.open == 0, 5)


def test_bytes_come_as_they_were_given_and_the_connection_goes_on(app: App, running: Running) -> None:
    blocks = [random.Random(number).randbytes(300_000) for number in range(20)]
    made: list[Body] = []

    def body() -> Body:
        made.append(Body(*blocks))
        return made[-1]

    app.body = body
    with running.connection() as sock:
        for _ in range(3):
            sock.sendall(MADE)
            assert response(sock)[1] == b"".join(blocks)
            sock.sendall(HELLO)
            assert response(sock)[1] == b"hello /"
    assert until(lambda: [each.closes for each in made] == [1, 1, 1])


def test_a_wait_ends_by_the_clock_or_by_its_future(app: App, running: Running) -> None:
    future: Future[bytes] = Future()
    began = time.monotonic()
    body = Body(b"a", Wait(began + 0.3), b"b", Wait(math.inf, future), b"c")
    app.body = lambda: body
    with running.connection() as sock:
        sock.sendall(MADE)
        while not (got := sock.recv(1000)).endswith(b"ab"):
            if got.endswith(b"b"):
                break
        assert time.monotonic() >= began + 0.3
        future.set_result(b"")
        assert sock.recv(10) == b"c"
    assert until(lambda: body.closes == 1)


def test_a_body_that_waits_costs_no_turns_and_no_polls(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0
    turn = Server._turn

    def counting(server: Server, timeout: float) -> None:
        nonlocal turns
        turns += 1
        turn(server, timeout)

    monkeypatch.setattr(Server, "_turn", counting)
    body = Body(b"first", FOREVER, length=1000)
    app.body = lambda: body
    with serve(app, settings_for_tests(tmp_path)) as running, running.connection() as sock:
        sock.sendall(MADE)
        received = b""
        while not received.endswith(b"first"):
            received += sock.recv(1000)
        assert until(lambda: body.polls >= 2)
        before = turns, body.polls
        time.sleep(1.5)
        assert turns - before[0] < 10 and body.polls - before[1] <= 1


def test_a_request_behind_a_running_download_waits_for_its_end_without_a_thread(
    app: App, running: Running
) -> None:
    bodies: list[Gated] = []

    def body() -> Gated:
        bodies.append(Gated(b"whole"))
        return bodies[-1]

    app.body = body
    many = DOWNLOAD_THREADS + 4
    with ExitStack() as stack:
        socks = [stack.enter_context(running.connection()) for _ in range(many)]
        for sock in socks:
            sock.sendall(MADE + HELLO)
        assert until(lambda: len(bodies) == many)
        assert running.say(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).endswith(b"hello /")
        assert app.calls == many + 1  # none of those behind
        for each in bodies:
            each.gate.set_result(b"")
        for sock in socks:
            assert response(sock)[1] == b"whole"
            assert response(sock)[1] == b"hello /"
            sock.sendall(HELLO)
            assert response(sock)[1] == b"hello /"
    assert until(lambda: all(each.closes == 1 for each in bodies))


@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"])
@pytest.mark.parametrize("end", [ConnectionAbortedError("the store failed"), RuntimeError("a bug"), None])
def test_what_ends_before_its_length_is_sent_as_far_as_it_goes_and_then_cut(
    app: App, running: Running, end: Exception | None, close: bytes
) -> None:
    body = Body(b"half", *([end] if end else []), length=100)
    app.body = lambda: body
    answer = running.say(MADE[:-2] + close + b"\r\n" + HELLO)
    assert b"Content-Length: 100" in answer and answer.endswith(b"\r\n\r\nhalf")
    assert until(lambda: body.closes == 1)


def test_a_body_never_gives_more_than_its_length(app: App, running: Running) -> None:
    body = Body(b"12345", b"67890", b"more", length=7)
    app.body = lambda: body
    with running.connection() as sock:
        sock.sendall(MADE + HELLO)
        assert response(sock)[1] == b"1234567"
        assert response(sock)[1] == b"hello /"
    assert until(lambda: body.closes == 1)


def test_a_body_of_unknown_length_is_iterated_as_ever(app: App, running: Running) -> None:
    class Iterated(Body):
        def __iter__(self) -> Iterator[bytes]:
            return iter((b"some ", b"bytes"))

    body = Iterated()
    body.length = None  # type: ignore[assignment]
    app.body = lambda: body
    assert b"some " in running.say(MADE)
    assert until(lambda: body.closes == 1) and body.polls == 0


def test_an_http_1_0_reader_gets_its_bytes_and_the_end(app: App, running: Running) -> None:
    app.body = lambda: Body(b"bytes")
    assert running.say(b"GET /files/made HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nbytes")


def test_a_reader_that_leaves_while_the_store_is_silent_ends_the_body(app: App, running: Running) -> None:
    bodies = [Body(FOREVER, length=1000), Body(b"some", FOREVER, length=1000)]
    for body in bodies:
        app.body = lambda body=body: body  # type: ignore[misc]
        with running.connection() as sock:
            sock.sendall(MADE)
            assert sock.recv(1)
        assert until(lambda body=body: body.closes == 1, 5)  # type: ignore[misc]


@pytest.mark.slow
def test_a_reader_that_takes_nothing_is_cut_and_its_body_is_closed(app: App, tmp_path: Path) -> None:
    body = Body(*[b"x" * (1 << 20)] * 40)  # more than may wait for one reader
    app.body = lambda: body
    with (
        serve(app, settings_for_tests(tmp_path, download_stall_seconds=1)) as running,
        running.connection(buffer=4096) as sock,
    ):
        sock.sendall(MADE)
        assert until(lambda: body.closes == 1, 20)
        with pytest.raises(ConnectionResetError):
            everything(sock)


def test_a_reader_for_whom_nothing_is_there_is_never_cut(app: App, tmp_path: Path) -> None:
    body = Gated(b"late")
    app.body = lambda: body
    with (
        serve(app, settings_for_tests(tmp_path, download_stall_seconds=0.2)) as running,
        running.connection() as sock,
    ):
        sock.sendall(MADE)
        time.sleep(1.5)
        body.gate.set_result(b"")
        assert response(sock)[1] == b"late"


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


@pytest.mark.slow
@pytest.mark.parametrize("leave", [socket.socket.close, _reset])
def test_a_body_is_closed_once_whenever_its_reader_vanishes(
    app: App, running: Running, leave: Callable[[socket.socket], None]
) -> None:
    chance = random.Random(5)
    bodies: list[Body] = []
    lock = threading.Lock()

    def body() -> Body:
        acts: list[bytes | Wait | Exception] = [b"x" * chance.randrange(1, 200_000) for _ in range(8)]
        acts.insert(chance.randrange(9), Wait(time.monotonic() + chance.random() / 50))
        if chance.random() < 0.2:
            acts.insert(chance.randrange(9), ConnectionAbortedError("cut"))
        with lock:
            bodies.append(Body(*acts))
            return bodies[-1]

    app.body = body
    for _ in range(150):
        with running.connection() as sock:
            sock.sendall(MADE * chance.randrange(1, 3))
            wanted = chance.choice([0, 1, 1000, 200_000, 5_000_000])
            got = 0
            try:
                sock.settimeout(0.2)
                while got < wanted and (block := sock.recv(65536)):
                    got += len(block)
            except (TimeoutError, ConnectionError):
                pass
            leave(sock)
    assert until(lambda: all(each.closes == 1 for each in bodies), 10)


@pytest.mark.slow
def test_stopping_closes_every_body_once(app: App, tmp_path: Path) -> None:
    bodies: list[Body] = []

    def body() -> Body:
        bodies.append(Body(b"x", FOREVER, length=10))
        return bodies[-1]

    app.body = body
    with ExitStack() as stack:
        with serve(app, settings_for_tests(tmp_path)) as running:
            for _ in range(40):
                stack.enter_context(running.connection()).sendall(MADE)
            assert until(lambda: len(bodies) == 40 and all(each.polls for each in bodies))
        assert [each.closes for each in bodies] == [1] * 40


def test_what_waits_for_many_slow_readers_lies_on_disk_and_arrives_whole(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.hold.HOLD", 1 << 20)
    blocks = [random.Random(number).randbytes(1 << 20) for number in range(6)]
    app.body = lambda: Body(*blocks)
    with serve(app, settings_for_tests(tmp_path)) as running, ExitStack() as stack:
        socks = [stack.enter_context(running.connection(buffer=4096)) for _ in range(6)]
        for sock in socks:
            sock.sendall(MADE)
        hold = running.server._hold
        assert hold is not None and until(lambda: hold.laid_down >= 6)
        assert hold.in_memory <= 32 << 20
        assert all(response(sock)[1] == b"".join(blocks) for sock in socks)
        assert until(lambda: hold.in_memory == hold.laid_down == 0)
