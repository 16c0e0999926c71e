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

FIRST_WINDOW = 8
FIRST_CONNECTIONS = 2
SLOTS = 16
"""The most requests in flight per connection, as many as tdesktop has."""
QUEUE = 1.5
"""Requests per connection that should wait."""
EPOCH = 0.15
"""Seconds between two decisions, at least; and about as long as it takes to see what the last one did."""
ANSWERS = 2
"""Answers over each connection that a decision needs, at least."""
GAIN = 0.25
"""The part of the growth that more connections promised which they have to bring: a fourth more for twice as many."""
CHANCES = 2
"""Epochs in which they may bring it."""
PATIENCE, PATIENCE_MOST = 5.0, 120.0
"""Seconds before connections that did not help are tried again; doubles each time that they do not."""
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


@dataclass(slots=True)
class _Trial:
    """More connections, on trial: `before` was how many there were, `rate` what they brought in bytes a second."""

    before: int
    rate: float
    settles_at: float
    """Until then they are being opened, or have to wait for what queues on the others."""
    settled: bool = False
    chances: int = CHANCES


class Pace:
    """`window` requests over `connections` connections, both at least 1. Times are seconds of one clock."""

    def __init__(self, most_connections: int) -> None:
        self._most = most_connections
        self.connections = min(FIRST_CONNECTIONS, most_connections)
        self._ceiling = float(SLOTS * most_connections)
        self._window = FIRST_WINDOW
        self._starting = True
        self._draining = False
        self._best: dict[Hashable, _Best] = {}
        self._epoch = _Epoch(0.0)
        self._last = -math.inf
        self._trial: _Trial | None = None
        self._patience = PATIENCE
        self._try_at = 0.0
        self._deaf_until = 0.0

    def __repr__(self) -> str:
        return f"<Pace {self.state}: {self.window} over {self.connections}>"

    @property
    def window(self) -> int:
        return min(self._window, self.connections) if self._draining else self._window

    @property
    def state(self) -> str:
        """`starting`, `steady`, `trying` more connections, or `draining` to look at an empty line."""
        if self._draining:
            return "draining"
        if self._trial is not None:
            return "trying"
        return "starting" if self._starting else "steady"

    def answered(self, now: float, work: Hashable, size: int, seconds: float, in_flight: int) -> None:
        """An answer of `size` bytes came after `seconds`; with it, `in_flight` requests were on their way.

        Only requests of equal `work` take equally long.
        """
        if now - seconds - self._last > IDLE:
            self._begin_anew(now - seconds)
        if self._trial is not None and not self._trial.settled and now >= self._trial.settles_at:
            self._trial.settled = True
            self._epoch = _Epoch(now)
        self._last = now
        epoch = self._epoch
        epoch.add(size, seconds, self._best_of(work, seconds, now), in_flight)
        if seconds > SLOW_ANSWER:
            self._move_to(self._window - 1, least=2)
            self._try_at = max(self._try_at, now + self._patience)
        if epoch.answers >= ANSWERS * self.connections and now - epoch.began >= epoch.least:
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
        self._starting, self._draining, self._trial = True, False, None
        self._move_to(min(self._window, max(FIRST_WINDOW, 2 * self.connections)))
        self._best.clear()
        self._epoch = _Epoch(now)
        self._patience, self._try_at = PATIENCE, min(self._try_at, now + PATIENCE)

    def _cut(self, now: float) -> bool:
        """Take a connection away, unless this is the same trouble still."""
        if now < self._deaf_until:
            return False
        self._deaf_until = now + REST
        self._starting = self._draining = False
        self._end_trial(now)
        self.connections = max(1, self.connections - 1)
        self._try_at = max(self._try_at, now + self._patience)
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
        if self._trial is not None:
            self._judge_trial(now, epoch, self._trial)
        # More connections can only help where there is something for each of them to carry.
        elif now >= self._try_at and not self._starting and in_flight > 1.5 * self.connections:
            self._try_more(now, epoch)

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

    def _try_more(self, now: float, epoch: _Epoch) -> None:
        before, self.connections = self.connections, min(2 * self.connections, self._most)
        if self.connections > before:
            self._trial = _Trial(before, epoch.rate(now), now + epoch.mean(epoch.seconds))
            self._move_to(self._window * self.connections // before)

    def _judge_trial(self, now: float, epoch: _Epoch, trial: _Trial) -> None:
        if not trial.settled:
            return
        promised = self.connections / trial.before - 1
        if epoch.rate(now) >= trial.rate * (1 + GAIN * promised):
            self._trial, self._patience = None, PATIENCE
            self._try_more(now, epoch)
            return
        trial.chances -= 1
        if not trial.chances:
            self._end_trial(now)

    def _end_trial(self, now: float) -> None:
        """Without success: as many connections as before."""
        if self._trial is None:
            return
        self.connections, self._trial = self._trial.before, None
        self._move_to(self._window)
        self._try_at = now + self._patience
        self._patience = min(PATIENCE_MOST, 2 * self._patience)

    def _move_to(self, window: int, least: int = 1) -> None:
        highest = max(1, min(SLOTS * self.connections, int(self._ceiling)))
        self._window = max(1, min(highest, max(least, window)))
