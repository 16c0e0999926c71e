"""What `share` makes of a time that somebody writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from cli.shares import _first_line, _moment
from client.api import Api
from client.shares import revoke
from errors import BadInput

HERE = timezone(timedelta(hours=2))
NOW = datetime(2026, 11, 21, 10, 30, tzinfo=HERE)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", datetime(2026, 11, 21, 9, 0, tzinfo=UTC)),
        ("12h", datetime(2026, 11, 21, 20, 30, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 28, 8, 30, tzinfo=UTC)),
        ("2w", datetime(2026, 12, 5, 8, 30, tzinfo=UTC)),
        ("2026-12-31T18:00Z", datetime(2026, 12, 31, 18, 0, tzinfo=UTC)),
        ("2026-12-31T18:00+02:00", datetime(2026, 12, 31, 16, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_understood(text: str, moment: datetime) -> None:
    assert _moment(text, NOW) == moment


def test_a_day_is_meant_with_its_evening_and_as_here() -> None:
    for text in ("2026-12-31", "20261231"):
        assert _moment(text, NOW) == datetime(2027, 1, 1).astimezone()


@pytest.mark.parametrize("text", ["", "7", "7 days", "tomorrow", "-1d", "2026-13-01", "99999d", "9999-12-31"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(BadInput, match="is no time"):
        _moment(text, NOW)


def test_a_file_with_a_password_may_be_from_a_windows_editor_and_must_be_text(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"\xef\xbb\xbfopen sesame\r\nmore")
    assert _first_line(file) == "open sesame"
    file.write_bytes("open sesame".encode("utf-16"))
    with pytest.raises(BadInput, match="UTF-8"):
        _first_line(file)


@pytest.mark.parametrize("link", ["", "/", "http://host/", "http://["])
def test_what_is_no_link_is_told_before_anybody_is_asked(link: str) -> None:
    with Api("http://127.0.0.1:9", None) as api, pytest.raises(BadInput, match="is no link"):
        revoke(api, link)
