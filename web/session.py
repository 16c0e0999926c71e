"""Signing in and out with a browser. The cookie holds a secret that names a session; the database has the session."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from errors import Forbidden, NotSignedIn
from web.auth import SESSION_KEY, public, require_csrf, who_asks
from web.context import gateway

blueprint = Blueprint("session", __name__)


@blueprint.get("/login")
@public
def form() -> ResponseReturnValue:
    onward = local_path(request.args.get("next"))
    try:
        caller = who_asks()
    except NotSignedIn:
        caller = None
    if caller is not None and caller.by_cookie:
        return redirect(onward, 303)
    return render_template("login.html", next=onward)


@blueprint.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    # There is no session to ride on yet; this keeps another site from signing somebody in as somebody else.
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise Forbidden("Sign in on our own page.")
    onward = local_path(request.form.get("next"))
    username = request.form.get("username", "")
    try:
        _, secret = gateway().people.sign_in(username, request.form.get("password", ""))
    except NotSignedIn as error:
        page = render_template("login.html", next=onward, username=username, refusal=str(error))
        # Not Basic: the form is on the page, and a browser would cover it with a box of its own.
        return make_response(page, 401, {"WWW-Authenticate": 'Bearer realm="Stowgram"'})
    session.clear()
    session[SESSION_KEY] = secret
    session.permanent = True
    return redirect(onward, 303)


@blueprint.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    secret = session.get(SESSION_KEY)
    if isinstance(secret, str):
        require_csrf()
        gateway().people.sign_out(secret)
    session.clear()
    return redirect("/login", 303)


def local_path(wanted: Any) -> str:
    """`wanted` if it is a path on this server, else `/`. Browsers take `//` and `/\\` for another host."""
    if not isinstance(wanted, str) or not wanted.startswith("/") or wanted[1:2] in {"/", "\\"}:
        return "/"
    return wanted if wanted.isprintable() else "/"
