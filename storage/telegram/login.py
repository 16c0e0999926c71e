"""Signing in a person's account at a prompt, which the caller holds: nothing here prints or asks by itself.

The steps are those of core.telegram.org/api/auth; the password step is SRP, core.telegram.org/api/srp.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telethon import password as srp
from telethon.crypto import AuthKey
from telethon.sessions import StringSession
from telethon.tl import TLRequest, functions, types

from errors import Permanent, Transient
from storage.telegram.addresses import main_address
from storage.telegram.connection import Connection, Dialling
from storage.telegram.errors import Flooded, Refusal, WrongDataCentre
from storage.telegram.signin import FIRST_CONTACT
from storage.telegram.statistics import Statistics
from storage.telegram.timing import Timing
from storage.telegram.trust import trust
from storage.telegram.wire import Address

TRIES = 3
"""Wrong codes or passwords before giving up; Telegram's own patience is not much longer."""

Prompt = Callable[[], str]


def sign_in(
    *,
    api_id: int,
    api_hash: str,
    phone: Prompt,
    code: Prompt,
    password: Prompt,
    tell: Callable[[str], None],
    server: tuple[int, str, int] | None = None,
    server_key: Path | None = None,
    proxy: str | None = None,
    timing: Timing | None = None,
) -> str:
    """A Telethon string session of the person's account, for TELEGRAM_SESSION.

    `phone`, `code` and `password` ask the person; `tell` shows a sentence, such as why something is asked again.
    Raises Permanent or Transient with a sentence for the person, and whatever a prompt raises.
    """
    if server_key is not None:
        trust(server_key)
    dialling = Dialling(api_id, timing or Timing(), Statistics(), proxy)
    address = FIRST_CONTACT if server is None else Address(*server)
    steps = _Steps(dialling, address, api_id, api_hash, tell)
    return asyncio.run(steps.run(phone, code, password))


class _Steps:
    """The conversation with Telegram. A prompt blocks the loop, so the connection may be gone when the answer comes."""

    def __init__(
        self, dialling: Dialling, address: Address, api_id: int, api_hash: str, tell: Callable[[str], None]
    ) -> None:
        self._dialling = dialling
        self._address = address
        self._key: bytes | None = None
        self._connection: Connection | None = None
        self._options: Any = ()
        self._api_id = api_id
        self._api_hash = api_hash
        self._tell = tell

    async def run(self, phone: Prompt, code: Prompt, password: Prompt) -> str:
        try:
            number, sent = await self._send_code(phone)
            if await self._enter_code(number, sent, code):
                await self._enter_password(password)
            return self._string()
        finally:
            if self._connection is not None:
                await self._connection.close()

    async def _send_code(self, phone: Prompt) -> tuple[str, str]:
        """The phone number and what Telegram calls the code it has sent."""
        for _ in range(TRIES):
            number = phone().strip().replace(" ", "")
            settings = types.CodeSettings()
            request = functions.auth.SendCodeRequest(number, self._api_id, self._api_hash, settings)
            try:
                return number, (await self._ask(request)).phone_code_hash
            except WrongDataCentre as error:
                await self._move(error.dc)
                return number, (await self._ask(request)).phone_code_hash
            except Refusal as error:
                if error.code != "PHONE_NUMBER_INVALID":
                    raise _explained(error) from None
                self._tell(
                    "Telegram does not know this phone number. Give it with the country's prefix, as in +49…."
                )
        raise Permanent("No phone number that Telegram knows was given.")

    async def _enter_code(self, number: str, sent: str, code: Prompt) -> bool:
        """Whether a password is wanted as well."""
        for _ in range(TRIES):
            request = functions.auth.SignInRequest(number, sent, phone_code=code().strip())
            try:
                answer = await self._ask(request)
            except Refusal as error:
                if error.code == "SESSION_PASSWORD_NEEDED":
                    return True
                if error.code not in ("PHONE_CODE_INVALID", "PHONE_CODE_EMPTY"):
                    raise _explained(error) from None
                self._tell("That is not the code that Telegram sent.")
            else:
                if isinstance(answer, types.auth.AuthorizationSignUpRequired):
                    raise Permanent(
                        "This phone number has no Telegram account: make one in an official app first."
                    )
                return False
        raise Permanent("The code was wrong too often. Start again with `python run.py login`.")

    async def _enter_password(self, password: Prompt) -> None:
        for _ in range(TRIES):
            asked = await self._ask(functions.account.GetPasswordRequest())
            check = srp.compute_check(asked, password())
            try:
                await self._ask(functions.auth.CheckPasswordRequest(check))
            except Refusal as error:
                if error.code not in ("PASSWORD_HASH_INVALID", "SRP_ID_INVALID"):
                    raise _explained(error) from None
                self._tell("That is not the account's password.")
            else:
                return
        raise Permanent("The password was wrong too often. Start again with `python run.py login`.")

    async def _ask(self, request: TLRequest) -> Any:
        if self._connection is None or self._connection.lost.done():
            self._connection = Connection(self._dialling, self._address, self._key)
            self._options = (await self._connection.open(functions.help.GetConfigRequest())).dc_options
            self._key = self._connection.key
        try:
            return await self._connection.ask(request, self._dialling.timing.request)
        except Flooded as error:
            raise Transient(
                f"Too many attempts: Telegram asks to wait {error.retry_after:.0f} s.", error.retry_after
            ) from None

    async def _move(self, dc: int) -> None:
        """Go on at the data centre where the phone number lives, with a key of its own."""
        address = main_address(self._options, dc)
        if address is None or self._connection is None:
            raise Transient(f"Telegram sends us to data centre {dc}, but not where that is.")
        await self._connection.close()
        self._address, self._key, self._connection = address, None, None

    def _string(self) -> str:
        session = StringSession()
        # A string session holds a numeric address; a name can only come from TELEGRAM_SERVER.
        host = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_STREAM)[0][4][0]
        session.set_dc(self._address.dc, ipaddress.ip_address(host).compressed, self._address.port)
        session.auth_key = AuthKey(self._key)
        return str(session.save())


def _explained(error: Refusal) -> Permanent:
    sentence = _SENTENCES.get(error.code)
    return Permanent(sentence) if sentence else error


_SENTENCES = {
    "PHONE_CODE_EXPIRED": "The code has expired. Start again with `python run.py login`.",
    "PHONE_NUMBER_BANNED": "Telegram has banned this phone number.",
    "PHONE_NUMBER_UNOCCUPIED": "This phone number has no Telegram account: make one in an official app first.",
    "PHONE_PASSWORD_FLOOD": "Too many attempts: Telegram refuses this number for now. Try again tomorrow.",
}
