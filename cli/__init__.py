"""The command line, and the only place where the rooms are composed. It must never do a room's own work."""

from __future__ import annotations

import click


@click.group()
def main() -> None:
    """Keep your files in Telegram and stream them back, verified."""
