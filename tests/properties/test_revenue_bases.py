"""The four bases of a company's revenue, through Stripe's interface, beside a brute-force model.

The model (``revenue_model``, ``revenue_reach``) is written from the definitions; here is only
compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from nullspend_margins.domain.recognition import part_shares
from tests.properties import revenue_model as model
from tests.properties.company import Company
from tests.properties.company_world import MODEL_RATES, Business, business
from tests.properties.happenings import Round, eventful, happen, lingering, rounds
from tests.properties.profile import examples
from tests.properties.revenue_model import BASES, Cells
from tests.properties.revenue_reach import BALANCE, EVENTS, OPTIONAL, Books, Look
from tests.properties.sales import CUSTOMERS, DAY, Sale, assorted, sales
from tests.properties.selling import sell
from tests.world import NOW


@pytest_asyncio.fixture
async def plain(database_url: str) -> AsyncIterator[Business]:
    async with business(database_url, converts=False) as made:
        yield made


@pytest_asyncio.fixture
async def converting(database_url: str) -> AsyncIterator[Business]:
    async with business(database_url, converts=True) as made:
        yield made


some_sales = st.lists(sales(NOW), min_size=2, max_size=7)


def company_of(sold: Sequence[Sale]) -> Company:
    company = Company()
    for sale in sold:
        sell(company, sale, int(NOW.timestamp()))
    return company


def look_at(here: Business, company: Company, missing: frozenset[str] = frozenset()) -> Look:
    return Look(company, model.month_of(here.now), here.converts, missing)


def expected(here: Business, books: Books) -> dict[str, Cells]:
    return model.added([*books.things.values()], MODEL_RATES if here.converts else None)


async def require_model(here: Business, books: Books) -> None:
    """Every customer, month and basis; and one month's table as people get it."""
    wanted = expected(here, books)
    assert differences(await here.tables(), wanted) == []
    places = sorted({place for cells in wanted.values() for place in cells})
    if places:
        month, basis = places[len(places) // 2]
        assert await here.table(month, basis) == {
            customer: cells[month, basis]
            for customer, cells in wanted.items()
            if (month, basis) in cells
        }


def differences(found: dict[str, Cells], wanted: dict[str, Cells]) -> list[tuple[object, ...]]:
    """Customer, place, and what it is and should be."""
    return [
        (customer, place, found.get(customer, {}).get(place), wanted.get(customer, {}).get(place))
        for customer in sorted({*found, *wanted})
        for place in sorted({*found.get(customer, {}), *wanted.get(customer, {})})
        if found.get(customer, {}).get(place) != wanted.get(customer, {}).get(place)
    ]


async def prove_any_company(here: Business, sold: Sequence[Sale]) -> None:
    company = company_of(sold)
    await here.begin(company)
    books = Books()
    await here.world.sync()
    books.sync(look_at(here, company), here.now)
    await require_model(here, books)
    await require_second_sync_changes_nothing(here)
    await here.require_sound()


async def require_second_sync_changes_nothing(here: Business) -> None:
    before = await here.stored()
    here.world.clock.advance(hours=2)
    await here.world.sync()
    assert await here.stored() == before


@examples(8)
@example(sold=assorted(NOW))
@given(sold=some_sales)
async def test_tables_are_the_models(plain: Business, sold: list[Sale]) -> None:
    await prove_any_company(plain, sold)


@examples(8)
@example(sold=assorted(NOW))
@given(sold=some_sales)
async def test_tables_in_dollars_are_the_models(converting: Business, sold: list[Sale]) -> None:
    await prove_any_company(converting, sold)


async def prove_any_history(
    here: Business, sold: Sequence[Sale], some: Sequence[Round], missing: frozenset[str]
) -> None:
    company, books = company_of(sold), Books()
    await here.begin(company, missing)
    touched: set[str] = set()
    for each in [None, *some]:
        if each is not None:
            # A day at least where no event tells of late payments.
            here.world.clock.advance(hours=max(each.hours, 25 if missing else 0))
            touched = happen(company, each, here.now)
        here.show(company, missing)
        await here.world.sync()
        books.sync(look_at(here, company, missing), here.now, touched)
        await require_model(here, books)
    await here.require_sound()
    await require_resync_is_the_same(here, company, missing)


async def require_resync_is_the_same(
    here: Business, company: Company, missing: frozenset[str]
) -> None:
    """From nothing: what Stripe is asked for is as it was; what is older may not come again."""
    look = look_at(here, company, missing)
    before = await here.facts_since(look.first)
    await here.disconnect()
    await here.connect()
    await here.world.sync()
    books = Books()
    books.sync(look, here.now)
    await require_model(here, books)
    assert await here.facts_since(look.first) == before


@examples(6)
@example(sold=assorted(NOW), some=eventful())
@example(sold=assorted(NOW), some=lingering())
@given(sold=some_sales, some=st.lists(rounds, min_size=1, max_size=3))
async def test_a_resync_equals_any_history(
    plain: Business, sold: list[Sale], some: list[Round]
) -> None:
    await prove_any_history(plain, sold, some, frozenset())


@examples(6)
@example(sold=assorted(NOW), some=eventful())
@example(sold=assorted(NOW), some=lingering())
@given(sold=some_sales, some=st.lists(rounds, min_size=1, max_size=3))
async def test_a_resync_equals_any_history_in_dollars(
    converting: Business, sold: list[Sale], some: list[Round]
) -> None:
    await prove_any_history(converting, sold, some, frozenset())


@examples(6)
@example(sold=assorted(NOW), some=eventful())
@example(sold=assorted(NOW), some=lingering())
@given(sold=some_sales, some=st.lists(rounds, min_size=1, max_size=3))
async def test_a_resync_equals_any_history_without_events(
    plain: Business, sold: list[Sale], some: list[Round]
) -> None:
    await prove_any_history(plain, sold, some, frozenset({EVENTS}))


@examples(12)
@given(sold=some_sales, missing=st.sets(st.sampled_from(OPTIONAL), min_size=1, max_size=2))
async def test_only_bases_that_a_gap_names_differ(
    converting: Business, sold: list[Sale], missing: set[str]
) -> None:
    company = company_of(sold)
    await converting.begin(company, missing)
    await converting.world.sync()
    books = Books()
    books.sync(look_at(converting, company), converting.now)
    gaps = await converting.gaps()
    told = {gap["permission"] for gap in gaps}
    # Exchange rates are missed only where there is something to convert.
    assert missing - {BALANCE} <= told <= missing
    exact = set(BASES) - {basis for gap in gaps for basis in gap["bases"]}
    found, wanted = await converting.tables(), expected(converting, books)
    for customer in CUSTOMERS:
        for basis in exact:
            assert of_basis(found, customer, basis) == of_basis(wanted, customer, basis)
    await converting.require_sound()


def of_basis(tables: dict[str, Cells], customer: str, basis: str) -> Cells:
    cells = tables.get(customer, {})
    return {place: amount for place, amount in cells.items() if place[1] == basis}


@examples(8)
@example(sold=[replace(sale, ago=sale.ago % (110 * DAY) + 9) for sale in assorted(NOW)])
@given(sold=st.lists(sales(NOW, 111), min_size=2, max_size=7))
async def test_over_a_lifetime_all_that_was_earned_is_accrued(
    plain: Business, sold: list[Sale]
) -> None:
    """What paid invoices come to without tax, less what was credited or given back."""
    company = company_of(sold)
    await plain.begin(company)
    await plain.world.sync()
    found = await plain.tables()
    for customer in CUSTOMERS:
        accrued = sum(of_basis(found, customer, "accrual").values())
        assert accrued == earned(company, customer) * 10_000
    for invoice_id, parts in (await plain.lines()).items():
        assert sum(part.amount_minor for part in parts) == model.untaxed(
            company.invoices[invoice_id]
        )
        for part in parts:
            shares = part_shares(part, 2)
            assert sum(share.amount_minor for share in shares) == part.amount_minor
            assert sum(share.microdollars for share in shares) == part.amount_minor * 10_000


def earned(company: Company, customer: str) -> int:
    """In cents, of dollar invoices that are ours."""
    theirs = {
        one["id"]: one
        for one in company.invoices.values()
        if (one["customer"], one["currency"], one["livemode"]) == (customer, "usd", True)
    }
    total = sum(model.untaxed(one) for one in theirs.values() if one["status"] == "paid")
    credited = Counter[str]()
    for note in company.credit_notes.values():
        if note["invoice"] in theirs and note["status"] == "issued":
            for each in note["refunds"]:
                credited[each["refund"]] += each["amount_refunded"]
            if theirs[note["invoice"]]["status"] == "paid":
                total -= model.untaxed(note)
    for refund in company.refunds.values():
        if refund["status"] != "succeeded":
            continue
        if company.paid_with(refund["charge"], refund["payment_intent"])["id"] in theirs:
            total -= refund["amount"] - credited[refund["id"]]
    return total
