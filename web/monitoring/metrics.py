"""Figures for the operator, in Prometheus' text format 0.0.4. It must never know how they are come by.

https://prometheus.io/docs/instrumenting/exposition_formats/ and https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from threading import Lock
from typing import cast

from flask import Blueprint, Response, current_app

from gateway import Health
from gateway.background.figures import Figures as JobFigures
from gateway.background.outside import OutsideHealth
from gateway.moving.figures import Distribution, Figures
from gateway.moving.transfer import Direction
from web.access.auth import local_or_signed_in
from web.monitoring.process import vital_signs
from web.wire.context import gateway

blueprint = Blueprint("metrics", __name__)

DIRECTIONS: tuple[Direction, ...] = ("download", "upload")
ACCOUNT_FIGURES = (
    ("window", "gauge", "Requests for data that may be in flight."),
    ("in_flight", "gauge", "Requests for data on their way."),
    ("waiting", "gauge", "Requests for data that wait for their turn."),
    ("connections", "gauge", "Connections for data."),
    ("flood_wait", "gauge", "Seconds that Telegram wants the account to wait still."),
    ("flood_waits_total", "counter", "Times that Telegram asked the account to wait."),
)
JOB_FIGURES = (
    ("waiting", "gauge", "Jobs that wait for a worker, or for another attempt."),
    ("running", "gauge", "Jobs in the hands of a worker."),
    ("failed_total", "counter", "Jobs that were given up."),
    ("last_success_timestamp_seconds", "gauge", "When a job last ended well, in seconds since 1970."),
)
Sample = tuple[str, float]
"""What follows the name of its family (a suffix, labels, or nothing), and its value."""


class Tally:
    """Counts responses by the first digit of their status, from many threads."""

    def __init__(self) -> None:
        self._responses: Counter[int] = Counter()
        self._lock = Lock()

    def count(self, response: Response) -> Response:
        with self._lock:
            self._responses[response.status_code // 100] += 1
        return response

    def responses(self) -> list[tuple[int, int]]:
        with self._lock:
            return sorted(self._responses.items())


@blueprint.get("/metrics")
@local_or_signed_in
def metrics() -> Response:
    tally = cast(Tally, current_app.extensions["tally"])
    figures = gateway().transfers.figures()
    lines = [
        *_health(gateway().health()),
        *_outside(gateway().prepared.outside()),
        *_jobs(gateway().jobs.figures()),
        *_transfers(figures),
        *_first_byte(figures.first_byte),
        *_responses(tally.responses()),
        *chain.from_iterable(
            family(name, kind, about, [("", value)]) for name, kind, about, value in vital_signs()
        ),
    ]
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _outside(health: OutsideHealth | None) -> Iterator[str]:
    """Of a gateway with object storage."""
    if health is not None:
        about = "Whether object storage takes prepared ZIPs."
        ready = int(health.trouble is None)
        yield from family("stowgram_object_storage_ready", "gauge", about, [("", ready)])


def _health(health: Health) -> Iterator[str]:
    ready = [(f'{{mode="{health.mode}"}}', int(health.ready))]
    yield from family("stowgram_ready", "gauge", "Whether database and store can work.", ready)
    for name, count in health.counted.items():
        about = f"{name.replace('_', ' ').capitalize()} of the store."
        yield from family(f"stowgram_store_{name}_total", "counter", about, [("", count)])
    for name, kind, about in ACCOUNT_FIGURES:
        samples = [
            (f'{{account="{account.name}"}}', getattr(account, name.removesuffix("_total")))
            for account in health.accounts
        ]
        yield from family(f"stowgram_account_{name}", kind, about, samples)
    paces = [(f'{{account="{account.name}",state="{account.pace}"}}', 1) for account in health.accounts]
    yield from family("stowgram_account_pace", "gauge", "What the account's window does.", paces)


def _jobs(kinds: Iterable[JobFigures]) -> Iterator[str]:
    """What is not known has no sample: how many there are while the database is away, and an end before the first."""
    for name, kind, about in JOB_FIGURES:
        field = name.removesuffix("_total").removesuffix("_timestamp_seconds")
        samples = [(f'{{kind="{one.kind}"}}', getattr(one, field)) for one in kinds]
        known = [(labels, value) for labels, value in samples if value is not None]
        yield from family(f"stowgram_jobs_{name}", kind, about, known)


def _transfers(figures: Figures) -> Iterator[str]:
    running, connections, moved = figures.running, figures.connections, figures.moved
    for name, kind, about, samples in (
        ("downloads_running", "gauge", "Downloads with a connection.", [("", running["download"])]),
        ("uploads_running", "gauge", "Uploads with a part on its way.", [("", running["upload"])]),
        (
            "transfer_connections",
            "gauge",
            "Connections of transfers, those that wait in line included.",
            [(f'{{direction="{direction}"}}', connections[direction]) for direction in DIRECTIONS],
        ),
        ("downloads_waiting", "gauge", "Requests that wait in line for a place.", [("", figures.waiting)]),
        ("sent_bytes_total", "counter", "Bytes of files that went out.", [("", moved["download"])]),
        ("received_bytes_total", "counter", "Bytes of files that came in.", [("", moved["upload"])]),
        (
            "transfers_total",
            "counter",
            "Transfers that ended, by how.",
            [
                (f'{{direction="{direction}",outcome="{outcome}"}}', count)
                for (direction, outcome), count in sorted(figures.ended.items())
            ],
        ),
    ):
        yield from family(f"stowgram_{name}", kind, about, samples)


def _first_byte(seconds: Distribution) -> Iterator[str]:
    bounds = [*map(str, seconds.bounds), "+Inf"]
    buckets: list[Sample] = [
        (f'_bucket{{le="{le}"}}', n) for le, n in zip(bounds, seconds.counts, strict=True)
    ]
    yield from family(
        "stowgram_first_byte_seconds",
        "histogram",
        "From a download's request, waiting in line included, to its first byte.",
        [*buckets, ("_sum", round(seconds.sum, 6)), ("_count", seconds.counts[-1])],
    )


def _responses(counts: Iterable[tuple[int, int]]) -> Iterator[str]:
    samples = [(f'{{status="{digit}xx"}}', count) for digit, count in counts]
    yield from family(
        "stowgram_responses_total", "counter", "Responses by the first digit of their status.", samples
    )


def family(name: str, kind: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    yield from (f"{name}{rest} {value}" for rest, value in samples)
