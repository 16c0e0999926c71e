"""REDbot, which knows the RFCs of HTTP by heart, finds nothing wrong with what we answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.whole.running import ROOT, RunningGateway, running_gateway

pytestmark = pytest.mark.slow

ACCEPTED = {
    # On downloads: it reads `style-src 'unsafe-inline'` as scripts, which `default-src 'none'` and `sandbox` both
    # forbid. Browsers style the page that they build around a bare image or video by inline styles.
    "CSP_UNSAFE_INLINE",
}
"""Warnings that we keep, with the reason."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("redbot")) as gateway, gateway.client() as client:
        for name, data in {"data.bin": bytes(range(256)) * (6 * 1024), "notes.txt": b"hello" * 100}.items():
            client.put(f"/api/v1/content/r/{name}", content=data).raise_for_status()
        yield gateway


def notes(gateway: RunningGateway, path: str) -> list[dict[str, Any]]:
    """What REDbot says of this path, to somebody who is signed in."""
    line = [sys.executable, "-m", "tests.whole.examine", gateway.url + path]
    header = f"Authorization: Bearer {gateway.token}"
    done = subprocess.run(
        [*line, header], cwd=ROOT, timeout=60, check=True, capture_output=True, encoding="utf-8"
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def file_id(gateway: RunningGateway, name: str) -> int:
    with gateway.client() as client:
        items = client.get("/api/v1/nodes", params={"path": "/r"}).json()["items"]
    return next(int(item["id"]) for item in items if item["name"] == name)


def complaints(found: list[dict[str, Any]]) -> list[str]:
    return [
        f"{note['check']}: {note['note']}: {note['summary']}"
        for note in found
        if note["level"] in {"bad", "warning"} and note["note"] not in ACCEPTED
    ]


@pytest.mark.parametrize(("name", "query"), [("data.bin", ""), ("notes.txt", ""), ("notes.txt", "?inline=1")])
def test_redbot_finds_nothing_wrong_with_a_download(gateway: RunningGateway, name: str, query: str) -> None:
    found = notes(gateway, f"/files/{file_id(gateway, name)}/download{query}")
    assert found[0]["note"] == "200"
    assert complaints(found) == []
    praised = {note["note"] for note in found if note["level"] == "good"}
    assert {"RANGE_CORRECT", "INM_304", "IMS_304"} <= praised


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/login", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/static/app/main.js", 200),
        ("/api/v1/nodes?path=/r", 200),
        ("/api/v1/nodes?path=/none", 404),
        ("/files/999999/download", 404),
    ],
)
def test_redbot_finds_nothing_wrong_with_pages_and_the_api(
    gateway: RunningGateway, path: str, status: int
) -> None:
    found = notes(gateway, path)
    assert found[0]["note"] == str(status)
    assert complaints(found) == []
