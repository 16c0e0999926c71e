"""Places and the line: who gets in, who waits, who is sent away, and that nobody is held up by another's excess."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from errors import AtCapacity, ClientGone
from gateway.moving.admission import LINE, LINE_PER_USER, Admission
from gateway.moving.transfer import Party, Visitor
from tests.serving.conftest import until

ANN, BOB, EVE = 1, 2, 3
LONG = 60.0
"""Seconds of patience where nobody is to lose it."""


def here() -> bool:
    """The client that does not go away."""
    return False


class Door:
    """Requests for a place, each on a thread of its own."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self._threads = ThreadPoolExecutor(LINE + 8)
        self._over = threading.Event()

    def ask(self, user: Party, transfer: int, gone: Callable[[], bool] = here) -> Future[None]:
        """A request that waits in line when this returns, if it has to."""
        before = self.admission.waiting
        asked = self._threads.submit(self.admission.enter, user, transfer, gone)
        assert until(lambda: asked.done() or self.admission.waiting > before)
        return asked

    def close(self) -> None:
        self.admission.close()
        self._threads.shutdown()


@pytest.fixture
def door() -> Iterator[Door]:
    """Two places, one for each user."""
    door = Door(Admission(2, 1, patience=LONG))
    yield door
    door.close()


def test_later_connections_of_a_transfer_share_its_place(door: Door) -> None:
    for _ in range(40):
        door.admission.enter(ANN, 1, here)
    door.admission.enter(BOB, 2, here)
    assert door.admission.waiting == 0


def test_the_next_place_goes_to_whoever_came_first(door: Door) -> None:
    door.admission.enter(ANN, 1, here)
    door.admission.enter(BOB, 2, here)
    first, second = door.ask(EVE, 3), door.ask(4, 4)
    assert (door.admission.place_in_line(3), door.admission.place_in_line(4)) == (1, 2)
    door.admission.leave(2)
    first.result(5)
    assert not second.done() and door.admission.place_in_line(4) == 1
    door.admission.leave(1)
    second.result(5)


def test_a_user_at_their_own_limit_holds_up_nobody_behind_them(door: Door) -> None:
    door.admission.enter(ANN, 1, here)
    excess = door.ask(ANN, 2)
    door.admission.enter(BOB, 3, here)
    assert not excess.done()
    door.admission.leave(1)
    excess.result(5)


def test_who_has_less_goes_before_who_came_earlier() -> None:
    door = Door(Admission(2, 2, patience=LONG))
    door.admission.enter(ANN, 1, here)
    door.admission.enter(BOB, 2, here)
    anns, eves = door.ask(ANN, 3), door.ask(EVE, 4)
    door.admission.leave(2)
    eves.result(5)
    assert not anns.done()
    door.close()


def test_all_connections_that_wait_for_one_transfer_get_in_together(door: Door) -> None:
    door.admission.enter(ANN, 1, here)
    waiting = [door.ask(ANN, 2) for _ in range(3)]
    assert door.admission.place_in_line(2) == 1
    door.admission.leave(1)
    for one in waiting:
        one.result(5)


def test_a_full_line_sends_away_at_once(door: Door) -> None:
    door.admission.enter(ANN, 1, here)
    door.admission.enter(BOB, 2, here)
    own = [door.ask(EVE, 3) for _ in range(LINE_PER_USER)]
    with pytest.raises(AtCapacity):
        door.admission.enter(EVE, 3, here)
    others = [door.ask(user, user) for user in range(10, 10 + LINE - LINE_PER_USER)]
    with pytest.raises(AtCapacity) as refused:
        door.admission.enter(99, 99, here)
    assert refused.value.retry_after > 0
    assert not any(one.done() for one in [*own, *others])


def test_patience_ends() -> None:
    admission = Admission(1, 1, patience=0.05)
    admission.enter(ANN, 1, here)
    with pytest.raises(AtCapacity, match="All places"):
        admission.enter(BOB, 2, here)
    with pytest.raises(AtCapacity, match="You have 1"):
        admission.enter(ANN, 3, here)
    assert admission.waiting == 0
    admission.leave(1)
    admission.enter(BOB, 2, here)


def test_a_client_that_leaves_leaves_the_line(door: Door) -> None:
    door.admission.enter(ANN, 1, here)
    left = threading.Event()
    waiting = door.ask(ANN, 2, left.is_set)
    left.set()
    with pytest.raises(ClientGone):
        waiting.result(5)
    assert door.admission.waiting == 0
    door.admission.leave(1)
    door.admission.enter(ANN, 3, here)


def test_a_door_that_closes_lets_nobody_in_and_nobody_wait(door: Door) -> None:
    door.admission.enter(ANN, 1, here)
    waiting = door.ask(ANN, 2)
    door.admission.close()
    for refused in (waiting, door.ask(ANN, 1)):
        with pytest.raises(AtCapacity, match="stop"):
            refused.result(5)


def test_places_are_neither_lost_nor_made_in_a_crowd() -> None:
    most, running, worst = 3, set[int](), [0]
    lock, admission = threading.Lock(), Admission(3, 2, patience=LONG)

    def come_and_go(transfer: int) -> None:
        try:
            admission.enter(transfer % 4, transfer, here)
        except AtCapacity:
            return
        with lock:
            running.add(transfer)
            worst[0] = max(worst[0], len(running))
            running.remove(transfer)
        admission.leave(transfer)

    with ThreadPoolExecutor(LINE) as pool:
        list(pool.map(come_and_go, range(400)))
    assert 0 < worst[0] <= most
    for transfer in range(most):
        admission.enter(transfer, 1000 + transfer, here)


def test_visitors_leave_places_for_users() -> None:
    door = Door(Admission(4, 2, patience=LONG))
    for transfer in range(3):
        door.admission.enter(Visitor(1, f"192.0.2.{transfer}"), transfer, here)
    waits = door.ask(Visitor(2, "198.51.100.1"), 3)
    assert not waits.done(), "a quarter of the places is not theirs"
    door.admission.enter(ANN, 4, here)
    door.admission.leave(0)
    assert waits.result(LONG) is None
    door.close()


def test_a_single_place_is_for_visitors_too() -> None:
    Admission(1, 1, patience=0).enter(Visitor(1, "192.0.2.1"), 1, here)
