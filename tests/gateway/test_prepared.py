"""Prepared ZIPs: the streamed bytes, whoever was killed while they were made; bounded, and gone when of no use."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from errors import AtCapacity, ClientGone, Conflict, Gone, NotFound, TooLarge
from gateway.background.jobs import Jobs
from gateway.background.zips import Zips
from jobs.worker import Workers
from model import MIB, ByteRange, Folder
from storage.memory import MemoryStore
from streaming import packing
from streaming.deflated import Deflating
from streaming.shelf import HalfMade, Shelf
from tests.conftest import House, build_house
from tests.full_disk import files_of_at_most
from tests.gateway.preparing import WORKER, claimed, here, ignore, never, prepared, worked
from tests.serving.conftest import until

pytestmark = pytest.mark.slow

LONG = os.urandom(3 * MIB + 5)
TEXT = b"again and again " * 5000
FILES = {"/z/a/long.bin": LONG, "/z/a/one": b"1", "/z/empty": b"", "/z/b": LONG[: MIB + 1], "/z/text": TEXT}


@pytest.fixture
def folder(house: House) -> Folder:
    for path, data in FILES.items():
        store(house, path, data)
    return at(house, "/z")


def store(house: House, path: str, data: bytes) -> None:
    house.gateway.uploads.put(house.user, path, BytesIO(data), len(data))


def at(house: House, path: str) -> Folder:
    found = house.gateway.files.at(house.user, path)
    assert isinstance(found, Folder)
    return found


def streamed(house: House, folder: Folder) -> bytes:
    archive = house.gateway.archives.of(house.user, folder)
    span = ByteRange(0, archive.size)
    download = house.gateway.downloads.open_archive(house.user, folder, archive, span, gone=never)
    try:
        return b"".join(download)
    finally:
        download.close()


def shelf(tmp_path: Path) -> list[str]:
    return sorted(path.suffix for path in (tmp_path / "prepared").iterdir())


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block is made durable at once."""
    monkeypatch.setattr(packing, "SYNC_EVERY", 0.0)


def test_it_is_what_the_stream_would_be_and_asking_twice_joins(house: House, folder: Folder) -> None:
    asked = house.gateway.prepared.ask(house.user, folder)
    assert house.gateway.prepared.ask(house.user, folder).id == asked.id
    worked(house.gateway)
    job, path = house.gateway.jobs.get(house.user, asked.id), here(house, asked)
    assert path.read_bytes() == streamed(house, folder)
    assert job.result == {"size": path.stat().st_size}
    assert house.gateway.prepared.ask(house.user, folder).status == "ready"


def test_progress_is_told_and_goes_on_from_what_is_durable(
    house: House, folder: Folder, tmp_path: Path, synced: None
) -> None:
    asked = house.gateway.prepared.ask(house.user, folder)
    told: list[int] = []
    job = claimed(house.gateway)
    with pytest.raises(ClientGone):
        house.gateway.jobs.perform(job, told.append, lambda: len(told) > 2)
    assert told == sorted(told) and 0 < told[-1] < asked.total
    house.gateway.jobs.renew(job, "test", told[1], timedelta(seconds=1))
    (half,) = (tmp_path / "prepared").iterdir()
    assert half.stat().st_size >= told[-1]
    half.write_bytes(half.read_bytes()[: told[1]] + b"torn by the power cut")
    house.gateway.jobs.put_back(job, "test", timedelta(), None)
    again: list[int] = []
    worked(house.gateway, again.append)
    assert again[0] > told[1]
    assert here(house, asked).read_bytes() == streamed(house, folder)


class Killed(BaseException):
    """Ends a worker as kill -9 would: nobody handles it."""


STEPS: list[tuple[type, str, str]] = [
    (Zips, "make_room", "before"),
    (Zips, "make_room", "after"),
    (HalfMade, "cut", "before"),
    (HalfMade, "cut", "after"),
    (HalfMade, "write", "before"),
    (HalfMade, "write", "after"),
    (HalfMade, "sync", "before"),
    (HalfMade, "sync", "after"),
    (HalfMade, "finish", "before"),
    (HalfMade, "finish", "after"),
    (Jobs, "finish", "before"),
    (Jobs, "finish", "after"),
]


