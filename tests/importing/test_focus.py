"""Cloud bills in FOCUS 1.2: a file with all of its columns, made by hand from the specification."""

from __future__ import annotations

import csv
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from nullspend_margins.importing import Charge, LeftOut
from nullspend_margins.storage.database import Database
from tests.importing.importing import imported, read_file, sums
from tests.importing.writing import read, told

SAMPLE = Path(__file__).parent / "samples" / "focus-1.2.csv"


def rows() -> list[dict[str, Any]]:
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def as_csv(path: Path) -> Path:
    path.write_bytes(SAMPLE.read_bytes())
    return path


def as_jsonl(path: Path) -> Path:
    """Tags as objects, costs as numbers, empty fields as null."""
    with path.open("w") as file:
        for row in rows():
            tags = json.loads(row["Tags"] or "null")
            values = {name: value or None for name, value in row.items()}
            text = json.dumps({**values, "Tags": tags, "BilledCost": "@"})
            file.write(text.replace('"@"', row["BilledCost"]) + "\n")
    return path


def as_parquet(path: Path) -> Path:
    """Tags as a map, costs as decimals, times as such, names as a database in capitals has them."""
    found = rows()
    columns: dict[str, object] = {name: [row[name] or None for row in found] for name in found[0]}
    tags = [json.loads(row["Tags"] or "null") or {} for row in found]
    columns["Tags"] = pyarrow.array(
        [[(key, _tag(value)) for key, value in each.items()] for each in tags],
        pyarrow.map_(pyarrow.string(), pyarrow.string()),
    )
    costs = [Decimal(row["BilledCost"]) for row in found]
    columns["BilledCost"] = pyarrow.array(costs, pyarrow.decimal128(38, 10))
    for name in ("ChargePeriodStart", "ChargePeriodEnd"):
        text = pyarrow.array([row[name].removesuffix("Z") for row in found])
        columns[name] = text.cast(pyarrow.timestamp("ms")).cast(pyarrow.timestamp("ms", "UTC"))
    table = pyarrow.table({name.upper(): column for name, column in columns.items()})
    pyarrow.parquet.write_table(table, path)
    return path


def _tag(value: object) -> str | None:
    return "true" if value is True else None if value is None else str(value)


@pytest.mark.parametrize("write", [as_csv, as_jsonl, as_parquet])
async def test_a_cloud_bill_is_imported_as_it_is(
    database: Database, tmp_path: Path, write: Any
) -> None:
    path = write(tmp_path / "bill")
    for new in (7, 0):
        outcome = await imported(database, path, source="import:focus")
        assert outcome.new == new
    chat, cloud = "Example Inference", "Example Cloud"
    assert await sums(database) == {
        # 1.2345678901 + 0.0000000004 - 0.5: added up exactly, then rounded to nanodollars.
        ("2026-10-01", "acme", cloud, chat): (734_567_891, 0),
        ("2026-10-31", 'zeta, "Ltd"', cloud, chat): (2_500_000_000, 0),
        ("2026-10-01", "", cloud, "Example Commitments"): (100 * 10**9, 0),
        ("2026-10-01", "", cloud, chat): (-250_000_000, 0),
        ("2026-10-01", "", cloud, "Tax"): (19_600_000_000, 0),
        ("2026-10-05", "", cloud, chat): (3 * 10**9, 0),
    }


@pytest.mark.parametrize("write", [as_csv, as_jsonl, as_parquet])
def test_what_is_special_in_a_bill_is_counted(tmp_path: Path, write: Any) -> None:
    with read_file(write(tmp_path / "bill")) as (reading, _):
        assert reading.rows == 10
        assert reading.left_out == Counter({"EUR": 1})
        assert reading.unattributed == 4
        assert reading.long == 2


def test_effective_cost_and_other_columns_are_taken_when_named() -> None:
    charges = read(SAMPLE, columns={"cost": "EffectiveCost", "model": "SkuId"})
    found = {each.line: (each.cost, each.model) for each in charges if isinstance(each, Charge)}
    assert found[5] == (75 * 10**25, "SKU-CHAT")
    assert found[6] == (0, "SKU-COMMIT")
    assert found[9][1] == "unknown"


def test_the_customer_is_the_tag_that_is_named() -> None:
    charges = read(SAMPLE, customer_tag="env")
    assert [each.customer for each in charges if isinstance(each, Charge)] == [
        "prod", "prod", "", "", "", "", "", "", "dev",
    ]  # fmt: skip


def test_the_customer_may_be_another_column() -> None:
    charges = read(SAMPLE, columns={"customer": "SubAccountId"})
    assert {each.customer for each in charges if isinstance(each, Charge)} == {"prod"}


def test_a_tag_without_a_value_names_no_customer() -> None:
    charges = read(SAMPLE, customer_tag="team")
    assert {each.customer for each in charges if isinstance(each, Charge)} == {""}


def test_categories_are_left_out_when_that_is_said() -> None:
    found = read(SAMPLE, without=frozenset({"Tax", "Purchase"}))
    reasons = [each.reason for each in found if isinstance(each, LeftOut)]
    assert sorted(reasons) == ["EUR", "Purchase", "Tax"]


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("Tags", "{customer: acme}", "2: Tags: is no JSON"),
        ("Tags", '["acme"]', "2: Tags: is no JSON object of tags"),
        ("Tags", '{"customer": ["acme"]}', "2: Tags: ['acme'] is no text"),
        ("Tags", '{"customer": "a\\nb"}', "2: Tags: must not contain control characters"),
        ("BilledCost", "", "2: BilledCost: is empty"),
        ("BillingCurrency", "", "2: BillingCurrency: is empty"),
        ("ChargeCategory", "Fee", "2: ChargeCategory: 'Fee' is none of Usage, Purchase, Tax"),
        ("ChargePeriodStart", "2026-10", "2: ChargePeriodStart: '2026-10' is no date"),
        ("ChargePeriodEnd", "soon", "2: ChargePeriodEnd: 'soon' is no date"),
        ("ServiceName", "x" * 201, "2: ServiceName: must be at most 200 characters"),
    ],
)  # fmt: skip
def test_a_bill_that_breaks_the_specification_is_told(
    tmp_path: Path, column: str, value: str, problem: str
) -> None:
    [first, *others] = rows()
    path = tmp_path / "bill.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerows([{**first, column: value}, *others])
    [found] = told(path)
    assert found.startswith(problem)
