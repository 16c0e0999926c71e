"""The web application's one document. Its views are scripts that speak to the API; here is only where they begin."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from errors import NotSignedIn
from model import User
from web.access.auth import signed_in
from web.wire import context

VIEWS = ("/", "/transfers", "/shares", "/bin", "/search", "/account", "/admin", "/welcome")
"""Addresses that a person may open, reload and keep; web/static/app/views.js says what each shows."""

blueprint = Blueprint("page", __name__)


@signed_in
def shell(user: User) -> str:
    letters = context.gateway().prepared.sends_letters
    sandbox = context.settings().telegram is None
    return render_template("app.html", user=user, sandbox=sandbox, letters=letters)


for _path in VIEWS:
    blueprint.add_url_rule(_path, view_func=shell)


@blueprint.errorhandler(NotSignedIn)
def sign_in_first(_: NotSignedIn) -> ResponseReturnValue:
    """People are sent to the form, and from there back to where they wanted to go."""
    return redirect(f"/login?next={quote(request.full_path.rstrip('?'), safe='')}", 303)