@pytest.mark.parametrize(("place", "name", "when"), STEPS)
def test_a_worker_killed_at_any_step_leaves_a_zip_that_another_goes_on_with(
    house: House,
    folder: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    synced: None,
    place: type,
    name: str,
    when: str,
) -> None:
    asked = house.gateway.prepared.ask(house.user, folder)
    real: Callable[..., object] = getattr(place, name)
    left = [3 if name in {"write", "sync"} else 1]  # in the midst of it

    def deadly(*args: object, **named: object) -> object:
        left[0] -= 1
        if left[0] == 0 and when == "before":
            raise Killed
        given = real(*args, **named)
        if left[0] == 0:
            raise Killed
        return given

    monkeypatch.setattr(place, name, deadly)
    with pytest.raises(Killed):
        worked(house.gateway, lease=timedelta())
    if house.gateway.jobs.get(house.user, asked.id).status != "ready":
        worked(house.gateway)
    assert here(house, asked).read_bytes() == streamed(house, folder)
    assert shelf(tmp_path) == [".zip"]


@pytest.mark.parametrize(("number", "when"), [(1, "before"), (2, "after"), (3, "before"), (5, "after")])
def test_a_deflated_one_goes_on_inside_a_member(
    house: House,
    folder: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    synced: None,
    number: int,
    when: str,
) -> None:
    monkeypatch.setattr(packing, "Deflating", partial(Deflating, segment=64 << 10))
    with with_limits(tmp_path, house.store, zip_level=6) as deflating:
        gateway, user = deflating.gateway, deflating.user
        whole = here(deflating, prepared(gateway, user, folder))
        uninterrupted = whole.read_bytes()
        with zipfile.ZipFile(BytesIO(uninterrupted)) as opened:
            assert opened.read("a/long.bin") == LONG and opened.testzip() is None
            assert opened.getinfo("text").compress_size < len(TEXT) / 2
        gateway.jobs.cancel(user, whole.stem)
        real, calls = HalfMade.sync, count(1)

        def deadly(half: HalfMade, marks: bytes = b"") -> None:
            call = next(calls)
            if call == number and when == "before":
                raise Killed
            real(half, marks)
            if call == number:
                raise Killed

        monkeypatch.setattr(HalfMade, "sync", deadly)
        asked = gateway.prepared.ask(user, folder)
        with pytest.raises(Killed):
            worked(gateway, lease=timedelta())
        monkeypatch.setattr(HalfMade, "sync", real)
        first: list[int] = []
        worked(gateway, first.append)
        assert number == 1 or first[0] > MIB, "it did not begin anew"
        assert here(deflating, asked).read_bytes() == uninterrupted


def test_a_restart_goes_on_with_it(house: House, folder: Folder, tmp_path: Path, synced: None) -> None:
    asked, told = house.gateway.prepared.ask(house.user, folder), [0]
    workers = Workers(house.gateway.jobs, "test", {"zip": 1}, rest=0.02, beat=0.02)
    gate = house.gateway.jobs.perform

    def slowly(job: object, progress: Callable[[int], None], stopped: Callable[[], bool]) -> object:
        def tell(done: int) -> None:
            told.append(done)
            progress(done)
            if done > MIB:
                until(stopped, 10)

        return gate(job, tell, stopped)  # type: ignore[arg-type]

    house.gateway.jobs.perform = slowly  # type: ignore[method-assign,assignment]
    workers.start()
    assert until(lambda: told[-1] > MIB, 10)
    assert until(lambda: house.gateway.jobs.get(house.user, asked.id).done > MIB, 10), (
        "people see how far it is"
    )
    workers.stop(10)
    again = build_house(tmp_path, house.store)
    try:
        assert again.gateway.jobs.get(again.user, asked.id).status == "queued"
        first: list[int] = []
        worked(again.gateway, first.append)
        assert first[0] > MIB
        assert here(again, asked).read_bytes() == streamed(again, folder)
    finally:
        again.gateway.close()
        again.database.close()


