"""Letters handed to a mail server (RFC 5321, RFC 6409). It must never know what they are about. The home of smtplib."""

from __future__ import annotations

import io
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from time import monotonic
from typing import Any

from config import MailSettings
from errors import Permanent, StoreError, Transient

TIMEOUT = 30.0
"""Seconds to connect, and for each byte of the server."""
WHOLE = 120.0
"""Seconds for all answers about one letter: letters wait for each other, and a server that drips must not hold them."""
AGAIN = 60.0
"""Seconds until a server that refused for now is asked again; many refuse a stranger's first try (greylisting)."""
OWN_HOST = frozenset({"localhost", "127.0.0.1", "::1"})
"""Servers that a password reaches without leaving this machine."""


class Postman:
    """Sends by the server of `settings`, over a connection for each letter. For any thread."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._domain = settings.sender.rpartition("@")[2]

    def __repr__(self) -> str:
        return f"<Postman at {self._settings.host}:{self._settings.port}>"

    def send(self, to: str, subject: str, text: str, *, number: str) -> None:
        """Return once the server has taken the letter. A repeated one has the same `number`: mail programs notice.

        Raises Transient and Permanent. ValueError for a line break in `to` or `subject`: it would make a header.
        """
        letter = EmailMessage(
            policy=policy.SMTP
        )  # refuses line breaks in headers by itself, and encodes the rest
        letter["From"] = f"Stowgram <{self._settings.sender}>"
        letter["To"] = to
        letter["Subject"] = subject
        letter["Date"] = formatdate()
        letter["Message-ID"] = f"<{number}@{self._domain}>"
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: whoever is on holiday need not answer
        letter.set_content(text)
        with self._translated(), self._connected() as server:
            server.send_message(letter, self._settings.sender, [to])

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """The server, signed in to. It gives the name of our own domain: the host's would cost a look-up."""
        settings, context = self._settings, ssl.create_default_context()
        server = (
            _TlsServer(settings.host, settings.port, self._domain, timeout=TIMEOUT, context=context)
            if settings.tls
            else _Server(settings.host, settings.port, self._domain, timeout=TIMEOUT)
        )
        try:
            secure = settings.tls
            server.ehlo()
            if not secure and server.has_extn("starttls"):
                server.starttls(context=context)
                secure = True
            if settings.user is not None:
                if not secure and settings.host not in OWN_HOST:
                    # Whoever sits in between could take the offer of TLS out, and would get the password.
                    raise Permanent(f"{settings.host} offers no TLS: no password is sent. Use smtps://.")
                server.login(settings.user, settings.password)
            yield server
        finally:
            # What was to be known is known by now: a letter that was taken stays so, whatever the server says to QUIT.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The border at which smtplib's errors become ours. No answer is quoted: it may hold what was sent."""
        try:
            yield
        except smtplib.SMTPRecipientsRefused as error:
            raise self._refusal(max(code for code, _ in error.recipients.values())) from None
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code) from None
        except ssl.SSLCertVerificationError as error:
            sentence = f"The certificate of the mail server is not trusted: {error.verify_message}."
            raise Permanent(sentence) from None
        except smtplib.SMTPNotSupportedError:
            raise Permanent("The mail server knows no sign-in that we know, or not these letters.") from None
        except (smtplib.SMTPException, OSError) as error:
            kind = type(error).__name__
            raise Transient(f"The mail server cannot be reached ({kind}).", AGAIN) from None

    def _refusal(self, code: int) -> StoreError:
        """RFC 5321, 4.2.1: from 500 on, asking again unchanged gets the same answer."""
        if code >= 500:
            return Permanent(f"The mail server refuses the letter ({code}).")
        return Transient(f"The mail server does not take the letter now ({code}).", AGAIN)


class _Server(smtplib.SMTP):
    """smtplib's, whose timeout is for each byte, with a deadline for all."""

    def __init__(self, *server: Any, **options: Any) -> None:
        self._ends = monotonic() + WHOLE
        super().__init__(*server, **options)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:  # so it is for each connection, and again behind STARTTLS
            assert self.sock is not None
            self.file = io.BufferedReader(_Answers(self.sock, self._ends))
        return super().getreply()


class _TlsServer(_Server, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""


class _Answers(io.RawIOBase):
    """What comes by a socket until `ends`, by time.monotonic(). Then TimeoutError. It does not own the socket."""

    def __init__(self, source: socket.socket, ends: float) -> None:
        self._source = source
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError
        self._source.settimeout(min(TIMEOUT, left))
        return self._source.recv_into(buffer)
