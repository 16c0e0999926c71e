"""What a GET or HEAD is owed: RFC 9110 conditional requests and ranges, decided before any I/O. Pure.

The only place that speaks inclusive ranges. It must never know of files, stores, Flask or the clock.
Werkzeug's own `make_conditional` gets If-Match with Range, If-Unmodified-Since and long suffixes wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate

from model import ByteRange

MAX_RANGE_HEADER = 1024
"""Characters; a longer Range is ignored, as RFC 9110 14.2 allows. One range of 64-bit numbers has 46."""
MAX_TAGS_HEADER = 8192
"""Characters of If-Match or If-None-Match that are looked at; about a hundred of our tags."""

_ONE_RANGE = re.compile(r"([0-9]*)-([0-9]*)")
_TAG = re.compile(r'[ \t,]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|$)')
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_TIME = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
# RFC 9110 5.6.7: IMF-fixdate, and the obsolete forms of RFC 850 and asctime that a recipient has to accept.
_HTTP_DATE = re.compile(
    rf"(?:[A-Z][a-z]{{2}}, [0-9]{{2}} (?:{_MONTH}) [0-9]{{4}} {_TIME} GMT"
    rf"|[A-Z][a-z]{{5,8}}, [0-9]{{2}}-(?:{_MONTH})-[0-9]{{2}} {_TIME} GMT"
    rf"|[A-Z][a-z]{{2}} (?:{_MONTH}) [ 0-9][0-9] {_TIME} [0-9]{{4}})"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is 200, 206, 304, 412 or 416. `span` is what to send, or for HEAD what GET would: set for 200
    and 206 only. `headers` are the validators and what goes with the range, `Content-Length` for 200 and 206.
    """

    status: int
    span: ByteRange | None
    headers: dict[str, str]


def decide(
    method: str,
    headers: Mapping[str, str],
    *,
    etag: str,
    modified: datetime | None,
    size: int,
    ranges: bool = True,
) -> Answer:
    """The answer to a GET or HEAD for a representation of `size` bytes.

    `headers` is looked up by canonical names (`If-None-Match`); `etag` is the opaque part of a strong tag,
    without quotes; `modified` is aware, or None for what has no such time: what a request says of times then does
    not count (13.1.3 to 13.1.5). With `ranges` false, Range is ignored and `Accept-Ranges: none` says
    so (RFC 9110 14.3).
    """
    tag = f'"{etag}"'
    out = {"ETag": tag, "Accept-Ranges": "bytes" if ranges else "none"}
    if modified is not None:
        out["Last-Modified"] = http_date(modified)
    status = precondition(method, headers, etag=etag, modified=modified)
    if status != 200:
        return Answer(status, None, out)
    whole = ByteRange(0, size)
    # RFC 9110 14.2: Range is defined for GET only; a HEAD with one gets the headers of a plain GET.
    if (
        ranges
        and method == "GET"
        and "Range" in headers
        and _if_range(headers.get("If-Range"), tag, modified)
    ):
        asked = _asked(headers["Range"])
        if asked is not None:
            return _partial(asked, size, out)
    return Answer(200, whole, out | {"Content-Length": str(size)})


def precondition(method: str, headers: Mapping[str, str], *, etag: str, modified: datetime | None) -> int:
    """200 to go on, 304 or 412: RFC 9110 13.2.2, steps 1 to 4, for a representation that exists.

    An If-Match that cannot be read matches nothing, so it lets no change through; a date that cannot be read
    is ignored (13.1.3, 13.1.4).
    """
    tag, modified = f'"{etag}"', modified and modified.replace(microsecond=0)
    reading = method in {"GET", "HEAD"}
    if "If-Match" in headers:
        if not any(given in ("*", tag) for given in _tags(headers["If-Match"])):
            return 412
    elif modified is not None:
        limit = parse_http_date(headers.get("If-Unmodified-Since"))
        if limit is not None and modified > limit:
            return 412
    if "If-None-Match" in headers:
        if any(given in ("*", tag) for given in map(_weakly, _tags(headers["If-None-Match"]))):
            return 304 if reading else 412
    elif reading and modified is not None:
        since = parse_http_date(headers.get("If-Modified-Since"))
        if since is not None and modified <= since:
            return 304
    return 200


def http_date(when: datetime) -> str:
    """IMF-fixdate (RFC 9110 5.6.7) of an aware time; fractions of a second are dropped."""
    return format_datetime(when.astimezone(UTC), usegmt=True)


def parse_http_date(text: str | None) -> datetime | None:
    """The time that an HTTP-date names, or None when it is none."""
    if text is None or _HTTP_DATE.fullmatch(text) is None:
        return None
    fields = parsedate(text)
    if fields is None:
        return None
    try:
        return datetime(*fields[:6], tzinfo=UTC)
    except ValueError:  # 31 February
        return None


def _tags(header: str) -> Iterator[str]:
    """The entity tags of a list, or `*`. Stops at the first thing that is neither: the rest means nothing."""
    if header.strip(" \t") == "*":
        yield "*"
        return
    position = 0
    while (match := _TAG.match(header, position, MAX_TAGS_HEADER)) is not None:
        yield match[1]
        position = match.end()


def _weakly(tag: str) -> str:
    """For the weak comparison of If-None-Match (RFC 9110 8.8.3.2)."""
    return tag.removeprefix("W/")


def _if_range(header: str | None, tag: str, modified: datetime | None) -> bool:
    """RFC 9110 13.1.5: a strong tag that is equal, or exactly the date; a later one does not do."""
    if header is None or header == tag:
        return True
    return modified is not None and parse_http_date(header) == modified.replace(microsecond=0)


def _asked(header: str) -> tuple[int | None, int | None] | None:
    """(first, last) of the one range asked for; first is None for a suffix, whose length is then `last`.

    None when the header is to be ignored: other unit, several ranges, too long, malformed (RFC 9110 14.2).
    """
    unit, equals, ranges = header.partition("=")
    if len(header) > MAX_RANGE_HEADER or not equals or unit.lower() != "bytes":
        return None
    wanted = [item for item in (part.strip(" \t") for part in ranges.split(",")) if item]
    match = _ONE_RANGE.fullmatch(wanted[0]) if len(wanted) == 1 else None
    if match is None or wanted[0] == "-":
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is not None and last is not None and last < first:
        return None
    return first, last


def _partial(asked: tuple[int | None, int | None], size: int, out: dict[str, str]) -> Answer:
    first, last = asked
    whole = ByteRange(0, size)
    if first is None:
        suffix = last or 0
        if suffix and not size:
            # Satisfiable by 14.1.2, but no Content-Range can name zero bytes: the whole of nothing is a 200.
            return Answer(200, whole, out | {"Content-Length": "0"})
        span = ByteRange(max(size - suffix, 0), size)
    else:
        span = (
            ByteRange(first, size if last is None else last + 1).within(whole)
            if first < size
            else ByteRange(size, size)
        )
    if not span.length:
        return Answer(416, None, out | {"Content-Range": f"bytes */{size}"})
    content_range = f"bytes {span.start}-{span.stop - 1}/{size}"
    return Answer(206, span, out | {"Content-Range": content_range, "Content-Length": str(span.length)})
