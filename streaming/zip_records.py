"""The records that a ZIP is made of besides the files' bytes. Pure: values in, bytes out.

Source of every number: PKWARE's APPNOTE.TXT 6.3.10, whose sections are named below. Sizes and CRC-32s are known before
the first byte leaves, and where members are stored so are lengths. What a deflated one takes is known at its end, when
its header is written. So there are no data descriptors.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import NamedTuple

LIMIT_16, LIMIT_32 = 0xFFFF, 0xFFFF_FFFF
"""4.4.1.4: a number that reaches this goes into a ZIP64 field, and this stands in its place."""
UTF_8 = 1 << 11
"""4.4.4: the name is UTF-8."""
STORED, DEFLATED = 0, 8
"""4.4.5: the method."""
FILE_VERSION, FOLDER_VERSION, ZIP64_VERSION = 10, 20, 45
"""4.4.3.2: what a reader has to understand, in tenths. To inflate is of the second, too."""
MAY_GROW = LIMIT_32 - (LIMIT_32 >> 10)
"""A deflated member of this size or more has room in its local header for what it becomes. Deflate adds 5 bytes to
16 KiB that it cannot make smaller, and our segments few more: a third of what is allowed for here.
"""
MADE_BY = 3 << 8 | 63
"""4.4.2: the specification 6.3, and attributes as Unix has them."""
FILE_ATTRIBUTES = 0o100644 << 16
FOLDER_ATTRIBUTES = 0o040755 << 16 | 0x10
"""4.4.15: the upper half is Unix's st_mode; the lower one DOS's, in which 0x10 is a directory."""

_LOCAL = struct.Struct("<IHHHHHIIIHH")  # 4.3.7
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")  # 4.3.12
_END_64 = struct.Struct("<IQHHIIQQQQ")  # 4.3.14
_LOCATOR_64 = struct.Struct("<IIQI")  # 4.3.15
_END = struct.Struct("<IHHHHIIH")  # 4.3.16
_TIME = struct.Struct("<HHBI")
"""The extra field "UT" of Info-ZIP (4.6.1, extrafld.txt): the time of change in seconds since 1970."""
_TIME_TAG, _ZIP64_TAG = 0x5455, 0x0001
_LAST_UT = (1 << 31) - 1


class Member(NamedTuple):
    """A file or folder of an archive. `name` is its path in UTF-8; a folder's ends with a slash, size and CRC-32 are 0.
    `modified` in seconds since 1970.
    """

    name: bytes
    size: int
    crc32: int
    modified: int


def local_header(member: Member, packed: int | None = None) -> bytes:
    """4.3.7: what stands before the file's bytes, or the `packed` ones that it is deflated to."""
    large = member.size >= (LIMIT_32 if packed is None else MAY_GROW)
    sizes = member.size if packed is None else packed, member.size
    # 4.5.3: in a local header both sizes are there, or none.
    extra = (_zip64(sizes[1], sizes[0]) if large else b"") + _time_field(member.modified)
    shown = (LIMIT_32, LIMIT_32) if large else sizes
    method = STORED if packed is None else DEFLATED
    start = (0x04034B50, _version(member, large, method), UTF_8, method)
    more = (*_dos_time(member.modified), member.crc32, *shown, len(member.name), len(extra))
    return _LOCAL.pack(*start, *more) + member.name + extra


def local_size(name_size: int, size: int, modified: int) -> int:
    """The length of such a header, without making it."""
    zip64 = 4 + 16 if size >= LIMIT_32 else 0
    return _LOCAL.size + name_size + zip64 + _time_size(modified)


def central_header(member: Member, offset: int, packed: int | None = None) -> bytes:
    """4.3.12: the entry of the central directory for the member whose local header begins at `offset`."""
    sizes = member.size if packed is None else packed, member.size
    large = [number for number in (sizes[1], sizes[0], offset) if number >= LIMIT_32]
    extra = (_zip64(*large) if large else b"") + _time_field(member.modified)
    method = STORED if packed is None else DEFLATED
    start = (0x02014B50, MADE_BY, _version(member, bool(large), method), UTF_8, method)
    shown = (min(size, LIMIT_32) for size in sizes)
    middle = (*_dos_time(member.modified), member.crc32, *shown, len(member.name), len(extra), 0, 0, 0)
    attributes = FOLDER_ATTRIBUTES if member.name.endswith(b"/") else FILE_ATTRIBUTES
    return _CENTRAL.pack(*start, *middle, attributes, min(offset, LIMIT_32)) + member.name + extra


def central_size(name_size: int, size: int, modified: int, offset: int) -> int:
    """The length of such an entry, without making it."""
    numbers = (2 if size >= LIMIT_32 else 0) + (1 if offset >= LIMIT_32 else 0)
    return _CENTRAL.size + name_size + (4 + 8 * numbers if numbers else 0) + _time_size(modified)


def end_records(count: int, start: int, size: int) -> bytes:
    """4.3.14 to 4.3.16: the end, after a directory of `count` entries that begins at `start` and has `size` bytes."""
    small = min(count, LIMIT_16), min(size, LIMIT_32), min(start, LIMIT_32)
    end = _END.pack(0x06054B50, 0, 0, small[0], *small, 0)
    if count < LIMIT_16 and size < LIMIT_32 and start < LIMIT_32:
        return end
    rest = _END_64.size - 12  # 4.3.14.1: without the signature and this number
    numbers = (count, count, size, start)
    end_64 = _END_64.pack(0x06064B50, rest, MADE_BY, ZIP64_VERSION, 0, 0, *numbers)
    return end_64 + _LOCATOR_64.pack(0x07064B50, 0, start + size, 1) + end


def _version(member: Member, zip64: bool, method: int) -> int:
    if zip64:
        return ZIP64_VERSION
    return FOLDER_VERSION if member.name.endswith(b"/") or method == DEFLATED else FILE_VERSION


def _zip64(*numbers: int) -> bytes:
    """4.5.3: the numbers that are too large for their places, in the order of those."""
    return struct.pack(f"<HH{len(numbers)}Q", _ZIP64_TAG, 8 * len(numbers), *numbers)


def _time_field(modified: int) -> bytes:
    return _TIME.pack(_TIME_TAG, 5, 1, modified) if _time_size(modified) else b""


def _time_size(modified: int) -> int:
    """Readers disagree on whether the number has a sign, so that it tells only what it tells to all."""
    return _TIME.size if 0 <= modified <= _LAST_UT else 0


def _dos_time(modified: int) -> tuple[int, int]:
    """4.4.6: time and date, 1980 to 2107, in steps of 2 s. They have no zone; ours is UTC, and "UT" tells exactly."""
    first, last = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)
    seconds = min(max(modified, int(first.timestamp())), int(last.timestamp()))
    when = datetime.fromtimestamp(seconds, UTC)
    time = when.hour << 11 | when.minute << 5 | when.second // 2
    return time, (when.year - 1980) << 9 | when.month << 5 | when.day
