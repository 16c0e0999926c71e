"""MTProto as a pure thing: bytes in, messages out. No sockets, no disk, no event loop, and nothing of Telegram's API.

`wire.Wire` is the whole of it for one connection; the modules beside it are its layers, outermost first: `transports`
(frames), `crypto` (MTProto 2.0 encryption), `auth_key` (the key exchange), `messages` (containers and gzip) and
`session` (message ids, salts, acknowledgements). Whatever arrives, it parses it or raises ProtocolError, nothing else.
Source of all rules: https://core.telegram.org/mtproto and the pages below it.
"""


class ProtocolError(Exception):
    """The peer broke a rule that leaves nothing to answer: the connection must be closed.

    `code` is the transport error to send first, if Telegram sends one: -404 for an auth key it does not know.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
