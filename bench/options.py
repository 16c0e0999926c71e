"""The options of a benchmark. What it says of itself is its help, as it stands."""

from __future__ import annotations

import argparse


def options(about: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
