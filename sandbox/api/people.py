"""users.* and contacts.*: accounts, as each other sees them."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from sandbox.api.call import Call, RpcError, method
from sandbox.api.views import channel_view, user_view
from sandbox.model import Account


def find_account(call: Call, user: Any) -> Account:
    """The account that an InputUser names. Raises RpcError."""
    if isinstance(user, types.InputUserSelf):
        return call.account
    account = call.world.records.account(getattr(user, "user_id", 0))
    if account is None:
        raise RpcError(400, "USER_ID_INVALID")
    expected = call.world.access_hash("user", account.id, call.account.id)
    if account.id != call.account.id and getattr(user, "access_hash", None) != expected:
        raise RpcError(400, "USER_ID_INVALID")
    return account


@method(functions.users.GetUsersRequest)
def get_users(call: Call, request: Any) -> Any:
    return [user_view(call, find_account(call, user)) for user in request.id[:200]]


@method(functions.users.GetFullUserRequest)
def get_full_user(call: Call, request: Any) -> Any:
    account = find_account(call, request.id)
    full = types.UserFull(account.id, types.PeerSettings(), types.PeerNotifySettings(), common_chats_count=0)
    return types.users.UserFull(full, [], [user_view(call, account)])


@method(functions.contacts.ResolveUsernameRequest)
def resolve_username(call: Call, request: Any) -> Any:
    wanted = request.username.lstrip("@").lower()
    for account in call.world.records.accounts():
        if (account.username or "").lower() == wanted:
            return types.contacts.ResolvedPeer(types.PeerUser(account.id), [], [user_view(call, account)])
    for channel in call.world.records.channels():
        if (channel.username or "").lower() == wanted and not channel.is_deleted:
            return types.contacts.ResolvedPeer(
                types.PeerChannel(channel.id), [channel_view(call, channel)], []
            )
    raise RpcError(400, "USERNAME_NOT_OCCUPIED")
