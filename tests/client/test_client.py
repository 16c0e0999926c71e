"""Our client against the whole server: what goes in comes out, whatever happens to the line in between."""

from __future__ import annotations

import os
import random
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from client import nodes, tree
from client.api import Api, Unreachable
from client.digest import Digest, tree_of
from client.download import Downloader
from client.tree import Report
from client.upload import Uploader
from errors import BadInput, BadName, ChunkMissing, Conflict, Damaged, NotFound, NotSignedIn
from model import MIB, ByteRange, Locator
from tests.client.conftest import Line, Moved
from tests.conftest import House

pytestmark = pytest.mark.slow


def make(path: Path, size: int) -> Path:
    path.write_bytes(random.Random(size).randbytes(size))
    return path


def fetch(downloader: Downloader, api: Api, remote: str, goal: Path) -> bytes:
    assert downloader.fetch(nodes.at(api, remote), goal)
    return goal.read_bytes()


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 8 * MIB, 8 * MIB + 1, 17 * MIB + 3])
def test_a_file_of_any_size_comes_out_as_it_went_in(
    api: Api, uploader: Uploader, downloader: Downloader, tmp_path: Path, size: int
) -> None:
    local = make(tmp_path / "in", size)
    assert uploader.send(local, "/a/b/ü file.bin")
    assert fetch(downloader, api, "/a/b/ü file.bin", tmp_path / "out") == local.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("out")) == ["out"]


def test_what_is_there_already_is_not_sent_again(
    api: Api, uploader: Uploader, line: Line, tmp_path: Path
) -> None:
    local = make(tmp_path / "in", 9 * MIB)
    assert uploader.send(local, "/f")
    before = line.passed
    assert not uploader.send(local, "/f", nodes.at(api, "/f"))
    assert line.passed - before < MIB


def test_contents_that_are_there_under_another_name_are_not_sent_again(
    api: Api, uploader: Uploader, downloader: Downloader, line: Line, tmp_path: Path, moved: Moved
) -> None:
    local, other = make(tmp_path / "in", 9 * MIB), make(tmp_path / "other", 9 * MIB + 1)
    other.write_bytes(other.read_bytes()[:-1])
    assert uploader.send(local, "/f")
    before = line.passed
    assert uploader.send(local, "/a/g.txt")
    assert line.passed - before < MIB and moved.total == 18 * MIB
    assert uploader.send(other, "/f"), "of the same size, but not the same"
    assert line.passed - before > 9 * MIB
    assert fetch(downloader, api, "/a/g.txt", tmp_path / "out") == local.read_bytes()
    assert nodes.at(api, "/f").etag != nodes.at(api, "/a/g.txt").etag


def test_a_damaged_file_is_mended_by_putting_it_again(
    house: House, api: Api, uploader: Uploader, tmp_path: Path
) -> None:
    local = make(tmp_path / "in", MIB)
    uploader.send(local, "/f")
    house.store.delete(list(house.store.labels))
    file = house.gateway.files.file(house.user, nodes.at(api, "/f").id)
    with pytest.raises(ChunkMissing):
        house.gateway.downloads.open(house.user, file, ByteRange(0, MIB), gone=lambda: False)
    house.gateway.upkeep.note_damage()
    assert uploader.send(local, "/f", nodes.at(api, "/f")) and not nodes.at(api, "/f").damaged


def test_no_folder_is_listed_for_a_file_that_is_put_into_it_or_found_in_it(
    uploader: Uploader, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "PAGE", 0)  # which no server grants
    with pytest.raises(BadInput):
        list(nodes.listing(api, "/"))
    assert uploader.send(make(tmp_path / "in", 9 * MIB), "/folder/f")
    assert nodes.at(api, "/folder").is_folder
    assert nodes.at(api, "/folder/f").size == 9 * MIB
    assert nodes.find(api, "/folder/g") is None


def test_what_is_here_already_is_not_fetched_again(
    api: Api, uploader: Uploader, downloader: Downloader, line: Line, tmp_path: Path
) -> None:
    local = make(tmp_path / "in", 3 * MIB)
    uploader.send(local, "/f")
    before = line.passed
    assert not downloader.fetch(nodes.at(api, "/f"), local)
    assert line.passed - before < MIB


def test_an_upload_goes_on_where_the_line_was_cut(
    api: Api, uploader: Uploader, line: Line, tmp_path: Path, moved: Moved
) -> None:
    local = make(tmp_path / "in", 25 * MIB)
    line.cut_after(12 * MIB)
    assert uploader.send(local, "/f")
    assert line.cuts == 1
    assert line.passed < (25 + 2 * 8 + 1) * MIB, (
        "of two parts that were on their way nothing may have been kept"
    )
    assert moved.total == 25 * MIB
    assert nodes.at(api, "/f").etag == tree_of(local)


