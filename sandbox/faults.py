"""Faults on request: what to do wrong, how often, and when. Pure decisions; the server and the API carry them out.

Every rule is bounded or cleared by `clear`, and none survives a restart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["error", "drop", "silence", "duplicate_key"]


@dataclass
class Rule:
    """On the next `times` calls of `method` (or of all, `*`), after letting `after` pass."""

    kind: Kind
    method: str
    times: float = 1
    after: int = 0
    code: int = 0
    message: str = ""


@dataclass
class Spoiling:
    """Damage to the next `times` replies of upload.getFile, of one document or (None) of all."""

    times: float
    document: int | None = None


@dataclass
class Faults:
    """All that is set now. `latency` is in seconds, `bandwidth` in bytes per second and connection, 0 for none."""

    latency: float = 0.0
    bandwidth: float = 0.0
    rules: list[Rule] = field(default_factory=list)
    flips: list[Spoiling] = field(default_factory=list)
    cuts: list[Spoiling] = field(default_factory=list)

    def clear(self) -> None:
        """Behave again."""
        self.latency = self.bandwidth = 0.0
        for rules in (self.rules, self.flips, self.cuts):
            rules.clear()

    def on_call(self, method: str) -> Rule | None:
        """The rule that strikes this call, if any; it counts the call."""
        for rule in self.rules:
            if rule.method not in (method, "*"):
                continue
            if rule.after > 0:
                rule.after -= 1
                continue
            rule.times -= 1
            if rule.times <= 0:
                self.rules.remove(rule)
            return rule
        return None

    def spoil(self, document: int, data: bytes) -> bytes:
        """A getFile reply as it is to be sent."""
        if data and _strikes(self.flips, document):
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 0x01]) + data[middle + 1 :]
        if data and _strikes(self.cuts, document):
            data = data[: -min(len(data), 1000)]
        return data


def bounded(times: int | None) -> float:
    """`times`, where None is always."""
    return math.inf if times is None else times


def _strikes(spoilings: list[Spoiling], document: int) -> bool:
    for spoiling in spoilings:
        if spoiling.document in (None, document):
            spoiling.times -= 1
            if spoiling.times <= 0:
                spoilings.remove(spoiling)
            return True
    return False
