"""Of what kind a file is, in the words of RFC 6838."""

from __future__ import annotations

import mimetypes


def media_type(given: str | None, name: str) -> str:
    """What the client says, if it is well formed; otherwise a guess from the name."""
    if given and len(given) <= 100 and given.isascii() and given.isprintable() and given.count("/") == 1:
        return given
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
