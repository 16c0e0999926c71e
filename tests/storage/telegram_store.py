"""How the tests open a Telegram store on a sandbox: its settings, and waits short enough for a test."""

from __future__ import annotations

import time
from collections.abc import Callable

from config import TelegramSettings
from storage.telegram.timing import Timing
from tests.sandbox_process import RunningSandbox

QUICK = Timing(
    connect=5.0,
    silence=1.5,
    request=4.0,
    read=8.0,
    control=8.0,
    idle=1.0,
    backoff_first=0.05,
    backoff_most=0.4,
    stable=0.2,
    sign_in_again=0.2,
)


def settings_for(
    sandbox: RunningSandbox,
    *,
    session: str | None = None,
    bots: int = 1,
    channel: str | None = None,
    connections: int = 3,
) -> TelegramSettings:
    """The sandbox as settings name it: `bots` of its bots, and a user's string session."""
    return TelegramSettings(
        api_id=sandbox.api_id,
        api_hash=sandbox.api_hash,
        channel=channel or str(sandbox.channel),
        session=session,
        bot_tokens=tuple(sandbox.bot_tokens[:bots]),
        connections=connections,
        server=(sandbox.dc, sandbox.host, sandbox.port),
        server_key=sandbox.key,
    )


def within(seconds: float, happens: Callable[[], bool]) -> bool:
    """Whether it happens in that time."""
    until = time.monotonic() + seconds
    while not (happened := happens()) and time.monotonic() < until:
        time.sleep(0.02)
    return happened
