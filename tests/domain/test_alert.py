from datetime import UTC, datetime

import pytest

from nullspend_margins.domain.alert import awaits_invoice, is_crossing
from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.domain.margin import MonthAmounts

DEFAULT = HealthThresholds()
HEALTHY, RISKY, LOSS = MonthAmounts(100, 10), MonthAmounts(100, 90), MonthAmounts(100, 110)


def test_only_a_worse_tier_than_last_period_is_a_crossing() -> None:
    assert is_crossing(HEALTHY, RISKY, DEFAULT)
    assert is_crossing(RISKY, LOSS, DEFAULT)
    assert not is_crossing(LOSS, RISKY, DEFAULT)
    assert not is_crossing(RISKY, RISKY, DEFAULT)


def test_a_customer_with_no_previous_period_raises_nothing() -> None:
    assert not is_crossing(MonthAmounts(), LOSS, DEFAULT)


def at(day: int, hour: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "waits"), [(at(1), True), (at(16, 23), True), (at(17), False), (at(30), False)]
)
def test_a_customer_without_revenue_yet_is_given_until_two_days_after_its_invoice_day(
    now: datetime, waits: bool
) -> None:
    unpaid = MonthAmounts(0, 50)
    assert awaits_invoice(HEALTHY, unpaid, at(15, 9, month=10), now) is waits


def test_the_31st_means_the_last_day_in_a_shorter_month() -> None:
    last_invoice = datetime(2027, 1, 31, tzinfo=UTC)
    unpaid = MonthAmounts(0, 50)
    assert awaits_invoice(HEALTHY, unpaid, last_invoice, datetime(2027, 2, 28, tzinfo=UTC))


def test_nobody_waits_for_a_customer_that_paid_or_never_did() -> None:
    assert not awaits_invoice(HEALTHY, LOSS, at(15, month=10), at(1))
    assert not awaits_invoice(MonthAmounts(0, 5), MonthAmounts(0, 50), None, at(1))
