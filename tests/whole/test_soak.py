"""A minute of the soak; `python -m bench.soak` is an hour of it."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from tests.whole.soaking.soak import soaking

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ROUNDS = 2
STORM, CALM = 10.0, 5.0
"""Seconds: with two rounds for each seed, a minute of weather."""


@pytest.mark.parametrize("seed", [1, 2], ids=["with a cache", "without a cache"])
def test_clients_of_every_kind_in_every_weather_get_no_wrong_byte_and_leave_nothing_behind(
    seed: int, tmp_path: Path
) -> None:
    with soaking(tmp_path, seed) as soak:
        for _ in range(ROUNDS):
            soak.round(STORM, CALM, Event())
        wrongs = soak.judge()
    print(f"seed {seed}: {soak.ledger.outcomes}; {soak.ledger.faults}; {soak.rests}")
    assert not wrongs, "\n".join(wrongs)
