"""Sums per file and user: they grow, they go with what they are about."""

from __future__ import annotations

from db import Database
from db.happening.totals import Totals as Rows
from model import Totals, User
from tests.db.conftest import Clock, put, remove

SOME = Totals(downloads=1, bytes_sent=10)
MORE = Totals(downloads=2, bytes_sent=1 << 40, uploads=3, bytes_received=4)


def test_sums_grow_by_what_is_added(database: Database, ann: User, clock: Clock) -> None:
    file, _ = put(database, ann, clock, "/a", 1)
    rows = Rows(database)
    assert rows.of_file(file.id) == rows.of_user(ann.id) == Totals()
    for _ in range(2):
        rows.add({file.id: SOME}, {ann.id: MORE})
    assert rows.of_file(file.id) == SOME + SOME
    assert rows.of_user(ann.id) == MORE + MORE


def test_what_belongs_to_nothing_any_more_is_dropped(database: Database, ann: User, clock: Clock) -> None:
    file, _ = put(database, ann, clock, "/a", 1)
    rows = Rows(database)
    rows.add({file.id: SOME, 999: SOME}, {ann.id: SOME, 999: SOME})
    remove(database, ann.id, file.id)
    rows.add({file.id: SOME}, {ann.id: SOME})
    assert rows.of_file(file.id) == rows.of_file(999) == rows.of_user(999) == Totals()
    assert rows.of_user(ann.id) == SOME + SOME
