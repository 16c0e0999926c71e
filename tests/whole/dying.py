"""Runs the gateway and kills it, as a power cut would, at a step told by a file: `python -m tests.whole.dying FILE`.

The steps are the real functions, wrapped. Once FILE is there and says `STEP before|after N`, the N-th call of STEP from
then on is the last thing that this process does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gateway.incoming.transit
from db.incoming.uploads import Uploads
from storage.telegram.store import TelegramStore
from streaming.staging import Staging

STEPS: dict[str, tuple[Any, str]] = {
    "create": (Uploads, "create"),
    "receive": (Staging, "receive"),
    "advance": (Uploads, "advance"),
    "intend": (Uploads, "intend"),
    "put": (TelegramStore, "put"),
    "stored": (Uploads, "stored"),
    "drop": (Staging, "drop"),
    "read back": (gateway.incoming.transit, "read_back"),
    "finish": (Uploads, "finish"),
    "free staging": (Staging, "drop_all"),
}


class Fate:
    """What the file says, and how often its step was called since it says so."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._said = ""
        self._calls = 0

    def of(self, step: str) -> str:
        """Whether this call of the step ends the process: `before` or `after` it, or "" for not at all."""
        said = self._file.read_text(encoding="utf-8") if self._file.exists() else ""
        if said != self._said:
            self._said, self._calls = said, 0
        name, when, number = said.rsplit(" ", 2) if said else ("", "", "")
        if name != step:
            return ""
        self._calls += 1
        return when if self._calls == int(number) else ""


def arm(step: str, fate: Fate) -> None:
    """Wrap the step so that it may be the last."""
    place, name = STEPS[step]
    real: Callable[..., Any] = getattr(place, name)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        when = fate.of(step)
        if when == "before":
            _die()
        result = real(*args, **kwargs)
        if when == "after":
            _die()
        return result

    setattr(place, name, deadly)


def _die() -> None:
    os.kill(os.getpid(), 9)  # no handler, no flush, no goodbye


if __name__ == "__main__":
    told = Fate(Path(sys.argv[1]))
    for each in STEPS:
        arm(each, told)
    sys.argv[1:] = ["serve"]
    from cli import main

    main()
