"""How the system asks a process to stop, on POSIX and on Windows, turned into one call."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

CLOSE_PATIENCE = 4.5
"""Seconds: Windows ends a process 5 s after its console was closed, done or not."""
CLOSE_GRACE = 1.5
"""Seconds of these that what is running may take to end by itself; then we ask a second time, which means at once."""


class Interrupts:
    """While nobody wants to be told, an interrupt is a KeyboardInterrupt on the main thread; after `tell`, a call."""

    def __init__(self) -> None:
        self._call: Callable[[], None] | None = None
        self._came = False
        self._over = Event()

    def tell(self, call: Callable[[], None]) -> None:
        """From now on an interrupt is `call`. An earlier one counts: Python drops what is raised in a finalizer."""
        self._call = call
        if self._came:
            call()

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        if self._call is None:
            raise KeyboardInterrupt
        self._call()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch Ctrl-C, Ctrl-Break, SIGTERM, the end of the terminal and of the console, until the block ends."""
        wanted = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")]
        numbers = [number for number in wanted if number is not None and not _nohup(number)]
        before = {number: signal.signal(number, self._arrived) for number in numbers}
        try:
            with _console_close(self._console_closed):
                yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._over.set()

    def _console_closed(self) -> None:
        """On a thread of Windows: when this returns, the process is ended. So wait for the main thread."""
        if self._call is not None:
            self._call()
            if not self._over.wait(CLOSE_GRACE):
                self._call()
                self._over.wait(CLOSE_PATIENCE - CLOSE_GRACE)


def _nohup(number: signal.Signals) -> bool:
    """Whether the end of the terminal is ignored already, as nohup has it, and is to stay so.

    An ignored SIGINT is not meant like that: every script's `&` ignores it, and `kill -INT` still has to work.
    """
    return number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    # https://learn.microsoft.com/windows/console/handlerroutine: close 2, log-off 5, shutdown 6. Python's own handler
    # turns the others into signals.
    _ENDS = (2, 5, 6)

    @contextmanager
    def _console_close(closed: Callable[[], None]) -> Iterator[None]:
        def on_event(event: int) -> bool:
            if event in _ENDS:
                closed()
                return True
            return False

        routine = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(on_event)
        ctypes.windll.kernel32.SetConsoleCtrlHandler(routine, True)
        try:
            yield
        finally:
            ctypes.windll.kernel32.SetConsoleCtrlHandler(routine, False)
else:

    @contextmanager
    def _console_close(closed: Callable[[], None]) -> Iterator[None]:
        yield
