"""Who we are to Telegram: the session of an account, kept, loaded, and for bots made anew when it is gone."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

from telethon.tl import TLRequest, functions

from errors import Transient
from storage.telegram.addresses import main_address
from storage.telegram.connection import Connection, Dialling
from storage.telegram.errors import SIGN_IN_AGAIN, Flooded, SignedOut, WrongDataCentre
from storage.telegram.sessions import Session, SessionFolder
from storage.telegram.timing import Backoff
from storage.telegram.wire import Address

FIRST_CONTACT = Address(2, "149.154.167.51", 443)
"""Where somebody begins who has no session: data centre 2 of Telegram (core.telegram.org/api/datacenter)."""
MOST_BETWEEN_SIGN_INS = 3600.0
PROVEN = 60
"""A session that lives so many times as long as the wait behind its sign-in has proved that signing in helps: if it is
lost, the waits begin anew. Without that, a bot that lost a few sessions in a year would be kept away for an hour.
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """One account as the settings name it. `secret` is a string session or a bot token."""

    name: str
    is_bot: bool
    api_hash: str = field(repr=False)
    secret: str = field(repr=False)
    first_contact: Address


class SignIn:
    """The account's session, and the connection to its home. On the loop thread only."""

    def __init__(self, identity: Identity, dialling: Dialling, folder: SessionFolder) -> None:
        self._identity = identity
        self._dialling = dialling
        self._folder = folder
        self._between = Backoff(dialling.timing.sign_in_again, MOST_BETWEEN_SIGN_INS)
        self._since = 0.0
        self.session: Session | None = None
        self.config: Any = None
        """The latest answer of help.getConfig."""

    async def dial(self) -> Connection:
        """An open connection to the account's home, signed in. Raises a StoreError."""
        if self.session is None:
            self.session = self._load()
        if self.session is None:
            return await self._sign_in()
        connection = Connection(self._dialling, self.session.home, self.session.key)
        try:
            self.config = await connection.open(functions.help.GetConfigRequest())
        except SignedOut:
            raise self.gone(self.session) from None
        return connection

    def keep(self) -> None:
        """Save the session with its foreign keys; a full disk only costs a sign-in later."""
        if self.session is None:
            return
        try:
            self._folder.save(self._identity.name, self._identity.secret, self.session)
        except OSError as error:
            _log.warning("The session of %s could not be saved: %s", self._identity.name, error.strerror)

    def gone(self, session: Session | None) -> Transient | SignedOut:
        """Telegram refuses `session`. The error says whether it ends the account, or it may sign in again by itself."""
        if self.session is not session:
            return Transient("The session was replaced meanwhile.", 0.0)
        if not self._identity.is_bot:
            return SignedOut(SIGN_IN_AGAIN.format(account=self._identity.name))
        self.session = None
        self._folder.forget(self._identity.name)
        _log.warning("Telegram no longer accepts the session of %s; signing in again.", self._identity.name)
        return Transient("The bot has to sign in again.", 1.0)

    def _load(self) -> Session | None:
        kept = self._folder.load(self._identity.name, self._identity.secret)
        if kept is None and not self._identity.is_bot:
            kept = Session.from_string(self._identity.secret)
        if kept is not None and kept.home.dc == self._identity.first_contact.dc:
            first = self._identity.first_contact
            if first != FIRST_CONTACT:  # a server that the settings name may have moved since
                kept.home = first
        return kept

    async def _sign_in(self) -> Connection:
        """Make an authorization for the bot (core.telegram.org/method/auth.importBotAuthorization)."""
        now = asyncio.get_running_loop().time()
        if self._between.until > now:
            raise Transient(
                "The bot signed in only just now; waiting before the next.", self._between.until - now
            )
        token = self._identity.secret
        request = functions.auth.ImportBotAuthorizationRequest(
            flags=0, api_id=self._dialling.api_id, api_hash=self._identity.api_hash, bot_auth_token=token
        )
        try:
            connection, self.config = await signed_in(self._dialling, self._identity.first_contact, request)
        except Flooded as error:
            self._between.until = now + error.retry_after
            raise
        if now - self._since > PROVEN * (self._between.until - self._since):
            self._between.succeed()
        self._between.fail(now)  # a success too: each sign-in makes an authorization of its own
        self._since = now
        assert connection.key is not None
        self.session = Session(connection.address, connection.key)
        self._dialling.statistics.sign_ins += 1
        self.keep()
        return connection


async def signed_in(dialling: Dialling, address: Address, request: TLRequest) -> tuple[Connection, Any]:
    """A connection with a new key that `request` has signed in, where Telegram sends us to, and its config.

    Raises a StoreError.
    """
    for _ in range(3):
        connection = Connection(dialling, address, None)
        config = await connection.open(functions.help.GetConfigRequest())
        try:
            await connection.ask(request, dialling.timing.connect)
        except WrongDataCentre as error:
            await connection.close()
            address = main_address(config.dc_options, error.dc) or address
        except BaseException:
            await connection.close()
            raise
        else:
            return connection, config
    raise Transient("Telegram sends the sign-in from one data centre to the next.", 30.0)
