"""How the whole house is, for admins: Telegram, cache, what is stored where, limits, the process; damage; the log."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request

from config import Settings
from gateway import Health
from gateway.background.outside import OutsideHealth
from model import Stock, User
from web import VERSION
from web.access.auth import admin_only
from web.happening.events import answer
from web.monitoring.process import vital_signs
from web.wire.context import gateway, settings
from web.wire.documents import event, moment, node
from web.wire.inputs import number

blueprint = Blueprint("admin", __name__, url_prefix="/api/v1/admin")

LIMITS = (
    "chunk_size",
    "staging_size",
    "cache_size",
    "max_concurrent_downloads",
    "max_concurrent_downloads_per_user",
    "max_connections_per_download",
    "download_rate_limit",
    "total_rate_limit",
    "download_stall_seconds",
    "shutdown_seconds",
)
"""Settings that bound something. No other is shown: some are secrets."""


@blueprint.get("")
@admin_only
def overview(_: User) -> Response:
    health, bounds = gateway().health(), settings()
    return jsonify(
        version=VERSION,
        mode=health.mode,
        ready=health.ready,
        database=health.database,
        telegram=health.telegram,
        jobs=health.jobs,
        accounts=[asdict(account) for account in health.accounts],
        cache=_cache(health, bounds),
        storage=_storage(gateway().oversight.stock()),
        object_storage=_outside(gateway().prepared.outside()),
        limits={name: getattr(bounds, name) for name in LIMITS},
        process={name: value for name, _kind, _about, value in vital_signs()},
    )


@blueprint.get("/damaged")
@admin_only
def damaged(_: User) -> Response:
    items = [
        {**node(file), "user": owner, "damaged_at": file.damaged_at and moment(file.damaged_at)}
        for file, owner in gateway().oversight.damaged()
    ]
    return jsonify(items=items)


@blueprint.get("/events")
@admin_only
def events(_: User) -> Response:
    """`?since=N`: everybody's after N; without it, the latest."""
    since = request.args.get("since")
    news = gateway().oversight.log(None if since is None else number(since, "since"))
    return answer(news, [{**event(one), "user_id": one.user_id, "user": one.user} for one in news.events])


def _storage(stock: Stock) -> dict[str, int]:
    return {
        "files": stock.files,
        "bytes": stock.size,
        "stored_bytes": stock.stored,
        "messages": stock.messages,
        "trash": stock.trash,
        "binned_bytes": stock.binned,
    }


def _outside(health: OutsideHealth | None) -> dict[str, Any] | None:
    """How object storage is, or None where there is none."""
    if health is None:
        return None
    since = health.since and moment(health.since)
    return {"ready": health.trouble is None, "trouble": health.trouble, "since": since}


def _cache(health: Health, bounds: Settings) -> dict[str, Any] | None:
    """What it holds and has counted since the start, or None where there is none."""
    if not bounds.cache_size:
        return None
    figures = {**health.held, **health.counted}
    of_cache = {name: figures[name] for name in figures if name.startswith("cache_")}
    return {"size": bounds.cache_size} | {name.removeprefix("cache_"): n for name, n in of_cache.items()}
