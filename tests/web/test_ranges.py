"""RFC 9110 as a table: what is asked of a ten-byte file, and what it gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import ByteRange
from web.wire.ranges import Answer, decide, http_date, parse_http_date, precondition

MODIFIED = datetime(1994, 11, 6, 8, 49, 37, 500_000, tzinfo=UTC)
NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"
RFC850 = "Sunday, 06-Nov-94 08:49:37 GMT"
ASCTIME = "Sun Nov  6 08:49:37 1994"
TAG, OTHER, WEAK = '"abc"', '"other"', 'W/"abc"'
WHOLE = (200, (0, 10))

TABLE: list[tuple[dict[str, str], tuple[int, tuple[int, int] | None]]] = [
    ({}, WHOLE),
    # One range
    ({"Range": "bytes=0-"}, (206, (0, 10))),
    ({"Range": "bytes=0-0"}, (206, (0, 1))),
    ({"Range": "bytes=3-6"}, (206, (3, 7))),
    ({"Range": "bytes=9-9"}, (206, (9, 10))),
    ({"Range": "bytes=9-"}, (206, (9, 10))),
    ({"Range": "bytes=5-10"}, (206, (5, 10))),
    ({"Range": "bytes=0-99999999999999999999999999"}, (206, (0, 10))),
    ({"Range": "BYTES=3-6"}, (206, (3, 7))),
    ({"Range": "bytes= 3-6 "}, (206, (3, 7))),
    ({"Range": "bytes=,3-6,"}, (206, (3, 7))),
    ({"Range": "bytes=003-006"}, (206, (3, 7))),
    # Suffixes
    ({"Range": "bytes=-1"}, (206, (9, 10))),
    ({"Range": "bytes=-10"}, (206, (0, 10))),
    ({"Range": "bytes=-11"}, (206, (0, 10))),
    ({"Range": "bytes=-99999999999999999999999999"}, (206, (0, 10))),
    # Unsatisfiable
    ({"Range": "bytes=10-"}, (416, None)),
    ({"Range": "bytes=10-10"}, (416, None)),
    ({"Range": "bytes=99999999999999999999999999-"}, (416, None)),
    ({"Range": "bytes=-0"}, (416, None)),
    # Ignored: several, other units, malformed, absurd
    ({"Range": "bytes=0-1,3-4"}, WHOLE),
    ({"Range": "bytes=0-0,-1"}, WHOLE),
    ({"Range": "lines=0-1"}, WHOLE),
    ({"Range": "bytes=6-3"}, WHOLE),
    ({"Range": "bytes=-"}, WHOLE),
    ({"Range": "bytes="}, WHOLE),
    ({"Range": "bytes"}, WHOLE),
    ({"Range": ""}, WHOLE),
    ({"Range": "bytes=a-b"}, WHOLE),
    ({"Range": "bytes=+1-2"}, WHOLE),
    ({"Range": "bytes=0x1-0x2"}, WHOLE),
    ({"Range": "bytes=1 - 2"}, WHOLE),
    ({"Range": "bytes =1-2"}, WHOLE),
    ({"Range": "bytes=--1"}, WHOLE),
    ({"Range": "bytes=\u0661-\u0662"}, WHOLE),
    ({"Range": "bytes=" + "0-0," * 2500}, WHOLE),
    ({"Range": "bytes=0-" + "9" * 5000}, WHOLE),
    # If-Range
    ({"Range": "bytes=3-6", "If-Range": TAG}, (206, (3, 7))),
    ({"Range": "bytes=3-6", "If-Range": OTHER}, WHOLE),
    ({"Range": "bytes=3-6", "If-Range": WEAK}, WHOLE),
    ({"Range": "bytes=3-6", "If-Range": NOW}, (206, (3, 7))),
    ({"Range": "bytes=3-6", "If-Range": RFC850}, (206, (3, 7))),
    ({"Range": "bytes=3-6", "If-Range": BEFORE}, WHOLE),
    ({"Range": "bytes=3-6", "If-Range": AFTER}, WHOLE),
    ({"Range": "bytes=3-6", "If-Range": "abc"}, WHOLE),
    ({"Range": "bytes=99-", "If-Range": OTHER}, WHOLE),
    ({"If-Range": OTHER}, WHOLE),
    # If-Match
    ({"If-Match": TAG}, WHOLE),
    ({"If-Match": "*"}, WHOLE),
    ({"If-Match": OTHER}, (412, None)),
    ({"If-Match": WEAK}, (412, None)),
    ({"If-Match": f"{OTHER}, {TAG}"}, WHOLE),
    ({"If-Match": f",{OTHER},,\t{TAG} ,"}, WHOLE),
    ({"If-Match": "abc"}, (412, None)),
    ({"If-Match": ""}, (412, None)),
    ({"If-Match": f"garbage, {TAG}"}, (412, None)),
    ({"If-Match": OTHER, "Range": "bytes=3-6"}, (412, None)),
    ({"If-Match": TAG, "Range": "bytes=3-6"}, (206, (3, 7))),
    ({"If-Match": TAG, "If-Unmodified-Since": BEFORE}, WHOLE),
    ({"If-Match": OTHER, "If-None-Match": TAG}, (412, None)),
    ({"If-Match": TAG, "If-None-Match": TAG}, (304, None)),
    # If-Unmodified-Since
    ({"If-Unmodified-Since": NOW}, WHOLE),
    ({"If-Unmodified-Since": AFTER}, WHOLE),
    ({"If-Unmodified-Since": BEFORE}, (412, None)),
    ({"If-Unmodified-Since": "yesterday"}, WHOLE),
    ({"If-Unmodified-Since": BEFORE, "Range": "bytes=3-6"}, (412, None)),
    ({"If-Unmodified-Since": NOW, "Range": "bytes=3-6"}, (206, (3, 7))),
    # If-None-Match
    ({"If-None-Match": TAG}, (304, None)),
    ({"If-None-Match": WEAK}, (304, None)),
    ({"If-None-Match": "*"}, (304, None)),
    ({"If-None-Match": OTHER}, WHOLE),
    ({"If-None-Match": "abc"}, WHOLE),
    ({"If-None-Match": f"{OTHER}, {WEAK}"}, (304, None)),
    ({"If-None-Match": OTHER, "If-Modified-Since": AFTER}, WHOLE),
    ({"If-None-Match": TAG, "Range": "bytes=3-6"}, (304, None)),
    ({"If-None-Match": OTHER, "Range": "bytes=3-6"}, (206, (3, 7))),
    # If-Modified-Since
    ({"If-Modified-Since": NOW}, (304, None)),
    ({"If-Modified-Since": AFTER}, (304, None)),
    ({"If-Modified-Since": BEFORE}, WHOLE),
    ({"If-Modified-Since": RFC850}, (304, None)),
    ({"If-Modified-Since": ASCTIME}, (304, None)),
    ({"If-Modified-Since": "Sun, 31 Feb 1995 08:49:37 GMT"}, WHOLE),
    ({"If-Modified-Since": f"{NOW}, {NOW}"}, WHOLE),
    ({"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 +0000"}, WHOLE),
    ({"If-Modified-Since": NOW, "Range": "bytes=99-"}, (304, None)),
]


def ask(headers: dict[str, str], method: str = "GET", size: int = 10, ranges: bool = True) -> Answer:
    return decide(method, headers, etag="abc", modified=MODIFIED, size=size, ranges=ranges)


@pytest.mark.parametrize(("headers", "expected"), TABLE)
def test_a_get_is_answered_as_rfc_9110_says(
    headers: dict[str, str], expected: tuple[int, tuple[int, int] | None]
) -> None:
    answer = ask(headers)
    status, span = expected
    assert (answer.status, answer.span) == (status, None if span is None else ByteRange(*span))
    assert (answer.headers["ETag"], answer.headers["Last-Modified"]) == (TAG, NOW)
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(("headers", "expected"), TABLE)
def test_a_head_never_looks_at_range(headers: dict[str, str], expected: tuple[int, object]) -> None:
    without = {name: value for name, value in headers.items() if name not in {"Range", "If-Range"}}
    assert ask(headers, "HEAD") == ask(without, "GET")


@pytest.mark.parametrize(("headers", "expected"), TABLE)
def test_without_ranges_the_whole_file_is_sent_in_order(
    headers: dict[str, str], expected: tuple[int, object]
) -> None:
    answer = ask(headers, ranges=False)
    assert answer.status in {200, 304, 412}
    assert answer.headers["Accept-Ranges"] == "none"


def test_a_partial_answer_names_its_bytes_inclusively() -> None:
    assert ask({"Range": "bytes=3-6"}).headers["Content-Range"] == "bytes 3-6/10"
    assert ask({"Range": "bytes=3-6"}).headers["Content-Length"] == "4"
    assert ask({"Range": "bytes=10-"}).headers["Content-Range"] == "bytes */10"


def test_an_empty_file_has_no_byte_to_start_at_but_can_be_had_whole() -> None:
    assert ask({"Range": "bytes=0-"}, size=0).status == 416
    assert ask({"Range": "bytes=-5"}, size=0) == ask({}, size=0)
    assert ask({}, size=0).headers["Content-Length"] == "0"


def test_a_change_is_refused_where_a_read_would_be_spared() -> None:
    assert precondition("PUT", {"If-None-Match": "*"}, etag="abc", modified=MODIFIED) == 412
    assert precondition("PUT", {"If-Match": OTHER}, etag="abc", modified=MODIFIED) == 412
    assert precondition("PUT", {"If-Modified-Since": NOW}, etag="abc", modified=MODIFIED) == 200


def test_a_list_of_ten_thousand_tags_is_read_only_so_far() -> None:
    assert ask({"If-None-Match": f"{OTHER}, " * 10_000 + TAG}) == ask({})


@given(
    size=st.integers(0, 50),
    first=st.none() | st.integers(0, 60),
    last=st.none() | st.integers(0, 60),
)
def test_what_is_sent_is_what_a_list_of_the_bytes_would_give(
    size: int, first: int | None, last: int | None
) -> None:
    answer = ask(
        {"Range": f"bytes={'' if first is None else first}-{'' if last is None else last}"}, size=size
    )
    everything = list(range(size))
    if first is None:
        wanted = everything[-last:] if last else []
    elif last is not None and last < first:
        wanted = everything
    else:
        wanted = everything[first : None if last is None else last + 1]
    if answer.span is None:
        assert answer.status == 416 and not wanted
    elif answer.status == 206:
        assert everything[answer.span.start : answer.span.stop] == wanted != []
        assert answer.headers["Content-Range"] == f"bytes {wanted[0]}-{wanted[-1]}/{size}"
        assert answer.headers["Content-Length"] == str(len(wanted))


@pytest.mark.slow
@given(
    st.dictionaries(
        st.sampled_from(
            ["Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"]
        ),
        st.text(st.characters(codec="latin-1"), max_size=80)
        | st.sampled_from([TAG, WEAK, "*", NOW, "bytes=1-2"]),
    ),
    st.integers(0, 2**63),
)
def test_any_headers_get_an_answer_that_is_whole_in_itself(headers: dict[str, str], size: int) -> None:
    answer = ask(headers, size=size)
    assert answer.status in {200, 206, 304, 412, 416}
    assert (answer.span is not None) == (answer.status in {200, 206}) == ("Content-Length" in answer.headers)
    assert ("Content-Range" in answer.headers) == (answer.status in {206, 416})
    assert answer.span is None or answer.span.stop <= size


@given(st.integers(0, 2**32 * 1_000_000))
def test_a_date_survives_the_wire_to_the_second(microseconds: int) -> None:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    parsed = parse_http_date(http_date(when))
    assert parsed is not None and timedelta(0) <= when - parsed < timedelta(seconds=1)
