"""What people do with a transfer that runs: their own, or anybody's for an admin."""

from __future__ import annotations

from uuid import UUID

from errors import Conflict
from gateway.incoming.uploads import Uploads
from gateway.moving.transfer import Transfer
from gateway.moving.transfers import Transfers
from model import User


class Control:
    def __init__(self, transfers: Transfers, uploads: Uploads) -> None:
        self._transfers = transfers
        self._uploads = uploads

    def cancel(self, user: User, number: int) -> None:
        """End it: a download's connections are cut, an upload is given up.

        Raises NotFound; Busy while a part of the upload is being written; Conflict when it is a file already.
        """
        transfer = self._transfers.find(user, number)
        content = transfer.subject.content
        if isinstance(content, UUID):
            self._uploads.abort(transfer.subject.user, content)
        else:
            self._transfers.cancel(transfer)

    def pause(self, user: User, number: int) -> None:
        """Stop a download's bytes, for at most `transfer.PAUSE` seconds. Raises NotFound; Conflict for an upload."""
        self._download(user, number).pause()

    def resume(self, user: User, number: int) -> None:
        """Raises NotFound, and Conflict for an upload."""
        transfer = self._download(user, number)
        transfer.resume()
        self._transfers.wake(transfer)

    def _download(self, user: User, number: int) -> Transfer:
        transfer = self._transfers.find(user, number)
        if transfer.subject.direction == "upload":
            raise Conflict("An upload is paused by its sender, who knows where to go on.")
        return transfer
