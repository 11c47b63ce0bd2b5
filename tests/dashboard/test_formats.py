"""Figures as each reader's locale writes them."""

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from nullspend_margins.dashboard.formats import Formats, formats_for
from nullspend_margins.domain.period import Period

APRIL = Period.parse("2026-04")
MORNING = datetime(2026, 4, 5, 10, tzinfo=UTC)


def american() -> Formats:
    return formats_for("en_US", None)


@pytest.mark.parametrize(
    ("microdollars", "shown"),
    [
        (0, "$0.00"),
        (1_234_567_890, "$1,234.57"),
        (-1_234_565_000, "-$1,234.57"),
        (10_000, "$0.01"),
        (9_999, "<$0.01"),
        (-1, ">-$0.01"),
        (9_007_199_254_740_993_000_000, "$9,007,199,254,740,993.00"),
    ],
)
def test_money_has_cents_and_tells_nothing_from_next_to_nothing(
    microdollars: int, shown: str
) -> None:
    assert american().money(microdollars) == shown


@pytest.mark.parametrize(
    ("microdollars", "shown"),
    [(1_234_500_000, "$1,235"), (12_345_000_000, "$12.3K"), (1_250_000_000_000, "$1.2M")],
)
def test_short_money_fits_an_axis(microdollars: int, shown: str) -> None:
    assert american().money_short(microdollars) == shown


@pytest.mark.parametrize(
    ("microdollars", "shown"),
    [
        (0, "$0.00"),
        (12_000_000, "$12.00"),
        (-12_340_000, "-$12.34"),
        (4_213, "$0.004213"),
        (1_500_001, "$1.500001"),
        (100, "$0.000100"),
    ],
)
def test_exact_money_leaves_nothing_out(microdollars: int, shown: str) -> None:
    assert american().money_exact(microdollars) == shown


@pytest.mark.parametrize(
    ("microdollars", "shown"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (4_213, "$0.00421"),
        (-711_017, "-$0.711"),
        (5_877_353, "$5.88"),
        (1_234_567_890, "$1,234.57"),
    ],
)
def test_fine_money_has_three_digits_that_tell_something(microdollars: int, shown: str) -> None:
    assert american().money_fine(microdollars) == shown


@pytest.mark.parametrize(
    ("minor", "digits", "currency", "shown"),
    [
        (1_999, 2, "eur", "€19.99"),
        (500, 0, "jpy", "¥500"),
        (-12_345, 3, "kwd", "-KWD\xa012.345"),
        (100, 2, "<b>", "<B>1.00"),
        (2**63 // 10_000, 2, "usd", "$9,223,372,036,854.77"),
    ],
)
def test_amounts_have_their_currencys_decimals(
    minor: int, digits: int, currency: str, shown: str
) -> None:
    assert american().amount_exact(minor, digits, currency) == shown


def test_changes_have_a_sign() -> None:
    formats = american()
    assert formats.points(-36_04) == "-36.0"
    assert formats.points(3_25) == "+3.3"
    assert formats.money_change(12_000_000) == "+$12.00"
    assert formats.money_change(-12_000_000) == "-$12.00"
    assert formats.money_change(0) == "$0.00"
    assert formats.percent_change(-3_20) == "-3.2%"


def test_decimals_are_the_readers() -> None:
    assert [american().decimal(Decimal(each)) for each in ("30", "29.5")] == ["30", "29.5"]
    assert formats_for("de", None).decimal(Decimal("29.5")) == "29,5"


def test_axes_have_short_percents_and_months() -> None:
    assert american().percent_short(-50_00) == "-50%"
    assert american().month_name(APRIL) == "Apr"
    assert formats_for("de", None).percent_short(100_00) == "100\xa0%"


@pytest.mark.parametrize(
    ("hundredths", "shown"),
    [(67_20, "67.2%"), (0, "0.0%"), (-21_22, "-21.2%"), (-1_000_00, "-1,000.0%"), (5, "0.1%")],
)
def test_percents_have_one_decimal(hundredths: int, shown: str) -> None:
    assert american().percent(hundredths) == shown


def test_a_german_reads_german_figures_and_english_words() -> None:
    formats = formats_for("", "de-DE,de;q=0.9,en;q=0.5")
    assert formats.money(1_234_560_000) == "1.234,56\xa0$"
    assert formats.percent(67_20) == "67,2\xa0%"
    assert formats.number(12_345) == "12.345"
    assert formats.day(MORNING) == "5 Apr 2026"


def test_months_and_days_are_in_words() -> None:
    formats = american()
    assert (formats.month(APRIL), formats.month_short(APRIL)) == ("April 2026", "Apr 2026")
    assert formats.day(MORNING) == "Apr 5, 2026"
    assert formats.instant(MORNING).endswith("UTC")
    assert formats.ago(MORNING, MORNING + timedelta(hours=3)) == "3 hours ago"


def test_days_are_those_of_utc() -> None:
    tokyo = datetime.fromisoformat("2026-04-06T08:00:00+09:00")
    assert american().day(tokyo) == "Apr 5, 2026"


@pytest.mark.parametrize(
    ("configured", "header", "money"),
    [
        ("fr", "de", "1,00\xa0$US"),
        ("", "xx, de;q=0.3, en-US;q=0.8", "$1.00"),
        ("", "de;q=0, fr;q=0.1", "1,00\xa0$US"),
        ("", "fr; q=0.9, en-US; q=0.8", "1,00\xa0$US"),
        ("", "*", "$1.00"),
        ("", ";;;,q=,==", "$1.00"),
        ("", None, "$1.00"),
        ("", "de;q=oops, en-US", "$1.00"),
    ],
)
def test_the_configured_locale_wins_and_then_the_best_that_is_known(
    configured: str, header: str | None, money: str
) -> None:
    assert formats_for(configured, header).money(1_000_000) == money


@pytest.mark.parametrize("locale", ["he_IL", "ar_EG", "ar", "fa_IR", "ur_PK", "en_US", "de_CH"])
def test_a_sign_stands_before_its_figure_whichever_way_the_readers_script_runs(
    locale: str,
) -> None:
    """Marks of a right-to-left line would put it behind the digits of these left-to-right pages."""
    formats = formats_for(locale, None)
    for write in (formats.money, formats.money_short, formats.money_exact, formats.money_fine):
        shown = write(-64_250_000)
        assert {unicodedata.bidirectional(each) for each in shown}.isdisjoint({"R", "AL"}), shown
    assert unicodedata.bidirectional(formats.amount(6_425, "eur")[0]) != "R"
