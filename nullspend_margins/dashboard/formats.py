"""Numbers, money and dates as a reader's locale writes them. Rounded here alone, for the eye."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime, format_skeleton, format_timedelta
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_symbol,
)

from nullspend_margins.config.locales import known_locale
from nullspend_margins.dashboard.patterns import FastPattern
from nullspend_margins.domain.currency import minor_digits_of
from nullspend_margins.domain.money import MICRODOLLARS_PER_CENT
from nullspend_margins.domain.period import Period, as_utc

_FALLBACK = Locale("en", "US")
_MOST_ASKED = 10
_LONG = 10_000 * 10**6
_MINUTE = timedelta(minutes=1)
_MONTHS_KEPT = 256
# For lines from right to left; in those of an English page they put a sign behind its figure.
_TURNING_MARKS = dict.fromkeys(map(ord, "\u200f\u061c"))


class Formats:
    """How one reader sees figures. Words are English, in the dates of the reader's country."""

    def __init__(self, locale: Locale) -> None:
        self._numbers = locale
        self._words = _english_of(locale)
        percent = _one_decimal(locale.percent_formats[None].pattern)
        self._cents = FastPattern(
            lambda cents: _in_line(format_currency(cents.scaleb(-2), "USD", locale=locale)), 2
        )
        self._tenths = FastPattern(
            lambda tenths: format_percent(tenths.scaleb(-3), percent, locale=locale), 1
        )
        # A list of months is on every page, and takes a millisecond to write.
        self._month = lru_cache(_MONTHS_KEPT)(self._skeleton)
        self._whole = FastPattern(lambda count: format_decimal(count, locale=locale), 0)

    def money(self, microdollars: int) -> str:
        """``$1,234.56``; ``<$0.01`` for what is less than a cent and not nothing."""
        if microdollars and abs(microdollars) < MICRODOLLARS_PER_CENT:
            sign = "<" if microdollars > 0 else ">"
            cent = MICRODOLLARS_PER_CENT if microdollars > 0 else -MICRODOLLARS_PER_CENT
            return sign + self.money(cent)
        cents = _rounded_away(abs(microdollars), MICRODOLLARS_PER_CENT)
        return self._cents(cents, is_negative=microdollars < 0)

    def money_short(self, microdollars: int) -> str:
        """``$1.2M``, for axes and tiles with little room."""
        if abs(microdollars) >= _LONG:
            amount = Decimal(microdollars) / 10**6
            return _in_line(
                format_compact_currency(amount, "USD", locale=self._numbers, fraction_digits=1)
            )
        whole = self._numbers.currency_formats["standard"].pattern.replace(".00", "")
        return self._by_pattern(_rounded(microdollars, 6, 0), "USD", whole)

    def money_exact(self, microdollars: int) -> str:
        """``$0.004213``: nothing rounded. Whole cents as ``$12.00``, all else with six decimals."""
        decimals = 6 if microdollars % MICRODOLLARS_PER_CENT else 2
        return self._currency(_rounded(microdollars, 6, decimals), "USD", decimals)

    def money_fine(self, microdollars: int) -> str:
        """``$1.23``, but ``$0.00421``: three digits that tell something, six decimals at most."""
        size = abs(microdollars)
        decimals = 2 if size >= 10**6 or not size else min(max(9 - len(str(size)), 2), 6)
        return self._currency(_rounded(microdollars, 6, decimals), "USD", decimals)

    def amount_exact(self, minor: int, digits: int, currency: str) -> str:
        """``€19.99`` from an amount in the minor unit of a lower-case currency."""
        return self._currency(Decimal(minor).scaleb(-digits), currency.upper(), digits)

    def _currency(self, amount: Decimal, currency: str, decimals: int) -> str:
        pattern = self._numbers.currency_formats["standard"].pattern
        if get_currency_symbol(currency, self._numbers).isalnum():
            pattern = pattern.replace("\xa4#", "\xa4\xa0#")  # a word does not stick to its amount
        places = f".{'0' * decimals}" if decimals else ""
        return self._by_pattern(amount, currency, pattern.replace(".00", places))

    def _by_pattern(self, amount: Decimal, currency: str, pattern: str) -> str:
        return _in_line(
            format_currency(amount, currency, pattern, self._numbers, currency_digits=False)
        )

    def percent_short(self, hundredths: int) -> str:
        """``67%``, for axes."""
        return format_percent(_rounded(hundredths, 4, 2), locale=self._numbers)

    def points(self, hundredths: int) -> str:
        """``+3.2`` from a difference of two percentages, in hundredths of a percent."""
        shown = format_decimal(_rounded(abs(hundredths), 2, 1), "0.0", locale=self._numbers)
        return f"{_sign(hundredths)}{shown}"

    def money_change(self, microdollars: int) -> str:
        """``+$12.00`` or ``-$12.00``."""
        return f"{_sign(microdollars)}{self.money(abs(microdollars))}"

    def percent_change(self, hundredths: int) -> str:
        """``+3.2%`` or ``-3.2%``."""
        return f"{_sign(hundredths)}{self.percent(abs(hundredths))}"

    def percent(self, hundredths: int) -> str:
        """``67.2%`` from hundredths of a percent, with one decimal."""
        return self._tenths(_rounded_away(abs(hundredths), 10), is_negative=hundredths < 0)

    def decimal(self, value: Decimal) -> str:
        """``29.5``: with the decimals that it has."""
        return format_decimal(value, locale=self._numbers)

    def number(self, value: int) -> str:
        """``12,345``."""
        return self._whole(abs(value), is_negative=value < 0)

    def amount(self, minor: int, currency: str) -> str:
        """``€1,234.56`` from cents, or whole yen, of a lower-case currency code."""
        exact = Decimal(minor).scaleb(-minor_digits_of(currency))
        return _in_line(format_currency(exact, currency.upper(), locale=self._numbers))

    def month(self, period: Period) -> str:
        """``April 2026``."""
        return self._month("yMMMM", period)

    def month_short(self, period: Period) -> str:
        """``Apr 2026``."""
        return self._month("yMMM", period)

    def _skeleton(self, skeleton: str, period: Period) -> str:
        return format_skeleton(skeleton, period.start, locale=self._words)

    def month_name(self, period: Period) -> str:
        """``Apr``, where the year stands elsewhere."""
        return format_skeleton("MMM", period.start, locale=self._words)

    def day(self, when: date) -> str:
        """``Apr 5, 2026``; of an aware ``datetime``, its day in UTC."""
        day = as_utc(when) if isinstance(when, datetime) else when
        return format_skeleton("yMMMd", day, locale=self._words)

    def instant(self, moment: datetime) -> str:
        """``Apr 5, 2026, 10:00:00 AM UTC``."""
        shown = format_datetime(as_utc(moment), "medium", locale=self._words)
        return f"{shown} UTC"

    def ago(self, moment: datetime, now: datetime) -> str:
        """``3 hours ago``; within a minute ``just now``."""
        if abs(now - moment) < _MINUTE:
            return "just now"
        return format_timedelta(
            as_utc(moment) - as_utc(now), add_direction=True, locale=self._words
        )


