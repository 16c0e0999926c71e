"""A sandbox in a process of its own, for any test that needs Telegram.

    with start_sandbox(tmp_path / "sandbox") as sandbox:
        sandbox.port, sandbox.bot_tokens, sandbox.channel      # where and as whom to sign in
        sandbox.control.latency(ms=80)                         # faults: see sandbox.control.Control
        sandbox.kill(); sandbox.restart()                      # a crash, and the same again on the same ports

The process ends with the `with`, and by itself if the test process dies.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.control import Control
from sandbox.provision import PRIVATE_NAME, load_key

_ROOT = Path(__file__).resolve().parent.parent
_START_TIMEOUT = 30.0
OWN_GROUP = None if sys.platform == "win32" else 0
"""`process_group` of what tests start: Ctrl-C is for whoever runs them, who then stops the rest in order."""


class RunningSandbox:
    """The process and what its ready line said."""

    dc: int
    host: str
    port: int
    key: Path
    api_id: int
    api_hash: str
    bot_tokens: list[str]
    channel: int
    phone: str
    code: str

    def __init__(self, data_dir: Path, control: bool) -> None:
        self._data_dir = data_dir
        self._with_control = control
        self._control: Control | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    @property
    def control(self) -> Control:
        """The control port's client; open it only in a sandbox started with `control=True`."""
        assert self._control is not None, "start_sandbox(..., control=True) is needed for this"
        return self._control

    @property
    def server(self) -> str:
        """The value of TELEGRAM_SERVER for this sandbox."""
        return f"{self.dc}@{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it as the command line does: its stdin ends."""
        self._close(kill=False)

    def kill(self) -> None:
        """End it as a crash does."""
        self._close(kill=True)

    def restart(self) -> None:
        """Start it again on the same data and ports, stopping it first if it runs."""
        self._close(kill=False)
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "sandbox", "--data", str(self._data_dir), "--exit-with-stdin"]
        if self._with_control:
            command.append("--control")
        self._process = subprocess.Popen(
            command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=OWN_GROUP
        )
        ready = _read_ready_line(self._process)
        for name in ("dc", "host", "port", "api_id", "api_hash", "bot_tokens", "channel", "phone", "code"):
            setattr(self, name, ready[name])
        self.key = Path(ready["key"])
        self._control = Control(self.host, ready["control"]) if self._with_control else None

    def _close(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if self._control is not None:
            self._control.close()
            self._control = None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        if kill:
            process.kill()
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()


@contextmanager
def start_sandbox(data_dir: Path, control: bool = True) -> Iterator[RunningSandbox]:
    """A sandbox on `data_dir` (made if need be) and on free ports, stopped at the end."""
    give_key(data_dir)
    running = RunningSandbox(data_dir, control)
    try:
        yield running
    finally:
        running.stop()


def give_key(data_dir: Path) -> None:
    """The folder of a sandbox that need not make a key at its first start, which would be most of it."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = data_dir / PRIVATE_NAME
    if not key.exists():
        key.touch(mode=0o600)
        key.write_bytes(_an_rsa_key())


@cache
def _an_rsa_key() -> bytes:
    """One for every sandbox of this process."""
    with tempfile.TemporaryDirectory() as folder:
        load_key(Path(folder))
        return (Path(folder) / PRIVATE_NAME).read_bytes()


def _read_ready_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    # A sandbox that hangs at start is killed, which ends the read below.
    deadline = threading.Timer(_START_TIMEOUT, process.kill)
    deadline.start()
    try:
        line = process.stdout.readline()
    finally:
        deadline.cancel()
    if not line:
        process.wait()
        raise RuntimeError(f"the sandbox ended with status {process.returncode} before it was ready")
    ready: dict[str, Any] = json.loads(line)
    return ready
