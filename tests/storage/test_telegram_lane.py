"""A lane owns the connection that it opened, whenever it is closed: none is left behind open and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from telethon.crypto import rsa
from telethon.tl import functions

from storage.telegram.connection import Connection, Dialling
from storage.telegram.errors import ConnectionLost
from storage.telegram.lane import Lane
from storage.telegram.statistics import Statistics
from storage.telegram.wire import Address
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.storage.telegram_store import QUICK

pytestmark = pytest.mark.slow

Test = Callable[[Lane, asyncio.Queue[Connection], asyncio.Event], Awaitable[None]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox"), control=False) as running:
        rsa.add_key(running.key.read_text(encoding="ascii"), old=False)
        yield running


def run(sandbox: RunningSandbox, test: Test) -> None:
    """`test` gets a lane, the connections that it dials, and the event for which a dial waits when it has one."""

    async def dial() -> Connection:
        connection = Connection(Dialling(sandbox.api_id, QUICK, Statistics()), address, None)
        await connection.open(functions.help.GetConfigRequest())
        dialled.put_nowait(connection)
        await handed_over.wait()
        return connection

    async def main() -> None:
        await test(Lane(dial, QUICK, Statistics()), dialled, handed_over)

    address = Address(sandbox.dc, sandbox.host, sandbox.port)
    dialled: asyncio.Queue[Connection] = asyncio.Queue()
    handed_over = asyncio.Event()
    asyncio.run(main())


def soon() -> float:
    return asyncio.get_running_loop().time() + 10.0


def test_a_connection_that_is_open_only_after_its_lane_was_given_up_is_closed(
    sandbox: RunningSandbox,
) -> None:
    async def test(lane: Lane, dialled: asyncio.Queue[Connection], handed_over: asyncio.Event) -> None:
        opening = asyncio.ensure_future(lane.opened(soon()))
        connection = await asyncio.wait_for(dialled.get(), 10.0)
        await lane.retire()
        handed_over.set()
        with pytest.raises(ConnectionLost):
            await opening
        assert connection.lost.done()
        assert not lane.is_up

    run(sandbox, test)
