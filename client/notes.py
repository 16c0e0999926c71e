"""What a transfer remembers of itself between runs: small JSON files that no kill can leave half written."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

Note = dict[str, str | int]


def load(path: Path) -> Note:
    """The note at `path`; an empty one if there is none that can be understood."""
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError):
        return {}
    return note if isinstance(note, dict) else {}


def save(path: Path, note: Note) -> None:
    """Write the note at once or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.write_text(json.dumps(note), encoding="utf-8")
    new.replace(path)


def forget(path: Path) -> None:
    path.unlink(missing_ok=True)


def forget_old(folder: Path, days: float) -> None:
    """Remove the notes that nobody came back for: by then the server has forgotten the upload too."""
    before = time.time() - days * 86400
    for path in folder.glob("*.json"):
        try:
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
        except OSError:  # another `put` was quicker, or holds it open
            continue
