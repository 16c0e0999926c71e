"""Signing in and out with a browser. The cookie holds a secret that names a session; the database has the session."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from errors import AtCapacity, NotSignedIn
from web.access.auth import SESSION_KEY, public, require_csrf, who_asks
from web.wire.context import client, gateway
from web.wire.errors import advice, rule_for
from web.wire.origin import require_no_other_site

blueprint = Blueprint("session", __name__)


@blueprint.get("/login")
@public
def form() -> ResponseReturnValue:
    onward = local_path(request.args.get("next"))
    try:
        caller = who_asks()
    except (NotSignedIn, AtCapacity):
        caller = None
    if caller is not None and caller.session is not None:
        return redirect(onward, 303)
    return render_template("login.html", next=onward)


@blueprint.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    # There is no session to ride on yet; this keeps another site from signing somebody in as somebody else.
    require_no_other_site()
    onward = local_path(request.form.get("next"))
    username = request.form.get("username", "")
    try:
        user = gateway().people.by_password(username, request.form.get("password", ""), client())
        if user is None:
            raise NotSignedIn("That name and password do not fit together.")
    except (NotSignedIn, AtCapacity) as error:
        page = render_template("login.html", next=onward, username=username, refusal=str(error))
        response = make_response(page, rule_for(error).status)
        response.headers.update(advice(error))
        if response.status_code == 401:
            # Not Basic: the form is on the page, and a browser would cover it with a box of its own.
            response.headers["WWW-Authenticate"] = 'Bearer realm="Stowgram"'
        return response
    _end_session()  # of whoever was signed in here before
    session.clear()
    session[SESSION_KEY] = gateway().sessions.open(user, client())
    session.permanent = True
    return redirect(onward, 303)


@blueprint.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    if SESSION_KEY in session:
        require_no_other_site()
        require_csrf()
        _end_session()
    session.clear()
    return redirect("/login", 303)


def _end_session() -> None:
    secret = session.get(SESSION_KEY)
    if isinstance(secret, str):
        gateway().sessions.sign_out(secret)


def local_path(wanted: Any) -> str:
    """`wanted` if it is a path on this server, else `/`. Browsers take `//` and `/\\` for another host."""
    if not isinstance(wanted, str) or not wanted.startswith("/") or wanted[1:2] in {"/", "\\"}:
        return "/"
    return wanted if wanted.isprintable() else "/"
