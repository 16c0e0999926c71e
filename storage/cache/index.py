"""What the cache knows a piece by, and how that is written down: one record for each slot of the slab.

Pure: bytes in, places out. A record that is blank, torn or of another version is no record.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from model import ByteRange, Locator

_FIELDS = struct.Struct("<4sqqQQQ")
_CHECK = struct.Struct("<I")
_MARK = b"SGC1"
"""Says whose record it is, and of which version."""
RECORD_SIZE = 64
BLANK = bytes(RECORD_SIZE)


class Place(NamedTuple):
    """A piece as it is asked for: `span` of the message at `locator`."""

    locator: Locator
    span: ByteRange


class Record(NamedTuple):
    """What rests in a slot; of two records of one place, that with the greater `stamp` is the newer."""

    place: Place
    stamp: int


def pack(record: Record) -> bytes:
    """`RECORD_SIZE` bytes that `unpack` understands."""
    (locator, span), stamp = record
    fields = _FIELDS.pack(_MARK, locator.channel, locator.message, span.start, span.stop, stamp)
    return (fields + _CHECK.pack(zlib.crc32(fields))).ljust(RECORD_SIZE, b"\0")


def unpack(data: bytes) -> Record | None:
    """The record that `data` holds, or None if it holds none."""
    if len(data) < RECORD_SIZE:
        return None
    mark, channel, message, start, stop, stamp = _FIELDS.unpack_from(data)
    if mark != _MARK or _CHECK.unpack_from(data, _FIELDS.size) != (zlib.crc32(data[: _FIELDS.size]),):
        return None
    if start > stop:
        return None
    return Record(Place(Locator(channel, message), ByteRange(start, stop)), stamp)
