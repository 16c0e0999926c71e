"""Workers: each job is done once and whole, whoever is killed, stopped or out of luck while it is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from errors import ClientGone, NotFound, Permanent, Transient
from gateway.background.jobs import Jobs, Made, Progress, Stopped
from jobs import worker
from jobs.worker import MOST_ATTEMPTS, Workers
from model import Job
from tests.conftest import House
from tests.serving.conftest import until

TOTAL = 5
LEASE = timedelta(seconds=0.3)
_processes = count()


@dataclass
class Counting:
    """A kind that appends its numbers to a file, one at a time, and goes on where the file ends."""

    folder: Path
    before: Callable[[str, int], None] = lambda step, number: None
    """Called before each step of each job."""
    begun: list[str] = field(default_factory=list)

    def perform(self, job: Job, progress: Progress, stopped: Stopped) -> Made:
        self.begun.append(job.id)
        goal = self._goal(job.id)
        there = goal.stat().st_size if goal.exists() else 0
        for number in range(there, job.total):
            self.before("write", number)
            if stopped():
                raise ClientGone("stopped")
            with goal.open("ab") as file:
                file.write(b"%d" % number)
            self.before("tell", number)
            progress(number + 1)
        self.before("return", job.total)
        return Made({"size": job.total}, timedelta(hours=1))

    def clear(self, job: Job) -> None:
        self._goal(job.id).unlink(missing_ok=True)

    def clear_outside(self, job: Job) -> None:
        pass

    def made(self, job_id: str) -> bytes:
        return self._goal(job_id).read_bytes()

    def _goal(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.count"


class Killed(BaseException):
    """Ends a thread as kill -9 ends a process: nobody handles it."""


@pytest.fixture
def kind(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


@pytest.fixture
def jobs(house: House, kind: Counting) -> Jobs:
    jobs = Jobs(house.database)
    jobs.know("count", kind)
    return jobs


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BACK_OFF", 0.01)
    monkeypatch.setattr(worker, "MOST_BACK_OFF", 0.01)


def ask(jobs: Jobs, house: House, key: str = "k", total: int = TOTAL) -> str:
    return jobs.ask(house.user.id, "count", key, {}, total).id


@contextmanager
def working(jobs: Jobs, threads: int = 1, lease: timedelta = LEASE) -> Iterator[Workers]:
    name = f"process {next(_processes)}"
    workers = Workers(jobs, name, {"count": threads}, rest=0.02, beat=0.05, lease=lease)
    workers.start()
    try:
        yield workers
    finally:
        workers.stop(5)


def status(jobs: Jobs, house: House, job_id: str) -> str:
    return jobs.get(house.user, job_id).status


def wait_for(jobs: Jobs, house: House, job_id: str, wanted: str) -> None:
    assert until(lambda: status(jobs, house, job_id) == wanted, 20), status(jobs, house, job_id)


def test_a_job_is_done_and_says_what_was_made(jobs: Jobs, house: House, kind: Counting) -> None:
    job_id = ask(jobs, house)
    with working(jobs):
        wait_for(jobs, house, job_id, "ready")
    done = jobs.get(house.user, job_id)
    assert (done.done, done.result, kind.made(job_id)) == (TOTAL, {"size": TOTAL}, b"01234")


STEPS = [("write", 0), ("write", 3), ("tell", 0), ("tell", 3), ("return", TOTAL)]


@pytest.mark.parametrize(("step", "number"), [*STEPS, ("finish", 0), ("finished", 0)])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_killed_at_any_step_leaves_a_job_that_another_goes_on_with(
    jobs: Jobs, house: House, kind: Counting, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    dead = threading.Event()

    def dies_there(at: str, where: int) -> None:
        if (at, where) == (step, number) and not dead.is_set():
            dead.set()
            raise Killed

    finish = jobs.finish

    def finishes(*given: object) -> None:
        dies_there("finish", 0)
        finish(*given)  # type: ignore[arg-type]
        dies_there("finished", 0)

    kind.before = dies_there
    monkeypatch.setattr(jobs, "finish", finishes)
    job_id = ask(jobs, house)
    with working(jobs):
        assert dead.wait(10)
    with working(jobs):
        wait_for(jobs, house, job_id, "ready")
    assert kind.made(job_id) == b"01234"
    assert len(kind.begun) == (1 if step == "finished" else 2)


def test_two_workers_of_two_processes_never_do_one_job_at_once(
    jobs: Jobs, house: House, kind: Counting
) -> None:
    ids = [ask(jobs, house, str(number)) for number in range(12)]
    long = timedelta(minutes=1)  # on a busy machine a short one ends by itself
    with working(jobs, 2, long), working(jobs, 2, long):
        for job_id in ids:
            wait_for(jobs, house, job_id, "ready")
    assert sorted(kind.begun) == sorted(ids), "each was begun once"
    assert all(kind.made(job_id) == b"01234" for job_id in ids)


def test_no_kind_waits_for_another(jobs: Jobs, house: House, kind: Counting) -> None:
    let_go = threading.Event()
    kind.before = lambda step, number: _wait(let_go)
    jobs.know("quick", Counting(kind.folder))
    slow = ask(jobs, house)
    workers = Workers(jobs, f"process {next(_processes)}", {"count": 1, "quick": 1}, rest=0.02, beat=0.05)
    workers.start()
    try:
        assert until(lambda: kind.begun == [slow])
        also_slow = ask(jobs, house, "waits")
        quick = jobs.ask(house.user.id, "quick", "k", {}, TOTAL).id
        wait_for(jobs, house, quick, "ready")
        assert status(jobs, house, also_slow) == "queued"
    finally:
        let_go.set()
        workers.stop(5)


def test_a_lease_holds_while_its_worker_waits_for_longer(jobs: Jobs, house: House, kind: Counting) -> None:
    let_go = threading.Event()
    kind.before = lambda step, number: None if number != 2 else _wait(let_go)
    job_id = ask(jobs, house)
    with working(jobs), working(jobs):
        assert until(lambda: jobs.get(house.user, job_id).done == 2, 10), "how far it is can be seen"
        assert not until(lambda: len(kind.begun) > 1, 3 * LEASE.total_seconds())
        let_go.set()
        wait_for(jobs, house, job_id, "ready")
    assert kind.made(job_id) == b"01234"


def _wait(event: threading.Event) -> None:
    assert event.wait(20)


def test_a_cancelled_job_leaves_nothing(jobs: Jobs, house: House, kind: Counting, tmp_path: Path) -> None:
    reached, let_go = threading.Event(), threading.Event()

    def stay(step: str, number: int) -> None:
        if number == 2:
            reached.set()
            _wait(let_go)

    kind.before = stay
    running, waiting = ask(jobs, house, "1"), ask(jobs, house, "2")
    with working(jobs) as workers:
        assert reached.wait(10)
        jobs.cancel(house.user, waiting)
        jobs.cancel(house.user, running)
        assert until(lambda: workers._running != {} and next(iter(workers._running.values())).lost)
        let_go.set()
        assert until(lambda: workers._running == {})
        assert list(tmp_path.glob("*.count")) == []
    assert status(jobs, house, running) == status(jobs, house, waiting) == "cancelled"
    again = ask(jobs, house, "1")
    kind.before = lambda step, number: None
    with working(jobs):
        wait_for(jobs, house, again, "ready")
    jobs.cancel(house.user, again)
    assert list(tmp_path.glob("*.count")) == [], "nor one that was ready"


def test_a_worker_that_is_stopped_puts_its_job_back(jobs: Jobs, house: House, kind: Counting) -> None:
    reached, let_go = threading.Event(), threading.Event()

    def stay(step: str, number: int) -> None:
        if (step, number) == ("write", 3):
            reached.set()
            _wait(let_go)

    kind.before = stay
    job_id = ask(jobs, house)
    with working(jobs) as workers:
        assert reached.wait(10)
        stopping = threading.Thread(target=workers.stop)
        stopping.start()
        assert until(workers._stopping.is_set)
        let_go.set()
        stopping.join(10)
    put_back = jobs.get(house.user, job_id)
    assert (put_back.status, put_back.attempts, kind.made(job_id)) == ("queued", 0, b"012")
    with working(jobs):
        wait_for(jobs, house, job_id, "ready")


def test_what_may_go_well_later_is_tried_again_but_not_for_ever(
    jobs: Jobs, house: House, kind: Counting
) -> None:
    def no_luck(step: str, number: int) -> None:
        raise Transient("The line is down.", retry_after=0.01)

    kind.before = no_luck
    job_id = ask(jobs, house)
    with working(jobs):
        wait_for(jobs, house, job_id, "failed")
    assert len(kind.begun) == MOST_ATTEMPTS
    assert "The line is down." in str(jobs.get(house.user, job_id).error)


def test_back_off_grows_and_a_store_may_ask_for_more(
    jobs: Jobs, house: House, kind: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(worker, "BACK_OFF", 5.0)
    monkeypatch.setattr(worker, "MOST_BACK_OFF", 30.0)
    put_back = jobs.put_back

    def at_once(job: Job, name: str, delay: timedelta, error: str | None) -> None:
        pauses.append(delay.total_seconds())
        put_back(job, name, timedelta(), error)

    def no_luck(step: str, number: int) -> None:
        raise Transient("Not now.", retry_after=12)

    monkeypatch.setattr(jobs, "put_back", at_once)
    kind.before = no_luck
    job_id = ask(jobs, house)
    with working(jobs):
        wait_for(jobs, house, job_id, "failed")
    assert pauses == [12, 12, 20, 30, 30]


@pytest.mark.parametrize(
    ("error", "said"),
    [(Permanent("The channel is gone."), "The channel is gone."), (ZeroDivisionError(), "log")],
)
def test_what_cannot_go_well_fails_at_once_and_leaves_nothing(
    jobs: Jobs, house: House, kind: Counting, tmp_path: Path, error: Exception, said: str
) -> None:
    def fails(step: str, number: int) -> None:
        if number == 2:
            raise error

    kind.before = fails
    job_id = ask(jobs, house)
    with working(jobs):
        wait_for(jobs, house, job_id, "failed")
    assert said in str(jobs.get(house.user, job_id).error)
    assert until(lambda: list(tmp_path.glob("*.count")) == [])


def test_a_disk_that_lets_go_of_nothing_ends_no_worker(
    jobs: Jobs, house: House, kind: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared = threading.Event()

    def read_only(job: Job) -> None:
        cleared.set()
        raise OSError(30, "Read-only file system")

    def fails(step: str, number: int) -> None:
        raise Permanent("The channel is gone.")

    kind.before = fails
    monkeypatch.setattr(kind, "clear", read_only)
    with working(jobs):
        wait_for(jobs, house, ask(jobs, house), "failed")
        assert cleared.wait(20)
        kind.before = lambda step, number: None
        wait_for(jobs, house, ask(jobs, house, "another"), "ready")


def test_no_worker_ends_of_what_nobody_foresaw_and_health_says_so(
    jobs: Jobs, house: House, kind: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PAUSE_AFTER_FAILURE", 0.02)
    wrong, claim = threading.Event(), jobs.claim

    def claims(*given: Any) -> Job | None:
        if wrong.is_set():
            raise KeyError("nobody foresaw this")
        return claim(*given)

    monkeypatch.setattr(jobs, "claim", claims)
    wrong.set()
    job_id = ask(jobs, house)
    with working(jobs):
        assert until(lambda: jobs.trouble is not None)
        assert "KeyError" in str(jobs.trouble)
        wrong.clear()
        wait_for(jobs, house, job_id, "ready")
        assert until(lambda: jobs.trouble is None)


def test_a_sign_of_life_that_fails_is_not_the_last(
    jobs: Jobs, house: House, kind: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, let_go, renew = threading.Event(), threading.Event(), jobs.renew

    def fails_once(*given: Any) -> bool:
        if not failed.is_set():
            failed.set()
            raise KeyError("nobody foresaw this")
        return renew(*given)

    monkeypatch.setattr(jobs, "renew", fails_once)
    kind.before = lambda step, number: None if number != 2 else _wait(let_go)
    job_id = ask(jobs, house)
    with working(jobs, lease=timedelta(minutes=1)):
        assert until(lambda: jobs.get(house.user, job_id).done == 2, 10)
        let_go.set()
        wait_for(jobs, house, job_id, "ready")
    assert failed.is_set()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_that_kills_each_of_its_workers_is_given_up(jobs: Jobs, house: House, kind: Counting) -> None:
    def dies(step: str, number: int) -> None:
        raise Killed

    kind.before = dies
    job_id = ask(jobs, house)
    while not _over(jobs, house, job_id):
        begun = len(kind.begun)
        with working(jobs):
            assert until(partial(_went_on, jobs, house, kind, job_id, begun), 10)
    assert len(kind.begun) == MOST_ATTEMPTS


def _went_on(jobs: Jobs, house: House, kind: Counting, job_id: str, begun: int) -> bool:
    return len(kind.begun) > begun or _over(jobs, house, job_id)


def _over(jobs: Jobs, house: House, job_id: str) -> bool:
    return status(jobs, house, job_id) == "failed"


def test_a_job_whose_owner_is_gone_is_none(jobs: Jobs, house: House, kind: Counting, tmp_path: Path) -> None:
    owner = house.gateway.people.add("bob", "battery staple")
    job_id = jobs.ask(owner.id, "count", "k", {}, TOTAL).id
    reached, let_go = threading.Event(), threading.Event()

    def stay(step: str, number: int) -> None:
        if number == 2:
            reached.set()
            _wait(let_go)

    kind.before = stay
    with working(jobs) as workers:
        assert reached.wait(10)
        house.gateway.people.remove(owner.id)
        let_go.set()
        assert until(lambda: workers._running == {})
    assert list(tmp_path.glob("*.count")) == []
    with pytest.raises(NotFound):
        jobs.get(owner, job_id)
