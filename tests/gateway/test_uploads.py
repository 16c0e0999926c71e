"""An upload's life: durable, in order, read back, visible at once or not at all, and nothing left behind."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

import errors
from db import Uploads
from gateway.incoming.arrivals import LIFE, PUT_LIFE
from gateway.incoming.transit import TRIES
from model import MIB, ByteRange, Checksum, File, Label, Locator, Upload
from storage.memory import MemoryStore
from tests.conftest import House, build_house, wait_for_transit


def begin(house: House, size: int, path: str = "/a/file.bin") -> Upload:
    folder, _, name = path.rpartition("/")
    return house.gateway.uploads.create(house.user, folder=folder or "/", name=name, length=size)


def send(house: House, upload: Upload, data: bytes, part: int = MIB) -> Upload:
    while upload.file_id is None:
        body = data[upload.offset : upload.offset + part]
        upload = house.gateway.uploads.append(
            house.user, upload.id, upload.offset, io.BytesIO(body), len(body)
        )
    return upload


def fetch(house: House, path: str, span: ByteRange | None = None) -> bytes:
    file = house.gateway.files.at(house.user, path)
    assert isinstance(file, File)
    download = house.gateway.downloads.open(
        house.user, file, span or ByteRange(0, file.size), gone=lambda: False
    )
    try:
        return b"".join(download)
    finally:
        download.close()


def known_messages(house: House) -> set[Locator]:
    """Every message that a file, its manifest, an upload or the trash knows."""
    with house.database.read() as rows:
        tables = ("chunks", "upload_chunks", "trash")
        found = {
            Locator(c, m)
            for t in tables
            for c, m in rows.exec_driver_sql(f"select channel, message from {t}")
        }
        manifests = rows.exec_driver_sql("select manifest_channel, manifest_message from contents")
        return found | {Locator(c, m) for c, m in manifests if m is not None}


def begin_up_to_the_last_byte(house: House, data: bytes) -> Upload:
    """An upload that has all of its bytes but one, and all whole chunks of them in the store."""
    upload = begin(house, len(data))
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(data[:-1]), len(data) - 1)
    wait_for_transit(house, upload.id)
    return upload


def send_last_byte(house: House, upload: Upload, data: bytes) -> Upload:
    return house.gateway.uploads.append(house.user, upload.id, len(data) - 1, io.BytesIO(data[-1:]), 1)


def settle(house: House) -> None:
    house.gateway.upkeep.settle_intents()
    house.gateway.upkeep.empty_trash()


@pytest.mark.parametrize("size", [1, MIB - 1, MIB, MIB + 1, 2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 5 * MIB + 1])
def test_what_goes_in_comes_out(house: House, size: int) -> None:
    data = os.urandom(size)
    send(house, begin(house, size), data)
    file = house.gateway.files.at(house.user, "/a/file.bin")
    assert isinstance(file, File)
    assert file.sha256 == hashlib.sha256(data).digest()
    assert fetch(house, "/a/file.bin") == data
    assert set(house.store.labels) == known_messages(house)
    assert house.staging.uploads() == ()


def test_a_file_of_no_bytes_is_finished_when_it_is_created(house: House) -> None:
    assert begin(house, 0).file_id is not None
    assert fetch(house, "/a/file.bin") == b""


def test_the_last_byte_is_acknowledged_only_when_the_file_is_visible(tmp_path: Path) -> None:
    down = True

    def on_put(label: Label, locator: Locator | None) -> None:
        if down and label.kind == "manifest":
            raise errors.Transient("the store is down")

    house = build_house(tmp_path, MemoryStore(on_put=on_put))
    data = os.urandom(3 * MIB)
    upload = begin(house, len(data))
    with pytest.raises(errors.Transient):
        send(house, upload, data)
    assert house.gateway.uploads.get(house.user, upload.id).offset == len(data) - 1
    with pytest.raises(errors.NotFound):
        house.gateway.files.at(house.user, "/a/file.bin")

    with pytest.raises(errors.ChecksumMismatch):
        wrong = bytes([data[-1] ^ 1])
        house.gateway.uploads.append(house.user, upload.id, len(data) - 1, io.BytesIO(wrong), 1)
    down = False
    done = house.gateway.uploads.append(house.user, upload.id, len(data) - 1, io.BytesIO(data[-1:]), 1)
    assert done.offset == len(data)
    assert fetch(house, "/a/file.bin") == data
    settle(house)
    assert set(house.store.labels) == known_messages(house)


def test_upkeep_finishes_an_upload_whose_client_never_came_back(tmp_path: Path) -> None:
    down = True

    def on_put(label: Label, locator: Locator | None) -> None:
        if down:
            raise errors.Transient("the store is down")

    house = build_house(tmp_path, MemoryStore(on_put=on_put))
    data = os.urandom(5 * MIB)
    with pytest.raises(errors.Transient):
        send(house, begin(house, len(data)), data, part=len(data))
    down = False
    deadline = time.monotonic() + 30
    while house.gateway.transfers.statuses() and time.monotonic() < deadline:
        with suppress(errors.Transient):
            house.gateway.upkeep.go_on_with_uploads()
        time.sleep(0.02)
    assert fetch(house, "/a/file.bin") == data
    assert house.gateway.transfers.statuses() == []


@pytest.mark.slow
def test_a_second_writer_is_refused_and_the_first_goes_on(house: House) -> None:
    upload = begin(house, MIB)
    arrived, release = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            arrived.set()
            assert release.wait(10)
            return super().read(size)

    def first() -> None:
        house.gateway.uploads.append(house.user, upload.id, 0, Slow(bytes(MIB)), MIB)

    thread = threading.Thread(target=first)
    thread.start()
    assert arrived.wait(5)
    with pytest.raises(errors.Busy):
        house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(b"x"), 1)
    release.set()
    thread.join()
    assert fetch(house, "/a/file.bin") == bytes(MIB)


def test_an_offset_that_is_not_where_the_upload_stands_is_refused(house: House) -> None:
    upload = begin(house, MIB)
    for offset in (1, MIB, -1):
        with pytest.raises(errors.OffsetMismatch):
            house.gateway.uploads.append(house.user, upload.id, offset, io.BytesIO(b"x"), 1)
    with pytest.raises(errors.BadInput):
        house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(bytes(MIB + 1)), MIB + 1)
    assert house.gateway.uploads.get(house.user, upload.id).offset == 0


def test_a_wrong_checksum_keeps_nothing(house: House) -> None:
    data = os.urandom(MIB)
    upload = begin(house, MIB)
    with pytest.raises(errors.ChecksumMismatch):
        house.gateway.uploads.append(
            house.user, upload.id, 0, io.BytesIO(data), MIB, checksum=Checksum(bytes(32))
        )
    assert house.gateway.uploads.get(house.user, upload.id).offset == 0
    digest = hashlib.sha256(data).digest()
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(data), MIB, checksum=Checksum(digest))
    assert fetch(house, "/a/file.bin") == data


def by_piece(data: bytes, start: int, stop: int) -> Checksum:
    """The checksum of these bytes of a file, made of what they bring of each of its pieces."""
    cuts = [start, *range(start - start % MIB + MIB, stop, MIB), stop]
    digests = b"".join(hashlib.sha256(data[one:two]).digest() for one, two in pairwise(cuts))
    return Checksum(hashlib.sha256(digests).digest(), by_piece=True)


@pytest.mark.parametrize("part", [2 * MIB, 700_000, 3 * MIB + 1])
def test_parts_that_are_checked_by_piece_come_to_rest_with_the_right_digests(house: House, part: int) -> None:
    data = os.urandom(5 * MIB + 7)
    upload = begin(house, len(data))
    while upload.file_id is None:
        span = ByteRange(upload.offset, min(upload.offset + part, len(data)))
        body = data[span.start : span.stop]
        append = partial(house.gateway.uploads.append, house.user, upload.id, span.start)
        with pytest.raises(errors.ChecksumMismatch):
            damaged = bytes([body[0] ^ 1]) + body[1:]
            append(io.BytesIO(damaged), span.length, checksum=by_piece(data, span.start, span.stop))
        upload = append(io.BytesIO(body), span.length, checksum=by_piece(data, span.start, span.stop))
    file = house.gateway.files.at(house.user, "/a/file.bin")
    assert isinstance(file, File)
    assert file.sha256 == hashlib.sha256(data).digest()
    assert file.tree == by_piece(data, 0, len(data)).digest
    assert fetch(house, "/a/file.bin") == data


def test_what_was_measured_of_a_chunk_that_was_set_back_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build_house(tmp_path, room=5 * MIB)
    data, other = os.urandom(4 * MIB), os.urandom(MIB)
    upload, crowding = begin(house, len(data), "/a"), begin(house, 4 * MIB, "/b")
    monkeypatch.setattr("gateway.incoming.arrivals.REST", -LIFE)
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(other), MIB)
    house.gateway.uploads.append(house.user, crowding.id, 0, io.BytesIO(data[:-1]), 4 * MIB - 1)
    house.gateway.uploads.make_room()
    upload = house.gateway.uploads.get(house.user, upload.id)
    assert upload.offset == 0
    send(house, upload, data)
    file = house.gateway.files.at(house.user, "/a")
    assert isinstance(file, File)
    assert file.sha256 == hashlib.sha256(data).digest()
    assert fetch(house, "/a") == data


def test_a_stored_chunk_that_comes_back_wrong_is_stored_again(tmp_path: Path) -> None:
    store = MemoryStore()
    bad: set[Locator] = set()

    def on_read(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
        if not bad:
            bad.add(locator)
        return bytes(len(true)) if locator in bad else true

    store.on_read = on_read
    house = build_house(tmp_path, store)
    data = os.urandom(MIB)
    send(house, begin(house, MIB), data)
    assert fetch(house, "/a/file.bin") == data
    settle(house)
    assert not bad & set(store.labels), "the bad message is deleted"
    assert set(store.labels) == known_messages(house)


def test_a_chunk_of_many_that_comes_back_wrong_is_stored_again_while_the_client_goes_on(
    tmp_path: Path,
) -> None:
    store = MemoryStore()
    bad: set[Locator] = set()

    def on_read(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
        if not bad and store.labels[locator].index == 1:
            bad.add(locator)
        return bytes(len(true)) if locator in bad else true

    store.on_read = on_read
    house = build_house(tmp_path, store)
    data = os.urandom(7 * MIB)
    send(house, begin(house, len(data)), data)
    assert bad
    assert fetch(house, "/a/file.bin") == data
    settle(house)
    assert set(store.labels) == known_messages(house)


def test_a_chunk_that_never_comes_back_right_is_not_stored_for_ever(tmp_path: Path) -> None:
    store = MemoryStore()
    store.on_read = lambda locator, span, attempt, true: bytes(len(true))
    house = build_house(tmp_path, store)
    upload = begin(house, MIB)
    with pytest.raises(errors.ChunkCorrupt):
        send(house, upload, os.urandom(MIB))
    assert len(store.labels) == TRIES
    assert house.gateway.uploads.get(house.user, upload.id).offset == MIB - 1


def test_a_chunk_that_turns_bad_when_its_staged_bytes_are_gone_sets_the_upload_back(tmp_path: Path) -> None:
    store = MemoryStore()
    house = build_house(tmp_path, store)
    data = os.urandom(7 * MIB)
    upload = begin_up_to_the_last_byte(house, data)
    house = build_house(tmp_path, store)  # which has seen none of the chunks come back
    bad = next(place for place, label in store.labels.items() if label.index == 1)
    store.on_read = lambda locator, span, attempt, true: bytes(len(true)) if locator == bad else true
    with pytest.raises(errors.ChunkCorrupt):
        send_last_byte(house, upload, data)
    upload = house.gateway.uploads.get(house.user, upload.id)
    assert upload.offset == 2 * MIB
    send(house, upload, data)
    assert fetch(house, "/a/file.bin") == data
    settle(house)
    assert set(store.labels) == known_messages(house)


def test_a_chunk_that_somebody_deletes_after_it_was_read_back_is_missed_before_the_file_is_there(
    house: House,
) -> None:
    data = os.urandom(7 * MIB)
    upload = begin_up_to_the_last_byte(house, data)
    house.store.delete([next(place for place, label in house.store.labels.items() if label.index == 1)])
    with pytest.raises(errors.ChunkCorrupt):
        send_last_byte(house, upload, data)
    upload = house.gateway.uploads.get(house.user, upload.id)
    assert upload.offset == 2 * MIB
    send(house, upload, data)
    assert fetch(house, "/a/file.bin") == data


def test_what_could_not_be_read_back_on_its_way_is_read_back_before_the_file_is_there(tmp_path: Path) -> None:
    store, reads = MemoryStore(), list[Locator]()

    def on_read(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
        reads.append(locator)
        if len(reads) == 1:
            raise errors.Permanent("not now")
        return true

    store.on_read = on_read
    house = build_house(tmp_path, store)
    send(house, begin(house, MIB), os.urandom(MIB))
    assert reads[0] == reads[1]


def test_an_upload_whose_manifest_is_on_its_way_is_in_transit(tmp_path: Path) -> None:
    store, told = MemoryStore(), dict[str, bool]()
    house = build_house(tmp_path, store)

    def on_put(label: Label, locator: Locator | None) -> None:
        told[label.kind] = house.gateway.uploads.in_transit(label.file)

    store.on_put = on_put
    upload = begin(house, MIB)
    send(house, upload, bytes(MIB))
    assert told == {"chunk": True, "manifest": True}
    assert not house.gateway.uploads.in_transit(upload.id)


def test_who_reads_back_at_the_end_lets_go_when_its_client_comes_again(tmp_path: Path) -> None:
    store = MemoryStore()
    house = build_house(tmp_path, store)
    data = os.urandom(5 * MIB)
    upload = begin_up_to_the_last_byte(house, data)
    house = build_house(tmp_path, store)
    reading, let_go = threading.Event(), threading.Event()

    def on_read(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
        if not reading.is_set() and store.labels[locator].index < 2:
            reading.set()
            assert let_go.wait(10)
        return true

    store.on_read = on_read
    ended: list[BaseException] = []

    def finish() -> None:
        try:
            send_last_byte(house, upload, data)
        except errors.Busy as error:
            ended.append(error)

    first = threading.Thread(target=finish)
    first.start()
    assert reading.wait(10)
    assert house.gateway.uploads.resume(house.user, upload.id).offset == len(data) - 1
    first.join(5)
    let_go.set()
    assert len(ended) == 1
    send(house, house.gateway.uploads.get(house.user, upload.id), data)
    assert fetch(house, "/a/file.bin") == data


def test_a_lost_answer_leaves_no_second_message(tmp_path: Path) -> None:
    lost: set[str] = set()

    def on_put(label: Label, locator: Locator | None) -> None:
        if locator is not None and label.kind not in lost:
            lost.add(label.kind)
            raise errors.Transient("the answer was lost")

    house = build_house(tmp_path, MemoryStore(on_put=on_put))
    data = os.urandom(MIB)
    upload = begin(house, MIB)
    for _ in range(4):
        try:
            upload = house.gateway.uploads.get(house.user, upload.id)
            send(house, upload, data)
        except errors.Transient:
            continue
    assert lost == {"chunk", "manifest"}
    assert fetch(house, "/a/file.bin") == data
    assert set(house.store.labels) == known_messages(house)


def test_an_upload_given_up_leaves_nothing(house: House) -> None:
    upload = begin(house, 5 * MIB)
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(bytes(4 * MIB)), 4 * MIB)
    house.gateway.uploads.abort(house.user, upload.id)
    with pytest.raises(errors.Gone):
        house.gateway.uploads.get(house.user, upload.id)
    deadline = time.monotonic() + 5
    while house.store.labels and time.monotonic() < deadline:
        settle(house)
        time.sleep(0.05)
    assert not house.store.labels
    assert house.staging.uploads() == ()


def test_replacing_a_file_keeps_the_new_bytes_and_trashes_the_old(house: House) -> None:
    for byte in (b"1", b"2"):
        send(house, begin(house, MIB), byte * MIB)
    assert fetch(house, "/a/file.bin") == b"2" * MIB
    settle(house)
    assert len(house.store.labels) == 2, "one chunk and one manifest"


def test_only_new_refuses_to_replace(house: House) -> None:
    put = house.gateway.uploads.put
    file, created = put(house.user, "/x", io.BytesIO(b"1"), 1, only_new=True)
    assert created
    with pytest.raises(errors.PreconditionFailed):
        put(house.user, "/x", io.BytesIO(b"2"), 1, only_new=True)
    again, created = put(house.user, "/x", io.BytesIO(b"3"), 1)
    assert not created
    assert again.id == file.id
    assert fetch(house, "/x") == b"3"


def test_names_that_differ_only_in_case_or_form_are_refused(house: House) -> None:
    put = house.gateway.uploads.put
    put(house.user, "/Caf\u00e9", io.BytesIO(b"1"), 1)
    with pytest.raises(errors.Conflict, match="Caf\u00e9"):
        put(house.user, "/CAF\u00c9", io.BytesIO(b"2"), 1)
    put(house.user, "/Cafe\u0301", io.BytesIO(b"3"), 1)
    assert fetch(house, "/Caf\u00e9") == b"3", "another form of the same name is the same name"
    with pytest.raises(errors.Conflict):
        put(house.user, "/caf\u00e9/below", io.BytesIO(b"4"), 1)


def test_another_users_upload_does_not_exist(house: House) -> None:
    other = house.gateway.people.add("eve", "another horse")
    upload = begin(house, MIB)
    with pytest.raises(errors.NotFound):
        house.gateway.uploads.get(other, upload.id)
    with pytest.raises(errors.NotFound):
        house.gateway.uploads.append(other, upload.id, 0, io.BytesIO(b"x"), 1)
    with pytest.raises(errors.NotFound):
        house.gateway.uploads.abort(other, upload.id)


def test_a_restart_in_the_middle_loses_nothing_and_the_digest_is_made_later(tmp_path: Path) -> None:
    first = build_house(tmp_path)
    data = os.urandom(5 * MIB + 7)
    upload = begin(first, len(data))
    body = io.BytesIO(data[: 3 * MIB])
    first.gateway.uploads.append(first.user, upload.id, 0, body, 3 * MIB)
    wait_for_transit(first, upload.id)
    first.gateway.close()
    first.database.close()

    second = build_house(tmp_path, first.store)
    upload = second.gateway.uploads.get(second.user, upload.id)
    assert upload.offset == 3 * MIB
    send(second, upload, data)
    file = second.gateway.files.at(second.user, "/a/file.bin")
    assert isinstance(file, File)
    assert file.sha256 is None
    second.gateway.upkeep.complete_digests(lambda: False)
    file = second.gateway.files.at(second.user, "/a/file.bin")
    assert isinstance(file, File)
    assert file.sha256 == hashlib.sha256(data).digest()
    assert fetch(second, "/a/file.bin") == data
    second.database.close()


def test_a_resting_upload_gives_up_its_begun_chunk_when_staging_is_crowded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build_house(tmp_path, room=5 * MIB)
    data = os.urandom(4 * MIB)
    resting, crowding = begin(house, 4 * MIB, "/a"), begin(house, 4 * MIB, "/b")
    for upload in (resting, crowding):
        house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(data[:MIB]), MIB)
    house.gateway.uploads.make_room()
    assert house.gateway.uploads.get(house.user, resting.id).offset == MIB, "nobody rests yet"

    monkeypatch.setattr("gateway.incoming.arrivals.REST", -LIFE)
    house.gateway.uploads.append(house.user, crowding.id, MIB, io.BytesIO(data[MIB:-1]), 3 * MIB - 1)
    house.gateway.uploads.make_room()
    assert house.gateway.uploads.get(house.user, resting.id).offset == 0
    send(house, house.gateway.uploads.get(house.user, resting.id), data)
    assert fetch(house, "/a") == data


def test_what_a_killed_request_left_behind_the_offset_is_given_up_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, data = build_house(tmp_path), os.urandom(5 * MIB)
    upload = begin(killed, len(data))
    killed.gateway.uploads.append(killed.user, upload.id, 0, io.BytesIO(data[: 2 * MIB]), 2 * MIB)
    wait_for_transit(killed, upload.id)
    killed.gateway.close()
    killed.database.close()
    (tmp_path / "staging" / str(upload.id)).mkdir(exist_ok=True)
    (tmp_path / "staging" / str(upload.id) / "1.part").write_bytes(data[2 * MIB : 4 * MIB - 1])

    house = build_house(tmp_path, killed.store, room=3 * MIB)
    monkeypatch.setattr("gateway.incoming.arrivals.REST", -LIFE)
    house.gateway.uploads.make_room()
    assert house.staging.held == 0
    send(house, house.gateway.uploads.get(house.user, upload.id), data)
    assert fetch(house, "/a/file.bin") == data


def test_what_a_put_has_brought_is_kept_for_minutes_counted_from_its_last_chunk(house: House) -> None:
    ends: list[datetime] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            (upload,) = Uploads(house.database).unfinished()
            ends.append(upload.expires_at)
            return super().read(size)

    house.gateway.uploads.put(house.user, "/x", Watched(bytes(5 * MIB)), 5 * MIB)
    assert ends == sorted(ends)
    assert len(set(ends)) == 3, "at its beginning, and as each of two chunks was complete"
    assert ends[-1] < datetime.now(UTC) + PUT_LIFE


def test_a_put_that_fails_in_whatever_way_leaves_no_upload(house: House) -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        house.gateway.uploads.put(house.user, "/x", Torn(b"12345"), 5)
    with house.database.read() as rows:
        states = rows.exec_driver_sql("select state from uploads").scalars().all()
    assert list(states) == ["abandoned"]


def test_a_rest_of_minutes_is_enough_while_somebody_waits_for_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build_house(tmp_path, room=5 * MIB)
    begun = [begin(house, 2 * MIB, f"/{number}") for number in range(2)]
    for upload in begun:
        short = 2 * MIB - 1
        house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(bytes(short)), short)
    monkeypatch.setattr("gateway.incoming.arrivals.REST_WHEN_WAITED_FOR", -LIFE)
    house.gateway.uploads.make_room()
    assert house.gateway.uploads.get(house.user, begun[0].id).offset == 2 * MIB - 1, "nobody waits"
    data = os.urandom(5 * MIB)
    sending = threading.Thread(target=send, args=(house, begin(house, len(data), "/waits"), data, len(data)))
    sending.start()
    sending.join(0.5)
    assert sending.is_alive(), "it waits for room"
    deadline = time.monotonic() + 20
    while sending.is_alive() and time.monotonic() < deadline:
        house.gateway.uploads.make_room()
        sending.join(0.05)
    assert not sending.is_alive()
    assert fetch(house, "/waits") == data
