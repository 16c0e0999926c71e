"""A disk that is full, as a file notices it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses more with EFBIG, as a full disk does with ENOSPC. Skips the test on Windows."""
    if sys.platform == "win32":
        pytest.skip("a limit on files is POSIX's")
    else:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
