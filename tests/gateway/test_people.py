"""Signing in: what a password costs, whom strangers keep out, and what a change of password ends."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from argon2 import PasswordHasher

from errors import AtCapacity, BadInput, DatabaseUnavailable, Forbidden, TooManyGuesses
from gateway.access.passwords import MAX_SIGNING_IN, Passwords
from gateway.access.slowdown import FREE_BY_ACCOUNT
from model import Client
from serving.lanes import PAGE_THREADS
from tests.conftest import House, build_house

CROWD = 4 * MAX_SIGNING_IN
PASSWORD = "correct horse"
HOME, ELSEWHERE = Client("192.0.2.1", "curl"), Client("198.51.100.1", "curl")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that costs a hash to check."""
    checked: list[str] = []
    fits = Passwords.fits

    def counted(self: Passwords, stored: str, password: str) -> bool:
        checked.append(password)
        return fits(self, stored, password)

    monkeypatch.setattr(Passwords, "fits", counted)
    return checked


def guess_until_refused(house: House, client: Client, name: str = "ada") -> int:
    """How many wrong passwords were looked at."""
    for number in range(100):
        try:
            assert house.gateway.people.by_password(name, f"wrong {number}", client) is None
        except TooManyGuesses:
            return number
    raise AssertionError("a hundred guesses were taken")


@pytest.mark.slow
def test_a_flood_of_sign_ins_is_turned_away_and_does_not_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.access.passwords.PasswordHasher", PasswordHasher)  # as slow as in earnest
    house = build_house(tmp_path)
    together = Barrier(CROWD)

    def guess(number: int) -> type[Exception] | None:
        together.wait(10)
        try:
            # Each from a place of its own, at an account of its own: the slow-down has nothing against them.
            client = Client(f"192.0.2.{number}", "curl")
            assert house.gateway.people.by_password(f"user {number}", "wrong", client) is None
        except AtCapacity as error:
            return type(error)
        return None

    with ThreadPoolExecutor(CROWD) as pool:
        ends = Counter(pool.map(guess, range(CROWD)))
    assert ends[AtCapacity] > 0
    assert house.gateway.people.by_password("ada", PASSWORD, HOME) == house.user
    house.gateway.close()
    house.database.close()


def test_sign_ins_leave_threads_for_the_pages() -> None:
    assert MAX_SIGNING_IN < PAGE_THREADS


def test_a_token_in_a_passwords_place_costs_no_hash_and_is_never_slowed_down(
    house: House, hashed: list[str]
) -> None:
    _, secret = house.gateway.people.make_token(house.user, "t")
    guess_until_refused(house, HOME)
    hashed.clear()
    for _ in range(50):
        assert house.gateway.people.by_password("ada", "stw_wrong", HOME) is None
        assert house.gateway.people.by_password("ada", secret, HOME) == house.user
    assert hashed == []


def test_a_password_cannot_look_like_a_token(house: House) -> None:
    with pytest.raises(BadInput, match="stw_"):
        house.gateway.people.add("bob", "stw_battery staple")


def test_a_right_password_costs_one_hash_for_a_while_and_so_does_a_wrong_one(
    house: House, hashed: list[str]
) -> None:
    for _ in range(20):
        assert house.gateway.people.by_password("ada", PASSWORD, HOME) == house.user
        assert house.gateway.people.by_password("ada", "the old one", HOME) is None
    assert hashed == [PASSWORD, "the old one"]


def test_who_guesses_elsewhere_does_not_hear_what_was_right_a_moment_ago(house: House) -> None:
    assert house.gateway.people.by_password("ada", PASSWORD, HOME) == house.user
    guess_until_refused(house, ELSEWHERE)
    with pytest.raises(TooManyGuesses):
        house.gateway.people.by_password("ada", PASSWORD, ELSEWHERE)
    assert house.gateway.people.by_password("ada", PASSWORD, HOME) == house.user


def test_a_program_with_an_old_password_does_not_keep_its_owner_out(house: House) -> None:
    for _ in range(200):
        assert house.gateway.people.by_password("ada", "the old one", HOME) is None
    assert house.gateway.people.by_password("ada", PASSWORD, HOME) == house.user


def test_a_remembered_password_ends_with_its_change_and_with_its_user(house: House) -> None:
    people = house.gateway.people
    people.add("bob", "battery staple")
    assert people.by_password("bob", "battery staple", HOME) is not None
    people.set_password("bob", "another one")
    assert people.by_password("bob", "battery staple", HOME) is None
    assert people.by_password("bob", "another one", HOME) is not None
    people.remove(people.named("bob").id)
    assert people.by_password("bob", "another one", HOME) is None


@pytest.mark.parametrize("name", ["ada", "nobody", "no/name"])
def test_guesses_at_known_unknown_and_impossible_names_are_counted_alike(house: House, name: str) -> None:
    assert guess_until_refused(house, ELSEWHERE, name) == FREE_BY_ACCOUNT


def test_another_spelling_of_a_name_is_no_other_account(house: House) -> None:
    guess_until_refused(house, ELSEWHERE)
    with pytest.raises(TooManyGuesses):
        house.gateway.people.by_password("ADA", "wrong", HOME)


def test_strangers_do_not_keep_the_owner_out_where_they_have_signed_in_before(
    house: House, tmp_path: Path
) -> None:
    assert house.gateway.people.by_password("ada", PASSWORD, HOME) == house.user
    restarted = build_house(tmp_path, house.store)
    guess_until_refused(restarted, ELSEWHERE)
    with pytest.raises(TooManyGuesses):
        restarted.gateway.people.by_password("ada", PASSWORD, Client("203.0.113.9", "phone"))
    assert restarted.gateway.people.by_password("ada", PASSWORD, HOME) == house.user
    restarted.gateway.close()
    restarted.database.close()


def test_a_wrong_old_password_changes_nothing_and_counts_as_a_guess(house: House) -> None:
    people = house.gateway.people
    for number in range(FREE_BY_ACCOUNT):
        with pytest.raises(Forbidden):
            people.change_password(house.user, f"wrong {number}", "a new password", HOME, None)
    with pytest.raises(TooManyGuesses):
        people.change_password(house.user, PASSWORD, "a new password", HOME, None)


def test_uses_are_written_together_and_what_cannot_be_written_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = house.gateway
    _, secret = gateway.people.make_token(house.user, "t")
    cookie = gateway.sessions.open(house.user, HOME)
    before = gateway.sessions.of(house.user)[0].last_used_at
    for _ in range(3):
        assert gateway.people.by_token(secret) == house.user
        assert gateway.sessions.by_secret(cookie) is not None
    with monkeypatch.context() as patched:

        def held(self: object, **_: object) -> None:
            raise DatabaseUnavailable("held")

        patched.setattr("db.connection.Database.write", held)
        gateway.upkeep.keep_uses()
    (token,), (session,) = gateway.people.tokens(house.user), gateway.sessions.of(house.user)
    assert token.last_used_at is not None
    assert session.last_used_at > before
