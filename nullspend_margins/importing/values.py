"""What stands in a field: text, days, numbers, exactly. ``Misfit`` says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from nullspend_margins.domain.cost import MAX_COUNT
from nullspend_margins.domain.fields import day_problem, string_problem
from nullspend_margins.domain.money import round_half_up
from nullspend_margins.domain.period import day_number

MAX_COST = 2**62 * 10**18
"""What one fact can hold, in 10^-27 dollars."""

_LONGEST_NUMBER = 100
_NUMBER = re.compile(r"([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]{1,3}))?")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.,][0-9]+)?"
    r" ?([Zz]|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_GROUPED = re.compile(r"[0-9][,' \u00a0\u202f][0-9]")


class Misfit(Exception):
    """This value can't be what it must be; the message says why and what would do."""


def text_of(value: object) -> str:
    """The text of a value; ``""`` for none."""
    if isinstance(value, str):
        return value
    if value is None or value != value:  # nan: how tables of floats say none
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Misfit(f"{_shown(value)} is no text")


def name_of(value: object, most: int) -> str:
    """A text that can be stored, of at most so many characters; ``""`` for none."""
    text = text_of(value)
    if problem := string_problem(text, 0, most):
        raise Misfit(problem)
    return text


def day_of_value(value: object) -> int:
    """The day number, in UTC, of an ISO date or time; without an offset it is in UTC."""
    if value is None or value == "":
        raise Misfit("is empty")
    if isinstance(value, str):
        day = _day_of_text(value.strip())
    elif isinstance(value, datetime):
        day = _day_of_moment(value)
    elif isinstance(value, date):
        day = value
    else:
        raise Misfit(f"{_shown(value)} is no date: write YYYY-MM-DD, or an ISO 8601 time")
    if problem := day_problem(day):
        raise Misfit(problem)
    return day_number(day)


def _day_of_text(text: str) -> date:
    found = _TIME.fullmatch(text)
    if found is None:
        raise Misfit(f"{_shown(text)} is no date: write YYYY-MM-DD, or an ISO 8601 time")
    day, time, offset = found.groups()
    zone = "" if offset is None or offset in "UTCZz" else offset
    try:
        if time is None:
            return date.fromisoformat(day)
        moment = datetime.fromisoformat(f"{day}T{time}{zone or '+00:00'}")
    except ValueError:
        raise Misfit(f"{_shown(text)} does not exist") from None
    return _day_of_moment(moment)


def _day_of_moment(moment: datetime) -> date:
    try:
        return moment.date() if moment.tzinfo is None else moment.astimezone(UTC).date()
    except OverflowError:  # an offset may lead out of the years that there are
        raise Misfit(f"{_shown(str(moment))} does not exist") from None


def cost_of(value: object, places: int) -> int:
    """An exact number, ``places`` decimal places up, as an integer.

    What is finer than 10^-27 dollars is rounded: a file has it from binary fractions alone.
    """
    cost = _scaled(value, places)
    if abs(cost) > MAX_COST:
        raise Misfit(f"{_shown(value)} is more than a cost can be")
    return cost


def count_of(value: object) -> int:
    """A number of requests; none is 0."""
    if value is None or value in ("", 0) or value != value:
        return 0
    count, rest = divmod(_scaled(value, 3), 1000)
    if rest or not 0 <= count <= MAX_COUNT:
        raise Misfit(f"{_shown(value)} is no number of requests: 0, 1, 2, ...")
    return count


def tags_of(value: object) -> Mapping[str, object]:
    """Tags by key: of JSON text, of a mapping, or of a list.

    What is in a list is a pair (a map of Parquet), or ``{"key": ..., "value": ...}``, as Google's
    bills have them.
    """
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise Misfit(f"is no JSON: {problem}") from None
        if value is None:
            return {}
    if isinstance(value, list):
        try:
            value = dict(map(_pair, value))
        except (KeyError, TypeError, ValueError):
            raise Misfit("is no JSON object of tags") from None
    if not isinstance(value, Mapping):
        raise Misfit("is no JSON object of tags")
    return value


def _pair(tag: object) -> tuple[str, object]:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for what is none."""
    if isinstance(tag, Mapping):
        tag = (tag["key"], tag["value"])
    if not isinstance(tag, tuple | list):
        raise TypeError(tag)
    key, value = tag
    if not isinstance(key, str):
        raise TypeError(key)
    return key, value


def _scaled(value: object, places: int) -> int:
    text = _number_text(value)
    found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    digits = found[2] + found[3] if found else ""
    if found is None or not digits:
        raise Misfit(_why_no_number(text))
    number = -int(digits) if found[1] == "-" else int(digits)
    shift = places - len(found[3]) + int(found[4] or 0)
    return number * 10**shift if shift >= 0 else round_half_up(number, 10**-shift)


def _number_text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return repr(value) if isinstance(value, float) else str(value)
    raise Misfit(f"{_shown(value)} is no number")


def _why_no_number(text: str) -> str:
    if not text or text == "nan":
        return "is empty"
    if any(each in text for each in "$€£¥") or "USD" in text:
        return f"{_shown(text)} has a currency in it: write the number alone, as 1234.5"
    if "," in text or _GROUPED.search(text):
        return (
            f"{_shown(text)} may be read in two ways: write 1234.5, with a point for decimals alone"
        )
    if text.startswith("("):
        return f"{_shown(text)} is no number: write negative ones with a minus sign, as -12.5"
    return f"{_shown(text)} is no number: write it as 1234.5"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 50 else f"{text[:50]}..."
