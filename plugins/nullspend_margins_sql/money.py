"""Costs as columns hold them, in nanodollars. Exact: what is finer is rounded once, by row."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow

NANODOLLARS = {
    "dollars": 1_000_000_000,
    "cents": 10_000_000,
    "microdollars": 1_000,
    "nanodollars": 1,
}
"""Nanodollars in one of each unit."""

_EXACT = Context(prec=120)
_ONE = Decimal(1)


def nanodollars(value: object, factor: int) -> int:
    """``value`` times ``factor`` to the nearest integer, halves away from zero.

    A ``float`` counts as what it is written as: 0.1 is a tenth. Raises ``ValueError`` with what
    is wrong, without the value.
    """
    if type(value) is int:
        return value * factor
    try:
        number = _decimal(value)
        return int(_EXACT.multiply(number, Decimal(factor)).quantize(_ONE, ROUND_HALF_UP, _EXACT))
    except (InvalidOperation, Overflow):
        raise ValueError("is no number, or not one that money can be") from None


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        return Decimal(repr(float(value)))
    if isinstance(value, str) and "_" not in value:
        return Decimal(value)
    raise ValueError(f"is {type(value).__name__}, not a number")
