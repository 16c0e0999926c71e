"""What can go wrong with Telegram in the middle of something, by name, and how to bring it about in a sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.sandbox_process import RunningSandbox

LONG = 9
"""Seconds of a flood wait that is longer than a hasty gateway's patience, and that a test can sit out."""


@dataclass(frozen=True)
class Scene:
    """Where a mishap strikes: the messages that hold the chunks of the file under way, by their index."""

    sandbox: RunningSandbox
    chunks: dict[int, int]

    @property
    def last_whole(self) -> int:
        """The message with the last chunk of full size: it is not among the first to be read."""
        return self.chunks[max(self.chunks) - 1]


Mishap = Callable[[Scene], object]


def chunk_messages(sandbox: RunningSandbox, file: str | None = None) -> dict[int, int]:
    """Index to message id of the chunks in the channel; of one file, if its uuid is given, else of the newest."""
    found: dict[str, dict[int, int]] = {}
    newest = file
    for message in sandbox.control.list_messages(sandbox.channel):
        caption = json.loads(message.caption)
        if caption["kind"] == "chunk":
            found.setdefault(caption["file"], {})[caption["index"]] = message.id
            newest = file or caption["file"]
    return found.get(newest or "", {})


def flood(method: str, seconds: int, times: int | None, kind: str = "FLOOD_WAIT") -> Mishap:
    """`times` calls of `method` (None: all) are told to wait."""
    return lambda scene: scene.sandbox.control.rpc_error(method, 420, f"{kind}_{seconds}", times)


def killed_and_restarted(scene: Scene) -> None:
    scene.sandbox.kill()
    time.sleep(0.5)
    scene.sandbox.restart()


def passing(method: str) -> dict[str, Mishap]:
    """What a transfer that leans on `method` gets over without its client's noticing."""
    return {
        "a short flood wait": flood(method, 1, 4),
        "a short premium flood wait": flood(method, 1, 2, "FLOOD_PREMIUM_WAIT"),
        "connections dropped when asked": lambda scene: scene.sandbox.control.drop(method, 4),
        "every connection cut": lambda scene: scene.sandbox.control.drop_connections(),
        "silence": lambda scene: scene.sandbox.control.silence(method, 2),
        "expired references": lambda scene: scene.sandbox.control.expire_references(),
        "another data centre": lambda scene: scene.sandbox.control.move_documents(4),
        "one flipped byte": lambda scene: scene.sandbox.control.flip(1),
        "one cut reply": lambda scene: scene.sandbox.control.cut(1),
        "AUTH_KEY_DUPLICATED": lambda scene: scene.sandbox.control.duplicate_key(method),
        "a revoked session": lambda scene: scene.sandbox.control.revoke_session(),
        "an unregistered key": lambda scene: scene.sandbox.control.kill_key(),
        "a server killed and restarted": killed_and_restarted,
    }


def long_floods(method: str) -> dict[str, Mishap]:
    """One account has to leave `method` alone for as long as any test lasts; the other one has not."""
    return {
        "a long flood wait of one account": flood(method, 600, 1),
        "a long premium flood wait of one account": flood(method, 600, 1, "FLOOD_PREMIUM_WAIT"),
    }


def mend(sandbox: RunningSandbox) -> None:
    """Make the sandbox behave again, and bring its documents home."""
    sandbox.control.clear()
    sandbox.control.move_documents(sandbox.dc)
