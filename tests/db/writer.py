"""A process that stores small files until it has enough or is killed; a line for each says that it was
acknowledged.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from db import Database, People
from tests.db.conftest import Clock, put, url_of


def main(path: Path, folder: str, first_message: int, files: int) -> None:
    with closing(Database(url_of(path), patience=30)) as database:
        found = People(database).by_name("ann")
        assert found is not None
        for number in range(files):
            message = first_message + 3 * number
            put(
                database,
                found[0],
                Clock(),
                f"/{folder}/{number}.bin",
                message,
                message + 1,
                manifest=message + 2,
            )
            print(f"/{folder}/{number}.bin", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
