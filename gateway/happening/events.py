"""What happened, for pages that follow it and for the log of admins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock

from db import Database
from db.happening.events import Events as Rows
from gateway.happening.feed import Feed, Subscription
from model import News, User

KEPT_FOR = timedelta(days=7)


class Events:
    def __init__(self, database: Database) -> None:
        self._rows = Rows(database)
        self._feed = Feed()
        self._passed = 0
        """The last event that was passed on."""
        self._passing = Lock()  # what is passed on to whom is decided in one step

    def since(self, user: User, seen: int | None) -> News:
        """The user's events after the one with the id `seen`; with None, only where they stand."""
        if seen is None:
            return News((), self._rows.last(user.id), reset=False)
        return self._rows.since(seen, user.id)

    def follow(self, user: User, seen: int | None) -> Subscription:
        """The user's events after `seen`, or from now on, as they come; to be closed. Raises AtCapacity."""
        with self._passing:
            if not self._feed.followed:
                self._passed = self._rows.last()
            subscription = self._feed.join(user.id)
        try:
            news = self.since(user, seen)
        except BaseException:
            subscription.close()
            raise
        subscription.begin(news, news.last if seen is None else seen)
        return subscription

    def pass_on(self) -> None:
        """Deliver what happened since the last time to those who follow."""
        self._feed.end()
        with self._passing:
            if self._feed.followed and (news := self._rows.since(self._passed)).last != self._passed:
                self._passed = news.last
                self._feed.deliver(news)

    def wind_down(self) -> None:
        """Have followers leave soon. For signal handlers, too: it takes no lock."""
        self._feed.close()

    def forget_old(self) -> None:
        self._rows.prune(datetime.now(UTC) - KEPT_FOR)
