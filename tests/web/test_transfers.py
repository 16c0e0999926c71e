"""Places over the wire: what counts as one download, who waits for one, and what the list and the figures say."""

from __future__ import annotations

import io
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from app import create_app
from errors import Conflict
from model import MIB, ByteRange, Locator, User
from storage.base import AccountHealth, StoreHealth
from storage.memory import MemoryStore
from tests.conftest import House, build_house, damage
from tests.gateway.preparing import claimed, worked
from tests.serving.conftest import Running, everything, response, serve, settings_for_tests, until
from tests.web.conftest import Api

DATA = Random(9).randbytes(9_600_000)


@dataclass
class Place:
    """A server with one place for downloads, and a file of each of two users."""

    house: House
    running: Running
    url: str

    def user(self, name: str) -> Person:
        people = self.house.gateway.people
        user = next((one for one in people.all() if one.name == name), None) or people.add(
            name, "battery staple"
        )
        file, _ = self.house.gateway.uploads.put(user, "/big.bin", io.BytesIO(DATA), len(DATA))
        return Person(self, user, people.make_token(user, "t")[1], file.id)


@dataclass
class Person:
    place: Place
    user: User
    token: str
    file_id: int

    @property
    def path(self) -> str:
        return f"/files/{self.file_id}/download"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def begin(self, sock: socket.socket, *headers: str) -> None:
        lines = [f"GET {self.path} HTTP/1.1", "Host: a", f"Authorization: Bearer {self.token}", *headers]
        sock.sendall("\r\n".join([*lines, "", ""]).encode())

    def transfers(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.place.url}/api/v1/transfers", headers=self.headers).json()
        return answer


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    house = build_house(tmp_path, downloads=1)
    settings = settings_for_tests(tmp_path)
    with serve(create_app(house.gateway, settings), settings) as running:
        yield Place(house, running, f"http://{running.address[0]}:{running.address[1]}")
    house.gateway.close()
    house.store.close()
    house.database.close()


@pytest.mark.needs("aria2c")
def test_sixteen_connections_of_aria2_are_one_download(place: Place, tmp_path: Path) -> None:
    ada = place.user("ada")
    goal, most = tmp_path / "out.bin", 0

    def slow(locator: Locator, span: ByteRange, attempt: int, data: bytes) -> bytes:
        nonlocal most
        most = max(most, place.house.downloading)
        return data

    place.house.store.on_read = slow
    line = ["aria2c", "-q", "--no-conf", "-x16", "-s16", "-k1M", "--file-allocation=none", "--max-tries=1"]
    header = f"Authorization: Bearer {ada.token}"
    line += ["--header", header, "-d", str(goal.parent), "-o", goal.name, place.url + ada.path]
    subprocess.run(line, check=True, timeout=60, stdin=subprocess.DEVNULL)
    assert goal.read_bytes() == DATA
    assert most > 1, "it had several connections at a time"


@pytest.mark.slow
def test_a_second_users_download_waits_and_gets_through_when_the_first_ends(place: Place) -> None:
    ada, bob = place.user("ada"), place.user("bob")
    with place.running.connection(buffer=4096) as first, place.running.connection() as second:
        ada.begin(first)
        assert first.recv(1)
        bob.begin(second)
        assert until(lambda: len(bob.transfers()["items"]) == 1)
        (waiting,) = bob.transfers()["items"]
        assert (waiting["state"], waiting["place"], waiting["eta"]) == ("waiting", 1, None)
        head, body = response(first)
        assert b" 200 " in b"H" + head and len(body) == len(DATA)
        head, body = response(second)
        assert b" 200 " in head and body == DATA


@pytest.mark.slow
def test_who_waits_in_vain_is_told_when_to_come_back(place: Place) -> None:
    place.house.gateway._admission._patience = 0.2
    ada, bob = place.user("ada"), place.user("bob")
    with place.running.connection(buffer=4096) as first:
        ada.begin(first)
        assert first.recv(1)
        refused = httpx.get(place.url + bob.path, headers=bob.headers)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json()["type"].endswith("at-capacity")
        assert (
            httpx.get(place.url + ada.path, headers=ada.headers | {"Range": "bytes=0-9"}).content == DATA[:10]
        )


