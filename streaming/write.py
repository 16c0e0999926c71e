"""The look back at what was written, before anyone is told that it is there. Knows no uploads, users or rows.

The writing itself is one `put`; what must be durable before and after it is the caller's business.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from errors import ChunkMissing, Damaged
from model import Chunk
from storage.base import ChunkStore
from streaming.plan import whole_piece
from streaming.room import never
from streaming.window import PieceWindow

READ_BACK_PIECES = 64
"""Pieces that are read back of one file before it becomes visible: all of a small file, a sample of a large one."""
READ_BACK_DEADLINE = 30.0
"""Seconds to get one of them; somebody is waiting for the upload to end."""


def share(chunk: Chunk, file_size: int) -> int:
    """How many pieces of one chunk to read back, when the others of a file of so many bytes get the same: at least one,
    and of all of them together about as many as a file gets.
    """
    pieces = -(-file_size // chunk.piece_size)
    return -(-READ_BACK_PIECES * chunk.piece_count // max(pieces, READ_BACK_PIECES))


def sampled(
    chunks: Sequence[Chunk], budget: int = READ_BACK_PIECES, *, rng: random.Random | None = None
) -> tuple[tuple[Chunk, int], ...]:
    """Which (chunk, piece) pairs to read back, in file order: all when there are no more than `budget` of them.

    Else the first and the last piece, one of every chunk as far as the budget goes, and random ones up to the budget;
    of a budget of one, any.
    """
    rng = rng or random.Random()
    firsts = list(accumulate((chunk.piece_count for chunk in chunks), initial=0))
    total = firsts[-1]
    if total <= budget:
        picked = set(range(total))
    else:
        picked = {0, total - 1} if budget > 1 else {rng.randrange(total)}
        for index in rng.sample(range(len(chunks)), len(chunks)):
            if len(picked) >= budget:
                break
            picked.add(firsts[index] + rng.randrange(chunks[index].piece_count))
        while len(picked) < budget:
            picked.add(rng.randrange(total))
    return tuple(_pair(chunks, firsts, number) for number in sorted(picked))


def _pair(chunks: Sequence[Chunk], firsts: Sequence[int], number: int) -> tuple[Chunk, int]:
    """The piece with this number, counted through the whole file."""
    index = bisect_right(firsts, number) - 1
    return chunks[index], number - firsts[index]


def read_back(
    store: ChunkStore,
    pairs: Iterable[tuple[Chunk, int]],
    *,
    gone: Callable[[], bool] = never,
    deadline: float = READ_BACK_DEADLINE,
) -> tuple[int, ...]:
    """The indexes of chunks of which a piece did not come back as it was stored, or not at all; () when all is well.

    Reads ahead through a fresh client, and reads a bad piece again before it says so. Raises StoreError when the store
    cannot be asked, waiting `deadline` seconds for each piece; ClientGone soon after whoever waits for it is `gone`.
    """
    reads = (whole_piece(chunk, piece) for chunk, piece in pairs)
    window = PieceWindow(store.client(), reads, gone=gone, deadline=deadline)
    bad: set[int] = set()
    try:
        while True:
            try:
                if window.take(deadline) is None:
                    return tuple(sorted(bad))
            except (Damaged, ChunkMissing):
                assert window.current is not None
                bad.add(window.current.chunk.index)
    finally:
        window.close()
