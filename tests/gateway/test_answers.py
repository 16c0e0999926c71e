"""A short memory of yes and no: what is asked again, when, and by how many at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from errors import AtCapacity
from gateway.access.answers import MAX_REMEMBERED, MAX_WAITING, REMEMBERED, Answers


class Oracle:
    """Answers, a clock, and a count of what was asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.answers = Answers(lambda: self.now)

    def to(self, *question: str, answer: bool = True) -> bool:
        def ask() -> bool:
            self.asked += 1
            return answer

        return self.answers.to(*question, ask=ask)


@pytest.fixture
def oracle() -> Oracle:
    return Oracle()


@pytest.mark.parametrize("answer", [True, False])
def test_a_question_is_asked_again_only_after_a_while(oracle: Oracle, answer: bool) -> None:
    for _ in range(16):
        assert oracle.to("ada", "hash", "password", answer=answer) is answer
    assert oracle.asked == 1
    oracle.now = REMEMBERED
    assert oracle.to("ada", "hash", "password", answer=not answer) is not answer
    assert oracle.asked == 2


def test_questions_that_read_the_same_end_to_end_are_not_the_same(oracle: Oracle) -> None:
    for question in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("\udc80",)):
        oracle.to(*question)
    assert oracle.asked == 5


def test_a_flood_of_wrong_answers_pushes_no_right_one_out(oracle: Oracle) -> None:
    oracle.to("right")
    for number in range(MAX_REMEMBERED + 1):
        oracle.to(str(number), answer=False)
    oracle.asked = 0
    oracle.to("right")
    oracle.to(str(MAX_REMEMBERED), answer=False)
    assert oracle.asked == 0
    oracle.to("0", answer=False)
    assert oracle.asked == 1, "the first of the wrong ones made room"


def test_who_comes_while_it_is_being_asked_waits_for_the_answer(oracle: Oracle) -> None:
    together = Barrier(MAX_WAITING)

    def one(_: int) -> bool:
        together.wait(10)
        return oracle.to("ada")

    with ThreadPoolExecutor(MAX_WAITING) as pool:
        assert all(pool.map(one, range(MAX_WAITING)))
    assert oracle.asked == 1


def test_no_more_than_so_many_wait(oracle: Oracle) -> None:
    asking, answered = Event(), Event()

    def slow() -> bool:
        asking.set()
        return answered.wait(10)

    def wait(_: int) -> type[Exception] | bool:
        try:
            return oracle.answers.to("ada", ask=slow)
        except AtCapacity as error:
            answered.set()  # somebody was turned away: that is all this test waits for
            return type(error)

    with ThreadPoolExecutor(MAX_WAITING + 2) as pool:
        first = pool.submit(oracle.answers.to, "ada", ask=slow)
        assert asking.wait(10)
        others = list(pool.map(wait, range(MAX_WAITING + 1)))
        assert first.result() is True
    assert others.count(AtCapacity) >= 1
    assert others.count(True) <= MAX_WAITING


def test_a_question_that_fails_is_asked_again(oracle: Oracle) -> None:
    def fails() -> bool:
        raise AtCapacity("full")

    failing: Callable[[], bool] = fails
    with pytest.raises(AtCapacity, match="full"):
        oracle.answers.to("ada", ask=failing)
    assert oracle.to("ada") is True