def test_a_client_that_leaves_while_it_waits_leaves_the_line_and_pages_are_not_held_up(place: Place) -> None:
    place.house.gateway._admission._patience = 60
    ada, bob = place.user("ada"), place.user("bob")
    with place.running.connection(buffer=4096) as first:
        ada.begin(first)
        assert first.recv(1)
        with place.running.connection() as second:
            bob.begin(second)
            assert until(lambda: place.house.gateway.transfers.figures().waiting == 1)
            assert httpx.get(f"{place.url}/healthz").status_code == 200
        assert until(lambda: place.house.gateway.transfers.figures().waiting == 0)
        assert until(lambda: bob.transfers()["items"] == [])


def test_everybody_sees_their_own_transfers_and_an_admin_all(place: Place) -> None:
    ada, bob, eve = place.user("ada"), place.user("bob"), place.user("eve")
    with place.running.connection(buffer=4096) as sock:
        bob.begin(sock, "User-Agent: reader/1")
        assert sock.recv(1)
        (item,) = bob.transfers()["items"]
        assert (item["direction"], item["user"], item["file_id"]) == ("download", "bob", bob.file_id)
        assert (item["state"], item["connections"], item["size"]) == ("running", 1, len(DATA))
        assert item["client"] == {"address": "127.0.0.1", "agent": "reader/1"}
        assert 0 <= item["bytes"] < len(DATA) and item["started_at"].endswith("Z")
        assert eve.transfers()["items"] == []
        assert [one["id"] for one in ada.transfers()["items"]] == [item["id"]]
        assert bob.transfers()["totals"]["bytes_received"] == len(DATA)


@pytest.mark.slow
def test_a_paused_download_goes_on_where_it_was_and_a_cancelled_one_is_cut(place: Place) -> None:
    ada = place.user("ada")
    with place.running.connection(buffer=4096) as sock:
        ada.begin(sock)
        assert sock.recv(1)
        (item,) = ada.transfers()["items"]
        path = f"{place.url}/api/v1/transfers/{item['id']}"
        assert httpx.post(f"{path}/pause", headers=ada.headers).status_code == 204
        assert ada.transfers()["items"][0]["state"] == "paused"
        assert httpx.post(f"{path}/resume", headers=ada.headers).status_code == 204
        assert response(sock)[1] == DATA
    with place.running.connection(buffer=4096) as sock:
        ada.begin(sock)
        assert sock.recv(1)
        (item,) = ada.transfers()["items"]
        path = f"{place.url}/api/v1/transfers/{item['id']}"
        assert httpx.delete(path, headers=ada.headers).status_code == 204
        assert ada.transfers()["items"] == []
        assert len(everything(sock)) < len(DATA)
        assert httpx.delete(path, headers=ada.headers).status_code == 404


@pytest.mark.slow
def test_a_ticket_waits_without_a_connection_and_its_address_is_served_when_it_is_ready(place: Place) -> None:
    ada, bob = place.user("ada"), place.user("bob")
    with place.running.connection(buffer=4096) as first:
        ada.begin(first)
        assert first.recv(1)
        taken = httpx.post(f"{place.url}/api/v1/queue", headers=bob.headers, json={"file_id": bob.file_id})
        assert taken.status_code == 201
        ticket = taken.json()
        assert (ticket["state"], ticket["place"]) == ("waiting", 1)
        assert bob.transfers()["items"][0]["state"] == "waiting"
        response(first)
    address = place.url + taken.headers["Location"]
    assert until(lambda: httpx.get(address, headers=bob.headers).json()["state"] == "ready")
    assert httpx.get(place.url + ticket["url"], headers=bob.headers).content == DATA
    assert httpx.delete(address, headers=bob.headers).status_code == 204


@pytest.mark.slow
def test_a_rate_limit_holds_over_all_connections_of_a_user(tmp_path: Path) -> None:
    """It must take the time that the rate makes of it; that it is not much slower is no test's business."""
    house = build_house(tmp_path, user_rate=4 * MIB)
    settings = settings_for_tests(tmp_path)
    with closing(house.database), serve(create_app(house.gateway, settings), settings) as running:
        ada = Place(house, running, f"http://{running.address[0]}:{running.address[1]}").user("ada")
        began, received = time.monotonic(), b""
        for start in (0, 4 * MIB):
            span = {"Range": f"bytes={start}-{start + 4 * MIB - 1}"}
            received += httpx.get(ada.place.url + ada.path, headers=ada.headers | span).content
        assert received == DATA[: 8 * MIB]
        # The first 4 MiB may leave at once; the next take a second, which has begun with the first.
        assert time.monotonic() - began > 0.9
    house.gateway.close()
    house.store.close()


