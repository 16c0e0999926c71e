"""What was deleted: listed, restored, removed for good."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from model import Binned, User
from web.access.auth import signed_in
from web.wire.context import gateway
from web.wire.documents import moment, node
from web.wire.inputs import ids, json_object, page_size, text

blueprint = Blueprint("bin", __name__, url_prefix="/api/v1")


@blueprint.post("/nodes/delete")
@signed_in
def delete(user: User) -> Response:
    """`{"ids"}`: all of them, or none."""
    return jsonify(removed=gateway().bin.put(user, ids(json_object("ids"), "ids")))


@blueprint.get("/bin")
@signed_in
def listing(user: User) -> Response:
    found = gateway().bin.listing(user, request.args.get("cursor"), page_size())
    return jsonify(items=[_entry(one) for one in found.items], next=found.next, days=gateway().bin.days)


def _entry(of: Binned) -> dict[str, Any]:
    """`path` is where it was."""
    expires = gateway().bin.expires(of.deleted_at)
    return node(of.node) | {"deleted_at": moment(of.deleted_at), "expires_at": moment(expires)}


@blueprint.post("/bin/<id:node_id>/restore")
@signed_in
def restore(user: User, node_id: int) -> Response:
    """`{"path"?}`, and no body for where it was."""
    path = text(json_object("path"), "path") if request.content_length else None
    return jsonify(node(gateway().bin.restore(user, node_id, path)))


@blueprint.delete("/bin/<id:node_id>")
@signed_in
def remove(user: User, node_id: int) -> tuple[str, int]:
    gateway().bin.remove(user, node_id)
    return "", 204


@blueprint.delete("/bin")
@signed_in
def remove_all(user: User) -> Response:
    return jsonify(removed=gateway().bin.remove_all(user))
