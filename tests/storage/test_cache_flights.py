"""However many want a piece, it is fetched once, and nobody's leaving hurts another."""

from __future__ import annotations

import gc
import random
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

import pytest

from errors import ChunkMissing, Transient
from model import ByteRange, Locator
from storage.base import Read
from storage.cache.flights import Flights
from storage.cache.index import Place

PLACE = Place(Locator(-1, 1), ByteRange(0, 4))


class Fetches:
    """Every fetch that was begun, each ended by the test; and what has landed."""

    def __init__(self) -> None:
        self.begun: list[Read] = []
        self.landed: list[tuple[Place, bytes]] = []
        self.flights = Flights(lambda place, data: self.landed.append((place, data)))

    def begin(self) -> Read:
        self.begun.append(Read())
        return self.begun[-1]

    def join(self, place: Place = PLACE, attempt: int = 0) -> Future[bytes]:
        waiter = self.flights.join(place, attempt, self.begin, lambda: False)
        assert waiter is not None
        return waiter


@pytest.fixture
def fetches() -> Fetches:
    return Fetches()


def test_two_who_want_one_piece_share_one_fetch(fetches: Fetches) -> None:
    first, second = fetches.join(), fetches.join()
    fetches.begun[0].set_result(b"data")
    assert (first.result(0), second.result(0)) == (b"data", b"data")
    assert len(fetches.begun) == 1
    assert fetches.flights.shared == 1
    assert fetches.landed == [(PLACE, b"data")]


def test_another_piece_and_another_attempt_are_fetches_of_their_own(fetches: Fetches) -> None:
    fetches.join()
    fetches.join(Place(PLACE.locator, ByteRange(4, 8)))
    fetches.join(attempt=1)
    assert len(fetches.begun) == 3


@pytest.mark.parametrize("dropped", [False, True])
def test_a_piece_that_nobody_holds_any_more_is_gone_at_once(dropped: bool) -> None:
    """Not only when the collector runs: a gateway at rest makes little, so it would keep hundreds of megabytes."""
    begun, flights = [Read()], Flights(lambda place, data: None)
    waiter = flights.join(PLACE, 0, lambda: begun[0], lambda: False)
    assert waiter is not None
    assert begun[0].send()
    if dropped:
        waiter.cancel()
    begun[0].set_result(b"data")
    seen = [weakref.ref(begun[0]), weakref.ref(waiter)]
    gc.disable()
    try:
        begun.clear()
        del waiter
        assert [ref() for ref in seen] == [None, None]
    finally:
        gc.enable()


def test_cancelling_one_waiter_takes_nothing_from_the_other(fetches: Fetches) -> None:
    first, second = fetches.join(), fetches.join()
    first.cancel()
    assert not fetches.begun[0].cancelled()
    fetches.begun[0].set_result(b"data")
    assert second.result(0) == b"data"


def test_the_last_waiter_takes_the_fetch_along(fetches: Fetches) -> None:
    waiters = [fetches.join() for _ in range(3)]
    for waiter in waiters:
        waiter.cancel()
    assert fetches.begun[0].cancelled()
    assert not wait(waiters, 0).not_done
    assert len(fetches.flights) == 0


def test_a_fetch_that_is_sent_goes_on_without_waiters_and_serves_who_comes_back(fetches: Fetches) -> None:
    first = fetches.join()
    fetches.begun[0].sent = True
    first.cancel()
    assert not fetches.begun[0].cancelled()
    again = fetches.join()
    fetches.begun[0].set_result(b"data")
    assert again.result(0) == b"data"
    assert len(fetches.begun) == 1
    assert fetches.landed == [(PLACE, b"data")]


def test_who_comes_after_a_cancelled_fetch_begins_another(fetches: Fetches) -> None:
    fetches.join().cancel()
    again = fetches.join()
    fetches.begun[1].set_result(b"data")
    assert again.result(0) == b"data"


def test_a_failed_fetch_fails_its_waiters_and_is_not_remembered(fetches: Fetches) -> None:
    waiters = [fetches.join(), fetches.join()]
    fetches.begun[0].set_exception(ChunkMissing("It is gone."))
    for waiter in waiters:
        with pytest.raises(ChunkMissing):
            waiter.result(0)
    again = fetches.join()
    fetches.begun[1].set_result(b"data")
    assert again.result(0) == b"data"
    assert fetches.landed == [(PLACE, b"data")]


def test_a_fetch_that_the_store_cancels_is_transient_trouble(fetches: Fetches) -> None:
    waiter = fetches.join()
    fetches.begun[0].cancel()
    with pytest.raises(Transient):
        waiter.result(0)


def test_a_fetch_that_is_over_at_once_is_a_flight_too(fetches: Fetches) -> None:
    over = Read()
    over.set_result(b"data")
    waiter = fetches.flights.join(PLACE, 0, lambda: over, lambda: False)
    assert waiter is not None
    assert waiter.result(0) == b"data"
    assert len(fetches.flights) == 0


def test_a_piece_that_came_meanwhile_is_not_fetched(fetches: Fetches) -> None:
    assert fetches.flights.join(PLACE, 0, fetches.begin, lambda: True) is None
    assert fetches.begun == []


def test_who_leaves_while_the_fetch_is_being_begun_takes_it_along(fetches: Fetches) -> None:
    fetching, go_on = threading.Event(), threading.Event()

    def begin_slowly() -> Read:
        fetching.set()
        go_on.wait(5)
        return fetches.begin()

    starter = threading.Thread(target=lambda: fetches.flights.join(PLACE, 0, begin_slowly, lambda: False))
    starter.start()
    assert fetching.wait(5)
    (flight,) = fetches.flights._in_air.values()
    flight.waiters[0].cancel()
    go_on.set()
    starter.join(5)
    assert fetches.begun[0].cancelled()


def test_what_was_disowned_on_its_way_reaches_its_waiters_only(fetches: Fetches) -> None:
    waiter = fetches.join()
    fetches.flights.disown({PLACE.locator})
    fetches.begun[0].set_result(b"data")
    assert waiter.result(0) == b"data"
    assert fetches.landed == []


def test_closing_ends_every_wait_and_refuses_new_ones(fetches: Fetches) -> None:
    waiter = fetches.join()
    fetches.flights.close()
    with pytest.raises(Transient):
        waiter.result(0)
    assert fetches.begun[0].cancelled()
    with pytest.raises(Transient):
        fetches.join().result(0)


def test_crowds_that_come_and_go_all_end_and_leave_nothing_in_the_air() -> None:
    landed: list[Place] = []
    flights = Flights(lambda place, data: landed.append(place))
    places = [Place(Locator(-1, message), ByteRange(0, 4)) for message in range(3)]
    with ThreadPoolExecutor(4) as store:

        def fetch(place: Place) -> Read:
            read = Read()

            def answer() -> None:
                if read.set_running_or_notify_cancel():
                    read.set_result(bytes(place.locator.message))

            store.submit(answer)
            return read

        def crowd(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(300):
                place = chance.choice(places)
                waiter = flights.join(place, 0, partial(fetch, place), lambda: False)
                assert waiter is not None
                if chance.random() < 0.5:
                    waiter.cancel()
                else:
                    assert len(waiter.result(10)) == place.locator.message

        with ThreadPoolExecutor(8) as streams:
            for done in [streams.submit(crowd, seed) for seed in range(8)]:
                done.result(60)
    assert len(flights) == 0
