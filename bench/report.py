"""How a benchmark says what it found: one Markdown table, line by line as the figures come, and what the goal says."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles


def heading(*names: str) -> None:
    row(*names)
    row(*("---" for _ in names))


def row(*cells: object) -> None:
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def at_least(figure: float, goal: float, unit: str = "") -> str:
    return f">= {goal:g}{unit}: {'met' if figure >= goal else 'missed'}"


def at_most(figure: float, goal: float, unit: str = "") -> str:
    return f"<= {goal:g}{unit}: {'met' if figure <= goal else 'missed'}"


def percentile(figures: Sequence[float], percent: int) -> float:
    """Of two figures or more."""
    return quantiles(figures, n=100, method="inclusive")[percent - 1]
