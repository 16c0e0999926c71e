"""Ranges and conditions over a real socket: through waitress, the app, the database and the gate, to the last byte.

The files are cut into pieces and chunks of a few bytes, so that every border is near.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import create_app
from db.incoming.uploads import Uploads as Rows
from model import Label, Upload, tree_digest
from tests.conftest import House, build_house
from tests.serving.conftest import serve, settings_for_tests
from tests.streaming.at_rest import FILE, stored, text

TINY: list[tuple[int, list[int]]] = [
    (1, [1]),
    (3, [3, 3, 3]),
    (3, [7, 7, 1]),
    (4, [13, 1, 9, 40, 2]),
    (5, [4, 5, 6, 10, 11]),
    (7, [1] * 20),
    (64, [50, 14, 64, 65, 63]),
]
"""Size of the pieces, sizes of the chunks."""


class Edge:
    """One keep-alive connection to a server with tiny files in it."""

    def __init__(self, connection: HTTPConnection, token: str, files: dict[int, bytes]) -> None:
        self._connection = connection
        self._token = token
        self.files = files

    def get(
        self, file: int, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, and body."""
        sent = {"Authorization": f"Bearer {self._token}"} | (headers or {})
        self._connection.request(method, f"/files/{file}/download", headers=sent)
        response = self._connection.getresponse()
        body = response.read()  # raises IncompleteRead when it is shorter than it says
        return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def keep(house: House, name: str, piece: int, sizes: Sequence[int]) -> tuple[int, bytes]:
    """A file of pieces and chunks of these sizes, brought in past the uploads, which cut no such; its id and bytes."""
    data, now, upload_id = text(sum(sizes), seed=len(name)), datetime.now(UTC), uuid4()
    rows, at_rest = Rows(house.database), stored(house.store, data, sizes, piece)
    upload = Upload(
        upload_id, house.user.id, "/", name, len(data), "application/octet-stream",
        max(sizes), 0, now, now + timedelta(days=1), None,
    )  # fmt: skip
    rows.create(upload, replace=False)
    rows.advance(upload_id, 0, len(data), upload.expires_at)
    for chunk in at_rest.chunks:
        rows.stored(
            upload_id, Label("chunk", FILE, chunk.index, chunk.offset, chunk.size, chunk.sha256), chunk
        )
    manifest = Label("manifest", upload_id, 0, 0, 1, bytes(32))
    place = house.store.put(manifest, lambda span: b"x"[span.start : span.stop])
    file, _ = rows.finish(upload_id, replace(at_rest, uuid=upload_id), manifest, place)
    assert file.tree == tree_digest(at_rest.chunks)
    return file.id, data


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    house = build_house(folder)
    files = dict(keep(house, f"f{number}", *shape) for number, shape in enumerate(TINY))
    token = house.gateway.people.make_token(house.user, "test")[1]
    configured = settings_for_tests(folder, streaming_chunk_size=5)
    with (
        serve(create_app(house.gateway, configured), configured) as running,
        closing(HTTPConnection(*running.address, timeout=10)) as connection,
    ):
        yield Edge(connection, token, files)
    house.gateway.close()
    house.store.close()
    house.database.close()


NUMBERS = st.integers(0, 260) | st.sampled_from([1 << 31, 1 << 63, 1 << 64, 10**30])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, len(TINY) - 1), first=st.none() | NUMBERS, last=st.none() | NUMBERS)
@pytest.mark.slow
def test_any_range_of_any_file_is_the_bytes_that_python_would_slice(
    edge: Edge, which: int, first: int | None, last: int | None
) -> None:
    file, data = list(edge.files.items())[which]
    asked = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    status, headers, body = edge.get(file, {"Range": asked})
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        assert (status, body) == (200, data)  # malformed, so ignored: RFC 9110 14.2
        return
    if first is None:
        assert last is not None
        start, stop = max(len(data) - last, 0), len(data)
    else:
        start, stop = first, len(data) if last is None else min(last + 1, len(data))
    if start >= len(data):
        assert (status, headers["content-range"]) == (416, f"bytes */{len(data)}")
    else:
        assert (status, body) == (206, data[start:stop])
        assert headers["content-range"] == f"bytes {start}-{stop - 1}/{len(data)}"
        assert headers["content-length"] == str(stop - start)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, len(TINY) - 1), cuts=st.lists(st.integers(0, 260), max_size=8))
