"""Months of long ago, brought beside syncs and stopped anywhere: what is there is what Stripe has.

Afterwards the months from the first one on are those of one look at all of them, as the model of
revenue has it: whatever was paid, refunded, credited or disputed since, and whenever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from nullspend_margins import Period
from nullspend_margins.errors import MarginsError
from nullspend_margins.services.sync_staging import SyncProgress
from tests.properties import revenue_model as model
from tests.properties.company import Company
from tests.properties.company_world import Business, business
from tests.properties.happenings import HOUR, Round, eventful, happen, rounds
from tests.properties.profile import examples
from tests.properties.revenue_model import Cells, Month
from tests.properties.revenue_reach import Books, Look
from tests.properties.sales import Sale, assorted, sales
from tests.properties.selling import sell
from tests.world import NOW, ORG

MONTHS_BACK = (5, 7, 9)
"""Of the month that a backfill begins with. The window of a sync begins three months ago."""


class Killed(Exception):
    """The process ends in the middle of a month."""


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[Business]:
    async with business(database_url, converts=False) as made:
        yield made


async def backfill(here: Business, since: Period, *, until: int | None = None) -> None:
    """To its end, or up to the ``until``-th thing that it tells of how far it is."""
    services = await here.world.margins.services()
    told = 0

    def listen(_progress: SyncProgress) -> None:
        nonlocal told
        told += 1
        if told == until:
            raise Killed

    with suppress(*([MarginsError] if until is not None else [])):
        await services.sync.backfill(ORG, "stripe", since, listen)


async def resume(here: Business, since: Period) -> None:
    """Months that were stored are not read again."""
    services = await here.world.margins.services()
    left = await services.sync.months_to_backfill(ORG, "stripe", since)
    report = await services.sync.backfill(ORG, "stripe", since)
    assert report.months == left


Stop = tuple[int, Round | None]
"""Where a backfill ends before its time, and what happens before the sync that comes then."""

stops = st.tuples(st.integers(1, 9), st.one_of(st.none(), rounds))


CREDITED = Round(HOUR, (), tuple(("credit a refund", number, 100) for number in range(20)))
"""Notes of now speak for refunds of months that are not brought yet."""


@examples(2)
@example(sold=assorted(NOW), back=7, some=[(1, CREDITED), (5, eventful()[0])])
@given(
    sold=st.lists(sales(NOW, 300), min_size=3, max_size=8),
    back=st.sampled_from(MONTHS_BACK),
    some=st.lists(stops, max_size=2),
)
async def test_any_backfill_ends_at_what_the_provider_has(
    here: Business, sold: list[Sale], back: int, some: Sequence[Stop]
) -> None:
    company = Company()
    for sale in sold:
        sell(company, sale, int(NOW.timestamp()))
    await here.begin(company)
    await here.world.sync()
    since = Period.containing(NOW).shift(-back)
    for until, drawn in some:
        await backfill(here, since, until=until)
        here.world.clock.advance(hours=HOUR)
        if drawn is not None:
            happen(company, drawn, here.now)
            here.show(company)
        await here.world.sync()
        await here.require_sound()
    await resume(here, since)
    await require_all(here, company, since)
    stored = await here.stored()
    here.world.clock.advance(hours=HOUR)
    await here.world.sync()
    await backfill(here, since)
    assert await here.stored() == stored


async def require_all(here: Business, company: Company, since: Period) -> None:
    """As one look would have it whose window were all months from the first one on."""
    last = Period.containing(NOW)
    look = Look(company, month(last), months=last.index - since.index + 1)
    books = Books()
    books.sync(look, here.now)
    wanted = model.added([*books.things.values()], None)
    found = await here.tables()
    assert from_month(found, look.first) == from_month(wanted, look.first)
    await here.require_sound()


def month(period: Period) -> Month:
    return period.index // 12, period.index % 12 + 1


def from_month(found: dict[str, Cells], first: Month) -> dict[str, Cells]:
    """What was before the first month is not a backfill's."""
    some = {
        customer: {place: amount for place, amount in cells.items() if place[0] >= first}
        for customer, cells in found.items()
    }
    return {customer: cells for customer, cells in some.items() if cells}
