"""Pictures, sound and broken ones, made for tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image


def picture(kind: str = "JPEG", width: int = 800, height: int = 600, mode: str = "RGB", **more: Any) -> bytes:
    """Stripes, so that something is left of them when they are made small."""
    stripes = Image.linear_gradient("L").resize((width, height)).convert(mode)
    out = io.BytesIO()
    stripes.save(out, kind, **more)
    return out.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of WebP."""
    with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
        return image.size


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels (https://www.w3.org/TR/png-3/#11IHDR)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
