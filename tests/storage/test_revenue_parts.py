"""What facts are made of, as it is stored and read again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from nullspend_margins.domain.period import as_utc
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue_part import (
    BASES,
    PART_KINDS,
    Basis,
    ExchangeRate,
    PartKind,
    RevenuePart,
)
from nullspend_margins.storage.revenue_parts import recognition, stored_parts
from tests.storage.builders import NOW, invoice

RATE = ExchangeRate(value=Decimal("0.0067"), source="stripe", on=date(2026, 11, 20))
BERLIN = ZoneInfo("Europe/Berlin")
TWICE = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)


def again(*parts: RevenuePart, made: datetime = NOW, basis: Basis | None = None) -> object:
    fact = invoice("in_1", 500, occurred_at=made, parts=parts)
    text = recognition(fact, Conversion()).parts
    return stored_parts(text, "invoice", 500, made, basis)


@pytest.mark.parametrize("names", [BASES, PART_KINDS])
def test_an_initial_stands_for_one_name(names: tuple[str, ...]) -> None:
    assert len({name[0] for name in names}) == len(names)


@pytest.mark.parametrize("kind", PART_KINDS)
def test_every_kind_and_all_bases_are_read_as_they_were(kind: PartKind) -> None:
    parts = [
        RevenuePart(bases=bases, kind=kind, amount_minor=5, occurred_at=NOW)
        for bases in (*((basis,) for basis in BASES), BASES, BASES[::-1], ("net", "net"))
    ]
    assert again(*parts) == parts
    assert again(*parts, basis="cash") == [part for part in parts if "cash" in part.bases]


@pytest.mark.parametrize(
    "made", [NOW, TWICE, TWICE.replace(fold=1), datetime(1970, 1, 1, tzinfo=UTC)]
)
@pytest.mark.parametrize("distance", [timedelta(0), timedelta(days=3, microseconds=1)])
def test_moments_and_services_are_read_to_the_microsecond(
    made: datetime, distance: timedelta
) -> None:
    at = as_utc(made) + distance
    parts = [
        RevenuePart(bases=("net",), kind="refund", amount_minor=-5, occurred_at=at, part_id="re_1"),
        RevenuePart(
            bases=("accrual",),
            kind="line",
            amount_minor=5,
            occurred_at=at,
            until=at + timedelta(days=50 * 366),
            description='"Größe" \\ \U0001f680',
            rate=RATE,
        ),
    ]
    assert again(*parts, made=made) == parts
