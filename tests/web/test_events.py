"""Events as a page asks for them: since when, whose, and 304 while nothing happens."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import House
from tests.serving.conftest import Running, until
from tests.web.conftest import Api
from web.happening.stream import LENGTH

SSE = {"Accept": "text/event-stream"}


def test_a_page_hears_of_a_file_and_then_304_until_the_next(ada: Api) -> None:
    last = ada("GET", "/api/v1/events").get_json()["last"]
    file = ada.put("/a/f.bin", b"12345")
    response = ada("GET", f"/api/v1/events?since={last}")
    news = response.get_json()
    made, available = news["events"]
    assert made["type"] == "folder_made"
    assert available == {
        "id": news["last"],
        "type": "file_available",
        "at": available["timestamp"],
        "fid": file["id"],
        "filename": "f.bin",
        "size": 5,
        "uploader": "ada",
        "path": "/a/f.bin",
        "folder": "/a",
        "folders": ["/a"],
        "timestamp": available["at"],
    }
    assert response.headers["Cache-Control"] == "private, no-cache"
    unchanged = {"If-None-Match": response.headers["ETag"]}
    assert ada("GET", f"/api/v1/events?since={last}", unchanged).status_code == 304
    ada("DELETE", f"/api/v1/files/{file['id']}")
    assert ada("GET", f"/api/v1/events?since={last}", unchanged).get_json()["events"][-1]["type"] == "removed"


def test_another_user_hears_nothing(ada: Api, bob: Api) -> None:
    before = bob("GET", "/api/v1/events").get_json()
    ada.put("/f", b"x")
    assert bob("GET", f"/api/v1/events?since={before['last']}").get_json() == before
    assert before["events"] == []


def test_what_is_no_event_s_number_is_refused_or_loads_anew(ada: Api) -> None:
    assert ada("GET", "/api/v1/events?since=x").status_code == 400
    assert ada("GET", "/api/v1/events?since=-1").status_code == 400
    assert ada("GET", "/api/v1/events?since=99999").get_json()["reset"]


@pytest.fixture
def follower(running: Running, house: House) -> Iterator[httpx.Client]:
    """Ada, over a socket."""
    token = house.gateway.people.make_token(house.user, "t")[1]
    host, port = running.address[:2]
    headers = SSE | {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://{host}:{port}", headers=headers, timeout=20) as client:
        yield client


def test_a_page_that_follows_hears_of_each_change_once_and_goes_on_where_it_was(
    follower: httpx.Client, house: House
) -> None:
    files, upkeep = house.gateway.files, house.gateway.upkeep
    with follower.stream("GET", "/api/v1/events") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert next(lines).startswith("retry:")
        last = int(next(lines).removeprefix("id: "))
        assert next(lines) == ""
        files.make_folder(house.user, "/a")
        upkeep.pass_on_events()
        first = int(next(lines).removeprefix("id: "))
        event = json.loads(next(lines).removeprefix("data: "))
        assert (event["type"], event["path"], event["id"]) == ("folder_made", "/a", first)
        assert first > last
    files.make_folder(house.user, "/b")
    with follower.stream("GET", "/api/v1/events", headers={"Last-Event-ID": str(first)}) as response:
        data = (line for line in response.iter_lines() if line.startswith("data: "))
        assert json.loads(next(data).removeprefix("data: "))["path"] == "/b"
    assert until(lambda: not house.gateway.events._feed.followed), "who leaves is forgotten"


def test_a_stream_that_ends_is_as_long_as_it_said(
    follower: httpx.Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.happening.stream.LIFE", 0.1)
    whole = follower.get("/api/v1/events")
    assert len(whole.content) == LENGTH
    assert whole.text.splitlines()[-1].strip() == ":"


def test_a_quiet_line_is_heard_of(follower: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.happening.stream.HEARTBEAT", 0.05)
    with follower.stream("GET", "/api/v1/events") as response:
        assert next(line for line in response.iter_lines() if line.startswith(":")) == ":"


def test_a_stop_does_not_wait_for_those_who_follow(follower: httpx.Client, house: House) -> None:
    with follower.stream("GET", "/api/v1/events") as response:
        blocks = response.iter_bytes()
        next(blocks)
        house.gateway.wind_down()
        house.gateway.upkeep.pass_on_events()
        assert sum(map(len, blocks)) > LENGTH // 2


def test_past_the_cap_a_page_is_told_to_ask_instead(
    follower: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.happening.feed.MOST_PER_USER", 0)
    refused = follower.get("/api/v1/events")
    assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")


def test_without_a_socket_the_stream_is_an_iterator(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.happening.stream.LIFE", 0.1)
    assert len(ada("GET", "/api/v1/events", SSE).data) == LENGTH
    assert ada("HEAD", "/api/v1/events", SSE).headers["Content-Length"] == str(LENGTH)
