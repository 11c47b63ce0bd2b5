"""Costs as columns hold them, in nanodollars. Exact: what is finer is rounded once, by row."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow

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
    """``value`` times ``factor`` to the nearest integer, halves toward +infinity.

    A ``float`` counts as what it is written as: 0.1 is a tenth. Raises ``ValueError`` with what
    is wrong, without the value.
    """
    if type(value) is int:
        return value * factor
    try:
        exact = _EXACT.multiply(_decimal(value), Decimal(factor))
        # The names are of decimal: its "up" is away from zero.
        halves_up = ROUND_HALF_DOWN if exact.is_signed() else ROUND_HALF_UP
        return int(exact.quantize(_ONE, halves_up, _EXACT))
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
