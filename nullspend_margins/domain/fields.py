"""What may be in the fields of events and facts, whoever made them.

Annotations are promises that a plugin may break; what is refused here would fail, or change
silently, in the database. Cheap: ingest makes thousands of events a second.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from nullspend_margins.domain.period import FIRST_YEAR, LAST_YEAR
from nullspend_margins.domain.text import text_problem

_EARLIEST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_END = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)


def integer_problem(value: object, lowest: int, highest: int) -> str | None:
    """Anything but an ``int`` is refused: a ``bool`` is no number, a ``float`` no money."""
    if type(value) is not int:
        return f"must be an int, not {type(value).__name__}"
    if lowest <= value <= highest:
        return None
    return f"must be {lowest} to {highest}"


def string_problem(value: object, at_least: int, at_most: int) -> str | None:
    """No control characters, no lone surrogates, ``at_least`` to ``at_most`` characters."""
    if not isinstance(value, str):
        return f"must be a str, not {type(value).__name__}"
    if value.isprintable() and at_least <= len(value) <= at_most:
        return None  # nearly every text, and five times as fast as looking closer
    return text_problem(value, at_most=at_most, at_least=at_least)


def instant_problem(value: object) -> str | None:
    """An aware ``datetime`` of the years that periods have, in UTC."""
    if not isinstance(value, datetime):
        return f"must be a datetime, not {type(value).__name__}"
    if value.utcoffset() is None:
        return "must have a time zone"
    return None if _EARLIEST <= value < _END else _out_of_years()


def day_problem(value: object) -> str | None:
    """A ``date`` of the years that periods have."""
    if not isinstance(value, date) or isinstance(value, datetime):
        return f"must be a date, not {type(value).__name__}"
    return None if FIRST_YEAR <= value.year <= LAST_YEAR else _out_of_years()


def _out_of_years() -> str:
    return f"must be in the years {FIRST_YEAR} to {LAST_YEAR}, in UTC"
