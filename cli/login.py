"""`login`: signs a person's Telegram account in at a prompt and keeps the session in DATA_DIR."""

from __future__ import annotations

import click

import config
from cli import datadir
from config import SESSION_FILE
from errors import Misconfigured
from storage.telegram.login import sign_in


@click.command()
def login() -> None:
    """Sign in to Telegram with a phone number, the code that Telegram sends, and the 2FA password if there is one.

    TELEGRAM_API_ID and TELEGRAM_API_HASH have to be set; they come from https://my.telegram.org.
    """
    settings = config.read(signing_in=True)
    telegram = settings.telegram
    if telegram is None:  # never so while signing in; the type cannot say that
        raise Misconfigured(["TELEGRAM_API_ID and TELEGRAM_API_HASH are missing; set them first."])
    datadir.prepare(settings)
    session = sign_in(
        api_id=telegram.api_id,
        api_hash=telegram.api_hash,
        phone=lambda: str(click.prompt("Phone number (+49…)")),
        code=lambda: str(click.prompt("Code")),
        password=lambda: str(click.prompt("Password", hide_input=True)),
        tell=click.echo,
        server=telegram.server,
        server_key=telegram.server_key,
        proxy=telegram.proxy,
    )
    path = settings.data_dir / SESSION_FILE
    datadir.keep_secret(path, session)
    click.echo(f"Signed in. The session is kept in {path}; whoever can read that file is you.")
    if telegram.session is not None and telegram.session != session:
        click.echo("TELEGRAM_SESSION, where it is set, goes before it.")
    if not telegram.channel:
        click.echo("Now set TELEGRAM_CHANNEL: an id, an @name, a link, or create:TITLE for a new channel.")
