"""Folders as ZIPs by our client: resumed over a bad line, bound to what the folder was, tested as a whole."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from client import archives, nodes
from client.api import Api
from client.partial import Part
from client.upload import Uploader
from errors import Conflict, Damaged, PreconditionFailed
from model import MIB
from tests.client.conftest import Line, Moved

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(api: Api, uploader: Uploader, tmp_path: Path, moved: Moved) -> nodes.Node:
    """`/album` with 12 MiB in it."""
    for number in range(4):
        local = tmp_path / f"{number}.bin"
        local.write_bytes(random.Random(number).randbytes(3 * MIB))
        uploader.send(local, f"/album/deep {number}/{number}.bin")
    moved.sizes.clear()
    return nodes.at(api, "/album")


def fetch(api: Api, folder: nodes.Node, goal: Path, moved: Moved) -> Part:
    return archives.fetch(api, archives.streamed(api, folder), goal, moved.sizes.append)


def test_a_zip_goes_on_where_the_line_was_cut_and_is_tested(
    api: Api, folder: nodes.Node, line: Line, tmp_path: Path, moved: Moved
) -> None:
    goal, told, before = tmp_path / "album.zip", Moved(), line.passed
    line.cut_after(7 * MIB)
    part = fetch(api, folder, goal, moved)
    archives.test(part, folder.path, told.sizes.append, moved.sizes.append)
    part.become(goal)
    assert line.cuts == 1 and line.passed - before < 14 * MIB
    assert told.total == 12 * MIB and moved.total == goal.stat().st_size + 12 * MIB
    with zipfile.ZipFile(goal) as archive:
        assert archive.read("deep 2/2.bin") == (tmp_path / "2.bin").read_bytes()
    assert not list(tmp_path.glob("*.part*"))


def test_a_stopped_zip_goes_on_in_the_next_run(
    api: Api, folder: nodes.Node, tmp_path: Path, moved: Moved
) -> None:
    goal = tmp_path / "album.zip"

    def stop(size: int) -> None:
        moved.sizes.append(size)
        if moved.total > 5 * MIB:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archives.fetch(api, archives.streamed(api, folder), goal, stop)
    moved.sizes.clear()
    part = fetch(api, folder, goal, moved)
    assert moved.sizes[0] > 4 * MIB
    archives.test(part, folder.path, moved.sizes.append, moved.sizes.append)


def test_a_folder_that_changed_is_begun_anew_and_never_mixed(
    api: Api, folder: nodes.Node, uploader: Uploader, tmp_path: Path, moved: Moved
) -> None:
    goal = tmp_path / "album.zip"
    before = archives.streamed(api, folder)
    part = archives.fetch(api, before, goal, moved.sizes.append)
    uploader.send(tmp_path / "0.bin", "/album/more.bin")
    with part.data.open("r+b") as file:
        file.truncate(MIB)
    with pytest.raises((PreconditionFailed, Conflict)):
        archives.fetch(api, before, goal, moved.sizes.append)
    part = fetch(api, folder, goal, moved)
    archives.test(part, folder.path, moved.sizes.append, moved.sizes.append)
    with zipfile.ZipFile(part.data) as archive:
        assert "more.bin" in archive.namelist()


@pytest.mark.parametrize("place", [1 * MIB, -10])
def test_a_zip_that_is_not_sound_is_thrown_away(
    api: Api, folder: nodes.Node, tmp_path: Path, moved: Moved, place: int
) -> None:
    part = fetch(api, folder, tmp_path / "album.zip", moved)
    data = bytearray(part.data.read_bytes())
    data[place] ^= 1
    part.data.write_bytes(data)
    with pytest.raises(Damaged, match="nothing was kept"):
        archives.test(part, folder.path, moved.sizes.append, moved.sizes.append)
    assert not list(tmp_path.glob("*.part*"))


def test_the_topmost_folder_is_a_folder_like_others(
    api: Api, folder: nodes.Node, tmp_path: Path, moved: Moved
) -> None:
    part = fetch(api, nodes.at(api, "/"), tmp_path / "all.zip", moved)
    with zipfile.ZipFile(part.data) as archive:
        assert "album/deep 1/1.bin" in archive.namelist()
