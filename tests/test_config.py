"""Settings: every fault at once, no secret told, and never the sandbox by mistake."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import config
from errors import Misconfigured

TELEGRAM = {
    "TELEGRAM_API_ID": "12345",
    "TELEGRAM_API_HASH": "0123456789abcdef0123456789abcdef",
    "TELEGRAM_CHANNEL": "-1001234567890",
    "TELEGRAM_BOT_TOKENS": "1:AAA-secret, 2:BBB-secret",
}


def read(tmp_path: Path, environ: dict[str, str] | None = None, dotenv: str | None = None) -> config.Settings:
    if dotenv is not None:
        (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
    return config.read({"DATA_DIR": str(tmp_path / "data"), **(environ or {})}, tmp_path / ".env")


def faults(tmp_path: Path, environ: dict[str, str] | None = None, dotenv: str | None = None) -> list[str]:
    with pytest.raises(Misconfigured) as refusal:
        read(tmp_path, environ, dotenv)
    return refusal.value.faults


def test_nothing_set_means_the_sandbox_on_loopback_and_nothing_on_disk(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.telegram is None
    assert (settings.host, settings.port, settings.chunk_size) == ("127.0.0.1", 5000, 64 << 20)
    assert settings.enable_range_requests
    assert list(tmp_path.iterdir()) == []


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path, {"PORT": "7001"}, "PORT=7000\nADMIN_USERNAME=Zoë # me\nADMIN_PASSWORD='correct $horse'\n"
    )
    assert (settings.port, settings.admin_username, settings.admin_password) == (
        7001,
        "Zoë",
        "correct $horse",
    )


def test_a_byte_order_mark_hides_no_setting(tmp_path: Path) -> None:
    assert read(tmp_path, dotenv="\ufeffPORT=7000\r\n").port == 7000


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    told = faults(
        tmp_path, {"PORT": "70000", "CHUNK_SIZE_MIB": "1_0", "LOG_FORMAT": "xml", "BASE_URL": "ftp://x"}
    )
    assert [fault.split()[0] for fault in told] == ["PORT", "BASE_URL", "LOG_FORMAT", "CHUNK_SIZE_MIB"]
    assert "'70000'" in told[0]
    assert "from 0 to 65535" in told[0]


@pytest.mark.parametrize(
    "missing", ["TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_CHANNEL", "TELEGRAM_BOT_TOKENS"]
)
def test_telegram_partly_set_is_refused_and_the_missing_part_named(tmp_path: Path, missing: str) -> None:
    told = faults(tmp_path, {name: value for name, value in TELEGRAM.items() if name != missing})
    assert missing in " ".join(told)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TELEGRAM_BOT_TOKEN", "TELEGRAM_BOT_TOKENS"),
        ("telegram_api_id", "TELEGRAM_API_ID"),
        ("TELEGRAM_FOO", "Known are"),
    ],
)
def test_a_misspelt_telegram_name_never_falls_to_the_sandbox(tmp_path: Path, name: str, meant: str) -> None:
    told = faults(tmp_path, {name: "1:A"})
    assert any(name in fault and meant in fault for fault in told)


def test_a_misspelt_name_in_the_file_is_told(tmp_path: Path) -> None:
    (told,) = faults(tmp_path, dotenv="TELEGARM_API_ID=1\nCOMPOSE_PROJECT_NAME=x\n")
    assert told == "TELEGARM_API_ID is no setting; did you mean TELEGRAM_API_ID?"


@pytest.mark.parametrize("name", ["TELEGRM_API_ID", "TELEGRAMAPI_ID", "TELEGARM_BOT_TOKENS"])
def test_a_name_misspelt_in_its_beginning_is_told_too(tmp_path: Path, name: str) -> None:
    assert name in faults(tmp_path, {name: "12345"})[0]


def test_a_file_of_settings_that_is_none_is_told_and_never_means_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()  # what Docker mounts where the file is missing
    assert "no file" in faults(tmp_path)[0]


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")
def test_a_link_to_settings_that_are_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "gone")
    assert "no file" in faults(tmp_path)[0]


@pytest.mark.parametrize("line", ["TELEGRAM_API_ID 12345", "TELEGRAM_API_ID: 12345", "TELEGRAM_API_ID"])
def test_a_line_that_cannot_be_understood_is_told_and_not_shown(tmp_path: Path, line: str) -> None:
    (told,) = faults(tmp_path, dotenv=f"PORT=1\n{line}\n")
    assert "line 2" in told
    assert "12345" not in told


def test_an_empty_telegram_variable_is_a_fault_and_not_the_sandbox(tmp_path: Path) -> None:
    assert any("TELEGRAM_API_ID is empty" in fault for fault in faults(tmp_path, {"TELEGRAM_API_ID": ""}))


def test_all_of_telegram_is_read(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("x", encoding="utf-8")
    server = {"TELEGRAM_SERVER": "2@[::1]:8443", "TELEGRAM_SERVER_KEY": str(key), "TELEGRAM_CONNECTIONS": "8"}
    telegram = read(tmp_path, TELEGRAM | server | {"TELEGRAM_PROXY": "socks5://u:p@h:1080"}).telegram
    assert telegram is not None
    assert telegram.bot_tokens == ("1:AAA-secret", "2:BBB-secret")
    assert (telegram.server, telegram.server_key, telegram.connections) == ((2, "::1", 8443), key, 8)
    assert "secret" not in repr(telegram)
    assert "0123456789abcdef" not in repr(telegram)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_API_ID", "abc"),
        ("TELEGRAM_CHANNEL", "my channel"),
        ("TELEGRAM_CHANNEL", "create:Files"),
        ("TELEGRAM_SERVER", "127.0.0.1:8443"),
        ("TELEGRAM_SERVER", "2@127.0.0.1:8443"),
        ("TELEGRAM_SERVER_KEY", "/nowhere/key.pem"),
        ("TELEGRAM_CONNECTIONS", "0"),
    ],
)
def test_a_bad_telegram_value_is_named(tmp_path: Path, name: str, value: str) -> None:
    assert any(name in fault for fault in faults(tmp_path, TELEGRAM | {name: value}))


@pytest.mark.parametrize("name", ["TELEGRAM_BOT_TOKENS", "TELEGRAM_PROXY", "SECRET_KEY", "ADMIN_PASSWORD"])
def test_no_fault_tells_a_secret(tmp_path: Path, name: str) -> None:
    told = faults(tmp_path, TELEGRAM | {name: "hush"})
    assert any(name in fault for fault in told)
    assert "hush" not in " ".join(told)


def test_a_session_saved_by_login_counts(tmp_path: Path) -> None:
    session = tmp_path / "data" / config.SESSION_FILE
    session.parent.mkdir(parents=True)
    session.write_text("1SAVED\n", encoding="utf-8")
    set_up = {name: value for name, value in TELEGRAM.items() if name != "TELEGRAM_BOT_TOKENS"}
    telegram = read(tmp_path, set_up).telegram
    assert telegram is not None
    assert telegram.session == "1SAVED"
    assert any("TELEGRAM_API_ID is missing" in fault for fault in faults(tmp_path))


BUCKET = {
    "STORAGE_BACKEND": "r2",
    "S3_BUCKET": "films",
    "S3_ENDPOINT_URL": "https://account.r2.cloudflarestorage.com",
    "S3_ACCESS_KEY_ID": "key-secret",
    "S3_SECRET_ACCESS_KEY": "hush",
}


def test_all_of_object_storage_is_read(tmp_path: Path) -> None:
    objects = read(tmp_path, BUCKET | {"S3_PREFIX": "our/corner"}).objects
    assert objects is not None
    assert (objects.bucket, objects.region, objects.prefix) == ("films", "auto", "our/corner/")
    assert "hush" not in repr(objects)
    assert "key-secret" not in repr(objects)


@pytest.mark.parametrize("missing", [name for name in BUCKET if name != "STORAGE_BACKEND"])
def test_object_storage_partly_set_is_refused_and_the_missing_part_named(
    tmp_path: Path, missing: str
) -> None:
    told = faults(tmp_path, BUCKET | {missing: ""})
    assert told == [f"{missing} is missing: STORAGE_BACKEND=r2 needs it."]


def test_aws_needs_the_region_and_a_server_of_ones_own_none(tmp_path: Path) -> None:
    own = BUCKET | {"STORAGE_BACKEND": "s3"}
    assert read(tmp_path, own).objects is not None
    assert "S3_REGION" in faults(tmp_path, own | {"S3_ENDPOINT_URL": ""})[0]


def test_a_bucket_without_a_backend_is_told_unless_it_is_meant(tmp_path: Path) -> None:
    assert "S3_BUCKET is set, but STORAGE_BACKEND is not" in faults(tmp_path, {"S3_BUCKET": "films"})[0]
    assert read(tmp_path, {"S3_BUCKET": "films", "STORAGE_BACKEND": "local"}).objects is None


@pytest.mark.parametrize(
    ("name", "value"), [("S3_BUCKET", "films/here"), ("S3_PREFIX", "/../x"), ("S3_PREFIX", "a b")]
)
def test_a_bad_value_of_object_storage_is_named(tmp_path: Path, name: str, value: str) -> None:
    assert name in faults(tmp_path, BUCKET | {name: value})[0]


def test_an_address_says_all_about_mail(tmp_path: Path) -> None:
    home = {"BASE_URL": "https://files.example.org"}
    mail = read(
        tmp_path, home | {"SMTP_URL": "smtps://a%40b:p%3Aw%25@mail.example.org?from=me+x@example.org"}
    ).mail
    assert mail == config.MailSettings("mail.example.org", 465, "me+x@example.org", True, "a@b", "p:w%")
    assert "p:w%" not in repr(mail)
    mail = read(tmp_path, home | {"SMTP_URL": "smtp://me%40example.org:pw@[::1]:2525/"}).mail
    assert mail == config.MailSettings("::1", 2525, "me@example.org", False, "me@example.org", "pw")


@pytest.mark.parametrize(
    "value",
    ["mail.example.org", "http://h?from=a@b", "smtp://h", "smtp://user@h?from=a@b", "smtp://h:0x1?from=a@b",
     "smtp://h?from=a%0d%0aBcc:x@b", "smtp://h?from=<a@b>", "smtp://u:p%C3%A4ss@h?from=a@b"],
)  # fmt: skip
def test_a_mail_address_that_cannot_work_is_told_without_it(tmp_path: Path, value: str) -> None:
    (told,) = faults(tmp_path, {"SMTP_URL": value, "BASE_URL": "https://files.example.org"})
    assert told.startswith("SMTP_URL is set, which cannot work")


def test_letters_need_an_address_to_name(tmp_path: Path) -> None:
    assert "BASE_URL is missing" in faults(tmp_path, {"SMTP_URL": "smtp://h?from=a@b"})[0]


def test_staging_holds_two_chunks_at_least(tmp_path: Path) -> None:
    assert "at least 1024" in faults(tmp_path, {"CHUNK_SIZE_MIB": "512"})[0]


def test_a_relative_path_in_the_file_counts_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert config.read({"CACHE_DIR": "c"}, tmp_path / ".env").cache_dir == tmp_path / "elsewhere" / "c"
    (tmp_path / ".env").write_text("CACHE_DIR=c\n", encoding="utf-8")
    assert config.read({}, tmp_path / ".env").cache_dir == tmp_path / "c"


def test_commands_find_the_server_of_this_host(tmp_path: Path) -> None:
    client = config.read_client({"HOST": "0.0.0.0", "PORT": "81", "CHUNK_SIZE_MIB": "bad"}, tmp_path / ".env")
    assert (client.url, client.token) == ("http://127.0.0.1:81", None)
    client = config.read_client({"STOWGRAM_URL": "https://h/x/", "STOWGRAM_TOKEN": "t"}, tmp_path / ".env")
    assert (client.url, client.token) == ("https://h/x", "t")
    assert "'t'" not in repr(client)
