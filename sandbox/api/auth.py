"""auth.* and account.getPassword: signing in as a bot or by phone, and carrying a sign-in to another data centre."""

from __future__ import annotations

import secrets
from typing import Any

from telethon.tl import functions, types

from sandbox.api import srp
from sandbox.api.call import Audience, Call, RpcError, method
from sandbox.api.views import user_view
from sandbox.model import Account
from sandbox.world import Login


@method(functions.auth.ImportBotAuthorizationRequest, Audience.ANYBODY)
def import_bot_authorization(call: Call, request: Any) -> Any:
    _check_application(call, request)
    for account in call.world.records.accounts():
        if account.is_bot and account.token == request.bot_auth_token:
            _check_home(call, "USER_MIGRATE")
            return _sign_in(call, account)
    raise RpcError(400, "ACCESS_TOKEN_INVALID")


@method(functions.auth.SendCodeRequest, Audience.ANYBODY)
def send_code(call: Call, request: Any) -> Any:
    _check_application(call, request)
    account = _account_with_phone(call, request.phone_number)
    if account is None:
        raise RpcError(400, "PHONE_NUMBER_INVALID")
    _check_home(call, "PHONE_MIGRATE")
    login = Login(account, secrets.token_hex(9))
    call.world.logins[call.key.id] = login
    return types.auth.SentCode(
        types.auth.SentCodeTypeApp(len(account.code or "")), login.code_hash, timeout=120
    )


@method(functions.auth.ResendCodeRequest, Audience.ANYBODY)
def resend_code(call: Call, request: Any) -> Any:
    login = _login(call, request)
    code_type = types.auth.SentCodeTypeSms(len(login.account.code or ""))
    return types.auth.SentCode(code_type, login.code_hash, timeout=120)


@method(functions.auth.SignInRequest, Audience.ANYBODY)
def sign_in(call: Call, request: Any) -> Any:
    if not request.phone_code:
        raise RpcError(400, "PHONE_CODE_EMPTY")
    login = _login(call, request)
    if request.phone_code != login.account.code:
        raise RpcError(400, "PHONE_CODE_INVALID")
    if login.account.password is not None:
        login.code_accepted = True
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    return _sign_in(call, login.account)


@method(functions.account.GetPasswordRequest, Audience.ANYBODY)
def get_password(call: Call, request: Any) -> Any:
    login = call.world.logins.get(call.key.id)
    if login is None or not login.code_accepted or login.account.password is None:
        if call.signed_in is None:
            raise RpcError(401, "AUTH_KEY_UNREGISTERED")
        return _password(has_password=call.signed_in.password is not None)
    asked = srp.challenge(login.account.password)
    srp_id = secrets.randbits(62)
    login.srp = {srp_id: asked.secret}
    return _password(
        has_password=True,
        current_algo=srp.algorithm(),
        srp_B=asked.public,
        srp_id=srp_id,
        hint="see the sandbox",
    )


@method(functions.auth.CheckPasswordRequest, Audience.ANYBODY)
def check_password(call: Call, request: Any) -> Any:
    login = call.world.logins.get(call.key.id)
    if login is None or not login.code_accepted or login.account.password is None:
        raise RpcError(401, "AUTH_KEY_UNREGISTERED")
    answer = request.password
    if not isinstance(answer, types.InputCheckPasswordSRP):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    secret = login.srp.pop(answer.srp_id, None)
    if secret is None:
        raise RpcError(400, "SRP_ID_INVALID")
    password = login.account.password
    if not srp.is_correct(password, srp.challenge(password, secret), answer.A, answer.M1):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    return _sign_in(call, login.account)


@method(functions.auth.ExportAuthorizationRequest)
def export_authorization(call: Call, request: Any) -> Any:
    if request.dc_id == call.dc or request.dc_id not in {address.dc for address in call.world.addresses}:
        raise RpcError(400, "DC_ID_INVALID")
    return types.auth.ExportedAuthorization(call.account.id, call.world.export(call.account.id))


@method(functions.auth.ImportAuthorizationRequest, Audience.ANYBODY)
def import_authorization(call: Call, request: Any) -> Any:
    exported = call.world.exported.pop(request.bytes, None)
    account = call.world.records.account(request.id)
    if account is None or exported != account.id:
        raise RpcError(400, "AUTH_BYTES_INVALID")
    return _sign_in(call, account)


@method(functions.auth.LogOutRequest)
def log_out(call: Call, request: Any) -> Any:
    call.key.account = None
    call.world.records.save_key(call.key)
    return types.auth.LoggedOut()


@method(functions.auth.BindTempAuthKeyRequest, Audience.ANYBODY)
def bind_temp_auth_key(call: Call, request: Any) -> Any:
    raise RpcError(400, "ENCRYPTED_MESSAGE_INVALID")


def _sign_in(call: Call, account: Account) -> Any:
    call.world.logins.pop(call.key.id, None)
    call.key.account, call.key.verdict = account.id, None
    call.world.records.save_key(call.key)
    return types.auth.Authorization(user_view(call, account, account.id))


def _check_application(call: Call, request: Any) -> None:
    known = call.world.application
    if (request.api_id, request.api_hash) != (known.api_id, known.api_hash):
        raise RpcError(400, "API_ID_INVALID")


def _check_home(call: Call, error: str) -> None:
    if call.dc != call.world.home:
        raise RpcError(303, f"{error}_{call.world.home}")


def _account_with_phone(call: Call, phone: str) -> Account | None:
    digits = "".join(filter(str.isdigit, phone))
    for account in call.world.records.accounts():
        if account.phone is not None and account.phone.lstrip("+") == digits:
            return account
    return None


def _login(call: Call, request: Any) -> Login:
    login = call.world.logins.get(call.key.id)
    if login is None or login.code_hash != request.phone_code_hash:
        raise RpcError(400, "PHONE_CODE_EXPIRED")
    return login


def _password(**fields: Any) -> Any:
    return types.account.Password(
        new_algo=srp.algorithm(),
        new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
        secure_random=secrets.token_bytes(256),
        **fields,
    )
