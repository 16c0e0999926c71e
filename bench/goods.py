"""What the round trip carries: a large file, a tree of real files, a file of every awkward size; with their digests."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from model import MIB, PIECE_SIZE
from tests.whole.sums import Digests, digest, digests, regular_files

CHUNK = 64 * MIB
EDGES = (0, 1, PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * MIB + 1)
EDGE_NAMES = tuple(map(str, EDGES))
FEW, MANY = 2_000, 10_000
"""A tree worth the name has more files than the one; one with more than the other takes an hour."""
TREES = tuple(
    map(Path, ("/usr/lib/python3", sysconfig.get_path("stdlib"), "/usr/lib", "/usr/share", "/usr/include"))
)


@dataclass(frozen=True)
class Goods:
    large: Path
    edges: Path
    """A folder of files that are called by their sizes."""
    tree: Path
    digests: Digests
    """Of the large file and of the edges, by name."""
    tree_digests: Digests
    sizes: Mapping[str, int]
    """Of all of them, by name."""

    def parcels(self) -> Iterator[tuple[str, Path, Digests, int]]:
        """What is put in one go: its description, where it is, the digests below there, its bytes."""
        edges = {name: self.digests[name] for name in EDGE_NAMES}
        yield "large file", self.large, {".": self.digests["large"]}, self.sizes["large"]
        yield "edge sizes", self.edges, edges, self.size(EDGE_NAMES)
        yield f"{len(self.tree_digests)} files", self.tree, self.tree_digests, self.size(self.tree_digests)

    def size(self, names: Iterable[str]) -> int:
        """Bytes in all of these."""
        return sum(self.sizes[name] for name in names)

    def equal(self, copies: Mapping[str, Path]) -> bool:
        """Whether each of these copies of named files holds the right bytes."""
        wanted = {**self.tree_digests, **self.digests}
        return all(digest(copy) == wanted[name] for name, copy in copies.items())


def random_file(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            file.write(os.urandom(min(MIB, size - start)))
    return path


def make_goods(folder: Path, size: int, tree: Path) -> Goods:
    """Make the first two below `folder`, the large one of `size` bytes."""
    (folder / "edges").mkdir()
    large = random_file(folder / "large", size)
    edges = [random_file(folder / "edges" / str(edge), edge) for edge in EDGES]
    inside = digests(tree)
    sizes = {name: (tree / name).stat().st_size for name in inside}
    sizes |= {path.name: path.stat().st_size for path in (large, *edges)}
    return Goods(large, folder / "edges", tree, {p.name: digest(p) for p in (large, *edges)}, inside, sizes)


def default_tree() -> Path:
    """One that is found on this machine; or below one, since those of a system are mostly too large."""
    for root in TREES:
        for tree in (root, *sorted(path for path in root.glob("*") if path.is_dir())):
            if FEW <= sum(1 for _ in islice(regular_files(tree), MANY + 1)) <= MANY:
                return tree
    raise SystemExit(f"no tree of {FEW} to {MANY} files found here; name one by --tree")
