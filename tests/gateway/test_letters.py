"""Letters about ZIPs that are ready: one for each ZIP and address, and none for who asks without one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from errors import AtCapacity
from gateway import Post
from gateway.background.letters import MOST_A_DAY
from model import Folder, Job
from tests.conftest import House, build_house
from tests.gateway.preparing import KINDS, WORKER, claimed, ignore, never, prepared


class Letterbox:
    """Takes every letter."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        """To whom."""

    def send(self, to: str, subject: str, text: str, *, number: str) -> None:
        self.sent.append(to)


@pytest.fixture
def letterbox() -> Letterbox:
    return Letterbox()


@pytest.fixture
def house(tmp_path: Path, letterbox: Letterbox) -> Iterator[House]:
    """ZIPs are kept here for longer than letters are counted."""
    post = Post(letterbox, lambda job, stamp: "https://files.example.org/zip", "https://files.example.org")
    built = build_house(tmp_path, post=post, zip_cache_hours=7 * 24)
    yield built
    built.gateway.close()
    built.store.close()
    built.database.close()


def filled(house: House, name: str) -> Folder:
    house.gateway.uploads.put(house.user, f"/{name}/f", BytesIO(b"12345"), 5)
    found = house.gateway.files.at(house.user, f"/{name}")
    assert isinstance(found, Folder)
    return found


def ask(house: House, folder: Folder, email: str | None = None) -> Job:
    """And have all letters sent that this leads to."""
    job = house.gateway.prepared.ask(house.user, folder, email=email)
    send_all(house)
    return job


def send_all(house: House) -> None:
    """Whatever is due, the ZIP first."""
    while (letter := house.gateway.jobs.claim(WORKER, timedelta(minutes=1), KINDS)) is not None:
        made = house.gateway.jobs.perform(letter, lambda done: None, lambda: False)
        house.gateway.jobs.finish(letter, WORKER, made)


def a_day_later(house: House) -> None:
    now = house.database.now
    house.database.now = lambda: now() + timedelta(hours=25)
    house.gateway.prepared.tidy()


def test_each_address_has_one_letter_about_a_zip_as_long_as_it_is_there(
    house: House, letterbox: Letterbox
) -> None:
    folder = filled(house, "a")
    ask(house, folder, "ada@example.net")
    for email in (None, "ada@example.net", "zoe@example.net", None, "ada@example.net"):
        a_day_later(house)
        assert ask(house, folder, email).status == "ready"
    assert letterbox.sent == ["ada@example.net", "zoe@example.net"]


@pytest.mark.parametrize("before", [None, "ada@example.net"])
def test_who_gives_an_address_when_the_zip_is_made_and_not_yet_ready_has_a_letter(
    house: House, letterbox: Letterbox, before: str | None
) -> None:
    folder = filled(house, "a")
    house.gateway.prepared.ask(house.user, folder, email=before)
    zipping = claimed(house.gateway)
    made = house.gateway.jobs.perform(zipping, ignore, never)
    joined = ask(house, folder, "zoe@example.net")
    assert (joined.id, joined.status, letterbox.sent) == (zipping.id, "processing", [])
    house.gateway.jobs.finish(zipping, WORKER, made)
    send_all(house)
    assert letterbox.sent == ["zoe@example.net"], "which was given last"


@pytest.mark.slow
def test_whoever_asks_without_an_address_is_not_refused_for_letters(
    house: House, letterbox: Letterbox
) -> None:
    first, second = filled(house, "a"), filled(house, "b")
    prepared(house.gateway, house.user, second)
    for folder in (first, second):
        for number in range(MOST_A_DAY):
            ask(house, folder, f"{number}@example.net")
        with pytest.raises(AtCapacity):
            ask(house, folder, "one-more@example.net")
        assert ask(house, first).status == "ready"
        a_day_later(house)
    assert len(letterbox.sent) == 2 * MOST_A_DAY, "and the letters of a day are those of that day"
