"""Work that goes on while what it is followed by is made ready."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Self


class Behind:
    """One piece of work at a time, in the order they were begun; none outlives the block.

    A cancelled block waits for the work that it has begun: what is cleared after it is clear.
    """

    __slots__ = ("_work",)

    def __init__(self) -> None:
        self._work: asyncio.Task[None] | None = None

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for the work before, whose failure is raised here, and begin this."""
        try:
            await self._ended()
        except BaseException:
            work.close()
            raise
        self._work = asyncio.create_task(work, name="margins-behind")

    async def _ended(self) -> None:
        if self._work is not None:
            await asyncio.shield(self._work)
            self._work = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        try:
            await self._ended()
        except Exception:
            if problem is None:  # else the one that came first is raised
                raise
