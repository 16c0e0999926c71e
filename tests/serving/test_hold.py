"""What waits for slow readers: a bounded part of it in memory, the rest on disk, and all of it comes back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import serving.hold
from serving.hold import Block, Hold
from tests.full_disk import files_of_at_most

LIMIT = 100


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    hold = Hold(tmp_path, LIMIT)
    yield hold
    hold.close()


def whole(hold: Hold, block: Block, step: int = 7) -> bytes:
    return b"".join(bytes(hold.read(block, start, step)) for start in range(0, block.size, step))


def test_what_has_waited_longest_is_laid_down_and_comes_back(hold: Hold) -> None:
    bodies = [bytes([number]) * 40 for number in range(6)]
    blocks = [hold.keep(body) for body in bodies]
    assert hold.in_memory <= LIMIT and hold.laid_down == 4
    assert [block.slot is not None for block in blocks] == [True] * 4 + [False] * 2
    assert [whole(hold, block) for block in blocks] == bodies


def test_room_is_used_again(hold: Hold) -> None:
    for _ in range(50):
        blocks = [hold.keep(b"x" * 60) for _ in range(4)]
        for block in blocks:
            hold.drop(block)
        assert hold.in_memory == hold.laid_down == 0
    assert max(block.slot or 0 for block in blocks) < 4


def test_nobody_finds_the_file(hold: Hold, tmp_path: Path) -> None:
    hold.keep(b"secret" * 100)
    if sys.platform != "win32":
        assert list(tmp_path.iterdir()) == []


def test_a_block_larger_than_a_slot_stays_in_memory(hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.hold, "SLOT", 50)
    block = hold.keep(b"x" * 200)
    assert whole(hold, block) == b"x" * 200 and hold.laid_down == 0


@given(st.lists(st.tuples(st.integers(1, 70), st.integers(0, 9)), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_any_order_of_coming_and_going_bytes_are_right_and_memory_is_bounded(
    tmp_path: Path, acts: list[tuple[int, int]]
) -> None:
    hold = Hold(tmp_path, LIMIT)
    there: list[tuple[Block, bytes]] = []
    for number, (size, leaving) in enumerate(acts):
        body = bytes([number]) * size
        there.append((hold.keep(body), body))
        if leaving < len(there):
            hold.drop(there.pop(leaving)[0])
        assert hold.in_memory <= LIMIT
        assert all(whole(hold, block) == body for block, body in there)
    for block, _ in there:
        hold.drop(block)
    assert hold.in_memory == hold.laid_down == 0
    hold.close()


def test_many_threads_at_a_time_lose_nothing(hold: Hold) -> None:
    wrong: list[int] = []

    def live(number: int) -> None:
        for turn in range(200):
            body = bytes([number, turn]) * 20
            block = hold.keep(body)
            if whole(hold, block) != body:
                wrong.append(turn)
            hold.drop(block)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == [] and hold.in_memory == hold.laid_down == 0


def test_on_a_full_disk_they_stay_in_memory_and_the_log_says_so_once(
    hold: Hold, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with files_of_at_most(0):
        blocks = [hold.keep(bytes([number]) * 80) for number in range(5)]
    assert [whole(hold, block) for block in blocks] == [bytes([number]) * 80 for number in range(5)]
    assert (hold.in_memory, hold.laid_down) == (400, 0)
    assert len(caplog.records) == 1
    monkeypatch.setattr(hold, "_alone_until", 0.0)  # half a minute later
    blocks.append(hold.keep(b"y" * 80))
    assert hold.in_memory <= LIMIT and whole(hold, blocks[0]) == bytes(80)
