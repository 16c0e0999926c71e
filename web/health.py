"""How we are: for process supervisors, load balancers and Prometheus."""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock
from typing import cast

from flask import Blueprint, Response, current_app, jsonify

from web.auth import local_or_signed_in, public
from web.context import gateway

blueprint = Blueprint("health", __name__)


class Tally:
    """Counts responses by the first digit of their status, from many threads."""

    def __init__(self) -> None:
        self.began = time.time()
        self._responses: Counter[int] = Counter()
        self._lock = Lock()

    def count(self, response: Response) -> Response:
        with self._lock:
            self._responses[response.status_code // 100] += 1
        return response

    def responses(self) -> list[tuple[int, int]]:
        with self._lock:
            return sorted(self._responses.items())


@blueprint.get("/healthz")
@public
def alive() -> Response:
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    health = gateway().health()
    document = jsonify(database=health.database, telegram=health.telegram, mode=health.mode)
    return document, 200 if health.ready else 503


@blueprint.get("/metrics")
@local_or_signed_in
def metrics() -> Response:
    """Prometheus' text format 0.0.4."""
    tally = cast(Tally, current_app.extensions["tally"])
    health = gateway().health()
    lines = [
        "# TYPE stowgram_ready gauge",
        f'stowgram_ready{{mode="{health.mode}"}} {int(health.ready)}',
        "# TYPE stowgram_downloads_running gauge",
        f"stowgram_downloads_running {gateway().downloads.running}",
        "# TYPE process_start_time_seconds gauge",
        f"process_start_time_seconds {tally.began:.0f}",
        "# TYPE stowgram_responses_total counter",
        *(f'stowgram_responses_total{{status="{digit}xx"}} {count}' for digit, count in tally.responses()),
    ]
    for name, count in health.counted.items():
        lines += [f"# TYPE stowgram_store_{name}_total counter", f"stowgram_store_{name}_total {count}"]
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")
