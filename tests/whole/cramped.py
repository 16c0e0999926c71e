"""Runs the gateway on a disk that is full: `python -m tests.whole.cramped BYTES`, the most that one file may hold.

The system then refuses writes with EFBIG, as a full disk does with ENOSPC; unlike a full disk, anybody may ask for it.
POSIX only.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and sys.platform != "win32":
    import resource

    most = int(sys.argv[1])
    # Python ignores SIGXFSZ at start, so a write past the limit is an error and not the end.
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    sys.argv[1:] = ["serve"]
    from cli import main

    main()
