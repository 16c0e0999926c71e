"""Names side by side in one folder, as every system can save them (the rest of names.py is tested where it is used)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import names
from errors import BadName

CLASHING = st.text("aAäÄ:?_. 1", min_size=1, max_size=5)


def side_by_side(given_names: list[str]) -> list[str]:
    """What they are called in the end, in the order in which they were given."""
    beside = names.SideBySide()
    kept = [beside.keep(name, names.key(name)) for name in given_names]
    return [name if fine else beside.make(name) for name, fine in zip(given_names, kept, strict=True)]


@given(st.lists(CLASHING | st.sampled_from(["ß" * 127 + ":", "x" * 255]), max_size=20))
def test_all_can_be_saved_and_no_two_are_taken_for_one(some: list[str]) -> None:
    checked = []
    for name in some:
        try:
            checked.append(names.checked(name))
        except BadName:
            continue
    made = side_by_side(checked)
    assert len({names.key(name) for name in made}) == len(made)
    for name in made:
        assert names.checked(name) == name == names.for_windows(name)
        assert len(name.encode("utf-16-le")) // 2 <= 255  # NTFS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["a:b", "a_b"], ["a_b_1", "a_b"]),
        (["a.txt", "a.txt", "A.txt"], ["a.txt", "a_1.txt", "A_2.txt"]),
        (["what?", "what*"], ["what_", "what__1"]),
        (["end.", "end "], ["end_", "end__1"]),
    ],
)
def test_what_needs_no_other_name_keeps_its_own(before: list[str], after: list[str]) -> None:
    assert side_by_side(before) == after


def test_a_folder_is_numbered_at_its_end() -> None:
    beside = names.SideBySide()
    assert beside.keep("v1_2", "v1_2") and beside.keep("v1.2", "v1.2")
    assert beside.make("v1.2", folder=True) == "v1.2_1"


def test_ten_thousand_of_one_name_take_no_time() -> None:
    made = side_by_side(["IMG.jpg"] * 10_000)
    assert made[-1] == "IMG_9999.jpg" and len(set(made)) == 10_000
