"""From the bytes of a request to its handler: unwraps invokeWithLayer and its kin, and turns away who may not call."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions

from sandbox.api import auth, channels, messages, people, service, upload
from sandbox.api.call import METHODS, Audience, Call, Method, RpcError, method_name
from sandbox.protocol import ProtocolError
from sandbox.protocol.tl import read_object
from sandbox.world import DUPLICATED

_ROOMS = (auth, channels, messages, people, service, upload)
"""The modules whose methods are in the table; importing them has entered them."""

_WRAPPERS = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
    functions.InvokeAfterMsgRequest,
    functions.InvokeAfterMsgsRequest,
)
_MAX_WRAPPERS = 6


def parse_request(body: bytes) -> tuple[Any, bool, int]:
    """The request inside its wrappers, whether they open a connection, and the api_id that they name (else 0).

    Raises RpcError: what cannot be parsed is answered, not punished.
    """
    try:
        request = read_object(body)
    except ProtocolError as error:
        raise RpcError(400, "INPUT_METHOD_INVALID") from error
    has_layer = has_init = False
    api_id = 0
    for _ in range(_MAX_WRAPPERS):
        if not isinstance(request, _WRAPPERS):
            break
        has_layer = has_layer or isinstance(request, functions.InvokeWithLayerRequest)
        if isinstance(request, functions.InitConnectionRequest):
            has_init, api_id = True, request.api_id
        request = request.query
    return request, has_layer and has_init, api_id


def admit(call: Call, request: Any, opens: bool, api_id: int) -> Method:
    """The method that `request` calls, if this caller may call it now. Raises RpcError."""
    if call.key.verdict == DUPLICATED:
        raise RpcError(406, DUPLICATED)
    if opens and not call.key.is_inited:
        if api_id != call.world.application.api_id:
            raise RpcError(400, "API_ID_INVALID")
        call.key.is_inited = True
        call.world.records.save_key(call.key)
    if not call.key.is_inited:
        raise RpcError(400, "CONNECTION_NOT_INITED")
    found = METHODS.get(type(request))
    if found is None:
        raise RpcError(400, "INPUT_METHOD_INVALID")
    if found.audience is not Audience.ANYBODY and call.key.verdict is not None:
        raise RpcError(401, call.key.verdict)
    if found.audience is not Audience.ANYBODY and call.signed_in is None:
        raise RpcError(401, "AUTH_KEY_UNREGISTERED")
    if found.audience is Audience.USERS and call.account.is_bot:
        raise RpcError(400, "BOT_METHOD_INVALID")
    return found


def name_of(request: Any) -> str:
    """The name of the method, for faults and statistics, whether we have it or not."""
    return method_name(type(request))
