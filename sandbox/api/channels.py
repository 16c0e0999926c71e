"""channels.* and invites: making channels, joining them, and getting their messages by id."""

from __future__ import annotations

import secrets
import time
from typing import Any

from telethon.tl import functions, types

from sandbox.api.call import Audience, Call, RpcError, method
from sandbox.api.people import find_account
from sandbox.api.views import ADMIN_RIGHTS, at, channel_view, message_view, user_view
from sandbox.model import Channel, Message

MAX_IDS = 100
"""Ids in one channels.getMessages or channels.deleteMessages."""


def find_channel(call: Call, peer: Any, *, as_admin: bool = False) -> Channel:
    """The channel that an InputChannel or InputPeerChannel names, if the caller is in it. Raises RpcError."""
    channel = call.world.records.channel(getattr(peer, "channel_id", 0))
    if channel is None:
        raise RpcError(400, "CHANNEL_INVALID")
    expected = call.world.access_hash("channel", channel.id, call.account.id)
    # Bots may name the channels they are in without a hash: https://core.telegram.org/api/bots/ids.
    given = getattr(peer, "access_hash", None)
    if given != expected and not (call.account.is_bot and given == 0):
        raise RpcError(400, "CHANNEL_INVALID")
    members = call.world.records.members(channel.id)
    if channel.is_deleted or call.account.id not in members:
        raise RpcError(400, "CHANNEL_PRIVATE")
    if as_admin and not members[call.account.id]:
        raise RpcError(400, "CHAT_ADMIN_REQUIRED")
    return channel


def new_channel(creator: int, title: str, about: str, is_broadcast: bool) -> Channel:
    """A channel that is not in the records yet."""
    return Channel(
        id=secrets.randbelow(10**9) + 10**9,
        title=title,
        about=about,
        is_broadcast=is_broadcast,
        username=None,
        invite=secrets.token_urlsafe(12),
        creator=creator,
        created=int(time.time()),
        is_deleted=False,
        last_message=1,
        pts=1,
    )


def list_messages(call: Call, channel: Channel, messages: list[Any], count: int) -> Any:
    """messages.channelMessages with everybody who is mentioned."""
    return types.messages.ChannelMessages(
        pts=channel.pts,
        count=count,
        messages=messages,
        topics=[],
        chats=[channel_view(call, channel)],
        users=[user_view(call, call.account)],
    )


@method(functions.channels.CreateChannelRequest, Audience.USERS)
def create_channel(call: Call, request: Any) -> Any:
    if not request.title.strip():
        raise RpcError(400, "CHAT_TITLE_EMPTY")
    channel = new_channel(call.account.id, request.title[:128], request.about[:255], not request.megagroup)
    call.world.records.add_channel(channel)
    first = call.world.records.messages(channel.id, [1])[1]
    update = types.UpdateNewChannelMessage(message_view(call, channel, first), pts=1, pts_count=1)
    return _updates(call, channel, [update])


@method(functions.channels.GetChannelsRequest)
def get_channels(call: Call, request: Any) -> Any:
    return types.messages.Chats(
        [channel_view(call, find_channel(call, peer)) for peer in request.id[:MAX_IDS]]
    )


@method(functions.channels.GetFullChannelRequest)
def get_full_channel(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.channel)
    members = call.world.records.members(channel.id)
    full = types.ChannelFull(
        id=channel.id,
        about=channel.about,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=0,
        chat_photo=types.PhotoEmpty(0),
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=channel.pts,
        participants_count=len(members),
        admins_count=sum(members.values()),
    )
    return types.messages.ChatFull(full, [channel_view(call, channel)], [user_view(call, call.account)])


@method(functions.channels.GetParticipantRequest)
def get_participant(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.channel)
    wanted = request.participant
    account = call.account if isinstance(wanted, types.InputPeerSelf) else find_account(call, wanted)
    members = call.world.records.members(channel.id)
    if account.id not in members:
        raise RpcError(400, "USER_NOT_PARTICIPANT")
    return types.channels.ChannelParticipant(
        _participant(call, channel, account.id, members[account.id]),
        [channel_view(call, channel)],
        [user_view(call, account)],
    )


