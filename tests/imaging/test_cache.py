"""Small pictures on disk: bounded, found again after a restart, and no reason to fail when the disk does."""

from __future__ import annotations

from pathlib import Path

from imaging.cache import BLOCK, Cache


def test_the_one_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 3 * BLOCK)
    for name in ("a", "b", "c"):
        cache.write(name, name.encode())
    assert cache.read("a") == b"a"
    cache.write("d", b"d" * (BLOCK + 1))
    assert [cache.read(name) for name in "abcd"] == [b"a", None, None, b"d" * (BLOCK + 1)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.webp", "d.webp"]


def test_pictures_are_found_again_and_what_was_begun_is_not(tmp_path: Path) -> None:
    Cache(tmp_path, 10 * BLOCK).write("a", b"a")
    (tmp_path / "b.1234").write_bytes(b"hal")
    cache = Cache(tmp_path, 10 * BLOCK)
    assert (cache.read("a"), cache.read("b")) == (b"a", None)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_fails_is_a_miss(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "there", 10 * BLOCK)
    cache.write("a", b"a")
    (tmp_path / "there" / "a.webp").unlink()
    assert cache.read("a") is None
    (tmp_path / "there").rmdir()
    (tmp_path / "there").write_bytes(b"a file in its place")
    cache.write("b", b"b")
    assert cache.read("b") is None
