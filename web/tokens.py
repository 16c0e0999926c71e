"""API tokens of the one who asks. A secret is in the answer that makes it, and never again."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify

from errors import BadInput
from model import User
from web.auth import signed_in
from web.context import gateway
from web.documents import token
from web.inputs import json_object, moment, required, text

blueprint = Blueprint("tokens", __name__, url_prefix="/api/v1/tokens")


@blueprint.post("")
@signed_in
def make(user: User) -> tuple[Response, int]:
    """`{"name", "expires_at"?}`; the secret is the answer's `token`."""
    body = json_object("name", "expires_at")
    expires_at = moment(body, "expires_at")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise BadInput("`expires_at` is over already.")
    made, secret = gateway().people.make_token(user, required(text(body, "name"), "name"), expires_at)
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
