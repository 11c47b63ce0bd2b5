"""The margin table is what the specification's arithmetic makes of everything stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from itertools import count

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import CostBatch, CostEvent, CostFact, Period, RevenueFact
from tests.properties import answers, arithmetic, strategies, writes
from tests.properties.arithmetic import Thresholds
from tests.properties.model import ModelMapping, Org
from tests.properties.product import Product, csv_cells, product
from tests.properties.profile import examples
from tests.properties.strategies import Books, DrawnMapping

EVERY = (
    Thresholds(),
    Thresholds(Fraction("70.5"), Fraction("33.33"), Fraction("-10")),
    Thresholds(Fraction(100), Fraction(100), Fraction(100)),
    Thresholds(Fraction("-0.01"), Fraction("-50"), Fraction("-300.25")),
)


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[Product]:
    async with product(database_url, EVERY) as made:
        yield made


@st.composite
def two_orgs(draw: st.DrawFn) -> tuple[Period, Books, Books]:
    """Two orgs with the same names in them, around one month."""
    month = Period.parse(draw(st.sampled_from(strategies.MONTHS)))
    return month, draw(strategies.books(month)), draw(strategies.books(month))


async def load(here: Product, month: Period, *both: Books) -> dict[str, Org]:
    await here.clear()
    here.clock.moment = month.start + timedelta(days=3)
    names = ("org_1", "org_2")
    return {name: await here.load(name, drawn) for name, drawn in zip(names, both, strict=True)}


async def check(
    here: Product, org_id: str, org: Org, period: str, thresholds: Thresholds, query: str = ""
) -> bytes:
    """The answers to ``query`` (the period's, if none is given) are the model's of ``period``."""
    path = f"/api/margins?{query or f'period={period}'}"
    answer = await here.read(path, org_id, thresholds)
    expected = answers.table(org, period, thresholds)
    assert answer.json() == {"data": expected}
    file = await here.read(f"{path}&format=csv", org_id, thresholds)
    assert csv_cells(file.content) == answers.csv_rows(expected)
    disposition = f'attachment; filename="margins-{period}.csv"'
    assert file.headers["content-disposition"] == disposition
    return answer.content


@examples(30)
@given(drawn=two_orgs(), thresholds=st.sampled_from(EVERY), shift=st.integers(-2, 2))
async def test_every_field_of_every_row_is_as_the_model_says(
    here: Product, drawn: tuple[Period, Books, Books], thresholds: Thresholds, shift: int
) -> None:
    month = drawn[0]
    orgs = await load(here, *drawn)
    other = str(strategies.clamped(month.index + shift))
    for org_id, org in orgs.items():
        first = await check(here, org_id, org, str(month), thresholds)
        await check(here, org_id, org, other, thresholds)
        assert await check(here, org_id, org, str(month), thresholds, "a=b") == first
    here.clock.moment = strategies.clamped(month.index + 1).start
    now = str(Period.containing(here.clock.now()))
    for org_id, org in orgs.items():
        await check(here, org_id, org, now, thresholds, "a=b")


@dataclass(frozen=True)
class Unmap:
    """The mapping with this number, modulo how many there are, is deleted."""

    number: int


@dataclass(frozen=True)
class Sync:
    """A provider is connected anew and synced."""

    provider: str
    told: list[RevenueFact]


Change = DrawnMapping | Unmap | Sync | CostEvent | CostFact


@st.composite
def changes(draw: st.DrawFn, month: Period) -> list[Change]:
    """What people, hosts, timers and other systems do to an org."""
    now = st.just(month)
    tags, providers = st.sampled_from(strategies.TAGS), st.sampled_from(strategies.PROVIDERS)
    return draw(
        st.lists(
            st.one_of(
                st.builds(
                    DrawnMapping,
                    provider=providers,
                    customer_id=st.sampled_from(strategies.CUSTOMERS),
                    tag_value=tags,
                    match_type=st.sampled_from(("manual", "manual", "auto")),
                ),
                st.builds(Unmap, st.integers(0, 9)),
                st.builds(Sync, providers, strategies.accounts(month)),
                strategies.event("new", tags, now),
                strategies.fact(tags, strategies.nanodollars, now),
            ),
            min_size=1,
            max_size=5,
        )
    )


_numbers = count()


async def apply(here: Product, org_id: str, org: Org, change: Change, through: Thresholds) -> Org:
    """Make ``change`` by the public interfaces of one of the apps; the org as it should be then."""
    if isinstance(change, DrawnMapping):
        return await _map(here, org_id, org, change, through)
    if isinstance(change, Unmap):
        if not org.mappings:
            return org
        gone = org.mappings[change.number % len(org.mappings)]
        path = f"/api/customer-mappings?id={gone.id}"
        answer = await here.call("DELETE", path, org=org_id, thresholds=through)
        assert answer.status_code == 200, answer.text
        return writes.unmapped(org, gone)
    if isinstance(change, Sync):
        return await _sync(here, org_id, org, change, through)
    if isinstance(change, CostEvent):
        event = replace(change, event_id=f"new-{next(_numbers)}")
        assert await here.apps[through].ingest(org_id, [event]) == 1
        return replace(org, events=[*org.events, ("host", event)])
    here.source.batches.append(CostBatch(org_id=org_id, facts=[change], cursor="x"))
    assert await (await here.apps[through].services()).sync.pull_costs() == 0
    return replace(org, facts=[*org.facts, (here.source.name, change)])


async def _map(
    here: Product, org_id: str, org: Org, wanted: DrawnMapping, through: Thresholds
) -> Org:
    body = {
        "stripeCustomerId": wanted.customer_id,
        "tagValue": wanted.tag_value,
        "matchType": wanted.match_type,
        "provider": wanted.provider,
    }
    answer = await here.call("POST", "/api/customer-mappings", body, org=org_id, thresholds=through)
    after = writes.mapped(
        org,
        ModelMapping(
            **wanted.__dict__,
            id=answer.json().get("data", {}).get("id", ""),
            confidence=1.0 if wanted.match_type == "manual" else None,
        ),
    )
    assert answer.status_code == (409 if after is None else 201), answer.text
    return org if after is None else after


async def _sync(here: Product, org_id: str, org: Org, change: Sync, through: Thresholds) -> Org:
    path = f"/api/connections/{change.provider}"
    steps = ["POST"] if change.provider not in (org.connections or {}) else []
    for method in (*steps, "DELETE", "POST"):
        body = {"account": org_id} if method == "POST" else None
        done = await here.call(method, path, body, org=org_id, thresholds=through)
        assert done.status_code in (200, 201), done.text
    org = writes.disconnected(org, change.provider)
    here.providers[change.provider].accounts[org_id] = change.told
    now = here.clock.now()
    done = await here.call("POST", f"{path}/sync", org=org_id, thresholds=through)
    assert done.status_code == 200, done.text
    org, matches = writes.synced(org, change.provider, change.told, now)
    assert done.json()["data"]["autoMatchesCreated"] == len(matches)
    skipped: dict[str, int] = {}
    for fact in change.told:
        if fact.currency != "usd":
            skipped[fact.currency] = skipped.get(fact.currency, 0) + 1
    shown = {
        "lastSyncAt": arithmetic.timestamp(now),
        "syncStatus": "active",
        "skippedCurrencies": skipped or None,
    }
    connections = {**(org.connections or {}), change.provider: shown}
    return replace(
        org, mappings=await _with_ids(here, org_id, org, through), connections=connections
    )


async def _with_ids(
    here: Product, org_id: str, org: Org, through: Thresholds
) -> list[ModelMapping]:
    """The model's mappings are those there are; with the ids that the product gave new ones."""
    listed = (await here.read("/api/customer-mappings", org_id, through)).json()["data"]
    found = [
        ModelMapping(
            id=each["id"],
            provider=each["provider"],
            customer_id=each["stripeCustomerId"],
            tag_value=each["tagValue"],
            tag_key=each["tagKey"],
            match_type=each["matchType"],
            confidence=each["confidence"],
        )
        for each in listed
    ]
    assert {replace(each, id="") for each in found} == {
        replace(each, id="") for each in org.mappings
    }
    assert {each.id for each in org.mappings} - {""} <= {each.id for each in found}
    return found


@st.composite
def changing_orgs(draw: st.DrawFn) -> tuple[Period, Books, Books, list[tuple[Change, int]]]:
    month, first, second = draw(two_orgs())
    drawn = draw(changes(month))
    return month, first, second, [(each, draw(st.integers(0, 1))) for each in drawn]


@examples(20)
@given(drawn=changing_orgs(), apps=st.permutations(EVERY))
async def test_a_read_after_any_write_is_of_what_is_stored_now(
    here: Product,
    drawn: tuple[Period, Books, Books, list[tuple[Change, int]]],
    apps: list[Thresholds],
) -> None:
    month, first, second, todo = drawn
    orgs = await load(here, month, first, second)
    seen = [
        await check(here, org_id, org, str(month), thresholds)
        for org_id, org in orgs.items()
        for thresholds in apps[:2]
    ]
    for change, by_other in todo:
        orgs["org_1"] = await apply(here, "org_1", orgs["org_1"], change, apps[by_other])
        for thresholds in apps[:2]:
            await check(here, "org_1", orgs["org_1"], str(month), thresholds)
        path = f"/api/margins?period={month}"
        others = [(await here.read(path, "org_2", each)).content for each in apps[:2]]
        assert others == seen[2:]
