"""Revenue facts: what no database can hold is refused by name."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from nullspend_margins.domain.revenue_part import MAX_MINOR_AMOUNT
from nullspend_margins.errors import ValidationFailed
from tests.storage.builders import invoice

LIMITS = {
    "object_id": 256,
    "currency": 16,
    "customer_id": 256,
    "customer_name": 256,
    "customer_email": 256,
    "avatar_url": 2048,
    "suggested_tag": 256,
}


def refused(**values: object) -> list[str]:
    """The fields that are said to be wrong."""
    with pytest.raises(ValidationFailed) as raised:
        invoice(**({"object_id": "in_1"} | values))
    return [issue["path"] for issue in raised.value.issues]


@pytest.mark.parametrize("amount", [1.0, True, "1", None, MAX_MINOR_AMOUNT + 1, -(10**18)])
def test_an_amount_is_an_int_whose_microdollars_can_be_stored(amount: object) -> None:
    assert refused(amount_minor=amount) == ["amount_minor"]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_amount_fits_64_bits(sign: int) -> None:
    fact = invoice("in_1", sign * MAX_MINOR_AMOUNT)
    assert abs(fact.amount_microdollars) < 2**63 <= (MAX_MINOR_AMOUNT + 1) * 10_000


@pytest.mark.parametrize(("name", "most"), LIMITS.items())
def test_a_text_is_short_and_clean(name: str, most: int) -> None:
    assert getattr(invoice(**{"object_id": "in_1", name: "ü" * most}), name) == "ü" * most
    for value in ("ü" * (most + 1), "a\x00", "\ud800", 7):
        assert refused(**{name: value}) == [name]


def test_an_id_is_not_empty() -> None:
    names = ["object_id", "currency", "customer_id", "suggested_tag"]
    assert refused(**dict.fromkeys(names, "")) == names


def test_an_invoice_is_of_an_instant_that_has_a_period() -> None:
    for moment in (
        datetime(2026, 1, 1),  # noqa: DTZ001 - that is the point
        datetime(9999, 1, 1, tzinfo=UTC),
        date(2026, 1, 1),
    ):
        assert refused(occurred_at=moment) == ["occurred_at"]


def test_everything_that_is_wrong_is_named() -> None:
    assert refused(amount_minor=0.5, customer_name="\n", currency="") == [
        "currency",
        "amount_minor",
        "customer_name",
    ]
