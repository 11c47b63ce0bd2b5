"""The model of revenue keeps the laws that the definitions promise, and finance's own examples."""

from __future__ import annotations

import calendar
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.properties import revenue_model as model
from tests.properties.company import Company
from tests.properties.profile import examples
from tests.properties.revenue_reach import Look, invoice_of, told
from tests.properties.sales import DAY, Sale, sales
from tests.properties.selling import sell
from tests.world import NOW

AMOUNTS = st.integers(-(2**53), 2**53)
MOMENTS = st.integers(0, 4_000_000_000)
JANUARY = calendar.timegm((2026, 1, 1, 0, 0, 0))


@examples(200)
@given(total=AMOUNTS, weights=st.lists(st.integers(-1_000, 10**12), min_size=1, max_size=20))
def test_shares_add_up_and_are_less_than_one_off(total: int, weights: list[int]) -> None:
    assume(sum(weights) != 0)
    shares = model.largest_remainder(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1
    assert model.largest_remainder(-total, weights) == [-share for share in shares]


@examples(200)
@given(amount=AMOUNTS, start=MOMENTS, seconds=st.integers(0, 3 * 366 * DAY))
def test_months_of_a_service_add_up(amount: int, start: int, seconds: int) -> None:
    shares = model.over_time(amount, start, start + seconds)
    assert sum(share for _, share in shares) == amount
    months = [month for month, _ in shares]
    assert months == [model.following(months[0], by) for by in range(len(months))]
    assert months[0] == model.month_of(start)
    assert months[-1] == model.month_of(max(start, start + seconds - 1))


def test_a_year_is_by_its_days() -> None:
    """365 dollars for 2026: a dollar a day."""
    shares = model.over_time(36_500, JANUARY, JANUARY + 365 * DAY)
    assert [share for _, share in shares] == [
        3100, 2800, 3100, 3000, 3100, 3000, 3100, 3100, 3000, 3100, 3000, 3100,
    ]  # fmt: skip


def test_a_leap_day_is_one() -> None:
    start = calendar.timegm((2028, 2, 1, 0, 0, 0))
    assert model.over_time(60, start, start + 60 * DAY) == [((2028, 2), 29), ((2028, 3), 31)]


def test_a_second_at_the_end_of_a_month_is_of_that_month() -> None:
    last = calendar.timegm((2026, 1, 31, 23, 59, 59))
    assert model.over_time(7, last, last + 1) == [((2026, 1), 7)]
    # The first month has the larger remainder of two equal ones.
    assert model.over_time(7, last, last + 2) == [((2026, 1), 4), ((2026, 2), 3)]


@examples(150)
@given(sale=sales(NOW))
def test_what_is_paid_and_served_adds_up(sale: Sale) -> None:
    """All services of a paid invoice are its untaxed total; all payments are what was paid."""
    company = Company()
    invoice = company.invoices[sell(company, sale, int(NOW.timestamp()))]
    assume(sale.currency == "usd" and sale.customer is not None and not sale.is_alien)
    look = Look(company, (NOW.year, NOW.month))
    sums = dict.fromkeys(model.BASES, 0)
    for thing in invoice_of(look, invoice):
        for (_, basis), amount in model.cells_of(thing, None).items():
            sums[basis] += amount
    is_paid = invoice["status"] == "paid"
    assert sums["cash"] == invoice["amount_paid"] * 10_000
    assert sums["invoiced"] == (invoice["amount_paid"] * 10_000 if is_paid else 0)
    assert sums["accrual"] == (model.untaxed(invoice) * 10_000 if is_paid else 0)
    if is_paid and invoice["amount_paid"] == invoice["total"] > 0:
        assert sums["net"] == model.untaxed(invoice) * 10_000


@examples(100)
@given(sold=st.lists(sales(NOW), max_size=4), other=sales(NOW))
def test_nothing_of_the_other_mode_counts(sold: list[Sale], other: Sale) -> None:
    company, now = Company(), int(NOW.timestamp())
    for sale in sold:
        sell(company, sale, now)
    look = Look(company, (NOW.year, NOW.month))
    before = [*told(look)]
    invoice = sell(company, Sale(**{**vars(other), "is_alien": True}), now)
    assert company.invoices[invoice]["livemode"] is not company.livemode
    assert [*told(look)] == before
