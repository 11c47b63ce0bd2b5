"""Importing costs: in which transactions, beside whom, and what can be too much."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection

from nullspend_margins.domain.period import day_number
from nullspend_margins.errors import Conflict, ValidationFailed
from nullspend_margins.services.leasing import LeaseKeeper, source_lease
from nullspend_margins.storage import cost_deliveries, revisions
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.rollups import RollupOverflow
from tests.importing.importing import SOURCE, imported, read_file, service, sums
from tests.importing.writing import as_csv
from tests.storage.builders import NOW, ORG, fact
from tests.storage.rebuilding import check
from tests.world import FixedClock

ROW = {"id": "1", "customer": "acme", "day": "2026-11-05", "cost": "1"}
HALF = str(2**61)


def ignore(_done: int) -> None:
    pass


def rows_in_nanodollars(*rows: tuple[str, str, str]) -> list[dict[str, str]]:
    return [
        {"customer": customer, "day": day, "cost_nanodollars": cost} for customer, day, cost in rows
    ]


async def test_only_what_changes_advances_the_revision(database: Database, tmp_path: Path) -> None:
    path = as_csv([ROW], tmp_path / "costs.csv")
    seen = []
    for replace in (False, False, True):
        await imported(database, path, replace=replace)
        seen.append(await database.read(lambda tx: revisions.current(tx, ORG)))
    assert seen[0] is not None
    assert len(set(seen)) == 1
    await imported(database, as_csv([{**ROW, "cost": "2"}], path))
    assert await database.read(lambda tx: revisions.current(tx, ORG)) != seen[0]


async def test_an_import_is_a_delivery_of_its_source(database: Database, tmp_path: Path) -> None:
    rows = [{**ROW, "id": str(day), "day": f"2026-11-{day:02d}"} for day in (3, 9, 4)]
    for replace in (False, True):
        await imported(database, as_csv(rows, tmp_path / "costs.csv"), replace=replace)
        [record] = await database.read(lambda tx: cost_deliveries.of_org(tx, ORG))
        assert (record.source, record.newest_day) == (SOURCE, day_number(date(2026, 11, 9)))
        assert record.delivered_at == FixedClock().now()


async def test_a_dry_run_stores_nothing(database: Database, tmp_path: Path) -> None:
    with read_file(as_csv([ROW], tmp_path / "costs.csv")) as (_, scratch):
        outcome = await service(database).compare(SOURCE, scratch, ignore, replace=True)
    assert outcome == (1, 0, 0, 0)
    assert await sums(database) == {}
    assert await database.read(lambda tx: cost_deliveries.of_org(tx, ORG)) == []


async def test_replacing_leaves_other_months_sources_and_orgs_alone(
    database: Database, tmp_path: Path
) -> None:
    others = [("org_1", "bill"), ("org_2", SOURCE)]

    def store(tx: Connection) -> None:
        for org_id, source in others:
            replace_facts(tx, org_id, source, [fact("other", 7)], NOW)

    await database.write(store)
    before = [{**ROW, "id": "2"}, {**ROW, "id": "3", "day": "2026-10-31"}]
    await imported(database, as_csv(before, tmp_path / "costs.csv"))
    outcome = await imported(database, as_csv([ROW], tmp_path / "costs.csv"), replace=True)
    assert outcome == (1, 0, 0, 1)
    found = await sums(database)
    assert {(day, cost) for (day, *_), (cost, _) in found.items()} == {
        ("2026-10-31", 10**9), ("2026-11-05", 10**9), ("2026-11-05", 7),
    }  # fmt: skip
    assert len(await sums(database, "org_2")) == 1


async def test_a_row_that_moves_to_another_month_is_not_lost_on_the_way(
    database: Database, tmp_path: Path
) -> None:
    rows = [{**ROW, "day": "2026-10-05"}, {**ROW, "id": "2", "day": "2026-10-06"}]
    await imported(database, as_csv(rows, tmp_path / "costs.csv"), replace=True)
    rows[0]["day"] = "2026-12-05"
    outcome = await imported(database, as_csv(rows, tmp_path / "costs.csv"), replace=True)
    assert outcome == (0, 1, 1, 0)
    assert len(await sums(database)) == 2


async def test_one_import_of_a_source_at_a_time(database: Database, tmp_path: Path) -> None:
    keeper = LeaseKeeper(database, FixedClock(), 30)
    with read_file(as_csv([ROW], tmp_path / "costs.csv")) as (_, scratch):
        async with keeper.hold("", source_lease(SOURCE)):
            with pytest.raises(Conflict, match="Another import of import:costs"):
                await service(database, 0).store(SOURCE, scratch, ignore, replace=False)
            waiting = asyncio.create_task(
                service(database).store(SOURCE, scratch, ignore, replace=False)
            )
            await asyncio.wait([waiting], timeout=0.01)
        assert (await waiting).new == 1


async def test_an_overflow_of_a_month_keeps_what_was_whole(
    database: Database, tmp_path: Path
) -> None:
    days = [f"2026-11-{day:02d}" for day in (1, 2, 3)]
    path = as_csv(
        rows_in_nanodollars(*(("a", day, str(2**62)) for day in days)), tmp_path / "c.csv"
    )
    for replace in (True, False):
        with read_file(path) as (reading, scratch):
            assert reading.bad == 0
            with pytest.raises(RollupOverflow):
                await service(database).store(SOURCE, scratch, ignore, replace=replace)
        assert await sums(database) == {}
        assert (await check(database)).wrong == 0


def test_a_fact_that_is_too_large_is_a_problem_of_the_file(tmp_path: Path) -> None:
    rows = rows_in_nanodollars(*[("a", "2026-11-01", HALF)] * 3)
    with read_file(as_csv(rows, tmp_path / "costs.csv")) as (reading, _):
        assert [str(each) for each in reading.shown] == [
            "2: and later ones add up to more than a fact can hold: org_1 a 2026-11-01"
        ]


async def test_a_fact_that_is_too_large_is_left_out_of_what_is_stored(
    database: Database, tmp_path: Path
) -> None:
    rows = rows_in_nanodollars(*[("a", "2026-11-01", HALF)] * 3, ("b", "2026-11-01", "7"))
    with read_file(as_csv(rows, tmp_path / "costs.csv")) as (reading, scratch):
        assert (reading.bad, reading.facts) == (1, 1)
        assert (await service(database).compare(SOURCE, scratch, ignore, replace=False)).new == 1
        assert (await service(database).store(SOURCE, scratch, ignore, replace=False)).new == 1
    assert (await check(database)).wrong == 0


@pytest.mark.parametrize("count", [5, 20_001])
def test_a_sum_beyond_64_bits_is_refused(tmp_path: Path, count: int) -> None:
    last = [("a", "2026-11-01", HALF)] * 3
    rows = rows_in_nanodollars(*last, *[("b", "2026-11-01", "1")] * count, *last)
    with (
        pytest.raises(ValidationFailed, match="2\\^63"),
        read_file(as_csv(rows, tmp_path / "costs.csv")),
    ):
        pass


@pytest.mark.parametrize("apart", [0, 20_000])
def test_an_id_that_comes_twice_is_one_row_or_a_problem(tmp_path: Path, apart: int) -> None:
    between = [{**ROW, "id": f"n{n}"} for n in range(apart)]
    rows = [ROW, *between, ROW, {**ROW, "cost": "2"}]
    with read_file(as_csv(rows, tmp_path / "costs.csv")) as (reading, _):
        assert (reading.rows, reading.facts, reading.repeated) == (apart + 3, apart + 1, 1)
        [problem] = reading.shown
        assert str(problem) == f"{apart + 4}: this row has the id of line 2, and is not the same"


def test_many_problems_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    rows = [{**ROW, "id": str(n), "cost": "x"} for n in range(50)]
    with read_file(as_csv(rows, tmp_path / "costs.csv")) as (reading, _):
        assert (reading.bad, [each.line for each in reading.shown]) == (50, [*range(2, 22)])


def test_problems_are_shown_by_line_whatever_is_wrong(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "cost": "2"}, {**ROW, "id": "other", "cost": "x"}]
    with read_file(as_csv(rows, tmp_path / "costs.csv")) as (reading, _):
        assert [each.line for each in reading.shown] == [3, 4]


def test_progress_is_told_on_the_way() -> None:
    from nullspend_margins.importing import LeftOut
    from nullspend_margins.services.import_reading import read_charges
    from nullspend_margins.storage.scratch import Scratch

    told: list[int] = []
    tell: Callable[[int], None] = told.append
    with closing(Scratch()) as scratch:
        reading = read_charges((LeftOut(f"C{n}") for n in range(40_001)), scratch, tell)
    assert told == [20_000, 40_000, 40_001]
    assert len(reading.left_out) == 101
    assert reading.left_out["others"] == 39_901
