"""The suite of a revenue provider: the rules of credentials, of its form, and of what it reads."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import INVOICE, RevenueFact, RevenueItem, RevenueWindow
from nullspend_margins.errors import ProviderUnavailable
from nullspend_margins.protocols import RevenueProvider
from nullspend_margins.testing.connect_form import FormRules
from nullspend_margins.testing.outcomes import (
    close,
    described,
    outcome,
    read_all,
    read_until_it_fails,
    require_error,
    shortened,
    tells,
)
from nullspend_margins.testing.provider_suite import MADE_UP_CUSTOMER, by_id
from nullspend_margins.testing.rules import RuleBroken, rule
from nullspend_margins.testing.units import unit_guess

_CURRENCY = re.compile(r"[a-z]{3}")


class RevenueProviderSuite(FormRules):
    """State ``body``, ``refused_body``, ``window`` and ``paid``."""

    @rule
    async def test_a_customer_of_the_account_is_found(self) -> None:
        """`has_customer` is `True` for the customers of `paid`.

        Why: a new credential of the same account would be refused as another account's.
        To do: ask for the customer by the id that `customer_id` of the facts has; deleted
        customers count.
        """
        provider = self._made()
        secret = await self._secret(provider)
        for customer_id in self.paid:
            found = await outcome(provider.has_customer(secret, customer_id))
            if found is not True:
                raise RuleBroken(f"has_customer({customer_id!r}): {described(found)}")

    @rule
    async def test_a_made_up_customer_is_not_found(self) -> None:
        """`has_customer` is `False` for a customer that does not exist.

        Why: the credential of another account would take this one's place.
        To do: turn the provider's "not found" (HTTP 404, an empty list) into `False`.
        """
        provider = self._made()
        secret = await self._secret(provider)
        found = await outcome(provider.has_customer(secret, MADE_UP_CUSTOMER))
        if found is not False:
            cause = found if isinstance(found, Exception) else None
            raise RuleBroken(f"has_customer of a made-up id: {described(found)}") from cause

    @rule
    async def test_revenue_comes_in_pages_of_facts(self) -> None:
        """Each page is a sequence of `RevenueFact`, `RevenueGap` and `RevenueCursor`.

        Why: pages go into the database as they come.
        To do: `yield [RevenueFact(...), ...]`, one list a page, not single facts.
        """
        for page in await self._pages():
            if not isinstance(page, Sequence):
                raise RuleBroken(f"a page is {shortened(page)}", guess="yield lists of facts")
            wrong = [each for each in page if not isinstance(each, RevenueItem)]
            if wrong:
                raise RuleBroken(f"a page has {shortened(wrong[0])} in it, not a RevenueFact")

    @rule
    async def test_revenue_is_of_the_window(self) -> None:
        """Every fact is of a month of the window, when that `is_backfill`.

        Why: a backfill brings months one by one; others that come along cost requests for nothing.
        To do: ask for `window.first.start` up to, and without, `window.last.end`, in UTC.
        """
        whole = replace(self.window, is_backfill=True)
        for window in (whole, _only(self.window.first), _only(self.window.last)):
            for fact in by_id(await self._pages(window)):
                month = Period.containing(fact.occurred_at)
                if not window.first <= month <= window.last:
                    raise RuleBroken(
                        f"{fact.object_id} is of {month}; asked for were {window.first} to "
                        f"{window.last}"
                    )

    @rule
    async def test_an_object_id_names_one_fact(self) -> None:
        """No two facts of a window have the same `object_id`.

        Why: facts are kept by it, so the second one replaces the first.
        To do: use the invoice's id, not the customer's; look at the bounds of pages and months.
        """
        counts = Counter(fact.object_id for fact in await self._facts_of(self.window))
        repeated = [object_id for object_id, count in counts.items() if count > 1]
        if repeated:
            raise RuleBroken(f"{counts[repeated[0]]} facts are called {repeated[0]!r}")

    @rule
    async def test_two_reads_give_the_same(self) -> None:
        """Read twice, the window has the same facts with the same contents.

        Why: each sync replaces what the last one stored; what flickers changes every number.
        To do: take ids, times and amounts from the provider; nothing from `uuid4()`, `now()`.
        """
        provider = self._made()
        secret = await self._secret(provider)
        reads = [
            by_id(await read_all(each.fetch_revenue(secret, self.window)))
            for each in (provider, provider, self._made())
        ]
        for one, other in pairwise(reads):
            if len(one) != len(other):
                raise RuleBroken(f"{len(one)} facts, then {len(other)}")
            for fact, again in zip(one, other, strict=True):
                if fact != again:
                    raise RuleBroken(f"{shortened(fact)}, then {shortened(again)}")

    @rule
    async def test_a_window_has_what_its_months_have(self) -> None:
        """A window has every fact that its months have when they are asked for alone.

        Why: the window moves on each month, and what falls between its months is lost.
        To do: both `window.first` and `window.last` are included, whole, in UTC.
        """
        wider = RevenueWindow(self.window.first.shift(-1), self.window.last.shift(1))
        parts = [(_only(period), self.window) for period in self.window.periods]
        for part, whole in (*parts, (self.window, wider)):
            found = {fact.object_id for fact in await self._facts_of(part)}
            lost = found - {fact.object_id for fact in await self._facts_of(whole)}
            if lost:
                raise RuleBroken(
                    f"{min(lost)} comes with {part.first} to {part.last}, "
                    f"and not with {whole.first} to {whole.last}"
                )

    @rule
    async def test_a_currency_is_a_lower_case_code(self) -> None:
        """`currency` is a lower-case ISO 4217 code of three letters.

        Why: only `usd` counts; `USD` would be skipped as another currency.
        To do: `.lower()`.
        """
        for fact in await self._facts_of(self.window):
            if not _CURRENCY.fullmatch(fact.currency):
                raise RuleBroken(f"{fact.object_id} has the currency {fact.currency!r}")

    @rule
    async def test_customers_paid_what_the_sample_says(self) -> None:
        """The invoices of each customer add up to `paid`, in cents.

        Why: a wrong unit is the mistake that no type can show; unpaid, voided and refunded
        invoices are the next one.
        To do: `amount_minor` is in cents, what was paid and not what was due; go through
        `Decimal`, not `float`.
        """
        found: Counter[str] = Counter()
        for fact in await self._facts_of(self.window):
            if fact.kind != INVOICE:
                continue
            if fact.customer_id is not None and fact.currency.lower() == "usd":
                found[fact.customer_id] += fact.amount_minor
        for customer_id in sorted({*found, *self.paid}):
            is_, should = found[customer_id], self.paid.get(customer_id, 0)
            if is_ != should:
                raise RuleBroken(
                    f"{customer_id} paid {is_} cents, not {should}", guess=unit_guess(is_, should)
                )

    @rule
    async def test_a_failure_half_way_is_raised(self) -> None:
        """A read that fails after its first page raises. Needs `make_failing_half_way`.

        Why: what is missing at the end is taken to be gone, and deleted.
        To do: don't catch errors around the loop; raise `ProviderUnavailable`.
        """
        provider = self.make_failing_half_way()
        secret = await self._secret(provider)
        pages, problem = await read_until_it_fails(provider.fetch_revenue(secret, self.window))
        if problem is None and by_id(pages) == await self._facts_of(self.window):
            self._fail("has a make_failing_half_way() whose fetch_revenue came to its end")
        found = problem if problem is not None else f"{len(pages)} pages"
        error = require_error("fetch_revenue, failing half way,", found, ProviderUnavailable)
        if tells(error, secret):
            raise RuleBroken("fetch_revenue, failing half way: the error tells the secret")

    @rule
    async def test_a_read_may_end_early(self) -> None:
        """A read that is closed after its first page stops its work and can be begun again.

        Why: a sync that is cut off must not leave requests running.
        To do: end tasks and close connections in `finally`, and keep no "is running" on `self`.
        """
        provider = self._made()
        secret = await self._secret(provider)
        before = asyncio.all_tasks()
        pages = provider.fetch_revenue(secret, self.window)
        await anext(pages, None)
        await close(pages)
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        if left:
            raise RuleBroken(f"closed after its first page, {left[0].get_name()} still runs")
        again = by_id(await read_all(provider.fetch_revenue(secret, self.window)))
        if len(again) < len(by_id(await self._pages())):
            raise RuleBroken("after a read that was closed, the next one misses facts")

    async def _facts_of(self, window: RevenueWindow) -> list[RevenueFact]:
        """Those of its months; others may come along."""
        start, end = window.first.start, window.last.end
        facts = by_id(await self._pages(window))
        return [fact for fact in facts if start <= fact.occurred_at < end]

    async def _pages(self, window: RevenueWindow | None = None) -> list[Sequence[RevenueItem]]:
        provider: RevenueProvider = self._made()
        secret = await self._secret(provider)
        return await read_all(provider.fetch_revenue(secret, window or self.window))


def _only(period: Period) -> RevenueWindow:
    return RevenueWindow(period, period, is_backfill=True)
