"""Memory that was freed, given back to the system. It must never know what the memory was for.

glibc keeps what lies between blocks that are still in use, in an arena for each thread, for good: after a few streams
at a time that is some 150 MB (docs/decisions/receiving.md). Other C libraries, and Windows, give it back.
"""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Takes some milliseconds for each hundred megabytes, without the interpreter's lock. Nothing but on glibc."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)
