"""Reading what a plugin yields, and letting it clean up when the reader stops early."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

Page = TypeVar("Page")


@asynccontextmanager
async def closing(
    read: Callable[[], AsyncIterator[Page]],
) -> AsyncIterator[AsyncIterator[Page]]:
    """What ``read`` gives, closed at the end of the block if it can be, as generators can.

    Without it a generator that is left half way stops only when it is collected, with its
    requests still running. A ``SystemExit`` on the way is a defect like any other: a task that
    raises it ends the event loop of the host.
    """
    try:
        pages = read()
        try:
            yield pages
        finally:
            close = getattr(pages, "aclose", None)
            if close is not None:
                await close()
    except SystemExit as problem:
        raise RuntimeError("a plugin wanted to end the process") from problem
