"""Fair turns: who is served next, that nothing is overdrawn, and that whoever leaves takes nothing along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.telegram.turns import Turn, Turns

Scenario = Callable[[], Awaitable[None]]


def play(scenario: Scenario) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


class Model:
    """The rule, written as plainly as it can be: look at everybody who waits, each time."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.holding: list[Turn] = []
        self.waiting: list[Turn] = []
        self.history: list[object] = []

    def serve(self) -> None:
        while self.waiting:
            heads: dict[object, Turn] = {}
            for turn in sorted(self.waiting, key=lambda turn: (turn.order, turn.arrived)):
                heads.setdefault(turn.stream, turn)
            chosen = min(
                heads.values(),
                key=lambda turn: (self.held(turn.stream), self.served_at(turn.stream), turn.arrived),
            )
            if self.holding and self.held() + chosen.units > self.total:
                return
            self.waiting.remove(chosen)
            self.holding.append(chosen)
            self.history.append(chosen.stream)

    def held(self, stream: object = None) -> int:
        return sum(turn.units for turn in self.holding if stream in (None, turn.stream))

    def served_at(self, stream: object) -> int:
        return max((at for at, served in enumerate(self.history, 1) if served == stream), default=0)

    def leave(self, turn: Turn) -> None:
        (self.holding if turn in self.holding else self.waiting).remove(turn)
        if all(turn.stream != other.stream for other in (*self.holding, *self.waiting)):
            self.history = [None if served == turn.stream else served for served in self.history]


STEP = st.one_of(
    st.tuples(st.just("enter"), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3)),
    st.tuples(st.just("leave"), st.integers(0, 99), st.just(0), st.just(0)),
    st.tuples(st.just("resize"), st.integers(1, 9), st.just(0), st.just(0)),
)


@given(st.integers(1, 9), st.lists(STEP, max_size=60))
def test_turns_do_what_the_plain_model_does_and_end_empty(
    total: int, steps: list[tuple[str, int, int, int]]
) -> None:
    async def scenario() -> None:
        turns, model, inside = Turns(total), Model(total), list[Turn]()
        most = total
        for what, number, units, order in steps:
            if what == "enter":
                turn = turns.enter(f"stream {number}", units, order)
                inside.append(turn)
                model.waiting.append(turn)
            elif what == "resize":
                turns.resize(number)
                model.total = number
                most = max(most, number)
            elif inside:
                turn = inside.pop(number % len(inside))
                turns.leave(turn)
                model.leave(turn)
            model.serve()
            assert {turn.arrived for turn in inside if turn.holds} == {turn.arrived for turn in model.holding}
            assert (turns.held, turns.waiting) == (model.held(), len(model.waiting))
            assert turns.held <= most or len(model.holding) == 1
        for turn in inside:
            turns.leave(turn)
        assert (turns.held, turns.waiting) == (0, 0)

    play(scenario)


@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=40))
def test_everybody_who_enters_is_served_some_time(total: int, wanted: list[tuple[int, int]]) -> None:
    async def scenario() -> None:
        turns = Turns(total)
        waiting = [turns.enter(stream, units) for stream, units in wanted]
        for _ in wanted:
            done = next(turn for turn in waiting if turn.holds)
            assert turns.held <= max(total, done.units)
            turns.leave(done)
            waiting.remove(done)
        assert not waiting

    play(scenario)


def test_the_first_piece_of_a_new_stream_overtakes_all_read_ahead() -> None:
    async def scenario() -> None:
        turns = Turns(4)
        old = [turns.enter("old", order=number) for number in range(20)]
        new = turns.enter("new")
        turns.leave(old[0])
        assert new.holds
        assert not old[4].holds

    play(scenario)


def test_a_new_stream_goes_before_old_ones_that_hold_nothing_just_now() -> None:
    async def scenario() -> None:
        turns = Turns(1)
        first = {name: turns.enter(name, order=1) for name in ("a", "b", "c")}
        ahead = {name: turns.enter(name, order=2) for name in ("a", "b", "c")}
        turns.leave(first["a"])
        turns.leave(first["b"])
        new = turns.enter("new")
        turns.leave(first["c"])
        assert new.holds
        turns.leave(new)
        assert ahead["a"].holds, "then those who were served longest ago"

    play(scenario)


def test_streams_that_want_more_than_their_share_hold_equally_much() -> None:
    async def scenario() -> None:
        turns = Turns(12)
        greedy = [turns.enter("greedy", order=number) for number in range(50)]
        others = {name: [turns.enter(name, order=number) for number in range(9)] for name in ("a", "b")}
        modest = turns.enter("modest")
        for turn in greedy[:12]:
            turns.leave(turn)
        assert modest.holds
        lines = [greedy, *others.values()]
        assert sorted(sum(turn.holds for turn in line) for line in lines) == [3, 4, 4]

    play(scenario)


def test_what_a_stream_needs_next_goes_before_its_read_ahead() -> None:
    async def scenario() -> None:
        turns = Turns(1)
        first = turns.enter("stream", order=1)
        ahead = [turns.enter("stream", order=number) for number in (3, 4)]
        again = turns.enter("stream", order=0)
        turns.leave(first)
        assert again.holds
        assert not any(turn.holds for turn in ahead)

    play(scenario)


def test_cancelling_whoever_waits_or_holds_frees_the_place_at_once() -> None:
    async def scenario() -> None:
        turns = Turns(1)

        async def hold(stream: str) -> None:
            async with turns.hold(stream):
                await asyncio.sleep(3600)

        holder, waiter = asyncio.create_task(hold("holder")), asyncio.create_task(hold("waiter"))
        await asyncio.sleep(0)
        next_one = turns.enter("next")
        waiter.cancel()
        await asyncio.wait([waiter])
        assert turns.waiting == 1
        holder.cancel()
        await asyncio.wait([holder])
        assert next_one.holds
        turns.leave(next_one)
        assert turns.held == 0

    play(scenario)


def test_one_that_is_served_and_cancelled_in_the_same_moment_keeps_nothing() -> None:
    async def scenario() -> None:
        turns = Turns(1)

        async def pass_through() -> None:
            async with turns.hold("waiter"):
                pass

        first = turns.enter("holder")
        waiter = asyncio.create_task(pass_through())
        await asyncio.sleep(0)
        turns.leave(first)
        waiter.cancel()
        await asyncio.wait([waiter])
        assert (turns.held, turns.waiting) == (0, 0)

    play(scenario)


def test_those_who_wait_are_dismissed_and_those_who_hold_are_not() -> None:
    async def scenario() -> None:
        turns = Turns(1)
        holder = turns.enter("holder")
        waiter = turns.enter("waiter")
        turns.dismiss(lambda: ValueError("in vain"))
        assert holder.holds
        with pytest.raises(ValueError, match="in vain"):
            await waiter.served
        turns.leave(waiter)
        turns.leave(holder)
        assert (turns.held, turns.waiting) == (0, 0)

    play(scenario)


def test_what_exceeds_the_total_is_let_in_alone() -> None:
    async def scenario() -> None:
        turns = Turns(8)
        small, large = turns.enter("small", 3), turns.enter("large", 100)
        assert small.holds and not large.holds
        turns.leave(small)
        assert large.holds

    play(scenario)
