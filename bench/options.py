"""The options of a benchmark. What it says of itself is its help, as it stands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def options(about: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_latency(
    parser: argparse.ArgumentParser, default: Sequence[int], choices: Sequence[int] | None = None
) -> None:
    """`--latency`: one or several; everything is measured at each."""
    about = f"milliseconds by which the sandbox answers later; by default {' '.join(map(str, default))}"
    parser.add_argument(
        "--latency", type=int, nargs="+", default=default, choices=choices, metavar="MS", help=about
    )
