"""One asyncio loop on one daemon thread: the only bridge between the gateway's threads and Telethon."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from errors import StoreClosed, Transient

T = TypeVar("T")


class LoopThread:
    """Started by the first `submit`. After `close` every submission fails with StoreClosed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()  # start, submit and close may come from three threads at once
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else "running" if self._loop else "idle"
        return f"<LoopThread {self._name} {state}>"

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `work` on the loop. Cancelling the future cancels the task."""
        future: Future[T] = Future()
        self.fulfil(future, work)
        return future

    def fulfil(self, future: Future[T], work: Coroutine[Any, Any, T]) -> None:
        """Run `work` on the loop and end `future` as it ends. Cancelling the future cancels the task."""
        with self._lock:
            if not self._closed:
                self._started().call_soon_threadsafe(self._begin, future, work)
                return
        work.close()
        future.set_exception(StoreClosed("The store is closed."))

    def _begin(self, future: Future[T], work: Coroutine[Any, Any, T]) -> None:
        if future.cancelled():
            future.set_running_or_notify_cancel()
            work.close()
            return
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._until_closed(work))

        def abandoned(ended: Future[T]) -> None:
            if ended.cancelled():
                with suppress(RuntimeError):  # the loop is closed, and the task with it
                    loop.call_soon_threadsafe(task.cancel)

        task.add_done_callback(partial(_hand_over, future))
        future.add_done_callback(abandoned)

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """`submit` and wait. Raises what `work` raises, Transient after `timeout` seconds, StoreClosed if closed."""
        future = self.submit(work)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise Transient("Telegram did not answer in time.") from None

    def close(self, farewell: Coroutine[Any, Any, None] | None = None, *, deadline: float) -> None:
        """Refuse new work, cancel all tasks, run `farewell`, stop; at most about `deadline` seconds in all."""
        with self._lock:
            first, self._closed = not self._closed, True
            loop, thread = self._loop, self._thread
        if not first or loop is None or thread is None:
            if farewell is not None:
                farewell.close()
            return
        asyncio.run_coroutine_threadsafe(_finish(farewell, deadline * 0.8), loop)
        thread.join(deadline)

    async def _until_closed(self, work: Coroutine[Any, Any, T]) -> T:
        """`work`; what is cut off by `close` fails as later calls do, and does not look cancelled by its owner."""
        try:
            return await work
        except asyncio.CancelledError:
            if self._closed:
                raise StoreClosed("The store was closed meanwhile.") from None
            raise

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_serve, args=(self._loop,), name=self._name, daemon=True)
            self._thread.start()
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


def _hand_over(future: Future[T], task: asyncio.Task[T]) -> None:
    if task.cancelled():
        future.cancel()
    # Looked at even where nobody waits for it any more.
    failure = None if task.cancelled() else task.exception()
    if not future.set_running_or_notify_cancel():  # tells those who wait() for it, as an executor would
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(task.result())


async def _finish(farewell: Coroutine[Any, Any, None] | None, deadline: float) -> None:
    loop = asyncio.get_running_loop()
    others = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    for task in others:
        task.cancel()
    last: set[asyncio.Task[Any]] = set(others)
    if farewell is not None:
        last.add(loop.create_task(farewell))
    if last:
        await asyncio.wait(last, timeout=deadline)
    loop.call_soon(loop.stop)
