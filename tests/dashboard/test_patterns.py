"""Numbers are written just as Babel writes them, only faster."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial

from babel import Locale, localedata
from babel.numbers import format_currency, format_decimal, format_percent, get_group_symbol
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.dashboard.formats import Formats, formats_for
from nullspend_margins.dashboard.patterns import FastPattern

usual = st.sampled_from(
    ["en_US", "de", "de_CH", "fr", "hi_IN", "es", "pl", "ar_EG", "fa", "he", "sv"]
)
microdollars = st.integers(-(10**21), 10**21)


def cents(microdollars: int) -> Decimal:
    return Decimal(microdollars).scaleb(-6).quantize(Decimal("0.01"), "ROUND_HALF_UP")


@given(locale=usual, amount=microdollars.filter(lambda each: abs(each) >= 10_000))
def test_money_is_what_babel_writes(locale: str, amount: int) -> None:
    shown = formats_for(locale, None).money(amount)
    written = format_currency(cents(amount), "USD", locale=locale)
    assert shown == written.replace("\u200f", "")  # marks of lines that run the other way


@given(locale=usual, hundredths=st.integers(-(10**12), 10**12))
def test_percents_are_what_babel_writes(locale: str, hundredths: int) -> None:
    pattern = Locale.parse(locale).percent_formats[None].pattern
    with_decimal = re.sub(r"0(?![0.])", "0.0", pattern)
    exact = Decimal(hundredths).scaleb(-4).quantize(Decimal("0.001"), "ROUND_HALF_UP")
    shown = formats_for(locale, None).percent(hundredths)
    assert shown == format_percent(exact, with_decimal, locale=locale)


@given(locale=usual, number=st.integers(-(10**15), 10**15))
def test_whole_numbers_are_what_babel_writes(locale: str, number: int) -> None:
    assert formats_for(locale, None).number(number) == format_decimal(number, locale=locale)


def test_every_locale_is_learned_but_those_that_babel_writes_wrong() -> None:
    for name in localedata.locale_identifiers():
        locale = Locale.parse(name)
        written = partial(in_dollars, locale)
        pattern = FastPattern(written, 2)
        # Two of these Babel takes for quotes, and leaves them out.
        assert pattern.is_fast == (get_group_symbol(locale) != "'"), name
        for count in (Decimal(0), Decimal(1_234_56), Decimal(98_765_432_10)):
            assert pattern(int(count)) == written(count), name
            assert pattern(int(count), is_negative=True) == written(count.copy_negate()), name


def in_dollars(locale: Locale, cents: Decimal) -> str:
    return format_currency(cents.scaleb(-2), "USD", locale=locale)


def test_what_cannot_be_learned_is_asked_every_time() -> None:
    asked: list[Decimal] = []

    def odd(count: Decimal) -> str:
        asked.append(count)
        return "many" if count == 42 else "few"

    pattern = FastPattern(odd, 0)
    assert not pattern.is_fast
    asked.clear()
    assert (pattern(42), pattern(7, is_negative=True)) == ("many", "few")
    assert asked == [42, -7]


def test_formats_are_fast_where_most_readers_are() -> None:
    formats = Formats(Locale("en", "US"))
    assert formats._cents.is_fast
    assert formats._tenths.is_fast
    assert formats._whole.is_fast
