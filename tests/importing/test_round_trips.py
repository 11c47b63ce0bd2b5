"""Whatever is in a file, in whatever format and order: the sums are those of its rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nullspend_margins.storage.database import Database
from tests.importing.importing import Sums, imported, sums
from tests.importing.writing import WRITERS, Rows
from tests.storage.rebuilding import emptied

_SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
few = settings(max_examples=8, suppress_health_check=_SUPPRESSED)

costs = st.decimals(-100, 100, places=11).map(lambda cost: f"{cost:f}")
row = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["", "acme", "zeta", 'a "b"; c,d', "é"]),
        "day": st.sampled_from(["2026-10-30", "2026-10-31", "2026-11-01", "2026-12-05"]),
        "model": st.sampled_from(["m1", "m2"]),
        "provider": st.sampled_from(["openai", "own"]),
        "cost": costs,
        "requests": st.integers(0, 3).map(str),
    }
)
files = st.lists(row, min_size=1, max_size=30)
formats = st.sampled_from(list(WRITERS))


def with_ids(rows: Rows) -> Rows:
    return [{"id": f"row {number}", **each} for number, each in enumerate(rows)]


def added_up(rows: Rows) -> Sums:
    """By hand: exact, and rounded once for each cell, as without ids."""
    exact: dict[tuple[str, str, str, str], tuple[Fraction, int]] = {}
    for each in rows:
        cell = (each["day"], each["customer"], each["provider"], each["model"])
        cost, requests = exact.get(cell, (Fraction(0), 0))
        exact[cell] = (cost + Fraction(Decimal(each["cost"])), requests + int(each["requests"]))
    rounded = {cell: (_rounded(cost), requests) for cell, (cost, requests) in exact.items()}
    return {cell: amount for cell, amount in rounded.items() if amount != (0, 0)}


def added_up_by_row(rows: Rows) -> Sums:
    """The same, rounded for each row, as with ids."""
    cents = [
        {**each, "cost": str(Decimal(_rounded(Fraction(each["cost"]))) / 10**9)} for each in rows
    ]
    return added_up(cents)


def _rounded(cost: Fraction) -> int:
    return floor(cost * 10**9 + Fraction(1, 2))


@few
@given(rows=files, one=formats, other=formats, seed=st.randoms(use_true_random=False))
async def test_the_same_rows_in_any_order_and_format_are_imported_once(
    database: Database, tmp_path: Path, rows: Rows, one: str, other: str, seed: random.Random
) -> None:
    await emptied(database)
    first = await imported(database, WRITERS[one](rows, tmp_path / "one"))
    assert await sums(database) == added_up(rows)
    again = await imported(database, WRITERS[other](shuffled(rows, seed), tmp_path / "other"))
    assert again == (0, 0, first.new, 0)
    assert await sums(database) == added_up(rows)


@few
@given(rows=files, one=formats, other=formats, seed=st.randoms(use_true_random=False))
async def test_rows_with_ids_are_facts_of_their_own(
    database: Database, tmp_path: Path, rows: Rows, one: str, other: str, seed: random.Random
) -> None:
    await emptied(database)
    rows = with_ids(rows)
    first = await imported(database, WRITERS[one](rows, tmp_path / "one"))
    assert first == (len(rows), 0, 0, 0)
    again = await imported(database, WRITERS[other](shuffled(rows, seed), tmp_path / "other"))
    assert again == (0, 0, len(rows), 0)
    assert await sums(database) == added_up_by_row(rows)


@few
@given(rows=files, corrected=files, name=formats, have_ids=st.booleans())
async def test_a_corrected_file_is_what_counts_in_its_months(
    database: Database, tmp_path: Path, rows: Rows, corrected: Rows, name: str, have_ids: bool
) -> None:
    await emptied(database)
    if have_ids:
        rows, corrected = with_ids(rows), with_ids(corrected)
    add = added_up_by_row if have_ids else added_up
    await imported(database, WRITERS[name](rows, tmp_path / "one"))
    for _ in range(2):
        outcome = await imported(
            database, WRITERS[name](corrected, tmp_path / "other"), replace=True
        )
    assert (outcome.new, outcome.changed, outcome.removed) == (0, 0, 0)
    months = {each["day"][:7] for each in corrected}
    taken = {each["id"] for each in corrected} if have_ids else set()
    kept = [each for each in rows if each["day"][:7] not in months and each.get("id") not in taken]
    assert await sums(database) == add([*kept, *corrected])


@few
@given(rows=files, corrected=files)
async def test_a_corrected_file_without_replace_is_what_counts_where_it_has_rows(
    database: Database, tmp_path: Path, rows: Rows, corrected: Rows
) -> None:
    await emptied(database)
    for each in (rows, corrected):
        await imported(database, WRITERS["csv"](each, tmp_path / "costs"))
    named = {cell_of(each) for each in corrected}
    kept = [each for each in rows if cell_of(each) not in named]
    assert await sums(database) == added_up([*kept, *corrected])


def cell_of(each: dict[str, str]) -> tuple[str, ...]:  # type: ignore[type-arg]
    return tuple(each[name] for name in ("day", "customer", "provider", "model"))


def shuffled(rows: Rows, seed: random.Random) -> Rows:
    return seed.sample(rows, len(rows))


async def test_two_sources_do_not_replace_each_other(database: Database, tmp_path: Path) -> None:
    rows = [{"customer": "a", "day": "2026-10-01", "cost": "1"}]
    path = WRITERS["csv"](rows, tmp_path / "costs")
    for source in ("import:one", "import:two"):
        assert (await imported(database, path, source=source, replace=True)).new == 1
    assert await sums(database) == {("2026-10-01", "a", "unknown", "unknown"): (2 * 10**9, 0)}


@pytest.mark.parametrize("split", [["org_1", "org_2"], ["org_2", "org_1"]])
async def test_a_file_may_have_costs_of_several_orgs(
    database: Database, tmp_path: Path, split: Sequence[str]
) -> None:
    rows = [{"org_id": org, "customer": "a", "day": "2026-10-01", "cost": "1"} for org in split]
    path = WRITERS["csv"](rows, tmp_path / "costs")
    assert (await imported(database, path, org_id=None, replace=True)).new == 2
    for org in split:
        assert len(await sums(database, org)) == 1


async def test_thousands_of_facts_are_stored_in_parts(database: Database, tmp_path: Path) -> None:
    rows = [
        {"id": str(n), "customer": f"c{n % 7}", "day": f"2026-10-{n % 28 + 1:02d}", "cost": "1e-9"}
        for n in range(2_345)
    ]
    path = WRITERS["csv"](rows, tmp_path / "costs")
    assert await imported(database, path) == (2_345, 0, 0, 0)
    path = WRITERS["csv"](rows[:100], tmp_path / "costs")
    assert await imported(database, path, replace=True) == (0, 0, 100, 2_245)
    assert sum(cost for cost, _ in (await sums(database)).values()) == 100
