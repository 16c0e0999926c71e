"""Cancel, pause and resume: what is done is seen by every connection, and only by those of that transfer."""

from __future__ import annotations

import io

import pytest

from errors import ClientGone, Conflict, Gone, NotFound
from model import MIB, Wait
from tests.conftest import House
from tests.gateway.test_transfers import DATA, a_file, fetch, status


def test_a_cancelled_download_ends_and_gives_its_place_up_at_once(house: House) -> None:
    file = a_file(house)
    downloads = [fetch(house, file), fetch(house, file, MIB)]
    woken: list[int] = []
    for number, one in enumerate(downloads):
        one.started(lambda number=number: woken.append(number))  # type: ignore[misc]
    house.gateway.control.cancel(house.user, status(house).id)
    assert house.gateway.transfers.statuses() == []
    assert sorted(woken) == [0, 1]
    for one in downloads:
        with pytest.raises(ClientGone):
            one.poll(0)
        one.close()
        assert one.outcome == "cancelled"
    assert house.gateway.transfers.figures().ended["download", "cancelled"] == 1


def test_a_program_that_goes_on_where_it_was_cut_is_refused_and_a_new_beginning_is_not(
    house: House,
    now: list[float],
) -> None:
    file = a_file(house)
    fetched = fetch(house, file)
    house.gateway.control.cancel(house.user, status(house).id)
    fetched.close()
    with pytest.raises(Gone, match="cancelled"):
        fetch(house, file, MIB)
    fetch(house, file).close()
    now[0] += 61
    house.gateway.upkeep.watch_transfers()
    fetch(house, file, MIB).close()


def test_a_paused_download_gives_nothing_until_it_is_resumed_and_keeps_its_connections(
    house: House,
    now: list[float],
) -> None:
    download = fetch(house, a_file(house))
    woken: list[bool] = []
    download.started(lambda: woken.append(True))
    number = status(house).id
    house.gateway.control.pause(house.user, number)
    assert download.poll(0) == Wait(now[0] + 600)
    now[0] += 300
    house.gateway.upkeep.watch_transfers()
    assert (status(house).paused, status(house).connections, status(house).eta) == (True, 1, None)
    house.gateway.control.resume(house.user, number)
    assert woken == [True]
    assert isinstance(download.poll(0), bytes)
    house.gateway.control.pause(house.user, number)
    now[0] += 601
    assert isinstance(download.poll(0), bytes), "a pause does not last for ever"
    download.close()


def test_a_cancelled_upload_is_given_up(house: House) -> None:
    upload = house.gateway.uploads.create(house.user, folder="/", name="u", length=3)
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(b"ab"), 2)
    number = status(house).id
    with pytest.raises(Conflict):
        house.gateway.control.pause(house.user, number)
    house.gateway.control.cancel(house.user, number)
    assert house.gateway.transfers.statuses() == []
    with pytest.raises(Gone):
        house.gateway.uploads.get(house.user, upload.id)


def test_everybody_has_their_own_in_hand_and_an_admin_all(house: House) -> None:
    bob = house.gateway.people.add("bob", "battery staple")
    eve = house.gateway.people.add("eve", "battery staple")
    file = house.gateway.uploads.put(bob, "/f", io.BytesIO(DATA), len(DATA))[0]
    download = fetch(house, file, user=bob)
    number = status(house).id
    for verb in (house.gateway.control.cancel, house.gateway.control.pause, house.gateway.control.resume):
        with pytest.raises(NotFound):
            verb(eve, number)
    house.gateway.control.pause(house.user, number)
    house.gateway.control.cancel(bob, number)
    download.close()
