"""A real mail server on the loopback that keeps what it gets, with or without TLS, and refuses what a test says.

with start_mailbox() as mailbox:
    Postman(mailbox.settings())
    mailbox.letters          # envelopes, as they came
    mailbox.answer = "550 no such user"
"""

from __future__ import annotations

import ssl
from asyncio import Server
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config import MailSettings

SENDER, USER, PASSWORD = "stowgram@example.org", "stowgram", "a password: with @ and %"


class Mailbox:
    """What the server has taken, and how it answers: `None` is with thanks. Without a `goodbye` it hangs up."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.answer: str | None = None
        self.goodbye: str | None = "221 Bye"
        self.secure: list[bool] = []
        self.signed_in: list[bool] = []
        self.port = 0

    def settings(self, **changes: Any) -> MailSettings:
        known: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "sender": SENDER}
        return MailSettings(**known | changes)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer is not None:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.secure.append(session.ssl is not None)
        self.signed_in.append(session.authenticated)
        self.envelopes.append(envelope)
        self.letters.append(letter)
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.goodbye is None:
            server.transport.abort()
            return "221 nobody hears it"
        return self.goodbye

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)  # the server is to answer


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """Knocks at the port that the system gave, where it is told to take any."""
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def start_mailbox(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, sign_in: bool = False
) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    ways: dict[str, Any] = {"authenticator": mailbox.authenticate} if sign_in else {}
    # aiosmtpd wants TLS before a password, as it should be; the tests want to see what we do without.
    ways |= {"tls_context": starttls} if starttls else {"auth_require_tls": False}
    controller = _Controller(mailbox, hostname="127.0.0.1", port=0, ssl_context=tls, **ways)
    controller.start()
    mailbox.port = controller.port
    try:
        yield mailbox
    finally:
        controller.stop()


@cache
def certificate() -> tuple[bytes, bytes]:
    """A certificate for 127.0.0.1 that nobody but itself vouches for, and its key; both as PEM."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "t")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), pem


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS with that certificate, which is left in `folder` as `certificate.pem` for those who shall trust it."""
    parts = zip(("certificate.pem", "key.pem"), certificate(), strict=True)
    for name, pem in parts:
        (folder / name).write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
