"""What waits for one notifier, delivered alert by alert until each has arrived or is given up."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import shlex
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from nullspend_margins.config import Config
from nullspend_margins.domain.alert import Alert, AlertDelivery, retry_pause
from nullspend_margins.domain.period import format_instant
from nullspend_margins.protocols import Clock, Notifier
from nullspend_margins.services.notifier_call import Failure, notify
from nullspend_margins.storage import alert_outbox
from nullspend_margins.storage.alert_outbox import Claim
from nullspend_margins.storage.database import Database, Transaction

NOTIFY_SECONDS = 15.0
_CLAIM = timedelta(minutes=1)
"""Longer than one attempt and the writing of its outcome: what a process that died held does not
come up again before."""

_log = logging.getLogger("nullspend_margins.alerts")


@dataclass(frozen=True, slots=True)
class Resent:
    """What came of sending a dead delivery again.

    ``put back``: its notifier is not loaded here; a process that loads it tries it next.
    ``taken``: somebody else is sending it right now. ``reason`` is why it failed, in one line.
    """

    delivery: AlertDelivery
    outcome: Literal["delivered", "failed", "put back", "taken"]
    reason: str | None = None


class NotifierQueue:
    """The outbox of one notifier. At most one stream of deliveries a process."""

    def __init__(
        self,
        notifier: Notifier,
        database: Database,
        clock: Clock,
        config: Config,
        notify_seconds: float = NOTIFY_SECONDS,
    ) -> None:
        orgs = getattr(notifier, "orgs", None)
        self.name: str = notifier.name
        self._notifier = notifier
        self._orgs = None if orgs is None else frozenset(orgs)
        self._database = database
        self._clock = clock
        self._attempts = config.alerts.attempts
        self._config_file = config.path or "FILE"
        self._notify_seconds = notify_seconds
        self._streaming = asyncio.Lock()
        self._left_alone_until: datetime | None = None

    @property
    def is_busy(self) -> bool:
        """A stream is running; it takes along what becomes due meanwhile."""
        return self._streaming.locked()

    def takes(self, org_id: str) -> bool:
        """Whether the notifier hears of this org's alerts."""
        return self._orgs is None or org_id in self._orgs

    async def deliver_due(self, deadline: float = math.inf) -> None:
        """Try everything that is due, after the stream that may be running.

        At ``deadline`` (of ``time.monotonic()``) it starts no further attempt. Raises
        ``ServiceUnavailable``.
        """
        left = None if deadline == math.inf else max(0.0, deadline - time.monotonic())
        try:
            async with asyncio.timeout(left):
                await self._streaming.acquire()
        except TimeoutError:
            return
        try:
            await self._stream(deadline)
        finally:
            self._streaming.release()

    async def resend(self, delivery: AlertDelivery) -> Resent:
        """Put a dead delivery back and try it now. Raises ``ServiceUnavailable``."""

        def revive(tx: Transaction) -> Claim | None:
            org_id, alert_id, now = delivery.alert.org_id, delivery.alert.alert_id, self._now()
            until = now + _hold(1)
            if not alert_outbox.revive(tx, org_id, alert_id, self.name, until, attempts=1):
                return None
            return Claim(delivery.alert, 1, until, now, delivery.last_error)

        claim = await self._database.write(revive)
        if claim is None:
            return Resent(delivery, "taken")
        failure = await self._attempt(claim, self._notify_seconds)
        await self._settle(claim, failure, claim_next=False)
        if failure is None:
            return Resent(delivery, "delivered")
        return Resent(delivery, "failed", failure.reason)

    async def _stream(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        may_begin = left > 0 and not self._is_left_alone()
        claim = await self._database.write(self._claim) if may_begin else None
        while claim is not None:
            seconds = max(0.0, min(self._notify_seconds, deadline - time.monotonic()))
            failure = await self._attempt(claim, seconds)
            if failure is not None and failure.is_late and seconds < self._notify_seconds:
                await self._release(claim)
                self._tell_cut_off(claim.alert, seconds)
                return
            in_time = time.monotonic() < deadline
            claim = await self._settle(claim, failure, claim_next=in_time)

    async def _attempt(self, claim: Claim, seconds: float) -> Failure | None:
        if claim.attempt > self._attempts:  # its last one ended the process, or there were more
            return Failure(claim.last_error or alert_outbox.UNREPORTED, is_final=True)
        if not self.takes(claim.alert.org_id):
            return Failure("it does not take this org's alerts any more", is_final=True)
        return await notify(self._notifier, claim.alert, seconds)

    def _claim(self, tx: Transaction) -> Claim | None:
        # The time is asked for in here: the transaction may have been waited for.
        return alert_outbox.claim_due(tx, self.name, self._now(), _hold)

    async def _release(self, claim: Claim) -> None:
        """The deadline came before the notifier's own time was over: that is no failure."""
        await self._database.write(lambda tx: alert_outbox.release(tx, claim, self.name))

    async def _settle(
        self, claim: Claim, failure: Failure | None, *, claim_next: bool
    ) -> Claim | None:
        """Write what came of a claim and take the next one, in one transaction."""
        if failure is not None:
            return await self._settle_failure(claim, failure, claim_next=claim_next)

        def settle(tx: Transaction) -> Claim | None:
            alert_outbox.mark_delivered(tx, claim.alert.alert_id, self.name, self._now())
            return self._claim(tx) if claim_next else None

        return await self._database.write(settle)

    async def _settle_failure(
        self, claim: Claim, failure: Failure, *, claim_next: bool
    ) -> Claim | None:
        is_last = failure.is_final or claim.attempt >= self._attempts
        pause = max(_pause(claim.attempt), failure.wait or timedelta())
        made = min(claim.attempt, self._attempts)
        if failure.wait is not None:
            self._left_alone_until = self._now() + failure.wait

        def settle(tx: Transaction) -> tuple[bool, datetime, Claim | None]:
            now, name, reason = self._now(), self.name, failure.reason
            if is_last:
                is_ours = alert_outbox.give_up(tx, claim, name, now, reason, attempts=made)
            else:
                is_ours = alert_outbox.mark_failed(tx, claim, name, now, now + pause, reason)
            if failure.wait is not None:
                alert_outbox.postpone(tx, name, now, now + failure.wait)
                return is_ours, now + pause, None
            return is_ours, now + pause, self._claim(tx) if claim_next else None

        is_ours, later, following = await self._database.write(settle)
        if is_ours and is_last:
            self._tell_given_up(claim.alert, made, failure)
        elif is_ours:
            self._tell_failed(claim.alert, made, failure, later)
        return following

    def _is_left_alone(self) -> bool:
        """By alerts that are raised meanwhile, too. Other processes are told by the receiver."""
        return self._left_alone_until is not None and self._now() < self._left_alone_until

    def _now(self) -> datetime:
        return self._clock.now()

    def _tell_cut_off(self, alert: Alert, seconds: float) -> None:
        """Not counted, so a call that always has too little time would never say a word."""
        _log.warning(
            "alert %s not delivered by %s: cut off after %.1f s, since the time for alerts was up; "
            "it is tried again next time",
            alert.alert_id,
            self.name,
            seconds,
        )

    def _tell_failed(self, alert: Alert, failed: int, failure: Failure, later: datetime) -> None:
        _log.warning(
            "alert %s not delivered by %s: %s (attempt %d of %d, the next one after %s)",
            alert.alert_id,
            self.name,
            failure.reason.rstrip("."),
            failed,
            self._attempts,
            format_instant(later),
        )

    def _tell_given_up(self, alert: Alert, failed: int, failure: Failure) -> None:
        _log.error(
            "alert %s given up for %s at attempt %d: %s. It is kept; to send it again: "
            "nullspend-margins alerts resend %s --org %s --notifier %s --config %s",
            alert.alert_id,
            self.name,
            failed,
            failure.reason.rstrip("."),
            alert.alert_id,
            shlex.quote(alert.org_id),
            self.name,
            shlex.quote(str(self._config_file)),
        )


def _pause(attempt: int) -> timedelta:
    return retry_pause(attempt, random.random())  # noqa: S311 - jitter, no secret


def _hold(attempt: int) -> timedelta:
    """An attempt that ends its process has failed, and waits as one that failed."""
    return max(_CLAIM, _pause(attempt))
