"""Large bodies over real sockets: taken in from those whose credentials are good, and from nobody else."""

from __future__ import annotations

import json
import os

import pytest

from gateway.access.slowdown import FREE_BY_ACCOUNT
from model import MIB
from serving.reception import MAX_DRAINED
from tests.conftest import House
from tests.serving.conftest import Running, response, until
from tests.web.conftest import PASSWORD, basic

DATA = os.urandom(2 * MIB)


def head(credentials: str, length: int = len(DATA), more: str = "") -> bytes:
    return (
        f"PUT /api/v1/content/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{more}"
        f"Authorization: {credentials}\r\n\r\n"
    ).encode()


@pytest.fixture
def token(house: House) -> str:
    return "Bearer " + house.gateway.people.make_token(house.user, "t")[1]


@pytest.mark.parametrize("by", ["token", "password"])
def test_a_large_body_with_good_credentials_is_stored(
    running: Running, house: House, token: str, by: str
) -> None:
    credentials = token if by == "token" else basic("ada", PASSWORD)["Authorization"]
    with running.connection() as sock:
        for _ in range(2):  # the connection goes on
            sock.sendall(head(credentials) + DATA)
            status, body = response(sock)
            assert status.split()[1] in {b"200", b"201"}, body
    assert house.gateway.files.at(house.user, "/f").name == "f"


def test_it_is_asked_for_only_then(running: Running, token: str) -> None:
    with running.connection() as sock:
        sock.sendall(head(token, more="Expect: 100-continue\r\n"))
        assert response(sock)[0].startswith(b"HTTP/1.1 100")
        sock.sendall(DATA)
        assert response(sock)[0].startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize(
    "credentials", ["Bearer made-up", "Basic YWRhOndyb25n", "Basic YWRhOnN0d19tYWRlLXVw", "made up"]
)
@pytest.mark.parametrize("expects", [True, False])
def test_made_up_credentials_get_the_apps_own_no_before_the_body_is_read(
    running: Running, credentials: str, expects: bool
) -> None:
    more = "Expect: 100-continue\r\n" if expects else ""
    with running.connection() as sock:
        sock.sendall(head(credentials, MAX_DRAINED * 4, more))
        status, body = response(sock)
    assert status.startswith(b"HTTP/1.1 401") and b"www-authenticate:" in status.lower()
    assert json.loads(body)["type"].endswith("not-signed-in")


def test_a_file_past_the_quota_is_refused_before_its_bytes_come(
    running: Running, house: House, token: str
) -> None:
    house.gateway.people.change(house.user.id, quota=len(DATA) - 1)
    with running.connection() as sock:
        sock.sendall(head(token, more="Expect: 100-continue\r\n"))
        status, body = response(sock)
    assert status.startswith(b"HTTP/1.1 507")
    assert json.loads(body)["type"].endswith("over-quota")
    house.gateway.people.change(house.user.id, quota=len(DATA))
    with running.connection() as sock:
        for _ in range(2):  # the second in the place of the first
            sock.sendall(head(token) + DATA)
            assert response(sock)[0].split()[1] in {b"200", b"201"}


def test_a_body_that_comes_anyway_is_dropped_and_takes_no_room(
    running: Running, house: House, token: str
) -> None:
    with running.connection() as sock:
        sock.sendall(head("Bearer made-up") + DATA)
        assert response(sock)[0].startswith(b"HTTP/1.1 401")
    with running.connection() as sock:
        sock.sendall(head(token) + DATA)
        assert response(sock)[0].startswith(b"HTTP/1.1 201")


def test_a_body_of_unknown_length_with_made_up_credentials_is_refused(running: Running) -> None:
    message = head("Bearer made-up").replace(b"Content-Length: 2097152", b"Transfer-Encoding: chunked")
    with running.connection() as sock:
        sock.sendall(message)
        assert response(sock)[0].startswith(b"HTTP/1.1 401")


def test_guesses_by_large_bodies_are_slowed_down_like_all_others(running: Running) -> None:
    for number in range(FREE_BY_ACCOUNT + 1):
        with running.connection() as sock:
            sock.sendall(head(basic("ada", f"guess {number}")["Authorization"], MAX_DRAINED * 2))
            status, _ = response(sock)
    assert status.startswith(b"HTTP/1.1 429") and b"retry-after:" in status.lower()


def test_who_leaves_while_the_app_is_asked_disturbs_nobody(running: Running, token: str) -> None:
    for _ in range(20):
        with running.connection() as sock:
            sock.sendall(head(token))
    with running.connection() as sock:
        sock.sendall(head(token) + DATA)
        assert response(sock)[0].startswith(b"HTTP/1.1 201")
    assert until(lambda: all(channel.idle for channel in running.server._channels()))
