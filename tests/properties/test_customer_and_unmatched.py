"""One customer in detail, and what is left to map, as the specification's arithmetic has them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import product as product_of
from urllib.parse import quote

import pytest_asyncio
from hypothesis import assume, given
from hypothesis import strategies as st

from nullspend_margins import CostEvent, Period
from tests.properties import answers, strategies
from tests.properties.arithmetic import Thresholds
from tests.properties.model import Json, Org
from tests.properties.product import Product, product
from tests.properties.profile import examples
from tests.properties.strategies import Books

EVERY = (Thresholds(), Thresholds(Fraction(80), Fraction("0.01"), Fraction("-99.99")))


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[Product]:
    async with product(database_url, EVERY) as made:
        yield made


@st.composite
def two_orgs(draw: st.DrawFn) -> tuple[Period, Books, Books]:
    month = Period.parse(draw(st.sampled_from(strategies.MONTHS)))
    return month, draw(strategies.books(month)), draw(strategies.books(month))


async def load(here: Product, month: Period, *both: Books) -> dict[str, Org]:
    await here.clear()
    here.clock.moment = month.start + timedelta(days=3)
    names = ("org_1", "org_2")
    return {name: await here.load(name, drawn) for name, drawn in zip(names, both, strict=True)}


def without_nothing(rows: Sequence[Json], *names: str) -> list[Json]:
    """Rows that say nothing at all (corrections took back what was there) may be left out."""
    return [each for each in rows if any(each[name] for name in names)]


@examples(20)
@given(drawn=two_orgs(), thresholds=st.sampled_from(EVERY), shift=st.sampled_from((-2, -1, 1)))
async def test_every_field_of_a_customer_is_as_the_model_says(
    here: Product, drawn: tuple[Period, Books, Books], thresholds: Thresholds, shift: int
) -> None:
    orgs = await load(here, *drawn)
    periods = (str(drawn[0]), str(strategies.clamped(drawn[0].index + shift)))
    for org_id, org in orgs.items():
        for tag_value, period in product_of({*org.mapped_tags(), *strategies.TAGS[:3]}, periods):
            path = f"/api/margins/{quote(tag_value, safe='')}?period={period}"
            answer = await here.call("GET", path, org=org_id, thresholds=thresholds)
            expected = answers.detail(org, tag_value, period, thresholds)
            if expected is None:
                assert answer.status_code == 404
                continue
            assert answer.status_code == 200, answer.text
            found = answer.json()["data"]
            for each in (found, expected):
                each["modelBreakdown"] = without_nothing(
                    each["modelBreakdown"], "cost", "requestCount"
                )
            assert found == expected


@examples(20)
@given(drawn=two_orgs(), ahead=st.integers(-40, 140))
async def test_what_is_left_to_map_is_as_the_model_says(
    here: Product, drawn: tuple[Period, Books, Books], ahead: int
) -> None:
    month = drawn[0]
    orgs = await load(here, *drawn)
    moment = month.start + timedelta(days=ahead, hours=5)
    assume(1970 <= moment.year <= 9998)
    here.clock.moment = moment
    for org_id, org in orgs.items():
        answer = await here.read("/api/margins/unmatched", org_id, EVERY[0])
        assert comparable(answer.json()["data"]) == comparable(answers.unmatched(org, moment))


def comparable(answer: Json) -> Json:
    """Pending matches have no order; a tag whose costs were all taken back may be left out."""
    return {
        **answer,
        "unmappedTagValues": without_nothing(
            answer["unmappedTagValues"], "totalCostMicrodollars", "requestCount"
        ),
        "pendingAutoMatches": sorted(answer["pendingAutoMatches"], key=lambda each: each["id"]),
    }


@examples(3)
@given(
    costs=st.lists(strategies.nanodollars, min_size=505, max_size=520),
    mapped=st.sets(st.integers(0, 504), max_size=6),
)
async def test_at_most_500_unmapped_tags_are_told_and_those_are_the_largest(
    here: Product, costs: list[int], mapped: set[int]
) -> None:
    month = Period.parse("2026-11")
    drawn = Books(
        mappings=[
            strategies.DrawnMapping(
                provider="stripe", customer_id=f"cus_{number}", tag_value=f"tag-{number}"
            )
            for number in mapped
        ],
        events=[("api", cheap(number, cost)) for number, cost in enumerate(costs)],
    )
    orgs = await load(here, month, drawn, Books())
    answer = await here.read("/api/margins/unmatched", "org_1", EVERY[0])
    now = here.clock.now()
    assert answer.json()["data"] == answers.unmatched(orgs["org_1"], now)
    assert len(answer.json()["data"]["unmappedTagValues"]) == min(500, len(costs) - len(mapped))
    nothing = await here.read("/api/margins/unmatched", "org_2", EVERY[0])
    assert nothing.json()["data"] == answers.unmatched(Org(), now)


def cheap(number: int, cost: int) -> CostEvent:
    return CostEvent(
        event_id=f"event-{number}",
        provider="openai",
        model="gpt-4o",
        cost_nanodollars=cost,
        occurred_at=Period.parse("2026-11").start,
        tag_value=f"tag-{number}",
    )


@examples(12)
@given(drawn=two_orgs(), thresholds=st.sampled_from(EVERY))
async def test_rows_models_months_and_files_add_up(
    here: Product, drawn: tuple[Period, Books, Books], thresholds: Thresholds
) -> None:
    """What a person would add up on the screen, without any model."""
    orgs = await load(here, *drawn)
    month = drawn[0]
    periods = [str(month.shift(by)) for by in (-2, -1, 0) if month.shift(by).index >= 1970 * 12]
    for org_id, org in orgs.items():
        tables: dict[str, Json] = {}
        for period in periods:
            path = f"/api/margins?period={period}"
            tables[period] = (await here.read(path, org_id, thresholds)).json()["data"]
            rows, summary = tables[period]["customers"], tables[period]["summary"]
            for name, total in (
                ("revenueMicrodollars", "totalRevenueMicrodollars"),
                ("costMicrodollars", "totalCostMicrodollars"),
            ):
                assert sum(each[name] for each in rows) == summary[total]
            for each in rows:
                kept = each["revenueMicrodollars"] - each["costMicrodollars"]
                assert each["marginMicrodollars"] == kept
        for tag_value in org.mapped_tags():
            path = f"/api/margins/{quote(tag_value, safe='')}?period={month}"
            detail = (await here.read(path, org_id, thresholds)).json()["data"]
            models = sum(each["cost"] for each in detail["modelBreakdown"])
            assert models == detail["costMicrodollars"]
            for each in detail["revenueOverTime"]:
                if each["period"] in tables:
                    shown = cell(tables[each["period"]], tag_value)
                    assert (each["revenue"], each["cost"]) == shown


def cell(table: Json, tag_value: str) -> tuple[int, int]:
    """A customer's revenue and cost in a table; one that is left out has neither."""
    for each in table["customers"]:
        if each["tagValue"] == tag_value:
            return each["revenueMicrodollars"], each["costMicrodollars"]
    return 0, 0
