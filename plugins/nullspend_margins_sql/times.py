"""Times as columns hold them, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?", re.DOTALL)


def instant(value: object) -> datetime:
    """The moment that ``value`` names; without a time zone it is UTC, and a day is its midnight.

    Raises ``ValueError`` with what is wrong, without the value.
    """
    if isinstance(value, str):
        if not _ISO.fullmatch(value):
            raise ValueError("is no time such as 2026-04-05 10:00:00 or 2026-04-05T10:00:00+02:00")
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("is a time that does not exist") from None
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        except OverflowError:
            raise ValueError("is a time beyond all calendars") from None
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise ValueError(f"is {type(value).__name__}, not a time; a select can make one of it")
