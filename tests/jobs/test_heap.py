"""What the C library's heap keeps is given back to the system."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from jobs import heap

PAGE = 4096


def resident() -> int:
    """Pages of this process in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


def test_giving_back_can_be_asked_for_everywhere() -> None:
    heap.give_back()
    heap.give_back()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do it by themselves")
def test_holes_between_blocks_in_use_are_given_back() -> None:
    blocks = [bytes([number % 256]) * (25 * PAGE) for number in range(1600)]
    kept = blocks[::2]
    del blocks
    before = resident()
    heap.give_back()
    assert before - resident() > 25 * 800 // 2
    assert all(len(block) == 25 * PAGE for block in kept)
