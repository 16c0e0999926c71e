"""Runs the gateway and kills it, as a power cut would, at one step: `python -m tests.whole.dying STEP before|after N`.

The steps are the real functions, wrapped; the N-th call of STEP is the one that ends the process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
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


def arm(step: str, when: str, number: int) -> None:
    """Wrap the step so that call `number` (from 1) is the last thing this process does."""
    place, name = STEPS[step]
    real: Callable[..., Any] = getattr(place, name)
    calls = 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        mine = calls == number
        if mine and when == "before":
            _die()
        result = real(*args, **kwargs)
        if mine:
            _die()
        return result

    setattr(place, name, deadly)


def _die() -> None:
    os.kill(os.getpid(), 9)  # no handler, no flush, no goodbye


if __name__ == "__main__":
    arm(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    sys.argv[1:] = ["serve"]
    from cli import main

    main()