def _in_line(figure: str) -> str:
    return figure.translate(_TURNING_MARKS)


def _sign(amount: int) -> str:
    return "+" if amount > 0 else "-" if amount < 0 else ""


def _one_decimal(percent: str) -> str:
    """A pattern for percents with one decimal."""
    pattern = percent.replace("0%", "0.0%")
    return pattern if ".0" in pattern else pattern.replace("0", "0.0", 1)


def _rounded_away(amount: int, unit: int) -> int:
    """How many units ``amount``, which is not below zero, is; half up."""
    return (amount + unit // 2) // unit


def _rounded(amount: int, decimals: int, kept: int) -> Decimal:
    """``amount / 10**decimals`` with ``kept`` decimals, half away from zero."""
    exact = Decimal(amount).scaleb(-decimals)
    return exact.quantize(Decimal(1).scaleb(-kept), ROUND_HALF_UP)


def formats_for(configured: str, accept_language: str | None) -> Formats:
    """The reader's, by ``Accept-Language``, unless one locale is configured for everybody."""
    return _formats(configured or _asked_for(accept_language or ""))


@lru_cache(maxsize=64)
def _formats(tag: str) -> Formats:
    return Formats(known_locale(tag) or _FALLBACK)


def _asked_for(header: str) -> str:
    """The best locale that is known of those that a browser asks for."""
    for tag in _by_weight(header[:500].split(",")[:_MOST_ASKED]):
        if known_locale(tag) is not None:
            return tag
    return ""


def _by_weight(asked: Iterable[str]) -> list[str]:
    weighed = []
    for each in asked:
        tag, _, weight = each.replace(" ", "").partition(";q=")
        try:
            weighed.append((-float(weight or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda pair: pair[0]) if weight < 0]


def _english_of(locale: Locale) -> Locale:
    """English as the reader's country writes dates: CLDR has it for many of them."""
    if locale.language == "en":
        return locale
    try:
        return Locale.parse(f"en_{locale.territory}") if locale.territory else Locale("en", "GB")
    except (UnknownLocaleError, ValueError):
        return Locale("en", "GB")
