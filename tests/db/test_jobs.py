"""The queue of jobs: one worker holds each, whoever lost it changes nothing, and nobody has the same made twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from db import Database, Events, Jobs, People
from errors import AtCapacity, Conflict, NotFound
from model import Job, User
from tests.db.conftest import Clock

LEASE = timedelta(seconds=30)
DAY = timedelta(days=1)
KINDS = ("zip", "letter")


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)


def a_job(owner: User, clock: Clock, id: str = "a", key: str = "k", **more: Any) -> Job:
    now = clock()
    values: dict[str, Any] = {"kind": "zip", "args": {"folder": "/f"}, "result": {}, "status": "queued"}
    values |= {
        "done": 0,
        "total": 100,
        "attempts": 0,
        "not_before": now,
        "started_at": None,
        "started_from": 0,
    }
    values |= {"error": None, "email": None, "created_at": now, "updated_at": now, "ends_at": None}
    return Job(id=id, key=key, owner_id=owner.id, **values | more)


def test_what_is_asked_for_twice_is_joined_until_it_is_over(jobs: Jobs, ann: User, clock: Clock) -> None:
    first = jobs.ask(a_job(ann, clock), 5)
    assert jobs.ask(a_job(ann, clock, "b"), 5) == first
    joined = jobs.ask(a_job(ann, clock, "b", email="ann@example.org"), 5)
    assert joined == jobs.get("a") and joined.email == "ann@example.org"
    jobs.cancel(first, clock() + DAY)
    assert jobs.ask(a_job(ann, clock, "b"), 5).id == "b"
    held = jobs.claim("w", LEASE, KINDS)
    assert held is not None and jobs.finish(held, "w", {"size": 7}, clock() + DAY)
    joined = jobs.ask(a_job(ann, clock, "c"), 5)
    assert (joined.id, joined.status, joined.result) == ("b", "ready", {"size": 7})
    clock.move(days=1)
    assert jobs.ask(a_job(ann, clock, "c"), 5).id == "c", "that one's time is over"
    assert [job.id for job in jobs.over()] == ["a", "b"], "and what it made is still to be thrown away"


def test_an_owner_has_so_many_under_way(jobs: Jobs, ann: User, bob: User, clock: Clock) -> None:
    for number in range(2):
        jobs.ask(a_job(ann, clock, f"{number}", f"{number}"), 2)
    with pytest.raises(AtCapacity):
        jobs.ask(a_job(ann, clock, "x", "x"), 2)
    jobs.ask(a_job(bob, clock, "y", "y"), 2)
    jobs.cancel(jobs.get("0"), clock())
    jobs.ask(a_job(ann, clock, "x", "x"), 2)


def test_kinds_are_counted_apart(jobs: Jobs, ann: User, clock: Clock) -> None:
    jobs.ask(a_job(ann, clock, "1", "1", kind="letter"), 1)
    jobs.ask(a_job(ann, clock, "2", "2"), 1)
    jobs.cancel(jobs.get("1"), clock() + DAY)
    with pytest.raises(AtCapacity):
        jobs.ask(a_job(ann, clock, "3", "3", kind="letter"), 1, daily=True)
    clock.move(days=1)
    jobs.ask(a_job(ann, clock, "3", "3", kind="letter"), 1, daily=True)


def test_letters_to_come_count_as_letters(jobs: Jobs, ann: User, bob: User, clock: Clock) -> None:
    def asked(number: int, owner: User = ann) -> Job:
        job = a_job(owner, clock, f"{owner.id}{number}", f"{owner.id} {number}", email="ann@example.org")
        return jobs.ask(job, 9, letters=3)

    jobs.ask(a_job(ann, clock, "l", "l", kind="letter"), 9)
    asked(1)
    second = asked(2)
    with pytest.raises(AtCapacity, match="letters a day"):
        asked(3)
    assert asked(2) == second, "it is joined, and has one letter"
    asked(3, bob)
    with ThreadPoolExecutor(4) as pool:
        jobs.cancel(jobs.get(f"{ann.id}1"), clock() + DAY)
        tries = [pool.submit(asked, number) for number in range(4, 8)]
    assert sum(attempt.exception() is None for attempt in tries) == 1, "at the same moment, too"


def test_each_is_claimed_once_and_the_one_that_waited_longest_first(
    jobs: Jobs, ann: User, clock: Clock
) -> None:
    jobs.ask(a_job(ann, clock, "late", "1", not_before=clock() + timedelta(seconds=5)), 9)
    jobs.ask(a_job(ann, clock, "now", "2"), 9)
    first = jobs.claim("w1", LEASE, KINDS)
    assert first is not None and (first.id, first.status, first.attempts) == ("now", "processing", 1)
    assert jobs.claim("w2", LEASE, KINDS) is None, "the other's time has not come"
    clock.move(seconds=5)
    second = jobs.claim("w2", LEASE, KINDS)
    assert second is not None and second.id == "late"
    assert jobs.claim("w3", LEASE, KINDS) is None


def test_a_worker_is_given_the_kinds_that_it_does(jobs: Jobs, ann: User, clock: Clock) -> None:
    jobs.ask(a_job(ann, clock, "first", "1"), 9)
    clock.move(seconds=1)
    jobs.ask(a_job(ann, clock, "second", "2", kind="letter"), 9)
    claimed = jobs.claim("w", LEASE, ["letter"])
    assert claimed is not None and claimed.id == "second"
    assert jobs.claim("w", LEASE, ["letter"]) is None


def test_a_lease_that_is_over_goes_to_another_and_whoever_had_it_changes_nothing(
    jobs: Jobs, ann: User, clock: Clock
) -> None:
    jobs.ask(a_job(ann, clock), 9)
    dead = jobs.claim("dead", LEASE, KINDS)
    assert dead is not None
    clock.move(seconds=20)
    assert jobs.renew(dead, "dead", 40, LEASE)
    clock.move(seconds=20)
    assert jobs.claim("w", LEASE, KINDS) is None, "it was renewed"
    clock.move(seconds=11)
    taken = jobs.claim("w", LEASE, KINDS)
    assert taken is not None and (taken.done, taken.started_from, taken.attempts) == (40, 40, 2)
    assert not jobs.renew(dead, "dead", 90, LEASE)
    assert not jobs.finish(dead, "dead", {}, clock())
    assert not jobs.fail(dead, "dead", "no", clock())
    assert not jobs.put_back(dead, "dead", clock(), None)
    assert jobs.get("a").done == 40
    assert jobs.finish(taken, "w", {}, clock() + DAY)


def test_a_worker_that_begins_anew_has_back_what_it_held(jobs: Jobs, ann: User, clock: Clock) -> None:
    for number in range(2):
        jobs.ask(a_job(ann, clock, f"{number}", f"{number}"), 9)
    mine, other = jobs.claim("host_ 0", LEASE, KINDS), jobs.claim("hostx 0", LEASE, KINDS)
    assert mine is not None and other is not None
    jobs.take_back("host_")
    again = jobs.claim("host_ 0", LEASE, KINDS)
    assert again is not None and (again.id, again.attempts) == (mine.id, 2)
    assert jobs.claim("host_ 1", LEASE, KINDS) is None, "the other one's lease is good"


def test_attempts_count_while_nothing_moves(jobs: Jobs, ann: User, clock: Clock) -> None:
    jobs.ask(a_job(ann, clock), 9)
    for attempt in (1, 2, 3):
        job = jobs.claim("w", LEASE, KINDS)
        assert job is not None and job.attempts == attempt
        jobs.put_back(job, "w", clock(), "no luck")
    job = jobs.claim("w", LEASE, KINDS)
    assert job is not None and jobs.renew(job, "w", 10, LEASE)
    jobs.put_back(job, "w", clock(), "no luck")
    job = jobs.claim("w", LEASE, KINDS)
    assert job is not None and (job.attempts, job.error) == (2, "no luck")
    jobs.put_back(job, "w", clock(), None)
    assert jobs.get("a").attempts == 1, "one that was stopped does not count"


def test_a_cancelled_one_is_lost_to_its_worker(jobs: Jobs, ann: User, clock: Clock) -> None:
    jobs.ask(a_job(ann, clock), 9)
    job = jobs.claim("w", LEASE, KINDS)
    assert job is not None
    jobs.cancel(job, clock() + DAY)
    assert not jobs.renew(job, "w", 1, LEASE) and not jobs.finish(job, "w", {}, clock())
    clock.move(hours=1)
    assert jobs.claim("w", LEASE, KINDS) is None
    with pytest.raises(Conflict):
        jobs.cancel(job, clock())
    jobs.cleared(job)
    assert jobs.get("a").status == "cancelled" and jobs.over() == ()
    clock.move(days=1)
    assert [over.id for over in jobs.over()] == ["a"]
    jobs.cleared(job)
    with pytest.raises(NotFound):
        jobs.get("a")


def test_one_that_is_over_is_left_alone_while_its_worker_may_be_at_it(
    jobs: Jobs, ann: User, clock: Clock
) -> None:
    for number in range(3):
        jobs.ask(a_job(ann, clock, f"{number}", f"{number}"), 9)
    held, failed = jobs.claim("w", LEASE, KINDS), jobs.claim("w", LEASE, KINDS)
    assert held is not None and failed is not None
    jobs.cancel(held, clock() + DAY)
    assert jobs.over() == ()
    assert jobs.fail(failed, "w", "no", clock() + DAY)
    assert [job.id for job in jobs.over()] == [failed.id]
    clock.move(seconds=31)
    assert {job.id for job in jobs.over()} == {held.id, failed.id}


def test_its_owner_hears_of_every_change(jobs: Jobs, database: Database, ann: User, clock: Clock) -> None:
    jobs.ask(a_job(ann, clock), 9)
    job = jobs.claim("w", LEASE, KINDS)
    assert job is not None
    jobs.finish(job, "w", {}, clock() + DAY)
    told = [event.about for event in Events(database).since(0, ann.id).events if event.type == "prepared"]
    assert [about["status"] for about in told] == ["queued", "processing", "ready"]
    assert told[0] == {"job_id": "a", "folder": "/f", "status": "queued"}


def test_speed_is_that_of_the_present_attempt(jobs: Jobs, ann: User, clock: Clock) -> None:
    jobs.ask(a_job(ann, clock), 9)
    job = jobs.claim("w", LEASE, KINDS)
    assert job is not None and job.speed is None
    clock.move(seconds=2)
    jobs.renew(job, "w", 60, LEASE)
    assert jobs.get("a").speed == 30


def test_nobody_sees_anothers_and_they_are_over_with_their_owner(
    jobs: Jobs, database: Database, ann: User, bob: User, clock: Clock
) -> None:
    People(database).add("cleo", "hash", is_admin=True)
    jobs.ask(a_job(ann, clock), 9)
    with pytest.raises(NotFound):
        jobs.get("a", bob.id)
    assert [job.id for job in jobs.latest(9, ann.id)] == [job.id for job in jobs.latest(9)] == ["a"]
    assert jobs.latest(9, bob.id) == ()
    assert jobs.live("zip") == {"a"}
    People(database).remove(ann.id)
    assert jobs.live("zip") == frozenset()
    assert [(job.status, job.owner_id) for job in jobs.over()] == [("cancelled", None)]
