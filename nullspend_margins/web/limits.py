"""Rate limits: a token bucket for each org, in this process, in bounded memory."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from nullspend_margins.errors import RateLimitExceeded

MAX_ORGS = 10_000
"""Buckets kept; the org that was quiet longest is forgotten first, which only favours it."""


class RateLimiter:
    """Lets each org take ``per_minute`` tokens a minute, all at once if it likes; 0: any number."""

    def __init__(
        self,
        per_minute: int,
        what: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute = per_minute
        self._what = what
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, org_id: str, amount: int = 1, *, after: int = 0) -> None:
        """Take ``amount`` tokens, or raise ``RateLimitExceeded`` and take none.

        More than a full bucket holds is let through when the bucket is full, and owed for.
        ``after``: what the same request has taken before, which belongs to it and is given back
        with it.
        """
        if not self._per_minute:
            return
        now = self._monotonic()
        tokens, at = self._buckets.pop(org_id, (float(self._per_minute), now))
        rate = self._per_minute / 60
        tokens = min(float(self._per_minute), tokens + (now - at) * rate)
        needed = min(amount, self._per_minute - after)
        # A hair of tolerance: an org that waited exactly as told is not sent away again.
        admitted = tokens + 1e-9 >= needed
        left = tokens - amount if admitted else min(float(self._per_minute), tokens + after)
        self._buckets[org_id] = (left, now)
        if len(self._buckets) > MAX_ORGS:
            self._buckets.popitem(last=False)
        if not admitted:
            wait = max(1, math.ceil((needed - tokens) / rate))
            raise RateLimitExceeded(
                f"Over {self._per_minute} {self._what} a minute; come back in {wait} s.",
                retry_after_seconds=wait,
            )
