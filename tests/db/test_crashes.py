"""Several processes on one database, and processes that are killed while they write."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from db import Contents, Database, People, Trash, Tree, Uploads
from model import File, User
from tests.db.conftest import Clock, put

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def writer(path: Path, folder: str, first_message: int, files: int) -> subprocess.Popen[str]:
    arguments = [str(path), folder, str(first_message), str(files)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.db.writer", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def check_that_all_is_whole(database: Database, ann: User) -> int:
    """No damage, no half-visible file, and no chunk that nothing names; returns how many files there are."""
    database.check(30)
    tree, contents, files = Tree(database), Contents(database), 0
    for folder in tree.listing(ann.id, "/").items:
        for file in tree.listing(ann.id, folder.path, limit=1000).items:
            assert isinstance(file, File)
            assert len(contents.stored_file(file.content_id).chunks) == 2
            files += 1
    with database.read() as connection:
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        assert connection.execute(text("SELECT count(*) FROM contents")).scalar_one() == files
    return files


def test_two_processes_and_two_threads_write_side_by_side(
    database: Database, ann: User, clock: Clock, path: Path
) -> None:
    def write(folder: str, first_message: int) -> None:
        for number in range(20):
            put(
                database,
                ann,
                clock,
                f"/{folder}/{number}.bin",
                first_message + number,
                first_message + 500 + number,
            )

    processes = [writer(path, f"process-{number}", 10_000 * number, 20) for number in (1, 2)]
    threads = [
        threading.Thread(target=write, args=(f"thread-{number}", 10_000 * number)) for number in (3, 4)
    ]
    for thread in threads:
        thread.start()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    for thread in threads:
        thread.join(60)
    assert [len(output.splitlines()) for output in outputs] == [20, 20]
    assert check_that_all_is_whole(database, ann) == 80


@pytest.mark.parametrize("acknowledged", [1, 7, 23])
def test_what_was_acknowledged_survives_a_kill_and_nothing_is_half_there(
    database: Database, ann: User, path: Path, acknowledged: int
) -> None:
    database.close()
    process = writer(path, "killed", 1, 10_000)
    assert process.stdout is not None
    seen = [process.stdout.readline().strip() for _ in range(acknowledged)]
    process.kill()
    seen += process.stdout.read().split()
    process.stdout.close()
    process.wait(10)

    database.migrate()
    assert check_that_all_is_whole(database, ann) in {len(seen), len(seen) + 1}, (
        "one may not have been told of"
    )
    tree, uploads = Tree(database), Uploads(database)
    for name in seen:
        tree.node_at(ann.id, name)
    for upload in uploads.unfinished():
        uploads.abandon(upload.id)
    assert Trash(database).count() + len(uploads.orphan_intents(9)) <= 3, (
        "of one file, all that was sent is known"
    )
    assert len(People(database).all()) == 1


def test_two_processes_may_migrate_the_same_new_database(tmp_path: Path) -> None:
    code = "import sys; from db import Database; d = Database(sys.argv[1]); d.migrate(); d.check(); d.close()"
    url = f"sqlite:///{tmp_path / 'new.db'}"
    processes = [subprocess.Popen([sys.executable, "-c", code, url], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
