"""Revenue providers that each break one rule about what they read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import count
from typing import Any

from msgspec.structs import replace

from nullspend_margins import (
    ProviderUnavailable,
    RevenueFact,
    RevenueWindow,
)
from tests.testing.broken.providers import Billing, invoice


class ForgetsCustomers(Billing):
    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return await super().has_customer(secret, customer_id) and customer_id == "cus_1"


class KnowsEverybody(Billing):
    async def has_customer(self, secret: str, customer_id: str) -> bool:
        await super().has_customer(secret, customer_id)
        return True


class Pages(Billing):
    """A billing whose pages go through ``change``."""

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        async for page in super().fetch_revenue(secret, window):
            yield self.change(list(page))

    def change(self, page: list[RevenueFact]) -> Any:
        return page


class YieldsViews(Pages):
    def change(self, page: list[RevenueFact]) -> Any:
        return {fact.object_id: fact for fact in page}.values()


class IgnoresTheWindow(Billing):
    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        async for page in super().fetch_revenue(secret, window):
            yield page
        later = RevenueWindow(window.last.shift(1), window.last.shift(1))
        async for page in super().fetch_revenue(secret, later):
            yield [replace(fact, currency="eur") for fact in page]


class RepeatsPages(Pages):
    def change(self, page: list[RevenueFact]) -> Any:
        return [*page, *(fact for fact in page if fact.currency == "eur")]


class StampsFacts(Billing):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.stamps = count()

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        stamp = str(next(self.stamps))
        async for page in super().fetch_revenue(secret, window):
            yield [replace(fact, customer_name=stamp) for fact in page]


class LosesTheFirstOfTheMonth(Billing):
    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        async for page in super().fetch_revenue(secret, window):
            yield [
                fact
                for fact in page
                if len(window.periods) != 5 or fact.occurred_at != window.periods[2].start
            ]


class ShoutsCurrencies(Pages):
    def change(self, page: list[RevenueFact]) -> Any:
        return [replace(fact, currency=fact.currency.upper()) for fact in page]


class CountsDollars(Pages):
    def change(self, page: list[RevenueFact]) -> Any:
        return [replace(fact, amount_minor=fact.amount_minor // 100) for fact in page]


class StopsAtAFailure(Billing):
    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        came = False
        try:
            async for page in super().fetch_revenue(secret, window):
                yield page
                came = True
        except ProviderUnavailable:
            if not came:
                raise


class ReadsAhead(Billing):
    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        ahead = asyncio.create_task(asyncio.Event().wait())
        async for page in super().fetch_revenue(secret, window):
            yield page
        ahead.cancel()


class ReadsFieldsBlindly(Billing):
    async def ask(self, secret: str, page: int = 0) -> list[RevenueFact]:
        found: Any = self.other_json
        if found is not ...:
            return [invoice(each["number"], each["month"]) for each in found]
        return await super().ask(secret, page)


class TakesMissingForEmpty(Billing):
    async def ask(self, secret: str, page: int = 0) -> list[RevenueFact]:
        found: Any = self.other_json
        if isinstance(found, dict):
            return [invoice(each["number"], each["month"]) for each in found.get("invoices", [])]
        return await super().ask(secret, page)


class NamesItsGapsOnly(Billing):
    async def find_gaps(self, secret: str) -> list[str]:
        await self.ask(secret)
        return ["refunds"]


READINGS: dict[str, type] = {
    "test_a_customer_of_the_account_is_found": ForgetsCustomers,
    "test_a_made_up_customer_is_not_found": KnowsEverybody,
    "test_revenue_comes_in_pages_of_facts": YieldsViews,
    "test_revenue_is_of_the_window": IgnoresTheWindow,
    "test_an_object_id_names_one_fact": RepeatsPages,
    "test_two_reads_give_the_same": StampsFacts,
    "test_a_window_has_what_its_months_have": LosesTheFirstOfTheMonth,
    "test_a_currency_is_a_lower_case_code": ShoutsCurrencies,
    "test_customers_paid_what_the_sample_says": CountsDollars,
    "test_json_of_another_form_is_a_failure": ReadsFieldsBlindly,
    "test_a_failure_half_way_is_raised": StopsAtAFailure,
    "test_a_read_may_end_early": ReadsAhead,
    "test_gaps_are_told_as_gaps": NamesItsGapsOnly,
}
