"""A server that does not start, as the person sees it who tried."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from tests.whole.running import ROOT


def refused_start(environment: Mapping[str, str]) -> tuple[int, list[str]]:
    """The exit code of a `serve` that does not come up, and the lines that it says."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "cli", "serve"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, [line for line in done.stderr.splitlines() if line.startswith("stowgram: ")]