def test_segments_put_together_are_the_file(edge: Edge, which: int, cuts: list[int]) -> None:
    file, data = list(edge.files.items())[which]
    borders = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    tag = edge.get(file, method="HEAD")[1]["etag"]
    parts = []
    for start, stop in pairwise(borders):
        status, _, body = edge.get(file, {"Range": f"bytes={start}-{stop - 1}", "If-Range": tag})
        assert status == 206
        parts.append(body)
    assert b"".join(parts) == data


LATER, EARLIER = "Fri, 01 Jan 2100 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"
WHOLE = (0, None)
TABLE: list[tuple[dict[str, str], int, tuple[int, int | None] | None]] = [
    ({}, 200, WHOLE),
    ({"Range": "bytes=3-6"}, 206, (3, 7)),
    ({"Range": "bytes=-5"}, 206, (-5, None)),
    ({"Range": "bytes=-9999"}, 206, WHOLE),
    ({"Range": "bytes=0-0,-1"}, 200, WHOLE),
    ({"Range": "lines=0-1"}, 200, WHOLE),
    ({"Range": "bytes=9999-"}, 416, None),
    ({"Range": "bytes=3-6", "If-Range": "TAG"}, 206, (3, 7)),
    ({"Range": "bytes=3-6", "If-Range": "W/TAG"}, 200, WHOLE),
    ({"Range": "bytes=3-6", "If-Range": "DATE"}, 206, (3, 7)),
    ({"Range": "bytes=3-6", "If-Range": LATER}, 200, WHOLE),
    ({"If-None-Match": "TAG"}, 304, None),
    ({"If-None-Match": 'W/TAG, "x"', "Range": "bytes=3-6"}, 304, None),
    ({"If-None-Match": '"x"', "If-Modified-Since": LATER}, 200, WHOLE),
    ({"If-Modified-Since": "DATE"}, 304, None),
    ({"If-Modified-Since": EARLIER}, 200, WHOLE),
    ({"If-Match": "TAG", "Range": "bytes=3-6"}, 206, (3, 7)),
    ({"If-Match": '"x"', "Range": "bytes=3-6"}, 412, None),
    ({"If-Match": "*"}, 200, WHOLE),
    ({"If-Unmodified-Since": EARLIER}, 412, None),
    ({"If-Unmodified-Since": "DATE", "Range": "bytes=3-6"}, 206, (3, 7)),
]
"""What is asked (TAG and DATE stand for the file's own), the status, and the slice that comes."""


@pytest.mark.parametrize(("asked", "status", "span"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_a_condition_or_range_gets_over_the_wire_what_the_table_says(
    edge: Edge, asked: dict[str, str], status: int, span: tuple[int, int | None] | None
) -> None:
    file, data = list(edge.files.items())[3]
    plain = edge.get(file, method="HEAD")
    assert (plain[0], plain[1]["content-length"], plain[2]) == (200, str(len(data)), b"")
    tag, date = plain[1]["etag"], plain[1]["last-modified"]
    sent = {name: value.replace("TAG", tag).replace("DATE", date) for name, value in asked.items()}
    got, headers, body = edge.get(file, sent)
    assert got == status
    assert headers["etag"] == tag
    if span is not None:
        assert body == data[slice(*span)]
    elif status == 304:
        assert body == b"" and "content-range" not in headers
    else:
        assert headers["content-type"] == "application/problem+json"
    head = edge.get(file, sent, method="HEAD")
    assert (head[0], head[2]) == (
        200 if status in {206, 416} else status,
        b"",
    )  # HEAD knows no Range: RFC 9110 14.2
