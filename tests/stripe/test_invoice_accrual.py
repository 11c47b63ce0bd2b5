"""An invoice's lines over the time of their service."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nullspend_margins import RevenuePart
from nullspend_margins_stripe.invoice_facts import invoice_fact
from tests.properties.profile import examples
from tests.stripe.bodies import TAG_KEY, Json, by_month, invoice, line_json, seconds

JANUARY = (seconds("2026-01-01"), seconds("2026-02-01"))
YEAR = (seconds("2026-01-01"), seconds("2027-01-01"))


def untaxed(total: int, *lines: Json, **fields: Any) -> dict[str, int]:
    """The accrual by month of an invoice without tax."""
    one = invoice(total=total, total_excluding_tax=total, total_taxes=[], lines=lines, **fields)
    return dict(by_month(invoice_fact(one, tag_key=TAG_KEY), "accrual"))


def line_parts(total: int, *lines: Json) -> list[RevenuePart]:
    one = invoice(total=total, total_excluding_tax=total, total_taxes=[], lines=lines)
    fact = invoice_fact(one, tag_key=TAG_KEY)
    assert fact is not None
    return [part for part in fact.all_parts if "accrual" in part.bases]


def test_a_year_is_spread_by_the_time_in_its_months() -> None:
    found = untaxed(36500, line_json(36500, *YEAR))
    assert found["2026-01"] == found["2026-12"] == 3100
    assert found["2026-02"] == 2800
    assert (len(found), sum(found.values())) == (12, 36500)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2026-01-31T23:59:59", "2026-02-01", {"2026-01": 1000}),
        ("2026-01-31T23:59:59", "2026-02-01T00:00:01", {"2026-01": 500, "2026-02": 500}),
        ("2026-01-31", "2026-02-01", {"2026-01": 1000}),
        ("2026-01-31T12:00", "2026-02-01T12:00", {"2026-01": 500, "2026-02": 500}),
        ("2028-02-28", "2028-03-02", {"2028-02": 667, "2028-03": 333}),
        ("2027-02-28", "2027-03-02", {"2027-02": 500, "2027-03": 500}),
    ],
    ids=["a second", "two seconds", "a day", "noon to noon", "a leap day", "no leap day"],
)
def test_short_periods(start: str, end: str, months: dict[str, int]) -> None:
    assert untaxed(1000, line_json(1000, seconds(start), seconds(end))) == months


def test_three_years_across_a_leap_day_have_a_part_for_each_day() -> None:
    found = untaxed(109600, line_json(109600, seconds("2027-01-01"), seconds("2030-01-01")))
    assert (len(found), sum(found.values())) == (36, 109600)
    assert (found["2028-02"], found["2027-02"], found["2029-12"]) == (2900, 2800, 3100)


def test_an_upgrade_takes_back_what_was_not_used_and_adds_what_is_new() -> None:
    rest = (seconds("2026-01-16"), seconds("2026-02-01"))
    parts = line_parts(
        2500, line_json(-2500, *rest), line_json(5000, *rest, description="Remaining time on Pro")
    )
    assert [part.amount_minor for part in parts] == [-2500, 5000]
    assert untaxed(2500, line_json(-2500, *rest), line_json(5000, *rest)) == {"2026-01": 2500}


def test_lines_that_cancel_each_other_out_move_revenue_between_months() -> None:
    february = (seconds("2026-02-01"), seconds("2026-03-01"))
    found = untaxed(0, line_json(-2500, *JANUARY), line_json(2500, *february))
    assert found == {"2026-01": -2500, "2026-02": 2500}


def test_a_downgrade_of_less_than_nothing_is_negative() -> None:
    assert untaxed(-2500, line_json(-2500, *JANUARY), amount_paid=0) == {"2026-01": -2500}


def test_discounts_credits_and_inclusive_taxes_make_lines_lighter() -> None:
    parts = line_parts(
        11500,
        line_json(10000, *JANUARY, pretax_credit_amounts=[{"amount": 1000}, {"amount": 500}]),
        line_json(
            4000,
            *JANUARY,
            taxes=[
                {"amount": 1000, "tax_behavior": "inclusive"},
                {"amount": 700, "tax_behavior": "exclusive"},
            ],
        ),
    )
    assert [part.amount_minor for part in parts] == [8500, 3000]


def test_what_is_in_no_line_is_spread_by_their_weights() -> None:
    parts = line_parts(1000, *(line_json(300, *JANUARY, id=f"il_{each}") for each in range(3)))
    assert [part.amount_minor for part in parts] == [334, 333, 333]


@pytest.mark.parametrize(
    ("total", "lines", "shares"),
    [
        # Shipping of 500 beside lines that nearly cancel each other out.
        (501, [1_000_000, -999_999], [1_000_250, -999_749]),
        (501, [-999_999, 1_000_000], [-999_749, 1_000_250]),
        (3, [1_000_000, -999_999], [1_000_001, -999_998]),
        (-501, [1_000_000, -999_999], [999_749, -1_000_250]),
        # Of other signs than what they come to.
        (-5, [-10, 12], [-13, 8]),
        # Twice what they come to, and lines of one sign, are split as they weigh.
        (2, [1_000_000, -999_999], [2_000_000, -1_999_998]),
        (25, [-10, 30], [-12, 37]),
        (1000, [1, 0, 1], [500, 500]),
        (1000, [-1, -3], [250, 750]),
    ],
)
def test_no_line_becomes_many_times_what_it_is(
    total: int, lines: list[int], shares: list[int]
) -> None:
    parts = line_parts(
        total, *(line_json(each, *JANUARY, id=f"il_{n}") for n, each in enumerate(lines))
    )
    assert [part.amount_minor for part in parts] == shares


@examples(300)
@given(
    total=st.integers(-(10**6), 10**6),
    lines=st.lists(st.integers(-(10**6), 10**6).filter(bool), min_size=1, max_size=8),
)
def test_shares_of_lines_add_up_and_stay_near_to_them(total: int, lines: list[int]) -> None:
    assume(sum(lines) and min(lines) < 0 < max(lines))
    parts = line_parts(
        total, *(line_json(each, *JANUARY, id=f"il_{n}") for n, each in enumerate(lines))
    )
    assert sum(part.amount_minor for part in parts) == total
    shares = {part.part_id: part.amount_minor for part in parts}
    for number, weight in enumerate(lines):
        share = shares.get(f"il_{number}", 0)
        off = abs(total - sum(lines))
        assert abs(share) <= 2 * abs(weight) or abs(share - weight) <= off


def test_lines_that_weigh_nothing_leave_one_part_when_the_invoice_was_made() -> None:
    parts = line_parts(900, line_json(500, *JANUARY), line_json(-500, *JANUARY))
    assert [(part.amount_minor, part.part_id, part.until) for part in parts] == [(900, None, None)]
    assert untaxed(900) == {"2026-01": 900}


def test_lines_of_nothing_have_no_part() -> None:
    parts = line_parts(500, line_json(500, *JANUARY), line_json(0, *JANUARY, id="il_trial"))
    assert [part.amount_minor for part in parts] == [500]


@pytest.mark.parametrize(
    ("period", "months"),
    [
        ((seconds("2026-03-01"), seconds("2026-03-01")), {"2026-03": 1000}),
        ((seconds("2026-03-01"), seconds("2026-02-01")), {"2026-03": 1000}),
        ((seconds("2026-03-01"), None), {"2026-03": 1000}),
        ((seconds("2026-03-01"), 10**16), {"2026-03": 1000}),
        ((seconds("2026-03-01"), seconds("2080-03-01")), {"2026-01": 1000}),
        ((None, seconds("2026-03-01")), {"2026-01": 1000}),
        ((0, 0), {"2026-01": 1000}),
        ((0, seconds("2026-03-01")), {"2026-01": 1000}),
        ((-(10**16), 10**16), {"2026-01": 1000}),
        ((seconds("2099-03-01"), seconds("2099-04-01")), {"2026-01": 1000}),
    ],
)
def test_a_period_that_cannot_be_is_a_point(period: Any, months: dict[str, int]) -> None:
    assert untaxed(1000, line_json(1000, *period)) == months


@pytest.mark.parametrize("fields", [{"period": None}, {"period": {}}])
def test_a_line_without_a_period_counts_when_the_invoice_was_made(fields: Json) -> None:
    assert untaxed(1000, line_json(1000, *JANUARY, **fields)) == {"2026-01": 1000}


def test_a_line_of_nulls_and_one_that_is_hardly_there() -> None:
    bare = {"id": "il_1"}
    nulls = line_json(
        1000, *JANUARY, description=None, pretax_credit_amounts=None, taxes=None, id="il_2"
    )
    assert untaxed(1000, bare, nulls) == {"2026-01": 1000}


def test_shares_that_no_part_can_hold_leave_one_part() -> None:
    """Trillions that nearly cancel each other out would be spread as trillions of trillions."""
    parts = line_parts(
        1000, line_json(2**53, *JANUARY, id="il_1"), line_json(1 - 2**53, *JANUARY, id="il_2")
    )
    assert [(part.amount_minor, part.until) for part in parts] == [(1000, None)]


def test_hundreds_of_lines_of_trillions_add_up() -> None:
    most = 2**53
    lines = [line_json(most - each, *YEAR, id=f"il_{each}") for each in range(250)]
    found = untaxed(most, *lines)
    assert sum(found.values()) == most
    assert len(line_parts(most, *lines)) == 250
