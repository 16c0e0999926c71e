"""What a handler gets and how it is found: the call, its error, and the table of methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sandbox.model import Account, AuthKey
from sandbox.protocol.transports import Buffers
from sandbox.world import World


class RpcError(Exception):
    """An answer of the kind `rpc_error`: https://core.telegram.org/api/errors."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Raw:
    """A result that is serialised already, in pieces: for bytes by the mebibyte."""

    pieces: Buffers


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, and where. `signed_in` is None for a key nobody has signed in with."""

    world: World
    key: AuthKey
    dc: int
    signed_in: Account | None

    @property
    def account(self) -> Account:
        """Who is asking, in handlers that only accounts reach."""
        if self.signed_in is None:
            raise RpcError(401, "AUTH_KEY_UNREGISTERED")
        return self.signed_in


class Audience(Enum):
    """Who may call a method."""

    ANYBODY = 1
    ACCOUNTS = 2
    USERS = 3


Handler = Callable[[Call, Any], Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API; `name` as Telegram writes it, like `upload.getFile`."""

    name: str
    audience: Audience
    handler: Handler


METHODS: dict[type, Method] = {}


def method(request: type, audience: Audience = Audience.ACCOUNTS) -> Callable[[Handler], Handler]:
    """Enter the decorated handler into the table for this request of Telethon's."""

    def enter(handler: Handler) -> Handler:
        METHODS[request] = Method(method_name(request), audience, handler)
        return handler

    return enter


def method_name(request: type) -> str:
    """`upload.getFile` for GetFileRequest of telethon.tl.functions.upload."""
    space = request.__module__.rpartition(".")[2]
    name = request.__name__.removesuffix("Request")
    name = name[:1].lower() + name[1:]
    return name if space == "functions" else f"{space}.{name}"
