"""Work that goes on when the request for it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

JobStatus = Literal["queued", "processing", "ready", "failed", "cancelled"]
"""The first two can change; `ready` lasts until the job ends, the others are tombstones."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be made: `args` say it to the `kind`, whose `result` says what was. Both are as JSON has them.

    `done` of `total` are in bytes. The present attempt, number `attempts` without progress, began at `started_at` with
    `started_from` bytes done. `error` is the sentence of the last failure. Only one
    that was cancelled can have lost its owner.
    """

    id: str
    kind: str
    key: str
    owner_id: int | None
    args: Mapping[str, Any]
    result: Mapping[str, Any]
    status: JobStatus
    done: int
    total: int
    attempts: int
    not_before: datetime
    started_at: datetime | None
    started_from: int
    error: str | None
    email: str | None
    created_at: datetime
    updated_at: datetime
    ends_at: datetime | None
    """When what it made is thrown away."""

    @property
    def speed(self) -> float | None:
        """Bytes a second in the present attempt, once it has some."""
        if self.status != "processing" or self.started_at is None or self.done <= self.started_from:
            return None
        return (self.done - self.started_from) / max((self.updated_at - self.started_at).total_seconds(), 0.1)
