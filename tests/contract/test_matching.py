"""What a sync matches by itself."""

from datetime import date

import pytest

from nullspend_margins import ModelCost, MonthCost, Period, TagCost
from tests.contract.test_alerts_of_providers import Invoices
from tests.world import World, event, unix, world


async def test_auto_match_prefers_the_metadata_and_never_touches_a_mapping(here: World) -> None:
    add = here.account.add_customer
    add("cus_meta", name="Meta", metadata={"nullspend_customer": "meta-tag"})
    add("cus_id", name="Id")
    add("cus_kept", name="Kept", metadata={"nullspend_customer": "kept-tag"})
    add("cus_unseen", name="Unseen", metadata={"nullspend_customer": "never-seen"})
    for customer in ("cus_meta", "cus_id", "cus_kept", "cus_unseen"):
        here.account.add_invoice(customer, 100, created=unix(2026, 11, 2))
    for tag in ("meta-tag", "cus_meta", "cus_id", "kept-tag", "mine"):
        await here.spend(tag, 5)
    await here.map("cus_kept", "mine")
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 2
    found = {
        mapping["stripeCustomerId"]: (
            mapping["tagValue"],
            mapping["matchType"],
            mapping["confidence"],
        )
        for mapping in await here.get("/api/customer-mappings")
    }
    assert found == {
        "cus_kept": ("mine", "manual", 1.0),
        "cus_meta": ("meta-tag", "auto", 1.0),
        "cus_id": ("cus_id", "auto", 0.9),
    }
    assert (await here.sync())["autoMatchesCreated"] == 0


async def test_a_rejected_match_stays_rejected_until_somebody_posts_it(here: World) -> None:
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 100, created=unix(2026, 11, 2))
    await here.spend("cus_1", 5)
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 1
    (match,) = await here.get("/api/customer-mappings")
    assert (
        await here.call("DELETE", f"/api/customer-mappings?id={match['id']}")
    ).status_code == 200
    assert (await here.sync())["autoMatchesCreated"] == 0
    await here.call("DELETE", "/api/stripe/disconnect")
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 1  # disconnect forgets rejections


@pytest.mark.parametrize("elsewhere", [{"provider": "other"}, {"tagKey": "team"}, {"org": "org_2"}])
async def test_a_pair_is_rejected_for_its_provider_and_tag_key_alone(
    here: World, elsewhere: dict[str, str]
) -> None:
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 100, created=unix(2026, 11, 2))
    await here.spend("cus_1", 5)
    made = (await here.map("cus_1", "cus_1", **elsewhere)).json()["data"]
    path = f"/api/customer-mappings?id={made['id']}"
    assert (await here.call("DELETE", path, org=made["orgId"])).status_code == 200
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 1


@pytest.mark.parametrize(
    ("seen", "matches"), [("2026-08-22T00:00:00Z", 1), ("2026-08-21T23:59:59.999Z", 0)]
)
async def test_a_tag_is_matched_when_the_last_ninety_days_saw_it(
    here: World, seen: str, matches: int
) -> None:
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 100, created=unix(2026, 11, 2))
    await here.post_event(event(customer="cus_1", occurredAt=seen))
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == matches


async def test_a_mapped_customer_keeps_no_tag_from_another_that_it_suggests_too(
    here: World,
) -> None:
    for customer in ("cus_kept", "cus_new"):
        here.account.add_customer(customer, metadata={"nullspend_customer": "shared"})
        here.account.add_invoice(customer, 100, created=unix(2026, 11, 2))
    await here.spend("shared", 5)
    await here.map("cus_kept", "mine")
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 1
    assert await tags(here) == {"cus_kept": "mine", "cus_new": "shared"}


async def test_a_customer_whose_suggested_tag_is_mapped_is_matched_by_its_id(here: World) -> None:
    here.account.add_customer("cus_new", metadata={"nullspend_customer": "mine"})
    here.account.add_invoice("cus_new", 100, created=unix(2026, 11, 2))
    for tag in ("mine", "cus_new"):
        await here.spend(tag, 5)
    await here.map("cus_kept", "mine")
    await here.connect()
    assert (await here.sync())["autoMatchesCreated"] == 1
    assert await tags(here) == {"cus_kept": "mine", "cus_new": "cus_new"}


async def test_what_another_providers_customers_are_mapped_to_is_free_for_this_ones(
    database_url: str,
) -> None:
    async with world(database_url, plugins=[Invoices()]) as here:
        here.account.add_customer("cus_1", metadata={"nullspend_customer": "mine"})
        here.account.add_invoice("cus_1", 100, created=unix(2026, 11, 2))
        await here.spend("mine", 5)
        await here.map("o_1", "mine", provider="other")
        await here.map("cus_1", "theirs", provider="other")
        await here.connect()
        assert (await here.sync())["autoMatchesCreated"] == 1


class Warehouse:
    """An aggregating source that saw one tag on one day, and nothing since."""

    name = "warehouse"

    def __init__(self, seen: date) -> None:
        self.seen = seen

    async def month_costs(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        return []

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> list[ModelCost]:
        return []

    async def tag_costs(self, org_id: str, since: date) -> list[TagCost]:
        return [TagCost("cus_1", 1000, 1)] if since <= self.seen else []


@pytest.mark.parametrize(("seen", "matches"), [(date(2026, 8, 22), 1), (date(2026, 8, 21), 0)])
async def test_a_tag_that_an_aggregating_source_saw_is_matched_for_as_long(
    database_url: str, seen: date, matches: int
) -> None:
    async with world(database_url, plugins=[Warehouse(seen)]) as here:
        here.account.add_customer("cus_1", name="One")
        here.account.add_invoice("cus_1", 100, created=unix(2026, 11, 2))
        await here.connect()
        assert (await here.sync())["autoMatchesCreated"] == matches


async def tags(here: World) -> dict[str, str]:
    """What each customer is mapped to."""
    found = await here.get("/api/customer-mappings")
    return {each["stripeCustomerId"]: each["tagValue"] for each in found}
