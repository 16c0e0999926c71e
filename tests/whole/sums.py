"""SHA-256, as `sha256sum` prints it, of a file and of all files below a folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

Digests = Mapping[str, str]
"""SHA-256 of files, by their path below some folder."""


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(place: Path) -> Digests:
    """Of all below this folder; of a file, its own under the name `.`."""
    if place.is_file():
        return {".": digest(place)}
    return {path.relative_to(place).as_posix(): digest(path) for path in regular_files(place)}


def regular_files(folder: Path) -> Iterator[Path]:
    """Those that `put` takes: no links, nor what is behind them, nor what cannot be read."""
    for place, _, names in os.walk(folder):
        for path in (Path(place) / name for name in names):
            if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK):
                yield path
