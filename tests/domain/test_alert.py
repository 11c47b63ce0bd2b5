"""When a tier got worse, when to wait for an invoice, when to try again."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from nullspend_margins.domain.alert import RETRY_PAUSES, retry_pause
from nullspend_margins.domain.crossing import awaits_invoice, may_await_invoice, ratio, tier_change
from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.margin import MonthAmounts

DEFAULT = HealthThresholds()
HEALTHY, RISKY, LOSS = MonthAmounts(100, 10), MonthAmounts(100, 90), MonthAmounts(100, 110)


def test_only_a_worse_tier_than_last_period_is_a_crossing() -> None:
    assert tier_change(HEALTHY, RISKY, DEFAULT) == (HealthTier.HEALTHY, HealthTier.AT_RISK)
    assert tier_change(RISKY, LOSS, DEFAULT) == (HealthTier.AT_RISK, HealthTier.CRITICAL)
    assert tier_change(LOSS, RISKY, DEFAULT) is None
    assert tier_change(RISKY, RISKY, DEFAULT) is None


def test_tiers_are_those_of_the_configured_thresholds() -> None:
    at = HealthThresholds(healthy=Fraction(95), moderate=Fraction(85), at_risk=Fraction(8))
    assert tier_change(HEALTHY, RISKY, at) == (HealthTier.MODERATE, HealthTier.AT_RISK)


def test_the_tiers_are_of_the_unrounded_percent() -> None:
    almost = MonthAmounts(1_000_000, 500_001)
    assert tier_change(MonthAmounts(2, 1), almost, DEFAULT) is not None


def test_costs_without_revenue_are_critical_and_cannot_get_worse() -> None:
    unpaid = MonthAmounts(0, 1)
    assert tier_change(RISKY, unpaid, DEFAULT) == (HealthTier.AT_RISK, HealthTier.CRITICAL)
    assert tier_change(unpaid, LOSS, DEFAULT) is None


def test_a_customer_with_no_previous_period_raises_nothing() -> None:
    assert tier_change(MonthAmounts(), LOSS, DEFAULT) is None


def test_a_customer_with_nothing_this_period_raises_nothing() -> None:
    assert tier_change(HEALTHY, MonthAmounts(), DEFAULT) is None


def at(day: int, hour: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "waits"), [(at(1), True), (at(16, 23), True), (at(17), False), (at(30), False)]
)
def test_a_customer_without_revenue_yet_is_given_until_two_days_after_its_invoice_day(
    now: datetime, waits: bool
) -> None:
    assert awaits_invoice(at(15, 9, month=10), now) is waits


def test_the_31st_means_the_last_day_in_a_shorter_month() -> None:
    last_invoice = datetime(2027, 1, 31, tzinfo=UTC)
    assert awaits_invoice(last_invoice, datetime(2027, 2, 28, tzinfo=UTC))


def test_nobody_waits_for_a_customer_that_paid_or_never_did() -> None:
    assert may_await_invoice(HEALTHY, MonthAmounts(0, 50))
    assert not may_await_invoice(HEALTHY, LOSS)
    assert not may_await_invoice(MonthAmounts(0, 5), MonthAmounts(0, 50))
    assert not awaits_invoice(None, at(1))


@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        (MonthAmounts(100, 105), -0.05),
        (MonthAmounts(3, 2), 0.3333),
        (MonthAmounts(20_000, 19_999), 0.0001),  # half up, as the table's percent
        (MonthAmounts(0, 7), 0.0),
    ],
)
def test_a_margin_is_told_as_a_fraction_of_revenue(amounts: MonthAmounts, told: float) -> None:
    assert ratio(amounts) == told


def test_a_margin_of_almost_nothing_is_no_negative_zero() -> None:
    assert str(ratio(MonthAmounts(10**9, 10**9 + 1))) == "0.0"


def test_ten_attempts_take_about_three_days() -> None:
    for chance in (0, 0.5, 1):
        pauses = [retry_pause(failed, chance) for failed in range(1, 10)]
        assert timedelta(days=2.8) < sum(pauses, timedelta()) < timedelta(days=3.5)
        assert pauses == sorted(pauses)


def test_more_attempts_go_on_once_a_day() -> None:
    assert retry_pause(10, 0.5) == retry_pause(1000, 0.5) == timedelta(days=1)


def test_what_failed_together_comes_back_apart() -> None:
    pause = RETRY_PAUSES[1]
    assert retry_pause(2, 0) == pause * 0.9
    assert retry_pause(2, 1) == pause * 1.1
