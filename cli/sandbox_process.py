"""The embedded sandbox as a process of its own: started, waited for, brought back when it dies, stopped.

It knows the sandbox's command line and ready line (docs/sandbox.md), and nothing of what the sandbox does.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import IO, Any

from config import ROOT, TelegramSettings
from errors import Permanent, StoreError

log = logging.getLogger(__name__)

START_PATIENCE = 30.0
"""Seconds until its ready line: a first start makes an RSA key and accounts."""
STOP_PATIENCE = 5.0
"""Seconds that it gets to end by itself."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries to bring it back."""
STEADY = 60.0
"""Seconds after which a process that ends is taken to have worked, so that it is brought back at once."""
LOG_SIZE, LOG_COPIES = 1 << 20, 3


class SandboxProcess:
    """Runs `python -m sandbox` on `data`, its stderr in `log_file`. `start`, and `stop` when all is over."""

    def __init__(self, data: Path, log_file: Path) -> None:
        self._data = data
        self._log_file = log_file
        self._pumps: list[Thread] = []
        self._stopping = Event()
        self._process: subprocess.Popen[str] | None = None
        self._ready: dict[str, Any] = {}
        self._log = logging.Logger("sandbox process", logging.INFO)  # on its own: it propagates nowhere
        self._watcher = Thread(target=self._watch, name="sandbox watcher", daemon=True)

    def __repr__(self) -> str:
        pid = self._process.pid if self._process else None
        return f"<SandboxProcess {'stopping' if self._stopping.is_set() else 'running'}, pid {pid}>"

    def start(self) -> TelegramSettings:
        """Start it, and keep it running from now on; how to reach it. Raises Permanent when it will not start."""
        self._log.addHandler(_rotating(self._log_file))
        ready = self._ready = self._launch()
        self._watcher.start()
        return TelegramSettings(
            api_id=int(ready["api_id"]),
            api_hash=str(ready["api_hash"]),
            channel=str(ready["channel"]),
            bot_tokens=tuple(ready["bot_tokens"]),
            server=(int(ready["dc"]), str(ready["host"]), int(ready["port"])),
            server_key=Path(ready["key"]),
        )

    def stop(self) -> None:
        """End it, within about twice STOP_PATIENCE. Also after a `start` that failed."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            assert process.stdin is not None
            if not self._ready:
                process.kill()  # it holds nothing yet, and hears nothing while it makes its key
            try:
                process.stdin.close()  # the end of its input is its sign to stop
            except OSError:  # it was quicker
                pass
            try:
                process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                log.warning("the sandbox did not stop by itself and was killed")
                process.kill()
                process.wait(STOP_PATIENCE)
        if self._watcher.is_alive():
            self._watcher.join(STOP_PATIENCE)
        for pump in self._pumps:
            pump.join(1.0)
        for handler in self._log.handlers:
            handler.close()

    def _launch(self) -> dict[str, Any]:
        """One process; its ready line."""
        command = [
            sys.executable,
            "-X",
            "utf8",
            "-m",
            "sandbox",
            "--data",
            str(self._data),
            "--exit-with-stdin",
        ]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            **_apart(),
        )
        self._process = process
        assert process.stdout is not None and process.stderr is not None
        first_line: Future[str] = Future()
        self._pumps = [
            _log_lines(process.stderr, self._log),
            _log_lines(process.stdout, self._log, first_line),
        ]
        try:
            ready = json.loads(first_line.result(START_PATIENCE))
        except (TimeoutError, json.JSONDecodeError):
            process.kill()
            process.wait(STOP_PATIENCE)
            raise Permanent(f"The sandbox did not start; {self._log_file} tells why.") from None
        assert isinstance(ready, dict)
        return ready

    def _watch(self) -> None:
        """Bring it back whenever it ends."""
        pause = 0.5
        while True:
            assert self._process is not None
            started = monotonic()
            code = self._process.wait()
            if self._stopping.is_set():
                return
            if monotonic() - started > STEADY:
                pause = 0.5
            log.error("the sandbox ended with code %s; starting it again in %.1f s", code, pause)
            while not self._stopping.wait(pause):
                pause = min(2 * pause, LONGEST_PAUSE)
                if self._brought_back():
                    break
            else:
                return

    def _brought_back(self) -> bool:
        try:
            ready = self._launch()
        except StoreError as error:
            log.error("%s", error)
            return False
        if ready["port"] != self._ready["port"]:
            log.error("the sandbox has another port than before; start Stowgram again to reach it")
        log.info("the sandbox is back")
        return True


def _apart() -> dict[str, Any]:
    """Ctrl-C and the end of the console reach the whole family at once; the sandbox has to outlive the gateway."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    else:  # noqa: RET505  mypy tells the platforms apart by the branches
        return {"start_new_session": True}


def _log_lines(stream: IO[str], logger: logging.Logger, first: Future[str] | None = None) -> Thread:
    """Log every line from now on, so that the process never waits for somebody to read it.

    The first line goes to `first` instead, if that is given; "" when there is none. Reading is always this thread's, a
    daemon: an interrupt, which may come anywhere in a start, leaves nothing that the end of the program waits for.
    """

    def pump() -> None:
        with stream:
            if first is not None:
                first.set_result(stream.readline())
            for line in stream:
                logger.info("%s", line.rstrip())

    thread = Thread(target=pump, name="sandbox output", daemon=True)
    thread.start()
    return thread


def _rotating(path: Path) -> logging.Handler:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, "a", LOG_SIZE, LOG_COPIES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    return handler
