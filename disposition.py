"""How a browser is told to keep a file, and under which name. Pure: RFC 6266, RFC 8187."""

from __future__ import annotations

import unicodedata
from typing import Literal
from urllib.parse import quote

# RFC 8187 3.2.1, attr-char: what stands for itself in an extended value.
_ATTR_CHARS = "!#$&+-.^_`|~"
# Quotes and backslashes need escapes that clients disagree on, and some undo %-escapes even in the plain form.
_PLAIN = str.maketrans('"\\%', "'__")

SHOWN_INLINE = frozenset(
    f"{kind}/{name}"
    for kind, names in {
        "image": ("png", "jpeg", "gif", "webp", "avif", "bmp"),
        "video": ("mp4", "webm", "ogg", "quicktime", "x-m4v"),
        "audio": ("mpeg", "mp4", "ogg", "webm", "flac", "wav", "aac", "x-wav", "x-flac", "x-m4a"),
        "text": ("plain",),
    }.items()
    for name in names
)
"""Media types that run nothing when a browser shows them. SVG, HTML, XML and PDF can, so they are saved."""


def content_disposition(name: str, kind: Literal["attachment", "inline"] = "attachment") -> str:
    """The header's value: an ASCII `filename` that is never empty, and the exact name beside it where they differ."""
    plain = _ascii(name)
    value = f'{kind}; filename="{plain}"'
    if plain != name:
        value += f"; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"
    return value


def shown_inline(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower() in SHOWN_INLINE


def _ascii(name: str) -> str:
    """As much of `name` as ASCII has; where that is less than its stem, `download` and the extension."""
    stripped = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    printable = "".join(char for char in stripped if char.isprintable()).translate(_PLAIN).strip()
    if not printable.strip(". "):
        return "download"
    return f"download{printable}" if printable.startswith(".") != name.startswith(".") else printable
