"""Work that goes on while what it is followed by is made ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Self

_log = logging.getLogger("nullspend_margins.sync")


class Behind:
    """One piece of work at a time, in the order they were begun; none outlives the block.

    Whoever cancels the block where it waits for its work cancels that too, and waits for its end,
    as for a write that has begun.
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
        work, self._work = self._work, None
        if work is not None:
            await work

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        try:
            await self._ended()
        except Exception as failure:
            if problem is None:
                raise
            # What came first is what is raised.
            _log.warning("what was under way failed too: %s", type(failure).__name__)
