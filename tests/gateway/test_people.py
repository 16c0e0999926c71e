"""Signing in, when more people do so at once than there is memory for."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from argon2 import PasswordHasher

from errors import AtCapacity, NotSignedIn
from gateway.people import MAX_SIGNING_IN
from serving.lanes import PAGE_THREADS
from tests.conftest import build_house

CROWD = 4 * MAX_SIGNING_IN


def test_a_flood_of_sign_ins_is_turned_away_and_does_not_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.people.PasswordHasher", PasswordHasher)  # as slow as in earnest
    house = build_house(tmp_path)
    together = Barrier(CROWD)

    def guess(number: int) -> type[Exception]:
        together.wait(10)
        try:
            house.gateway.people.sign_in("ada", f"wrong {number}")
        except (AtCapacity, NotSignedIn) as error:
            return type(error)
        raise AssertionError("a wrong password was taken")

    with ThreadPoolExecutor(CROWD) as pool:
        ends = Counter(pool.map(guess, range(CROWD)))
    assert ends[AtCapacity] > 0
    assert house.gateway.people.sign_in("ada", "correct horse")[0].name == "ada"
    house.gateway.close()
    house.database.close()


def test_sign_ins_leave_threads_for_the_pages() -> None:
    assert MAX_SIGNING_IN < PAGE_THREADS
