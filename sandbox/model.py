"""What the sandbox keeps records of. It must never know of SQL or of TL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """A person or a bot. A bot signs in by `token`, a person by `phone`, `code` and, if there is one, `password`."""

    id: int
    is_bot: bool
    name: str
    username: str | None = None
    phone: str | None = None
    token: str | None = None
    code: str | None = None
    password: str | None = None


@dataclass(slots=True)
class AuthKey:
    """An auth key of one data centre, and who signed in with it. `verdict`: the error that a dead key always gets."""

    id: bytes
    dc: int
    key: bytes
    account: int | None = None
    is_inited: bool = False
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """`last_message` is the highest message id given out; `pts` counts its events."""

    id: int
    title: str
    about: str
    is_broadcast: bool
    username: str | None
    invite: str
    creator: int
    created: int
    is_deleted: bool
    last_message: int
    pts: int


@dataclass(frozen=True, slots=True)
class Document:
    """`attributes` is a TL vector as the uploader gave it; `dc` is where its bytes are served."""

    id: int
    size: int
    mime_type: str
    attributes: bytes
    dc: int
    created: int


@dataclass(frozen=True, slots=True)
class Message:
    """A post. One without document and text is the service message that a channel begins with."""

    channel: int
    id: int
    sender: int
    sent: int
    text: str
    document: Document | None
