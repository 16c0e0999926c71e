"""What a download reads of contents: the chunks that its span touches, and no other."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import Database
from db.stored.contents import NEARBY, Contents
from errors import NotFound
from model import ByteRange, User
from tests.db.conftest import Clock, put

COUNT, CHUNK = 5, 8


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(first=st.integers(0, COUNT * CHUNK), second=st.integers(0, COUNT * CHUNK))
def test_a_part_is_the_chunks_that_the_span_touches(
    stored: tuple[Contents, int], first: int, second: int
) -> None:
    contents, content_id = stored
    span = ByteRange(min(first, second), max(first, second))
    whole = contents.stored_file(content_id)
    part = contents.part(content_id, span)
    assert part.uuid == whole.uuid
    if span.length:
        assert list(part.chunks) == [chunk for chunk in whole.chunks if chunk.span.within(span).length]


@pytest.mark.parametrize(
    ("first", "count", "nearby"),
    [
        (60, 1, [*sorted(range(10, 60), reverse=True), *range(61, 111)]),
        (0, 2, [*range(2, 52)]),
        (119, 1, [*range(69, 119)]),
        (10, NEARBY, []),
    ],
)
def test_a_part_knows_where_the_chunks_around_it_are(
    database: Database, ann: User, clock: Clock, first: int, count: int, nearby: list[int]
) -> None:
    file, _ = put(database, ann, clock, "/film.bin", *range(1, 121))
    contents = Contents(database)
    part = contents.part(file.content_id, ByteRange(first * CHUNK, (first + count) * CHUNK))
    place = {chunk.locator: chunk.index for chunk in contents.stored_file(file.content_id).chunks}
    found = [place[locator] for locator in part.nearby]
    assert sorted(found) == sorted(nearby)
    away = [max(first - index, index - first - count + 1) for index in found]
    assert away == sorted(away), "the nearest come first"


@pytest.fixture
def stored(database: Database, ann: User, clock: Clock) -> tuple[Contents, int]:
    file, _ = put(database, ann, clock, "/a.bin", *range(1, COUNT + 1))
    return Contents(database), file.content_id


def test_a_part_of_what_is_gone_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        Contents(database).part(1, ByteRange(0, 1))
