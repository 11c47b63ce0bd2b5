"""Pages that name customers by id alone, though they were asked to expand them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import unquote

import httpx
import pytest
import respx

from nullspend_margins import CredentialRefused, PermissionMissing, ProviderUnavailable
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import (
    APRIL,
    CUSTOMERS,
    INVOICES,
    KEY,
    WINDOW,
    FakeTime,
    PaidInvoicesAlone,
    at,
    customer_json,
    error_json,
    fetch,
    invoice_json,
    make_provider,
    page_json,
)

ADA = customer_json(
    "cus_ada", name="Ada", email="ada@example.com", metadata={"nullspend_customer": "ada"}
)


class Unexpanding(httpx.AsyncBaseTransport):
    """A Stripe of three customers with an invoice each in every month, named by id alone."""

    ids = ("cus_a", "cus_b", "cus_c")

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        customer_id = request.url.path.removeprefix("/v1/customers/")
        self.asked[request.url.path] += 1
        if customer_id != request.url.path:
            metadata = {"nullspend_customer": customer_id[-1]}
            record = customer_json(customer_id, name=customer_id.upper(), metadata=metadata)
            return httpx.Response(200, json=record)
        created = int(request.url.params["created[gte]"])
        page = [
            invoice_json(f"in_{created}_{each}", customer=each, created=created)
            for each in self.ids
        ]
        return httpx.Response(200, json=page_json(*page))


@pytest.fixture
def stripe() -> Unexpanding:
    return Unexpanding()


@pytest.fixture
def alone(stripe: Unexpanding) -> PaidInvoicesAlone:
    return PaidInvoicesAlone(stripe)


@pytest.fixture
async def http(alone: PaidInvoicesAlone) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=alone) as client:
        yield client


@pytest.mark.parametrize("concurrency", [1, 2, 4])
async def test_each_is_asked_for_once_a_sync_and_named_in_every_month(
    stripe: Unexpanding, http: httpx.AsyncClient, time: FakeTime, concurrency: int
) -> None:
    provider = make_provider(lambda: http, time, concurrency=concurrency, late_months=0)

    facts = await fetch(provider, WINDOW)

    assert len(facts) == 3 * len(WINDOW.periods)
    for fact in facts:
        assert fact.customer_id is not None
        assert fact.customer_name == fact.customer_id.upper()
        assert fact.suggested_tag == fact.customer_id[-1]
    once = {f"/v1/customers/{each}": 1 for each in stripe.ids}
    assert stripe.asked == {"/v1/invoices": len(WINDOW.periods), **once}

    await fetch(provider, WINDOW)
    assert [stripe.asked[path] for path in once] == [2, 2, 2]


async def test_asking_keeps_to_the_rate_limit(
    stripe: Unexpanding, alone: PaidInvoicesAlone, http: httpx.AsyncClient, time: FakeTime
) -> None:
    provider = make_provider(
        lambda: http, time, requests_per_second=10, concurrency=1, late_months=0
    )

    await fetch(provider, APRIL)

    assert stripe.asked.total() == 4
    assert time.sleeps == pytest.approx([0.1] * (4 + alone.others - 1))


@respx.mock
async def test_names_and_the_tag_come_from_the_customers_record(remote: StripeProvider) -> None:
    page = page_json(
        invoice_json("in_1", customer="cus_ada", customer_name="Old", customer_email="old@a.com"),
        invoice_json("in_2", customer="cus_ada"),
    )
    respx.get(INVOICES).respond(200, json=page)
    route = respx.get(f"{CUSTOMERS}/cus_ada").respond(200, json=ADA)

    facts = await fetch(remote, APRIL)

    told = {(each.customer_name, each.customer_email, each.suggested_tag) for each in facts}
    assert told == {("Ada", "ada@example.com", "ada")}
    assert route.call_count == 1
    sent = route.calls.last.request
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["stripe-version"]


@respx.mock
async def test_the_metadata_key_of_the_configuration_is_read(
    real_http: httpx.AsyncClient, time: FakeTime
) -> None:
    respx.get(INVOICES).respond(200, json=page_json(invoice_json("in_1", customer="cus_1")))
    record = customer_json("cus_1", metadata={"tenant": "b", "nullspend_customer": "a"})
    respx.get(f"{CUSTOMERS}/cus_1").respond(200, json=record)
    provider = make_provider(lambda: real_http, time, customer_metadata_key="tenant")

    assert [fact.suggested_tag for fact in await fetch(provider, APRIL)] == ["b"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json=error_json("No such customer", code="resource_missing")),
        httpx.Response(404, text="not found"),
        httpx.Response(200, json={"id": "cus_1", "object": "customer", "deleted": True}),
        httpx.Response(200, json=customer_json("cus_1", name=None, email="", metadata=None)),
        httpx.Response(200, json=customer_json("cus_1", name="\x07")),
    ],
    ids=["404", "404 in another form", "deleted", "nameless", "unusable name"],
)
@respx.mock
async def test_what_the_invoice_says_stays_where_the_record_says_nothing(
    remote: StripeProvider, time: FakeTime, answer: httpx.Response
) -> None:
    invoices = [
        invoice_json(number, customer="cus_1", customer_name="Known", customer_email="k@a.com")
        for number in ("in_1", "in_2")
    ]
    # Two pages: that there is no record is remembered too.
    respx.get(INVOICES).side_effect = [
        httpx.Response(200, json=page_json(invoices[0], has_more=True)),
        httpx.Response(200, json=page_json(invoices[1])),
    ]
    route = respx.get(f"{CUSTOMERS}/cus_1").mock(answer)

    facts = await fetch(remote, APRIL)

    told = [(each.customer_name, each.customer_email, each.suggested_tag) for each in facts]
    assert told == [("Known", "k@a.com", None)] * 2
    assert (route.call_count, time.sleeps) == (1, [])


@respx.mock
async def test_expanded_customers_are_not_asked_for(remote: StripeProvider) -> None:
    page = page_json(
        invoice_json("in_1", customer=ADA),
        invoice_json("in_2", customer=None),
        invoice_json("in_3", customer="cus_void", status="void"),
        invoice_json("in_4", customer="cus_may", created=at("2026-05")),
    )
    respx.get(INVOICES).respond(200, json=page)
    route = respx.get(url__startswith=f"{CUSTOMERS}/")

    assert [fact.customer_name for fact in await fetch(remote, APRIL)] == ["Ada", None]
    assert not route.called


@respx.mock
async def test_an_id_stays_one_part_of_the_path(remote: StripeProvider) -> None:
    odd = "cus_a/b?c#d ü"
    respx.get(INVOICES).respond(200, json=page_json(invoice_json("in_1", customer=odd)))
    route = respx.get(url__startswith=f"{CUSTOMERS}/")
    route.respond(200, json=customer_json(odd, name="Odd"))

    assert [fact.customer_name for fact in await fetch(remote, APRIL)] == ["Odd"]
    path = route.calls.last.request.url.raw_path.decode()
    assert path.count("/") == 3
    assert unquote(path) == f"/v1/customers/{odd}"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, headers={"Retry-After": "1"}),
        httpx.Response(500, json={"error": "oops"}),
        httpx.Response(200, text='{"id": "cus_a'),
        httpx.Response(200, json=[]),
        httpx.Response(200, json=customer_json("cus_other")),
        httpx.ReadTimeout("late"),
    ],
    ids=["429", "500", "cut", "a list", "another customer", "late"],
)
@respx.mock
async def test_a_failing_answer_is_asked_for_again_until_the_budget_ends(
    remote: StripeProvider, time: FakeTime, answer: httpx.Response | Exception
) -> None:
    respx.get(INVOICES).respond(200, json=page_json(invoice_json("in_1", customer="cus_ada")))
    route = respx.get(f"{CUSTOMERS}/cus_ada")
    route.side_effect = [answer, answer, httpx.Response(200, json=ADA)]
    assert [fact.customer_name for fact in await fetch(remote, APRIL)] == ["Ada"]

    before = time.passed
    route.side_effect = [answer] * 1000
    with pytest.raises(ProviderUnavailable):
        await fetch(remote, APRIL)
    assert 15 <= time.passed - before <= 20


@respx.mock
async def test_a_refused_key_and_a_missing_permission_end_the_sync(remote: StripeProvider) -> None:
    tasks = asyncio.all_tasks()
    invoices = [invoice_json("in_1", customer="cus_1", created=at("2026-04"))]
    respx.get(INVOICES).respond(200, json=page_json(*invoices))
    route = respx.get(f"{CUSTOMERS}/cus_1").respond(401)
    with pytest.raises(CredentialRefused):
        await fetch(remote, WINDOW)

    route.respond(403, json=error_json("Having the 'rak_customer_read' permission"))
    with pytest.raises(PermissionMissing, match="rak_customer_read"):
        await fetch(remote, WINDOW)
    assert asyncio.all_tasks() == tasks


async def test_months_that_wait_for_a_failing_answer_end_with_it(time: FakeTime) -> None:
    stripe = Unexpanding()
    answer = stripe.handle_async_request

    async def failing(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/invoices":
            return await answer(request)
        for _ in range(20):
            await asyncio.sleep(0)
        return httpx.Response(403, json=error_json("no"))

    tasks = asyncio.all_tasks()
    async with httpx.AsyncClient(transport=httpx.MockTransport(failing)) as http:
        with pytest.raises(PermissionMissing):
            await fetch(make_provider(lambda: http, time), WINDOW)
    assert asyncio.all_tasks() == tasks
