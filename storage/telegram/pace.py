"""How much one account asks of Telegram at a time: a controller that learns from how long answers take.

Pure: told what happened and when, it says how many requests may be in flight over how many connections. It must never
know what is asked, or wait for anything.

With `n` requests in flight that take `s` seconds each, `n * (1 - best / s)` of them wait in a queue, where `best` is
what such a request takes on an empty line. A line is full as soon as there is a queue, and a longer one only stands
before the next stream's first piece. So the window is kept where about `QUEUE` requests wait per connection, as TCP
Vegas does (Brakmo and Peterson, 1995).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from storage.telegram.trials import Trials

FIRST_WINDOW = 8
SLOTS = 16
"""The most requests in flight per connection, as many as tdesktop has."""
QUEUE = 1.25
"""Requests per connection that should wait."""
EPOCH = 0.15
"""Seconds between two decisions, at least; and about as long as it takes to see what the last one did."""
REMEMBER = 30.0
"""Seconds for which the best time is trusted without being seen again. Then a short window looks for it anew."""
IDLE = 1.0
"""Seconds without a request after which the line may be another."""
SLOW_ANSWER = 4.0
"""Seconds; on a line where answers take longer, fewer are asked for at a time: they come too near their deadline."""
REST = 1.0
"""Seconds after a cut in which further failures say nothing new: what was in flight together fails together."""
LIFT = 2.0
"""Seconds in which the ceiling that a flood wait has left is lifted by one request."""


@dataclass(slots=True)
class _Epoch:
    """What was learned since `began`."""

    began: float
    answers: int = 0
    size: int = 0
    seconds: float = 0.0
    best: float = 0.0
    in_flight: int = 0
    queue: float = 0.0
    """The last four are sums over the answers."""

    def add(self, size: int, seconds: float, best: float, in_flight: int) -> None:
        self.answers += 1
        self.size += size
        self.seconds += seconds
        self.best += best
        self.in_flight += in_flight
        self.queue += in_flight * (1 - best / max(seconds, 1e-6))

    def mean(self, total: float) -> float:
        return total / self.answers

    @property
    def least(self) -> float:
        """Seconds that it has to last."""
        return max(EPOCH, 2 * self.mean(self.best), 0.7 * self.mean(self.seconds))

    def rate(self, now: float) -> float:
        """Bytes a second."""
        return self.size / max(now - self.began, 1e-6)


@dataclass(slots=True)
class _Best:
    seconds: float
    seen: float


class Pace:
    """`window` requests over `connections` connections, both at least 1. Times are seconds of one clock."""

    def __init__(self, most_connections: int) -> None:
        self._most = most_connections
        self._trials = Trials(most_connections)
        self._ceiling = float(SLOTS * most_connections)
        self._window = FIRST_WINDOW
        self._starting = True
        self._draining = False
        self._best: dict[Hashable, _Best] = {}
        self._epoch = _Epoch(0.0)
        self._last = -math.inf
        self._deaf_until = 0.0

    def __repr__(self) -> str:
        return f"<Pace {self.state}: {self.window} over {self.connections}>"

    @property
    def connections(self) -> int:
        return self._trials.connections

    @property
    def window(self) -> int:
        return min(self._window, self.connections) if self._draining else self._window

    @property
    def state(self) -> str:
        """`starting`, `steady`, `trying` more or fewer connections, or `draining` to look at an empty line."""
        if self._draining:
            return "draining"
        if self._trials.running:
            return "trying"
        return "starting" if self._starting else "steady"

    def answered(self, now: float, work: Hashable, size: int, seconds: float, in_flight: int) -> None:
        """An answer of `size` bytes came after `seconds`; with it, `in_flight` requests were on their way.

        Only requests of equal `work` take equally long.
        """
        if now - seconds - self._last > IDLE:
            self._begin_anew(now - seconds)
        if self._trials.settled(now):
            self._epoch = _Epoch(now)
        self._last = now
        epoch = self._epoch
        epoch.add(size, seconds, self._best_of(work, seconds, now), in_flight)
        if seconds > SLOW_ANSWER:
            self._move_to(self._window - 1, least=2)
            self._trials.put_off(now)
        if epoch.answers >= self._trials.answers and now - epoch.began >= epoch.least:
            self._judge(now, epoch)
            self._epoch = _Epoch(now)

    def flooded(self, now: float) -> None:
        """Telegram asked for a pause (FLOOD_WAIT, FLOOD_PREMIUM_WAIT)."""
        if self._cut(now):
            self._move_to(self._window // 2)
            self._ceiling = float(self._window)

    def failed(self, now: float) -> None:
        """An answer did not come in time, or its connection was lost."""
        if self._cut(now):
            self._move_to(self._window - 1)

    def _begin_anew(self, now: float) -> None:
        """Nothing was asked for a while, and the line may be another by now. What is open stays open."""
        self._starting, self._draining = True, False
        self._move_to(min(self._window, max(FIRST_WINDOW, 2 * self.connections)))
        self._best.clear()
        self._epoch = _Epoch(now)
        self._trials.begin_anew(now)

    def _cut(self, now: float) -> bool:
        """Take a connection away, unless this is the same trouble still."""
        if now < self._deaf_until:
            return False
        self._deaf_until = now + REST
        self._starting = self._draining = False
        self._trials.cut(now)
        self._epoch = _Epoch(now)
        return True

    def _best_of(self, work: Hashable, seconds: float, now: float) -> float:
        best = self._best.get(work)
        if best is None or seconds < best.seconds:
            best = self._best[work] = _Best(seconds, now)
        elif seconds < 1.1 * best.seconds:
            best.seen = now
        return best.seconds

    def _judge(self, now: float, epoch: _Epoch) -> None:
        self._ceiling = min(float(SLOTS * self._most), self._ceiling + (now - epoch.began) / LIFT)
        if self._draining:
            self._draining = False
            return
        if any(now - best.seen > REMEMBER for best in self._best.values()):
            self._draining = True
            self._best.clear()
            return
        in_flight = epoch.mean(epoch.in_flight)
        self._resize(in_flight, epoch.mean(epoch.queue))
        # Only while there is something for each of them to carry.
        if not self._starting and in_flight > 1.5 * self.connections:
            before = self.connections
            self._trials.judge(now, epoch.rate(now), epoch.mean(epoch.seconds))
            self._move_to(self._window * max(self.connections, before) // before)

    def _resize(self, in_flight: float, queue: float) -> None:
        """Move the window half the way to where the queue should be; double it at the start."""
        step = round((QUEUE * self.connections - queue) / 2)
        if self._starting and queue < QUEUE * self.connections / 2:
            step = self._window
        else:
            self._starting = False
        if step < 0:
            self._move_to(self._window + step, least=self.connections)
        elif in_flight > 0.7 * self._window:  # else it is not the window that holds things up
            self._move_to(self._window + step)
        if self._window >= SLOTS * self.connections:
            self._starting = False

    def _move_to(self, window: int, least: int = 1) -> None:
        highest = max(1, min(SLOTS * self.connections, int(self._ceiling)))
        self._window = max(1, min(highest, max(least, window)))
