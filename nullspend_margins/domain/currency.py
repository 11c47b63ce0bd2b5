"""Currencies: how many decimals their amounts have, and conversion into US dollars. Exact."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from nullspend_margins.domain.money import MICRODOLLARS_PER_CENT, round_half_up

REPORTING_CURRENCY = "usd"

MICRODOLLARS = 1_000_000
_USUAL_DIGITS = 2
# ISO 4217, what has not two.
_DIGITS = {
    **dict.fromkeys(
        [
            "bif",
            "clp",
            "djf",
            "gnf",
            "isk",
            "jpy",
            "kmf",
            "krw",
            "pyg",
            "rwf",
            "ugx",
            "uyi",
            "vnd",
            "vuv",
            "xaf",
            "xof",
            "xpf",
        ],
        0,
    ),
    **dict.fromkeys(["bhd", "iqd", "jod", "kwd", "lyd", "omr", "tnd"], 3),
    **dict.fromkeys(["clf", "uyw"], 4),
}


def minor_digits_of(currency: str) -> int:
    """How many decimals the amounts of a lower-case ISO 4217 code have."""
    return _DIGITS.get(currency, _USUAL_DIGITS)


def converted(amount_minor: int, minor_digits: int, rate: Decimal | None) -> int:
    """``amount_minor`` in microdollars, rounded once, half up.

    ``rate`` is US dollars for one unit of the currency; ``None``: they are US dollars.
    """
    if rate is None:
        return amount_minor * MICRODOLLARS_PER_CENT
    exact = Fraction(rate) * amount_minor * MICRODOLLARS / 10**minor_digits
    return round_half_up(exact.numerator, exact.denominator)
