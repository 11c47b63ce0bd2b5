"""``[revenue]``: by which basis revenue is told, and what other currencies are worth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from nullspend_margins.config.sections import setting
from nullspend_margins.domain.currency import REPORTING_CURRENCY
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue_part import MAX_RATE, Basis
from nullspend_margins.errors import ValidationFailed

_CURRENCY = re.compile(r"[a-z]{3}")
_RATE = re.compile(r"[0-9]{1,7}(\.[0-9]{1,12})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueSettings:
    """``[revenue]``"""

    basis: Basis = setting(
        "invoiced",
        help="Which revenue margins are told by, where a request names none: `invoiced`, `cash`, "
        "`net` or `accrual`.",
    )
    convert: bool = setting(
        False,
        help="Convert other currencies into US dollars. Else they are skipped and counted.",
    )
    rates: Mapping[str, Mapping[str, str]] = setting(
        help='`[revenue.rates.eur]` with lines such as `"2026-04" = "1.0842"`: US dollars for one '
        "unit of a currency in a month, for what the provider itself did not convert.",
        factory=lambda: MappingProxyType({}),
    )

    def __post_init__(self) -> None:
        problems = [
            problem
            for currency, months in self.rates.items()
            for problem in _problems(currency, months)
        ]
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def conversion(self) -> Conversion:
        """The same, as revenue is recognized by it."""
        rates = {
            currency: {Period.parse(month): Decimal(rate) for month, rate in months.items()}
            for currency, months in self.rates.items()
        }
        return Conversion(is_on=self.convert, rates=MappingProxyType(rates))


def _problems(currency: str, months: Mapping[str, str]) -> list[str]:
    key = f"rates.{currency}"
    if not _CURRENCY.fullmatch(currency):
        guess = f"; write {currency.lower()}" if _CURRENCY.fullmatch(currency.lower()) else ""
        return [f"{key}: must be a currency code in lower case, as eur{guess}"]
    if currency == REPORTING_CURRENCY:
        return [f"{key}: is what rates convert into; leave it away"]
    return [
        f"{key}.{month}: {problem}"
        for month, rate in months.items()
        if (problem := _rate_problem(month, rate))
    ]


def _rate_problem(month: str, rate: str) -> str | None:
    try:
        Period.parse(month)
    except ValidationFailed:
        return 'must be named by a month, as "2026-04"'
    if not _RATE.fullmatch(rate) or not 0 < Decimal(rate) <= MAX_RATE:
        return 'must be a decimal number in quotes, as "1.0842", above 0, with 12 decimals at most'
    return None
