"""Runs the gateway with a short temper: `python -m tests.whole.hasty` is `serve`, but every wait for Telegram is brief.

Nothing else differs. Telegram is given minutes in real life; a test that waits for each of them to end is never run.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import Any

import gateway.outgoing.downloads
import storage.telegram.store
import streaming.read
from streaming.read import VerifiedStream
from tests.storage.telegram_store import QUICK

TIMING = replace(QUICK, silence=1.0, read=6.0, control=6.0, sign_in_again=0.01)
PATIENCE = 6.0
"""Seconds that a running download waits for one piece."""
START_PATIENCE = 3.0
"""Seconds that a download waits for trouble to end before it answers with an error."""


SHORTER: list[tuple[Any, str, Any]] = [
    (storage.telegram.store, "Timing", lambda: TIMING),
    (gateway.outgoing.downloads, "VerifiedStream", partial(VerifiedStream, deadline=PATIENCE)),
    (streaming.read, "START_PATIENCE", START_PATIENCE),
]


def hurry() -> None:
    """Shorten the waits of everything that this process composes from now on."""
    for place, name, shorter in SHORTER:
        setattr(place, name, shorter)


if __name__ == "__main__":
    hurry()
    sys.argv[1:] = ["serve"]
    from cli import main

    main()
