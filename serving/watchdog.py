"""Cuts connections on which nothing moves, which waitress never does: readers that have stopped reading while a
response is running, and requests that never finish arriving.

Both hold what others need: a thread, a place among the downloads, a window of pieces, room in the spool. A connection
for which nothing is waiting, because the app itself waits for the store, is never stalled.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from serving.channel import Channel

log = logging.getLogger(__name__)

HEADERS_WITHIN = 30.0
"""Seconds from the first byte of a request until its headers must be complete."""
BODY_INTERVAL = 30.0
"""Seconds over which the speed of an arriving body is looked at."""
LEAST_BODY = 30 << 10
"""Bytes of a body that must arrive in each of these intervals: 1 KiB/s, which every line that is alive can do."""

_Mark = tuple[int, float]
"""How many bytes had moved, and when that was seen."""


class Watchdog:
    def __init__(self, patience: float) -> None:
        """`patience` is how many seconds a reader may take nothing while something is waiting for it."""
        self._patience = patience
        self._reading: dict[Channel, _Mark] = {}
        self._arriving: dict[Channel, _Mark] = {}

    def look(self, channels: Iterable[Channel], now: float) -> None:
        """Once in a while, on the main loop; `now` in seconds of a clock that never goes back."""
        reading, arriving = {}, {}
        for channel in channels:
            if channel.pending:
                mark = reading[channel] = self._took(channel, now)
                if now - mark[1] >= self._patience:
                    _cut(channel, f"it took nothing for {now - mark[1]:.0f} s")
            elif channel.arrived is not None:
                mark = arriving[channel] = self._brought(channel, channel.arrived, now)
                if now - mark[1] >= (BODY_INTERVAL if channel.arrived else HEADERS_WITHIN):
                    _cut(channel, "its request does not arrive")
        self._reading, self._arriving = reading, arriving

    def _took(self, channel: Channel, now: float) -> _Mark:
        taken, since = self._reading.get(channel, (channel.taken, now))
        return (channel.taken, now) if channel.taken != taken else (taken, since)

    def _brought(self, channel: Channel, arrived: int, now: float) -> _Mark:
        """The mark moves on with each LEAST_BODY; a new request, which begins at 0, has a new one."""
        there, since = self._arriving.get(channel, (arrived, now))
        moved = arrived < there or arrived - there >= LEAST_BODY or (arrived > 0 and there == 0)
        return (arrived, now) if moved else (there, since)


def _cut(channel: Channel, why: str) -> None:
    log.info("cut %s: %s", channel.addr[0], why)
    channel.reset()
