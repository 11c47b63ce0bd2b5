"""What SQL adds up exactly, and the days and months it adds up by, once for each database.

SQLite refuses a sum that leaves 64 bits on its way to a total that fits, and turns other
overflows into floats; PostgreSQL sums into ``numeric``. In two halves every sum is exact on both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, SupportsInt

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Float,
    Integer,
    String,
    case,
    cast,
    extract,
    func,
    literal,
    literal_column,
    type_coerce,
)
from sqlalchemy.sql.functions import Function

TOO_LARGE = "beyond 2^63"
"""What ``whole`` gives in SQLite for a total that no stored integer holds."""

_HALF_BITS = literal(32, Integer)
_LOW_BITS = literal(0xFFFFFFFF, BigInteger)
_FULL = literal(2**32, BigInteger)
_EPOCH = literal_column("DATE '1970-01-01'", Date)
_JULIAN_EPOCH = literal_column("2440587.5", Float)
_DAY_SECONDS = 86_400

Halves = tuple[Function[int], Function[int]]


def halves(column: ColumnElement[int]) -> Halves:
    """The sums of a 64-bit column's upper and lower 32 bits; ``whole`` puts them together."""
    return (
        func.sum(column.bitwise_rshift(_HALF_BITS)),
        func.sum(column.bitwise_and(_LOW_BITS)),
    )


def whole(dialect: str, high: ColumnElement[Any], low: ColumnElement[Any]) -> ColumnElement[Any]:
    """The total of two halves. Beyond 64 bits: the number in PostgreSQL, else ``TOO_LARGE``."""
    if dialect == "postgresql":
        return high * _FULL + low
    carried = high + low.bitwise_rshift(_HALF_BITS)
    fits = carried.between(-(2**31), 2**31 - 1)
    total = carried.bitwise_lshift(_HALF_BITS).bitwise_or(low.bitwise_and(_LOW_BITS))
    return case((fits, total), else_=literal_column(f"'{TOO_LARGE}'"))


def total(dialect: str, column: ColumnElement[int]) -> ColumnElement[Any]:
    """The exact sum of a 64-bit column. Beyond 64 bits: as of ``whole``."""
    # PostgreSQL adds up in 128 bits, at two thirds of what two halves take.
    return func.sum(column) if dialect == "postgresql" else whole(dialect, *halves(column))


# The same signature as ``total``, whose place it takes.
def plain_total(dialect: str, column: ColumnElement[int]) -> ColumnElement[Any]:  # noqa: ARG001
    """The same at two thirds of the time, and in SQLite an error (``overflow_as``) where the sum
    leaves 64 bits on its way.
    """
    return func.sum(column)


Total = Callable[[str, ColumnElement[int]], ColumnElement[Any]]
"""``total`` or ``plain_total``."""


def joined(high: SupportsInt, low: SupportsInt) -> int:
    """The same of two halves that were read."""
    return (int(high) << 32) + int(low)


def day_of_instant(dialect: str, column: ColumnElement[Any]) -> ColumnElement[int]:
    """The UTC day of a stored instant, as days are stored."""
    if dialect == "postgresql":
        return type_coerce(cast(func.timezone("UTC", column), Date) - _EPOCH, Integer)
    # The date alone: SQLite rounds times to milliseconds, which may end in the next day.
    date_text = func.substr(type_coerce(column, String), 1, 10)
    return cast(func.julianday(date_text) - _JULIAN_EPOCH, Integer)


def month_of_day(dialect: str, column: ColumnElement[int]) -> ColumnElement[int]:
    """The month (a ``Period.index``) of a stored day."""
    if dialect == "postgresql":
        moment = type_coerce(_EPOCH + column, Date)
        year, month = (cast(extract(part, moment), Integer) for part in ("year", "month"))
    else:
        seconds = column * _DAY_SECONDS
        year, month = (
            cast(func.strftime(part, seconds, "unixepoch"), Integer) for part in ("%Y", "%m")
        )
    return year * 12 + month - 1
