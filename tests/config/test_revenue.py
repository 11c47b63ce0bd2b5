"""``[revenue]``: the basis, and rates of other currencies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from nullspend_margins import ConfigurationError, Period
from nullspend_margins.config import config_from_mapping


def settings(**revenue: Any) -> Any:
    return config_from_mapping({"revenue": revenue}, keep_secrets=False).revenue


def test_without_a_word_revenue_is_what_was_invoiced_in_dollars() -> None:
    assert settings().basis == "invoiced"
    assert not settings().conversion.is_on
    assert settings().conversion.rate("eur", Period.parse("2026-04")) is None


def test_rates_are_exact_and_of_their_month() -> None:
    rates = {"eur": {"2026-04": "1.0842"}, "jpy": {"2026-04": "0.00671234"}}
    conversion = settings(convert=True, rates=rates).conversion
    found = conversion.rate("jpy", Period.parse("2026-04"))
    assert found is not None
    assert found.value == Decimal("0.00671234")
    assert conversion.rate("eur", Period.parse("2026-05")) is None
    assert conversion.rate("sek", Period.parse("2026-04")) is None


@pytest.mark.parametrize(
    ("revenue", "problem"),
    [
        (
            {"basis": "accural"},
            'revenue.basis: must be one of "invoiced", "cash", "net", "accrual"',
        ),
        ({"rates": {"EUR": {"2026-04": "1.1"}}}, "lower case, as eur; write eur"),
        ({"rates": {"euro": {"2026-04": "1.1"}}}, "lower case, as eur"),
        ({"rates": {"usd": {"2026-04": "1"}}}, "rates.usd: is what rates convert into"),
        ({"rates": {"eur": {"2026-4": "1.1"}}}, "rates.eur.2026-4: must be named by a month"),
        ({"rates": {"eur": {"2026-04": 1.1}}}, "revenue.rates.eur.2026-04: must be a string"),
        ({"rates": {"eur": {"2026-04": "1,1"}}}, 'decimal number in quotes, as "1.0842"'),
        ({"rates": {"eur": {"2026-04": "0"}}}, "above 0"),
        ({"rates": {"eur": {"2026-04": "-1"}}}, "above 0"),
        ({"rates": {"eur": {"2026-04": "1" * 8}}}, "above 0"),
        ({"rates": {"eur": "1.1"}}, "revenue.rates.eur: must be a table"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(revenue: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as found:
        settings(**revenue)
    assert problem in str(found.value)
