"""One answer of file bytes, compared with what they must be as they come."""

from __future__ import annotations

from tests.whole.soaking.line import Answer, Line
from tests.whole.soaking.shelf import Shelf
from tests.whole.soaking.visitor import Over, Visitor, Wrong


def ask_for(line: Line, shelf: Shelf, span: range | None = None) -> None:
    """Send the question for the file, or for a part of it, and do not wait. Raises Cut."""
    headers = {} if span is None else {"Range": f"bytes={span.start}-{span.stop - 1}"}
    line.send(line.head("GET", shelf.address, headers))


class Reading:
    """The next answer on a line, to the question for `span` of a file. Its promise is judged at once."""

    def __init__(self, visitor: Visitor, line: Line, shelf: Shelf, span: range | None = None) -> None:
        """Raises Wrong, Unavailable, Full and Cut."""
        self._visitor = visitor
        self._shelf = shelf
        answer = line.answer("GET")
        wanted = 200 if span is None else 206
        if answer.status != wanted:
            visitor.judge(answer, b"".join(line.body(answer)), {wanted})
        self._span = range(shelf.size) if span is None else span
        self._require_promise(answer, partial=span is not None)
        self.at = self._span.start
        """Where in the file the next byte comes from."""
        self._body = line.body(answer)

    def go_on(self, enough: int | None = None) -> None:
        """Read to the end, or about `enough` bytes.

        Raises Wrong, at the first byte that is, and Cut; Over, when the round is over before.
        """
        began, world = self.at, self._visitor.world
        try:
            for block in self._body:
                if not self._shelf.content.holds(self.at, block):
                    raise Wrong(
                        f"wrong bytes of {self._shelf.content} in [{self.at}, {self.at + len(block)})"
                    )
                self.at += len(block)
                if enough is not None and self.at - began >= enough:
                    return
                if world.over.is_set() and self.at < self._span.stop:
                    raise Over
        finally:
            world.ledger.received(self.at - began)

    def _require_promise(self, answer: Answer, *, partial: bool) -> None:
        span, shelf = self._span, self._shelf
        promise = {"content-length": str(len(span)), "etag": shelf.etag}
        if partial:
            promise["content-range"] = f"bytes {span.start}-{span.stop - 1}/{shelf.size}"
        for name, value in promise.items():
            if answer.headers.get(name) != value:
                raise Wrong(f"{shelf.content} {span}: {name} is {answer.headers.get(name)}, not {value}")


def fetch(visitor: Visitor, line: Line, shelf: Shelf, span: range | None = None) -> None:
    """All of the file, or of the part. Raises as Reading does."""
    ask_for(line, shelf, span)
    Reading(visitor, line, shelf, span).go_on()
