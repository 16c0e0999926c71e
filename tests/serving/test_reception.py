"""Request bodies, byte by byte and whole: taken in, dropped, or met by a full disk."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from waitress.adjustments import Adjustments

from serving.reception import BITE, MAX_DRAINED, Request
from serving.routes import LARGE_BODY, SMALL_BODY, body_limit, lane
from serving.spool import SPOOL_SIZE, Spool


def arriving(*lines: str) -> Request:
    request = Request(Adjustments(), Spool())
    feed(request, "\r\n".join(["PUT /api/v1/content/f HTTP/1.1", "Host: a", *lines, "", ""]).encode())
    return request


def feed(request: Request, data: bytes) -> None:
    """As the channel does: what was not taken is given again."""
    while data and not request.completed:
        data = data[request.received(data) :]


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_body_arrives_whole_however_it_is_cut(step: int) -> None:
    message = b"PUT /api/v1/content/f HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    request = Request(Adjustments(), Spool())
    for at in range(0, len(message), step):
        feed(request, message[at : at + step])
    assert request.completed and request.error is None
    assert request.get_body_stream().read() == b"hello"
    request.close()


@pytest.mark.parametrize("line", [b"\x16\x03\x01\x02", b"GET"])
def test_a_request_that_cannot_be_read_has_a_path_to_log(line: bytes) -> None:
    request = Request(Adjustments(), Spool())
    feed(request, line + b"\r\n\r\n")
    assert request.error is not None
    assert isinstance(request.path, str)  # waitress formats it into its line when the client has left


class FullDisk:
    """A spool on a disk that takes nothing."""

    closed = False

    def __init__(self, code: int = errno.ENOSPC) -> None:
        self.code = code

    def append(self, data: bytes) -> None:
        raise OSError(self.code, "No space left on device")

    def close(self) -> None:
        self.closed = True
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_a_507_once_the_body_has_been_dropped(code: int) -> None:
    request = arriving("Content-Length: 10", "Authorization: Bearer x")
    request.body_rcv.buf = spool = FullDisk(code)
    feed(request, b"12345")
    assert (request.completed, spool.closed) == (False, True)
    feed(request, b"67890")
    assert request.completed and request.error.code == 507


def test_a_full_disk_is_told_at_once_when_too_much_is_still_to_come() -> None:
    request = arriving(f"Content-Length: {MAX_DRAINED + 1}", "Authorization: Bearer x")
    request.body_rcv.buf = FullDisk()
    feed(request, b"12345")
    assert request.completed and request.error.code == 507


def test_bodies_that_arrive_together_share_the_spool_and_give_it_back() -> None:
    spool = Spool(15)
    first, second = (Request(Adjustments(), spool) for _ in range(2))
    message = b"PUT /api/v1/content/f HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789"
    feed(first, message)
    feed(second, message)
    assert first.error is None and second.error.code == 503
    second.close()
    first.close()
    first.close()
    third = Request(Adjustments(), spool)
    feed(third, message)
    assert third.error is None
    third.close()
    assert spool.take(15) and not spool.take(1)


def test_a_promised_body_takes_no_room_before_it_arrives() -> None:
    spool = Spool(15)
    promising, sending = (Request(Adjustments(), spool) for _ in range(2))
    feed(promising, b"PUT /api/v1/content/f HTTP/1.1\r\nAuthorization: x\r\nContent-Length: 15\r\n\r\n01234")
    feed(sending, b"PUT /api/v1/content/g HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789")
    assert sending.completed and sending.error is None
    feed(promising, b"5")
    assert (promising.completed, promising.error.code) == (False, 503)
    assert spool.fits(5), "what had arrived of the refused body is given back"
    feed(promising, b"6789abcde")
    assert promising.completed
    sending.close()
    assert spool.take(15)


def test_a_full_spool_keeps_nobody_from_signing_in() -> None:
    request = Request(Adjustments(), Spool(0))
    feed(request, b"POST /login HTTP/1.1\r\nContent-Length: 10\r\n\r\nusername=a")
    assert request.completed and request.error is None
    request.close()


@pytest.mark.parametrize("body", [b"0" * 9000, b"5;" + b"a" * 9000, b"0\r\n" + b"a: b\r\n" * 2000])
def test_the_framing_of_a_chunked_body_that_does_not_end_is_refused(body: bytes) -> None:
    request = arriving("Transfer-Encoding: chunked", "Authorization: Bearer x")
    feed(request, body)
    assert request.completed and request.error.code == 400


def test_a_chunked_body_is_parsed_in_small_bites_and_arrives_whole() -> None:
    request = arriving("Transfer-Encoding: chunked", "Authorization: Bearer x")
    message = b"1\r\nx\r\n" * 5000 + b"0\r\nDigest: none\r\n\r\n"
    assert request.received(message) == BITE
    feed(request, message[BITE:])
    assert request.completed and request.error is None
    assert request.get_body_stream().read() == b"x" * 5000
    request.close()


@pytest.mark.parametrize("framing", ["plain", "chunked"])
def test_a_large_body_waits_in_the_spools_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, framing: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "full"))  # which is not there
    body = bytes(SMALL_BODY + 1)
    request = Request(Adjustments(), Spool(SPOOL_SIZE, tmp_path))
    head = "PUT /api/v1/content/f HTTP/1.1\r\nAuthorization: Bearer x\r\n"
    if framing == "plain":
        feed(request, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    else:
        whole = (
            f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        )
        feed(request, whole)
    assert request.completed and request.error is None
    assert request.get_body_stream().read() == body
    request.close()


def test_another_error_of_the_disk_is_not_hidden() -> None:
    class Broken(FullDisk):
        def append(self, data: bytes) -> None:
            raise OSError(errno.EIO, "Input/output error")

    request = arriving("Content-Length: 10", "Authorization: Bearer x")
    request.body_rcv.buf = Broken()
    with pytest.raises(OSError, match="Input/output"):
        request.received(b"1")


@pytest.mark.parametrize(
    ("method", "path", "pool", "limit"),
    [
        ("GET", "/", "pages", SMALL_BODY),
        ("GET", "/files/1/download", "downloads", SMALL_BODY),
        ("HEAD", "/files/1/download", "downloads", SMALL_BODY),
        ("DELETE", "/files/1/download", "pages", SMALL_BODY),
        ("PUT", "/api/v1/content/a", "uploads", LARGE_BODY),
        ("POST", "/api/v1/uploads", "uploads", SMALL_BODY),
        ("HEAD", "/api/v1/uploads/x", "pages", SMALL_BODY),
        ("PATCH", "/api/v1/uploads/x", "uploads", LARGE_BODY),
        ("POST", "/api/v1/uploads/x", "uploads", LARGE_BODY),
        ("PATCH", "/api/v1/files/1", "pages", SMALL_BODY),
        ("", "", "pages", SMALL_BODY),
    ],
)
def test_each_request_has_its_lane_and_its_limit(method: str, path: str, pool: str, limit: int) -> None:
    assert lane(method, path) == pool
    assert body_limit(method, path) == limit
