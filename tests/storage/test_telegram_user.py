"""A person's account: signing in at prompts, using the session, losing it, and making the channel on request."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from errors import Permanent, Transient
from model import MIB, ByteRange
from storage.telegram.login import sign_in
from storage.telegram.store import TelegramStore
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.storage.contract import StoreContract, body_of, label_of, put, read, read_all, source_of
from tests.storage.telegram_store import QUICK, settings_for

pytestmark = pytest.mark.slow

BODY = body_of(3 * MIB)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(autouse=True)
def behaving(sandbox: RunningSandbox) -> Iterator[None]:
    yield
    sandbox.control.clear()
    sandbox.control.set_password(user_id(sandbox), None)


@pytest.fixture(scope="module")
def session(sandbox: RunningSandbox) -> str:
    return Person(sandbox).signs_in()


def user_id(sandbox: RunningSandbox) -> int:
    return int(sandbox.phone.removeprefix("+"))


class Person:
    """Types what it was told to, in turn, and keeps what it was told."""

    def __init__(self, sandbox: RunningSandbox, **typed: list[str]) -> None:
        self._sandbox = sandbox
        self._typed = {"phone": [sandbox.phone], "code": [sandbox.code], "password": list[str]()} | typed
        self.told: list[str] = []

    def signs_in(self) -> str:
        return sign_in(
            api_id=self._sandbox.api_id,
            api_hash=self._sandbox.api_hash,
            phone=lambda: self._typed["phone"].pop(0),
            code=lambda: self._typed["code"].pop(0),
            password=lambda: self._typed["password"].pop(0),
            tell=self.told.append,
            server=(self._sandbox.dc, self._sandbox.host, self._sandbox.port),
            server_key=self._sandbox.key,
            timing=replace(
                QUICK, silence=20.0, request=20.0
            ),  # a password costs both sides a second of arithmetic
        )


def opened(sandbox: RunningSandbox, session: str, folder: Path, **changes: Any) -> TelegramStore:
    settings = settings_for(sandbox, session=session, **({"bots": 0} | changes))
    store = TelegramStore(settings, folder, "telegram", QUICK)
    try:
        store.start(10.0)
    except BaseException:
        store.close()
        raise
    return store


class TestUserStore(StoreContract):
    @pytest.fixture
    def store(self, sandbox: RunningSandbox, session: str, tmp_path: Path) -> Iterator[TelegramStore]:
        store = opened(sandbox, session, tmp_path)
        yield store
        store.close()


def test_a_mistyped_number_and_code_are_asked_for_again(sandbox: RunningSandbox) -> None:
    person = Person(sandbox, phone=["+1", sandbox.phone], code=["00000", sandbox.code])
    assert person.signs_in().startswith("1")
    assert len(person.told) == 2


def test_the_password_is_asked_for_where_there_is_one(sandbox: RunningSandbox) -> None:
    sandbox.control.set_password(user_id(sandbox), "correct horse")
    person = Person(sandbox, password=["battery staple", "correct horse"])
    assert person.signs_in().startswith("1")
    assert person.told == ["That is not the account's password."]


def test_wrong_passwords_end_the_attempt_with_what_to_do(sandbox: RunningSandbox) -> None:
    sandbox.control.set_password(user_id(sandbox), "correct horse")
    with pytest.raises(Permanent, match=r"run\.py login"):
        Person(sandbox, password=["a", "b", "c"]).signs_in()


def test_wrong_codes_end_the_attempt_with_what_to_do(sandbox: RunningSandbox) -> None:
    with pytest.raises(Permanent, match=r"run\.py login"):
        Person(sandbox, code=["1", "2", "3"]).signs_in()


def test_too_many_attempts_say_how_long_to_wait(sandbox: RunningSandbox) -> None:
    sandbox.control.rpc_error("auth.sendCode", 420, "FLOOD_WAIT_3600")
    with pytest.raises(Transient, match="3600") as waiting:
        Person(sandbox).signs_in()
    assert waiting.value.retry_after == 3600


def test_wrong_api_credentials_name_the_settings(sandbox: RunningSandbox) -> None:
    sandbox.control.rpc_error("auth.sendCode", 400, "API_ID_INVALID")
    with pytest.raises(Permanent, match="TELEGRAM_API_ID"):
        Person(sandbox).signs_in()


@pytest.mark.parametrize("error", ["SESSION_REVOKED", "AUTH_KEY_UNREGISTERED", "USER_DEACTIVATED"])
def test_a_lost_session_says_to_sign_in_again(sandbox: RunningSandbox, tmp_path: Path, error: str) -> None:
    store = opened(sandbox, Person(sandbox).signs_in(), tmp_path)
    locator, client = put(store, BODY), store.client()
    sandbox.control.revoke_session(user_id(sandbox), error)
    for _ in range(2):
        with pytest.raises(Permanent, match=r"run\.py login"):
            read(client, locator, 0, MIB)
    health = store.health()
    assert not health.ok
    assert "run.py login" in health.detail
    client.close()
    store.close()


def test_a_bot_goes_on_where_the_user_lost_its_session(sandbox: RunningSandbox, tmp_path: Path) -> None:
    store = opened(sandbox, Person(sandbox).signs_in(), tmp_path, bots=1)
    locator, client = put(store, BODY), store.client()
    sandbox.control.revoke_session(user_id(sandbox))
    assert read_all(client, locator, len(BODY)) == BODY
    assert read_all(client, put(store, BODY), len(BODY)) == BODY
    health = store.health()
    assert health.ok
    client.close()
    store.close()


def test_a_channel_is_made_once_on_request(sandbox: RunningSandbox, tmp_path: Path) -> None:
    session = Person(sandbox).signs_in()
    store = opened(sandbox, session, tmp_path, channel="create:My files")
    locator = put(store, BODY)
    assert locator.channel != sandbox.channel
    store.close()
    again = opened(sandbox, session, tmp_path, channel="create:My files")
    assert put(again, BODY).channel == locator.channel
    client = again.client()
    assert read_all(client, locator, len(BODY)) == BODY
    client.close()
    again.close()


def test_an_old_channel_can_still_be_read_from_a_new_one(sandbox: RunningSandbox, tmp_path: Path) -> None:
    session = Person(sandbox).signs_in()
    store = opened(sandbox, session, tmp_path)
    locator = put(store, BODY)
    store.close()
    moved = opened(sandbox, session, tmp_path, channel="create:Another")
    client = moved.client()
    assert read_all(client, locator, len(BODY)) == BODY
    client.close()
    moved.close()


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ("-1009999999999", "TELEGRAM_CHANNEL"),
        ("@no_such_channel_here", "TELEGRAM_CHANNEL"),
        ("https://t.me/+NoSuchInvite", "TELEGRAM_CHANNEL"),
    ],
)
def test_a_channel_that_is_not_there_is_refused(
    sandbox: RunningSandbox, tmp_path: Path, channel: str, says: str, session: str
) -> None:
    with pytest.raises(Permanent, match=says):
        opened(sandbox, Person(sandbox).signs_in(), tmp_path, channel=channel)


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ("create:X", "A bot cannot make a channel"),
        ("https://t.me/+Invite", "invite"),
        ("-1009999999999", "TELEGRAM_CHANNEL"),
    ],
)
def test_a_bot_says_what_it_cannot_do(
    sandbox: RunningSandbox, tmp_path: Path, channel: str, says: str
) -> None:
    store = TelegramStore(settings_for(sandbox, channel=channel), tmp_path, "telegram", QUICK)
    with pytest.raises(Permanent, match=says):
        store.start(10.0)
    store.close()


def test_a_wrong_bot_token_names_the_setting_and_not_the_token(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = replace(settings_for(sandbox), bot_tokens=("12345:wrong-and-secret",))
    store = TelegramStore(settings, tmp_path, "telegram", QUICK)
    with pytest.raises(Permanent, match="TELEGRAM_BOT_TOKENS") as refusal:
        store.start(10.0)
    assert "secret" not in str(refusal.value)
    store.close()


def test_no_secret_is_in_a_log_or_a_repr(
    sandbox: RunningSandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = Person(sandbox).signs_in()
    store = opened(sandbox, session, tmp_path, bots=1)
    locator, client = put(store, BODY), store.client()
    sandbox.control.drop("upload.getFile", 3)
    sandbox.control.rpc_error("upload.getFile", 500, "INTERNAL", 2)
    reads = [client.read(locator, ByteRange(at, at + MIB)) for at in range(0, 3 * MIB, MIB)]
    assert b"".join(future.result(QUICK.read) for future in reads) == BODY
    label = label_of(BODY)
    store.put(label, source_of(BODY))
    store.close()
    told = caplog.text + repr(store) + repr(client) + repr(vars(store)) + repr(vars(store._pool))
    told += "".join(repr(vars(account)) for account in store._pool.accounts)
    for secret in (
        session,
        session[20:60],
        sandbox.bot_tokens[0],
        sandbox.bot_tokens[0].split(":")[1],
        sandbox.api_hash,
    ):
        assert secret not in told
