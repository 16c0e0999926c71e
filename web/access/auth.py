"""Who is asking, and may they. Every view declares who may call it, and an app with one that does not never starts.

Credentials in the Authorization header go before a cookie, and wrong ones are refused even where a cookie would do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from ipaddress import ip_address
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from flask import Flask, g, request, session
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from errors import Forbidden, NotSignedIn
from model import User
from web.wire.context import client, gateway
from web.wire.origin import forwarded, require_no_other_site

View = Callable[..., Any]
Who = Literal["anybody", "this host", "a link", "visitors", "users", "admins"]
"""Who may call a view. `visitors` come by a share; all but them and the first let users in, too."""
SESSION_KEY = "sid"
"""Where the signed cookie holds the session's secret."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 9.2.1): no CSRF token is asked for."""


@dataclass(frozen=True, slots=True)
class Caller:
    user: User
    session: int | None = None
    """The id of the session whose cookie came. The browser sent it by itself: a change needs a CSRF token, too."""
    by_token: bool = False
    """By a token of its own header, which no browser sends by itself, as it does cookies and Basic."""


def public(view: View) -> View:
    """Anybody may call it."""
    return declared(view, "anybody")


def signed_in(view: View) -> View:
    """Only a user may call it; the view's first argument is who."""

    @wraps(view)
    def guarded(**values: Any) -> Any:
        caller = who_asks()
        if caller is None:
            raise NotSignedIn("Sign in first, or send a token.")
        if request.method not in SAFE and not caller.by_token:
            require_no_other_site()
            if caller.session is not None:
                require_csrf()
        g.caller = caller
        return view(caller.user, **values)

    return declared(guarded, "users")


def admin_only(view: View) -> View:
    """Only an admin may call it; the view's first argument is who."""

    @wraps(view)
    def guarded(user: User, **values: Any) -> Any:
        if not user.is_admin:
            raise Forbidden("Only an admin may do this.")
        return view(user, **values)

    return declared(signed_in(guarded), "admins")


def local_or_signed_in(view: View) -> View:
    """Programs on the server's own host may call it, and users."""

    @wraps(view)
    def guarded(**values: Any) -> Any:
        if not _is_local() and who_asks() is None:
            raise NotSignedIn("Send a token.")
        return view(**values)

    return declared(guarded, "this host")


def refuse_undeclared(app: Flask) -> None:
    """Raises TypeError for a view without one of the declarations above."""
    for endpoint, view in app.view_functions.items():
        if not hasattr(view, "declared"):
            raise TypeError(f"{endpoint} does not say who may call it: see web/access/auth.py")


def declared(view: View, who: Who) -> View:
    """It says who may call it."""
    vars(view)["declared"] = who
    return view


def who_asks() -> Caller | None:
    """None when the request carries no credentials. Raises NotSignedIn when it carries wrong ones.

    A password may raise TooManyGuesses or AtCapacity.
    """
    if "Authorization" in request.headers:
        caller = _by_header()
        if caller is None:
            raise NotSignedIn("These credentials are wrong, or no longer good.")
        return caller
    secret = session.get(SESSION_KEY)
    found = gateway().sessions.by_secret(secret) if isinstance(secret, str) else None
    return Caller(found[0], session=found[1].id) if found is not None else None


def this_session() -> int | None:
    """The id of the session that this request was made in; for views behind `signed_in`."""
    return cast(Caller, g.caller).session


def csrf_token() -> str:
    """What a page brings along with its session's changes; empty for a page without one, of which none is asked."""
    return generate_csrf() if SESSION_KEY in session else ""


def require_csrf() -> None:
    """Raises Forbidden unless the page's token came along, in a header or in a form's field."""
    given = request.headers.get("X-CSRFToken")
    if given is None and request.mimetype == "application/x-www-form-urlencoded":
        given = request.form.get("csrf_token")
    try:
        validate_csrf(given)
    except ValidationError as error:
        raise Forbidden(
            "The page is out of date: load it again. (Its CSRF token is missing or old.)"
        ) from error


def _by_header() -> Caller | None:
    try:
        given = request.authorization
    except ValueError:  # Werkzeug lets base64's complaint of bytes beyond ASCII through
        return None
    people, user = gateway().people, None
    if given is not None and given.type == "bearer" and given.token:
        user = people.by_token(given.token)
    elif (
        given is not None
        and given.type == "basic"
        and given.username is not None
        and given.password is not None
    ):
        user = people.by_password(given.username, given.password, client())
    return Caller(user, by_token=given.type == "bearer") if given is not None and user is not None else None


def _is_local() -> bool:
    """Whether the client is a program on this host: no proxy in between, no browser that a name was bent for.

    With TRUSTED_PROXIES the address is the one that they tell, and their header is there, too.
    """
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
        named = host == "localhost" or ip_address(host).is_loopback
        return named and not forwarded() and ip_address(request.remote_addr or "").is_loopback
    except ValueError:  # no addresses
        return False
