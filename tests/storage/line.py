"""A simulated line to Telegram, on which a pace is driven without waiting: latency and caps, but no bytes."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

from model import MIB
from storage.telegram.pace import Pace

HANDSHAKE = 3
"""Round trips before a new connection carries anything."""


@dataclass
class Line:
    """`latency` in seconds, caps in pieces of 1 MiB a second; `demand` is how many requests are wanted at a time."""

    latency: float
    per_connection: float = math.inf
    in_all: float = 250.0
    demand: int = 1000
    now: float = 0.0
    sent: int = 0
    answered: int = 0
    seconds: list[float] = field(default_factory=list)
    _free_at: float = 0.0
    _open_at: list[float] = field(default_factory=list)
    _lanes: list[float] = field(default_factory=list)
    _loads: list[int] = field(default_factory=list)
    _answers: list[tuple[float, int, float]] = field(default_factory=list)

    def drive(self, pace: Pace, until: float) -> None:
        """Keep as much in flight as `pace` allows, until the clock says `until`."""
        while self.now < until:
            self._ask(pace)
            if self._answers[0][0] > until:
                self.now = until
                return
            self.now, lane, sent_at = heapq.heappop(self._answers)
            self._loads[lane] -= 1
            self.answered += 1
            self.seconds.append(self.now - sent_at)
            pace.answered(self.now, "piece", MIB, self.now - sent_at, len(self._answers) + 1)

    def speed(self, pace: Pace, seconds: float) -> float:
        """Pieces a second from now on."""
        before, began = self.answered, self.now
        self.drive(pace, self.now + seconds)
        return (self.answered - before) / (self.now - began)

    def _ask(self, pace: Pace) -> None:
        while len(self._lanes) < pace.connections:
            self._lanes.append(self.now + (HANDSHAKE * self.latency if self._lanes else 0))
            self._open_at.append(self._lanes[-1])
            self._loads.append(0)
        open_lanes = [at for at in range(pace.connections) if self._open_at[at] <= self.now]
        window = max(1, pace.window * len(open_lanes) // pace.connections)
        while len(self._answers) < min(window, self.demand):
            lane = min(open_lanes, key=self._loads.__getitem__)
            # Through the line that all share, then through the connection's own.
            self._free_at = max(self._free_at, self.now) + 1 / self.in_all
            self._lanes[lane] = max(self._lanes[lane], self._free_at) + 1 / self.per_connection
            self._loads[lane] += 1
            heapq.heappush(self._answers, (self._lanes[lane] + self.latency, lane, self.now))
