"""Every command, against a server that runs: what it prints, what it exits with, what it leaves behind."""

from __future__ import annotations

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import httpx
import pytest

from model import MIB
from tests.cli.conftest import ROOT, Installation, until

pytestmark = pytest.mark.slow


@pytest.fixture
def here(shared: Installation, tmp_path: Path) -> Installation:
    """The shared server, asked from a folder of the test's own."""
    mine = Installation(shared.folder)
    mine.environ = shared.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    mine.folder = tmp_path
    return mine


def test_bad_settings_are_all_told_and_nothing_is_made(installation: Installation) -> None:
    installation.environ |= {
        "TELEGRAM_API_ID": "12",
        "TELEGRAM_SESSION": "1verysecret",
        "CHUNK_SIZE_MIB": "x",
    }
    refused = installation.run()
    assert refused.returncode == 2
    for name in ("TELEGRAM_API_HASH", "TELEGRAM_CHANNEL", "CHUNK_SIZE_MIB"):
        assert name in refused.stderr
    assert "1verysecret" not in refused.stderr
    assert not installation.data.exists()


def test_files_go_in_and_come_out(here: Installation) -> None:
    for size in (0, 1, MIB + 1, 9 * MIB):
        name = f"ä {size}.bin"
        (here.folder / name).write_bytes(os.urandom(size))
        here.ok("put", name, f"/files/{name}")
        here.ok("get", f"/files/{name}", "back")
        assert (here.folder / "back").read_bytes() == (here.folder / name).read_bytes()
    listed = here.ok("ls", "/files")
    assert "ä 1.bin" in listed
    assert str(9 * MIB) in listed
    here.ok("rm", "/files")
    gone = here.run("ls", "/files")
    assert (gone.returncode, gone.stderr) == (1, "stowgram: There is nothing at /files.\n")


def test_a_folder_goes_in_and_comes_out_with_a_count(here: Installation) -> None:
    for number in range(12):
        path = here.folder / "tree" / str(number % 3) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * number, encoding="utf-8")
    assert here.ok("put", "tree", "/one/") == "12 sent, 0 there already, 0 failed\n"
    assert here.ok("put", "tree", "/one/") == "0 sent, 12 there already, 0 failed\n"
    assert here.ok("get", "/one/tree", "copy") == "12 got, 0 there already, 0 failed\n"
    assert {p.relative_to(here.folder / "copy") for p in (here.folder / "copy").rglob("*")} == {
        p.relative_to(here.folder / "tree") for p in (here.folder / "tree").rglob("*")
    }


def test_several_go_into_a_folder_and_one_that_fails_stops_no_other(here: Installation) -> None:
    for name in ("a", "b"):
        (here.folder / name).write_text(name, encoding="utf-8")
    done = here.run("put", "a", "missing", "b", "/several")
    assert done.returncode == 1
    assert "failed: missing" in done.stderr
    assert "2 sent, 0 there already, 1 failed" in done.stdout
    assert here.ok("ls", "/several").split()[-1] == "b"


def test_a_killed_put_goes_on_when_it_is_repeated(here: Installation) -> None:
    (here.folder / "large").write_bytes(os.urandom(48 * MIB))
    first = here.start("put", "large", "/large")
    until(lambda: any((here.folder / "state").rglob("*.json")))
    time.sleep(0.2)
    first.kill()
    first.communicate()
    here.ok("put", "large", "/large")
    here.ok("get", "/large", "back")
    assert (here.folder / "back").read_bytes() == (here.folder / "large").read_bytes()
    assert not any((here.folder / "state").rglob("*.json"))


def test_a_killed_get_goes_on_when_it_is_repeated(here: Installation) -> None:
    (here.folder / "large").write_bytes(os.urandom(48 * MIB))
    here.ok("put", "large", "/large2")
    first = here.start("get", "/large2", "back")
    until(lambda: (here.folder / "back.stowgram.part").exists() or first.poll() is not None)
    first.kill()
    first.communicate()
    here.ok("get", "/large2", "back")
    assert (here.folder / "back").read_bytes() == (here.folder / "large").read_bytes()
    assert [p.name for p in here.folder.glob("back*")] == ["back"]


def test_a_folder_is_got_as_a_zip(here: Installation) -> None:
    (here.folder / "album").mkdir()
    for name in ("one", "zwei ü"):
        (here.folder / "album" / name).write_bytes(os.urandom(2 * MIB))
    here.ok("put", "album", "/zipped/album")
    here.ok("zip", "/zipped/album")
    with zipfile.ZipFile(here.folder / "album.zip") as archive:
        assert archive.read("zwei ü") == (here.folder / "album" / "zwei ü").read_bytes()
    here.ok("zip", "/zipped", "out/")
    assert (here.folder / "out" / "zipped.zip").is_file()
    refused = here.run("zip", "/zipped/album/one")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)


