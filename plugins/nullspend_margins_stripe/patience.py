"""How long a failing operation goes on, and how fast requests follow each other.

Backoff is exponential with full jitter (each wait is uniform between 0 and a doubling ceiling),
so that many tenants whose syncs failed together do not come back together.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from nullspend_margins import ProviderUnavailable
from nullspend_margins_stripe.failures import Transient, not_answered

T = TypeVar("T")

_FIRST_CEILING_SECONDS = 1.0
_LAST_CEILING_SECONDS = 60.0
# With less than this part of the budget left, another attempt could not be answered in time.
_TOO_LITTLE = 1 / 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Monotonic seconds, sleeping and chance; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class Patience:
    """The retry budget of one operation: ``seconds`` from its first failure on.

    ``succeeded`` gives the whole budget back; an operation that must end within one budget
    whatever happens in between never calls it.
    """

    __slots__ = ("_deadline", "_failures", "_last", "_seconds", "_timer")

    def __init__(self, seconds: float, timer: Timer) -> None:
        self._seconds = seconds
        self._timer = timer
        self._deadline: float | None = None
        self._failures = 0
        self._last: Transient | None = None

    @property
    def left(self) -> float:
        """Seconds left; infinite while nothing has failed."""
        return math.inf if self._deadline is None else self._deadline - self._timer.now()

    def succeeded(self) -> None:
        """Start over: the next failure is the first one."""
        self._deadline, self._failures, self._last = None, 0, None

    async def pause(self, seconds: float) -> None:
        """Wait for the rate limit's sake, before every attempt.

        Raises ``ProviderUnavailable`` when too little is left then for an attempt to be answered:
        its time-out would hide why the others failed.
        """
        if self._leaves_too_little(seconds):
            raise self._exhausted()
        if seconds > 0:
            await self._timer.sleep(seconds)
            # Asked again: a sleep may last longer than it was told to.
            if self._leaves_too_little(0):
                raise self._exhausted()

    async def after(self, failure: Transient, *, is_hurried: bool = False) -> None:
        """Wait before the next attempt. Raises ``ProviderUnavailable`` when none is due.

        ``is_hurried``: the attempt had less than the usual time. That it was not answered in that
        says less of what is wrong than the failures before it.
        """
        if self._deadline is None:
            self._deadline = self._timer.now() + self._seconds
        self._failures += 1
        if self._last is None or not (is_hurried and failure.timed_out):
            self._last = failure
        asked = failure.retry_after or 0.0
        if self._leaves_too_little(asked):
            raise self._exhausted(asked)
        await self._timer.sleep(self._delay(self.left, asked))

    def _leaves_too_little(self, seconds: float) -> bool:
        """Whether a wait of ``seconds`` leaves too little for another attempt."""
        return self.left - seconds <= self._seconds * _TOO_LITTLE

    def _delay(self, left: float, asked: float) -> float:
        if asked:
            spare = left - asked - self._seconds * _TOO_LITTLE
            return asked + self._timer.chance() * min(1.0, spare / 2)
        doubled = _FIRST_CEILING_SECONDS * 2.0 ** min(self._failures - 1, 16)
        # Half of what is left: the last attempts still have time to be answered.
        return self._timer.chance() * min(doubled, _LAST_CEILING_SECONDS, left / 2)

    def _exhausted(self, asked: float = 0.0) -> ProviderUnavailable:
        reason = self._last.reason if self._last else "too many requests are waiting"
        if asked:
            reason += f" and asks to wait {asked:.0f} s"
        return ProviderUnavailable(
            f"Stripe gave no usable answer within {self._seconds:g} s: {reason}. "
            "Nothing was changed; try again later.",
            rate_limited=self._last is None or self._last.rate_limited,
        )


class RateLimiter:
    """Spaces the requests of each key evenly: ``per_second``, 0 for no limit.

    It only does arithmetic, so it serves every event loop of the process.
    """

    __slots__ = ("_interval", "_next", "_timer")

    _MANY_KEYS = 1024

    def __init__(self, per_second: float, timer: Timer) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._timer = timer
        self._next: dict[str, float] = {}

    def reserve(self, key: str) -> float:
        """Take the key's next slot; the seconds to wait for it."""
        if not self._interval:
            return 0.0
        now = self._timer.now()
        if len(self._next) >= self._MANY_KEYS:
            self._next = {name: slot for name, slot in self._next.items() if slot > now}
        slot = max(now, self._next.get(key, now))
        self._next[key] = slot + self._interval
        return slot - now


async def persist(
    attempt: Callable[[float], Awaitable[T]],
    *,
    patience: Patience,
    reserve: Callable[[], float],
    timeout_seconds: float,
) -> T:
    """Call ``attempt`` until it answers or ``patience`` ends.

    ``attempt`` is given the seconds it may take, which never reach beyond the budget, and raises
    ``Transient`` to be called again. Raises ``ProviderUnavailable``, and whatever else it raises.
    """
    while True:
        await patience.pause(reserve())
        seconds = min(timeout_seconds, patience.left)
        failed = await _outcome(attempt, seconds)
        if not isinstance(failed, Transient):
            return failed
        await patience.after(failed, is_hurried=seconds < timeout_seconds)


async def _outcome(attempt: Callable[[float], Awaitable[T]], seconds: float) -> T | Transient:
    # Failures travel as values, so that no error chain carries an SDK exception's raw body.
    try:
        async with asyncio.timeout(seconds):
            return await attempt(seconds)
    except Transient as failure:
        return failure
    except TimeoutError:
        return not_answered(seconds)
