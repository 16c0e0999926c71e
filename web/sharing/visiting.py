"""Who may come in by a share: whoever has its link, and its password where there is one.

The password comes by the page's form, which sets a cookie, by HTTP Basic under any name, or by `?password=`. For bytes,
and for nothing else, a signed `?token=` stands for it. Where there is no password, none of these is looked at.
"""

from __future__ import annotations

import time
from functools import wraps
from typing import Any

from flask import request

from errors import PasswordNeeded
from gateway.sharing.visits import Visit
from model import Share
from web.access.auth import View, declared
from web.sharing import signing
from web.wire.context import client, gateway


def visiting(view: View) -> View:
    """A declaration as those in web/access/auth.py, for views with a share's `token` in their path.

    Whoever may come in by the share may call it; the view's first argument is the visit, in the token's place.
    """

    @wraps(view)
    def guarded(token: str, **values: Any) -> Any:
        return view(come_in(token), **values)

    return declared(guarded, "visitors")


def fetching(view: View) -> View:
    """The same for views of bytes: who comes by a signed address may call it for what that was signed for."""

    @wraps(view)
    def guarded(token: str, **values: Any) -> Any:
        return view(come_in(token, signature=request.args.get("token")), **values)

    return declared(guarded, "visitors")


def at_the_door(view: View) -> View:
    """Another, for views that call `come_in` for themselves."""
    return declared(view, "visitors")


def come_in(token: str, signature: str | None = None) -> Visit:
    """The visit that this request makes; `signature` is of the address that it comes by, where one may do.

    Raises NotFound; Gone; PasswordNeeded when it is missing or wrong; TooManyGuesses and AtCapacity.
    """
    password = _password()
    share = gateway().visits.find(token, client(), password)
    visit = _unlocked(share, password, signature)
    gateway().visits.note(visit)
    return visit


def _unlocked(share: Share, password: str | None, signature: str | None) -> Visit:
    if share.password_hash is None:
        return Visit(share, client())
    if signature is not None:
        return Visit(share, client(), only=signing.meant(share, signature))
    # A browser that once signed in by Basic sends that to everything of ours: the cookie goes first.
    unlocked = signing.unlocked_until(share)
    if unlocked is not None:
        return Visit(share, client(), unlocked=unlocked)
    if password is None:
        raise PasswordNeeded("This link has a password.")
    if not gateway().visits.fits(share, password, client()):
        raise PasswordNeeded("This is not the password of this link.")
    return Visit(share, client(), unlocked=int(time.time()) + signing.LIFE)


def _password() -> str | None:
    typed = request.form.get("password")
    if typed is not None:  # what a browser sends by itself does not go before it
        return typed
    try:
        given = request.authorization
    except ValueError:  # Werkzeug lets base64's complaint of bytes beyond ASCII through
        given = None
    if given is not None and given.type == "basic" and given.password is not None:
        return given.password
    return request.args.get("password")
