"""Records as Telegram shows them to one account: with its own access hashes and fresh file references."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

from telethon.tl import types

from sandbox.api.call import Call
from sandbox.model import Account, Channel, Document, Message
from sandbox.protocol.tl import read_object

ADMIN_RIGHTS = types.ChatAdminRights(
    change_info=True,
    post_messages=True,
    edit_messages=True,
    delete_messages=True,
    ban_users=True,
    invite_users=True,
    pin_messages=True,
    add_admins=True,
    manage_call=True,
    other=True,
)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def user_view(call: Call, account: Account, viewer: int | None = None) -> Any:
    """The account as `viewer` (who calls, if not given) sees it."""
    viewer = viewer if viewer is not None else call.account.id
    return types.User(
        id=account.id,
        is_self=account.id == viewer,
        bot=account.is_bot,
        access_hash=call.world.access_hash("user", account.id, viewer),
        first_name=account.name,
        username=account.username,
        phone=account.phone.lstrip("+") if account.phone and account.id == viewer else None,
        bot_info_version=1 if account.is_bot else None,
    )


def channel_view(call: Call, channel: Channel) -> Any:
    """The channel as the caller sees it: a forbidden one when it is gone or the caller is out."""
    members = call.world.records.members(channel.id)
    access_hash = call.world.access_hash("channel", channel.id, call.account.id)
    if channel.is_deleted or (call.account.id not in members and channel.username is None):
        return types.ChannelForbidden(
            channel.id,
            access_hash,
            channel.title,
            broadcast=channel.is_broadcast,
            megagroup=not channel.is_broadcast,
        )
    return types.Channel(
        id=channel.id,
        title=channel.title,
        photo=types.ChatPhotoEmpty(),
        date=at(channel.created),
        creator=channel.creator == call.account.id,
        left=call.account.id not in members,
        broadcast=channel.is_broadcast,
        megagroup=not channel.is_broadcast,
        access_hash=access_hash,
        username=channel.username,
        admin_rights=ADMIN_RIGHTS if members.get(call.account.id) else None,
        default_banned_rights=None if channel.is_broadcast else types.ChatBannedRights(until_date=None),
        participants_count=len(members),
    )


def document_view(call: Call, document: Document) -> Any:
    """The document with a file reference as of now."""
    return types.Document(
        id=document.id,
        access_hash=call.world.access_hash("document", document.id, call.account.id),
        file_reference=call.world.file_reference(document.id, call.account.id),
        date=at(document.created),
        mime_type=document.mime_type,
        size=document.size,
        dc_id=document.dc,
        attributes=read_object(document.attributes),
    )


def message_view(call: Call, channel: Channel, message: Message) -> Any:
    """The message, with its document if it has one."""
    peer = types.PeerChannel(channel.id)
    is_mine = message.sender == call.account.id
    if message.document is None and not message.text:
        action = types.MessageActionChannelCreate(channel.title)
        return types.MessageService(
            message.id, peer, at(message.sent), action=action, out=is_mine, post=channel.is_broadcast
        )
    media = None
    if message.document is not None:
        media = types.MessageMediaDocument(document=document_view(call, message.document))
    return types.Message(
        id=message.id,
        peer_id=peer,
        date=at(message.sent),
        message=message.text,
        out=is_mine,
        post=channel.is_broadcast,
        from_id=None if channel.is_broadcast else types.PeerUser(message.sender),
        media=media,
        views=1 if channel.is_broadcast else None,
        forwards=0 if channel.is_broadcast else None,
    )


def pack_vector(items: list[Any]) -> bytes:
    """A TL vector of objects."""
    return struct.pack("<Ii", 0x1CB5C415, len(items)) + b"".join(map(bytes, items))
