"""The soak itself: rounds of storm and calm, each followed by a rest in which nothing may be left over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from threading import Event, Thread

from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.known import orphans
from tests.whole.running import RunningGateway
from tests.whole.soaking.content import Content
from tests.whole.soaking.figures import Figures, figures, first_alarm, unrest
from tests.whole.soaking.ledger import Ledger
from tests.whole.soaking.readers import READING
from tests.whole.soaking.reading import fetch
from tests.whole.soaking.shelf import Shelf
from tests.whole.soaking.visitor import Visitor, World, Wrong
from tests.whole.soaking.weather import Weather
from tests.whole.soaking.writers import WRITING, put, shelve, tidy
from tests.whole.transfer import within

MIB = 1 << 20
SIZES = {"empty": 0, "byte": 1, "small": 3 * MIB + 1, "large": 40 * MIB, "larger": 40 * MIB + 12345}
HASTY = ("-m", "tests.whole.hasty")
CACHE_MIB = 32
"""Less than the large files, so that pieces come and go."""
STALL = 5
PATIENCE = 60.0
RECOVERY = 8.0
"""Seconds after a storm in which a hasty gateway may still suffer from it: its longest wait, and a flood wait."""
REST = 60.0
"""Seconds in which a gateway whose clients have left comes to rest; its keeper does some things every 30."""
MEMORY_SLACK = 64 * MIB
"""How much the last quarter may take more than the second."""
ENOUGH_ROUNDS = 8
"""With fewer, growth cannot be told from warming up."""
VISITORS = 14
SHELVES = "shelves"
"""The folder of the files that are there for all."""


class Soak:
    """Rounds, as many as are asked for. What went wrong is in `ledger.wrongs`; empty is what we want."""

    def __init__(self, sandbox: RunningSandbox, gateway: RunningGateway, seed: int) -> None:
        self._sandbox = sandbox
        self._gateway = gateway
        self._seed = seed
        self.ledger = Ledger()
        self.rests: list[Figures] = []
        """One after each round."""
        self.memory: list[int] = []
        """Resident bytes while visitors were there, twice a second."""
        self._weather = Weather(sandbox, self.ledger, RECOVERY)
        self._shelves: tuple[Shelf, ...] = ()
        self._shelves = tuple(self._stock())

    def __repr__(self) -> str:
        return f"<Soak seed={self._seed} after {len(self.rests)} rounds: {len(self.ledger.wrongs)} wrongs>"

    def round(self, storm: float, calm: float, end: Event) -> None:
        """So many seconds of storm and of calm, or until `end`; then everybody leaves, and all must be at rest."""
        dice = Random(f"{self._seed}/{len(self.rests)}")
        world = self._world()
        visitors = [
            Visitor(world, f"round{len(self.rests)}-{number}", Random(dice.random()))
            for number in range(VISITORS)
        ]
        threads = [
            Thread(target=visitor.visit, args=(READING | WRITING,), name=visitor.name) for visitor in visitors
        ]
        threads.append(Thread(target=self._watch, args=(world.over,)))
        for thread in threads:
            thread.start()
        try:
            self._weather.storm(dice, storm, end)
            end.wait(calm)
        finally:
            world.over.set()
            for thread in threads:
                thread.join()
        self._rest(visitors)

    def judge(self) -> list[str]:
        """All that went wrong in what was soaked; when every round is over."""
        _, second, _, last = self.quarters()
        if len(self.rests) >= ENOUGH_ROUNDS and last > second + MEMORY_SLACK:
            self.ledger.wrong(f"memory grew from {second / 1e6:.0f} to {last / 1e6:.0f} MB")
        if alarm := first_alarm(self._gateway):
            self.ledger.wrong(f"in the log:\n{alarm}")
        if not within(REST, lambda: not orphans(self._gateway.data, self._sandbox)):
            self.ledger.wrong(f"messages that nobody knows: {orphans(self._gateway.data, self._sandbox)}")
        return self.ledger.wrongs

    def quarters(self) -> list[float]:
        """The median of the resident bytes in each quarter of the time."""
        length = max(1, len(self.memory) // 4)
        return [median(self.memory[n * length : (n + 1) * length] or [0]) for n in range(4)]

    def _stock(self) -> Iterator[Shelf]:
        visitor = Visitor(self._world(), SHELVES, Random())
        with visitor.line() as line:
            for content in (Content(name, size) for name, size in SIZES.items()):
                yield shelve(put(visitor, line, content), content)

    def _world(self) -> World:
        gateway = self._gateway
        return World(
            gateway.port, gateway.token, self._shelves, self.ledger, self._weather, STALL, PATIENCE, Event()
        )

    def _rest(self, visitors: list[Visitor]) -> None:
        """Wait until the gateway is at rest; whatever is not by then is wrong."""
        if not within(REST, lambda: all(who.attempt(tidy) and not who.left_behind for who in visitors)):
            self.ledger.wrong(f"could not be tidied up: {[who for who in visitors if who.left_behind]}")
        checker = Visitor(self._world(), SHELVES, Random())
        if not within(REST, lambda: checker.attempt(all_is_as_before)):
            self.ledger.wrong("the files were not whole again in time")
        before = self.rests[0] if self.rests else None
        if not within(REST, lambda: not [*unrest(self._gateway, before)]):
            for sentence in unrest(self._gateway, before):
                self.ledger.wrong(f"after round {len(self.rests)}: {sentence}")
        self.rests.append(figures(self._gateway))

    def _watch(self, over: Event) -> None:
        while not over.wait(0.5):
            self.memory.append(figures(self._gateway).rss)


def all_is_as_before(visitor: Visitor) -> None:
    """Every shelf is whole and true, none is called damaged, and nothing else is there."""
    shelves = visitor.world.shelves
    with visitor.line() as line:
        for shelf in shelves:
            fetch(visitor, line, shelf)
        there = [node["path"] for node in visitor.listing(line, "/")]
        if there != [visitor.folder]:
            raise Wrong(f"there is what nobody left there: {there}")
        if damaged := [node["name"] for node in visitor.listing(line, visitor.folder) if node["damaged"]]:
            raise Wrong(f"called damaged, and are not: {damaged}")


@contextmanager
def soaking(folder: Path, seed: int) -> Iterator[Soak]:
    """A sandbox and a hasty gateway below `folder`, stocked; every other seed has a cache."""
    with start_sandbox(folder / "sandbox") as sandbox:
        settings = {
            "CHUNK_SIZE_MIB": "4",
            "TELEGRAM_CONNECTIONS": "2",
            "DOWNLOAD_STALL_SECONDS": str(STALL),
            "CACHE_SIZE_MIB": str(CACHE_MIB * (seed % 2)),
        }
        gateway = RunningGateway(folder / "data", sandbox, settings)
        gateway.start(HASTY)
        try:
            yield Soak(sandbox, gateway, seed)
        finally:
            gateway.stop()
