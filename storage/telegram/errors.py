"""THE border: what Telethon, the RPC layer and the socket raise becomes an error of ours here, and only here.

The classes below are the store's own finer words; each is one of the public classes, so one that gets out is right.
"""

from __future__ import annotations

import struct
from typing import TypeVar

from telethon import errors as rpc

from errors import ChunkMissing, Permanent, StoreError, Transient

SIGN_IN_AGAIN = (
    "Telegram no longer accepts the session of {account}: sign in again with `python run.py login`."
)


class ConnectionLost(Transient):
    """The connection is gone, or as good as gone; another one may do."""


class Unanswered(Transient):
    """One answer did not come in time. Others may come over the same connection: nothing that was sent is lost."""

    def __init__(self) -> None:
        super().__init__("Telegram did not answer in time.", 2.0)


class Flooded(Transient):
    """The account has to leave this method alone for `retry_after` seconds (core.telegram.org/api/errors, 420)."""


class StaleReference(Transient):
    """The file reference has expired; the message has to be fetched again (core.telegram.org/api/file_reference)."""


class WrongDataCentre(Transient):
    """The document is, or the account lives, in data centre `dc`."""

    def __init__(self, dc: int) -> None:
        super().__init__(f"It is in data centre {dc}.", 0.0)
        self.dc = dc


class SignedOut(Permanent):
    """The authorization is gone: duplicated, revoked or never there."""


class NoAccess(Permanent):
    """This account cannot see the channel, or may not do this in it; another one may."""


class Refusal(Permanent):
    """An answer that has no word of its own here; `code` is Telegram's."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Telegram refused the request ({code}).")
        self.code = code


class AlreadyPosted(Transient):
    """The random_id was used: a message with this label is, or once was, there."""


class PartsLost(Transient):
    """The uploaded parts are gone or incomplete; they have to be sent again."""


_SIGNED_OUT = (
    rpc.AuthKeyDuplicatedError,
    rpc.AuthKeyUnregisteredError,
    rpc.AuthKeyInvalidError,
    rpc.AuthKeyPermEmptyError,
    rpc.SessionRevokedError,
    rpc.SessionExpiredError,
    rpc.UserDeactivatedError,
    rpc.UserDeactivatedBanError,
    rpc.AuthKeyNotFound,
)
_FLOOD = (rpc.FloodWaitError, rpc.FloodPremiumWaitError, rpc.SlowModeWaitError)
_MIGRATE = (rpc.FileMigrateError, rpc.UserMigrateError, rpc.PhoneMigrateError, rpc.NetworkMigrateError)
_LOST = (OSError, EOFError, rpc.InvalidBufferError, rpc.InvalidChecksumError)
FOREIGN = (
    StoreError,
    rpc.RPCError,
    rpc.AuthKeyNotFound,
    rpc.SecurityError,
    rpc.TypeNotFoundError,
    rpc.BadMessageError,
    *_LOST,
    BufferError,
    ValueError,
    struct.error,
)
"""All that Telethon raises for what the network or Telegram did; everything else is a mistake of our own."""
_PARTS_LOST = ("FILE_PART", "FILE_ID_INVALID", "MEDIA_EMPTY", "INPUT_FILE", "MD5_CHECKSUM")
_CHANNEL_GONE = (
    rpc.ChannelPrivateError,
    rpc.ChannelInvalidError,
    rpc.PeerIdInvalidError,
    rpc.ChatIdInvalidError,
)
_NO_SUCH_CHANNEL = (
    rpc.UsernameInvalidError,
    rpc.UsernameNotOccupiedError,
    rpc.InviteHashEmptyError,
    rpc.InviteHashInvalidError,
    rpc.InviteHashExpiredError,
)
_NOT_ALLOWED = (
    rpc.ChatAdminRequiredError,
    rpc.ChatWriteForbiddenError,
    rpc.UserBannedInChannelError,
    rpc.MessageDeleteForbiddenError,
    rpc.ChatSendMediaForbiddenError,
)
_TOKEN = (rpc.AccessTokenInvalidError, rpc.AccessTokenExpiredError)


E = TypeVar("E", bound=StoreError)


def again(error: E) -> E:
    """A remembered error, to be raised once more without the tracebacks of the earlier times, which would pile up."""
    return error.with_traceback(None)


def translated(error: BaseException) -> StoreError:
    """`error` in our words. Errors of ours stay what they are; the sentence never holds a secret."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, _FLOOD):
        return Flooded(f"Telegram asks to wait {error.seconds} s.", max(1.0, float(error.seconds)))
    if isinstance(error, _SIGNED_OUT):
        return SignedOut(f"Telegram no longer accepts this session ({code_of(error)}).")
    if isinstance(error, _MIGRATE):
        return WrongDataCentre(int(error.new_dc))
    if isinstance(error, rpc.RPCError):
        return _translated_rpc(error)
    if isinstance(error, _LOST):
        return ConnectionLost(f"The connection to Telegram was lost ({type(error).__name__}).", 2.0)
    return Transient(f"Telegram gave an answer that could not be read ({type(error).__name__}).")


def _translated_rpc(error: rpc.RPCError) -> StoreError:
    code = code_of(error)
    if code.startswith("FILE_REFERENCE_"):
        return StaleReference("The file reference has expired.", 0.0)
    if code == "RANDOM_ID_DUPLICATE":
        return AlreadyPosted("A message with this label was posted before.", 0.0)
    if code.startswith(_PARTS_LOST):
        return PartsLost(f"Telegram has lost uploaded parts ({code}).", 1.0)
    if code in ("MESSAGE_ID_INVALID", "MESSAGE_IDS_EMPTY", "FILE_ID_EXPIRED"):
        return ChunkMissing("The message is gone from the channel.")
    if isinstance(error, _CHANNEL_GONE):
        return NoAccess(
            f"The channel cannot be reached ({code}): it was deleted, or the account is not a member. "
            "Add the account to the channel as an administrator, or correct TELEGRAM_CHANNEL."
        )
    if isinstance(error, _NO_SUCH_CHANNEL):
        return Permanent(f"TELEGRAM_CHANNEL names no channel that there is ({code}): correct it.")
    if isinstance(error, _NOT_ALLOWED):
        return NoAccess(
            f"The account may not do this in the channel ({code}): "
            "make it an administrator who may post and delete messages."
        )
    if isinstance(error, _TOKEN):
        return Permanent(f"Telegram refuses the bot token ({code}): correct TELEGRAM_BOT_TOKENS.")
    if isinstance(error, rpc.ApiIdInvalidError | rpc.ApiIdPublishedFloodError):
        return Permanent(f"Telegram refuses TELEGRAM_API_ID and TELEGRAM_API_HASH ({code}): correct them.")
    if abs(error.code or 500) in (500, 503):
        return Transient(f"Telegram has a fault of its own ({code}).", 2.0)
    return Refusal(code)


def code_of(error: BaseException) -> str:
    """Telegram's name of the error, such as FLOOD_WAIT; Telethon keeps it only as the name of a class."""
    if isinstance(error, rpc.RPCError) and type(error).__module__.endswith("rpcbaseerrors"):
        return str(error.message)
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{char}" if char.isupper() and at else char for at, char in enumerate(name)).upper()