def test_an_upload_that_is_set_back_since_a_message_is_gone_sends_the_rest_again(
    house: House, uploader: Uploader, api: Api, tmp_path: Path, moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, missing = list[Locator](), house.store.missing

    def one_is_gone(locators: Sequence[Locator]) -> frozenset[Locator]:
        if not gone:
            gone.append(locators[1])
            house.store.delete(gone)
        return missing(locators)

    monkeypatch.setattr(house.store, "missing", one_is_gone)
    local = make(tmp_path / "in", 9 * MIB)
    assert uploader.send(local, "/f")
    assert nodes.at(api, "/f").etag == tree_of(local)
    assert moved.total == 9 * MIB and min(moved.sizes) < 0


def test_an_upload_whose_end_comes_back_other_than_it_was_stored_each_time_is_given_up(
    house: House, uploader: Uploader, tmp_path: Path
) -> None:
    house.store.on_read = lambda locator, span, attempt, true: bytes(len(true))
    with pytest.raises(Damaged):
        uploader.send(make(tmp_path / "in", 9 * MIB), "/f")


def test_a_stopped_upload_goes_on_in_the_next_run(
    house: House, api: Api, line: Line, tmp_path: Path, moved: Moved
) -> None:
    local = make(tmp_path / "in", 25 * MIB)

    def stop(size: int) -> None:
        if size:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Uploader(api, tmp_path / "state", stop).send(local, "/f")
    assert nodes.find(api, "/f") is None
    Uploader(api, tmp_path / "state", moved.sizes.append).send(local, "/f")
    assert moved.sizes[0] == 8 * MIB
    assert nodes.at(api, "/f").etag == tree_of(local)
    assert list((tmp_path / "state").iterdir()) == []


def test_an_upload_of_a_file_that_changed_since_begins_anew(api: Api, tmp_path: Path, moved: Moved) -> None:
    local = make(tmp_path / "in", 20 * MIB)

    def stop(size: int) -> None:
        if size:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Uploader(api, tmp_path / "state", stop).send(local, "/f")
    make(local, 21 * MIB)
    Uploader(api, tmp_path / "state", moved.sizes.append).send(local, "/f")
    assert moved.sizes[0] == 0
    assert nodes.at(api, "/f").etag == tree_of(local)


def test_a_file_that_changes_while_it_is_sent_is_refused(api: Api, tmp_path: Path) -> None:
    local = make(tmp_path / "in", 20 * MIB)

    def change(size: int) -> None:
        os.utime(local, ns=(1, 1))

    with pytest.raises(Conflict, match="changed"):
        Uploader(api, tmp_path / "state", change).send(local, "/f")
    assert nodes.find(api, "/f") is None


def test_a_download_goes_on_where_the_line_was_cut(
    api: Api, uploader: Uploader, downloader: Downloader, line: Line, tmp_path: Path, moved: Moved
) -> None:
    local = make(tmp_path / "in", 20 * MIB)
    uploader.send(local, "/f")
    before = line.passed
    line.cut_after(11 * MIB)
    assert fetch(downloader, api, "/f", tmp_path / "out") == local.read_bytes()
    assert line.cuts == 1
    assert line.passed - before < 23 * MIB
    assert moved.total == 40 * MIB


def test_a_stopped_download_goes_on_in_the_next_run_and_is_verified_whole(
    api: Api, uploader: Uploader, line: Line, tmp_path: Path, moved: Moved
) -> None:
    local = make(tmp_path / "in", 12 * MIB)
    uploader.send(local, "/f")
    node, goal = nodes.at(api, "/f"), tmp_path / "out"
    seen = 0

    def stop(size: int) -> None:
        nonlocal seen
        seen += size
        if seen > 5 * MIB:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Downloader(api, stop).fetch(node, goal)
    assert not goal.exists()
    moved.sizes.clear()
    assert Downloader(api, moved.sizes.append).fetch(node, goal)
    assert moved.sizes[0] > 4 * MIB
    assert goal.read_bytes() == local.read_bytes()


def test_a_part_that_was_tampered_with_is_found_out_and_thrown_away(
    api: Api, uploader: Uploader, downloader: Downloader, tmp_path: Path
) -> None:
    local = make(tmp_path / "in", 3 * MIB)
    uploader.send(local, "/f")
    node, goal = nodes.at(api, "/f"), tmp_path / "out"

    def stop(size: int) -> None:
        if size:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Downloader(api, stop).fetch(node, goal)
    part = tmp_path / "out.stowgram.part"
    data = bytearray(part.read_bytes())
    data[0] ^= 1
    part.write_bytes(data)
    with pytest.raises(Exception, match="Get it again"):
        downloader.fetch(node, goal)
    assert sorted(p.name for p in tmp_path.glob("out*")) == []
    assert downloader.fetch(node, goal)


def test_a_part_of_an_older_version_is_not_gone_on_with(
    api: Api, uploader: Uploader, downloader: Downloader, tmp_path: Path
) -> None:
    uploader.send(make(tmp_path / "in", 3 * MIB), "/f")
    goal = tmp_path / "out"

    def stop(size: int) -> None:
        if size:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Downloader(api, stop).fetch(nodes.at(api, "/f"), goal)
    newer = make(tmp_path / "newer", 4 * MIB)
    uploader.send(newer, "/f")
    assert fetch(downloader, api, "/f", goal) == newer.read_bytes()


def test_a_folder_goes_in_and_comes_out(
    api: Api, uploader: Uploader, downloader: Downloader, report: Report, tmp_path: Path, moved: Moved
) -> None:
    source = tmp_path / "source"
    (source / "empty").mkdir(parents=True)
    (source / "a" / "b").mkdir(parents=True)
    for number in range(40):
        make(source / ("a" if number % 2 else "a/b") / f"file {number}.bin", 1000 * number)
    make(source / "large.bin", 9 * MIB)
    tree.run(tree.puts(api, uploader, source, "/kept/there", report), report)
    assert (report.moved, report.failed, moved.lines) == (41, 0, [])
    tree.run(tree.gets(api, downloader, "/kept/there", tmp_path / "goal", report), report)
    assert report.moved == 82
    assert snapshot(tmp_path / "goal") == snapshot(source)
    tree.run(tree.puts(api, uploader, source, "/kept/there", report), report)
    tree.run(tree.gets(api, downloader, "/kept/there", tmp_path / "goal", report), report)
    assert (report.moved, report.there, report.failed) == (82, 82, 0)


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such things in its folders")
def test_what_cannot_be_kept_is_told_and_the_rest_goes_on(
    api: Api, uploader: Uploader, report: Report, tmp_path: Path, moved: Moved
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    make(source / "good", 10)
    make(source / "CON", 10)
    make(source / "Good", 10)
    make(source / "e\u0301", 10)
    make(source / "\u00e9", 10)
    (source / "link").symlink_to("good")
    (source / os.fsdecode(b"bad\xff")).write_bytes(b"x")
    if sys.platform != "win32":
        os.mkfifo(source / "pipe")
    tree.run(tree.puts(api, uploader, source, "/kept", report), report)
    assert sorted(node.name for node in nodes.listing(api, "/kept")) in (["good", "é"], ["Good", "é"])
    assert report.failed == 4
    told = "\n".join(moved.lines)
    for word in ("CON", "bad", "two Unicode forms", "symbolic link", "no file and no folder", "ood"):
        assert word in told


def test_a_wrong_token_ends_the_run_at_once_and_says_what_to_do(line: Line, tmp_path: Path) -> None:
    with (
        Api(f"http://127.0.0.1:{line.port}", "stw_wrong") as api,
        pytest.raises(NotSignedIn, match="--token"),
    ):
        nodes.at(api, "/f")


def test_a_server_that_is_not_there_is_told_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        Api(f"http://127.0.0.1:{port}", None, patience=1.0) as api,
        pytest.raises(Unreachable, match="Is it running"),
    ):
        nodes.at(api, "/f")


def test_nodes_are_found_listed_and_removed(api: Api, uploader: Uploader, tmp_path: Path) -> None:
    uploader.send(make(tmp_path / "in", 5), "/a/b/c")
    assert [node.name for node in nodes.listing(api, "/a")] == ["b"]
    nodes.remove(api, nodes.at(api, "/a"))
    assert nodes.find(api, "/a/b/c") is None
    with pytest.raises(NotFound):
        nodes.at(api, "/a")
    with pytest.raises(BadName):
        nodes.at(api, "/../x")


def test_the_digest_is_the_same_however_the_bytes_are_portioned() -> None:
    data = random.Random(1).randbytes(3 * MIB + 7)
    whole, portioned = Digest(whole=True), Digest()
    whole.update(data)
    for start in range(0, len(data), 99_991):
        portioned.update(data[start : start + 99_991])
    assert whole.tree() == portioned.tree()


def test_names_that_would_be_one_file_on_windows_are_told_apart() -> None:
    remote = ["a?.txt", "a*.txt", "a_.txt", "b.", "c"]
    assert tree.local_names(remote, windows=True) == ["a__1.txt", "a__2.txt", "a_.txt", "b_", "c"]
    assert tree.local_names(remote, windows=False) == remote


def test_a_file_that_is_called_like_our_part_files_gets_another_name_here() -> None:
    remote = ["x", "x.stowgram.part", "x.stowgram.part_", "y.Stowgram.PART.json"]
    for windows in (True, False):
        here = tree.local_names(remote, windows)
        assert here == ["x", "x.stowgram_1.part_", "x.stowgram.part_", "y.Stowgram.PART.json_"]
