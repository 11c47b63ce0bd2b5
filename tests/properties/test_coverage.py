"""Coverage adds up to everything there is, whatever the mix: plain loops over it say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta
from fractions import Fraction

import pytest_asyncio
from hypothesis import given

from nullspend_margins import Period
from tests.properties import strategies
from tests.properties.arithmetic import Month, Thresholds, month_from, month_of, rounded
from tests.properties.model import Json, Org, counts, spent
from tests.properties.product import Product, product
from tests.properties.profile import examples
from tests.properties.strategies import Books
from tests.properties.test_customer_and_unmatched import load, two_orgs

DEFAULT = Thresholds()


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[Product]:
    async with product(database_url, [DEFAULT]) as made:
        yield made


def cost_parts(org: Org, month: Month) -> dict[str, int]:
    """Exact nanodollars, each piece of cost in one part."""
    mapped = set(org.mapped_tags())
    parts = {"attributed": 0, "unmapped": 0, "unattributed": 0}
    for each in spent(org):
        if (each.day.year, each.day.month) != month:
            continue
        if each.tag_value == "":
            parts["unattributed"] += each.nanodollars
        elif each.tag_value in mapped:
            parts["attributed"] += each.nanodollars
        else:
            parts["unmapped"] += each.nanodollars
    return parts


def revenue_lines(org: Org, month: Month) -> dict[str, Json]:
    """Each provider's revenue, each of its facts in one line."""
    mapped = {
        (each.provider, each.customer_id) for each in org.mappings if each.tag_key == "customer"
    }
    found: dict[str, Json] = defaultdict(lambda: {"mapped": 0, "unmatched": 0, "skipped": {}})
    for provider, fact in org.revenue:
        if month_of(fact.occurred_at) != month:
            continue
        line = found[provider]
        if not counts(fact):
            known = line["skipped"].get(fact.currency, (0, 0))
            line["skipped"][fact.currency] = (known[0] + 1, known[1] + fact.amount_minor)
        else:
            is_mapped = (provider, fact.customer_id) in mapped
            line["mapped" if is_mapped else "unmatched"] += fact.amount_minor * 10_000
    return found


@examples(25)
@given(drawn=two_orgs())
async def test_the_parts_add_up_to_all_there_is(
    here: Product, drawn: tuple[Period, Books, Books]
) -> None:
    orgs = await load(here, *drawn)
    for org_id, org in orgs.items():
        for period in (str(drawn[0]), str(strategies.clamped(drawn[0].index - 1))):
            path = f"/api/margins?period={period}"
            answer = (await here.read(f"{path}&include=coverage", org_id, DEFAULT)).json()["data"]
            plain = (await here.read(path, org_id, DEFAULT)).json()["data"]
            coverage = answer.pop("coverage")
            assert answer == plain
            check_cost(coverage["cost"], cost_parts(org, month_from(period)))
            check_revenue(coverage["revenue"], revenue_lines(org, month_from(period)), plain)
            assert [each["name"] for each in coverage["providers"]] == sorted(org.connections or {})


def check_cost(told: Json, parts: Json) -> None:
    exact = sum(parts.values())
    assert told["totalMicrodollars"] == rounded(Fraction(exact, 1_000))
    found = {name: told[f"{name}Microdollars"] for name in parts}
    assert sum(found.values()) == told["totalMicrodollars"]
    # Each is its own amount, rounded up or down.
    assert [name for name in parts if abs(found[name] * 1_000 - parts[name]) >= 1_000] == []


def check_revenue(told: Json, lines: Json, table: Json) -> None:
    providers = {each["provider"]: each for each in told["providers"]}
    assert [*providers] == sorted(lines)
    totals = dict.fromkeys(("mapped", "unmatched", "withoutCustomer", "total"), 0)
    for provider, line in lines.items():
        shown = providers[provider]
        skipped = {
            each["currency"]: (each["invoices"], each["amountMinor"]) for each in shown["skipped"]
        }
        assert skipped == line["skipped"]
        nobody = line["skipped"].get("usd", (0, 0))[1] * 10_000
        everything = line["mapped"] + line["unmatched"] + nobody
        for name, amount in zip(
            totals, (line["mapped"], line["unmatched"], nobody, everything), strict=True
        ):
            assert shown[f"{name}Microdollars"] == amount
            totals[name] += amount
    assert {name: told[f"{name}Microdollars"] for name in totals} == totals
    assert told["mappedMicrodollars"] == table["summary"]["totalRevenueMicrodollars"]


@examples(10)
@given(drawn=two_orgs())
async def test_what_one_org_has_is_in_no_other_org_s_coverage(
    here: Product, drawn: tuple[Period, Books, Books]
) -> None:
    await here.clear()
    here.clock.moment = drawn[0].start + timedelta(days=3)
    await here.load("org_1", drawn[1])
    path = f"/api/margins?period={drawn[0]}&include=coverage"
    coverage = (await here.read(path, "org_2", DEFAULT)).json()["data"]["coverage"]
    assert set(coverage["cost"].values()) == {0}
    assert coverage["revenue"]["providers"] == coverage["providers"] == []
    assert [each["lastDeliveredAt"] for each in coverage["sources"]] == [None]  # what is loaded
