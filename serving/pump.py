"""A few threads that drive many streams a step at a time, in turn. It must never know what a step does.

A stream rests until something wakes it: the future it waits for, the time it waits for, or whoever calls `wake`.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from itertools import count
from threading import Condition, Thread
from typing import Protocol

from model import Wait

THREADS = 3
"""A step is a hash and a copy, which use a core, or waiting for the interpreter: more threads make it no faster."""


class Job(Protocol):
    def step(self) -> Wait | None:
        """Do one small thing without waiting; what to wait for before the next, or None when there is no more to do.

        Called by one thread at a time. It must not raise; and it may be called again after None, and says None again.
        """


class _State(Enum):
    RESTING = auto()
    QUEUED = auto()
    RUNNING = auto()
    WOKEN = auto()
    """Running, and to be run again."""


@dataclass(slots=True)
class _Turn:
    """What the pump knows of a job. `job` is None once it is over: an old entry in the clock must not keep it alive."""

    job: Job | None
    state: _State = _State.RESTING
    future: Future[bytes] | None = None
    due: float = math.inf


class Pump:
    """The lock of `_changed` guards all of it; no step runs, and nobody is called, while it is held."""

    def __init__(self, threads: int = THREADS) -> None:
        self._changed = Condition()
        self._turns: dict[Job, _Turn] = {}
        self._ready: deque[_Turn] = deque()
        self._clock: list[tuple[float, int, _Turn]] = []
        self._numbers = count()
        self._closing = False
        self._threads = [Thread(target=self._run, name=f"pump-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def __repr__(self) -> str:
        return f"<Pump {len(self._turns)} streams, {len(self._ready)} can go on>"

    def wake(self, job: Job) -> None:
        """Have a step of `job` run soon, even if it is new or rests. From any thread; never waits long."""
        with self._changed:
            turn = self._turns.get(job)
            if turn is None:
                turn = self._turns[job] = _Turn(job)
            self._wake(turn)

    def close(self, timeout: float) -> None:
        """Run what is ready, and end the threads within `timeout` seconds; those that do not are daemons."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (turn := self._next()) is not None:
            if turn.job is not None:
                self._rest(turn, turn.job, turn.job.step())

    def _next(self) -> _Turn | None:
        with self._changed:
            while True:
                now = time.monotonic()
                while self._clock and self._clock[0][0] <= now:
                    due, _, turn = heapq.heappop(self._clock)
                    if due == turn.due and turn.job is not None:
                        turn.due = math.inf
                        self._wake(turn)
                if self._ready:
                    turn = self._ready.popleft()
                    turn.state = _State.RUNNING
                    return turn
                if self._closing:
                    return None
                self._changed.wait(self._clock[0][0] - now if self._clock else None)

    def _wake(self, turn: _Turn) -> None:
        if turn.state is _State.RUNNING:
            turn.state = _State.WOKEN
        elif turn.state is _State.RESTING:
            turn.state = _State.QUEUED
            self._ready.append(turn)
            self._changed.notify()

    def _rest(self, turn: _Turn, job: Job, wait: Wait | None) -> None:
        with self._changed:
            woken, turn.state = turn.state is _State.WOKEN, _State.RESTING
            if wait is None:
                del self._turns[job]
                turn.job = None
                return
            if woken or wait.until <= time.monotonic():
                self._wake(turn)
                return
            if wait.until < turn.due:  # a job that is woken too early only waits once more
                turn.due = wait.until
                heapq.heappush(self._clock, (wait.until, next(self._numbers), turn))
                self._changed.notify()
            if wait.future is None or wait.future is turn.future:
                return
            turn.future = wait.future
        wait.future.add_done_callback(partial(self._ended, turn))

    def _ended(self, turn: _Turn, future: Future[bytes]) -> None:
        with self._changed:
            if turn.future is future:
                turn.future = None  # it holds a whole piece
            if turn.job is not None:
                self._wake(turn)
