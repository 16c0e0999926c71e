"""Browsers that are signed in, as rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db import Database, Sessions
from db.access.sessions import MAX_SESSIONS
from errors import NotFound
from model import Client, User
from tests.db.conftest import Clock

BROWSER = Client("192.0.2.1", "Firefox")
DAY = timedelta(days=1)


def opened(sessions: Sessions, user: User, clock: Clock, count: int = 1) -> list[bytes]:
    """The digests of new sessions' secrets, which last a day."""
    digests = [bytes([user.id, number]) * 16 for number in range(count)]
    for digest in digests:
        sessions.add(user.id, digest, BROWSER, clock.time, clock.time + DAY)
    return digests


def test_a_session_lets_in_until_it_expires_and_use_makes_it_last(
    database: Database, ann: User, clock: Clock
) -> None:
    sessions = Sessions(database)
    (digest,) = opened(sessions, ann, clock)
    found = sessions.by_digest(digest, clock.time)
    assert found is not None and found[0] == ann and found[1].client == BROWSER
    assert sessions.by_digest(bytes(32), clock.time) is None
    clock.move(hours=20)
    sessions.used({found[1].id: (clock.time, clock.time + DAY)})
    clock.move(hours=20)
    assert sessions.by_digest(digest, clock.time) is not None
    clock.move(hours=4)
    assert sessions.by_digest(digest, clock.time) is None
    assert sessions.of(ann.id, clock.time) == ()
    sessions.forget_expired(clock.time)
    opened(sessions, ann, clock)


def test_a_session_is_ended_by_its_owner_only(database: Database, ann: User, bob: User, clock: Clock) -> None:
    sessions = Sessions(database)
    digests = opened(sessions, ann, clock, 4)
    opened(sessions, bob, clock)
    last, *others = sessions.of(ann.id, clock.time)
    with pytest.raises(NotFound):
        sessions.end(bob.id, last.id)
    sessions.end(ann.id, last.id)
    assert sessions.by_digest(digests[-1], clock.time) is None
    sessions.end_digest(digests[0])
    sessions.end_digest(digests[0])
    assert sessions.end_others(ann.id, keep=others[0].id) == 1
    assert sessions.of(ann.id, clock.time) == (others[0],)
    assert sessions.end_others(ann.id, keep=None) == 1
    assert len(sessions.of(bob.id, clock.time)) == 1


def test_a_user_has_only_so_many_sessions_and_the_stalest_makes_room(
    database: Database, ann: User, clock: Clock
) -> None:
    sessions = Sessions(database)
    digests = []
    for _ in range(MAX_SESSIONS + 1):
        clock.move(seconds=1)
        digests.append(int(clock.time.timestamp()).to_bytes(32, "big"))
        sessions.add(ann.id, digests[-1], BROWSER, clock.time, clock.time + DAY)
    assert len(sessions.of(ann.id, clock.time)) == MAX_SESSIONS
    assert sessions.by_digest(digests[0], clock.time) is None
    assert sessions.by_digest(digests[1], clock.time) is not None
