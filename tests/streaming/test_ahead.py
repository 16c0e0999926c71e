"""How far a stream reads ahead for readers of all kinds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streaming.ahead import FIRST, GROWTH, SLOW, ReadAhead

SIZE = 100


def test_a_reader_that_was_found_waiting_gets_more_up_to_the_window() -> None:
    ahead = ReadAhead(SIZE)
    assert ahead.reads(0, window=99) == FIRST
    ahead.waited(SIZE, window=99)
    assert ahead.reads(0, window=99) == FIRST * GROWTH
    ahead.waited(2 * SIZE, window=16)
    assert ahead.reads(0, window=99) == 16


def test_waiting_for_the_first_piece_says_nothing_of_the_reader_and_for_another_one_it_counts_once() -> None:
    ahead = ReadAhead(SIZE)
    ahead.waited(0, window=99)
    assert ahead.pieces == FIRST
    ahead.waited(SIZE, window=99)
    ahead.waited(SIZE, window=99)
    assert ahead.pieces == FIRST * GROWTH


def test_a_reader_that_lets_pieces_lie_gets_one_at_a_time_and_the_next_shortly_before_its_end() -> None:
    ahead = ReadAhead(SIZE)
    ahead.gave(SIZE, 0.0)
    ahead.gave(2 * SIZE, 0.0)
    ahead.took(SIZE, SLOW + 1)
    assert ahead.pieces == 1
    assert [ahead.reads(left, window=16) for left in (SIZE, SIZE // 2, SIZE // 4, 0)] == [0, 0, 1, 1]


def test_a_reader_that_takes_pieces_in_time_keeps_what_it_has() -> None:
    ahead = ReadAhead(SIZE)
    for number in range(1, 10):
        ahead.gave(number * SIZE, float(number))
        ahead.took(number * SIZE, number + SLOW / 2)
    assert ahead.pieces == FIRST


@given(st.integers(1, 64), st.integers(0, 100), st.integers(0, 64 * SIZE))
def test_a_reader_that_has_all_it_was_given_is_always_read_for_and_nobody_gets_more_than_the_window(
    pieces: int, window: int, left: int
) -> None:
    ahead = ReadAhead(SIZE)
    ahead.pieces = pieces
    assert ahead.reads(0, max(1, window)) >= 1
    assert ahead.reads(left, window) <= window
