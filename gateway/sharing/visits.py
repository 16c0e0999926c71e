"""Who comes by a share: is it still open, does the password fit, what lies in it, and its bytes.

A visitor is whoever comes from one network. Names and numbers never decide: every verb asks the database whether a file
or folder belongs to the share now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from db import Database, Shared
from db import Shares as Rows
from errors import Gone, NotFound
from gateway.access.answers import Answers
from gateway.access.passwords import MAX_PASSWORD, Passwords, stamp
from gateway.access.slowdown import Slowdown, network
from gateway.access.uses import Uses
from gateway.moving.transfer import Visitor
from gateway.outgoing.archives import Archives
from gateway.outgoing.downloads import Download, Downloads
from gateway.sharing.shares import TOKEN_LENGTH
from model import ByteRange, Client, File, Folder, Order, Share, SharedFolder, Sort
from streaming.stored_archive import StoredArchive

ONCE_IN = timedelta(hours=12)
"""How long the same file, fetched from the same network, is one download: as long as what is unlocked stays so."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who may see what is shared; with `only`, nothing of it but the file or folder with this id.

    Who has known a password is `unlocked` until then, in seconds since 1970.
    """

    share: Share
    client: Client
    only: int | None = None
    unlocked: int | None = None

    @property
    def network(self) -> str:
        return network(self.client.address)

    @property
    def visitor(self) -> Visitor:
        terms = self.share.terms
        rate = 1000 * (terms.rate_limit_kb or 0)
        return Visitor(self.share.id, self.network, rate, terms.max_connections or 0)


class Visits:
    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        answers: Answers,
        archives: Archives,
        downloads: Downloads,
    ) -> None:
        self._database = database
        self._rows = Rows(database)
        self._shared = Shared(database)
        self._passwords = passwords
        self._answers = answers
        self._slowdown = Slowdown()
        self._archives = archives
        self._downloads = downloads
        self._uses = Uses(self._rows.used)

    # Coming in. ----------------------------------------------------------------------------------------------

    def find(self, token: str, client: Client, password: str | None) -> Share:
        """The share, as long as it is open. `password` is what came along: an unknown token costs as much work as a
        wrong password.

        Raises NotFound when there is none, or it is in the bin; Gone when it has expired or is used up, though who
        has begun to download goes on; and what `fits` raises.
        """
        share = self._rows.by_token(token)
        state = "none" if share is None else share.state(self._database.now())
        if share is None or state == "in_bin":
            if password is not None:
                self._fits(token, self._passwords.nobodys, password, client.address, known=False)
            raise NotFound("There is nothing at this link, or no longer.")
        if state == "expired":
            raise Gone("This link has expired.")
        if state == "used_up" and not self._rows.counted(share.id, network(client.address), self._since()):
            raise _used_up()
        return share

    def fits(self, share: Share, password: str, client: Client) -> bool:
        """Whether this is the password of a share that has one. Raises TooManyGuesses and AtCapacity."""
        assert share.password_hash is not None
        # Who has fetched something from there has known the password: strangers do not keep them out.
        known = self._rows.counted(share.id, network(client.address), self._since())
        return self._fits(share.token, share.password_hash, password, client.address, known=known)

    def _fits(self, token: str, stored: str, password: str, address: str, *, known: bool) -> bool:
        if len(password) > MAX_PASSWORD:
            return False
        place = network(address)

        def ask() -> bool:
            # What is remembered of a token that is none must not be as long as a request may be.
            share = token[:TOKEN_LENGTH]
            return self._slowdown.guess(share, place, known, lambda: self._passwords.fits(stored, password))

        # With the stored hash in the question, an answer ends when the password changes or the share goes; with the
        # place, who guesses does not hear what somebody elsewhere got right a moment ago.
        return self._answers.to("share", token, stored, password, place, ask=ask)

    def stamp(self, share: Share) -> str:
        """What changes with the password, and tells nothing of it."""
        return stamp(share.password_hash or "")

    def note(self, visit: Visit) -> None:
        """The share was used."""
        self._uses.note(visit.share.id, self._database.now())

    # What is there: NotFound for what is not, or not for this visit. --------------------------------------------

    def file(self, visit: Visit, file_id: int) -> File:
        _require_meant(visit, file_id)
        return self._shared.file(visit.share, file_id)

    def folder(self, visit: Visit, folder_id: int) -> Folder:
        _require_meant(visit, folder_id)
        return self._shared.folder(visit.share, folder_id)

    def listing(
        self,
        visit: Visit,
        folder_id: int,
        cursor: str | None,
        limit: int,
        *,
        sort: Sort = "name",
        order: Order = "asc",
    ) -> SharedFolder:
        """One page of a folder. Raises BadInput, too, for a cursor that is not ours."""
        _require_meant(visit, folder_id)
        return self._shared.listing(visit.share, folder_id, cursor, limit, sort=sort, order=order)

    def archive(self, visit: Visit, folder: Folder) -> StoredArchive:
        """Raises what Archives.of raises."""
        return self._archives.of(visit.share.owner, folder)

    # Bytes. --------------------------------------------------------------------------------------------------

    def require_left(self, visit: Visit, node_id: int) -> None:
        """Raises Gone when no more downloads are left, and this one has not begun."""
        if visit.share.used_up and not self.has_begun(visit.share, visit.client, node_id):
            raise _used_up()

    def has_begun(self, share: Share, client: Client, node_id: int) -> bool:
        """Whether a download of the file or folder has begun from there, and may go on."""
        return self._rows.counted(share.id, network(client.address), self._since(), node_id)

    def open(self, visit: Visit, file: File, span: ByteRange, gone: Callable[[], bool]) -> Download:
        """As Downloads.open, under the share's limits, and counted. Raises Gone, too, when it is used up."""
        self.require_left(visit, file.id)
        owner, visitor = visit.share.owner, visit.visitor
        download = self._downloads.open(owner, file, span, client=visit.client, gone=gone, visitor=visitor)
        return self._counted(visit, file.id, download)

    def open_archive(
        self,
        visit: Visit,
        folder: Folder,
        archive: StoredArchive,
        span: ByteRange,
        gone: Callable[[], bool],
    ) -> Download:
        """The same of a folder's archive."""
        self.require_left(visit, folder.id)
        owner, visitor = visit.share.owner, visit.visitor
        download = self._downloads.open_archive(
            owner, folder, archive, span, client=visit.client, gone=gone, visitor=visitor
        )
        return self._counted(visit, folder.id, download)

    def count(self, visit: Visit, node_id: int) -> None:
        """A download of the file or folder begins, or goes on. Raises Gone when there are none left."""
        if not self._rows.count(visit.share, visit.network, self._since(), node_id):
            raise _used_up()

    def _counted(self, visit: Visit, node_id: int, download: Download) -> Download:
        """Only now, as its first piece is in hand: what could not be had costs nobody a download."""
        try:
            self.count(visit, node_id)
        except BaseException:
            download.close()
            raise
        return download

    # For upkeep. ---------------------------------------------------------------------------------------------

    def keep_uses(self) -> None:
        """Write down when shares were used last, as far as the database is free."""
        self._uses.keep()

    def forget_old(self) -> None:
        """Who fetched what, once that no longer matters."""
        self._rows.forget_counted(self._since())

    def _since(self) -> datetime:
        """Since when a download that was counted still counts as begun."""
        return self._database.now() - ONCE_IN


def _require_meant(visit: Visit, node_id: int) -> None:
    if visit.only not in {None, node_id}:
        raise NotFound("This link is for another file or folder.")


def _used_up() -> Gone:
    return Gone("This link was used as often as it may be.")
