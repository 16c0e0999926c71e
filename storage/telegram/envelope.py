"""The encrypted envelope of a message, and the one content that is worth reading by hand in it.

Nearly all bytes that come are those of an `upload.file`. Telethon would copy them six times; here they are copied once,
between AES and whoever asked for them. Everything else is left to Telethon 1.45.0, against which this is written.
"""

from __future__ import annotations

import io
import os
import struct
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from telethon.errors import SecurityError
from telethon.network.mtprotostate import MSG_TOO_NEW_DELTA, MSG_TOO_OLD_DELTA, MTProtoState
from telethon.tl import types
from telethon.tl.core import RpcResult, TLMessage
from tgcryptors import ige256_decrypt, ige256_encrypt

from storage.telegram.packets import Packet

_FILE = struct.Struct("<qqqiiIqIIiI")
"""Salt, session, message id, sequence number, length; rpc_result: constructor, request; upload.file: constructor, type,
mtime, and the length of its bytes, above _LONG (core.telegram.org/mtproto/serialize#base-types)."""
_LONG = 0xFE
"""What stands before the three bytes of a length above 253."""


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """An rpc_result with an upload.file, which Telethon tells from other things by its constructor."""

    request: int
    """The message id of what it answers."""
    file: Any
    CONSTRUCTOR_ID = RpcResult.CONSTRUCTOR_ID


class Envelopes(MTProtoState):  # type: ignore[misc]
    """MTProto state that sends messages as they are, never gzipped, and reads files by hand."""

    def write_data_as_message(
        self, buffer: io.BytesIO, data: bytes, content_related: bool, *, after_id: int | None = None
    ) -> int:
        message_id: int = self._get_new_msg_id()
        buffer.write(struct.pack("<qii", message_id, self._get_seq_no(content_related), len(data)))
        buffer.write(data)
        return message_id

    def encrypt_message_data(self, data: bytes) -> bytes:
        """The packet for a message, as Telethon makes it, with half the copies and without the interpreter's lock
        (core.telegram.org/mtproto/description#encrypted-message).
        """
        head = struct.pack("<qq", self.salt, self.id)
        plain = b"".join((head, data, os.urandom(-(len(data) + 12) % 16 + 12)))
        seen = sha256(self.auth_key.key[88:120])
        seen.update(plain)
        message_key = seen.digest()[8:24]
        key, iv = self._calc_key(self.auth_key.key, message_key, True)
        return b"".join(
            (struct.pack("<Q", self.auth_key.key_id), message_key, ige256_encrypt(plain, key, iv))
        )

    def decrypt_message_data(self, body: Packet) -> Any:
        """The TLMessage in a packet, or None if it is to be ignored. Raises what Telethon's does."""
        if isinstance(body, list):
            message = self._file_answer(body)
            if message is not None:
                body.clear()  # Telethon's loop holds on to it until the next one comes, perhaps for hours
                return message
            body = b"".join(body)
        return super().decrypt_message_data(body)

    def _file_answer(self, packet: list[bytes]) -> TLMessage | None:
        """The message, if it is a new one with a file's bytes; any other is for Telethon, to read or to refuse."""
        arrived = time.time()
        if packet[0][:8] != struct.pack("<Q", self.auth_key.key_id):
            return None
        plain = self._opened(*packet)
        _, session, number, sequence, _, kind, request, what, _, _, length = _FILE.unpack_from(plain)
        if (kind, what, length & 0xFF) != (RpcResult.CONSTRUCTOR_ID, types.upload.File.CONSTRUCTOR_ID, _LONG):
            return None
        if session != self.id or not self._is_new(number, arrived):
            return None
        body = plain[_FILE.size : _FILE.size + (length >> 8)]
        if len(body) < length >> 8:
            return None
        self._recent_remote_ids.append(number)
        self._highest_remote_id = number
        self._ignore_count = 0
        return TLMessage(number, sequence, FileAnswer(request, types.upload.File(None, 0, body)))

    def _is_new(self, number: int, now: float) -> bool:
        """Whether a message of the server's has come for the first time and in time
        (core.telegram.org/mtproto/security_guidelines#checking-msg-id)."""
        if number % 2 != 1 or (number <= self._highest_remote_id and number in self._recent_remote_ids):
            return False
        late = now + self.time_offset - (number >> 32)
        return bool(-MSG_TOO_NEW_DELTA <= late <= MSG_TOO_OLD_DELTA)

    def _opened(self, head: bytes, sealed: bytes) -> bytes:
        """The plain text. Raises SecurityError where the message key is not that of it."""
        message_key = head[8:]
        plain: bytes = ige256_decrypt(sealed, *self._calc_key(self.auth_key.key, message_key, False))
        seen = sha256(self.auth_key.key[96:128])
        seen.update(plain)
        if seen.digest()[8:24] != message_key:
            raise SecurityError("the message key is not that of the message")
        return plain
