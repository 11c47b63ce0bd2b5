"""``sync``: revenue syncs from a terminal or a timer."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import typer

from nullspend_margins.cli.options import ConfigFile, OneOrg
from nullspend_margins.cli.output import complain, say
from nullspend_margins.cli.running import open_margins

if TYPE_CHECKING:
    from nullspend_margins.app import Margins
    from nullspend_margins.services import Services
    from nullspend_margins.services.sync_run import SyncReport
    from nullspend_margins.services.sync_staging import ProgressListener

_log = logging.getLogger("nullspend_margins.sync")

Connection = tuple[str, str]
"""An org and one of its revenue providers."""


class Tracker(Protocol):
    """Shows how far the syncs are."""

    def begin(self, connection: Connection) -> ProgressListener | None:
        """A sync starts; what it tells its progress to."""
        ...

    def end(self, connection: Connection) -> None:
        """A sync is over, however it went."""
        ...


def sync(config: ConfigFile, org: OneOrg = None) -> None:
    """Replay journals, pull cost sources, then sync revenue: of every org, or of one.

    The exit status is 1 when anything failed; one org's failure does not stop the others.
    """
    failed = asyncio.run(_sync(open_margins(config), org))
    if failed:
        raise typer.Exit(1)


async def _sync(margins: Margins, org: str | None) -> int:
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
        connections, unknown = await _connections(margins, services, org)
        failed += unknown
        if not connections and not unknown:
            say(f"{org} has no connections." if org else "There are no connections to sync.")
        with _tracker(len(connections)) as tracker:
            failed += await _sync_all(services, connections, tracker, asked_for=org is not None)
        await services.alerts.deliver_due()
    return failed


async def _connections(
    margins: Margins, services: Services, org: str | None
) -> tuple[list[Connection], int]:
    """What to sync: all that is due, least recently synced first, or all of ``org``.

    And how many could not be told whether they are, because asking for the plan failed. Raises
    ``Forbidden`` when the plan of ``org`` does not include the product; among all orgs such ones
    are left out.
    """
    if org is None:
        due = await services.sync.due()
        answers = [await _has_plan(services, each) for each in due]
        found = [each for each, answer in zip(due, answers, strict=True) if answer]
        return found, answers.count(None)
    found = [
        (org, provider)
        for provider in margins.registry.revenue_providers
        if await services.connections.status(org, provider) is not None
    ]
    if found:
        await services.access.require_plan(org)
    return found, 0


async def _has_plan(services: Services, connection: Connection) -> bool | None:
    """Whether the org's plan includes the product; ``None``, and told, when asking failed."""
    try:
        return await services.access.has_plan(connection[0])
    except Exception as problem:
        _tell_failure(connection, problem)
        return None


async def _sync_all(
    services: Services, connections: list[Connection], tracker: Tracker, *, asked_for: bool
) -> int:
    """Sync several at a time, as cron does; returns how many failed."""
    waiting = iter(connections)

    async def work() -> list[bool]:
        return [
            await _sync_one(services, connection, tracker, asked_for=asked_for)
            for connection in waiting
        ]

    outcomes = await asyncio.gather(*(work() for _ in range(services.config.cron.concurrency)))
    return sum(worker.count(False) for worker in outcomes)


async def _sync_one(
    services: Services, connection: Connection, tracker: Tracker, *, asked_for: bool
) -> bool:
    from nullspend_margins.errors import SyncInProgress

    org_id, provider = connection
    listener = tracker.begin(connection)
    try:
        report = await services.sync.sync(org_id, provider, listener)
    except SyncInProgress as problem:
        # Another process is at it: nothing failed, unless this very sync was asked for.
        complain(f"{org_id} {provider}: {problem.message}")
        return not asked_for
    except Exception as problem:
        _tell_failure(connection, problem)
        return False
    finally:
        tracker.end(connection)
    say(f"{org_id} {provider}: {_told(report)}")
    return True


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

    def end(self, connection: Connection) -> None:
        pass
