"""What a customer's page asks beyond the API: more months, its mappings, its alerts."""

from __future__ import annotations

from nullspend_margins.domain.period import Months, Period
from tests.contract.alerting import falling, synced
from tests.world import ORG, World

NOVEMBER = Period.parse("2026-11")
YEAR = Months(NOVEMBER.shift(-11), NOVEMBER)


async def test_a_year_is_told_oldest_first_and_the_api_tells_three_months(here: World) -> None:
    await falling(here)
    await here.spend("one", 7, occurredAt="2025-12-01T00:00:00Z")
    await here.spend("one", 9, occurredAt="2025-11-30T23:59:59Z")
    await here.sync()
    services = await here.margins.services()
    found = await services.margins.customer(ORG, "one", NOVEMBER, months_shown=12)
    assert [period for period, _, _ in found.months] == [*YEAR]
    assert found.months[0] == (YEAR.first, 0, 7)
    assert found.months[-2:] == [
        (NOVEMBER.shift(-1), 100_000_000, 75_000_000), (NOVEMBER, 100_000_000, 105_000_000),
    ]  # fmt: skip
    assert (found.revenue, found.cost) == (100_000_000, 105_000_000)
    answer = await here.get("/api/margins/one")
    assert [each["period"] for each in answer["revenueOverTime"]] == [
        "2026-09", "2026-10", "2026-11",
    ]  # fmt: skip


async def test_a_customers_mappings_are_those_of_its_org_and_tag_key(here: World) -> None:
    await here.map("cus_1", "one")
    await here.map("pad_1", "one", provider="paddle")
    await here.map("cus_2", "two")
    await here.map("cus_3", "one", tagKey="team")
    await here.map("cus_1", "one", org="org_2")
    mappings = (await here.margins.services()).mappings
    found = await mappings.of_customer(ORG, "one")
    assert {(each.provider, each.customer_id) for each in found} == {
        ("stripe", "cus_1"), ("paddle", "pad_1"),
    }  # fmt: skip
    assert await mappings.of_customer(ORG, "ONE") == []


async def test_alerts_follow_the_customer_to_another_tag_value(here: World) -> None:
    await falling(here)
    await synced(here)
    await here.map("cus_1", "uno")
    alerts = (await here.margins.services()).alerts
    [record] = await alerts.of_customer(ORG, "uno", YEAR)
    assert (record.about, record.occasion) == ("one", "2026-11 critical")
    assert record.raised_at == here.clock.now()
    [delivery] = record.deliveries
    assert (delivery.notifier, delivery.state(here.clock.now())) == ("log", "delivered")
    assert await alerts.of_customer(ORG, "one", YEAR) == []
    assert await alerts.of_customer("org_2", "uno", YEAR) == []
    before = Months(YEAR.first, NOVEMBER.shift(-1))
    assert await alerts.of_customer(ORG, "uno", before) == []
