"""What stands in a cell: moments, amounts, currencies, exactly. ``Misfit`` says what is wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from nullspend_margins import minor_digits_of
from nullspend_margins_csv.problems import Misfit, shown

DEFAULT_CURRENCY = "usd"

_AMOUNT = re.compile(r"([+-]?)([0-9]{1,30})(?:\.([0-9]{1,30}))?")
_CURRENCY = re.compile(r"[a-z]{3}")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?) ?([Zz]|UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_GROUPED = re.compile(r"[0-9][,' \u00a0\u202f][0-9]")


def moment_of(text: str) -> datetime:
    """A day's first instant, or an ISO 8601 time; both in UTC where they name no offset."""
    if not text:
        raise Misfit("is empty: write YYYY-MM-DD")
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise Misfit(f"{shown(text)} is no date: write YYYY-MM-DD, or an ISO 8601 time")
    day, time, offset = found.groups()
    zone = "+00:00" if offset is None or offset in "UTCZz" else offset
    try:
        return datetime.fromisoformat(f"{day}T{time or '00:00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):  # an offset may lead out of the years that there are
        raise Misfit(f"{shown(text)} does not exist") from None


def currency_of(text: str) -> str:
    """A lower-case ISO 4217 code; US dollars where nothing is said."""
    code = text.casefold() or DEFAULT_CURRENCY
    if not _CURRENCY.fullmatch(code):
        raise Misfit(f"{shown(text)} is no currency: write its code of three letters, as usd")
    return code


def amount_of(text: str, currency: str) -> int:
    """A decimal number of a currency's units (dollars), in its minor unit (cents)."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise Misfit(_why_no_amount(text))
    sign, whole, decimals = found[1], found[2], (found[3] or "").rstrip("0")
    digits = minor_digits_of(currency)
    if len(decimals) > digits:
        raise Misfit(
            f"{shown(text)} is finer than {currency}, which has {digits} decimals: round it as it "
            "was paid"
        )
    amount = int(whole + decimals.ljust(digits, "0"))
    return -amount if sign == "-" else amount


def _why_no_amount(text: str) -> str:
    if not text:
        return "is empty: write 0 where nothing was paid"
    if any(each in text for each in "$€£¥") or re.search("[A-Za-z]{3}", text):
        return (
            f"{shown(text)} has a currency in it: write the number alone, as 1234.50, and the "
            "currency in its own column"
        )
    if "," in text or _GROUPED.search(text):
        return (
            f"{shown(text)} may be read in two ways: write 1234.50, with a point for decimals alone"
        )
    if text.startswith("("):
        return f"{shown(text)} is no number: write negative ones with a minus sign, as -12.50"
    return f"{shown(text)} is no number: write it as 1234.50"
