"""ZIPs by arithmetic: every range is the slice of the whole, and every program that people have reads them."""

from __future__ import annotations

import os
import subprocess
import tracemalloc
import zipfile
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import ByteRange
from streaming.archive import Body, Frame, Layout
from streaming.digests import crc32_combine
from streaming.zip_records import (
    LIMIT_16,
    LIMIT_32,
    Member,
    central_header,
    central_size,
    local_header,
    local_size,
)
from tests.streaming.zips import Opened, body, member, read, whole

GIB_4 = 1 << 32
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/\\"), min_size=1, max_size=12)
MODIFIED = st.integers(-(1 << 34), 1 << 34)
SMALL = st.sampled_from([0, 1, 2, 7, 300])
LARGE = st.integers(GIB_4 - 3, GIB_4 + 3)
"""Around the first size that needs ZIP64, which is one less than 4 GiB."""


@st.composite
def trees(draw: st.DrawFn, sizes: st.SearchStrategy[int]) -> list[Member]:
    """Members in folders of some depth, each folder before what is in it; no name twice."""
    folders, members = [""], dict[str, Member]()
    for name in draw(st.lists(NAMES, max_size=12, unique=True)):
        path = draw(st.sampled_from(folders)) + name
        if draw(st.booleans()):
            path += "/"
            folders.append(path)
        members[path] = member(path, 0 if path.endswith("/") else draw(sizes), draw(MODIFIED))
    return list(members.values())


def spans(size: int) -> st.SearchStrategy[ByteRange]:
    ends = st.tuples(st.integers(0, size), st.integers(0, size))
    return ends.map(lambda pair: ByteRange(min(pair), max(pair)))


@pytest.mark.slow
@given(trees(SMALL), st.data())
def test_every_range_is_the_slice_of_the_whole(members: list[Member], data: st.DataObject) -> None:
    layout, all_of_it = Layout(members), whole(members)
    assert len(all_of_it) == layout.size
    span = data.draw(spans(layout.size))
    assert read(layout, span) == all_of_it[span.start : span.stop]


@given(trees(SMALL | LARGE), st.data())
def test_ranges_that_meet_are_one_also_where_numbers_are_large(
    members: list[Member], data: st.DataObject
) -> None:
    layout = Layout(members)
    borders = [0, layout.size, *layout._locals, *(layout.directory + each for each in layout._centrals)]
    near = data.draw(st.sampled_from(borders)) + data.draw(st.integers(-99, 99))
    start = min(max(near, 0), layout.size)
    stop = min(start + data.draw(st.integers(0, 500)), layout.size)
    middle = data.draw(st.integers(start, stop))
    halves = read(layout, ByteRange(start, middle)) + read(layout, ByteRange(middle, stop))
    assert halves == read(layout, ByteRange(start, stop)) and len(halves) == stop - start


@given(trees(SMALL | LARGE))
def test_python_reads_back_every_member(members: list[Member]) -> None:
    layout = Layout(members)
    with zipfile.ZipFile(Opened(layout)) as archive:
        found = archive.infolist()
        assert [each.filename.encode() for each in found] == [each.name for each in members]
        for each, wanted in zip(found, members, strict=True):
            assert (each.file_size, each.compress_size, each.CRC) == (wanted.size, wanted.size, wanted.crc32)
            assert each.compress_type == zipfile.ZIP_STORED and each.flag_bits == 0x800
            assert each.external_attr >> 16 == (0o40755 if each.is_dir() else 0o100644)
            if not each.is_dir():
                with archive.open(each) as opened:
                    assert opened.read(5) == body(ByteRange(0, min(5, wanted.size)))


@given(trees(SMALL | LARGE), st.integers(0, 1 << 33))
def test_the_length_of_a_header_is_known_before_it_is_made(members: list[Member], offset: int) -> None:
    for each in members:
        numbers = len(each.name), each.size, each.modified
        assert len(local_header(each)) == local_size(*numbers)
        assert len(central_header(each, offset)) == central_size(*numbers, offset)


@given(MODIFIED)
def test_a_time_is_told_to_two_seconds_within_the_years_that_a_zip_has(modified: int) -> None:
    archive = zipfile.ZipFile(BytesIO(whole([member("a", 0, modified)])))
    told = datetime(*archive.getinfo("a").date_time, tzinfo=UTC)
    first, last = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)
    if first.timestamp() <= modified <= last.timestamp():
        assert modified - told.timestamp() in {0, 1}
    else:
        assert told == (first if modified < first.timestamp() else last)


@pytest.mark.parametrize("size", [LIMIT_32 - 1, LIMIT_32, LIMIT_32 + 1])
def test_zip64_begins_with_the_first_number_that_does_not_fit(size: int) -> None:
    large = size >= LIMIT_32
    header = local_header(member("a", size))
    assert (header[4:6] == b"\x2d\0") == large == (b"\x01\0\x10\0" in header)
    directory = central_header(member("a", 1), size)
    assert (directory[6:8] == b"\x2d\0") == large == (b"\x01\0\x08\0" in directory)


