"""One revenue sync of one connection: page by page into staging, then all at once."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import NamedTuple

from nullspend_margins.domain.connect_form import title_of
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.domain.text import one_line
from nullspend_margins.errors import Conflict, MarginsError, SyncInProgress
from nullspend_margins.protocols import Clock, RevenueProvider
from nullspend_margins.services.alerts import AlertService
from nullspend_margins.services.connections import connected
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.services.leasing import LeaseKeeper, sync_lease
from nullspend_margins.services.matching import match_customers
from nullspend_margins.services.sync_book import SyncBook
from nullspend_margins.services.sync_costs import RemoteCosts, read_remote
from nullspend_margins.services.sync_failures import revoked, stopped, verdict
from nullspend_margins.services.sync_report import SyncReport, kept_error, kept_report
from nullspend_margins.services.sync_staging import ProgressListener, SyncStaging
from nullspend_margins.services.unmatched import recent_since
from nullspend_margins.services.vault import Vault
from nullspend_margins.storage import applying, connections, leases, revisions, staging, syncs
from nullspend_margins.storage.connections import StoredConnection
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.excess import leave_out_excess
from nullspend_margins.storage.leases import Lease
from nullspend_margins.storage.revenue_sums import SumTooLarge

_log = logging.getLogger("nullspend_margins.sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTools:
    """What a run works with; the same for every run of a process."""

    database: Database
    vault: Vault
    clock: Clock
    keeper: LeaseKeeper
    costs: CostReader
    alerts: AlertService
    conversion: Conversion


class BackfillMonth(NamedTuple):
    """A month that a backfill brings, and the one it began with."""

    month: Period
    first: Period


class SyncRun:
    """All or nothing: a run that fails leaves the numbers of the last good one."""

    def __init__(
        self,
        tools: SyncTools,
        source: RevenueProvider,
        org_id: str,
        progress: ProgressListener | None,
        round_began: datetime | None = None,
        backfill: BackfillMonth | None = None,
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        self._tools = tools
        self._begun = begun
        self._backfill = backfill
        self._source = source
        self._provider = source.name
        self._title = title_of(source, source.name)
        told: object = getattr(source, "tells_all_services", False)
        self._tells_all_services = told is True and backfill is None
        self._org_id = org_id
        self._round_began = round_began
        self._sync_id = uuid.uuid4().hex
        month = None if backfill is None else backfill.month
        self._book = SyncBook(tools.database, tools.clock, org_id, source.name, month, progress)
        self._staging = SyncStaging(
            tools.database,
            source,
            org_id,
            self._sync_id,
            self._book.note,
            tools.conversion,
            month=month,
        )

    async def run(self) -> SyncReport:
        """Sync. Raises ``NotFound``, ``ConnectionRevoked``, ``SyncInProgress``,
        ``PermissionMissing``, ``ProviderUnavailable``, ``ServiceUnavailable``.
        """
        started = time.monotonic()
        org_id, provider = self._org_id, self._provider
        await self._read_connection()
        async with self._tools.keeper.hold(org_id, sync_lease(provider)) as lease:
            if lease is None:
                raise SyncInProgress(f"A sync of this org with {self._title} is running already.")
            # Once more: another sync may have come to its end since.
            connection = await self._read_connection()
            self._require_undone(connection)
            await self._book.begin(lease)
            self._begun()
            try:
                secret = self._tools.vault.open(org_id, provider, connection.ciphertext)
                async with self._book.kept(lease):
                    return await self._fetch_and_apply(connection, lease, secret, started)
            except Exception as problem:
                error = await self._record_failure(connection, lease, problem)
                if error is problem:
                    raise
                raise error from problem
            except asyncio.CancelledError:
                # Stopped from outside: it says so, and waits its turn like one that was tried.
                await self._record_failure(connection, lease, stopped())
                raise
            finally:
                await self._staging.discard()

    async def _read_connection(self) -> StoredConnection:
        """The connection as it is now. Raises ``NotFound`` and ``ConnectionRevoked``."""
        org_id, provider = self._org_id, self._provider
        connection = await self._tools.database.read(
            lambda tx: connected(tx, org_id, provider, title=self._title)
        )
        if connection.status == "revoked":
            raise revoked(self._title)
        return connection

    def _require_undone(self, connection: StoredConnection) -> None:
        """Two cron calls at a time share one round: what one has synced the other skips."""
        began, tried = self._round_began, connection.last_attempt_at
        if began is not None and tried is not None and tried > began:
            raise SyncInProgress(f"Another cron call has just synced {self._title} of this org.")

    async def _fetch_and_apply(
        self, connection: StoredConnection, lease: Lease, secret: str, started: float
    ) -> SyncReport:
        now = self._tools.clock.now()
        window = self._window(now, connection)
        await self._staging.fill(secret, window, lease)
        await self._book.turn_to("costs", lease)
        remote = await read_remote(
            self._tools.costs, self._tools.alerts.months(now), self._org_id, self._provider, now
        )
        await self._book.turn_to("storing", lease)

        def apply(tx: Transaction, *, is_too_much: bool = False) -> SyncReport:
            self._require_unchanged(tx, connection, lease)
            mine = self._org_id, self._provider, self._sync_id
            report = staging.staged_report(tx, *mine, window)
            if is_too_much:
                leave_out_excess(tx, *mine, window, all_services=self._tells_all_services)
                met = report.suggested_tags  # and no others, whose facts are staged now too
                report = staging.staged_report(tx, *mine, window)._replace(suggested_tags=met)
            applying.apply_staged(tx, *mine, window, all_services=self._tells_all_services)
            self._mark_done(tx, report)
            self._reseal(tx, connection, secret)
            matched = 0
            if remote is not None:
                matched = self._match(tx, report.suggested_tags, remote, now)
                if self._backfill is None:
                    self._tools.alerts.enqueue_crossings(tx, self._org_id, now, remote.months)
            told = self._told(report, matched, started)
            self._end(tx, lease, report=kept_report(told))
            revisions.advance(tx, self._org_id)
            return told

        try:
            return await self._tools.database.write(apply)
        except SumTooLarge:
            # Of one customer, and nearly never: the others must not wait for it.
            return await self._tools.database.write(partial(apply, is_too_much=True))

    def _told(self, report: staging.StagedReport, matched: int, started: float) -> SyncReport:
        return SyncReport(
            org_id=self._org_id,
            customers_processed=report.customers,
            periods_updated=report.customer_months,
            auto_matches_created=matched,
            invoices_fetched=report.fetched,
            invoices_skipped=report.skipped,
            skipped_currencies=report.skipped_currencies,
            duration_ms=round((time.monotonic() - started) * 1000),
        )

    def _end(self, tx: Transaction, lease: Lease, **outcome: Mapping[str, object]) -> None:
        now = self._tools.clock.now()
        syncs.end(tx, self._org_id, self._provider, lease.fence, now, **outcome)

    def _window(self, now: datetime, connection: StoredConnection) -> RevenueWindow:
        converts = self._tools.conversion.is_on
        if self._backfill is not None:
            month, first = self._backfill
            return RevenueWindow(
                month, month, is_backfill=True, converts=converts, looks_back=month == first
            )
        window = RevenueWindow.ending(now)
        return replace(window, cursor=connection.cursor, converts=converts)

    def _match(
        self,
        tx: Transaction,
        suggested_tags: Mapping[str, str | None],
        remote: RemoteCosts,
        now: datetime,
    ) -> int:
        local = self._tools.costs.local_tags(tx, self._org_id, recent_since(now))
        seen = {cost.tag_value for cost in chain(local, remote.tags)}
        return match_customers(tx, self._org_id, self._provider, suggested_tags, seen, now)

    def _mark_done(self, tx: Transaction, report: staging.StagedReport) -> None:
        if self._backfill is not None:
            month, first = self._backfill
            connections.mark_backfilled(
                tx, self._org_id, self._provider, first.index, month.shift(1).index
            )
            return
        done = self._tools.clock.now()
        cursor, gaps = self._staging.cursor, self._staging.gaps.values()
        connections.mark_synced(
            tx,
            self._org_id,
            self._provider,
            done,
            report.skipped_currencies,
            cursor=None if cursor is None else cursor.text,
            gaps=[asdict(gap) for gap in gaps],
        )

    def _require_unchanged(
        self, tx: Transaction, connection: StoredConnection, lease: Lease
    ) -> None:
        """Still ours to write: the lease holds, and it is the connection that we have read."""
        leases.verify(tx, lease)
        current = connected(tx, self._org_id, self._provider, title=self._title, for_update=True)
        # Sealed anew it is another text, even where the key is the same.
        if current.ciphertext != connection.ciphertext:
            raise Conflict(f"The key of {self._title} was replaced during this sync; sync again.")

    def _reseal(self, tx: Transaction, connection: StoredConnection, secret: str) -> None:
        """Bring the credential under the first encryption key: so old keys go out of use."""
        vault = self._tools.vault
        if not vault.is_current(connection.ciphertext):
            connections.replace_credential(
                tx,
                self._org_id,
                self._provider,
                key_prefix=connection.key_prefix,
                ciphertext=vault.seal(self._org_id, self._provider, secret),
                is_resealed=True,
            )

    async def _record_failure(
        self, connection: StoredConnection, lease: Lease, problem: Exception
    ) -> MarginsError:
        """Keep what went wrong with the connection; return the error the caller gets."""
        status, error = verdict(problem)

        def mark(tx: Transaction) -> None:
            leases.verify(tx, lease)
            self._end(tx, lease, error=kept_error(error))
            current = connections.get(tx, self._org_id, self._provider, for_update=True)
            if current is None or current.ciphertext != connection.ciphertext:
                return  # disconnected or given a new key meanwhile: not its fault
            if current.last_sync_at != connection.last_sync_at:
                return  # cut off after its commit: it was done
            connections.mark_failed(
                tx,
                self._org_id,
                self._provider,
                self._tools.clock.now(),
                status=status,
                error=one_line(error.message),
            )
            revisions.advance(tx, self._org_id)

        try:
            # Once begun it is done, even when we are stopped here.
            await asyncio.shield(self._tools.database.write(mark))
        except MarginsError as unrecorded:
            _log.warning("sync failure not recorded: %s", unrecorded.message)
        return error
