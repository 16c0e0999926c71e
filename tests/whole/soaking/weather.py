"""Telegram's moods: a storm of random faults in a sandbox, then calm. It says which failures a storm excuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from threading import Event

from tests.sandbox_process import RunningSandbox
from tests.whole.mishaps import mend
from tests.whole.soaking.ledger import Ledger

GET_FILE, SAVE_PART = "upload.getFile", "upload.saveFilePart"
POST, RESOLVE = "messages.sendMedia", "channels.getMessages"
BANDWIDTH = 12 << 20
"""Bytes per second of each connection in fair weather: transfers last long enough for something to happen to them."""

Fault = Callable[[RunningSandbox, Random], object]


def _flood(method: str, kind: str = "FLOOD_WAIT") -> Fault:
    def strike(sandbox: RunningSandbox, dice: Random) -> None:
        sandbox.control.rpc_error(method, 420, f"{kind}_{dice.randint(1, 2)}", dice.randint(1, 4))

    return strike


def _error(method: str, code: int, message: str) -> Fault:
    return lambda sandbox, dice: sandbox.control.rpc_error(method, code, message, dice.randint(1, 3))


def _restart(sandbox: RunningSandbox, dice: Random) -> None:
    sandbox.kill()
    time.sleep(dice.uniform(0.0, 1.0))
    sandbox.restart()
    sandbox.control.bandwidth(BANDWIDTH)


FAULTS: dict[str, tuple[int, Fault]] = {
    "flood wait on reads": (4, _flood(GET_FILE)),
    "premium flood wait on reads": (2, _flood(GET_FILE, "FLOOD_PREMIUM_WAIT")),
    "flood wait on parts": (3, _flood(SAVE_PART)),
    "flood wait on posts": (2, _flood(POST)),
    "flood wait on messages": (2, _flood(RESOLVE)),
    "server errors on reads": (2, _error(GET_FILE, 500, "INTERNAL_SERVER_ERROR")),
    "server errors on parts": (2, _error(SAVE_PART, 500, "RPC_CALL_FAIL")),
    "connections dropped on reads": (3, lambda s, dice: s.control.drop(GET_FILE, dice.randint(1, 4))),
    "connections dropped on parts": (2, lambda s, dice: s.control.drop(SAVE_PART, dice.randint(1, 4))),
    "connections dropped on posts": (1, lambda s, dice: s.control.drop(POST, 1)),
    "every connection cut": (2, lambda s, dice: s.control.drop_connections()),
    "silence on reads": (2, lambda s, dice: s.control.silence(GET_FILE, dice.randint(1, 3))),
    "silence on parts": (1, lambda s, dice: s.control.silence(SAVE_PART, dice.randint(1, 3))),
    "silence on posts": (1, lambda s, dice: s.control.silence(POST, 1)),
    "expired references": (3, lambda s, dice: s.control.expire_references()),
    "a flipped byte": (3, lambda s, dice: s.control.flip(1)),
    "a cut reply": (3, lambda s, dice: s.control.cut(1)),
    "another data centre": (1, lambda s, dice: s.control.move_documents(dice.choice((2, 4)))),
    "latency": (3, lambda s, dice: s.control.latency(dice.choice((0, 5, 20, 80)))),
    "AUTH_KEY_DUPLICATED": (1, lambda s, dice: s.control.duplicate_key(GET_FILE)),
    "a revoked session": (1, lambda s, dice: s.control.revoke_session()),
    "a server killed and restarted": (1, _restart),
}
"""By name: how often, against the others, and what it does. Everything ends by itself or with the storm."""


class Weather:
    """Calm, until `storm` is called; that returns when the sandbox behaves again."""

    def __init__(self, sandbox: RunningSandbox, ledger: Ledger, recovery: float) -> None:
        """`recovery`: seconds after a storm in which the gateway may still suffer from it."""
        self._sandbox = sandbox
        self._ledger = ledger
        self._recovery = recovery
        self._storming = False
        self._calm_since = time.monotonic()
        self.clear()

    def excuses(self, began: float) -> bool:
        """Whether what began then, on the monotonic clock, and failed until now, may have met a storm."""
        return self._storming or began < self._calm_since + self._recovery

    def storm(self, dice: Random, seconds: float, end: Event) -> None:
        """Fault upon fault for that long, or until `end`."""
        names, weights = list(FAULTS), [weight for weight, _ in FAULTS.values()]
        self._storming = True
        try:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not end.wait(dice.uniform(0.2, 1.5)):
                name = dice.choices(names, weights)[0]
                FAULTS[name][1](self._sandbox, dice)
                self._ledger.fault(name)
        finally:
            self.clear()
            self._calm_since = time.monotonic()
            self._storming = False

    def clear(self) -> None:
        mend(self._sandbox)
        self._sandbox.control.bandwidth(BANDWIDTH)
