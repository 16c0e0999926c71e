"""A prepared ZIP over the whole house: asked for, its worker killed, gone on with, and served by a real nginx."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from model import MIB
from tests.nginx import nginx_before
from tests.sandbox_process import start_sandbox
from tests.whole.running import RunningGateway, running_gateway

SIZE = 24 * MIB + 5


def status(client: httpx.Client, job_id: str) -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"/api/v1/jobs/{job_id}").json()
    return told


def wait_for(gateway: RunningGateway, job_id: str, *, done: int = 0, ready: bool = False) -> dict[str, Any]:
    """The job, once so many bytes of it are done, or it is ready."""
    deadline = time.monotonic() + 90
    with gateway.client() as client:
        while True:
            told = status(client, job_id)
            assert told["status"] not in {"failed", "cancelled"}, told
            if told["status"] == "ready" or (not ready and told["done"] > done):
                return told
            assert time.monotonic() < deadline, told
            time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.needs("nginx")
@pytest.mark.needs("curl")
@pytest.mark.needs("unzip")
def test_a_zip_whose_worker_was_killed_is_finished_and_served_by_nginx(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = {"X_ACCEL_REDIRECT": "/internal/prepared", "CHUNK_SIZE_MIB": "4"}
    (tmp_path / "film.bin").write_bytes(os.urandom(SIZE))
    with (
        start_sandbox(tmp_path / "sandbox") as sandbox,
        running_gateway(tmp_path, sandbox, settings) as gateway,
        nginx_before(gateway.url, data / "prepared", tmp_path / "nginx") as url,
    ):
        gateway.run("put", tmp_path / "film.bin", "/z/")
        sandbox.control.bandwidth(2 * MIB)
        with gateway.client() as client:
            folder = client.get("/api/v1/nodes", params={"path": "/z"}).json()["folder"]["id"]
            asked = client.post(f"/api/v1/folders/{folder}/prepare-download", json={})
            assert asked.status_code == 202, asked.text
        job_id = asked.json()["job_id"]
        wait_for(gateway, job_id, done=4 * MIB)
        gateway.kill()
        sandbox.control.clear()
        served = int(sandbox.control.stats()["bytes_served"])
        gateway.start()
        told = wait_for(gateway, job_id, ready=True)
        assert int(sandbox.control.stats()["bytes_served"]) - served < SIZE - 2 * MIB, "it went on"
        parts = urlsplit(told["download_url"])
        _fetched_in_parts(f"{url}{parts.path}?{parts.query}", tmp_path, told["size"])
        with gateway.client() as client:
            streamed = client.get(f"/folders/{folder}/download.zip").content
        whole = (tmp_path / "z.zip").read_bytes()
        assert hashlib.sha256(whole).digest() == hashlib.sha256(streamed).digest()
        assert httpx.get(f"{url}/internal/prepared/{job_id}.zip").status_code == 404, "for nginx alone"


def _fetched_in_parts(url: str, tmp_path: Path, size: int) -> None:
    """By nginx: with ranges, conditions and a name, and gone on with by curl."""
    part = httpx.get(url, headers={"Range": "bytes=100-299"})
    assert (part.status_code, len(part.content)) == (206, 200)
    assert part.headers["Server"].startswith("nginx"), "the file comes from nginx"
    assert part.headers["Content-Disposition"] == 'attachment; filename="z.zip"'
    assert part.headers["Content-Type"] == "application/zip" and "immutable" in part.headers["Cache-Control"]
    tag = part.headers["ETag"]
    again = httpx.get(url, headers={"Range": "bytes=0-9", "If-Range": tag})
    assert again.status_code == 206 and again.headers["Content-Range"] == f"bytes 0-9/{size}"
    assert httpx.get(url, headers={"If-None-Match": tag}).status_code == 304
    goal = tmp_path / "z.zip"
    goal.write_bytes(httpx.get(url, headers={"Range": f"bytes=0-{MIB - 1}"}).content)
    subprocess.run(["curl", "-sfS", "-C", "-", "-o", goal, url], check=True, timeout=60)
    subprocess.run(["unzip", "-tqq", goal], check=True, timeout=60)
