"""`share` and `unshare`: links for others, by way of client/."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

import names
from cli.remote import api_of, to_a_server
from client import nodes, shares
from client.shares import Share
from errors import BadInput

_SPAN = re.compile(r"([0-9]{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.command()
@click.argument("remote", required=False)
@click.option("--list", "listed", is_flag=True, help="Show the links there are, of REMOTE or all.")
@click.option("--password", is_flag=True, help="Ask for a password here, which the link will ask for.")
@click.option(
    "--password-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its first line."
)
@click.option(
    "--expires", metavar="7d|DATE", help="In so many m, h, d or w, or with that day, or at 2026-12-31T18:00."
)
@click.option("--max-downloads", type=click.IntRange(min=1), help="So often, and no more.")
@click.option("--rate", type=click.IntRange(min=1), help="kB a second for all who use it together.")
@click.option("--connections", type=click.IntRange(min=1), help="At a time, of all who use it together.")
@to_a_server
def share(
    remote: str | None, listed: bool, password: bool, password_file: Path | None, expires: str | None,
    max_downloads: int | None, rate: int | None, connections: int | None, url: str | None, token: str | None,
) -> None:  # fmt: skip
    """Make a link to a file or folder that others can open, and print it."""
    terms: dict[str, Any] = {
        "password": _password(password, password_file),
        "expires_at": expires and _moment(expires, datetime.now().astimezone()).isoformat(),
        "max_downloads": max_downloads,
        "rate_limit_kb": rate,
        "max_connections": connections,
    }
    given = {name: value for name, value in terms.items() if value is not None}
    if listed and given:
        raise click.UsageError("--list shows links, and makes none: it goes with no other option.")
    if remote is None and not listed:
        raise click.UsageError("Give REMOTE, or --list.")
    with api_of(url, token) as api:
        node = nodes.at(api, remote) if remote is not None else None
        if listed:
            for link in shares.listing(api, node):
                click.echo(names.shown(_line(link)))
        else:
            assert node is not None
            click.echo(shares.make(api, node, given).url)


@click.command()
@click.argument("link", nargs=-1, required=True)
@to_a_server
def unshare(link: tuple[str, ...], url: str | None, token: str | None) -> None:
    """End links for good: LINK is what `share` printed, or the token at its end."""
    with api_of(url, token) as api:
        for one in link:
            shares.revoke(api, one)


def _password(asked: bool, file: Path | None) -> str | None:
    if file is not None:
        return _first_line(file)
    if not asked:
        return None
    prompted: str = click.prompt("Password of the link", hide_input=True, confirmation_prompt=True, err=True)
    return prompted


def _first_line(file: Path) -> str:
    """Raises BadInput for what is no text. Windows' editors put a mark before it, which is no part of a password."""
    try:
        return file.read_text(encoding="utf-8-sig").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        raise BadInput(f"{file} is not UTF-8 text; save it as that.") from None


def _moment(text: str, now: datetime) -> datetime:
    """When a link is to end. A date is that whole day here; what names no zone is meant as here."""
    if span := _SPAN.fullmatch(text):
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        if _is_date(text):
            return (datetime.fromisoformat(text) + timedelta(days=1)).astimezone()
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):  # the latter for the ends of the calendar
        raise BadInput(f"{text!r} is no time; give 7d, 12h, 2026-12-31 or 2026-12-31T18:00.") from None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _line(link: Share) -> str:
    used = f"{link.downloads}/{link.max_downloads}" if link.max_downloads else str(link.downloads)
    ends = link.expires_at[:16] if link.expires_at else "-"
    lock = "password" if link.has_password else ""
    return f"{link.state:8}  {used:>7}  {ends:16}  {lock:8}  {link.url}  {link.path}"
