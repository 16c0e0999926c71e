"""Events as a page asks for them: since when, whose, and 304 while nothing happens."""

from __future__ import annotations

from tests.web.conftest import Api


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
