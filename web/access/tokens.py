"""API tokens of the one who asks. A secret is in the answer that makes it, and never again."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from model import User
from web.access.auth import signed_in
from web.wire.context import gateway
from web.wire.documents import token
from web.wire.inputs import future, json_object, required, text

blueprint = Blueprint("tokens", __name__, url_prefix="/api/v1/tokens")


@blueprint.post("")
@signed_in
def make(user: User) -> tuple[Response, int]:
    """`{"name", "expires_at"?}`; the secret is the answer's `token`."""
    body = json_object("name", "expires_at")
    name, expires_at = required(text(body, "name"), "name"), future(body, "expires_at")
    made, secret = gateway().people.make_token(user, name, expires_at)
    return jsonify(token(made) | {"token": secret}), 201


@blueprint.get("")
@signed_in
def every(user: User) -> Response:
    return jsonify(items=[token(one) for one in gateway().people.tokens(user)])


@blueprint.delete("/<id:token_id>")
@signed_in
def revoke(user: User, token_id: int) -> tuple[str, int]:
    gateway().people.revoke(user, token_id)
    return "", 204
