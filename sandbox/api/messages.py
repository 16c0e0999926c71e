"""messages.*: posting documents and texts, and reading history, which bots cannot."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from telethon.tl import functions, types

from sandbox.api.call import Audience, Call, RpcError, method
from sandbox.api.channels import find_channel, list_messages
from sandbox.api.service import CAPTION_LENGTH
from sandbox.api.upload import new_document
from sandbox.api.views import at, channel_view, message_view, pack_vector, user_view
from sandbox.bodies import UploadRefused
from sandbox.model import Channel, Document, Message

_MAX_PAGE = 100
_NO_LIMIT = 1 << 31


@method(functions.messages.SendMediaRequest)
async def send_media(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.peer, as_admin=True)
    if _utf16_length(request.message) > CAPTION_LENGTH:
        raise RpcError(400, "MEDIA_CAPTION_TOO_LONG")
    if not isinstance(request.media, types.InputMediaUploadedDocument):
        raise RpcError(400, "MEDIA_INVALID")
    claim = (call.account.id, request.random_id)
    if claim in call.world.posting or call.world.records.was_used(*claim):
        raise RpcError(500, "RANDOM_ID_DUPLICATE")
    call.world.posting.add(claim)
    try:
        document = await _keep_upload(call, request.media)
        return _post(call, channel, request.message, document, request.random_id)
    finally:
        call.world.posting.discard(claim)


@method(functions.messages.SendMessageRequest)
def send_message(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.peer, as_admin=True)
    if not request.message:
        raise RpcError(400, "MESSAGE_EMPTY")
    if _utf16_length(request.message) > 4096:
        raise RpcError(400, "MESSAGE_TOO_LONG")
    return _post(call, channel, request.message, None, request.random_id)


@method(functions.messages.GetHistoryRequest, Audience.USERS)
def get_history(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.peer)
    return _page(call, channel, request, lambda message: True)


@method(functions.messages.SearchRequest, Audience.USERS)
def search(call: Call, request: Any) -> Any:
    channel = find_channel(call, request.peer)
    wants_document = isinstance(request.filter, types.InputMessagesFilterDocument)
    wanted = request.q.lower()
    return _page(
        call,
        channel,
        request,
        lambda message: (
            wanted in message.text.lower()
            and (message.document is not None if wants_document else bool(message.text or message.document))
        ),
    )


@method(functions.messages.GetDialogsRequest, Audience.USERS)
def get_dialogs(call: Call, request: Any) -> Any:
    dialogs, messages, chats = [], [], []
    for channel in call.world.records.channels():
        if channel.is_deleted or call.account.id not in call.world.records.members(channel.id):
            continue
        top = call.world.records.history(channel.id, _NO_LIMIT, 0, 1)
        dialogs.append(_dialog(channel, top[0].id if top else 0))
        messages += [message_view(call, channel, message) for message in top]
        chats.append(channel_view(call, channel))
    return types.messages.Dialogs(dialogs, messages, chats, [user_view(call, call.account)])


@method(functions.messages.DeleteMessagesRequest)
def delete_messages(call: Call, request: Any) -> Any:
    """Outside channels there are no messages here, so there is nothing to delete."""
    return types.messages.AffectedMessages(1, 0)


async def _keep_upload(call: Call, media: Any) -> Document:
    file = media.file
    if not isinstance(file, types.InputFile | types.InputFileBig):
        raise RpcError(400, "MEDIA_INVALID")
    bodies = call.world.bodies
    number = secrets.randbits(62) | 1 << 62
    attributes = [a for a in media.attributes if not isinstance(a, types.DocumentAttributeFilename)]
    names = [a for a in media.attributes if isinstance(a, types.DocumentAttributeFilename)]
    try:
        upload, size = bodies.take(call.account.id, file.id, file.parts, isinstance(file, types.InputFileBig))
        # Waiting for the disk must not hold up other connections.
        await asyncio.to_thread(bodies.keep, number, upload, size, getattr(file, "md5_checksum", ""))
    except UploadRefused as error:
        raise RpcError(400, str(error)) from error
    name = names or [types.DocumentAttributeFilename(file.name)]
    return new_document(call, number, size, media.mime_type, pack_vector(attributes + name))


def _post(call: Call, channel: Channel, text: str, document: Document | None, random_id: int) -> Any:
    added = call.world.records.add_message(channel.id, call.account.id, text, document, random_id)
    if added is None:
        raise RpcError(500, "RANDOM_ID_DUPLICATE")
    message, pts = added
    updates = [
        types.UpdateMessageID(message.id, random_id),
        types.UpdateNewChannelMessage(message_view(call, channel, message), pts, pts_count=1),
    ]
    chats, users = [channel_view(call, channel)], [user_view(call, call.account)]
    return types.Updates(updates, users, chats, at(int(time.time())), seq=0)


def _page(call: Call, channel: Channel, request: Any, wanted: Any) -> Any:
    """A page of history, newest first. https://core.telegram.org/api/offsets; `add_offset` may only skip ahead."""
    below = request.offset_id or _NO_LIMIT
    if request.max_id:
        below = min(below, request.max_id)
    limit = min(max(request.limit, 0), _MAX_PAGE)
    start = below + max(-request.add_offset, 0)
    found: list[Message] = []
    skip = max(request.add_offset, 0)
    while len(found) < limit + skip:
        batch = call.world.records.history(channel.id, start, request.min_id, _MAX_PAGE)
        if not batch:
            break
        found += filter(wanted, batch)
        start = batch[-1].id
    views = [message_view(call, channel, message) for message in found[skip : skip + limit]]
    return list_messages(call, channel, views, call.world.records.count_messages(channel.id))


def _dialog(channel: Channel, top: int) -> Any:
    return types.Dialog(
        peer=types.PeerChannel(channel.id),
        top_message=top,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=types.PeerNotifySettings(),
        pts=channel.pts,
    )


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
