"""A tus client that is not ours, over real sockets: interrupted, and met by another gateway when it comes back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tusclient.client import TusClient

from app import create_app
from storage.memory import MemoryStore
from tests.conftest import House, build_house
from tests.serving.conftest import Running, serve, settings_for_tests
from tests.web.conftest import Api

DATA = bytes(range(256)) * 20_000
"""A little under 5 MiB: three chunks of 2 MiB, and not a whole number of pieces."""


def test_tuspy_uploads_over_the_wire(running: Running, house: House, ada: Api) -> None:
    secret = house.gateway.people.make_token(house.user, "tuspy")[1]
    host, port = running.address
    client = TusClient(f"http://{host}:{port}/api/v1/uploads", headers={"Authorization": f"Bearer {secret}"})
    metadata = {"filename": "t.bin", "path": "/in"}
    first = client.uploader(file_stream=io.BytesIO(DATA), chunk_size=700_001, metadata=metadata)
    first.upload(stop_at=2_000_000)
    again = client.uploader(file_stream=io.BytesIO(DATA), chunk_size=1 << 20, url=first.url)
    assert again.offset >= 2_000_000
    again.upload()
    node = ada("GET", "/api/v1/nodes?path=/in").get_json()["items"][0]
    assert ada("GET", f"/files/{node['id']}/download").data == DATA


@contextmanager
def gateway_running(folder: Path, store: MemoryStore) -> Iterator[tuple[Running, House]]:
    house = build_house(folder, store)
    try:
        settings = settings_for_tests(folder)
        with serve(create_app(house.gateway, settings), settings) as running:
            yield running, house
    finally:
        house.gateway.close()
        house.database.close()


def test_tuspy_goes_on_where_it_was_after_the_gateway_was_restarted(tmp_path: Path) -> None:
    store = MemoryStore()
    metadata = {"filename": "t.bin"}
    secret, path, done = "", "", 0
    for stop_at in (600_000, 3_000_000, len(DATA)):
        with gateway_running(tmp_path, store) as (running, house):
            secret = secret or house.gateway.people.make_token(house.user, "tuspy")[1]
            host, port = running.address
            address = f"http://{host}:{port}"
            client = TusClient(f"{address}/api/v1/uploads", headers={"Authorization": f"Bearer {secret}"})
            there = {"url": address + path} if path else {"metadata": metadata}
            uploader = client.uploader(file_stream=io.BytesIO(DATA), chunk_size=500_001, **there)
            assert uploader.offset >= done
            uploader.upload(stop_at=stop_at)
            path, done = urlsplit(uploader.url).path, uploader.offset
            if done == len(DATA):
                file = house.gateway.files.at(house.user, "/t.bin")
                answer = running.say(
                    f"GET /files/{file.id}/download HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    f"Authorization: Bearer {secret}\r\n\r\n".encode()
                )
                assert answer.partition(b"\r\n\r\n")[2] == DATA
    assert done == len(DATA)
    store.close()
