"""How long the next guess waits: a clock that only moves when told, and guesses that are right or wrong as told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import AtCapacity, TooManyGuesses
from gateway.access import slowdown
from gateway.access.slowdown import (
    FORGOTTEN_AFTER,
    FREE_BY_ACCOUNT,
    FREE_BY_NETWORK,
    LONGEST_WAIT,
    Slowdown,
    network,
)


class Door:
    """A slow-down, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slowdown = Slowdown(lambda: self.now)

    def guess(
        self, account: str = "ada", place: str = "here", *, known: bool = False, right: bool = False
    ) -> float:
        """0 when the guess was looked at, else the seconds to wait."""
        try:
            assert self.slowdown.guess(account, place, known, lambda: right) is right
        except TooManyGuesses as refusal:
            return refusal.retry_after
        return 0.0


@pytest.fixture
def door() -> Door:
    return Door()


def waits(door: Door, count: int) -> list[float]:
    """What each of so many guesses that are made as soon as they may be had to wait before."""
    found = []
    for _ in range(count):
        wait = door.guess()
        if wait:
            door.now += wait
            assert door.guess() == 0.0
        found.append(wait)
    return found


def test_the_first_wrong_ones_are_free_and_then_each_doubles_the_wait(door: Door) -> None:
    assert waits(door, FREE_BY_ACCOUNT + 4) == [0.0] * FREE_BY_ACCOUNT + [1.0, 2.0, 4.0, 8.0]


def test_no_wait_is_longer_than_the_longest(door: Door) -> None:
    assert max(waits(door, 40)) == LONGEST_WAIT


def test_a_right_password_must_wait_too_and_then_gets_in(door: Door) -> None:
    waits(door, FREE_BY_ACCOUNT)
    assert door.guess(right=True) == 1.0
    door.now += 1.0
    assert door.guess(right=True) == 0.0


def test_a_network_is_slowed_down_over_all_accounts(door: Door) -> None:
    for number in range(FREE_BY_NETWORK):
        assert door.guess(f"user {number}") == 0.0
    assert door.guess("another") == 1.0
    assert door.guess("another", "elsewhere") == 0.0


def test_an_account_is_slowed_down_over_all_networks(door: Door) -> None:
    for number in range(FREE_BY_ACCOUNT):
        assert door.guess(place=f"place {number}") == 0.0
    assert door.guess(place="another") == 1.0
    assert door.guess("bob", "another") == 0.0


def test_strangers_do_not_slow_down_who_signs_in_from_where_they_always_do(door: Door) -> None:
    for number in range(FREE_BY_ACCOUNT):
        door.guess(place=f"place {number}")
    assert door.guess(place="home", right=True) > 0
    assert door.guess(place="home", known=True, right=True) == 0.0
    for number in range(FREE_BY_NETWORK):
        door.guess(f"user {number}", "home")
    assert door.guess(place="home", known=True, right=True) == 0.0, "nor a neighbour who guesses at others"


def test_at_home_too_guesses_are_counted(door: Door) -> None:
    assert [door.guess(known=True) for _ in range(FREE_BY_ACCOUNT + 1)] == [0.0] * FREE_BY_ACCOUNT + [1.0]


def test_signing_in_to_ones_own_account_buys_no_guesses_at_anothers(door: Door) -> None:
    looked_at = 0
    for _ in range(3 * FREE_BY_NETWORK):
        looked_at += door.guess("victim") == 0.0
        door.guess("own", right=True)
    assert looked_at == FREE_BY_ACCOUNT


def test_after_an_hour_of_quiet_all_is_forgotten(door: Door) -> None:
    waits(door, FREE_BY_ACCOUNT + 2)
    door.now += FORGOTTEN_AFTER
    assert waits(door, FREE_BY_ACCOUNT + 1) == [0.0] * FREE_BY_ACCOUNT + [1.0]


def test_guesses_that_are_still_being_checked_count(door: Door) -> None:
    def nested(depth: int) -> bool:
        if depth:
            door.slowdown.guess("ada", "here", False, lambda: nested(depth - 1))
        return True

    nested(FREE_BY_ACCOUNT)
    with pytest.raises(TooManyGuesses):
        nested(FREE_BY_ACCOUNT + 1)
    assert door.guess(right=True) == 0.0, "they were right, and are over"


def test_a_password_that_could_not_be_looked_at_is_no_guess(door: Door) -> None:
    def full() -> bool:
        raise AtCapacity("full")

    for _ in range(2 * FREE_BY_NETWORK):
        with pytest.raises(AtCapacity, match="full"):
            door.slowdown.guess("ada", "here", False, full)
    assert door.guess() == 0.0


def test_only_so_much_is_remembered_and_what_is_tried_stays(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slowdown, "MAX_KEPT", 10)
    for number in range(100):
        if number < FREE_BY_ACCOUNT:
            door.guess(place=f"place {number}")
        door.guess(f"user {number}", f"place {number}")
        assert number < FREE_BY_ACCOUNT or door.guess(place=f"place {number}") > 0
    assert "10 accounts, 10 networks" in repr(door.slowdown)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("a unix socket", ""),
    ],
)
def test_one_place_is_an_ipv4_address_or_the_64_of_an_ipv6_one(address: str, place: str) -> None:
    assert network(address) == place


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_however_guesses_are_spread_no_more_are_looked_at_than_the_waits_allow(pauses: list[float]) -> None:
    door, looked_at = Door(), 0
    began = door.now
    for pause in pauses:
        door.now += pause
        looked_at += door.guess() == 0.0
    most = FREE_BY_ACCOUNT
    waited = 0.0
    while waited + min(2.0 ** (most - FREE_BY_ACCOUNT), LONGEST_WAIT) <= door.now - began:
        waited += min(2.0 ** (most - FREE_BY_ACCOUNT), LONGEST_WAIT)
        most += 1
    # An hour's quiet forgives; within these pauses there is none.
    assert looked_at <= most
