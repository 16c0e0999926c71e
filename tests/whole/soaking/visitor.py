"""A client among many: its dice, whom it speaks to, and how it judges what it gets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from random import Random
from threading import Event
from typing import Any

from tests.whole.soaking.ledger import Ledger
from tests.whole.soaking.line import Answer, Cut, Line
from tests.whole.soaking.shelf import Shelf
from tests.whole.soaking.weather import Weather


class Wrong(Exception):
    """What no weather excuses."""


class Unavailable(Exception):
    """A 502 or 503 in good order, which a storm excuses."""


class Full(Exception):
    """A 503 for want of a place, which is excused at all times."""


class Over(Exception):
    """The round is over while a body still comes: leave it."""


@dataclass(frozen=True)
class World:
    """What all visitors share."""

    port: int
    token: str
    shelves: tuple[Shelf, ...]
    """Smallest first."""
    ledger: Ledger
    weather: Weather
    stall: float
    """DOWNLOAD_STALL_SECONDS."""
    patience: float
    """Seconds after which silence of the gateway is a wrong of its own: every wait has an end."""
    over: Event
    """The round is over: leave."""


class Visitor:
    """Does one thing after another until the round is over. All that is random comes from `dice`."""

    def __init__(self, world: World, name: str, dice: Random) -> None:
        self.world = world
        self.name = name
        self.dice = dice
        self.folder = f"/{name}"
        """Nobody else writes into it."""
        self.left_behind: set[str] = set()
        """Addresses of uploads that were begun and not finished."""

    def __repr__(self) -> str:
        return f"<Visitor {self.name}, who left {sorted(self.left_behind)}>"

    def visit(self, habits: Mapping[Habit, int]) -> None:
        """Follow these habits, each as often against the others as its number says."""
        names, weights = list(habits), list(habits.values())
        while not self.world.over.is_set():
            self.attempt(self.dice.choices(names, weights)[0])

    def attempt(self, habit: Habit) -> bool:
        """Do it once, and write down how it went; whether it went well."""
        began, ledger = time.monotonic(), self.world.ledger
        name = habit.__name__.replace("_", " ")
        try:
            habit(self)
        except Over:
            return False
        except Full:
            ledger.count("told to come back: no place")
        except (Unavailable, Cut) as error:
            kind = "cut" if isinstance(error, Cut) else "told to come back: trouble"
            ledger.count(kind)
            if not self.world.weather.excuses(began):
                ledger.wrong(f"{self.name}, {name}, in calm weather: {error}")
        except (Wrong, OSError) as error:
            ledger.count("wrong")
            ledger.wrong(f"{self.name}, {name}: {error or type(error).__name__}")
        else:
            ledger.count(f"well: {name}")
            return True
        self.world.over.wait(self.dice.uniform(0.1, 0.5))
        return False

    def line(self, receive_buffer: int | None = None) -> Line:
        return Line(self.world.port, self.world.token, self.world.patience, receive_buffer)

    def ask(
        self,
        line: Line,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        expect: Collection[int] = (200,),
    ) -> tuple[Answer, bytes]:
        """A request whose answer is small, and that answer. Raises as `judge` does, and Cut."""
        length = {"Content-Length": str(len(body))} if method in {"PUT", "POST", "PATCH"} else {}
        refused = None
        try:
            line.send(line.head(method, target, {**length, **(headers or {})}) + body)
        except Cut as error:
            refused = error  # it may have answered before all was sent
        try:
            answer = line.answer(method)
        except Cut as error:
            raise refused or error from error
        data = b"".join(line.body(answer))
        self.judge(answer, data, expect)
        self.world.ledger.sent(len(body))
        return answer, data

    def listing(self, line: Line, folder: str) -> list[dict[str, Any]]:
        """The nodes in it; none, if it is not there (yet)."""
        target = f"/api/v1/nodes?path={folder}&limit=1000"
        answer, document = self.ask(line, "GET", target, expect={200, 404})
        return list(json.loads(document)["items"]) if answer.status == 200 else []

    def judge(self, answer: Answer, data: bytes, expect: Collection[int]) -> None:
        """Raises Unavailable, Full or Wrong if the answer is none of what we expect. `data` is an error's body."""
        if answer.status in expect:
            return
        if answer.status not in {502, 503}:
            raise Wrong(f"{answer.status} and not one of {sorted(expect)}: {data[:300]!r}")
        if answer.headers["content-type"] != "application/problem+json":
            raise Wrong(f"{answer.status} that is no problem+json: {answer.headers}")
        if answer.status == 503 and int(answer.headers.get("retry-after", 0)) < 1:
            raise Wrong(f"503 without Retry-After: {answer.headers}")
        if b":at-capacity" in data:
            raise Full
        raise Unavailable(f"{answer.status}: {data[:300]!r}")


Habit = Callable[[Visitor], None]
