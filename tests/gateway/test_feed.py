"""Following events: each once and in order, whichever way they came, and never more than a bound."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from errors import AtCapacity
from gateway.happening.feed import Feed, Subscription
from model import Event, News, User
from tests.conftest import House


def an_event(number: int, user: int = 1, type: str = "folder_made") -> Event:
    return Event(number, type, datetime.now(UTC), user, "ann", {})  # type: ignore[arg-type]


def ids(subscription: Subscription) -> list[int]:
    return [event.id for event in subscription.take()[0]]


def test_what_came_while_one_asked_comes_once_and_in_order() -> None:
    feed = Feed()
    subscription = feed.join(1)
    feed.deliver(News((an_event(3), an_event(4)), 4, reset=False))
    subscription.begin(News((an_event(2), an_event(3)), 3, reset=False), 1)
    assert ids(subscription) == [2, 3, 4]
    feed.deliver(News((an_event(4), an_event(5), an_event(6, user=2)), 6, reset=False))
    assert ids(subscription) == [5]


def test_a_reader_is_woken_for_its_own_events_only() -> None:
    feed, woken = Feed(), []
    subscription = feed.join(1)
    subscription.wake = lambda: woken.append(True)
    feed.deliver(News((an_event(1, user=2),), 1, reset=False))
    assert woken == []
    feed.deliver(News((an_event(2),), 2, reset=False))
    assert woken == [True]


def test_who_reads_too_slowly_loads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.happening.feed.MOST_PENDING", 3)
    feed = Feed()
    subscription = feed.join(1)
    feed.deliver(News(tuple(map(an_event, range(1, 6))), 5, reset=False))
    assert (subscription.take()[1], subscription.last) == (True, 5)
    assert subscription.take() == ([], False)


def test_a_reader_who_was_away_for_too_long_loads_anew() -> None:
    subscription = Feed().join(1)
    subscription.begin(News((an_event(8),), 8, reset=True), 2)
    assert (subscription.take(), subscription.last) == (([], True), 8)


def test_there_is_room_for_so_many_of_each_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.happening.feed.MOST_PER_USER", 1)
    monkeypatch.setattr("gateway.happening.feed.MOST", 2)
    feed = Feed()
    first = feed.join(1)
    with pytest.raises(AtCapacity):
        feed.join(1)
    feed.join(2)
    with pytest.raises(AtCapacity):
        feed.join(3)
    first.close()
    feed.join(3)


def test_a_new_password_ends_what_is_followed() -> None:
    feed = Feed()
    ann, bob = feed.join(1), feed.join(2)
    feed.deliver(News((an_event(1, type="password_changed"),), 1, reset=False))
    assert (ann.over, bob.over) == (True, False)


def test_a_stop_ends_all_and_lets_nobody_in() -> None:
    feed = Feed()
    subscription = feed.join(1)
    feed.end()
    ended = [subscription.over]
    feed.close()
    feed.end()
    assert [*ended, subscription.over] == [False, True]
    with pytest.raises(AtCapacity):
        feed.join(1)


def test_one_follows_from_where_one_was(house: House) -> None:
    events, files = house.gateway.events, house.gateway.files
    seen = events.since(house.user, None).last
    files.make_folder(house.user, "/a")
    behind, fresh = events.follow(house.user, seen), events.follow(house.user, None)
    files.make_folder(house.user, "/b")
    for _ in range(2):
        house.gateway.upkeep.pass_on_events()
    assert [event.about["path"] for event in behind.take()[0]] == ["/a", "/b"]
    assert [event.about["path"] for event in fresh.take()[0]] == ["/b"]


def test_nobody_else_s_events_are_followed(house: House) -> None:
    bob: User = house.gateway.people.add("bob", "battery staple")
    followed = house.gateway.events.follow(bob, None)
    house.gateway.files.make_folder(house.user, "/a")
    house.gateway.upkeep.pass_on_events()
    assert followed.take() == ([], False)
