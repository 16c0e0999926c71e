"""The process: where it listens, what it keeps, how it ends."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from telethon import password
from telethon.tl import types

from sandbox.api import srp
from sandbox.bodies import SLOT, Bodies, UploadRefused
from sandbox.provision import load_application, load_key, load_secret
from tests.sandbox_process import start_sandbox

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sandbox", "--data", str(folder), *options]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_another_host_than_loopback_is_refused(tmp_path: Path) -> None:
    with start(tmp_path, "--host", "0.0.0.0") as process:
        _, complaint = process.communicate(timeout=30)
    assert process.returncode == 2
    assert b"loopback" in complaint


def test_a_second_sandbox_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with start_sandbox(tmp_path), start(tmp_path) as second:
        _, complaint = second.communicate(timeout=30)
    assert second.returncode == 1
    assert b"another sandbox" in complaint


def test_it_ends_when_its_stdin_does(tmp_path: Path) -> None:
    with start(tmp_path, "--exit-with-stdin") as process:
        assert process.stdin is not None and process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        process.stdin.close()
        assert process.wait(timeout=10) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with start(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


def test_its_ports_stay_the_same_and_give_way_when_taken(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as running:
        port = running.port
        running.restart()
        assert running.port == port
    with socket.create_server(("127.0.0.1", port)), start_sandbox(tmp_path) as running:
        assert running.port != port


def test_noise_on_a_port_closes_that_connection_only(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as running:
        for noise in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\xef\x01abcd",
            b"\xee" * 4 + b"\x50\0\0\0" + bytes(range(80)),
        ):
            with socket.create_connection((running.host, running.port), timeout=10) as connection:
                connection.sendall(noise)
                # Nothing, or the 4 bytes of a transport error; then the end.
                assert len(connection.recv(100)) <= 9
        assert running.control.stats()["messages"] == 0


def test_keys_and_secrets_are_made_once(tmp_path: Path) -> None:
    assert load_key(tmp_path) == load_key(tmp_path)
    assert load_secret(tmp_path) == load_secret(tmp_path)
    assert load_application(tmp_path) == load_application(tmp_path)
    assert load_key(tmp_path).n.bit_length() == 2048


@pytest.mark.parametrize("tried", ["right", "wrong"])
def test_the_password_check_agrees_with_telethon(tried: str) -> None:
    asked = srp.challenge("right")
    shown = types.account.Password(
        new_algo=None,
        new_secure_algo=None,
        secure_random=b"",
        current_algo=srp.algorithm(),
        srp_B=asked.public,
        srp_id=1,
    )
    answer = password.compute_check(shown, tried)
    assert srp.is_correct("right", asked, answer.A, answer.M1) == (tried == "right")


def test_parts_make_a_document_in_whatever_order_they_come(tmp_path: Path) -> None:
    bodies = Bodies(tmp_path)
    parts = [bytes([number]) * (SLOT // 4) for number in range(5)] + [b"tail"]
    for number in (5, 2, 0, 4, 1, 3, 2):
        bodies.save_part(1, 7, number, None, parts[number])
    upload, size = bodies.take(1, 7, 6, False)
    bodies.keep(9, upload, size, hashlib.md5(b"".join(parts)).hexdigest())
    assert bodies.read(9, 0, size + 1) == b"".join(parts)
    assert bodies.stored() == {9}
    bodies.delete(9)
    bodies.delete(9)
    assert not bodies.stored()
    bodies.close()


def test_parts_that_nobody_uses_expire(tmp_path: Path) -> None:
    bodies = Bodies(tmp_path)
    bodies.save_part(1, 7, 0, None, b"forgotten")
    bodies.expire_uploads(lifetime=60)
    assert len(list((tmp_path / "uploads").iterdir())) == 1
    bodies.expire_uploads(lifetime=-1)
    assert not list((tmp_path / "uploads").iterdir())
    with pytest.raises(UploadRefused, match="FILE_PART_0_MISSING"):
        bodies.take(1, 7, 1, False)
    bodies.close()
