"""Reading what a plugin yields, and letting it clean up when the reader stops early."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

Page = TypeVar("Page")


@asynccontextmanager
async def closing(pages: AsyncIterator[Page]) -> AsyncIterator[AsyncIterator[Page]]:
    """Close ``pages`` at the end of the block if it can be closed, as generators can.

    Without it a generator that is left half way stops only when it is collected, with its
    requests still running. A ``SystemExit`` on the way is a defect like any other: a task that
    raises it ends the event loop of the host.
    """
    try:
        yield pages
    except SystemExit as problem:
        raise RuntimeError("a plugin wanted to end the process") from problem
    finally:
        close = getattr(pages, "aclose", None)
        if close is not None:
            await close()
