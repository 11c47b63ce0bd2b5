"""How long the event loop was away from what waited for it."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

_TICK_SECONDS = 0.001


class LoopGaps:
    """Ticks every millisecond while the block runs; a late tick shows a blocked loop."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._ticking: asyncio.TimerHandle | None = None
        self._due = 0.0

    async def __aenter__(self) -> Self:
        self._wait()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        self._note()  # a block right at the end counts too

    @property
    def longest(self) -> float:
        """Seconds."""
        return max(self.seconds)

    def quantile(self, share: float) -> float:
        """The lateness that ``share`` of the ticks do not exceed, in seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    def _wait(self) -> None:
        self._due = time.perf_counter() + _TICK_SECONDS
        self._ticking = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._note()
        self._wait()

    def _note(self) -> None:
        self.seconds.append(max(0.0, time.perf_counter() - self._due))