SAMPLE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? (-?[0-9.e+-]+|NaN)')


def test_metrics_are_what_prometheus_reads(ada: Api) -> None:
    node = ada.put("/f", b"x" * 1000)
    assert ada("GET", f"/files/{node['id']}/download").data
    text = ada("GET", "/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert len(kinds) == text.count("# TYPE") == text.count("# HELP")
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            found = SAMPLE.fullmatch(line)
            assert found, line
            family = re.sub("_(bucket|sum|count)$", "", found[1]) if found[1] not in kinds else found[1]
            assert family in kinds, line
            assert (kinds[family] == "counter") == found[1].endswith("_total"), line
            values[found[1] + (found[2] or "")] = float(found[3])
    assert values["stowgram_sent_bytes_total"] == values["stowgram_received_bytes_total"] == 1000
    assert values["stowgram_first_byte_seconds_count"] == 1
    assert values['stowgram_first_byte_seconds_bucket{le="+Inf"}'] == 1
    assert values['stowgram_transfers_total{direction="download",outcome="complete"}'] == 1
    assert values["stowgram_downloads_running"] == values["stowgram_downloads_waiting"] == 0
    assert values["process_resident_memory_bytes"] > 10 * MIB and values["process_threads"] >= 1


def test_metrics_tell_how_jobs_of_each_kind_fare(ada: Api, house: House, tmp_path: Path) -> None:
    def told() -> dict[str, str]:
        return dict(re.findall(r'^stowgram_jobs_(\w+){kind="zip"} (\S+)$', ada("GET", "/metrics").text, re.M))

    assert told() == {"waiting": "0", "running": "0", "failed_total": "0"}
    for name in "abcd":
        folder = house.gateway.files.make_folder(house.user, f"/{name}")
        house.gateway.prepared.ask(house.user, folder)
    before = time.time()
    worked(house.gateway)
    ada.put("/b/changed", b"x")
    with pytest.raises(Conflict):
        worked(house.gateway)
    claimed(house.gateway)
    found = told()
    assert before - 1 <= float(found.pop("last_success_timestamp_seconds")) <= time.time() + 1
    assert found == {"waiting": "1", "running": "1", "failed_total": "1"}
    assert '\nstowgram_jobs_failed_total{kind="letter"} 0\n' in ada("GET", "/metrics").text
    damage(tmp_path / "stowgram.sqlite", "jobs")
    assert set(told()) == {"failed_total", "last_success_timestamp_seconds"}, "which need no database"


class StoreWithAccounts(MemoryStore):
    def health(self) -> StoreHealth:
        accounts = (AccountHealth("bot-1", 24, 20, 7, 4, "steady", 0.0, 3),)
        return replace(super().health(), accounts=accounts)


def test_metrics_tell_what_each_account_does(tmp_path: Path) -> None:
    store = StoreWithAccounts()
    house = build_house(tmp_path, store)
    app = create_app(house.gateway, settings_for_tests(tmp_path))
    text = app.test_client().get("/metrics").text
    for figure in ("window", "in_flight", "waiting", "connections", "flood_wait", "flood_waits_total"):
        assert f'stowgram_account_{figure}{{account="bot-1"}} ' in text
    assert 'stowgram_account_window{account="bot-1"} 24' in text
    assert 'stowgram_account_pace{account="bot-1",state="steady"} 1' in text
    assert all(SAMPLE.fullmatch(line) for line in text.splitlines() if not line.startswith("#"))
    house.gateway.close()
    store.close()
    house.database.close()


def test_a_files_details_tell_how_often_it_was_fetched(ada: Api) -> None:
    node = ada.put("/f", b"x" * 1000)
    for _ in range(2):
        assert ada("GET", f"/files/{node['id']}/download").data
    details = json.loads(ada("GET", f"/api/v1/files/{node['id']}").text)
    assert details["totals"] == {"downloads": 2, "bytes_sent": 2000}
