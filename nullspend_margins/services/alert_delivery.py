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

from nullspend_margins.config import Config
from nullspend_margins.domain.alert import Alert, AlertDelivery, retry_pause
from nullspend_margins.protocols import Clock, Notifier
from nullspend_margins.services.notifying import Failure, notify
from nullspend_margins.storage import alert_outbox
from nullspend_margins.storage.database import Database, Transaction

NOTIFY_SECONDS = 15.0
_CLAIM = timedelta(minutes=1)
"""Longer than one attempt and the writing of its outcome: what a process that died held comes
up again after this."""

_log = logging.getLogger("nullspend_margins.alerts")


@dataclass(frozen=True, slots=True)
class _Claim:
    """An alert that this process alone tries now, and how often it was tried before."""

    alert: Alert
    attempts: int


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
        self.name = notifier.name
        self._notifier = notifier
        self._orgs = None if orgs is None else frozenset(orgs)
        self._database = database
        self._clock = clock
        self._attempts = config.alerts.attempts
        self._config_file = config.path or "FILE"
        self._notify_seconds = notify_seconds
        self._streaming = asyncio.Lock()

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

    async def resend(self, delivery: AlertDelivery) -> Failure | None:
        """Put a dead delivery back and try it now; what went wrong, if anything did."""
        org_id, alert_id = delivery.alert.org_id, delivery.alert.alert_id
        until = self._clock.now() + _CLAIM
        revived = await self._database.write(
            lambda tx: alert_outbox.revive(tx, org_id, alert_id, self.name, until)
        )
        if not revived:
            return Failure("somebody else is sending it again right now")
        claim = _Claim(delivery.alert, 0)
        failure = await self._attempt(claim)
        await self._settle(claim, failure, claim_next=False)
        return failure

    async def _stream(self, deadline: float) -> None:
        if time.monotonic() >= deadline:
            return
        now = self._clock.now()
        claim = await self._database.write(lambda tx: self._claim(tx, now))
        while claim is not None:
            failure = await self._attempt(claim)
            in_time = time.monotonic() < deadline
            claim = await self._settle(claim, failure, claim_next=in_time)

    async def _attempt(self, claim: _Claim) -> Failure | None:
        if not self.takes(claim.alert.org_id):
            return Failure("it does not take this org's alerts any more", is_final=True)
        return await notify(self._notifier, claim.alert, self._notify_seconds)

    def _claim(self, tx: Transaction, now: datetime) -> _Claim | None:
        found = alert_outbox.claim_due(tx, self.name, now, now + _CLAIM)
        return None if found is None else _Claim(*found)

    async def _settle(
        self, claim: _Claim, failure: Failure | None, *, claim_next: bool
    ) -> _Claim | None:
        """Write what came of a claim and take the next one, in one transaction."""
        now = self._clock.now()
        failed = claim.attempts + 1
        is_last = failure is not None and (failure.is_final or failed >= self._attempts)
        later = now + retry_pause(failed, random.random())  # noqa: S311 - jitter, no secret

        def settle(tx: Transaction) -> tuple[bool, _Claim | None]:
            alert_id, gave_up = claim.alert.alert_id, False
            if failure is None:
                alert_outbox.mark_delivered(tx, alert_id, self.name, now)
            elif is_last:
                gave_up = alert_outbox.give_up(tx, alert_id, self.name, now, failure.reason)
            else:
                alert_outbox.mark_failed(tx, alert_id, self.name, now, later, failure.reason)
            return gave_up, self._claim(tx, now) if claim_next else None

        gave_up, following = await self._database.write(settle)
        if failure is not None and gave_up:
            self._tell_given_up(claim.alert, failed, failure)
        elif failure is not None and not is_last:
            self._tell_failed(claim.alert, failed, failure, later)
        return following

    def _tell_failed(self, alert: Alert, failed: int, failure: Failure, later: datetime) -> None:
        _log.warning(
            "alert %s not delivered by %s: %s (attempt %d of %d, the next one after %s)",
            alert.alert_id,
            self.name,
            failure.reason.rstrip("."),
            failed,
            self._attempts,
            f"{later:%Y-%m-%d %H:%M:%SZ}",
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
