"""Deflated ZIPs: every program reads them, and whoever goes on at any mark writes the same bytes."""

from __future__ import annotations

import random
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.archive import Layout
from streaming.deflated import Deflating, Mark, decode, encode, most_deflated
from streaming.zip_records import LIMIT_32, MAY_GROW, Member, central_header, local_header

SEGMENT = 50
SIZES = st.lists(st.sampled_from([0, 1, 7, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 333]), max_size=8)


def text(number: int, size: int) -> bytes:
    """Some of it gets smaller when it is deflated, and some does not."""
    made = random.Random(number)
    return (b"again and " * (size // 20 + 1) + made.randbytes(size))[:size]


def members(sizes: Sequence[int]) -> list[Member]:
    return [
        Member(
            b"d%d/" % number if not size and number % 2 else b"%d" % number,
            size,
            zlib.crc32(text(number, size)),
            9,
        )
        for number, size in enumerate(sizes)
    ]


def packed(
    sizes: Sequence[int], block: int, level: int, marks: Sequence[Mark] = (), begun: bytes = b""
) -> tuple[bytes, list[Mark]]:
    """The archive, gone on with at the last of the marks, and all its marks."""
    layout = Layout(members(sizes))
    deflating = Deflating(layout, level, marks, SEGMENT)
    out = bytearray(begun)

    def write(writes: Sequence[tuple[int, bytes]]) -> None:
        for place, data in writes:
            out.extend(bytes(max(0, place + len(data) - len(out))))
            out[place : place + len(data)] = data

    write(deflating.opening())
    for body in list(layout.bodies(deflating.wanted)):
        data = text(body.member, sizes[body.member])[body.span.start : body.span.stop]
        for start in range(0, len(data), block):
            write(deflating.take(data[start : start + block]))
    assert len(out) == deflating.place and deflating.done == layout.directory
    for entry in deflating.directory():
        out += entry
    return bytes(out), [*marks, *deflating.marks]


@pytest.mark.slow
@given(SIZES, st.integers(1, 400), st.integers(1, 9))
def test_every_member_comes_back_and_every_mark_leads_to_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], block: int, level: int
) -> None:
    whole, marks = packed(sizes, block, level)
    assert len(whole) <= most_deflated(Layout(members(sizes)))
    path = tmp_path_factory.getbasetemp() / "deflated.zip"
    path.write_bytes(whole)
    with zipfile.ZipFile(path) as opened:
        assert [opened.read(name) for name in opened.namelist()] == [
            text(number, size) for number, size in enumerate(sizes)
        ]
    for number, mark in enumerate(marks):
        torn = whole[: mark.place]
        assert packed(sizes, block, level, marks[: number + 1], torn) == (whole, marks)


def test_a_mark_that_was_written_in_part_or_whose_bytes_are_not_there_is_none() -> None:
    marks = [Mark(0, 50, 90), Mark(0, 80, 120), Mark(1, 7, 140)]
    assert decode(encode(marks), 140) == marks
    assert decode(encode(marks)[:-1], 140) == marks[:2]
    assert decode(encode(marks), 139) == marks[:2]
    assert decode(b"", 9) == []


@pytest.mark.parametrize("size", [MAY_GROW - 1, MAY_GROW, LIMIT_32 - 1, LIMIT_32])
def test_around_4_gib_the_local_header_has_room_for_what_the_member_becomes(size: int) -> None:
    member = Member(b"film", size, 7, 9)
    lengths = {len(local_header(member, packed)) for packed in (0, 5, LIMIT_32 - 1, LIMIT_32, size + 5)}
    assert len(lengths) == 1
    assert local_header(member, 5)[8:10] == central_header(member, 0, 5)[10:12] == b"\x08\x00"
    assert (local_header(member, 5)[18:26] == b"\xff" * 8) == (size >= MAY_GROW)
    # 4.5.3: the entry of the directory has only those numbers there that are too large for their places.
    assert central_header(member, 0, 5)[20:24] == (5).to_bytes(4, "little")
    assert (central_header(member, 0, 5)[24:28] == b"\xff" * 4) == (size >= LIMIT_32)


@pytest.mark.parametrize(
    "command", [["unzip", "-tqq"], ["zipinfo", "-t"], ["7z", "t"], ["bsdtar", "-tf"]], ids=lambda c: str(c[0])
)
def test_other_programs_test_it(command: list[str], tmp_path: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    path = tmp_path / "z.zip"
    path.write_bytes(packed([0, 1, SEGMENT, 7 * SEGMENT + 3, 0, 3000], 64, 6)[0])
    subprocess.run([*command, path], check=True, timeout=30, stdout=subprocess.DEVNULL)
