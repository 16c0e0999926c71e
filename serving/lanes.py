"""Three pools of threads behind one queue's interface.

A download holds its thread for its whole life, and an upload while it waits for room; in one pool, a few of
them would stop every page.
"""

from __future__ import annotations

import time

from waitress.task import ThreadedTaskDispatcher

from serving.channel import Channel
from serving.routes import Lane, lane

PAGE_THREADS = 8
UPLOAD_THREADS = 16
SPARE_DOWNLOAD_THREADS = 8
"""Beyond the downloads that are admitted: they answer HEAD, 304, and 503 to those that are not."""


class Lanes:
    """What waitress takes for its task dispatcher."""

    def __init__(self, downloads: int) -> None:
        """`downloads` is how many the app admits at a time."""
        sizes: dict[Lane, int] = {
            "pages": PAGE_THREADS,
            "downloads": downloads + SPARE_DOWNLOAD_THREADS,
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

    def shutdown(self, timeout: float) -> None:
        """Let every thread end within `timeout` seconds in all; those that do not are daemons."""
        deadline = time.monotonic() + timeout
        for pool in self._pools.values():
            pool.set_thread_count(0)
        for pool in self._pools.values():
            pool.shutdown(timeout=max(0.0, deadline - time.monotonic()))