@method(functions.channels.GetMessagesRequest)
def get_messages(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.channel)
    wanted = [getattr(item, "id", 0) if not isinstance(item, int) else item for item in request.id]
    if not wanted:
        raise RpcError(400, "MESSAGE_IDS_EMPTY")
    if len(wanted) > MAX_IDS:
        raise RpcError(400, "MSG_ID_INVALID")
    found = call.world.records.messages(channel.id, wanted)
    views = [_view_or_empty(call, channel, found.get(number), number) for number in wanted]
    return list_messages(call, channel, views, len(views))


@method(functions.channels.DeleteMessagesRequest)
def delete_messages(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.channel, as_admin=True)
    if len(request.id) > MAX_IDS:
        raise RpcError(400, "MSG_ID_INVALID")
    count, pts = call.world.delete_messages(channel.id, request.id)
    return types.messages.AffectedMessages(pts, count)


@method(functions.channels.InviteToChannelRequest, Audience.USERS)
def invite_to_channel(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.channel, as_admin=True)
    accounts = [find_account(call, user) for user in request.users]
    if channel.is_broadcast and any(account.is_bot for account in accounts):
        # In a channel a bot can only be an administrator: channels.editAdmin.
        raise RpcError(400, "USER_BOT")
    for account in accounts:
        if account.id not in call.world.records.members(channel.id):
            call.world.records.set_member(channel.id, account.id, is_admin=False)
    return types.messages.InvitedUsers(_updates(call, channel, []), [])


@method(functions.channels.EditAdminRequest, Audience.USERS)
def edit_admin(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.channel, as_admin=True)
    account = find_account(call, request.user_id)
    rights = request.admin_rights.to_dict()
    call.world.records.set_member(channel.id, account.id, is_admin=any(v is True for v in rights.values()))
    return _updates(call, channel, [])


@method(functions.channels.JoinChannelRequest, Audience.USERS)
def join_channel(call: Call, request: Any) -> Any:
    channel = call.world.records.channel(getattr(request.channel, "channel_id", 0))
    if channel is None or channel.username is None or channel.is_deleted:
        raise RpcError(400, "CHANNEL_PRIVATE")
    return _join(call, channel)


@method(functions.messages.CheckChatInviteRequest, Audience.USERS)
def check_chat_invite(call: Call, request: Any) -> Any:
    channel = _invited(call, request.hash)
    members = call.world.records.members(channel.id)
    if call.account.id in members:
        return types.ChatInviteAlready(channel_view(call, channel))
    return types.ChatInvite(
        channel.title,
        types.PhotoEmpty(0),
        len(members),
        color=0,
        channel=True,
        broadcast=channel.is_broadcast,
    )


@method(functions.messages.ImportChatInviteRequest, Audience.USERS)
def import_chat_invite(call: Call, request: Any) -> Any:
    channel = _invited(call, request.hash)
    if call.account.id in call.world.records.members(channel.id):
        raise RpcError(400, "USER_ALREADY_PARTICIPANT")
    return _join(call, channel)


@method(functions.messages.ExportChatInviteRequest)
def export_chat_invite(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.peer, as_admin=True)
    return types.ChatInviteExported(f"https://t.me/+{channel.invite}", channel.creator, at(channel.created))


def _join(call: Call, channel: Channel) -> Any:
    call.world.records.set_member(channel.id, call.account.id, is_admin=False)
    return _updates(call, channel, [])


def _invited(call: Call, invite: str) -> Channel:
    for channel in call.world.records.channels():
        if channel.invite == invite and not channel.is_deleted:
            return channel
    raise RpcError(400, "INVITE_HASH_INVALID")


def _view_or_empty(call: Call, channel: Channel, message: Message | None, number: int) -> Any:
    return types.MessageEmpty(number, None) if message is None else message_view(call, channel, message)


def _participant(call: Call, channel: Channel, account: int, is_admin: bool) -> Any:
    if account == channel.creator:
        return types.ChannelParticipantCreator(account, ADMIN_RIGHTS)
    if is_admin:
        return types.ChannelParticipantAdmin(account, channel.creator, at(channel.created), ADMIN_RIGHTS)
    return types.ChannelParticipant(account, at(channel.created))


def _updates(call: Call, channel: Channel, updates: list[Any]) -> Any:
    chats, users = [channel_view(call, channel)], [user_view(call, call.account)]
    return types.Updates(updates, users, chats, at(int(time.time())), seq=0)
