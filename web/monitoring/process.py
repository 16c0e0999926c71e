"""What the system says of this process: memory, threads, descriptors. What a system does not tell is left out."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

BEGAN = time.time()
"""When this module was loaded, which the first moments of the process see to."""


def vital_signs() -> Iterator[tuple[str, str, str, float]]:
    """(name, kind, help, value), by the names that Prometheus' own clients use."""
    yield (
        "process_start_time_seconds",
        "gauge",
        "When the process began, in seconds since 1970.",
        round(BEGAN),
    )
    yield "process_cpu_seconds_total", "counter", "Processor time of user and system.", time.process_time()
    yield "process_threads", "gauge", "Threads of the interpreter.", threading.active_count()
    if (memory := resident_memory()) is not None:
        yield "process_resident_memory_bytes", "gauge", "Memory that is resident.", memory
    if (descriptors := open_descriptors()) is not None:
        yield "process_open_fds", "gauge", "Open descriptors.", descriptors


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _MemoryCounters(ctypes.Structure):
        """https://learn.microsoft.com/windows/win32/api/psapi/ns-psapi-process_memory_counters"""

        _fields_ = [
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            ("PeakWorkingSetSize", ctypes.c_size_t),
            ("WorkingSetSize", ctypes.c_size_t),
            ("QuotaPeakPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPeakNonPagedPoolUsage", ctypes.c_size_t),
            ("QuotaNonPagedPoolUsage", ctypes.c_size_t),
            ("PagefileUsage", ctypes.c_size_t),
            ("PeakPagefileUsage", ctypes.c_size_t),
        ]

    def resident_memory() -> int | None:
        """In bytes."""
        kernel, counters = ctypes.windll.kernel32, _MemoryCounters()
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.K32GetProcessMemoryInfo.argtypes = [
            wintypes.HANDLE, ctypes.POINTER(_MemoryCounters), wintypes.DWORD
        ]  # fmt: skip
        size = ctypes.sizeof(counters)
        done = kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(counters), size)
        return int(counters.WorkingSetSize) if done else None

    def open_descriptors() -> int | None:
        """Windows has handles, which count other things too."""
        return None
else:
    import os

    def resident_memory() -> int | None:
        """In bytes; macOS tells only the most there ever was."""
        try:
            pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        except OSError:
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def open_descriptors() -> int | None:
        try:
            return sum(1 for _ in Path("/dev/fd").iterdir()) - 1  # without the one that reads the folder
        except OSError:
            return None
