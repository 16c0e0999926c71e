"""What can go wrong, in our own words.

Three questions decide a class: whose fault is it, is it worth retrying, is data damaged. No HTTP words
(web/wire/errors.py gives each class its status) and no Telegram words (storage/telegram/ translates). This module
imports nothing.
"""


class StowgramError(Exception):
    """The root. `str(error)` is one sentence for the person who reads it; it never holds a secret."""


# The caller's fault: asking again unchanged gets the same answer. ----------------------------------------------------


class Refused(StowgramError):
    """The request cannot be granted as it stands; the sentence says what to do."""


class BadInput(Refused):
    """A value that is malformed: a name, a header, a number."""


class BadName(BadInput):
    """A file or folder name that some system we serve could not keep."""


class NotSignedIn(Refused):
    """No credentials, or wrong ones."""


class PasswordNeeded(NotSignedIn):
    """A share's password is missing, or wrong."""


class Forbidden(Refused):
    """Known, but not allowed."""


class NotFound(Refused):
    """No such thing, or none that the caller may know of."""


class Gone(Refused):
    """It was here and has expired."""


class Conflict(Refused):
    """The name is taken, or the thing is not in a state for this."""


class PreconditionFailed(Refused):
    """A condition that the caller set does not hold."""


class OffsetMismatch(Refused):
    """An upload continued at another place than where it stands."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(
            f"The upload stands at byte {expected}, not {got}. Ask for its offset and go on from there."
        )
        self.expected = expected


class ChecksumMismatch(Refused):
    """The bytes that arrived are not those that were sent; none were kept."""


class Busy(Refused):
    """Another writer holds it."""


class TooLarge(Refused):
    """More bytes than this place takes."""


class OverQuota(Refused):
    """More bytes than the user may store."""

    def __init__(self, more: int, left: int, quota: int) -> None:
        super().__init__(
            f"{more} bytes more do not fit: of the {quota} that you may store, {left} are left "
            "(uploads under way count). Delete something, or ask an admin for more."
        )


class AtCapacity(Refused):
    """Try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyGuesses(AtCapacity):
    """Wrong passwords came too fast; not even a right one is looked at before `retry_after` seconds have passed."""


# The store's fault. ---------------------------------------------------------------------------------------------------


class StoreError(StowgramError):
    """The store could not do it."""


class Transient(StoreError):
    """It may work after `retry_after` seconds: the line is down, or the store asked us to wait."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreClosed(Transient):
    """It was shut down, because we are stopping: no use to wait here, though another try may meet it open again."""


class Permanent(StoreError):
    """It will not work until a person does something; the sentence says what."""


class ChunkMissing(Permanent):
    """The message that held the chunk is gone."""


# Data is damaged. -----------------------------------------------------------------------------------------------------


class Damaged(StowgramError):
    """Bytes came back that are not the bytes that were stored, and stayed so when fetched again."""


class ChunkCorrupt(Damaged):
    """A piece's digest does not match."""


class ChunkShort(Damaged):
    """A piece came back with fewer bytes than were stored."""


# Our own machine's fault. ---------------------------------------------------------------------------------------------


class Misconfigured(StowgramError):
    """The settings cannot work; `faults` lists every one, each with what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class OutOfSpace(StowgramError):
    """The disk is full; nothing was kept of the request."""


class DatabaseUnavailable(StowgramError):
    """The database is locked for too long, damaged or out of reach."""


class DatabaseDamaged(DatabaseUnavailable):
    """Pages of it cannot be what was written: a backup has to take its place."""


class ClientGone(StowgramError):
    """Nobody is there to answer; the work was given up."""
