"""The routes of work in the background, and of the ZIPs that it makes; part of operations.py."""

from __future__ import annotations

from web.openapi.forms import (
    COUNT,
    RANGE,
    TEXT,
    ZIP,
    Operation,
    any_of,
    items,
    nullable,
    only,
    ranged,
    record,
    ref,
)

_PROGRESS = ref("Progress")
_MADE = Operation("A ZIP that was made.", ranged(ZIP), query={"token": TEXT}, headers=RANGE)

JOBS: dict[str, Operation] = {
    "POST /api/v1/folders/{folder_id}/prepare-download": Operation(
        "Have the folder's ZIP made.", {200: ref("Job"), 202: ref("Job")}, body=any_of(email=TEXT)
    ),
    "GET /prepared/{job_id}/{name}": _MADE,
    "POST /api/share/{token}/prepare-download": Operation(
        "Have the ZIP of what is shared made.",
        {200: _PROGRESS, 202: _PROGRESS},
        body=only("folder_id", folder_id=nullable(COUNT)),
    ),
    "GET /api/share/{token}/download-status/{job_id}": Operation(
        "How far it is.", {200: _PROGRESS, 304: None}
    ),
    "GET /api/share/{token}/prepared/{job_id}/{name}": _MADE,
    "GET /api/v1/jobs": Operation("One's jobs, the latest first.", {200: items(ref("Job")), 304: None}),
    "GET /api/v1/jobs/{job_id}": Operation("How far it is.", {200: ref("Job"), 304: None}),
    "DELETE /api/v1/jobs/{job_id}": Operation("Stop it, or throw away what it made.", {204: None}),
    "GET /api/v1/admin/jobs": Operation(
        "Everybody's jobs.",
        {200: items({"allOf": [ref("Job"), record(user=TEXT, attempts=COUNT)]}), 304: None},
    ),
}
