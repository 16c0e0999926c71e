"""Stowgram as people run it: a process started by run.py, its sandbox beside it, and commands against both."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from tests.sandbox_process import give_key

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's `&` has what it starts ignore Ctrl-C, and all that these start in turn; here some have to hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60.0
"""Seconds until something has started or ended; generous, since tests share the machine."""


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


class Installation:
    """A data folder, and commands run on it by run.py with an environment that says nothing else."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TELEGRAM_", "STOWGRAM_"))}
        self.environ = kept | {
            "DATA_DIR": str(self.data),
            "PORT": "0",
            "XDG_STATE_HOME": str(folder / "state"),
        }
        self.environ |= settings

    def start(self, *command: str, log: IO[bytes] | None = None) -> subprocess.Popen[str]:
        """The command as a process in a group of its own, as a shell would start it; `log` gets what it logs."""
        return subprocess.Popen(
            [sys.executable, "-X", "utf8", str(ROOT / "run.py"), *command],
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log or subprocess.PIPE,
            encoding="utf-8",
            start_new_session=sys.platform != "win32",
        )

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        process = self.start(*command)
        try:
            out, err = process.communicate(stdin, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def ok(self, *command: str, stdin: str = "") -> str:
        """What the command prints; it has to succeed."""
        done = self.run(*command, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Serving:
    """`run.py` without a command, running."""

    def __init__(self, installation: Installation) -> None:
        self._log = installation.folder / "serve.log"
        with self._log.open("wb") as log:  # a pipe that nobody empties would stop the server once it is full
            self.process = installation.start(log=log)
        self.greeting = self._greeting()
        match = re.search(r"http://\S+", self.greeting)
        assert match, self.greeting
        self.url = match[0]
        installation.environ["STOWGRAM_URL"] = self.url

    def _greeting(self) -> str:
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                return "".join(lines)
        pytest.fail(self._log.read_text(encoding="utf-8"))

    @property
    def sandbox(self) -> psutil.Process:
        children = psutil.Process(self.process.pid).children(recursive=True)
        (sandbox,) = [child for child in children if "sandbox" in child.cmdline()]
        return sandbox

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Stop it; its exit code and what it logged."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for it to end; its exit code and what it logged."""
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, self._log.read_text(encoding="utf-8")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


@contextmanager
def serving(installation: Installation, *, bare: bool = False) -> Iterator[Serving]:
    """A `bare` one makes all that it needs by itself; any other is given the key of its sandbox."""
    if not bare:
        installation.data.mkdir(exist_ok=True, mode=0o700)
        give_key(installation.data / "sandbox")
    running = Serving(installation)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that serves while the tests of a module run, all of it made by itself."""
    installation = Installation(tmp_path_factory.mktemp("shared"))
    with serving(installation, bare=True):
        yield installation
