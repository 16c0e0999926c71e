"""`user` and `token`: who may come in, on the database itself. A running server sees every change at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import click

import config
from cli import datadir
from db import Database
from errors import NotFound
from gateway.access.answers import Answers
from gateway.access.passwords import Passwords
from gateway.access.people import People
from model import User


@contextmanager
def _people() -> Iterator[People]:
    settings = datadir.prepare(config.read())
    database = Database(settings.database_url)
    try:
        database.migrate()
        yield People(database, Passwords(), Answers())
    finally:
        database.close()


def _new_password() -> str:
    """From the terminal, unseen and twice; else the first line of the input, for scripts."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@click.group()
def user() -> None:
    """Who may sign in."""


@user.command("add")
@click.argument("name")
@click.option("--admin", is_flag=True, help="May do everything.")
def add_user(name: str, admin: bool) -> None:
    """Add a user; the password is asked for, or is the first line of the input."""
    with _people() as people:
        people.add(name, _new_password(), is_admin=admin)


@user.command("list")
def list_users() -> None:
    """Show all users."""
    with _people() as people:
        for person in people.all():
            click.echo(
                f"{person.created_at:%Y-%m-%d}  {'admin' if person.is_admin else 'user ':5}  {person.name}"
            )


@user.command("passwd")
@click.argument("name")
def set_password(name: str) -> None:
    """Give a user another password; that also ends the user's sessions."""
    with _people() as people:
        people.named(name)  # refused before anything is typed
        ended = people.set_password(name, _new_password())
        click.echo(f"{ended} session{'' if ended == 1 else 's'} ended. Tokens go on.")


@user.command("remove")
@click.argument("name")
def remove_user(name: str) -> None:
    """Remove a user who has no files left."""
    with _people() as people:
        people.remove(people.named(name).id)


@click.group()
def token() -> None:
    """API tokens, for programs that act as a user."""


_whose = click.option("--user", "owner", metavar="NAME", help="Whose; by default the first admin's.")


def _owner(people: People, name: str | None) -> User:
    if name is not None:
        return people.named(name)
    for person in people.all():
        if person.is_admin:
            return person
    raise NotFound("There is no user yet; serve once, or add one by `user add`.")


@token.command("add")
@click.argument("name")
@_whose
@click.option("--days", type=click.IntRange(1, 36500), help="How long it is good for; by default for ever.")
def add_token(name: str, owner: str | None, days: int | None) -> None:
    """Make a token and print it, this once."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    with _people() as people:
        click.echo(people.make_token(_owner(people, owner), name, expires_at)[1])


@token.command("list")
@_whose
def list_tokens(owner: str | None) -> None:
    """Show a user's tokens, without their secrets."""
    with _people() as people:
        for entry in people.tokens(_owner(people, owner)):
            used = f"{entry.last_used_at:%Y-%m-%d}" if entry.last_used_at else "never"
            ends = f"{entry.expires_at:%Y-%m-%d}" if entry.expires_at else "never"
            click.echo(
                f"{entry.id:>5}  made {entry.created_at:%Y-%m-%d}  used {used:10}  ends {ends:10}  {entry.name}"
            )


@token.command("revoke")
@click.argument("number", type=int)
@_whose
def revoke_token(number: int, owner: str | None) -> None:
    """Make the token with this number useless."""
    with _people() as people:
        people.revoke(_owner(people, owner), number)
