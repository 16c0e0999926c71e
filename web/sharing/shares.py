"""Links that one gives to others: made, listed, changed, revoked. What others see by them is beside this."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from errors import BadInput
from gateway.tree.files import Kind
from model import Share, Terms, User
from web.access.auth import signed_in
from web.wire import documents
from web.wire.context import base_url, gateway
from web.wire.inputs import bound, future, json_object, number, page_size, text, whole

blueprint = Blueprint("shares", __name__, url_prefix="/api/v1/shares")

_TERMS = ("expires_at", "max_downloads", "rate_limit_kb", "max_connections")


@blueprint.post("")
@signed_in
def make(user: User) -> tuple[Response, int]:
    """`{"file_id" or "folder_id"}`, and what is wanted of a password and the terms."""
    body = json_object("file_id", "folder_id", "password", *_TERMS)
    if ("file_id" in body) == ("folder_id" in body):
        raise BadInput("Give either `file_id` or `folder_id`.")
    kind: Kind = "file" if "file_id" in body else "folder"
    terms, node_id = Terms(**_terms(body)), whole(body, f"{kind}_id")
    made = gateway().shares.make(user, node_id, kind, text(body, "password"), terms)
    return jsonify(_share(made)), 201


@blueprint.get("")
@signed_in
def listing(user: User) -> Response:
    """One's own, the latest first; with `?file_id=` or `?folder_id=` those of this one."""
    query = request.args
    node_id = next((number(query[key], key) for key in ("file_id", "folder_id") if key in query), None)
    found = gateway().shares.listing(user, node_id, query.get("cursor"), page_size())
    return jsonify(items=[_share(one) for one in found.items], next=found.next)


@blueprint.patch("/<token>")
@signed_in
def change(user: User, token: str) -> Response:
    """What is given of the terms and the password; null takes it away."""
    body = json_object("password", *_TERMS)
    password = text(body, "password") if "password" in body else ...
    terms = {name: value for name, value in _terms(body).items() if name in body}
    return jsonify(_share(gateway().shares.change(user, token, terms, password)))


@blueprint.delete("/<token>")
@signed_in
def revoke(user: User, token: str) -> tuple[str, int]:
    gateway().shares.revoke(user, token)
    return "", 204


def _terms(body: dict[str, Any]) -> dict[str, Any]:
    """All of them, those that are absent as null."""
    counts = {name: bound(body, name) for name in _TERMS[1:]}
    return {"expires_at": future(body, "expires_at"), **counts}


def _share(of: Share) -> dict[str, Any]:
    return documents.share(of, base_url())
