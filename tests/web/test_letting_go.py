"""Over the wire: a line drops while the gateway waits for the store, and the client goes on at once over a new one."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic, sleep

import httpx

from gateway.incoming.uploads import FINISH_WAIT
from model import MIB, Label, Locator
from storage.memory import MemoryStore
from tests.web.test_tuspy import gateway_running
from tests.whole.tus import append, created, stands

DATA = bytes(range(256)) * (MIB // 256)


def test_a_dropped_connection_holds_up_nobody(tmp_path: Path) -> None:
    up = threading.Event()

    def on_put(label: Label, locator: Locator | None) -> None:
        assert up.wait(60)

    store = MemoryStore(on_put=on_put)
    with gateway_running(tmp_path, store) as (running, house):
        secret = house.gateway.people.make_token(house.user, "tus")[1]
        host, port = running.address
        bearer = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=f"http://{host}:{port}", headers=bearer, timeout=20) as client:
            url = created(client, len(DATA), "f")
            with running.connection() as dropped:
                head = (
                    f"PATCH {url} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer['Authorization']}\r\n"
                    "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                    f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(DATA)}\r\n\r\n"
                )
                dropped.sendall(head.encode() + DATA)
                while stands(client, url) < len(DATA) - 1:
                    sleep(0.01)
            began = monotonic()
            threading.Timer(1, up.set).start()
            response = append(client, url, stands(client, url), DATA[-1:])
            assert response.status_code == 204, response.text
            assert monotonic() - began < FINISH_WAIT / 2
    store.close()