def test_a_place_that_cannot_be_written_is_told_in_one_line(here: Installation) -> None:
    (here.folder / "no folder").write_bytes(b"")
    (here.folder / "taken.zip").mkdir()
    (here.folder / "taken.zip" / "a.zip").mkdir()
    here.ok("put", "no folder", "/a/file")
    for goal in ("no folder/a.zip", "taken.zip"):
        refused = here.run("zip", "/a", goal)
        assert refused.returncode == 1
        (said,) = [line for line in refused.stderr.splitlines() if "cannot be written" in line]
        assert said.startswith("stowgram: ") and "Traceback" not in refused.stderr
    refused = here.run("get", "/a/file", "no folder/file")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


def test_a_link_is_made_listed_used_and_ended(here: Installation) -> None:
    (here.folder / "photo").write_bytes(b"cheese")
    (here.folder / "secret").write_text("open sesame\nnot this\n", encoding="utf-8")
    here.ok("put", "photo", "/shared/photo")
    link = here.ok(
        "share", "/shared", "--password-file", "secret", "--expires", "7d", "--max-downloads", "3",
        "--rate", "500", "--connections", "4",
    ).strip()  # fmt: skip
    public = link.replace("/share/", "/api/share/") + "/download-all"
    assert httpx.get(public).status_code == 401
    assert httpx.get(public, auth=("", "open sesame")).content.startswith(b"PK")
    (line,) = here.ok("share", "--list", "/shared").splitlines()
    assert line.split()[0] == "active"
    assert line.split()[1].endswith("/3")
    assert line.endswith(f"password  {link}  /shared")
    here.ok("unshare", link)
    assert here.ok("share", "--list", "/shared") == ""
    assert httpx.get(public, auth=("", "open sesame")).status_code == 404
    assert here.run("unshare", link).returncode == 1
    assert here.run("share", "/shared", "--expires", "soon").stderr.startswith("stowgram: 'soon' is no time")


def test_errors_are_one_line_and_an_exit_code(here: Installation) -> None:
    for command in (
        ("get", "/nothing"),
        ("rm", "/"),
        ("ls", "no-slash"),
        ("ls", "--token", "stw_wrong"),
        ("ls", "--url", "localhost:5000"),
        ("ls", "--url", "http://127.0.0.1:9", "--token", "x"),
    ):
        failed = here.run(*command)
        assert failed.returncode == 1, command
        assert failed.stderr.startswith("stowgram: ")
        assert failed.stderr.count("\n") == 1, failed.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_this_hosts_token_goes_to_no_other_host(here: Installation) -> None:
    with socket.create_server(("127.0.0.2", 0)) as other:
        command = here.start("ls", "--url", f"http://127.0.0.2:{other.getsockname()[1]}")
        connection, _ = other.accept()
        with connection:
            request = connection.recv(65536).lower()
            connection.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        _, err = command.communicate()
    assert b"authorization" not in request
    assert "--token" in err


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_says_that_it_can_go_on(here: Installation) -> None:
    with (here.folder / "large").open("wb") as file:
        file.truncate(256 << 20)
    command = here.start("put", "large", "/interrupted")
    until(lambda: any((here.data / "staging").iterdir()))
    command.send_signal(signal.SIGINT)
    _, err = command.communicate()
    assert (command.returncode, err) == (
        130,
        "stowgram: Stopped. The same command goes on where this one was.\n",
    )
    assert here.run("ls", "/interrupted").returncode == 1
    here.ok("put", "large", "/interrupted")
    assert " interrupted\n" in here.ok("ls")


def test_users_and_tokens_are_kept(here: Installation) -> None:
    here.ok("user", "add", "Zoë", stdin="battery staple\n")
    assert "Zoë" in here.ok("user", "list")
    secret = here.ok("token", "add", "laptop", "--user", "Zoë").strip()
    assert here.ok("ls", "--token", secret) == ""
    listed = here.ok("token", "list", "--user", "Zoë")
    assert "laptop" in listed
    assert secret not in listed
    here.ok("token", "revoke", listed.split()[0], "--user", "Zoë")
    assert here.run("ls", "--token", secret).returncode == 1
    here.ok("user", "passwd", "Zoë", stdin="another staple\n")
    assert "8 to 1024" in here.run("user", "passwd", "Zoë", stdin="short\n").stderr
    here.ok("user", "remove", "Zoë")
    assert "Zoë" not in here.ok("user", "list")


def test_an_old_python_is_refused_in_one_line() -> None:
    source = (ROOT / "run.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 18); sys.version = '3.9.18 (main)';"
        f"runpy.run_path({str(ROOT / 'run.py')!r}, run_name='__main__')"
    )
    refused = subprocess.run(
        [sys.executable, "-c", pretend], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert refused.returncode == 1
    assert refused.stderr == "stowgram: This is Python 3.9.18; run it with Python 3.11 or newer.\n"


def test_arguments_pass_through_to_the_sandbox_and_to_pytest(installation: Installation) -> None:
    assert "--data" in installation.ok("sandbox", "--help")
    assert installation.ok("test", "--version", "-n", "0").startswith("pytest")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_sandbox_on_its_own_ends_with_the_command_that_ran_it(installation: Installation) -> None:
    with installation.start("sandbox", "--data", str(installation.folder / "sandbox")) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        process.terminate()
        assert process.wait(10) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
