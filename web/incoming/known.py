"""Contents that need not be sent, as their owner stores them already."""

from __future__ import annotations

import re

from flask import Blueprint, Response, jsonify, request

from errors import BadInput
from model import User
from web.access.auth import signed_in
from web.wire.context import gateway
from web.wire.documents import node
from web.wire.inputs import json_object, number, one_of, required, text, whole

blueprint = Blueprint("known", __name__, url_prefix="/api/v1")


@blueprint.get("/contents")
@signed_in
def known(user: User) -> Response:
    """Asked before a client reads a whole file for its digest: nearly always nothing has its size."""
    return jsonify(known=gateway().files.has_size(user, number(request.args.get("size"), "size")))


@blueprint.post("/files")
@signed_in
def make(user: User) -> tuple[Response, int]:
    """`{"path", "size", "tree", "if_exists"?, "media_type"?}`: 201, or 200 where it replaced a file."""
    body = json_object("path", "size", "tree", "if_exists", "media_type")
    tree = required(text(body, "tree"), "tree")
    if not re.fullmatch("[0-9a-f]{64}", tree):
        raise BadInput("`tree` is not a SHA-256 in hex.")
    if_exists = one_of(text(body, "if_exists") or "refuse", "`if_exists`", "refuse", "replace")
    file, replaced = gateway().files.put_known(
        user,
        required(text(body, "path"), "path"),
        size=whole(body, "size"),
        tree=bytes.fromhex(tree),
        media_type=text(body, "media_type"),
        replace=if_exists == "replace",
    )
    response = jsonify(node(file))
    response.headers["Location"] = f"/api/v1/files/{file.id}"
    return response, 200 if replaced else 201
