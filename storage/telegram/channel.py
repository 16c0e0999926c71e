"""The channel that holds the chunks: what people write for it, and how one account reaches it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from telethon.tl import TLRequest, functions, types

from errors import Permanent
from storage.telegram.sessions import SessionFolder

MARK = 1_000_000_000_000
"""A channel's public id is -(MARK + its bare id) (core.telegram.org/api/bots/ids)."""

Ask = Callable[[TLRequest], Awaitable[Any]]

_LINK = re.compile(r"(?:https?://)?(?:t\.me|telegram\.me|telegram\.dog)/(.+)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")


@dataclass(frozen=True, slots=True)
class ById:
    id: int
    """As people see it: -100…"""


@dataclass(frozen=True, slots=True)
class ByName:
    name: str


@dataclass(frozen=True, slots=True)
class ByInvite:
    hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToCreate:
    title: str


Reference = ById | ByName | ByInvite | ToCreate


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel as one account reaches it."""

    id: int
    title: str
    access_hash: int = field(repr=False)

    @property
    def input(self) -> Any:
        return types.InputChannel(bare(self.id), self.access_hash)

    @property
    def peer(self) -> Any:
        return types.InputPeerChannel(bare(self.id), self.access_hash)


class Home:
    """The channel that the settings name, shared by the accounts: what one finds, the others need not look for.

    A bot can neither open an invite nor make a channel, but it can use the id that a user account has found.
    """

    def __init__(self, reference: Reference, folder: SessionFolder) -> None:
        self._folder = folder
        self.reference = reference
        if isinstance(reference, ToCreate):
            made = folder.read("channel")
            if made.get("title") == reference.title and isinstance(made.get("id"), int):
                self.reference = ById(made["id"])

    def settle(self, channel: Channel) -> None:
        """Remember what was found or made, so that it is made only once. Raises Permanent if it cannot be kept."""
        if isinstance(self.reference, ToCreate):
            try:
                self._folder.write("channel", {"title": self.reference.title, "id": channel.id})
            except OSError as error:
                raise Permanent(
                    f"The channel {channel.id} was made, but its id could not be kept ({error.strerror}): "
                    f"set TELEGRAM_CHANNEL={channel.id}."
                ) from None
        self.reference = ById(channel.id)


def parse(text: str) -> Reference:
    """What TELEGRAM_CHANNEL says; raises Permanent, telling the forms there are."""
    text = text.strip()
    if text.startswith("create:") and text.removeprefix("create:").strip():
        return ToCreate(text.removeprefix("create:").strip())
    if re.fullmatch(r"-?[0-9]{1,19}", text):
        return ById(marked(int(text)))
    if link := _LINK.fullmatch(text):
        return _parse_link(link[1].split("?")[0].strip("/"))
    if _NAME.fullmatch(text.removeprefix("@")):
        return ByName(text.removeprefix("@"))
    raise _not_understood()


def marked(number: int) -> int:
    """The id of a channel as people see it, from that or from the bare one."""
    return number if number <= -MARK else -(MARK + abs(number))


def bare(channel: int) -> int:
    """The id of a channel as the API wants it."""
    return -channel - MARK


def _parse_link(path: str) -> Reference:
    first, *rest = path.split("/")
    if first.startswith("+"):
        return ByInvite(first[1:])
    if first == "joinchat" and rest:
        return ByInvite(rest[0])
    if first == "c" and rest and rest[0].isdigit():
        return ById(marked(int(rest[0])))
    if _NAME.fullmatch(first):
        return ByName(first)
    raise _not_understood()


def _not_understood() -> Permanent:
    return Permanent(
        "TELEGRAM_CHANNEL has to be an id (-100…), an @name, a t.me link, or create:TITLE; it is none of these."
    )


async def resolve(ask: Ask, reference: Reference, *, is_bot: bool) -> Channel:
    """The channel as the account behind `ask` reaches it. Raises a StoreError that tells what to do."""
    match reference:
        case ById(number):
            chat = await (_by_id_as_bot(ask, number) if is_bot else _by_id_as_user(ask, number))
        case ByName(name):
            chat = await _by_name(ask, name)
        case ByInvite(invite):
            chat = await _by_invite(ask, invite, is_bot)
        case ToCreate(title):
            chat = await _create(ask, title, is_bot)
    return _checked(chat)


async def _by_id_as_bot(ask: Ask, number: int) -> Any:
    """Bots may leave the access hash 0 (core.telegram.org/api/bots, and channels.getChannels)."""
    answer = await ask(functions.channels.GetChannelsRequest([types.InputChannel(bare(number), 0)]))
    return answer.chats[0] if answer.chats else types.ChannelForbidden(bare(number), 0, "")


async def _by_id_as_user(ask: Ask, number: int) -> Any:
    """Users need the access hash, which their list of dialogs holds."""
    date, last, peer = None, 0, types.InputPeerEmpty()
    while True:
        page = await ask(functions.messages.GetDialogsRequest(date, last, peer, 100, 0))
        for chat in page.chats:
            if chat.id == bare(number):
                return chat
        if not isinstance(page, types.messages.DialogsSlice) or not page.messages:
            raise Permanent(
                "The account is not a member of the channel in TELEGRAM_CHANNEL: "
                "add it there as an administrator, or correct the id."
            )
        oldest = page.messages[-1]
        if oldest.id == last and oldest.date == date:
            raise Permanent("The channel in TELEGRAM_CHANNEL is not among the account's dialogs.")
        date, last = oldest.date, oldest.id


async def _by_name(ask: Ask, name: str) -> Any:
    answer = await ask(functions.contacts.ResolveUsernameRequest(name))
    if not answer.chats:
        raise Permanent(f"@{name} in TELEGRAM_CHANNEL is not a channel.")
    return answer.chats[0]


async def _by_invite(ask: Ask, invite: str, is_bot: bool) -> Any:
    if is_bot:
        raise Permanent(
            "A bot cannot open an invite link: give the channel's id (-100…) in TELEGRAM_CHANNEL, "
            "and make the bot an administrator there."
        )
    answer: Any = await ask(functions.messages.CheckChatInviteRequest(invite))
    if isinstance(answer, types.ChatInvite):
        answer = await ask(functions.messages.ImportChatInviteRequest(invite))
        answer = getattr(answer, "updates", answer)  # newer layers wrap the updates
        return answer.chats[0]
    return answer.chat


async def _create(ask: Ask, title: str, is_bot: bool) -> Any:
    if is_bot:
        raise Permanent(
            "A bot cannot make a channel: make one, make the bot an administrator there, "
            "and give its id (-100…) in TELEGRAM_CHANNEL."
        )
    about = "Kept by Stowgram: each message is a piece of a file."
    answer = await ask(functions.channels.CreateChannelRequest(title=title, about=about, broadcast=True))
    return answer.chats[0]


def _checked(chat: Any) -> Channel:
    """Raises Permanent if the account could not post there; better now than in the middle of an upload."""
    if not isinstance(chat, types.Channel) or chat.left:
        raise Permanent(
            "The account is not a member of the channel in TELEGRAM_CHANNEL, or the channel is gone: "
            "add the account there as an administrator, or correct the setting."
        )
    rights = chat.admin_rights
    may_post = chat.creator or (rights is not None and rights.post_messages)
    if chat.broadcast and not may_post:
        raise Permanent(
            f"The account may not post in the channel {chat.title!r}: "
            "make it an administrator who may post and delete messages."
        )
    return Channel(marked(chat.id), chat.title, chat.access_hash or 0)
