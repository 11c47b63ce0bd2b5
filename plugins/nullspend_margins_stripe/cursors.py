"""Several cursors read at once, merged into one stream of bounded size."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")

# Pages that wait for the reader, beside the one that each cursor holds: memory stays constant.
_WAITING_PAGES = 2


async def merged(
    cursors: Iterable[Callable[[], AsyncGenerator[T, None]]], *, concurrency: int
) -> AsyncGenerator[T, None]:
    """Everything that ``cursors`` yield, in any order, ``concurrency`` of them at a time.

    The first cursor to fail ends the others and is raised. Closing the stream early, or
    cancelling its reader, ends them too and waits until they have.
    """
    todo = deque(cursors)
    queue: asyncio.Queue[tuple[T] | None] = asyncio.Queue(_WAITING_PAGES)
    failures: list[Exception] = []
    tasks = [
        asyncio.create_task(_drain(todo, queue, failures))
        for _ in range(min(concurrency, len(todo)))
    ]
    running = len(tasks)
    try:
        while running:
            item = await queue.get()
            if failures:
                raise failures[0]
            if item is None:
                running -= 1
            else:
                yield item[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(
    todo: deque[Callable[[], AsyncGenerator[T, None]]],
    queue: asyncio.Queue[tuple[T] | None],
    failures: list[Exception],
) -> None:
    """Run cursors until none is left, then put ``None``.

    A failure goes past the queue: it must not wait behind pages that nobody will use.
    """
    try:
        while todo:
            async with aclosing(todo.popleft()()) as pages:
                async for page in pages:
                    await queue.put((page,))
    except Exception as failure:
        failures.append(failure)
    await queue.put(None)
