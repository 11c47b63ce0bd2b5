"""Paid invoices of one month, page by page, over plain HTTP.

The SDK's objects cost ten times the CPU of a typed decode and would stall the host's event loop
for 200 ms a page; pages are therefore fetched by httpx, in the SDK's API version.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar
from urllib.parse import quote

from nullspend_margins import Clock, MarginsError, Period, RevenueFact
from nullspend_margins_stripe import failures
from nullspend_margins_stripe.answers import CUSTOMER, INVOICE, read_error
from nullspend_margins_stripe.customers import CustomerRecords
from nullspend_margins_stripe.facts import with_customer
from nullspend_margins_stripe.failures import Transient
from nullspend_margins_stripe.invoice_facts import facts_of
from nullspend_margins_stripe.objects import Customer, Invoice, Page

if TYPE_CHECKING:
    import httpx


T = TypeVar("T")


class MonthPage(NamedTuple):
    """One page of a month: its facts, and the cursor of the next page if there is one.

    ``unexpanded`` are customers named by id alone, which Stripe was asked not to do.
    """

    facts: list[RevenueFact]
    following: str | None
    unexpanded: set[str]


class Fetch(Protocol):
    """Runs an attempt until it answers."""

    async def __call__(self, attempt: Callable[[float], Awaitable[T]]) -> T:
        """What ``attempt``, given its seconds, answers at last."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRequest:
    """What every page request of one sync has in common."""

    http: httpx.AsyncClient
    api_base: str
    headers: dict[str, str] = field(repr=False)  # the key is in there
    page_size: int
    tag_key: str
    clock: Clock
    customers: CustomerRecords = field(default_factory=CustomerRecords)

    async def page(self, period: Period, after: str | None, seconds: float) -> MonthPage:
        """The page after the invoice ``after``, within ``seconds``.

        Raises ``Transient`` and the product's errors.
        """
        first, end = int(period.start.timestamp()), int(period.end.timestamp())
        params: dict[str, str | int] = {
            "status": "paid",
            "created[gte]": first,
            "created[lt]": end,
            "limit": self.page_size,
            "expand[]": "data.customer",
        }
        if after is not None:
            params["starting_after"] = after
        answer = await self._get("/v1/invoices", params, seconds)
        if answer.status_code != 200:
            raise self._failure(answer)
        page = INVOICE.read_page(answer.content)
        _check_advance(page, after)
        facts = facts_of(page.data, first=first, end=end, tag_key=self.tag_key)
        by_id = {one.customer for one in page.data if isinstance(one.customer, str)}
        return MonthPage(
            facts,
            page.data[-1].id if page.has_more else None,
            {fact.customer_id for fact in facts if fact.customer_id} & by_id,
        )

    async def customer(self, customer_id: str, seconds: float) -> Customer | None:
        """One customer's own record; ``None`` where there is none. Raises as ``page`` does."""
        answer = await self._get(f"/v1/customers/{quote(customer_id, safe='')}", {}, seconds)
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise self._failure(answer)
        found = CUSTOMER.read_one(answer.content)
        if found.id != customer_id:
            raise Transient("it answered another customer than was asked for")
        return found

    async def _get(self, path: str, params: dict[str, str | int], seconds: float) -> httpx.Response:
        import httpx

        try:
            return await self.http.get(
                f"{self.api_base}{path}",
                params=params,
                headers=self.headers,
                timeout=seconds,
                follow_redirects=False,
            )
        except httpx.TimeoutException:
            raise Transient(f"no answer came within {seconds:.3g} s") from None
        except httpx.HTTPError as error:
            raise Transient(f"the connection failed ({type(error).__name__})") from None

    def _failure(self, answer: httpx.Response) -> MarginsError | Transient:
        status, detail = answer.status_code, read_error(answer.content)
        if failures.is_transient(status, detail.code if detail else None):
            wait = failures.retry_after_seconds(answer.headers.get("retry-after"), self.clock.now())
            return failures.answered_with(status, wait)
        if status == 401:
            return failures.refused(detail.code if detail else None)
        if status == 403:
            return failures.forbidden(detail.message if detail else None)
        if detail is None:
            return failures.unreadable(status)
        return failures.unexpected(status, detail.message)


async def month_facts(
    request: InvoiceRequest, period: Period, fetch: Fetch
) -> AsyncGenerator[list[RevenueFact], None]:
    """The facts of one month, a page at a time. ``fetch`` runs an attempt until it answers."""
    after: str | None = None
    more = True
    while more:
        page = await fetch(partial(request.page, period, after))
        after, more = page.following, page.following is not None
        if page.facts:
            yield await _completed(request, page, fetch)


async def _completed(request: InvoiceRequest, page: MonthPage, fetch: Fetch) -> list[RevenueFact]:
    """The page's facts, with the records of customers that it names by id alone."""
    if not page.unexpanded:
        return page.facts

    async def ask(customer_id: str) -> Customer | None:
        return await fetch(partial(request.customer, customer_id))

    await request.customers.look_up(page.unexpanded, ask)
    found = [request.customers.get(fact.customer_id) for fact in page.facts]
    return [
        with_customer(fact, customer, request.tag_key) if customer else fact
        for fact, customer in zip(page.facts, found, strict=True)
    ]


def _check_advance(page: Page[Invoice], after: str | None) -> None:
    """Refuse an answer that promises more and leads nowhere.

    Ending there would tell the product that the rest is gone, and its revenue would be deleted.
    """
    if page.has_more and not page.data:
        raise Transient("it answered an empty page and said that there is more")
    if after is not None and any(invoice.id == after for invoice in page.data):
        raise Transient("it answered the same page again")
