"""Who follows events as they come. Plain data, which a response may hold: it must never lead to the database.

Upkeep delivers what came; each subscription takes its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock

from errors import AtCapacity
from model import Event, News

MOST = 200
"""Subscriptions at a time; each is an open connection, of which a server has some hundreds."""
MOST_PER_USER = 8
"""Of one user: browsers, of which each needs one for all its tabs."""
MOST_PENDING = 500
"""Events that wait for one reader; past them it loads anew."""
ENDING = frozenset({"password_changed", "user_removed"})
"""Events of a user after which whoever follows has to prove anew who they are."""

_FULL = "Too many pages follow events at this moment. Ask for them every few seconds instead."


class Subscription:
    """One reader's events, in order and each once. The lock: upkeep puts, the pump takes."""

    def __init__(self, user_id: int, leave: Callable[[Subscription], None]) -> None:
        self.user_id = user_id
        self.wake: Callable[[], None] = _nobody_waits
        """Have the reader take what is there soon."""
        self.last = 0
        """The event that was taken last."""
        self.over = False
        self._leave = leave
        self._pending: list[Event] = []
        self._reset = False
        self._lock = Lock()

    def begin(self, news: News, seen: int) -> None:
        """What came after the event `seen`, before what was put meanwhile; with a reset, nothing of it."""
        with self._lock:
            self.last = news.last if news.reset else seen
            self._reset = news.reset
            self._pending[:0] = news.events

    def put(self, events: Iterable[Event], reset: bool) -> None:
        with self._lock:
            self._pending += [event for event in events if event.user_id == self.user_id]
            self.over = self.over or any(event.type in ENDING for event in self._pending)
            if reset or len(self._pending) > MOST_PENDING:
                self._reset, self._pending = True, self._pending[-1:]
            something = bool(self._pending) or self._reset
        if something:
            self.wake()

    def take(self) -> tuple[list[Event], bool]:
        """The events that came since it was asked last, and whether some are missing before them."""
        taken = []
        with self._lock:
            for event in self._pending:
                if event.id > self.last:  # it may have come both ways
                    self.last = event.id
                    taken.append(event)
            reset, self._reset, self._pending = self._reset, False, []
        return taken, reset

    def close(self) -> None:
        self._leave(self)


class Feed:
    """The lock guards the set of subscriptions; nobody is woken while it is held."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._closed = False
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<Feed with {len(self._subscriptions)} subscriptions>"

    @property
    def followed(self) -> bool:
        return bool(self._subscriptions)

    def join(self, user_id: int) -> Subscription:
        """Raises AtCapacity."""
        with self._lock:
            of_user = sum(other.user_id == user_id for other in self._subscriptions)
            if self._closed or len(self._subscriptions) >= MOST or of_user >= MOST_PER_USER:
                raise AtCapacity(_FULL, 60)
            subscription = Subscription(user_id, self._leave)
            self._subscriptions.add(subscription)
            return subscription

    def deliver(self, news: News) -> None:
        """Put everybody's news where each user's reader takes them."""
        for subscription in self._all():
            subscription.put(news.events, news.reset)

    def close(self) -> None:
        """Let nobody in any more; `end` ends the others. It takes no lock, being called by signal handlers."""
        self._closed = True

    def end(self) -> None:
        """Once it is closed, have all readers see that it is over."""
        for subscription in self._all() if self._closed else ():
            subscription.over = True
            subscription.wake()

    def _all(self) -> tuple[Subscription, ...]:
        with self._lock:
            return tuple(self._subscriptions)

    def _leave(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)


def _nobody_waits() -> None:
    pass
