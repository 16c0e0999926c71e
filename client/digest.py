"""A file's identity, computed as its bytes go by: SHA-256 over the SHA-256s of its pieces, the ETag."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from model import DIGEST_SIZE, PIECE_SIZE


class Digest:
    """Takes bytes in order, in any portions. `taken` is how many it has seen.

    With `whole` it computes the SHA-256 of the whole as well, which costs as much again.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._wants_whole = whole
        self.restart()

    def restart(self) -> None:
        """Forget what was taken."""
        self.taken = 0
        self._pieces = bytearray()
        self._piece = hashlib.sha256()
        self._whole = hashlib.sha256() if self._wants_whole else None

    def update(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        if self._whole is not None:
            self._whole.update(view)
        while view:
            # Invariant: _piece holds exactly the bytes since the last piece border.
            part = view[: PIECE_SIZE - self.taken % PIECE_SIZE]
            self._piece.update(part)
            self.taken += len(part)
            view = view[len(part) :]
            if self.taken % PIECE_SIZE == 0:
                self._pieces += self._piece.digest()
                self._piece = hashlib.sha256()

    def read(self, file: BinaryIO, stop: int) -> None:
        """Take the bytes of `file` from where this stands up to `stop`, or its end."""
        file.seek(self.taken)
        while self.taken < stop and (data := file.read(min(PIECE_SIZE, stop - self.taken))):
            self.update(data)

    def tree(self) -> str:
        """The ETag of what was taken, in hex."""
        return self.since(0).hex()

    def since(self, start: int) -> bytes:
        """The same of what was taken from `start` on, which is a border of pieces."""
        tree = hashlib.sha256(memoryview(self._pieces)[start // PIECE_SIZE * DIGEST_SIZE :])
        if self.taken % PIECE_SIZE:
            tree.update(self._piece.digest())
        return tree.digest()

    def sha256(self) -> bytes | None:
        """The SHA-256 of what was taken, if it was asked for."""
        return self._whole.digest() if self._whole is not None else None


def tree_of(path: Path) -> str:
    """The ETag of a local file, in hex. Raises OSError."""
    digest = Digest()
    with path.open("rb") as file:
        digest.read(file, file.seek(0, 2))
    return digest.tree()
