"""Those who fetch: whole files, ranges, many connections, seeks, pauses, and leaving in every way there is."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from tests.whole.soaking.line import Cut
from tests.whole.soaking.reading import Reading, ask_for, fetch
from tests.whole.soaking.shelf import Shelf
from tests.whole.soaking.visitor import Full, Habit, Unavailable, Visitor, Wrong

SMALL_BUFFER = 32 << 10
"""Of a socket whose owner wants the gateway to feel that he does not read."""
CONNECTIONS = 16
"""Of a download manager."""
TRIES = 30
"""How often each of them comes back for the rest of its segment, a second later."""


def any_shelf(visitor: Visitor) -> Shelf:
    """With something in it."""
    return visitor.dice.choice(visitor.world.shelves[1:])


def large_shelf(visitor: Visitor) -> Shelf:
    return visitor.dice.choice(visitor.world.shelves[-2:])


def some_span(visitor: Visitor, shelf: Shelf, most: int) -> range:
    start = visitor.dice.randrange(shelf.size)
    return range(start, min(shelf.size, start + visitor.dice.randint(1, most)))


def whole_file(visitor: Visitor) -> None:
    shelf = visitor.dice.choice(visitor.world.shelves)
    with visitor.line() as line:
        fetch(visitor, line, shelf)


def many_ranges_on_one_connection(visitor: Visitor) -> None:
    shelf = any_shelf(visitor)
    with visitor.line() as line:
        for _ in range(visitor.dice.randint(3, 20)):
            fetch(visitor, line, shelf, some_span(visitor, shelf, 2 << 20))


def sixteen_connections(visitor: Visitor) -> None:
    """As a download manager: a segment for each connection; one that is cut comes back for the rest."""
    shelf = large_shelf(visitor)
    borders = [shelf.size * n // CONNECTIONS for n in range(CONNECTIONS + 1)]
    with ThreadPoolExecutor(CONNECTIONS, f"{visitor.name} segment") as threads:
        segments = [threads.submit(_segment, visitor, shelf, range(*pair)) for pair in pairwise(borders)]
    for segment in segments:
        segment.result()


def _segment(visitor: Visitor, shelf: Shelf, span: range) -> None:
    rest = span
    for left in reversed(range(TRIES)):
        reading = None
        try:
            with visitor.line() as line:
                ask_for(line, shelf, rest)
                reading = Reading(visitor, line, shelf, rest)
                reading.go_on()
                return
        except (Cut, Unavailable, Full):
            rest = range(reading.at if reading else rest.start, span.stop)
            if not left or visitor.world.over.wait(1.0):
                raise


def seek_after_seek(visitor: Visitor) -> None:
    """As a player: from somewhere to the end, a little of it, away, and again."""
    shelf = large_shelf(visitor)
    for _ in range(visitor.dice.randint(2, 8)):
        rest = range(visitor.dice.randrange(shelf.size), shelf.size)
        line = visitor.line()
        try:
            ask_for(line, shelf, rest)
            Reading(visitor, line, shelf, rest).go_on(visitor.dice.randint(1, 600_000))
        finally:
            visitor.dice.choice((line.close, line.reset))()
        if visitor.world.over.is_set():
            break


def pause(visitor: Visitor) -> None:
    """Stop to read for a while, and read on: nobody may be cut for that."""
    shelf = large_shelf(visitor)
    with visitor.line(SMALL_BUFFER) as line:
        ask_for(line, shelf)
        reading = Reading(visitor, line, shelf)
        reading.go_on(visitor.dice.randint(1, 8 << 20))
        visitor.world.over.wait(visitor.world.stall * visitor.dice.uniform(0.1, 0.4))
        reading.go_on()


def stall(visitor: Visitor) -> None:
    """Stop to read for good: whoever does that is cut, and what came until then is right."""
    shelf, began = large_shelf(visitor), time.monotonic()
    with visitor.line(SMALL_BUFFER) as line:
        ask_for(line, shelf)
        reading = Reading(visitor, line, shelf)
        reading.go_on(visitor.dice.randint(1, 1 << 20))
        if visitor.world.over.wait(visitor.world.stall + 4.0):  # the watchdog looks once a second
            return
        try:
            reading.go_on()
        except Cut:
            return
        # Who waits for Telegram is not stalled, however long it takes.
        if not visitor.world.weather.excuses(began):
            raise Wrong(f"a reader of {shelf.content} that had stalled was not cut")


def vanish(visitor: Visitor) -> None:
    """Ask for a lot, take a little or nothing, and be gone without a goodbye."""
    shelf = large_shelf(visitor)
    line = visitor.line(visitor.dice.choice((None, SMALL_BUFFER)))
    try:
        ask_for(line, shelf)
        if visitor.dice.random() < 0.7:
            Reading(visitor, line, shelf).go_on(visitor.dice.randint(1, 2 << 20))
        elif visitor.dice.random() < 0.5:
            visitor.world.over.wait(visitor.dice.random() * 0.1)
    finally:
        line.reset()


def vanish_while_asking(visitor: Visitor) -> None:
    """In the middle of a head, or of a body that was promised."""
    line = visitor.line()
    try:
        head = line.head(
            visitor.dice.choice(("GET", "PUT")), "/api/v1/content/never", {"Content-Length": "70000"}
        )
        sent = (head + b"x" * 60_000)[: visitor.dice.randint(1, 60_000)]
        line.send(sent)
        visitor.world.over.wait(visitor.dice.random())
    finally:
        visitor.dice.choice((line.close, line.reset))()


def say_no_more_and_listen(visitor: Visitor) -> None:
    """Ask, close our half, and read: a gateway may take that for leaving, but what it sends is right."""
    shelf = any_shelf(visitor)
    with visitor.line() as line:
        ask_for(line, shelf)
        line.say_no_more()
        try:
            Reading(visitor, line, shelf).go_on()
        except Cut:
            pass


def questions_in_one_breath(visitor: Visitor) -> None:
    """Pipelined: several questions before the first answer; sometimes not all answers are waited for."""
    shelf = any_shelf(visitor)
    spans = [some_span(visitor, shelf, 300_000) for _ in range(visitor.dice.randint(2, 5))]
    awaited = visitor.dice.choice((len(spans), visitor.dice.randrange(len(spans))))
    with visitor.line() as line:
        for span in spans:
            ask_for(line, shelf, span)
        for span in spans[:awaited]:
            Reading(visitor, line, shelf, span).go_on()


def conditions(visitor: Visitor) -> None:
    """HEAD, and questions whose answer depends on what the client has."""
    shelf = any_shelf(visitor)
    beyond = {"Range": f"bytes={shelf.size}-"}
    with visitor.line() as line:
        answer, _ = visitor.ask(line, "HEAD", shelf.address)
        if answer.headers["content-length"] != str(shelf.size) or answer.headers["etag"] != shelf.etag:
            raise Wrong(f"HEAD of {shelf.content}: {answer.headers}")
        visitor.ask(line, "GET", shelf.address, {"If-None-Match": shelf.etag}, expect={304})
        visitor.ask(line, "GET", shelf.address, {"If-Match": '"other"'}, expect={412})
        visitor.ask(line, "GET", shelf.address, beyond, expect={416})


def pages(visitor: Visitor) -> None:
    """What never waits for Telegram answers whatever its mood."""
    with visitor.line() as line:
        for target in ("/", "/healthz", "/api/v1/nodes?path=/", "/metrics", "/static/app.css"):
            try:
                visitor.ask(line, "GET", target)
            except Unavailable as error:
                raise Wrong(f"{target}: {error}") from error


READING: dict[Habit, int] = {
    whole_file: 4,
    many_ranges_on_one_connection: 3,
    sixteen_connections: 1,
    seek_after_seek: 3,
    pause: 2,
    stall: 1,
    vanish: 3,
    vanish_while_asking: 2,
    say_no_more_and_listen: 2,
    questions_in_one_breath: 2,
    conditions: 3,
    pages: 4,
}
