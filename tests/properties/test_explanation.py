"""What a cell is made of adds up to it, whatever it is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import ModelCost, MonthCost, Period, TagCost
from nullspend_margins.domain.revenue_part import BASES
from tests.properties import parts, strategies
from tests.properties.arithmetic import Thresholds
from tests.properties.books import Books
from tests.properties.model import Json
from tests.properties.product import Product, product
from tests.properties.profile import examples

DEFAULT = Thresholds()
SAME = (
    "revenueMicrodollars", "costMicrodollars", "marginMicrodollars", "marginPercent", "healthTier",
)  # fmt: skip


@dataclass
class Engine:
    """A source that adds up: what its months and its models say need not be the same."""

    name: str = "engine"
    months: Mapping[tuple[str, Period], int] = field(default_factory=dict)
    models: Mapping[tuple[str, Period], Mapping[str, int]] = field(default_factory=dict)

    async def month_costs(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        return [
            MonthCost(tag, month.index, cost)
            for (tag, month), cost in self.months.items()
            if first.index <= month.index <= last.index
        ]

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> list[ModelCost]:
        models = self.models.get((tag_value, period), {})
        return [ModelCost(model, cost, 1) for model, cost in models.items()]

    async def tag_costs(self, org_id: str, since: object) -> list[TagCost]:
        return []


@dataclass
class Here:
    """The product, and the engine beside it."""

    product: Product
    engine: Engine

    async def get(self, path: str) -> Json:
        found: Json = (await self.product.read(path, "org_1", DEFAULT)).json()["data"]
        return found


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[Here]:
    engine = Engine()
    async with product(database_url, [DEFAULT], engine) as made:
        made.conversion = parts.CONVERSION
        yield Here(made, engine)


cells = st.tuples(st.sampled_from((*parts.TAGS, "other")), st.sampled_from(parts.MONTHS))
engines = st.builds(
    Engine,
    months=st.dictionaries(cells, strategies.nanodollars, max_size=4),
    models=st.dictionaries(
        cells,
        st.dictionaries(st.sampled_from(strategies.MODELS), strategies.nanodollars, max_size=2),
        max_size=4,
    ),
)


_corrected = st.integers(-5_000, 5_000)


@st.composite
def companies(draw: st.DrawFn) -> Books:
    tags, months = (*parts.TAGS, ""), st.sampled_from(parts.MONTHS)
    events = [
        (
            draw(st.sampled_from(strategies.SOURCES)),
            draw(strategies.event(f"event-{number}", st.sampled_from(tags), months)),
        )
        for number in range(draw(st.integers(0, 14)))
    ]
    facts = [
        (
            draw(st.sampled_from(strategies.SOURCES[1:])),
            draw(strategies.fact(st.sampled_from(tags), _corrected, months)),
        )
        for _ in range(draw(st.integers(0, 5)))
    ]
    return replace(draw(parts.mixed_revenue()), events=events, facts=facts)


async def load(here: Here, books: Books, engine: Engine) -> None:
    here.engine.months, here.engine.models = engine.months, engine.models
    await here.product.clear()
    here.product.clock.moment = parts.MONTHS[-1].start
    await here.product.load("org_1", books)


@examples(20)
@given(books=companies(), engine=engines)
async def test_every_cell_is_the_sum_of_what_explains_it(
    here: Here, books: Books, engine: Engine
) -> None:
    await load(here, books, engine)
    for month in parts.MONTHS:
        tables = {
            basis: await here.get(f"/api/margins?period={month}&basis={basis}&include=bases")
            for basis in BASES
        }
        for tag_value in {each.tag_value for each in books.mappings}:
            told = {}
            for basis in BASES:
                told[basis] = await explained(here, tag_value, month, basis, tables[basis])
            for table in tables.values():
                for row in table["customers"]:
                    if row["tagValue"] == tag_value:
                        assert row["revenueByBasis"] == told


async def explained(here: Here, tag_value: str, month: Period, basis: str, table: Json) -> int:
    """The revenue of one cell, which is in the table, the detail and the explanation alike."""
    path, query = f"/api/margins/{quote(tag_value, safe='')}", f"?period={month}&basis={basis}"
    found = await here.get(f"{path}/explain{query}")
    detail = await here.get(f"{path}{query}&include=bases")
    assert (found["tagValue"], found["period"], found["basis"]) == (tag_value, str(month), basis)
    assert sum(each["revenueMicrodollars"] for each in found["revenue"]) == revenue_in(found)
    assert sum(each["costMicrodollars"] for each in found["costs"]) == found["costMicrodollars"]
    assert [name for name in SAME if name in detail and detail[name] != found[name]] == []
    assert detail["revenueByBasis"][basis] == revenue_in(found)
    rows = [each for each in table["customers"] if each["tagValue"] == tag_value]
    for row in rows:
        assert [name for name in SAME if row[name] != found[name]] == []
    assert rows or not (found["revenueMicrodollars"] or found["costMicrodollars"])
    assert found["revenue"] == sorted(found["revenue"], key=lambda each: each["occurredAt"])
    return revenue_in(found)


def revenue_in(found: Json) -> int:
    amount: int = found["revenueMicrodollars"]
    return amount


@examples(20)
@given(books=companies())
async def test_the_shares_of_all_months_are_the_whole_part(here: Here, books: Books) -> None:
    await load(here, books, Engine())
    for tag_value in {each.tag_value for each in books.mappings}:
        shares: dict[tuple[str, ...], list[Json]] = defaultdict(list)
        for month in parts.MONTHS:
            for basis in BASES:
                path = f"/api/margins/_/explain?tagValue={quote(tag_value)}&period={month}"
                for each in (await here.get(f"{path}&basis={basis}"))["revenue"]:
                    shares[basis, each["provider"], each["objectId"], str(each["partId"])].append(
                        each
                    )
        for told in shares.values():
            assert sum(each["shareMinor"] for each in told) == told[0]["amountMinor"]
            assert 0 not in [each["shareMinor"] for each in told]
        assert_complete(books, tag_value, [*shares])


def assert_complete(books: Books, tag_value: str, told: Sequence[tuple[str, ...]]) -> None:
    """Each part that is something, of each fact in US dollars, is there for each of its bases."""
    customers = {
        (each.provider, each.customer_id) for each in books.mappings if each.tag_value == tag_value
    }
    for provider, fact in books.revenue:
        if (provider, fact.customer_id) in customers and not fact.is_foreign:
            for part in fact.all_parts:
                names = {
                    (basis, provider, fact.object_id, str(part.part_id)) for basis in part.bases
                }
                assert not part.amount_minor or names <= set(told)
