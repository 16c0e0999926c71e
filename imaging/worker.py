"""A process that makes pictures small, from our side. It must never know where they come from, or where they go."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
"""Seconds that one picture may take, with the time in which its bytes come."""
MOST_RESULT = 4 << 20
"""Bytes of a small picture."""
PICTURES = 200
"""After which the process is replaced: whatever one of them did to it ends then."""
END_PATIENCE = 5.0


class Worker:
    """Starts its process when there is work, and another one after it was ended. One thread at a time."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._used_at = monotonic()

    def __repr__(self) -> str:
        return f"<Worker {'at rest' if self._process is None else f'pid {self._process.pid}'}, made {self._made}>"

    def shrink(self, blocks: Iterable[bytes], size: int, edge: int) -> bytes:
        """WebP of at most `edge` pixels a side, from `size` bytes in blocks; nothing when there can be none.

        Raises what `blocks` raises, and OSError when no process can be started.
        """
        process = self._running()
        try:
            found = self._done(process, blocks, size, edge)
        except BaseException:
            self.close()  # it waits for bytes that will not come
            raise
        self._made += 1
        if found is None or self._made == PICTURES:
            self.close()
        self._used_at = monotonic()
        return found or b""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it was ended while it had nothing to do
        if self._process is None:
            command = [sys.executable, "-X", "utf8", "-m", "imaging"]
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **_apart()
            )
            self._made = 0
        return self._process

    def _done(
        self, process: subprocess.Popen[bytes], blocks: Iterable[bytes], size: int, edge: int
    ) -> bytes | None:
        """What it answers; None when it died of the picture, or is not itself any more."""
        assert process.stdin is not None and process.stdout is not None
        killer = Timer(self._patience, process.kill)  # a pipe has no deadline of its own everywhere
        killer.start()
        try:
            for part in chain((b"%d %d\n" % (edge, size),), blocks):
                if not _handed(part, process.stdin):
                    return None
            return _answer(process.stdout)
        finally:
            killer.cancel()

    def rest(self, seconds: float) -> None:
        """End the process when it has had nothing to do for so long."""
        if monotonic() - self._used_at > seconds:
            self.close()

    def close(self) -> None:
        """End the process, whatever it does. It holds nothing that could be lost."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate(timeout=END_PATIENCE)


def _handed(part: bytes, pipe: IO[bytes]) -> bool:
    """Whether it went. A dead reader is EPIPE, and EINVAL on Windows; what the parts' maker raises is another thing."""
    try:
        pipe.write(part)
        pipe.flush()
    except OSError:
        return False
    return True


def _answer(pipe: IO[bytes]) -> bytes | None:
    try:
        length = int(pipe.readline(16))
    except ValueError:  # nothing, or nothing that is an answer
        return None
    found = pipe.read(min(length, MOST_RESULT))
    return found if len(found) == length else None


def _apart() -> dict[str, Any]:
    """Behind everything else in line for a processor; and Ctrl-C is for the gateway, which ends it."""
    if sys.platform == "win32":
        below = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | below}
    else:  # noqa: RET505  mypy tells the platforms apart by the branches
        return {"start_new_session": True}
