"""The Telegram store through a SOCKS5 and an HTTP proxy, both small and real."""

from __future__ import annotations

import base64
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from socketserver import StreamRequestHandler
from typing import Any

import pytest

from errors import Transient
from model import MIB
from storage.telegram.store import TelegramStore
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.storage.contract import body_of, put, read_all
from tests.storage.telegram_store import QUICK, settings_for, within

pytestmark = pytest.mark.slow

USER, PASSWORD = "some user", "p:ss/w@rd"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.carried: set[StreamRequestHandler] = set()


class Socks5(StreamRequestHandler):
    """RFC 1928 with RFC 1929, as far as a client of ours goes."""

    server: Proxy

    def handle(self) -> None:
        _, count = self.rfile.read(2)
        methods = self.rfile.read(count)
        self.wfile.write(b"\x05\x02" if b"\x02" in methods else b"\x05\xff")
        if b"\x02" not in methods:
            return
        self.rfile.read(1)
        user = self.rfile.read(self.rfile.read(1)[0]).decode()
        password = self.rfile.read(self.rfile.read(1)[0]).decode()
        is_right = (user, password) == (USER, PASSWORD)
        self.wfile.write(b"\x01\x00" if is_right else b"\x01\x01")
        if not is_right:
            return
        self.rfile.read(4)
        host = self.rfile.read(self.rfile.read(1)[0]).decode()
        port = int.from_bytes(self.rfile.read(2), "big")
        upstream = socket.create_connection((host, port))
        self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
        splice(self, upstream)


class Connect(StreamRequestHandler):
    """CONNECT with Basic."""

    server: Proxy

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode())
        if b"Proxy-Authorization: Basic " + expected not in head:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        host, port = head.split(b" ")[1].decode().rsplit(":", 1)
        upstream = socket.create_connection((host, int(port)))
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        splice(self, upstream)


def splice(handler: Socks5 | Connect, upstream: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    handler.server.carried.add(handler)

    def carry(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    back = threading.Thread(target=carry, args=(upstream, handler.connection), daemon=True)
    back.start()
    carry(handler.connection, upstream)
    back.join(5)
    upstream.close()
    handler.server.carried.discard(handler)


@contextmanager
def running(handler: type[StreamRequestHandler]) -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", 0), handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join(5)


@pytest.mark.parametrize(("scheme", "handler"), [("socks5", Socks5), ("http", Connect)])
def test_everything_goes_through_the_proxy(
    scheme: str, handler: type[StreamRequestHandler], sandbox: RunningSandbox, tmp_path: Path
) -> None:
    body = body_of(3 * MIB)
    with running(handler) as proxy:
        url = f"{scheme}://some%20user:p%3Ass%2Fw%40rd@127.0.0.1:{proxy.server_address[1]}"
        settings = replace(settings_for(sandbox), proxy=url)
        with (
            closing(TelegramStore(settings, tmp_path, "telegram", QUICK)) as store,
            closing(store.client()) as client,
        ):
            store.start(10.0)
            assert read_all(client, put(store, body), len(body)) == body
            assert within(10.0, lambda: len(proxy.carried) == connections(sandbox) > 0)


def connections(sandbox: RunningSandbox) -> int:
    return sum(sandbox.control.stats()["connections"].values())


@pytest.mark.parametrize(("scheme", "handler"), [("socks5", Socks5), ("http", Connect)])
def test_a_proxy_that_refuses_is_told_without_its_password(
    scheme: str, handler: type[StreamRequestHandler], sandbox: RunningSandbox, tmp_path: Path
) -> None:
    with running(handler) as proxy:
        url = f"{scheme}://someone:hunter2@127.0.0.1:{proxy.server_address[1]}"
        store = TelegramStore(replace(settings_for(sandbox), proxy=url), tmp_path, "telegram", QUICK)
        with pytest.raises(Transient) as refusal:
            store.start(3.0)
        assert "hunter2" not in str(refusal.value) + repr(store)
        assert "proxy" in str(refusal.value)
        store.close()