def test_a_cancelled_one_leaves_nothing(house: House, folder: Folder, tmp_path: Path, synced: None) -> None:
    asked = house.gateway.prepared.ask(house.user, folder)
    job = claimed(house.gateway)

    def cancels(done: int) -> None:
        if house.gateway.jobs.get(house.user, asked.id).status == "processing":
            house.gateway.jobs.cancel(house.user, asked.id)

    with pytest.raises(ClientGone):
        house.gateway.jobs.perform(
            job, cancels, lambda: not house.gateway.jobs.renew(job, "test", 0, timedelta(1))
        )
    house.gateway.jobs.clear(job)
    assert shelf(tmp_path) == []
    with pytest.raises(Gone):
        house.gateway.prepared.whole(house.user, asked.id)
    again = prepared(house.gateway, house.user, folder)
    assert again.id != asked.id and shelf(tmp_path) == [".zip"]
    house.gateway.jobs.cancel(house.user, again.id)
    assert shelf(tmp_path) == []


def test_what_no_job_stands_for_is_swept(house: House, folder: Folder, tmp_path: Path) -> None:
    job = prepared(house.gateway, house.user, folder)
    for suffix in (".part", ".marks", ".zip"):
        (tmp_path / "prepared" / f"{'0' * 32}{suffix}").write_bytes(b"left behind")
    house.gateway.upkeep.tidy_prepared()
    assert shelf(tmp_path) == [".zip"] and house.gateway.prepared.whole(house.user, job.id)


@pytest.mark.parametrize("asked_for", [True, False])
def test_a_folder_that_has_changed_has_its_zip_thrown_away(
    house: House, folder: Folder, tmp_path: Path, asked_for: bool
) -> None:
    job = prepared(house.gateway, house.user, folder)
    store(house, "/elsewhere", b"x")
    house.gateway.upkeep.tidy_prepared()
    assert house.gateway.prepared.ask(house.user, folder).id == job.id, (
        "what changes elsewhere does not matter"
    )
    store(house, "/z/new", b"x")
    if asked_for:
        with pytest.raises(Gone):
            house.gateway.prepared.whole(house.user, job.id)
    house.gateway.upkeep.tidy_prepared()
    assert shelf(tmp_path) == []
    with pytest.raises(NotFound):
        house.gateway.jobs.get(house.user, job.id)
    assert prepared(house.gateway, house.user, folder).id != job.id


@pytest.mark.parametrize("progress", [None, 0])
def test_a_folder_that_changes_while_it_is_packed_fails_the_job(
    house: House, folder: Folder, tmp_path: Path, synced: None, progress: int | None
) -> None:
    house.gateway.prepared.ask(house.user, folder)
    if progress is None:
        store(house, "/z/new", b"x")
    job = claimed(house.gateway)
    with pytest.raises(Conflict, match="changed"):
        house.gateway.jobs.perform(job, lambda done: store(house, "/z/new", b"x"), never)
    house.gateway.jobs.fail(job, "test", "changed")
    assert shelf(tmp_path) == []


def test_its_time_ends(house: House, folder: Folder, tmp_path: Path) -> None:
    job = prepared(house.gateway, house.user, folder)
    assert job.ends_at is not None
    assert timedelta(hours=23) < job.ends_at - job.updated_at < timedelta(hours=25)
    over = job.ends_at + timedelta(seconds=1)
    house.database.now = lambda: over
    with pytest.raises(Gone):
        house.gateway.prepared.whole(house.user, job.id)
    house.gateway.upkeep.tidy_prepared()
    assert shelf(tmp_path) == [] and house.gateway.jobs.of(house.user) == ()


@contextmanager
def with_limits(tmp_path: Path, store: MemoryStore, **limits: Any) -> Iterator[House]:
    built = build_house(tmp_path, store, **limits)
    try:
        yield built
    finally:
        built.gateway.close()
        built.database.close()


