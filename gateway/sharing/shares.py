"""Links by which owners give files and folders to others. Who comes by them is in gateway/sharing/visits.py."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from types import EllipsisType
from typing import Any

from db import Database
from db import Shares as Rows
from gateway.access.passwords import Passwords
from gateway.moving.transfers import Transfers
from gateway.tree.files import Kind
from model import Share, SharePage, Terms, User

TOKEN_LENGTH = 24
"""Characters out of 62, which are 142 bits. There are no others: a command line takes a token as it is, and a double
click selects all of it.
"""
MIN_PASSWORD = 4
"""Fewer than people's own have: the link is needed, too, which nobody can guess."""
_LETTERS = string.ascii_letters + string.digits


class Shares:
    """One's own; others' are NotFound."""

    def __init__(self, database: Database, passwords: Passwords, transfers: Transfers) -> None:
        self._rows = Rows(database)
        self._passwords = passwords
        self._transfers = transfers

    def make(self, user: User, node_id: int, kind: Kind, password: str | None, terms: Terms) -> Share:
        """Raises NotFound, and BadInput for a password that will not do."""
        return self._rows.add(
            user.id,
            node_id,
            folder=kind == "folder",
            token="".join(secrets.choice(_LETTERS) for _ in range(TOKEN_LENGTH)),
            password_hash=self._hash(password),
            terms=terms,
        )

    def listing(self, user: User, node_id: int | None, cursor: str | None, limit: int) -> SharePage:
        """All, or those of one file or folder, the latest first. Raises BadInput for a cursor that is not ours."""
        return self._rows.listing(user.id, node_id, cursor, limit)

    def change(
        self, user: User, token: str, terms: Mapping[str, Any], password: str | EllipsisType | None = ...
    ) -> Share:
        """New values for these members of Terms, and another password or none. What was unlocked with an old one is
        locked again. Raises NotFound, BadInput.
        """
        values = dict(terms)
        if password is not ...:
            values["password_hash"] = self._hash(password)
        return self._rows.change(user.id, token, values)

    def revoke(self, user: User, token: str) -> None:
        """What its visitors have under way is cut: a large ZIP may take days. Raises NotFound."""
        self._transfers.cancel_share(self._rows.remove(user.id, token))

    def _hash(self, password: str | None) -> str | None:
        return None if password is None else self._passwords.hash(password, MIN_PASSWORD)
