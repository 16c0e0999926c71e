"""The whole of Stowgram as people run it: the gateway as a process of its own, against a sandbox that can misbehave."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conftest import new_database
from tests.sandbox_process import OWN_GROUP, RunningSandbox, give_key

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT = 30.0


def free_port() -> int:
    """A port that was free a moment ago; it stays the gateway's over restarts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningGateway:
    """One data folder and one port; the process may be killed and started again."""

    def __init__(self, data: Path, sandbox: RunningSandbox | None, settings: Mapping[str, str]) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = clean_environment() | {
            "DATA_DIR": str(data),
            "PORT": str(self.port),
            "STOWGRAM_URL": self.url,
            "CHUNK_SIZE_MIB": "1",
            "STAGING_SIZE_MIB": "64",
            "SHUTDOWN_SECONDS": "2",
            "XDG_STATE_HOME": str(data.parent / "state"),
            **(telegram(sandbox) if sandbox else {}),
            **settings,
        }
        self.log = data.parent / "gateway.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def token(self) -> str:
        return (self.data / "local-token").read_text(encoding="utf-8").strip()

    def start(self, program: Sequence[str] = ("-m", "cli", "serve"), *, ready: bool = True) -> None:
        """Run it; `program` may be another way to the same command. Returns when it is ready for requests."""
        database = self.data / "stowgram.sqlite3"
        if not database.exists():
            self.data.mkdir(exist_ok=True)
            database.write_bytes(new_database())
            give_key(self.data / "sandbox")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-X", "utf8", *program],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                process_group=OWN_GROUP,
            )
        if ready:
            self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        with httpx.Client(base_url=self.url, timeout=5) as client:  # one: to make a client takes 30 ms
            while time.monotonic() < deadline:
                assert self.process is not None
                assert self.process.poll() is None, (
                    f"the gateway ended: {self.log.read_text(encoding='utf-8')[-2000:]}"
                )
                try:
                    if client.get("/readyz").status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        raise AssertionError(
            f"the gateway was not ready in time: {self.log.read_text(encoding='utf-8')[-2000:]}"
        )

    def stop(self) -> int:
        """End it as the system does, which a process started behind a shell's `&` heeds too; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def _end(self, how: int) -> int:
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(how)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise

    def client(self) -> httpx.Client:
        """Signed in as the admin. Close it."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
            follow_redirects=False,
        )

    def command(self, *words: str | Path) -> subprocess.Popen[str]:
        """`python run.py WORDS` of somebody on this host."""
        line = [sys.executable, "-X", "utf8", "-m", "cli", *map(str, words)]
        return subprocess.Popen(
            line,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def run(self, *words: str | Path, timeout: float = 60) -> str:
        """Run a command to its end; what it said. It must succeed."""
        with self.command(*words) as process:
            said, _ = process.communicate(timeout=timeout)
        assert process.returncode == 0, said
        return said


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of Stowgram."""
    ours = ("TELEGRAM_", "STOWGRAM_", "DATA_DIR", "PORT", "HOST", "ADMIN_", "CHUNK_", "STAGING_", "LOG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def telegram(sandbox: RunningSandbox) -> dict[str, str]:
    """The settings that name this sandbox as the Telegram to use, by the bots it provisioned."""
    return {
        "TELEGRAM_API_ID": str(sandbox.api_id),
        "TELEGRAM_API_HASH": sandbox.api_hash,
        "TELEGRAM_BOT_TOKENS": ",".join(sandbox.bot_tokens),
        "TELEGRAM_CHANNEL": str(sandbox.channel),
        "TELEGRAM_SERVER": sandbox.server,
        "TELEGRAM_SERVER_KEY": str(sandbox.key),
    }


@contextmanager
def running_gateway(
    folder: Path, sandbox: RunningSandbox | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[RunningGateway]:
    """A gateway with its data below `folder`, started, and stopped at the end."""
    gateway = RunningGateway(folder / "data", sandbox, settings or {})
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()
