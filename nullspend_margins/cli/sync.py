"""``sync``: revenue syncs from a terminal or a timer."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NamedTuple, Protocol

import typer

from nullspend_margins.cli.options import ConfigFile, OneOrg
from nullspend_margins.cli.output import complain, say
from nullspend_margins.cli.running import open_margins

if TYPE_CHECKING:
    from nullspend_margins.app import Margins
    from nullspend_margins.domain.period import Period
    from nullspend_margins.services import Services
    from nullspend_margins.services.sync_report import SyncReport
    from nullspend_margins.services.sync_staging import ProgressListener

_log = logging.getLogger("nullspend_margins.sync")

Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="YYYY-MM",
        help="Bring the months from this one on as well.",
        show_default=False,
    ),
]
Connection = tuple[str, str]
"""An org and one of its revenue providers."""


class Tracker(Protocol):
    """Shows how far the syncs are."""

    def begin(self, connection: Connection) -> ProgressListener | None:
        """A sync starts; what it tells its progress to."""
        ...

    def expect(self, months: int) -> None:
        """A backfill of so many months starts; each counts as much as a sync."""
        ...

    def end(self, connection: Connection) -> None:
        """A sync is over, however it went."""
        ...


def sync(config: ConfigFile, org: OneOrg = None, since: Since = None) -> None:
    """Replay journals, pull cost sources, then sync revenue: of every org, or of one.

    With `--since`, months of long ago are brought first, one by one; they stay, and a run that
    was stopped goes on where it was when it is started again with the same month. The exit status
    is 1 when anything failed; one org's failure does not stop the others.
    """
    failed = asyncio.run(_sync(open_margins(config), org, _month(since)))
    if failed:
        raise typer.Exit(1)


def _month(since: str | None) -> Period | None:
    from nullspend_margins.domain.period import Period
    from nullspend_margins.errors import ValidationFailed

    if since is None:
        return None
    try:
        return Period.parse(since)
    except ValidationFailed as problem:
        raise typer.BadParameter(
            "must be a month, for example 2025-01", param_hint="--since"
        ) from problem


async def _sync(margins: Margins, org: str | None, since: Period | None) -> int:
    """Sync and tell; returns how much of it failed."""
    async with margins.lifespan():
        services = await margins.services()
        failed = 0 if await services.sync.replay() else 1
        if failed:
            complain("Recorded cost events are left in the journal; the log above says why.")
        sources = await services.sync.pull_costs()
        if sources:
            complain(f"{sources} cost source(s) failed; the log above says how.")
        failed += sources
        due = await _due(margins, services, org)
        connections = due.connections
        failed += due.unknown
        if not connections and not due.unknown:
            say(_nothing_to_sync(org, due.left_out))
        with _tracker(len(connections)) as tracker:
            work = _Work(services=services, tracker=tracker, asked_for=org is not None, since=since)
            failed += await _sync_all(work, connections)
        await services.alerts.deliver_due()
    return failed


def _nothing_to_sync(org: str | None, left_out: int) -> str:
    if org is not None:
        return f"{org} has no connections."
    if left_out:
        return "There is nothing to sync: no org with a connection has a plan that includes it."
    return "There are no connections to sync."


class _Due(NamedTuple):
    """What to sync. ``unknown``: of how many asking for the plan failed. ``left_out``: of how many
    the plan does not include the product.
    """

    connections: list[Connection]
    unknown: int = 0
    left_out: int = 0


async def _due(margins: Margins, services: Services, org: str | None) -> _Due:
    """All that is due, least recently synced first, or all of ``org``.

    Raises ``Forbidden`` when the plan of ``org`` does not include the product.
    """
    if org is None:
        due = await services.sync.due()
        answers = [await _has_plan(services, each) for each in due]
        found = [each for each, answer in zip(due, answers, strict=True) if answer]
        return _Due(found, answers.count(None), answers.count(False))
    found = [
        (org, provider)
        for provider in margins.registry.revenue_providers
        if await services.connections.status(org, provider) is not None
    ]
    if found:
        await services.access.require_plan(org)
    return _Due(found)


async def _has_plan(services: Services, connection: Connection) -> bool | None:
    """Whether the org's plan includes the product; ``None``, and told, when asking failed."""
    try:
        return await services.access.has_plan(connection[0])
    except Exception as problem:
        _tell_failure(connection, problem)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What every sync of one command has in common. ``asked_for``: its org was named."""

    services: Services
    tracker: Tracker
    asked_for: bool
    since: Period | None


async def _sync_all(work: _Work, connections: list[Connection]) -> int:
    """Sync several at a time, as cron does; returns how many failed."""
    waiting = iter(connections)

    async def some() -> list[bool]:
        return [await _sync_one(work, connection) for connection in waiting]

    workers = work.services.config.cron.concurrency
    outcomes = await asyncio.gather(*(some() for _ in range(workers)))
    return sum(worker.count(False) for worker in outcomes)


async def _sync_one(work: _Work, connection: Connection) -> bool:
    from nullspend_margins.errors import SyncInProgress

    org_id, provider = connection
    listener = work.tracker.begin(connection)
    try:
        if work.since is not None:
            await _backfill(work, connection, work.since, listener)
        report = await work.services.sync.sync(org_id, provider, listener)
    except SyncInProgress as problem:
        # Another process is at it: nothing failed, unless this very sync was asked for.
        complain(f"{org_id} {provider}: {problem.message}")
        return not work.asked_for
    except Exception as problem:
        _tell_failure(connection, problem)
        return False
    finally:
        work.tracker.end(connection)
    say(f"{org_id} {provider}: {_told(report)}")
    return True


async def _backfill(
    work: _Work, connection: Connection, since: Period, listener: ProgressListener | None
) -> None:
    org_id, provider = connection
    months = await work.services.sync.months_to_backfill(org_id, provider, since)
    work.tracker.expect(months)
    report = await work.services.sync.backfill(org_id, provider, since, listener)
    resumed = f", resumed at {report.resumed_at}" if report.resumed_at else ""
    say(
        f"{org_id} {provider}: {report.invoices_fetched} invoices"
        f" ({report.invoices_skipped} skipped) of {report.months} months since {since}{resumed}"
    )


def _tell_failure(connection: Connection, problem: Exception) -> None:
    """A line for the person; a defect has its traceback in the log as well."""
    from nullspend_margins.errors import InternalError, MarginsError

    org_id, provider = connection
    if not isinstance(problem, MarginsError) or isinstance(problem, InternalError):
        _log.error("sync of org %s (%s) failed", org_id, provider, exc_info=problem)
    reason = problem.message if isinstance(problem, MarginsError) else "the log says how."
    complain(f"{org_id} {provider}: failed: {reason}")


def _told(report: SyncReport) -> str:
    foreign = report.skipped_currencies
    currencies = ", ".join(f"{count} {code}" for code, count in sorted(foreign.items()))
    return (
        f"{report.invoices_fetched} invoices"
        f" ({report.invoices_skipped} skipped{f': {currencies}' if currencies else ''}),"
        f" {report.customers_processed} customers, {report.periods_updated} customer-months,"
        f" {report.auto_matches_created} auto-matches, {report.duration_ms / 1000:.1f} s"
    )


@contextmanager
def _tracker(total: int) -> Iterator[Tracker]:
    """A progress bar on a terminal; elsewhere the lines of the results are enough."""
    if not sys.stderr.isatty() or not total:
        yield _Silent()
        return
    from nullspend_margins.cli.progress import SyncBar

    with SyncBar(total) as bar:
        yield bar


class _Silent:
    def begin(self, connection: Connection) -> None:  # noqa: ARG002 - the protocol's
        return None

    def expect(self, months: int) -> None:
        pass

    def end(self, connection: Connection) -> None:
        pass
