"""What a number is made of, grouped as people look at it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from nullspend_margins.dashboard.explaining import (
    MOST_ROWS,
    Explained,
    ServiceShare,
    explained,
    service_share,
)
from nullspend_margins.domain.cost import CostPart
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.margin import MonthAmounts
from nullspend_margins.domain.period import Period, day_number
from nullspend_margins.domain.recognition import Share
from nullspend_margins.domain.revenue_part import RevenuePart
from nullspend_margins.services.explanation import ExplainedRevenue, Explanation
from nullspend_margins.storage.customer_revenue import StoredFact

NOVEMBER = Period.parse("2026-11")
FIFTH = datetime(2026, 11, 5, tzinfo=UTC)
DAY = day_number(FIFTH)


def earned(object_id: str, microdollars: int, until: datetime | None = None) -> ExplainedRevenue:
    fact = StoredFact(object_id, "invoice", microdollars // 10_000, "usd", 2, FIFTH, None)
    part = RevenuePart(
        bases=("accrual",), kind="line", amount_minor=1, occurred_at=FIFTH, until=until
    )
    share = Share(NOVEMBER, 1, microdollars)
    return ExplainedRevenue("stripe", "cus_1", fact, part, share)


def shown(
    revenue: Sequence[ExplainedRevenue] = (), costs: Sequence[tuple[CostPart, int]] = ()
) -> Explained:
    found = Explanation(
        tag_value="acme",
        period=NOVEMBER,
        basis="accrual",
        amounts=MonthAmounts(1, 1),
        percent=0,
        tier=HealthTier.AT_RISK,
        revenue=revenue,
        costs=costs,
    )
    return explained(found, date(2026, 11, 20))


def test_parts_stand_below_their_object_which_has_their_sum() -> None:
    found = shown([earned("in_1", 10), earned("in_2", 5), earned("in_1", -3)])
    assert [(group.head.fact.object_id, group.total) for group in found.objects] == [
        ("in_1", 7), ("in_2", 5),
    ]  # fmt: skip
    assert [len(group.lines) for group in found.objects] == [2, 1]
    assert (found.object_count, found.line_count, found.more_lines) == (2, 3, 0)


def test_a_service_says_which_part_of_it_this_month_is() -> None:
    spread, at_once, no_time = shown(
        [
            earned("in_1", 1, FIFTH + timedelta(days=365)),
            earned("in_2", 1),
            earned("in_3", 1, FIFTH),
        ]
    ).objects
    assert spread.lines[0].service == ServiceShare(1, 13, Decimal(26), Decimal(365))
    assert at_once.lines[0].service is None
    assert no_time.lines[0].service is None


@pytest.mark.parametrize(
    ("start", "until", "share"),
    [
        ("2026-11-01", "2027-11-01", (1, 12, "30", "365")),
        ("2026-10-01", "2026-12-01", (2, 2, "30", "61")),
        ("2026-11-10", "2026-11-20", (1, 1, "10", "10")),
        ("2026-10-31T12:00:00", "2026-11-30T12:00:00", (2, 2, "29.5", "30")),
    ],
)
def test_days_are_counted_within_the_month(
    start: str, until: str, share: tuple[int, int, str, str]
) -> None:
    begins, ends = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (start, until))
    month, months, days, of_days = share
    expected = ServiceShare(month, months, Decimal(days), Decimal(of_days))
    assert service_share(begins, ends, NOVEMBER) == expected


def test_costs_add_up_by_source_provider_and_model() -> None:
    found = shown(
        costs=[
            (CostPart("api", "openai", "gpt", DAY, 0, 2), 10),
            (CostPart("api", "anthropic", "claude", DAY + 1, 0, 1), 30),
            (CostPart("warehouse", None, "gpt", None, 0, 1), 4),
            (CostPart("warehouse", None, None, None, 0, 0), 1),
        ]
    )
    assert found.by_source == [("api", 40, 3), ("warehouse", 5, 1)]
    assert found.by_provider == [("anthropic", 30, 1), ("openai", 10, 2), (None, 5, 1)]
    assert found.by_model == [("claude", 30, 1), ("gpt", 14, 3), (None, 1, 0)]
    assert {each.day: each.amount for each in found.days.days if each.amount} == {
        date(2026, 11, 5): 10, date(2026, 11, 6): 30,
    }  # fmt: skip
    assert found.undated == 5
    assert [row.day for row in found.rows] == [date(2026, 11, 5), date(2026, 11, 6), None, None]


def test_long_lists_are_cut_and_what_is_left_out_is_counted() -> None:
    many = MOST_ROWS + 3
    found = shown(
        [earned(f"in_{number}", 2) for number in range(many)],
        [(CostPart("api", "openai", f"m{number}", DAY, 0, 1), 5) for number in range(many)],
    )
    assert (found.line_count, found.more_lines, found.more_revenue) == (MOST_ROWS, 3, 6)
    assert (len(found.rows), found.more_rows, found.more_cost) == (MOST_ROWS, 3, 15)
    assert found.object_count == many
    assert sum(each.cost for each in found.by_model) == 5 * many


def test_nothing_is_explained_by_nothing() -> None:
    found = shown()
    assert (found.objects, found.rows, found.by_model, found.undated) == ([], [], [], 0)
