"""Cursors: where a page ended, as text that clients hand back unread. A page goes on behind the row, which may be gone
by then, so that what stays is told once. It must never know what the values mean.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from errors import BadInput

Value = str | int


def encode(values: Sequence[Value]) -> str:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, *shapes: tuple[type[Value], ...]) -> list[Value]:
    """The values that `encode` was given, of the types that one of `shapes` has. Raises BadInput for any other text."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        values = json.loads(text)
        json.dumps(
            values, ensure_ascii=False
        ).encode()  # an escape may stand for half a character, which no name has
    except (binascii.Error, ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or tuple(map(type, values)) not in shapes:
        raise strange()
    return values


def moment(text: str) -> datetime:
    """A time that `encode` was given by isoformat. Raises BadInput."""
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is not None:
            return when.astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or one that is in no calendar of UTC's
        pass
    raise strange()


def strange() -> BadInput:
    return BadInput("The cursor is not one that this list gave. Begin at the first page.")