def test_the_oldest_make_room_and_what_never_fits_is_refused(house: House, tmp_path: Path) -> None:
    for number in range(3):
        store(house, f"/{number}/f", os.urandom(MIB))
    with with_limits(tmp_path, house.store, zip_cache=2 * MIB + 4096) as small:
        jobs = [prepared(small.gateway, small.user, at(small, f"/{number}")) for number in range(3)]
        with pytest.raises(Gone):
            small.gateway.prepared.whole(small.user, jobs[0].id)
        for job in jobs[1:]:
            assert small.gateway.prepared.whole(small.user, job.id)
        assert sum(path.stat().st_size for path in (tmp_path / "prepared").iterdir()) <= 2 * MIB + 4096
        with pytest.raises(TooLarge):
            small.gateway.prepared.ask(small.user, at(small, "/"))


def test_while_others_are_made_one_waits_for_room(house: House, tmp_path: Path, synced: None) -> None:
    for number in range(2):
        store(house, f"/{number}/f", os.urandom(MIB))
    with with_limits(tmp_path, house.store, zip_cache=MIB + 4096) as small:
        for number in range(2):
            small.gateway.prepared.ask(small.user, at(small, f"/{number}"))
        first, second = claimed(small.gateway), claimed(small.gateway)
        told: list[int] = []
        with pytest.raises(ClientGone):
            small.gateway.jobs.perform(first, told.append, lambda: bool(told))
        with pytest.raises(AtCapacity):
            small.gateway.jobs.perform(second, ignore, never)


def test_nothing_is_thrown_away_for_one_that_has_no_room_even_then(
    house: House, tmp_path: Path, synced: None
) -> None:
    for path, size in (("/ready/f", MIB // 2), ("/half/f", 2 * MIB), ("/new/f", 3 * MIB // 2)):
        store(house, path, os.urandom(size))
    with with_limits(tmp_path, house.store, zip_cache=3 * MIB) as small:
        ready = prepared(small.gateway, small.user, at(small, "/ready"))
        small.gateway.prepared.ask(small.user, at(small, "/half"))
        half, told = claimed(small.gateway), list[int]()
        with pytest.raises(ClientGone):
            small.gateway.jobs.perform(half, told.append, lambda: sum(told[-1:]) > 3 * MIB // 2)
        small.gateway.jobs.put_back(half, WORKER, timedelta(hours=1), "The line is down.")
        small.gateway.prepared.ask(small.user, at(small, "/new"))
        with pytest.raises(AtCapacity):
            small.gateway.jobs.perform(claimed(small.gateway), ignore, never)
        assert small.gateway.prepared.whole(small.user, ready.id)


def test_a_full_disk_fails_the_job_with_a_sentence_and_leaves_nothing(
    house: House, folder: Folder, tmp_path: Path
) -> None:
    asked = house.gateway.prepared.ask(house.user, folder)
    workers = Workers(house.gateway.jobs, "test", {"zip": 1}, rest=0.02, beat=0.05)
    with files_of_at_most(2 * MIB):
        workers.start()
        assert until(lambda: house.gateway.jobs.get(house.user, asked.id).status == "failed", 10)
        workers.stop(5)
    assert "disk" in str(house.gateway.jobs.get(house.user, asked.id).error)
    assert shelf(tmp_path) == []


def test_a_file_that_somebody_removed_by_hand_is_made_again(
    house: House, folder: Folder, tmp_path: Path
) -> None:
    job = prepared(house.gateway, house.user, folder)
    (tmp_path / "prepared" / f"{job.id}.zip").unlink()
    with pytest.raises(Gone):
        house.gateway.prepared.whole(house.user, job.id)
    again = house.gateway.prepared.ask(house.user, folder)
    assert (again.status, again.id != job.id) == ("queued", True)


def test_the_shelf_says_what_it_holds(tmp_path: Path) -> None:
    here = Shelf(tmp_path / "shelf")
    with here.make("a") as half:
        half.write(b"12345")
        half.sync(b"mark")
        assert half.marks() == b"mark" and "1 archives" in repr(here)
    assert here.sizes() == {"a": 9}
