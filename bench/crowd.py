"""Many downloads at once in threads of one process, with what each of them received; their failures are the bench's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.fetch import Fetch, Wrong


class Crowd:
    """`make(number)` gives the next download of member `number`; each goes on with another one when one has ended."""

    def __init__(self, count: int, make: Callable[[int], Fetch]) -> None:
        self._make = make
        self._running: list[Fetch | None] = [None] * count
        self._done = [0] * count
        self._stopped = threading.Event()
        self._failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._go_on, args=(n,)) for n in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Cut all of them off. Raises what went wrong with any."""
        self._stopped.set()
        while any(thread.is_alive() for thread in self._threads):
            for fetch in self._running:
                if fetch is not None:
                    fetch.stop()
            time.sleep(0.05)
        if self._failures:
            raise self._failures[0]

    def received(self) -> list[int]:
        """Bytes that each has received so far."""
        now = zip(self._done, self._running, strict=True)
        return [done + (fetch.received if fetch else 0) for done, fetch in now]

    def _go_on(self, number: int) -> None:
        try:
            while not self._stopped.is_set():
                fetch = self._make(number)
                self._running[number] = fetch
                size = fetch.run().size
                self._running[number] = None
                self._done[number] += size
        except (Wrong, OSError) as error:
            if not self._stopped.is_set():
                self._failures.append(error)


@contextmanager
def crowd(count: int, make: Callable[[int], Fetch]) -> Iterator[Crowd]:
    """So many downloads, running until the end of the block."""
    members = Crowd(count, make)
    members.start()
    try:
        yield members
    finally:
        members.stop()
