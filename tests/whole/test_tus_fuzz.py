"""Any order of right and wrong tus requests: no answer is a 5xx, no acknowledged byte is lost, none is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    rule,
    run_state_machine_as_test,
)

from model import MIB
from tests.whole.running import running_gateway
from tests.whole.tus import TUS, UPLOADS, append, checksum, content, created, stands


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with running_gateway(tmp_path) as gateway, gateway.client() as client:
        yield client


LENGTHS = st.sampled_from([0, 1, 2, 1000, MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 3])
SHARES = st.sampled_from([0, 1, 17, MIB // 2, MIB - 1, MIB, MIB + 1, 3 * MIB])
GARBAGE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(
    str.strip
) | st.sampled_from(
    [
        "",
        "-1",
        "0",
        "1",
        "1e3",
        "0x10",
        "9" * 30,
        "sha256",
        "sha256 AAAA",
        "sha1 AAAA",
        "a b,c",
        ",,,",
        "1.0.0, 1.0.0",
    ]
)
HEADERS = st.sampled_from(
    ["Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Checksum", "Upload-Defer-Length", "Upload-Concat",
     "Tus-Resumable", "Content-Type", "Content-Encoding", "Expect", "X-HTTP-Method-Override", "Range", "If-Match"]
)  # fmt: skip


class Known:
    """What the client side knows of an upload: the bytes that it wants there, and how many were acknowledged."""

    def __init__(self, url: str, name: str, data: bytes) -> None:
        self.url = url
        self.name = name
        self.data = data
        self.safe = 0

    @property
    def finished(self) -> bool:
        return self.safe == len(self.data)


class Uploads(RuleBasedStateMachine):
    """Creates, appends, asks and terminates, rightly and wrongly, and checks each answer against `Known`."""

    client: httpx.Client
    alive = Bundle("alive")
    dead = Bundle("dead")

    @initialize(seed=st.integers(0, 1 << 30))
    def begin(self, seed: int) -> None:
        self.random = Random(seed)
        self.finished: list[Known] = []

    def teardown(self) -> None:
        for known in getattr(self, "finished", ()):
            assert content(self.client, known.name) == known.data

    @rule(target=alive, length=LENGTHS)
    def create(self, length: int) -> Known:
        name = uuid4().hex
        known = Known(created(self.client, length, name), name, self.random.randbytes(length))
        if known.finished:
            self.finished.append(known)
        return known

    @rule(known=alive, share=SHARES, signed=st.booleans())
    def append(self, known: Known, share: int, signed: bool) -> None:
        part = known.data[known.safe : known.safe + share]
        response = append(self.client, known.url, known.safe, part, checksum(part) if signed else None)
        assert response.status_code == 204, response.text
        assert int(response.headers["Upload-Offset"]) == known.safe + len(part)
        was_finished, known.safe = known.finished, known.safe + len(part)
        if known.finished and not was_finished:
            self.finished.append(known)

    @rule(known=alive, off=st.sampled_from([-MIB, -1, 1, MIB, 1 << 40]))
    def append_elsewhere(self, known: Known, off: int) -> None:
        offset = max(known.safe + off, 0)
        if offset != known.safe:
            assert append(self.client, known.url, offset, b"wrong place").status_code == 409

    @rule(known=alive, share=SHARES)
    def append_damaged(self, known: Known, share: int) -> None:
        part = known.data[known.safe : known.safe + share]
        if part:
            damaged = bytes([part[0] ^ 1]) + part[1:]
            assert append(self.client, known.url, known.safe, damaged, checksum(part)).status_code == 460

    @rule(known=alive)
    def append_too_much(self, known: Known) -> None:
        part = known.data[known.safe :] + b"and more"
        assert append(self.client, known.url, known.safe, part).status_code == 400

    @rule(known=alive)
    def ask(self, known: Known) -> None:
        response = self.client.head(known.url, headers=TUS)
        assert response.status_code == 200
        assert int(response.headers["Upload-Offset"]) == known.safe
        assert int(response.headers["Upload-Length"]) == len(known.data)
        assert "no-store" in response.headers["Cache-Control"]

    @rule(target=dead, known=consumes(alive))
    def terminate(self, known: Known) -> Known:
        expected = 409 if known.finished else 204
        assert self.client.delete(known.url, headers=TUS).status_code == expected
        return known

    @rule(known=dead)
    def ask_for_the_dead(self, known: Known) -> None:
        assert self.client.head(known.url, headers=TUS).status_code == (200 if known.finished else 410)

    @rule(
        known=alive,
        method=st.sampled_from(["HEAD", "PATCH", "POST", "GET", "PUT", "OPTIONS"]),
        headers=st.dictionaries(HEADERS, GARBAGE, min_size=1, max_size=4),
        body=st.binary(max_size=20),
    )
    def send_garbage(self, known: Known, method: str, headers: dict[str, str], body: bytes) -> None:
        """Without the right offset there is nothing that a request can change."""
        if "Upload-Offset" in headers and headers["Upload-Offset"] == str(known.safe):
            headers["Upload-Offset"] += "x"
        headers.setdefault("Content-Type", "application/offset+octet-stream")
        url = known.url if method != "POST" else UPLOADS
        response = self.client.request(method, url, headers=TUS | headers, content=body)
        assert response.status_code < 500, response.text
        assert stands(self.client, known.url) == known.safe


@pytest.mark.slow
def test_no_order_of_right_and_wrong_requests_loses_or_changes_a_byte(client: httpx.Client) -> None:
    Uploads.client = client
    run_state_machine_as_test(
        Uploads,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # to shrink over the wire takes longer than a test may
            suppress_health_check=list(HealthCheck),
        ),
    )
