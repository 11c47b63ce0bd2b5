"""A file, imported into a database as the command does it, and what stands there then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from nullspend_margins.importing import ChargeMaker, ImportOptions, find_layout, open_rows
from nullspend_margins.services.cost_import import CostImportService, Outcome
from nullspend_margins.services.import_reading import Reading, read_charges
from nullspend_margins.services.leasing import LeaseKeeper
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.scratch import Scratch
from nullspend_margins.storage.tables import cost_facts
from tests.storage.builders import ORG
from tests.storage.rebuilding import check
from tests.world import FixedClock

SOURCE = "import:costs"
Sums = dict[tuple[str, str, str, str], tuple[int, int]]
"""Nanodollars and requests by day, customer, provider and model."""


def service(database: Database, patience_seconds: float = 30) -> CostImportService:
    clock = FixedClock()
    return CostImportService(database, LeaseKeeper(database, clock, 30), clock, patience_seconds)


@contextmanager
def read_file(path: Path, **options: Any) -> Iterator[tuple[Reading, Scratch]]:
    """What the command knows before it opens the database."""
    given = ImportOptions(**{"org_id": ORG, **options})
    reader = open_rows(path, given)
    scratch = Scratch()
    try:
        maker = ChargeMaker(find_layout(reader.columns, given), given)
        yield read_charges(maker.charges(reader), scratch, lambda _rows: None), scratch
    finally:
        reader.close()
        scratch.close()


async def imported(
    database: Database, path: Path, *, source: str = SOURCE, replace: bool = False, **options: Any
) -> Outcome:
    """Import a file without problems; a dry run before it tells the same."""
    importing = service(database)
    with read_file(path, **options) as (reading, scratch):
        assert reading.shown == []
        would = await importing.compare(source, scratch, lambda _facts: None, replace=replace)
        outcome = await importing.store(source, scratch, lambda _facts: None, replace=replace)
    assert outcome == would
    assert (await check(database)).wrong == 0
    return outcome


async def sums(database: Database, org_id: str = ORG) -> Sums:
    """What all facts of an org add up to; cells of nothing are left out."""
    f = cost_facts.c
    query = select(
        f.day, f.tag_value, f.provider, f.model, f.cost_nanodollars, f.request_count
    ).where(f.org_id == org_id)
    found: Sums = {}
    for day, tag, provider, model, cost, requests in await database.read(
        lambda tx: tx.execute(query).all()
    ):
        cell = (str(date.fromordinal(719163 + day)), tag, provider, model)
        known = found.get(cell, (0, 0))
        found[cell] = (known[0] + cost, known[1] + requests)
    return {cell: amount for cell, amount in found.items() if amount != (0, 0)}
