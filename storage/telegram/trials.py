"""How many connections are worth having: more and fewer are tried, and kept by what they bring. Pure, like the pace."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_CONNECTIONS = 2
GAIN = 0.25
"""The part of what more connections promise that they have to bring: a fourth more for twice as many."""
LOSS = 0.4
"""The part of what fewer connections threaten to cost that they may cost."""
ANSWERS_MORE, ANSWERS_FEWER = 2, 8
"""Answers over each connection that it takes to measure: a rate that doubles is seen sooner than one a fourth less."""
CHANCES = 2
"""Measurements in which more connections may show their worth. Fewer have one: they were not asked for."""
NEWEST = 0.25
"""The weight of the newest measurement in the usual rate. Answers come in bursts, one of each connection, and a few
measurements more or less than a burst would make a trial's outcome chance."""
PATIENCE, PATIENCE_MOST = 5.0, 120.0
"""Seconds between two trials; doubles with each that fails."""


@dataclass(slots=True)
class _Trial:
    before: int
    rate: float
    """Bytes a second, with as many connections as before."""
    settles_at: float
    """Until then they are being opened, or have to wait for what queues on the others."""
    chances: int
    settled: bool = False


class Trials:
    """`connections`, from 1 to `most`. Times are seconds of one clock, rates bytes a second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._trial: _Trial | None = None
        self._upwards = True
        self._patience = PATIENCE
        self._try_at = 0.0
        self._usual: float | None = None  # bytes a second, with these connections and no trial
        self.connections = min(FIRST_CONNECTIONS, most)

    def __repr__(self) -> str:
        return f"<Trials {self.connections} of {self._most}{' trying' if self.running else ''}>"

    @property
    def running(self) -> bool:
        return self._trial is not None

    @property
    def answers(self) -> int:
        """How many answers it takes to measure a rate now."""
        fewer = self._trial is not None and self.connections < self._trial.before
        return self.connections * (ANSWERS_FEWER if fewer else ANSWERS_MORE)

    def settled(self, now: float) -> bool:
        """Whether this is the moment from which on the connections that are tried are measured."""
        if self._trial is None or self._trial.settled or now < self._trial.settles_at:
            return False
        self._trial.settled = True
        return True

    def judge(self, now: float, rate: float, seconds: float) -> None:
        """What was measured since the last time on a line with enough to carry; answers took `seconds` each."""
        trial = self._trial
        if trial is None:
            usual = rate if self._usual is None else self._usual
            self._usual = usual + NEWEST * (rate - usual)
            if now >= self._try_at:
                self._begin(now, self._usual, seconds)
        elif trial.settled:
            change = self.connections / trial.before - 1
            if rate >= trial.rate * (1 + change * (GAIN if change > 0 else LOSS)):
                self._trial, self._patience = None, PATIENCE
                self._try_at = now + PATIENCE
                if self._next(self._upwards) != self.connections:
                    self._begin(now, max(rate, trial.rate), seconds)
                return
            trial.chances -= 1
            if not trial.chances:
                self.fail(now)

    def fail(self, now: float) -> None:
        """End the trial, if there is one, with as many connections as before; the next one goes the other way."""
        if self._trial is not None:
            self.connections, self._trial = self._trial.before, None
            self._upwards = not self._upwards
            self.put_off(now)
            self._patience = min(PATIENCE_MOST, 2 * self._patience)

    def put_off(self, now: float) -> None:
        """This is no time for trials."""
        self._try_at = max(self._try_at, now + self._patience)

    def cut(self, now: float) -> None:
        """Telegram complained: one less."""
        self.fail(now)
        self.connections = max(1, self.connections - 1)
        self._upwards, self._usual = True, None
        self.put_off(now)

    def begin_anew(self, now: float) -> None:
        """Nothing was measured for a while; what is tried just now is kept, for it is there."""
        self._trial, self._upwards, self._patience, self._usual = None, True, PATIENCE, None
        self._try_at = min(self._try_at, now + PATIENCE)

    def _begin(self, now: float, rate: float, seconds: float) -> None:
        if self._next(self._upwards) == self.connections:
            self._upwards = not self._upwards
        self._usual = None
        before, self.connections = self.connections, self._next(self._upwards)
        if self.connections != before:
            chances = CHANCES if self._upwards else 1
            settling = seconds if self._upwards else 2 * seconds
            self._trial = _Trial(before, rate, now + settling, chances)

    def _next(self, upwards: bool) -> int:
        """Twice as many, or a fourth less: these may turn out to be missed. Below the first ones only a cut leads."""
        if upwards:
            return min(2 * self.connections, self._most)
        fewer = self.connections - max(1, self.connections // 4)
        return max(fewer, min(FIRST_CONNECTIONS, self.connections))
