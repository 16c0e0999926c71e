"""Single flight: however many streams want a piece at a time, it is fetched once.

It must never know how a piece is fetched or where it is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial

from errors import StoreClosed, Transient
from model import Locator
from storage.base import Read
from storage.cache.index import Place

Fetch = Callable[[], Read]
OnLanded = Callable[[Place, bytes], None]


class _Flight:
    """One fetch and those who wait for it. All of it belongs to the lock of `Flights`."""

    def __init__(self, place: Place, attempt: int) -> None:
        self.place = place
        self.attempt = attempt
        self.fetch: Read | None = None
        self.waiters: list[Read] = []
        self.wanted = True
        """Whether what it brings is worth keeping."""


class Flights:
    """The fetches in the air. A failed one fails its waiters and is not remembered."""

    def __init__(self, landed: OnLanded) -> None:
        """`landed(place, data)` is called for each success, before its waiters hear of it and on whatever thread ends
        the fetch: it must not wait for anything."""
        self._landed = landed
        self._lock = threading.Lock()  # joining, leaving and landing of one flight exclude each other
        self._in_air: dict[tuple[Place, int], _Flight] = {}
        self._closed = False
        self.shared = 0

    def __repr__(self) -> str:
        return f"<Flights {len(self._in_air)} in the air>"

    def __len__(self) -> int:
        return len(self._in_air)

    def join(self, place: Place, attempt: int, fetch: Fetch, is_here: Callable[[], bool]) -> Read | None:
        """A future of the piece's bytes, from the flight in the air or from a new one, begun by `fetch`.

        Cancelling it takes nothing from others; only the last one that goes takes the fetch along. But a fetch that is
        sent goes on without waiters: its bytes cost the same whether they are dropped or kept, and the client that
        dropped them may be back over another connection. None if there is no flight and `is_here()` says that the piece
        has come since the caller looked.
        """
        waiter = Read()
        with self._lock:
            if self._closed:
                waiter.set_exception(StoreClosed("The store is closed."))
                return waiter
            flight = self._in_air.get((place, attempt))
            first = flight is None
            if flight is None:
                if is_here():
                    return None
                flight = self._in_air[place, attempt] = _Flight(place, attempt)
            else:
                self.shared += 1
                if flight.fetch is not None:
                    flight.fetch.want()
            flight.waiters.append(waiter)
        waiter.add_done_callback(partial(self._leave, flight))
        if first:
            self._begin(flight, fetch())  # outside the lock: it may be over when it returns
        return waiter

    def disown(self, locators: Collection[Locator]) -> None:
        """What is on its way from these messages goes to its waiters and is not kept."""
        with self._lock:
            for flight in self._in_air.values():
                if flight.place.locator in locators:
                    flight.wanted = False

    def close(self) -> None:
        """End every flight; who waits for one gets `StoreClosed`."""
        with self._lock:
            self._closed = True
            flights, self._in_air = list(self._in_air.values()), {}
            waiters = [waiter for flight in flights for waiter in flight.waiters]
        for flight in flights:
            if flight.fetch is not None:
                flight.fetch.cancel()
        for waiter in waiters:
            _fail(waiter, StoreClosed("The store is closed."))

    def _begin(self, flight: _Flight, fetch: Read) -> None:
        with self._lock:
            flight.fetch = fetch
            ended = self._end_if_deserted(flight)  # while it was being begun
        if ended:
            fetch.cancel()
        fetch.add_done_callback(partial(self._land, flight))

    def _leave(self, flight: _Flight, waiter: Read) -> None:
        if not waiter.cancelled():
            return
        waiter.set_running_or_notify_cancel()  # tells those who wait() for it, as an executor would
        with self._lock:
            if waiter not in flight.waiters:
                return
            flight.waiters.remove(waiter)
            fetch = flight.fetch if self._end_if_deserted(flight) else None
        if fetch is not None:
            fetch.cancel()

    def _end_if_deserted(self, flight: _Flight) -> bool:
        """Whether its fetch is to be cancelled, which tells others, and so has to be done outside the lock."""
        if flight.waiters or flight.fetch is None or not flight.fetch.withdraw():
            return False
        self._forget(flight)
        return True

    def _land(self, flight: _Flight, fetch: Read) -> None:
        failure = Transient("The store gave up a read.", 0.5) if fetch.cancelled() else fetch.exception()
        try:
            if failure is None and flight.wanted:
                self._landed(
                    flight.place, fetch.result()
                )  # before it leaves the air: it is always in one of the two
        finally:  # whatever becomes of it, nobody is left waiting
            self._settle(flight, failure, fetch)

    def _settle(self, flight: _Flight, failure: BaseException | None, fetch: Read) -> None:
        with self._lock:
            self._forget(flight)
            waiters, flight.waiters = flight.waiters, []
            # A future keeps its callbacks, and with `_land` the flight: both would keep the piece until a collection.
            flight.fetch = None
        for waiter in waiters:
            if failure is not None:
                _fail(waiter, failure)
            else:
                with suppress(InvalidStateError):  # cancelled at this moment
                    waiter.set_result(fetch.result())

    def _forget(self, flight: _Flight) -> None:
        if self._in_air.get((flight.place, flight.attempt)) is flight:
            del self._in_air[flight.place, flight.attempt]


def _fail(waiter: Future[bytes], failure: BaseException) -> None:
    with suppress(InvalidStateError):  # cancelled at this moment
        waiter.set_exception(failure)
