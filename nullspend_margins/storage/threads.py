"""Threads that run SQL beside the event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")


class EngineThreads:
    """Threads that run work on an engine, each transaction on one of them from end to end.

    A host's event loop does not stand still while thousands of rows are read or written, and a
    synchronous driver takes less of the processor than an asynchronous one.
    """

    def __init__(self, engine: Engine, count: int, name: str, *, keep: bool = False) -> None:
        """``keep``: each thread has a connection of its own, where those to a file do not break.

        To take one from the engine's pool and give it back takes longer than many a read.
        """
        self.engine: Engine = engine
        self._executor = ThreadPoolExecutor(count, name)
        self._keeps = keep
        self._own = threading.local()
        self._kept: set[Connection] = set()
        # Of a host that ends without closing, as with a test client: nothing runs any more then.
        weakref.finalize(self, _close_own, os.getpid(), self._kept, engine).atexit = False

    async def run(self, work: Callable[[Connection], T], engine: Engine | None = None) -> T:
        """Run ``work`` in a transaction, of ``engine`` where that is another view of ours.

        A cancelled caller leaves work that waits unstarted and work that runs to its end.
        """
        return await self.call(lambda: self._transact(work, engine))

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """Run ``work``, which is one question and a snapshot by itself, without a transaction."""
        return await self.call(lambda: self._ask(work))

    async def call(self, function: Callable[[], T]) -> T:
        """Run ``function`` on a thread.

        As ``run_in_executor`` does it, whose futures of two kinds that follow each other take a
        quarter longer than this one, and longer than many a read.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        running = self._executor.submit(_tell, loop, waiter, function)
        try:
            return await waiter
        except asyncio.CancelledError:
            running.cancel()  # if it has not begun
            raise

    def abandon(self) -> None:
        """Stop at once; the threads are idle when their loop is gone."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        _close_all([each for each in self._kept if not each.in_transaction()], self.engine)

    async def close(self) -> None:
        """Run what was submitted, then stop."""
        await asyncio.to_thread(self._executor.shutdown)
        # SQLite's last connection writes the log back into the file, which takes a while.
        await asyncio.to_thread(_close_all, self._kept, self.engine)

    def _transact(self, work: Callable[[Connection], T], engine: Engine | None) -> T:
        """A method: what is at work keeps its connection from being forgotten."""
        if self._keeps and engine is None:
            with self._own_connection() as connection, connection.begin():
                return work(connection)
        with (engine or self.engine).begin() as connection:
            return work(connection)

    def _ask(self, work: Callable[[Connection], T]) -> T:
        with self._own_connection() if self._keeps else self.engine.connect() as connection:
            found = work(connection)
            # A statement that was asked by way of SQLAlchemy has begun one all the same.
            if connection.in_transaction():
                connection.rollback()
            return found

    @contextmanager
    def _own_connection(self) -> Iterator[Connection]:
        """This thread's connection; after an error it goes back, and the thread gets a new one."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self.engine.connect()
            self._kept.add(connection)
        try:
            yield connection
        except BaseException:
            self._own.connection = None
            self._kept.discard(connection)
            connection.close()
            raise


def _close_all(kept: Iterable[Connection], engine: Engine) -> None:
    for connection in kept:
        connection.close()
    engine.dispose()


def _close_own(process: int, kept: Iterable[Connection], engine: Engine) -> None:
    """Not in a forked child: they are the parent's, whose server would be told that it leaves."""
    if os.getpid() == process:
        _close_all(kept, engine)


def _tell(
    loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[T], function: Callable[[], T]
) -> None:
    """Run ``function``, and give what comes of it to whoever waits in ``loop``."""
    try:
        found = function()
    except BaseException as problem:  # raised where it is waited for
        _post(loop, waiter, waiter.set_exception, problem)
    else:
        _post(loop, waiter, waiter.set_result, found)


def _post(
    loop: asyncio.AbstractEventLoop,
    waiter: asyncio.Future[T],
    settle: Callable[[Any], None],
    value: object,
) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits
        loop.call_soon_threadsafe(_settle, waiter, settle, value)


def _settle(waiter: asyncio.Future[T], settle: Callable[[Any], None], value: object) -> None:
    if not waiter.done():  # cancelled
        settle(value)


def opened(threads: EngineThreads | None) -> EngineThreads:
    """``threads``, once there are any. Raises ``RuntimeError`` before."""
    if threads is None:
        raise RuntimeError("The database is not open: call start() first.")
    return threads
