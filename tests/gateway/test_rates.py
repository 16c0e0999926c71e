"""Token buckets: never more than the rate and a burst, everybody in turn, nothing left lying that somebody wants."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.moving.rates import LEAST_BLOCK, FairBucket, Rates
from gateway.moving.transfer import Visitor

BLOCK = 100


@dataclass(frozen=True)
class Wish:
    """A connection of some flow that wants blocks of `size`, from `start` on, and takes `idle` seconds over each."""

    flow: int
    size: int
    start: float
    idle: float


def sent(bucket: FairBucket, wishes: list[Wish], seconds: float) -> list[tuple[float, int, int]]:
    """(when, whose, bytes) of all that leaves within so many seconds, each connection asking when it was told to."""
    out: list[tuple[float, int, int]] = []
    asking = [(wish.start, number) for number, wish in enumerate(wishes)]
    heapq.heapify(asking)
    while asking and asking[0][0] < seconds:
        now, number = heapq.heappop(asking)
        wish = wishes[number]
        again = bucket.ask(wish.flow, number, wish.size, now)
        if again is None:
            out.append((now, number, wish.size))
            again = now + wish.idle
        else:
            assert again > now, "or it would be asked without end"
        heapq.heappush(asking, (max(again, now + 1e-6), number))
    return out


WISHES = st.lists(
    st.builds(
        Wish,
        flow=st.integers(0, 3),
        size=st.integers(1, BLOCK),
        start=st.floats(0, 5),
        idle=st.floats(0.01, 3),
    ),
    min_size=1,
    max_size=8,
)


@given(WISHES, st.floats(50, 2000), st.floats(BLOCK, 1000))
def test_never_more_than_the_rate_and_a_burst_leaves(wishes: list[Wish], rate: float, burst: float) -> None:
    total = 0
    for when, _, size in sent(FairBucket(rate, burst, 0.0), wishes, 10):
        total += size
        assert total <= rate * when + burst + 1e-3


@pytest.mark.slow
@given(WISHES, st.floats(200, 2000))
def test_nobody_starves(wishes: list[Wish], rate: float) -> None:
    """Each gets its first block no later than a few rounds of all the others after it came."""
    out = sent(FairBucket(rate, BLOCK, 0.0), wishes, 60)
    for number, wish in enumerate(wishes):
        first = next(when for when, whose, _ in out if whose == number)
        assert first <= wish.start + (len(wishes) + 2) ** 2 * BLOCK / rate


@pytest.mark.slow
@given(st.integers(1, 12), st.integers(1, 12))
def test_flows_share_alike_however_many_connections_they_have(many: int, few: int) -> None:
    wishes = [Wish(0, BLOCK, 0, 0)] * many + [Wish(1, BLOCK, 0, 0)] * few
    moved: Counter[int] = Counter()
    for _, number, size in sent(FairBucket(10 * BLOCK, 10 * BLOCK, 0.0), wishes, 60):
        moved[wishes[number].flow] += size
    assert moved[0] == pytest.approx(moved[1], rel=0.1)


def test_the_whole_rate_is_used_where_somebody_wants_it() -> None:
    greedy = [Wish(0, BLOCK, 0, 0)] * 3
    modest = [Wish(1, BLOCK, 0, 1.0)]  # one block a second, of ten
    out = sent(FairBucket(10 * BLOCK, 10 * BLOCK, 0.0), [*greedy, *modest], 60)
    assert sum(size for _, _, size in out) == pytest.approx(61 * 10 * BLOCK, rel=0.03)
    assert sum(1 for _, number, _ in out if number == 3) > 40


def test_what_a_connection_that_ended_waited_for_is_for_others() -> None:
    bucket = FairBucket(BLOCK, BLOCK, 0.0)
    assert bucket.ask(0, 0, BLOCK, 0.0) is None
    assert bucket.ask(0, 1, BLOCK, 0.0) is not None
    assert bucket.ask(1, 2, BLOCK, 0.0) is not None
    assert bucket.ask(1, 2, BLOCK, 1.0) is not None, "the turn is the other's"
    bucket.forget(0, 1)
    assert bucket.ask(1, 2, BLOCK, 1.0) is None


def test_a_long_rest_earns_one_burst() -> None:
    bucket = FairBucket(BLOCK, 2 * BLOCK, 0.0)
    later = sent(bucket, [Wish(0, BLOCK, 1000.0, 0)], 1000.5)
    assert len(later) == 2


def test_blocks_are_smaller_where_the_rate_is_slow() -> None:
    assert Rates(0, 0, 256 << 10).block_size() == 256 << 10
    assert Rates(128_000, 0, 256 << 10).block_size() == 16_000
    assert Rates(0, 1000, 256 << 10).block_size() == LEAST_BLOCK


def test_without_limits_everything_goes_at_once() -> None:
    pace = Rates(0, 0, BLOCK).pace(1, 1)
    assert all(pace.ask(BLOCK) is None for _ in range(1000))


def test_all_connections_of_a_user_share_their_rate_and_a_new_one_brings_no_new_burst() -> None:
    rates = Rates(8000, 0, LEAST_BLOCK)
    first = rates.pace(1, 1)
    while first.ask(1000) is None:
        pass
    first.close()
    assert rates.pace(1, 2).ask(1000) is not None
    assert rates.pace(2, 3).ask(1000) is None, "another user has their own"


def test_a_pace_that_was_closed_holds_up_nobody() -> None:
    rates = Rates(0, 4096, LEAST_BLOCK)
    first = rates.pace(1, 1)
    assert first.ask(4096) is None
    assert first.ask(4096) is not None
    first.close()
    assert first.ask(4096) is None, "its thread meets a closed stream next"


def test_all_visitors_of_a_share_share_its_rate_and_each_has_one_of_their_own() -> None:
    rates = Rates(16_000, 0, LEAST_BLOCK)
    here, there = (Visitor(7, network, rate=8000) for network in ("192.0.2.1", "192.0.2.2"))
    first = rates.pace(here, 1)
    while first.ask(1000) is None:
        pass
    first.close()
    assert rates.pace(there, 2).ask(1000) is not None
    assert rates.pace(Visitor(8, "192.0.2.1", rate=8000), 3).ask(1000) is None, "by another share"
    assert rates.pace(Visitor(7, "192.0.2.3", rate=9000), 4).ask(1000) is None, "its rate was changed"


def test_blocks_are_smaller_for_visitors_of_a_slow_share() -> None:
    rates = Rates(0, 0, 256 << 10)
    assert rates.block_size(Visitor(1, "192.0.2.1", rate=80_000)) == 10_000
    assert rates.block_size(Visitor(1, "192.0.2.1")) == 256 << 10


def test_buckets_of_visitors_are_forgotten_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.moving.rates.MAX_KEPT", 2)
    rates = Rates(8000, 0, LEAST_BLOCK)
    for number in range(5):
        assert rates.pace(Visitor(1, f"192.0.2.{number}"), number).ask(4096) is None
    assert len(rates._kept) == 2
