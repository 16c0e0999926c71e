"""One's own account: who one is, the password, and the browsers that are signed in."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from model import User
from web.access.auth import signed_in, this_session
from web.wire import documents
from web.wire.context import client, gateway
from web.wire.inputs import json_object, number, required, text

blueprint = Blueprint("account", __name__, url_prefix="/api/v1")


@blueprint.get("/account")
@signed_in
def who(user: User) -> Response:
    """The server asks this too, before it takes a large body in: of a file with its path, and `incoming` bytes."""
    incoming = request.args.get("incoming")
    if incoming is not None:
        gateway().uploads.check_room(user, request.args.get("path", "/"), number(incoming, "incoming"))
    return jsonify(documents.account(gateway().people.account(user.id)))


@blueprint.put("/account/password")
@signed_in
def change_password(user: User) -> Response:
    """`{"old", "new"}`; the browser that asks stays signed in, all others do not."""
    body = json_object("old", "new")
    old, new = (required(text(body, name), name) for name in ("old", "new"))
    ended = gateway().people.change_password(user, old, new, client(), this_session())
    return jsonify(sessions_ended=ended)


@blueprint.get("/sessions")
@signed_in
def sessions(user: User) -> Response:
    here = this_session()
    return jsonify(items=[documents.session(one, here) for one in gateway().sessions.of(user)])


@blueprint.delete("/sessions/<id:session_id>")
@signed_in
def end(user: User, session_id: int) -> tuple[str, int]:
    gateway().sessions.end(user, session_id)
    return "", 204


@blueprint.delete("/sessions")
@signed_in
def end_others(user: User) -> Response:
    """All but the one that asks; a token is in none, so all of them."""
    return jsonify(sessions_ended=gateway().sessions.end_others(user, this_session()))
