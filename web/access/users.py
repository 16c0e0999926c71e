"""Who may come in, and how much each may store. For admins."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from model import User
from web.access.auth import admin_only
from web.wire.context import gateway
from web.wire.documents import account
from web.wire.inputs import count, json_object, required, text, truth

blueprint = Blueprint("users", __name__, url_prefix="/api/v1/users")


@blueprint.get("")
@admin_only
def every(_: User) -> Response:
    return jsonify(items=[account(one) for one in gateway().people.accounts()])


@blueprint.post("")
@admin_only
def add(_: User) -> tuple[Response, int]:
    """`{"name", "password", "is_admin"?, "quota"?}`; a quota of null is none."""
    body = json_object("name", "password", "is_admin", "quota")
    name, password = (required(text(body, key), key) for key in ("name", "password"))
    people = gateway().people
    added = people.add(name, password, truth(body, "is_admin") or False, count(body, "quota"))
    return jsonify(account(people.account(added.id))), 201


@blueprint.patch("/<id:user_id>")
@admin_only
def change(_: User, user_id: int) -> Response:
    """What is given of `{"password", "is_admin", "quota"}`; a quota of null is none. A password ends the sessions."""
    body = json_object("password", "is_admin", "quota")
    changed = gateway().people.change(
        user_id,
        password=text(body, "password"),
        is_admin=truth(body, "is_admin"),
        quota=count(body, "quota") if "quota" in body else ...,
    )
    return jsonify(account(changed))


@blueprint.delete("/<id:user_id>")
@admin_only
def remove(_: User, user_id: int) -> tuple[str, int]:
    gateway().people.remove(user_id)
    return "", 204
