"""Many streams on a few threads: each goes on when it can, in turn, and rests otherwise."""

from __future__ import annotations

import gc
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from model import Wait
from serving.pump import Pump
from tests.serving.conftest import until


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump(2)
    yield pump
    pump.close(5)


class Counted:
    """A job that does what `work` says, given how often it was called before."""

    def __init__(self, work: Callable[[int], Wait | None]) -> None:
        self._work = work
        self.steps = 0
        self.running = threading.Lock()

    def step(self) -> Wait | None:
        assert self.running.acquire(blocking=False), "two threads at a time"
        try:
            self.steps += 1
            return self._work(self.steps - 1)
        finally:
            self.running.release()


def test_a_job_rests_until_its_future_ends(pump: Pump) -> None:
    future: Future[bytes] = Future()
    job = Counted(lambda steps: None if steps else Wait(math.inf, future))
    pump.wake(job)
    assert until(lambda: job.steps == 1)
    future.set_result(b"")
    assert until(lambda: job.steps == 2)


def test_a_job_rests_until_its_time_has_come(pump: Pump) -> None:
    began = time.monotonic()
    job = Counted(lambda steps: None if steps else Wait(began + 0.3))
    pump.wake(job)
    assert until(lambda: job.steps == 2)
    assert time.monotonic() >= began + 0.3


def test_a_job_that_waits_for_nothing_takes_no_steps(pump: Pump) -> None:
    resting = [Counted(lambda steps: Wait(math.inf)) for _ in range(50)]
    for job in resting:
        pump.wake(job)
    busy = Counted(lambda steps: Wait(0.0) if steps < 1000 else None)
    pump.wake(busy)
    assert until(lambda: busy.steps == 1001)
    assert [job.steps for job in resting] == [1] * 50


def test_a_future_that_is_waited_for_again_and_again_wakes_once(pump: Pump) -> None:
    future: Future[bytes] = Future()
    job = Counted(lambda steps: Wait(math.inf, future) if steps < 20 else None)
    for steps in range(20):
        pump.wake(job)
        assert until(lambda steps=steps: job.steps == steps + 1)  # type: ignore[misc]
    future.set_result(b"")
    assert until(lambda: job.steps == 21)


def test_what_a_future_brought_is_not_kept_by_the_pump(pump: Pump) -> None:
    def wait_for_it() -> tuple[Counted, weakref.ref[Future[bytes]]]:
        future: Future[bytes] = Future()
        waits = [Wait(math.inf, future)]
        job = Counted(lambda steps: waits.pop() if waits else Wait(math.inf))
        pump.wake(job)
        assert until(lambda: job.steps == 1)
        future.set_result(b"a whole piece")
        return job, weakref.ref(future)

    job, gone = wait_for_it()
    assert until(lambda: gc.collect() >= 0 and gone() is None)
    assert until(lambda: job.steps == 2)


def test_a_job_woken_while_it_runs_runs_again() -> None:
    pump = Pump(2)
    entered, go_on = threading.Event(), threading.Event()

    def work(steps: int) -> Wait | None:
        entered.set()
        assert go_on.wait(5)
        return Wait(math.inf)

    job = Counted(work)
    pump.wake(job)
    assert entered.wait(5)
    pump.wake(job)
    pump.wake(job)
    go_on.set()
    assert until(lambda: job.steps == 2)
    pump.close(5)
    assert job.steps == 2


def test_jobs_that_can_all_go_on_take_turns() -> None:
    pump = Pump(1)
    order: list[int] = []
    gate = threading.Event()

    def job(number: int) -> Counted:
        def work(steps: int) -> Wait | None:
            gate.wait(5)
            order.append(number)
            return Wait(0.0) if steps < 9 else None

        return Counted(work)

    jobs = [job(number) for number in range(5)]
    for each in jobs:
        pump.wake(each)
    gate.set()
    assert until(lambda: len(order) == 50)
    pump.close(5)
    for at in range(50):
        done = [order[:at].count(number) for number in range(5)]
        assert max(done) - min(done) <= 1


def test_a_job_that_is_over_is_forgotten_though_its_time_is_far_away(pump: Pump) -> None:
    def begin_and_end() -> weakref.ref[Counted]:
        job = Counted(lambda steps: None if steps else Wait(time.monotonic() + 1000))
        pump.wake(job)
        assert until(lambda: job.steps == 1)
        pump.wake(job)
        assert until(lambda: job.steps == 2)
        return weakref.ref(job)

    gone = begin_and_end()
    assert until(lambda: gc.collect() >= 0 and gone() is None)


def test_closing_runs_what_is_ready() -> None:
    pump = Pump(1)
    jobs = [Counted(lambda steps: None) for _ in range(100)]
    for job in jobs:
        pump.wake(job)
    pump.close(5)
    assert [job.steps for job in jobs] == [1] * 100
