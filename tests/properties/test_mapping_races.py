"""Requests that change the same mappings at once come out as in some order, one after another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from itertools import permutations

import httpx
import psycopg
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.storage import mappings
from tests.properties import writes
from tests.properties.arithmetic import Thresholds
from tests.properties.model import ModelMapping, Org
from tests.properties.product import Product, product
from tests.properties.profile import examples
from tests.properties.strategies import Books, DrawnMapping

ORG, ONLY = "org_1", Thresholds()
AUTO = DrawnMapping(provider="stripe", customer_id="cus_1", tag_value="acme", match_type="auto")


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[Product]:
    async with product(database_url, [ONLY]) as made:
        yield made


def post(here: Product, wanted: DrawnMapping) -> Awaitable[httpx.Response]:
    body = {
        "stripeCustomerId": wanted.customer_id,
        "tagValue": wanted.tag_value,
        "matchType": wanted.match_type,
    }
    return here.call("POST", "/api/customer-mappings", body, org=ORG, thresholds=ONLY)


async def rejected(here: Product) -> set[tuple[str, str]]:
    found = await here.database.read(lambda tx: mappings.rejected_pairs(tx, ORG))
    assert {pair[:2] for pair in found} <= {("stripe", "customer")}
    return {pair[2:] for pair in found}


@pytest.mark.parametrize("first", ["the one who displaces", "the one who confirms"])
async def test_of_displacing_and_confirming_a_match_at_once_one_happens(
    postgres_url: str, first: str
) -> None:
    displacing = DrawnMapping(provider="stripe", customer_id="cus_2", tag_value="acme")
    confirming = DrawnMapping(provider="stripe", customer_id="cus_1", tag_value="acme")
    async with product(postgres_url, [ONLY]) as here:
        await here.load(ORG, Books(mappings=[AUTO]))
        order = [displacing, confirming]
        if first == "the one who confirms":
            order.reverse()
        winner, loser = await queued_at_the_row(here, postgres_url, order)
        assert (winner.status_code, loser.status_code) == (201, 409)
        assert loser.json()["error"]["details"]["stripeCustomerId"] == order[0].customer_id
        (held,) = (await here.read("/api/customer-mappings", ORG, ONLY)).json()["data"]
        assert (held["stripeCustomerId"], held["matchType"]) == (order[0].customer_id, "manual")
        assert held["confidence"] == 1.0
        turned_down = {("cus_1", "acme")} if order[0] is displacing else set()
        assert await rejected(here) == turned_down


async def queued_at_the_row(
    here: Product, url: str, order: Sequence[DrawnMapping]
) -> list[httpx.Response]:
    """Both have looked at the same match; then they write, one after the other."""
    async with await psycopg.AsyncConnection.connect(url) as lock:
        await lock.execute("SELECT 1 FROM margins_mappings FOR UPDATE")
        running = []
        for number, wanted in enumerate(order, start=1):
            running.append(asyncio.ensure_future(post(here, wanted)))
            await waiting_for_locks(lock, number)
        await lock.rollback()
        return await asyncio.gather(*running)


async def waiting_for_locks(connection: psycopg.AsyncConnection, wanted: int) -> None:
    found = -1
    async with asyncio.timeout(30):
        while found != wanted:
            cursor = await connection.execute(
                "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
            )
            ((found,),) = await cursor.fetchall()


@dataclass(frozen=True)
class Delete:
    """The DELETE of the mapping with this number."""

    number: int


Request = DrawnMapping | Delete

requests = st.one_of(
    st.builds(
        DrawnMapping,
        provider=st.just("stripe"),
        customer_id=st.sampled_from(("cus_1", "cus_2", "cus_3")),
        tag_value=st.sampled_from(("acme", "zeta")),
        match_type=st.sampled_from(("manual", "manual", "auto")),
    ),
    st.builds(Delete, st.integers(0, 1)),
)
beginnings = st.sampled_from(
    (
        [AUTO],
        [AUTO, DrawnMapping(provider="stripe", customer_id="cus_2", tag_value="zeta")],
        [
            DrawnMapping(
                provider="stripe", customer_id="cus_2", tag_value="zeta", match_type="auto"
            ),
            AUTO,
        ],
    )
)


@examples(25)
@given(there=beginnings, wanted=st.lists(requests, min_size=2, max_size=4))
async def test_any_requests_at_once_come_out_as_in_some_order(
    here: Product, there: list[DrawnMapping], wanted: list[Request]
) -> None:
    await here.clear()
    org = await here.load(ORG, Books(mappings=there))
    answers = await asyncio.gather(*(sent(here, org, each) for each in wanted))
    listed = (await here.read("/api/customer-mappings", ORG, ONLY)).json()["data"]
    found = (
        [answer.status_code for answer in answers],
        {(each["stripeCustomerId"], each["tagValue"], each["matchType"]) for each in listed},
        await rejected(here),
    )
    assert found in [one_after_another(org, wanted, order) for order in orders(wanted)]


def orders(wanted: Sequence[Request]) -> list[tuple[int, ...]]:
    return list(permutations(range(len(wanted))))


def sent(here: Product, org: Org, request: Request) -> Awaitable[httpx.Response]:
    if isinstance(request, DrawnMapping):
        return post(here, request)
    gone = org.mappings[request.number % len(org.mappings)]
    path = f"/api/customer-mappings?id={gone.id}"
    return here.call("DELETE", path, org=ORG, thresholds=ONLY)


def one_after_another(
    org: Org, wanted: Sequence[Request], order: Sequence[int]
) -> tuple[list[int], set[tuple[str, str, str]], set[tuple[str, str]]]:
    """Statuses, mappings and rejections by the model, were the requests sent in this order."""
    statuses = [0] * len(wanted)
    begun = org
    for place in order:
        request = wanted[place]
        if isinstance(request, Delete):
            gone = begun.mappings[request.number % len(begun.mappings)]
            current = next((each for each in org.mappings if each.id == gone.id), None)
            statuses[place] = 404 if current is None else 200
            org = org if current is None else writes.unmapped(org, current)
        else:
            after = writes.mapped(org, _asked(request, place))
            statuses[place] = 409 if after is None else 201
            org = org if after is None else after
    return (
        statuses,
        {(each.customer_id, each.tag_value, each.match_type) for each in org.mappings},
        {(customer, tag) for _, _, customer, tag in org.rejected},
    )


def _asked(request: DrawnMapping, place: int) -> ModelMapping:
    manual = request.match_type == "manual"
    return ModelMapping(**request.__dict__, id=f"new-{place}", confidence=1.0 if manual else None)
