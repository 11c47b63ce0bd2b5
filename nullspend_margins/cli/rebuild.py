"""``rebuild``: are the sums right, and if not, put them right."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from nullspend_margins.cli.options import ConfigFile, OneOrg
from nullspend_margins.cli.output import complain, counted, log_to_stderr, say, show_table

if TYPE_CHECKING:
    from nullspend_margins.config import DatabaseSettings
    from nullspend_margins.services.rebuild import OrgReport, RebuildService
    from nullspend_margins.storage.rebuild import Difference

_MOST_SHOWN = 50


class Tracker(Protocol):
    """Shows how far it is."""

    def advance(self, cells: int) -> None:
        """An org is done."""
        ...


@dataclass(slots=True)
class _Outcome:
    """What was found so far, in all orgs."""

    orgs: int = 0
    cells: int = 0
    wrong: int = 0
    wrong_orgs: int = 0
    failed: int = 0
    shown: list[tuple[str, Difference]] = field(default_factory=list)

    def add(self, report: OrgReport) -> None:
        self.orgs += 1
        self.cells += report.cells
        self.wrong += report.wrong
        self.wrong_orgs += report.wrong > 0
        self.shown += ((report.org_id, difference) for difference in report.shown)


def rebuild(
    config: ConfigFile,
    org: OneOrg = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit status 1 when a sum is wrong.")
    ] = False,
) -> None:
    """Add up costs and revenue again, and mend every sum that is wrong.

    Safe while the product runs. Events, cost facts, what pruned events had cost, and invoices
    are taken for the truth.
    """
    from nullspend_margins.config import load_config

    log_to_stderr()
    settings = load_config(config, keep_secrets=False)
    outcome = asyncio.run(_rebuild(settings.database, org, check_only=check))
    if org is not None and not outcome.orgs and not outcome.failed:
        say(f"{org} has no costs and no revenue.")
        return
    _tell(outcome, check_only=check)
    if outcome.failed or (check and outcome.wrong):
        raise typer.Exit(1)


async def _rebuild(settings: DatabaseSettings, org: str | None, *, check_only: bool) -> _Outcome:
    """The database alone is opened: plugins have no part in this, and no alert goes out."""
    outcome = _Outcome()
    async with _service(settings) as service:
        orgs = await service.orgs()
        if org is not None:
            orgs = [org] if org in orgs else []
        with _tracker(len(orgs)) as tracker:
            for each in orgs:
                await _one(service, each, outcome, tracker, check_only=check_only)
    return outcome


@asynccontextmanager
async def _service(settings: DatabaseSettings) -> AsyncIterator[RebuildService]:
    from nullspend_margins.services.rebuild import RebuildService
    from nullspend_margins.storage.database import Database

    database = Database(
        settings.url, busy_timeout_seconds=settings.busy_timeout_seconds, pool_size=1
    )
    try:
        await database.start()
        yield RebuildService(database)
    finally:
        await database.close()


async def _one(
    service: RebuildService, org_id: str, outcome: _Outcome, tracker: Tracker, *, check_only: bool
) -> None:
    """One org's failure does not stop the others."""
    from nullspend_margins.errors import MarginsError

    work = service.check if check_only else service.mend
    try:
        report = await work(org_id, show=_MOST_SHOWN - len(outcome.shown))
    except MarginsError as problem:
        outcome.failed += 1
        complain(f"{org_id}: failed: {problem.message}")
        tracker.advance(0)
        return
    outcome.add(report)
    tracker.advance(report.cells)


def _tell(outcome: _Outcome, *, check_only: bool) -> None:
    if outcome.shown:
        show_table(
            ("Org", "Table", "Cell", "Stored", "Right"),
            [(org_id, each.rollup, *_told(each)) for org_id, each in outcome.shown],
        )
    if outcome.wrong > len(outcome.shown):
        say(f"and {outcome.wrong - len(outcome.shown):,} more")
    everything = f"{counted(outcome.orgs, 'org')}, {counted(outcome.cells, 'cell')}"
    if not outcome.wrong:
        say(f"{everything}, all right")
        return
    wrong = f"{outcome.wrong:,} in {counted(outcome.wrong_orgs, 'org')}"
    say(f"{everything}, {wrong} {'wrong' if check_only else 'mended'}")
    if check_only:
        complain("To mend: the same command without --check.")


def _told(difference: Difference) -> tuple[str, str, str]:
    """Which cell, what it holds and what it must hold: the values that differ."""
    stored, right = difference.stored, difference.right
    key = _fields(difference.key)
    if stored is None or right is None:
        return key, "missing" if stored is None else _fields(stored), _fields(right or {}) or "none"
    differing = [name for name in right if stored[name] != right[name]]
    return (
        key,
        _fields({name: stored[name] for name in differing}),
        _fields({name: right[name] for name in differing}),
    )


def _fields(values: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_value(name, value)}" for name, value in values.items())


def _value(name: str, value: object) -> str:
    """For a person: months and days as such. A wrong cell may be of none that exists."""
    from nullspend_margins.domain.period import Period, day_of

    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int):
        with suppress(OverflowError):
            if name == "day":
                return day_of(value).isoformat()
        if name == "month" and value // 12 in range(1970, 9999):
            return str(Period(value))
    return repr(value)


@contextmanager
def _tracker(total: int) -> Iterator[Tracker]:
    """A progress bar on a terminal; elsewhere the result is enough."""
    if not sys.stderr.isatty() or not total:
        yield _Silent()
        return
    from nullspend_margins.cli.progress import RebuildBar

    with RebuildBar(total) as bar:
        yield bar


class _Silent:
    def advance(self, cells: int) -> None:
        pass
