"""The application's uploads in Node, without a browser: tus-js-client as it is vendored, and the queue around it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model import MIB
from tests.whole.running import ROOT, RunningGateway, running_gateway

pytestmark = [pytest.mark.slow, pytest.mark.needs("node")]

STATIC = ROOT / "web" / "static"
BIG = 40 * MIB + 7

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("node")) as gateway:
        yield gateway


@pytest.fixture
def run(gateway: RunningGateway, tmp_path: Path) -> Run:
    """Runs a script of ours among the modules that a browser would load; what it told at its end."""
    room = tmp_path / "room"
    shutil.copytree(STATIC / "app", room / "app")
    shutil.copytree(STATIC / "vendor", room / "vendor")
    shutil.copytree(Path(__file__).parent / "node", room, dirs_exist_ok=True)
    # Browsers take .js for a module when it is imported; Node does when this says so.
    (room / "package.json").write_text('{"type": "module"}', encoding="utf-8")

    def script(name: str, *words: str) -> dict[str, Any]:
        line = ["node", name, gateway.url, gateway.token, *words]
        done = subprocess.run(line, cwd=room, capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told

    return script


def test_what_is_vendored_is_what_its_page_says() -> None:
    page = (STATIC / "vendor" / "README.md").read_text(encoding="utf-8")
    digests = dict(re.findall(r"^\| `([\w.]+)` .*`([0-9a-f]{64})` \|$", page, re.MULTILINE))
    scripts = STATIC.joinpath("vendor").glob("*.js")
    assert digests == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in scripts}


def test_tus_js_client_uploads_goes_on_and_gives_up(run: Run) -> None:
    told = run("tus.js")
    assert 0 < told["accepted"] < told["size"]
    assert told["nodes"] == [["film.bin", told["size"]], ["other.bin", 5]]
    assert told["other"] and told["gone"] == 410


def test_the_queue_settles_conflicts_and_goes_on_after_a_restart_of_the_browser(run: Run) -> None:
    first = run("queue.js", "{}", "first")
    assert sorted(first["asked"]) == ["/q/kept.txt", "/q/replaced.txt", "/q/skipped.txt"]
    assert first["settled"] == {
        "/q/replaced.txt": "done",
        "/q/kept (2).txt": "done",
        "/q/skipped.txt": "skipped",
        "/q/a": "done",
    }
    assert first["paused"] == "paused" and 8 * MIB <= first["sent"] < BIG
    assert first["figures"]["paused"] == 1 and first["figures"]["size"] == BIG

    second = run("queue.js", first["storage"], "second")
    assert second["begun"] == [["/q/big.bin", BIG]]
    assert second["states"] == {"/q/big.bin": "done"} and second["left"] == 0
    assert second["moved"] < BIG, "what was there already was not sent again"
    assert second["nodes"] == [
        ["a", 0],
        ["big.bin", BIG],
        ["empty", 3],
        ["kept (2).txt", 5],
        ["kept.txt", 3],
        ["replaced.txt", 5],
        ["skipped.txt", 3],
    ]
