"""What a chunk message says of itself: a small versioned JSON caption and a file name. Pure; no Telegram types."""

from __future__ import annotations

import hashlib
import json
from typing import Literal
from uuid import UUID

from model import DIGEST_SIZE, Label

VERSION = 1


def encode(label: Label) -> str:
    """The caption of the message that carries `label`; `attempt` is left to the file name.

    About 200 characters of at most 1024 (core.telegram.org/api/config, caption_length_limit_default).
    """
    fields = {
        "stowgram": VERSION,
        "kind": label.kind,
        "file": str(label.file),
        "index": label.index,
        "offset": label.offset,
        "size": label.size,
        "sha256": label.sha256.hex(),
    }
    return json.dumps(fields, separators=(",", ":"))


def decode(caption: str, name: str) -> Label | None:
    """The label that a message with this caption and file name carries, or None if it is no message of ours."""
    try:
        fields = json.loads(caption)
        if not isinstance(fields, dict) or fields.get("stowgram") != VERSION:
            return None
        kind: Literal["chunk", "manifest"] = fields["kind"]
        index, offset, size = (int(fields[key]) for key in ("index", "offset", "size"))
        digest = bytes.fromhex(fields["sha256"])
        label = Label(kind, UUID(fields["file"]), index, offset, size, digest)
        attempt = _attempt_in(name)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if (
        kind not in ("chunk", "manifest")
        or len(digest) != DIGEST_SIZE
        or min(index, offset, size, attempt) < 0
    ):
        return None
    return Label(label.kind, label.file, index, offset, size, digest, attempt)


def file_name(label: Label) -> str:
    """`<uuid>.<index>` for a chunk and `<uuid>.json` for a manifest, with `.try<n>` before that for a later attempt."""
    attempt = f".try{label.attempt}" if label.attempt else ""
    return f"{label.file}{attempt}.{'json' if label.kind == 'manifest' else label.index}"


def random_id(label: Label, generation: int = 0) -> int:
    """The signed 64-bit `random_id` of messages.sendMedia: equal labels give equal ids, so a repeat cannot post twice.

    `generation` is raised only when the id is used up by a message that was deleted since.
    """
    parts = [label.kind, str(label.file), str(label.index), label.sha256.hex(), str(label.attempt)]
    if generation:
        parts.append(str(generation))
    return int.from_bytes(hashlib.sha256("|".join(parts).encode("ascii")).digest()[:8], "big", signed=True)


def _attempt_in(name: str) -> int:
    middle = name.split(".")[1:-1]
    return int(middle[0].removeprefix("try")) if middle else 0
