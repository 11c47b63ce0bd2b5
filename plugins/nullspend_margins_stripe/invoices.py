"""Paid invoices of one month, page by page, over plain HTTP.

The SDK's objects cost ten times the CPU of a typed decode and would stall the host's event loop
for 200 ms a page; pages are therefore fetched by httpx, in the SDK's API version.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nullspend_margins import Clock, MarginsError, Period, RevenueFact
from nullspend_margins_stripe import failures
from nullspend_margins_stripe.failures import Transient
from nullspend_margins_stripe.wire import InvoicePage, facts_of, read_error, read_page

if TYPE_CHECKING:
    import httpx


class MonthPage(NamedTuple):
    """One page of a month: its facts, and the cursor of the next page if there is one."""

    facts: list[RevenueFact]
    following: str | None


Fetch = Callable[[Callable[[float], Awaitable[MonthPage]]], Awaitable[MonthPage]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRequest:
    """What every page request of one sync has in common."""

    http: httpx.AsyncClient
    url: str
    headers: dict[str, str] = field(repr=False)  # the key is in there
    page_size: int
    tag_key: str
    clock: Clock

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
        page = read_page(await self._get(params, seconds))
        _check_advance(page, after)
        return MonthPage(
            facts_of(page.data, first=first, end=end, tag_key=self.tag_key),
            page.data[-1].id if page.has_more else None,
        )

    async def _get(self, params: dict[str, str | int], seconds: float) -> bytes:
        import httpx

        try:
            answer = await self.http.get(
                self.url,
                params=params,
                headers=self.headers,
                timeout=seconds,
                follow_redirects=False,
            )
        except httpx.TimeoutException:
            raise Transient(f"no answer came within {seconds:.3g} s") from None
        except httpx.HTTPError as error:
            raise Transient(f"the connection failed ({type(error).__name__})") from None
        if answer.status_code != 200:
            raise self._failure(answer)
        return answer.content

    def _failure(self, answer: httpx.Response) -> MarginsError | Transient:
        status, detail = answer.status_code, read_error(answer.content)
        if failures.is_transient(status, detail.code if detail else None):
            wait = failures.retry_after_seconds(answer.headers.get("retry-after"), self.clock.now())
            return failures.answered_with(status, wait)
        if detail is None:
            return Transient(f"it answered HTTP {status} in a form that is not Stripe's")
        if status == 401:
            return failures.refused(detail.code)
        if status == 403:
            return failures.forbidden(detail.message)
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
            yield page.facts


def _check_advance(page: InvoicePage, after: str | None) -> None:
    """Refuse an answer that promises more and leads nowhere.

    Ending there would tell the product that the rest is gone, and its revenue would be deleted.
    """
    if page.has_more and not page.data:
        raise Transient("it answered an empty page and said that there is more")
    if after is not None and any(invoice.id == after for invoice in page.data):
        raise Transient("it answered the same page again")
