"""Starting and stopping, with real processes: the gateway, its sandbox, and what is left of them."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.conftest import Installation, Serving, serving, until
from tests.sandbox_process import give_key

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals"),
]

STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")


def test_a_first_start_says_all_and_a_second_keeps_it(installation: Installation) -> None:
    with serving(installation, bare=True) as first:
        told = re.search(r"admin +admin +password (\S+)", first.greeting)
        assert told
        assert "SANDBOX" in first.greeting
        who = ("admin", told[1])
        assert httpx.get(f"{first.url}/api/v1/nodes?path=/", auth=who).status_code == 200
        assert httpx.get(f"{first.url}/readyz").json()["mode"] == "sandbox"
        assert first.stop()[0] == 0
    with serving(installation) as second:
        assert "password" not in second.greeting
        assert httpx.get(f"{second.url}/api/v1/nodes?path=/", auth=who).status_code == 200


@pytest.fixture
def heard() -> Iterator[None]:
    """Signals that whoever runs the tests ignores (`nohup`) would be ignored by what we start."""
    numbers = [signal.Signals[name] for name in STOPPING]
    deaf = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in deaf:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in deaf:
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("name", STOPPING)
def test_a_signal_stops_both_processes_cleanly(installation: Installation, name: str) -> None:
    with serving(installation) as running:
        sandbox = running.sandbox
        code, log = running.stop(signal.Signals[name])
        assert code == 0
        assert "Traceback" not in log
        assert not sandbox.is_running()


@contextmanager
def begun_download(running: Serving, installation: Installation, size: int) -> Iterator[httpx.Response]:
    """A download of a new file of random bytes, of which only the headers were read."""
    (installation.folder / "file").write_bytes(os.urandom(size))
    installation.ok("put", "file", "/file")
    token = (installation.data / "local-token").read_text(encoding="utf-8").strip()
    sign = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=running.url, headers=sign, timeout=60) as client:
        (item,) = client.get("/api/v1/nodes?path=/").json()["items"]
        with client.stream("GET", f"/files/{item['id']}/download") as download:
            yield download


def refuses(url: str) -> bool:
    """Whether the server takes no connections any more."""
    try:
        httpx.get(f"{url}/healthz")
    except httpx.TransportError:
        return True
    return False


def test_a_download_that_runs_may_end_when_the_server_is_to_stop(installation: Installation) -> None:
    installation.environ |= {"SHUTDOWN_SECONDS": "60"}
    with serving(installation) as running, begun_download(running, installation, 24 << 20) as download:
        running.process.send_signal(signal.SIGTERM)
        until(lambda: refuses(running.url))
        assert download.read() == (installation.folder / "file").read_bytes()
        _, log = running.ended()
        assert running.process.returncode == 0
        assert "25165824 bytes" in log and "complete" in log and "cut" not in log


def test_a_second_signal_cuts_what_runs(installation: Installation) -> None:
    installation.environ |= {"SHUTDOWN_SECONDS": "3600"}
    with serving(installation) as running, begun_download(running, installation, 24 << 20) as download:
        running.process.send_signal(signal.SIGINT)
        until(lambda: refuses(running.url))
        assert running.process.poll() is None
        code, log = running.stop(signal.SIGINT)
        assert code == 0 and "cut 1 connections" in log
        with pytest.raises(httpx.TransportError):
            download.read()


def test_ctrl_c_at_a_terminal_reaches_the_sandbox_last(installation: Installation) -> None:
    with serving(installation) as running:
        sandbox = running.sandbox
        for process in [psutil.Process(running.process.pid), *children(running.process.pid)]:
            if sys.platform != "win32" and os.getpgid(process.pid) == running.process.pid:
                process.send_signal(signal.SIGINT)  # as a terminal tells its whole group
        _, log = running.ended()
        assert running.process.returncode == 0
        assert "the sandbox ended" not in log
        assert not sandbox.is_running()


def test_a_signal_while_starting_stops_too(installation: Installation) -> None:
    process = installation.start()
    until(lambda: (installation.data / "lock").exists())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    until(lambda: not any(str(installation.data) in " ".join(p) for p in command_lines()))


def command_lines() -> list[list[str]]:
    return [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]


def test_a_killed_gateway_leaves_no_sandbox_behind(installation: Installation) -> None:
    with serving(installation) as running:
        sandbox = running.sandbox
        running.process.kill()
        until(lambda: not sandbox.is_running(), 15)
    with serving(installation) as again:
        assert httpx.get(f"{again.url}/readyz").status_code == 200


def test_a_killed_sandbox_comes_back(installation: Installation) -> None:
    (installation.folder / "file").write_bytes(os.urandom(1 << 20))
    with serving(installation) as running:
        installation.ok("put", "file", "/file")
        before = running.sandbox
        before.kill()
        until(
            lambda: any(
                "sandbox" in c.cmdline() and c.pid != before.pid for c in children(running.process.pid)
            )
        )
        until(lambda: httpx.get(f"{running.url}/readyz").status_code == 200)
        installation.ok("get", "/file", "back")
    assert (installation.folder / "back").read_bytes() == (installation.folder / "file").read_bytes()


def children(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children(recursive=True) if child.status() != "zombie"]


def test_files_in_the_sandbox_are_never_taken_for_files_in_telegram(installation: Installation) -> None:
    with serving(installation) as running:
        running.stop()
    installation.environ |= {
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "x",
        "TELEGRAM_CHANNEL": "-1001",
        "TELEGRAM_BOT_TOKENS": "1:a",
    }
    refused = installation.run()
    assert refused.returncode == 2
    assert "rest in the sandbox" in refused.stderr


def test_a_second_instance_is_refused_in_one_line(shared: Installation) -> None:
    refused = shared.run()
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "already running" in refused.stderr


def test_a_taken_port_is_refused_in_one_line(shared: Installation, tmp_path: Path) -> None:
    other = Installation(tmp_path, PORT=shared.environ["STOWGRAM_URL"].rpartition(":")[2])
    give_key(other.data / "sandbox")
    refused = other.run()
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert "PORT" in refused.stderr


def test_the_log_can_be_json_and_holds_no_secret(installation: Installation) -> None:
    installation.environ |= {"LOG_FORMAT": "json", "LOG_LEVEL": "debug", "ADMIN_PASSWORD": "correct horse"}
    with serving(installation) as running:
        assert "correct horse" not in running.greeting
        installation.ok("ls")
        code, log = running.stop()
    assert code == 0
    assert all(line.startswith("{") for line in log.splitlines())
    token = (installation.data / "local-token").read_text(encoding="utf-8").strip()
    assert token not in log
    assert "correct horse" not in log


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_secrets_are_for_the_owner_only(shared: Installation) -> None:
    for name in ("secret-key", "local-token"):
        assert (shared.data / name).stat().st_mode & 0o077 == 0
    assert shared.data.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no such bits")
def test_in_a_folder_that_was_open_to_all_what_we_make_is_the_owners_only(installation: Installation) -> None:
    installation.data.mkdir(mode=0o755)
    installation.data.chmod(0o755)
    with serving(installation, bare=True):
        made = [path for path in installation.data.rglob("*") if path.name != "lock"]
        assert len(made) > 8
        assert [path for path in made if path.stat().st_mode & 0o077] == []
