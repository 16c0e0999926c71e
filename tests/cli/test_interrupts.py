"""An interrupt is heard, however early it comes."""

from __future__ import annotations

import signal

import pytest

from cli.interrupts import Interrupts


def test_before_somebody_is_told_it_is_an_exception_and_then_a_call() -> None:
    interrupts, calls = Interrupts(), []
    with interrupts.caught():
        interrupts.tell(lambda: calls.append("told"))
        assert calls == []
        signal.raise_signal(signal.SIGINT)
        assert calls == ["told"]
    with Interrupts().caught(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_whose_exception_was_lost_in_a_finalizer_is_not_forgotten() -> None:
    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    interrupts, calls = Interrupts(), []
    with interrupts.caught():
        Finalized()
        interrupts.tell(lambda: calls.append("told"))
    assert calls == ["told"]