@pytest.mark.slow
@pytest.mark.parametrize("count", [LIMIT_16 - 1, LIMIT_16])
def test_more_members_than_the_old_end_can_count_have_an_end_of_their_own(count: int) -> None:
    layout = Layout(member(f"{number}", number % 3) for number in range(count))
    end = read(layout, ByteRange(layout.size - 98, layout.size))
    assert end.startswith(b"PK\x06\x06") == (count >= LIMIT_16)
    assert zipfile.ZipFile(Opened(layout)).infolist()[-1].filename == str(count - 1)


def test_a_range_past_the_end_is_refused() -> None:
    layout = Layout([member("a", 3)])
    with pytest.raises(ValueError, match="reaches past"):
        list(layout.parts(ByteRange(0, layout.size + 1)))


@pytest.mark.slow
def test_a_hundred_thousand_members_take_little_and_a_range_of_them_is_found_at_once() -> None:
    tracemalloc.start()
    try:
        layout = Layout(member(f"some folder/another/{number:06}.jpg", 1000) for number in range(100_000))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 12 << 20 and layout.memory <= held
    middle = layout.size // 2
    (*_, last) = layout.parts(ByteRange(middle, middle + 5000))
    assert isinstance(last, Body) and 49_000 < last.member < 60_000


READERS = {
    "unzip": ["unzip", "-tqq"],
    "zipinfo": ["zipinfo", "-1"],
    "7z": ["7z", "t", "-bso0", "-bsp0"],
    "bsdtar": ["bsdtar", "-xOf"],
}
"""What lists or tests a ZIP, and fails when it is not whole."""
readers = [pytest.param(line, id=name, marks=pytest.mark.needs(name)) for name, line in READERS.items()]


def crc32_of_zeros(size: int) -> int:
    if size < 1 << 20:
        return zlib.crc32(bytes(size))
    half = crc32_of_zeros(size // 2)
    return crc32_combine(crc32_combine(half, half, size // 2), zlib.crc32(bytes(size % 2)), size % 2)


def run(line: Sequence[str], path: Path, *only: str) -> None:
    """What it says on stdout, as a name for each member or all of the contents, is let go."""
    said = subprocess.run(
        [*line, str(path), *only], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300, check=False
    )
    assert said.returncode == 0 and not said.stderr, said.stderr[-2000:]


@pytest.mark.parametrize("line", readers)
def test_programs_read_a_tree(line: list[str], tmp_path: Path) -> None:
    tree = [member("größe/"), member("größe/日本.txt", 300), member("leer/"), member("0"), member("1", 1)]
    path = tmp_path / "tree.zip"
    path.write_bytes(whole(tree))
    run(line, path)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ZIP of more members than 16 bits count."""
    path = tmp_path_factory.mktemp("many") / "many.zip"
    path.write_bytes(whole([member(f"{number}", number % 3) for number in range(LIMIT_16 + 9)]))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("line", readers)
def test_programs_read_more_members_than_16_bits_count(line: list[str], many: Path) -> None:
    run(line, many)


@pytest.mark.slow
@pytest.mark.parametrize("line", readers)
def test_programs_read_a_member_of_over_4_gib_and_what_stands_behind_it(
    line: list[str], tmp_path: Path
) -> None:
    size = LIMIT_32 + 5
    layout = Layout([Member(b"zeros", size, crc32_of_zeros(size), 0), member("behind", 300)])
    path = tmp_path / "large.zip"
    with path.open("wb") as file:  # sparse: nobody writes the zeros
        for part in layout.parts(ByteRange(0, layout.size)):
            if isinstance(part, Frame):
                file.seek(part.span.start)
                file.write(layout.frame(part.span))
            elif part.member == 1:
                file.write(body(part.span))
    # unzip takes half a minute for the CRC-32 of so many zeros, which the others look at.
    run(line, path, *(["behind"] if line[0] == "unzip" else []))


@pytest.mark.needs("unzip")
def test_what_is_unzipped_has_its_name_its_mode_and_its_time(tmp_path: Path) -> None:
    path = tmp_path / "tree.zip"
    path.write_bytes(whole([member("größe/"), member("größe/ü", 5, 1_700_000_001)]))
    environment = os.environ | {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}
    subprocess.run(["unzip", "-q", path], cwd=tmp_path, env=environment, check=True, timeout=30)
    found = tmp_path / "größe" / "ü"
    assert found.read_bytes() == body(ByteRange(0, 5))
    assert found.stat().st_mtime == 1_700_000_001
    assert found.stat().st_mode & 0o777 == 0o644 and found.parent.stat().st_mode & 0o777 == 0o755
