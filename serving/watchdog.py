"""Cuts connections whose reader has stopped reading, which waitress never does while a response is running.

Such a reader holds a thread, a place among the downloads and a window of pieces. A connection for which
nothing is waiting, because the app itself waits for the store, is never stalled.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from serving.channel import Channel

log = logging.getLogger(__name__)


class Watchdog:
    def __init__(self, patience: float) -> None:
        """`patience` is how many seconds a reader may take nothing while something is waiting for it."""
        self._patience = patience
        self._seen: dict[Channel, tuple[int, float]] = {}
        """How much each had taken when it last took anything, and when that was seen."""

    def look(self, channels: Iterable[Channel], now: float) -> None:
        """Once in a while, on the main loop; `now` in seconds of a clock that never goes back."""
        seen = {}
        for channel in channels:
            if not channel.pending:
                continue
            taken, since = self._seen.get(channel, (-1, now))
            if channel.taken != taken:
                since = now
            if now - since >= self._patience:
                log.info("cut %s: it took nothing for %.0f s", channel.addr[0], now - since)
                channel.reset()
            else:
                seen[channel] = (channel.taken, since)
        self._seen = seen
