"""What tests of the gateway's rooms share."""

from __future__ import annotations

import pytest


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of transfers, moved by hand."""
    now = [1000.0]
    for module in ("gateway.moving.transfer", "gateway.moving.transfers"):
        monkeypatch.setattr(f"{module}.monotonic", lambda: now[0])
    return now
