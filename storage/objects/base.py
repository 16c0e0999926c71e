"""The contract of a place outside that hands finished files to whoever has their address. It must never know of jobs,
users or SQL, nor what is in a file.

All methods may be called from any thread. Errors are those of `errors.py` only: `Transient` (worth another try), and
`Permanent`, whose sentence says what the operator has to mend.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

LONGEST_LINK = 7 * 86400
"""Seconds that an address can be good for: the most that a signature of version 4 allows
(docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html)."""


class ObjectStore(ABC):
    """Where finished files rest, each under a key: letters, digits and `-._/`."""

    @abstractmethod
    def put(
        self, key: str, path: Path, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        """Make the file at `path` the object `key`; return when all of it is at rest there.

        `progress` gets how many more bytes are there, less than 0 when some have to go again; it is called from several
        threads. `stopped` is asked every moment: once it says so the rest is not sent, and `ClientGone` raised.
        Whatever ends it early leaves nothing behind, but for a crash: then the next `put` or `remove` of the key
        clears it away. A file that cannot be read is `Transient`.
        """

    @abstractmethod
    def link(self, key: str, *, name: str, seconds: int) -> str:
        """An address that anybody can fetch the object from by GET, with ranges, for `seconds`, at most LONGEST_LINK.

        It is saved as `name`. Made without I/O, and whether or not the object is there.
        """

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove the object, and what a crash may have left of its upload. None there is no error."""

    @abstractmethod
    def check(self) -> None:
        """Return if the place is there and lets us in; else the error says why it does not."""

    @abstractmethod
    def close(self) -> None:
        """Close what connections there are."""
