"""Letters to a real mail server: what arrives, over what, and what its refusals become."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from errors import Permanent, Transient
from mail import smtp
from mail.smtp import Postman
from tests.mailbox import PASSWORD, SENDER, USER, server_context, start_mailbox

TO = "ada@example.net"
LINK = "https://files.example.org/prepared/" + "x" * 300


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """TLS with a certificate that this process trusts."""
    context = server_context(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    return context


def test_a_letter_arrives_as_it_was_written() -> None:
    with start_mailbox() as mailbox:
        Postman(mailbox.settings()).send(
            TO, "Ready: Übermut 写真.zip", f"Hello Zoë,\n\n{LINK}\n", number="17"
        )
        (letter,), (envelope,) = mailbox.letters, mailbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, [TO])
    assert letter["Subject"] == "Ready: Übermut 写真.zip"
    assert letter["From"] == f"Stowgram <{SENDER}>"
    assert letter["Message-ID"] == "<17@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert LINK in letter.get_content()
    assert "Zoë" in letter.get_content()


@pytest.mark.parametrize("bad", ["a\r\nBcc: eve@example.net", "a\nX: y"])
def test_no_value_becomes_a_header_of_its_own(bad: str) -> None:
    with start_mailbox() as mailbox:
        postman = Postman(mailbox.settings())
        with pytest.raises(ValueError, match=r"newline|linefeed|header"):
            postman.send(TO, bad, "text", number="1")
        with pytest.raises(ValueError, match=r"newline|linefeed|header|CR or LF"):
            postman.send(bad, "subject", "text", number="1")
        assert mailbox.letters == []


def test_tls_is_used_where_it_is_offered_and_before_the_password(trusted: ssl.SSLContext) -> None:
    with start_mailbox(starttls=trusted, sign_in=True) as mailbox:
        Postman(mailbox.settings(user=USER, password=PASSWORD)).send(TO, "s", "t", number="1")
        assert mailbox.secure == mailbox.signed_in == [True]


def test_tls_from_the_first_byte(trusted: ssl.SSLContext) -> None:
    with start_mailbox(tls=trusted, sign_in=True) as mailbox:
        Postman(mailbox.settings(tls=True, user=USER, password=PASSWORD)).send(TO, "s", "t", number="1")
        assert mailbox.signed_in == [True]


def test_a_certificate_that_nobody_vouches_for_ends_it(tmp_path: Path) -> None:
    with start_mailbox(starttls=server_context(tmp_path)) as mailbox:
        with pytest.raises(Permanent, match="not trusted"):
            Postman(mailbox.settings()).send(TO, "s", "t", number="1")
        assert mailbox.letters == []


def test_no_password_leaves_this_machine_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "OWN_HOST", frozenset())
    with start_mailbox(sign_in=True) as mailbox:
        with pytest.raises(Permanent, match="no password is sent"):
            Postman(mailbox.settings(user=USER, password=PASSWORD)).send(TO, "s", "t", number="1")
        assert mailbox.letters == []


def test_a_wrong_password_is_told_without_it() -> None:
    with (
        start_mailbox(sign_in=True) as mailbox,
        pytest.raises(Permanent, match=r"refuses the letter \(535\)") as refusal,
    ):
        Postman(mailbox.settings(user=USER, password="hush")).send(TO, "s", "t", number="1")
    assert "hush" not in repr(refusal.value)


@pytest.mark.parametrize(
    ("answer", "kind"), [("450 later", Transient), ("451 greylisted", Transient), ("550 unknown", Permanent)]
)
def test_what_a_refusal_means(answer: str, kind: type[Exception]) -> None:
    with start_mailbox() as mailbox:
        mailbox.answer = answer
        with pytest.raises(kind, match=answer[:3]):
            Postman(mailbox.settings()).send(TO, "s", "t", number="1")


def test_a_server_that_is_not_there_or_says_nothing_is_worth_another_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.2)
    with start_mailbox() as mailbox:
        settings = mailbox.settings()
    with pytest.raises(Transient, match="cannot be reached"):
        Postman(settings).send(TO, "s", "t", number="1")
    with socket.create_server(("127.0.0.1", settings.port)), pytest.raises(Transient):
        Postman(settings).send(TO, "s", "t", number="1")


@pytest.mark.parametrize("goodbye", ["421 shutting down", None])
def test_a_letter_that_was_taken_is_sent_whatever_becomes_of_the_goodbye(goodbye: str | None) -> None:
    with start_mailbox() as mailbox:
        mailbox.goodbye = goodbye
        Postman(mailbox.settings()).send(TO, "s", "t", number="1")
        assert len(mailbox.letters) == 1


def test_a_server_that_drips_has_the_time_of_one_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "WHOLE", 0.5)
    given_up = Event()

    def drip(listening: socket.socket) -> None:
        with suppress(ConnectionError), listening.accept()[0] as line:
            while not given_up.wait(0.05):
                line.sendall(b"2")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        server = Thread(target=drip, args=[listening])
        server.start()
        with start_mailbox() as mailbox, pytest.raises(Transient):
            Postman(mailbox.settings(port=listening.getsockname()[1])).send(TO, "s", "t", number="1")
        assert server.is_alive(), "it would have gone on"
        given_up.set()
        server.join(30)
