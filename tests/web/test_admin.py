"""What admins see of the whole house."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient

from db import Contents, Damage
from tests.conftest import House
from tests.web.conftest import PASSWORD, Api
from web import VERSION


def test_an_overview_tells_how_everything_is_and_no_secret(ada: Api) -> None:
    ada.put("/f", b"12345")
    ada("DELETE", f"/api/v1/files/{ada.put('/g', b'123')['id']}")
    overview = ada("GET", "/api/v1/admin").get_json()
    assert (overview["mode"], overview["ready"], overview["cache"]) == ("memory", True, None)
    assert overview["storage"] == {
        "files": 2,
        "bytes": 8,
        "stored_bytes": 8,
        "messages": 4,
        "trash": 0,
        "binned_bytes": 3,
    }
    assert overview["limits"]["max_concurrent_downloads"] > 0
    assert overview["process"]["process_threads"] > 0
    assert not {"secret_key", "database_url", "telegram"} & set(overview["limits"])


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


def test_damaged_files_are_listed_with_their_owner(ada: Api, bob: Api, house: House) -> None:
    file = bob.put("/a/f", b"12345")
    assert ada("GET", "/api/v1/admin/damaged").get_json() == {"items": []}
    content_id = house.gateway.files.file(house.gateway.people.named("bob"), file["id"]).content_id
    Damage(house.database).mark(Contents(house.database).stored_file(content_id).uuid, datetime.now(UTC))
    (found,) = ada("GET", "/api/v1/admin/damaged").get_json()["items"]
    assert (found["id"], found["path"], found["user"], found["damaged"]) == (file["id"], "/a/f", "bob", True)


def test_the_log_tells_of_everybody_s_files_and_of_who_came_in(
    ada: Api, bob: Api, nobody: FlaskClient
) -> None:
    bob.put("/f", b"x")
    for name, password in (("ada", "wrong"), ("ada", "wrong too"), ("who", "wrong"), ("ada", PASSWORD)):
        nobody.post("/login", data={"username": name, "password": password})
    log = ada("GET", "/api/v1/admin/events").get_json()
    assert [(event["type"], event["user"]) for event in log["events"]] == [
        ("user_added", "ada"),
        ("user_added", "bob"),
        ("file_available", "bob"),
        ("sign_in_failed", "ada"),  # the second one within a minute is not noted
        ("sign_in_failed", None),
        ("signed_in", "ada"),
    ]
    assert log["events"][-1]["address"] == "127.0.0.1"
    since = ada("GET", f"/api/v1/admin/events?since={log['events'][-2]['id']}").get_json()
    assert since["events"] == log["events"][-1:]
    assert "wrong" not in str(log)
