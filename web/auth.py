"""Who is asking, and may they. Every view declares who may call it, and an app with one that does not never starts.

Credentials in the Authorization header go before a cookie, and wrong ones are refused even where a cookie would do.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from ipaddress import ip_address
from threading import Lock
from typing import Any, cast

from flask import Flask, current_app, request, session
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from errors import AtCapacity, Forbidden, NotSignedIn
from gateway import Gateway
from gateway.people import TOKEN_PREFIX
from model import User
from web.context import gateway

View = Callable[..., Any]
SESSION_KEY = "sid"
"""Where the signed cookie holds the session's secret."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 9.2.1): no CSRF token is asked for."""
REMEMBERED = 60.0
"""Seconds that a password which was right is taken without hashing it again."""
TURN_WAIT = 5.0
"""Seconds that a request waits for another with credentials like its own to be checked."""
MAX_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Caller:
    user: User
    by_cookie: bool
    """The browser sent it by itself, so what changes something needs a CSRF token."""


def public(view: View) -> View:
    """Anybody may call it."""
    return _declared(view)


def signed_in(view: View) -> View:
    """Only a user may call it; the view's first argument is who."""

    @wraps(view)
    def guarded(**values: Any) -> Any:
        caller = who_asks()
        if caller is None:
            raise NotSignedIn("Sign in first, or send a token.")
        if caller.by_cookie and request.method not in SAFE:
            require_csrf()
        return view(caller.user, **values)

    return _declared(guarded)


def local_or_signed_in(view: View) -> View:
    """Programs on the server's own host may call it, and users."""

    @wraps(view)
    def guarded(**values: Any) -> Any:
        if not _is_local() and who_asks() is None:
            raise NotSignedIn("Send a token.")
        return view(**values)

    return _declared(guarded)


def refuse_undeclared(app: Flask) -> None:
    """Raises TypeError for a view without one of the declarations above."""
    for endpoint, view in app.view_functions.items():
        if not hasattr(view, "declared"):
            raise TypeError(f"{endpoint} does not say who may call it: see web/auth.py")


def _declared(view: View) -> View:
    vars(view)["declared"] = True
    return view


def who_asks() -> Caller | None:
    """None when the request carries no credentials. Raises NotSignedIn when it carries wrong ones."""
    if "Authorization" in request.headers:
        user = _by_header()
        if user is None:
            raise NotSignedIn("These credentials are wrong, or no longer good.")
        return Caller(user, by_cookie=False)
    secret = session.get(SESSION_KEY)
    user = gateway().people.by_session(secret) if isinstance(secret, str) else None
    return Caller(user, by_cookie=True) if user is not None else None


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


def _by_header() -> User | None:
    try:
        given = request.authorization
    except ValueError:  # Werkzeug lets base64's complaint of bytes beyond ASCII through
        return None
    if given is None:
        return None
    if given.type == "bearer" and given.token:
        return gateway().people.by_token(given.token)
    if given.type == "basic" and given.username is not None and given.password is not None:
        remembered = cast(RememberedPasswords, current_app.extensions["remembered_passwords"])
        return remembered.user(given.username, given.password)
    return None


def _is_local() -> bool:
    """Whether the client is on this host, with no proxy between us that we do not know of."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


class RememberedPasswords:
    """Passwords of HTTP Basic that were right a moment ago, so that sixteen connections of one download cost one hash.

    Kept as HMACs under a key of this process. A password that is changed works here for REMEMBERED seconds more; a
    token in its place is never remembered, since it is cheap to check and must end when it is revoked.
    """

    def __init__(self, gateway: Gateway, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_password = gateway.people.by_password
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._good: dict[bytes, tuple[User, float]] = {}
        self._lock = Lock()  # guards the dict
        # Equal credentials wait for one another, and find the answer; others rarely do.
        self._turns = tuple(Lock() for _ in range(16))

    def user(self, name: str, password: str) -> User | None:
        """Raises AtCapacity when too many sign in at once."""
        if password.startswith(TOKEN_PREFIX):
            return self._by_password(name, password)
        said = f"{len(name)}:{name}{password}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, said, "sha256")
        user = self._recall(digest)
        if user is not None:
            return user
        turn = self._turns[digest[0] % len(self._turns)]
        if not turn.acquire(timeout=TURN_WAIT):
            raise AtCapacity("Too many people are signing in at this moment. Try again in a few seconds.")
        try:
            user = self._recall(digest) or self._by_password(name, password)
            if user is not None:
                self._remember(digest, user)
            return user
        finally:
            turn.release()

    def _recall(self, digest: bytes) -> User | None:
        with self._lock:
            user, until = self._good.get(digest, (None, 0.0))
        return user if self._clock() < until else None

    def _remember(self, digest: bytes, user: User) -> None:
        with self._lock:
            self._good.pop(digest, None)  # the dict keeps them in the order in which they will end
            while len(self._good) >= MAX_REMEMBERED:
                del self._good[next(iter(self._good))]
            self._good[digest] = (user, self._clock() + REMEMBERED)


def install(app: Flask, gateway: Gateway) -> None:
    app.extensions["remembered_passwords"] = RememberedPasswords(gateway)
