"""Three pools of threads behind one queue's interface.

A download holds its thread until its first bytes are there, and an upload while it waits for room; in one pool, a few
of them would stop every page.
"""

from __future__ import annotations

import time

from waitress.task import ThreadedTaskDispatcher

from serving.channel import Channel
from serving.routes import Lane, lane
from serving.vouching import Question

PAGE_THREADS = 8
DOWNLOAD_THREADS = 24
"""They prepare; what runs then is the pump's (pump.py)."""
UPLOAD_THREADS = 16


class Lanes:
    """What waitress takes for its task dispatcher."""

    def __init__(self) -> None:
        sizes: dict[Lane, int] = {
            "pages": PAGE_THREADS,
            "downloads": DOWNLOAD_THREADS,
            "uploads": UPLOAD_THREADS,
        }
        self._pools: dict[Lane, ThreadedTaskDispatcher] = {name: ThreadedTaskDispatcher() for name in sizes}
        for name, size in sizes.items():
            self._pools[name].set_thread_count(size)

    def add_task(self, channel: Channel) -> None:
        """Called with a request waiting in the channel, which changes lanes from one request to the next."""
        request = channel.requests[0]
        # A request that could not be parsed may have neither.
        chosen = lane(getattr(request, "command", ""), getattr(request, "path", ""))
        self._pools[chosen].add_task(channel)

    def ask(self, question: Question) -> None:
        """Have a thread for pages put it to the app."""
        self._pools["pages"].add_task(question)

    def shutdown(self, timeout: float) -> None:
        """Let every thread end within `timeout` seconds in all; those that do not are daemons."""
        deadline = time.monotonic() + timeout
        for pool in self._pools.values():
            pool.set_thread_count(0)
        for pool in self._pools.values():
            pool.shutdown(timeout=max(0.0, deadline - time.monotonic()))
