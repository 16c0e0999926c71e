"""What a download reads of contents: the chunks that its span touches, and no other."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import Database
from db.stored.contents import Contents
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


@pytest.fixture
def stored(database: Database, ann: User, clock: Clock) -> tuple[Contents, int]:
    file, _ = put(database, ann, clock, "/a.bin", *range(1, COUNT + 1))
    return Contents(database), file.content_id


def test_a_part_of_what_is_gone_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        Contents(database).part(1, ByteRange(0, 1))
