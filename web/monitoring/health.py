"""How we are: for process supervisors and load balancers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from web.access.auth import public
from web.wire.context import gateway

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    health = gateway().health()
    said = {"database": health.database, "telegram": health.telegram, "jobs": health.jobs}
    document = jsonify(mode=health.mode, **said)
    return document, 200 if health.ready else 503
