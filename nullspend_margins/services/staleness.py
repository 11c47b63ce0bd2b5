"""Finds cost sources that have stopped delivering, and those that are back.

Runs where the timer's work is done, so that it needs no task in the background. Each silence is
told once, in the log and as an alert to each org that knows the source, whichever process looks.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from nullspend_margins.config import Config
from nullspend_margins.domain.delivery import ALL_ORGS, DeliveryRecord, SourceState, source_states
from nullspend_margins.domain.period import format_instant
from nullspend_margins.domain.silence import Silence
from nullspend_margins.errors import MarginsError
from nullspend_margins.protocols import Clock
from nullspend_margins.services.access import AccessService
from nullspend_margins.services.alerts import AlertService
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.storage import cost_deliveries
from nullspend_margins.storage.database import Database, Transaction

_PLAN_SECONDS = 10

_log = logging.getLogger("nullspend_margins.costs")


class _Change(NamedTuple):
    """What is to be told of one record: a silence, or (``None``) the end of one."""

    record: DeliveryRecord
    state: SourceState
    silence: Silence | None

    @property
    def since(self) -> datetime | None:
        """The silence to remember."""
        return None if self.silence is None else self.silence.last_delivered_at


class StalenessWatch:
    """Compares when each source last delivered with how long it may be silent."""

    def __init__(
        self,
        database: Database,
        costs: CostReader,
        alerts: AlertService,
        access: AccessService,
        clock: Clock,
        config: Config,
    ) -> None:
        self._database = database
        self._costs = costs
        self._alerts = alerts
        self._access = access
        self._clock = clock
        self._settings = config.costs

    async def look(self, deadline: float = math.inf) -> None:
        """Tell what has changed, org by org; at ``deadline`` (of ``time.monotonic()``) the rest
        waits for the next time. Never raises: whoever calls has more to do.
        """
        try:
            orgs = await self._orgs_with_changes()
        except MarginsError as problem:
            _log.warning("cost sources not looked after: %s", problem.message)
            return
        # So that those before an org do not use up its time every time.
        random.shuffle(orgs)
        for org_id in orgs:
            if time.monotonic() >= deadline:
                return
            await self._look_after(org_id, deadline)

    async def _look_after(self, org_id: str, deadline: float) -> None:
        """One org's failure never stops another's, nor whatever is done after the look."""
        try:
            if org_id == ALL_ORGS or await self._has_plan(org_id, deadline):
                await self._tell(org_id)
        except TimeoutError:
            _log.warning("cost sources of org %s not looked after: its plan is not told", org_id)
        except MarginsError as problem:
            _log.warning("cost sources of org %s not looked after: %s", org_id, problem.message)
        except Exception:
            _log.exception("cost sources of org %s not looked after", org_id)

    async def _has_plan(self, org_id: str, deadline: float) -> bool:
        """Raises ``TimeoutError`` when a host's plan checker has no answer in time."""
        left = min(deadline - time.monotonic(), _PLAN_SECONDS)
        async with asyncio.timeout(left):
            return await self._access.has_plan(org_id)

    async def _orgs_with_changes(self) -> list[str]:
        """One read; most of the time that is all."""
        now = self._clock.now()
        shortest = self._settings.shortest
        before = None if shortest is None else now - shortest
        found = await self._database.read(lambda tx: cost_deliveries.maybe_changed(tx, before))
        shared = [each for each in found if each.org_id == ALL_ORGS]
        by_org: dict[str, list[DeliveryRecord]] = {ALL_ORGS: []}
        for record in found:
            by_org.setdefault(record.org_id, []).append(record)
        return [
            org_id
            for org_id, records in by_org.items()
            if self._changes(org_id, {*records, *shared}, now)
        ]

    async def _tell(self, org_id: str) -> None:
        now = self._clock.now()

        def tell(tx: Transaction) -> list[_Change]:
            records = cost_deliveries.of_org(tx, org_id)
            ours = [
                each
                for each in self._changes(org_id, records, now)
                if cost_deliveries.mark_silent(tx, each.record, each.since)
            ]
            if org_id != ALL_ORGS:
                silences = [each.silence for each in ours if each.silence is not None]
                self._alerts.enqueue(tx, org_id, now, silences)
            return ours

        for change in await self._database.write(tell):
            _log_change(org_id, change)

    def _changes(
        self, org_id: str, records: Iterable[DeliveryRecord], now: datetime
    ) -> Sequence[_Change]:
        """Of an org's sources, or of ``ALL_ORGS``, by the records of both."""
        records = list(records)
        own = {each.source: each for each in records if each.org_id == org_id}
        if org_id == ALL_ORGS:
            # Each as an org would see it that knows it.
            records += [each._replace(org_id="*") for each in own.values()]
        found = []
        for state in source_states(records, self._costs.kinds, now):
            record = own.get(state.name)
            if record is not None and state.kind != "aggregating":
                change = self._change(record, state, now)
                found += [] if change is None else [change]
        return found

    def _change(self, record: DeliveryRecord, state: SourceState, now: datetime) -> _Change | None:
        told, last = record.silent_since, state.delivered_at
        if last is None:
            return None
        stale_after = self._settings.stale_after(state.name, state.kind)
        if stale_after is not None and state.is_stale(now, stale_after):
            if told == last:
                return None
            return _Change(record, state, _silence(state, last, now - last, stale_after))
        return _Change(record, state, None) if told is not None and last > told else None


def _silence(
    state: SourceState, last: datetime, silent_for: timedelta, stale_after: timedelta
) -> Silence:
    return Silence(
        source=state.name,
        kind=state.kind,
        last_delivered_at=last,
        silent_for=silent_for,
        stale_after=stale_after,
        last_error=state.last_error,
    )


def _log_change(org_id: str, change: _Change) -> None:
    """A source that is pulled is told of once, not for each org that it delivers to."""
    state = change.state
    if org_id != ALL_ORGS and state.kind == "pulled":
        return
    whose = "" if org_id == ALL_ORGS else f" of org {org_id}"
    last = "never" if state.delivered_at is None else format_instant(state.delivered_at)
    if change.silence is None:
        _log.warning("cost source %s%s is back: it delivered at %s", state.name, whose, last)
        return
    reason = f" ({state.last_error})" if state.last_error else ""
    _log.warning("cost source %s%s is stale: silent since %s%s", state.name, whose, last, reason)
