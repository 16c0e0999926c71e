"""Pieces on disk: bounded, least recently used, and never taken for what they are not."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model import ByteRange, Locator
from storage.cache.index import RECORD_SIZE, Place, Record, pack, unpack
from storage.cache.slab import Slab

SLOT = 16
ROOT = Path(__file__).resolve().parents[2]


def place_of(message: int, length: int = SLOT) -> Place:
    return Place(Locator(-1001, message), ByteRange(0, length))


def body_of(place: Place) -> bytes:
    """Bytes that no other place has."""
    return random.Random(place.locator.message).randbytes(place.span.length)


def fill(slab: Slab, *messages: int) -> None:
    for message in messages:
        slab.write(place_of(message), body_of(place_of(message)))


def held(slab: Slab) -> list[int]:
    """Messages, the least recently used first; each is proved to come back as it was written."""
    places = slab.places()
    for place in places:
        assert slab.read(place) == body_of(place)
    return [place.locator.message for place in places]


@pytest.fixture
def slab(tmp_path: Path) -> Iterator[Slab]:
    with closing(Slab(tmp_path, 3, SLOT)) as slab:
        yield slab


def test_what_is_written_comes_back(slab: Slab) -> None:
    fill(slab, 1, 2)
    assert held(slab) == [1, 2]
    assert slab.read(place_of(3)) is None
    assert slab.read(place_of(1, SLOT - 1)) is None


def test_the_least_recently_used_makes_room(slab: Slab) -> None:
    fill(slab, 1, 2, 3)
    slab.read(place_of(1))
    fill(slab, 4)
    assert held(slab) == [3, 1, 4]
    assert slab.evictions == 1


def test_the_files_never_outgrow_their_bound(slab: Slab, tmp_path: Path) -> None:
    fill(slab, *range(50))
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == {"pieces.slab": 3 * SLOT, "pieces.index": 3 * RECORD_SIZE}


def test_writing_a_piece_again_replaces_it_in_its_slot(slab: Slab) -> None:
    fill(slab, 1, 2, 3)
    slab.write(place_of(2), bytes(SLOT))
    assert slab.read(place_of(2)) == bytes(SLOT)
    fill(slab, 2)
    assert held(slab) == [1, 3, 2]
    assert slab.evictions == 0


def test_a_dropped_piece_is_gone_also_for_the_next_run(slab: Slab, tmp_path: Path) -> None:
    fill(slab, 1, 2)
    slab.drop(place_of(1))
    slab.drop(place_of(1))
    assert held(slab) == [2]
    with closing(Slab(tmp_path, 3, SLOT)) as unclosed_before:  # as if we had been killed
        assert held(unclosed_before) == [2]
        fill(unclosed_before, 3, 4)
        assert held(unclosed_before) == [2, 3, 4]


def test_the_next_run_finds_everything_in_the_order_of_its_use(slab: Slab, tmp_path: Path) -> None:
    fill(slab, 1, 2, 3)
    slab.read(place_of(1))
    slab.close()
    with closing(Slab(tmp_path, 3, SLOT)) as again:
        assert held(again) == [2, 3, 1]
        fill(again, 4, 5)
        assert held(again) == [1, 4, 5]


def test_a_smaller_bound_holds_from_the_start(slab: Slab, tmp_path: Path) -> None:
    fill(slab, 1, 2, 3)
    slab.close()
    with closing(Slab(tmp_path, 1, SLOT)) as smaller:
        assert held(smaller) == [1]
        assert (tmp_path / "pieces.slab").stat().st_size == SLOT


def test_of_two_slots_with_one_piece_the_newer_counts(slab: Slab, tmp_path: Path) -> None:
    fill(slab, 1, 2)
    slab.close()
    records = [pack(Record(place_of(2), stamp)) for stamp in (1, 2)]
    (tmp_path / "pieces.index").write_bytes(b"".join(records))
    with closing(Slab(tmp_path, 3, SLOT)) as again:
        assert held(again) == [2]
        fill(again, 3, 4)
        assert sorted(held(again)) == [2, 3, 4]


def test_a_piece_that_the_file_lost_is_not_here(slab: Slab, tmp_path: Path) -> None:
    fill(slab, 1, 2)
    with (tmp_path / "pieces.slab").open("r+b") as file:
        file.truncate(SLOT + 3)
    assert slab.read(place_of(2)) is None
    assert held(slab) == [1]


def test_a_closed_slab_fails_and_says_so(slab: Slab) -> None:
    fill(slab, 1)
    slab.close()
    with pytest.raises(OSError, match="closed"):
        slab.read(place_of(1))
    with pytest.raises(OSError, match="closed"):
        fill(slab, 2)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63), st.integers(0, 2**32), st.integers(0, 2**63))
def test_a_record_is_read_as_it_was_written(message: int, start: int, length: int, stamp: int) -> None:
    record = Record(Place(Locator(message, -message - 1), ByteRange(start, start + length)), stamp)
    data = pack(record)
    assert len(data) == RECORD_SIZE
    assert unpack(data) == record


@given(st.integers(0, 47), st.integers(1, 255))
def test_a_record_with_a_wrong_byte_is_none(at: int, change: int) -> None:
    data = bytearray(pack(Record(place_of(7), 3)))
    data[at] ^= change
    assert unpack(bytes(data)) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(index=st.binary(max_size=5 * RECORD_SIZE), cut=st.integers(0, 3 * RECORD_SIZE))
def test_a_torn_index_costs_pieces_and_nothing_else(tmp_path: Path, index: bytes, cut: int) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    with closing(Slab(tmp_path, 3, SLOT)) as slab:
        fill(slab, 1, 2, 3)
    path = tmp_path / "pieces.index"
    path.write_bytes(path.read_bytes()[:cut] + index)
    with closing(Slab(tmp_path, 3, SLOT)) as again:
        assert set(held(again)) <= {1, 2, 3}
        fill(again, 4, 5, 6)
        assert held(again) == [4, 5, 6]


def test_readers_never_get_another_pieces_bytes_while_slots_change_hands(slab: Slab) -> None:
    done, wrong, hits = threading.Event(), list[Place](), list[int]()

    def look(seed: int) -> None:
        chance = random.Random(seed)
        while not done.is_set():
            place = place_of(chance.randrange(8))
            data = slab.read(place)
            if data is not None:
                hits.append(1)
                if data != body_of(place):
                    wrong.append(place)

    readers = [threading.Thread(target=look, args=(seed,)) for seed in range(4)]
    for reader in readers:
        reader.start()
    chance = random.Random(99)
    for _ in range(1500):
        fill(slab, chance.randrange(8))
        slab.drop(place_of(chance.randrange(8)))
    done.set()
    for reader in readers:
        reader.join(10)
    assert hits
    assert wrong == []


_FILL_FOR_EVER = """
import itertools, sys
from pathlib import Path
from storage.cache.slab import Slab
from tests.storage.test_cache_slab import SLOT, fill
slab = Slab(Path(sys.argv[1]), 7, SLOT)
for message in itertools.count():
    fill(slab, message)
    if message == 20:
        print("filling", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(3))
def test_a_kill_in_the_middle_leaves_only_what_is_whole(tmp_path: Path, round_: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _FILL_FOR_EVER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.kill()
    with closing(Slab(tmp_path, 7, SLOT)) as slab:
        assert len(held(slab)) >= 6
