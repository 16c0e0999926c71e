"""The pace on a simulated line: what it settles at, how soon, and what it does when Telegram complains."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model import MIB
from storage.telegram.pace import SLOTS, Pace
from storage.telegram.trials import FIRST_CONNECTIONS, PATIENCE, Trials
from tests.storage.line import Line


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.001, 0.2),
    st.one_of(st.just(1e9), st.floats(3, 40)),
    st.floats(20, 250),
    st.integers(1, 8),
)
@example(
    0.109375, 8.0, 34.0, 4
)  # bursts, which a trial that was measured for too short a time took for speed
def test_the_line_is_filled_and_the_queue_in_front_of_it_stays_short(
    latency: float, per_connection: float, in_all: float, most: int
) -> None:
    line, pace = Line(latency, per_connection, in_all), Pace(most)
    line.drive(pace, 8.0)
    possible = min(in_all, most * per_connection, most * SLOTS / latency)
    line.seconds.clear()
    assert line.speed(pace, 4.0) >= 0.7 * possible
    alone = latency + 1 / in_all + 1 / per_connection
    queue = sorted(line.seconds)[len(line.seconds) // 2] - alone
    assert queue <= 3.5 * pace.connections / line.speed(pace, 2.0) + 0.5 * alone


def test_connections_with_a_cap_are_all_used_within_two_seconds() -> None:
    line, pace = Line(0.04, per_connection=5, demand=32), Pace(8)
    line.drive(pace, 2.0)
    assert pace.connections == 8
    assert line.speed(pace, 3.0) > 0.95 * 8 * 5


def test_a_fast_line_of_long_latency_is_full_within_a_second() -> None:
    line, pace = Line(0.08, in_all=200), Pace(8)
    line.drive(pace, 1.0)
    assert line.speed(pace, 1.0) > 0.9 * 200


def test_connections_that_do_not_help_are_dropped_and_tried_again_later() -> None:
    line, pace = Line(0.02, in_all=100), Pace(8)
    line.drive(pace, 5.0)
    assert pace.connections == FIRST_CONNECTIONS
    tried = []
    for _ in range(600):
        line.drive(pace, line.now + 0.1)
        tried.append(pace.connections)
    assert max(tried) > FIRST_CONNECTIONS
    assert sum(count > FIRST_CONNECTIONS for count in tried) < 60


def test_connections_that_are_needed_no_more_are_given_up() -> None:
    line, pace = Line(0.02, per_connection=5), Pace(8)
    line.drive(pace, 5.0)
    assert pace.connections == 8
    line.per_connection = 1e9
    line.drive(pace, 60.0)
    assert pace.connections <= 4
    assert line.speed(pace, 5.0) > 0.9 * 250


def test_looking_for_fewer_connections_costs_little() -> None:
    line, pace = Line(0.04, per_connection=5, demand=32), Pace(8)
    assert line.speed(pace, 25.6) > 0.9 * 8 * 5, "the rise from two connections included"


def test_a_line_that_got_longer_is_measured_anew() -> None:
    line, pace = Line(0.01, in_all=100), Pace(2)
    line.drive(pace, 5.0)
    line.latency = 0.1
    line.drive(pace, 60.0)
    assert line.speed(pace, 5.0) > 90


def test_one_reader_that_asks_for_little_changes_nothing() -> None:
    line, pace = Line(0.08, demand=2), Pace(8)
    before = pace.window
    line.drive(pace, 20.0)
    assert (pace.window, pace.connections) == (before, FIRST_CONNECTIONS)


def test_a_flood_wait_halves_the_window_and_takes_a_connection_once() -> None:
    line, pace = Line(0.08, per_connection=5), Pace(8)
    line.drive(pace, 5.0)
    window = pace.window
    for _ in range(10):  # all that was in flight gets the same answer
        pace.flooded(line.now)
    assert (pace.window, pace.connections) == (window // 2, 7)


def test_more_connections_are_not_measured_against_what_those_before_a_complaint_brought() -> None:
    trials = Trials(2)
    trials.put_off(0.0)
    trials.judge(0.0, rate=40.0, seconds=0.1)  # the usual rate of two
    trials.cut(0.0)
    later = PATIENCE
    trials.judge(later, rate=20.0, seconds=0.1)
    assert (trials.running, trials.connections) == (True, 2)
    assert trials.settled(later + 1)
    trials.judge(later + 1, rate=26.0, seconds=0.1)  # of what they promise a fourth, and more
    assert (trials.running, trials.connections) == (False, 2)


def test_after_a_flood_wait_the_window_grows_back_but_slowly() -> None:
    line, pace = Line(0.08, in_all=200), Pace(4)
    line.drive(pace, 5.0)
    window = pace.window
    pace.flooded(line.now)
    line.drive(pace, line.now + 3.0)
    assert pace.window < 0.7 * window
    line.drive(pace, line.now + 30.0)
    assert line.speed(pace, 5.0) > 0.9 * 200


def test_timeouts_take_one_request_and_one_connection_at_a_time() -> None:
    line, pace = Line(0.08, per_connection=5), Pace(8)
    line.drive(pace, 5.0)
    window = pace.window
    pace.failed(line.now)
    pace.failed(line.now)
    assert (pace.window, pace.connections) == (window - 1, 7)


def test_what_is_lost_to_timeouts_comes_back() -> None:
    line, pace = Line(0.04, per_connection=5, demand=32), Pace(8)
    line.drive(pace, 5.0)
    for _ in range(20):
        line.drive(pace, line.now + 2.0)
        pace.failed(line.now)
    assert pace.connections == 1
    line.drive(pace, line.now + 60.0)
    assert pace.connections == 8


def test_a_very_slow_line_is_asked_for_little() -> None:
    line, pace = Line(0.04, in_all=0.3), Pace(8)
    line.drive(pace, 120.0)
    assert pace.window <= 3


EVENT = st.tuples(st.sampled_from("aaaaff!"), st.floats(0, 3), st.floats(0, 60), st.integers(1, 200))


@given(st.integers(1, 16), st.lists(EVENT, max_size=200))
def test_whatever_happens_it_stays_within_its_bounds(
    most: int, events: list[tuple[str, float, float, int]]
) -> None:
    pace, now = Pace(most), 1000.0
    for what, gap, seconds, in_flight in events:
        now += gap
        if what == "a":
            pace.answered(now, "piece", MIB, seconds, in_flight)
        elif what == "f":
            pace.flooded(now)
        else:
            pace.failed(now)
        assert 1 <= pace.connections <= most
        assert 1 <= pace.window <= SLOTS * most
        assert pace.state in {"starting", "steady", "trying", "draining"}


@pytest.mark.parametrize("most", [1, 2, 16])
def test_it_starts_small_and_within_what_is_allowed(most: int) -> None:
    pace = Pace(most)
    assert pace.connections == min(FIRST_CONNECTIONS, most)
    assert pace.window == 8
