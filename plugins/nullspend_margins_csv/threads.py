"""Work in a thread that uses something that must not be closed under it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar


class Closing(Protocol):
    """What was opened."""

    def close(self) -> object:
        """Let go of it."""
        ...


T = TypeVar("T")
C = TypeVar("C", bound=Closing)


async def in_thread(call: Callable[[], T]) -> T:
    """What ``call`` gives. Cancelled, it ends when the thread is through, and not before."""
    running = _running(call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await _ended(running)
        raise


async def open_in_thread(call: Callable[[], C]) -> C:
    """The same for what has to be closed: cancelled, it closes what nobody gets any more."""
    running = _running(call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if await _ended(running):
            running.result().close()
        raise


def _running(call: Callable[[], T]) -> asyncio.Future[T]:
    return asyncio.get_running_loop().run_in_executor(None, call)


async def _ended(running: asyncio.Future[T]) -> bool:
    """Whether it gave something; a failure of it is seen, so that nobody is told of it later."""
    await asyncio.wait((running,))
    return not running.cancelled() and running.exception() is None
