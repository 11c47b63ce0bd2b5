"""``import-costs``: a file of costs, from wherever they arise."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from nullspend_margins.cli import import_options as given
from nullspend_margins.cli import import_telling as telling
from nullspend_margins.cli.options import ConfigFile
from nullspend_margins.cli.output import log_to_stderr

if TYPE_CHECKING:
    from nullspend_margins.config import Config
    from nullspend_margins.importing import ImportOptions
    from nullspend_margins.services.cost_import import Outcome
    from nullspend_margins.services.import_reading import Reading
    from nullspend_margins.storage.scratch import Scratch

_NAMESPACE = "import:"
"""So that a file can't replace the facts of a cost source of the same name."""


class Tracker(Protocol):
    """Shows how far it is."""

    def update(self, doing: str, things: str, done: int, fraction: float) -> None:
        """``done`` of them, which is this part, 0 to 1, of all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    file: Path
    options: ImportOptions
    source: str | None
    replace: bool
    skip_bad: bool
    dry_run: bool


def import_costs(
    file: given.File,
    config: ConfigFile,
    org: given.WholeOrg = None,
    source: given.Source = None,
    format_: given.FormatOption = None,
    column: given.Columns = None,
    customer_tag: given.CustomerTag = None,
    unit: given.UnitOption = None,
    delimiter: given.DelimiterOption = None,
    without: given.Without = None,
    replace: given.Replace = False,
    skip_bad: given.SkipBad = False,
    dry_run: given.DryRun = False,
) -> None:
    """Import a file of costs. The same file again, or a corrected one, counts once."""
    from nullspend_margins.config import load_config
    from nullspend_margins.importing import ImportOptions

    if replace and skip_bad:
        raise typer.BadParameter("--replace would remove the costs of rows that --skip-bad skips")
    options = ImportOptions(
        format=format_,
        columns=_columns(column or ()),
        customer_tag=customer_tag,
        unit=unit,
        delimiter=delimiter,
        org_id=org,
        without=frozenset(without or ()),
    )
    job = _Job(
        file=file, options=options, source=_source(source),
        replace=replace, skip_bad=skip_bad, dry_run=dry_run,
    )  # fmt: skip
    log_to_stderr()
    settings = load_config(config, keep_secrets=False)
    telling.tell_unknown_org(options.org_id, settings.plans.orgs)
    if not _imported(job, settings):
        raise typer.Exit(1)


def _imported(job: _Job, settings: Config) -> bool:
    """Whether all went well."""
    from nullspend_margins.storage.scratch import Scratch

    with closing(Scratch()) as scratch, _tracker() as tracker:
        reading, is_focus = _read(job, scratch, tracker)
        source = _NAMESPACE + (job.source or ("focus" if is_focus else "costs"))
        in_order = not reading.bad or job.skip_bad
        telling.tell_problems(job.file, reading, skipped=job.skip_bad)
        if not in_order and not job.dry_run:
            return False
        telling.tell_reading(job.file, reading, source)
        if job.dry_run:
            telling.tell_sums(scratch)
        outcome = asyncio.run(_stored(job, settings, source, scratch, tracker, reading.facts))
        telling.tell_outcome(outcome, dry_run=job.dry_run, replace=job.replace)
        return in_order


def _read(job: _Job, scratch: Scratch, tracker: Tracker) -> tuple[Reading, bool]:
    """Everything in the file, and whether it is FOCUS. Its columns are told first."""
    from nullspend_margins.importing import ChargeMaker, find_layout, open_rows
    from nullspend_margins.services.import_reading import read_charges

    with closing(open_rows(job.file, job.options)) as reader:
        layout = find_layout(reader.columns, job.options)
        telling.tell_layout(job.file, reader, layout)
        maker = ChargeMaker(layout, job.options)

        def tell(rows: int) -> None:
            tracker.update("Reading", "rows", rows, reader.fraction())

        reading = read_charges(maker.charges(reader), scratch, tell)
    telling.tell_missing_tags(layout, reading, maker.tag_keys)
    return reading, layout.is_focus


async def _stored(
    job: _Job, settings: Config, source: str, scratch: Scratch, tracker: Tracker, total: int
) -> Outcome:
    """The database alone is opened: plugins have no part in this, and no alert goes out."""
    from nullspend_margins.protocols import SystemClock
    from nullspend_margins.services.cost_import import CostImportService
    from nullspend_margins.services.leasing import LeaseKeeper
    from nullspend_margins.storage.database import Database

    doing = "Comparing" if job.dry_run else "Storing"

    def tell(facts: int) -> None:
        tracker.update(doing, "facts", facts, facts / total)

    # Two connections: a lease is renewed beside the work.
    database = Database(
        settings.database.url,
        busy_timeout_seconds=settings.database.busy_timeout_seconds,
        pool_size=2,
    )
    clock, lease_seconds = SystemClock(), settings.sync.lease_seconds
    keeper = LeaseKeeper(database, clock, lease_seconds)
    try:
        await database.start()
        service = CostImportService(database, keeper, clock, 1.5 * lease_seconds)
        work = service.compare if job.dry_run else service.store
        return await work(source, scratch, tell, replace=job.replace)
    finally:
        await database.close()


def _columns(pairs: Sequence[str]) -> Mapping[str, str]:
    from nullspend_margins.config.nearest import nearest
    from nullspend_margins.importing.names import FIELDS

    found = {}
    for pair in pairs:
        field, equals, name = pair.partition("=")
        if not equals or field not in FIELDS:
            guess = nearest(field, FIELDS)
            hint = f"did you mean {guess}?" if guess else f"fields are {', '.join(FIELDS)}"
            raise typer.BadParameter(f"--column {pair}: write FIELD=COLUMN; {hint}")
        if field in found:
            raise typer.BadParameter(f"--column {field}= is given twice")
        found[field] = name
    return found


def _source(name: str | None) -> str | None:
    from nullspend_margins.domain.text import text_problem

    if name is not None and (problem := text_problem(name, at_most=100)):
        raise typer.BadParameter(f"--source {problem}")
    return name


@contextmanager
def _tracker() -> Iterator[Tracker]:
    """A progress bar on a terminal; elsewhere the result is enough."""
    if not sys.stderr.isatty():
        yield _Silent()
        return
    from nullspend_margins.cli.progress import ImportBar

    with ImportBar() as bar:
        yield bar


class _Silent:
    def update(self, doing: str, things: str, done: int, fraction: float) -> None:
        pass
