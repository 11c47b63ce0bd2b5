"""An account at a provider, told in pages at whose turnstile a process stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from nullspend_margins import Credential, Period, RevenueCursor, RevenueFact, RevenueWindow
from nullspend_margins.domain.revenue import RevenueItem
from tests.properties.turnstiles import Process, Told, stepping


@dataclass(frozen=True)
class Invoice:
    """An invoice as the provider has it."""

    customer: str | None
    cents: int
    currency: str
    status: str
    moment: datetime


@dataclass
class Account:
    """What the provider knows: invoices, and (name, suggested tag) of its customers."""

    invoices: dict[str, Invoice] = field(default_factory=dict)
    customers: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def paid(self, window: RevenueWindow | None = None) -> list[str]:
        """Ids of the paid invoices, of these months or of all, newest first."""
        found = [
            (invoice.moment, object_id)
            for object_id, invoice in self.invoices.items()
            if invoice.status == "paid" and (window is None or is_within(invoice.moment, window))
        ]
        return [object_id for _, object_id in sorted(found, reverse=True)]

    def fact(self, object_id: str, window: RevenueWindow | None = None) -> RevenueFact:
        """As a sync of ``window`` is told of it: of some that are older, a part."""
        invoice = self.invoices[object_id]
        is_older = window is not None and Period.containing(invoice.moment) < window.first
        is_partial = is_older and int(object_id.removeprefix("in_")) % 3 == 0
        name, tag = self.customers.get(invoice.customer or "", (None, None))
        return RevenueFact(
            object_id=object_id,
            customer_id=invoice.customer,
            amount_minor=invoice.cents - 1 if is_partial else invoice.cents,
            currency=invoice.currency,
            occurred_at=invoice.moment,
            is_partial=is_partial,
            customer_name=name,
            suggested_tag=tag,
        )

    def change(self, object_id: str, **values: object) -> None:
        self.invoices[object_id] = replace(self.invoices[object_id], **values)


def is_within(moment: datetime, window: RevenueWindow) -> bool:
    return window.first <= Period.containing(moment) <= window.last


@dataclass
class PagedProvider:
    """One account for all credentials, in pages of two; the first comes twice.

    It tells a sync more than it is asked for: invoices outside the window too, which are to be
    kept; of some of them a part, which never takes the place of the whole. With each page it tells
    how far it is.
    """

    account: Account = field(default_factory=Account)
    commits: int = 0
    """How many syncs have gone well; each notes how many before it."""
    connects: int = 0
    """How often the org was connected, disconnected, or given another key; noted likewise."""
    asked: list[RevenueWindow] = field(default_factory=list)
    name = "stripe"

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        return Credential(secret=str(body["key"]), label="key")

    async def check_credential(self, secret: str) -> None:
        pass

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return True

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueItem]]:
        process = stepping.get()
        assert process is not None
        assert process.last_looked is not None
        told = process.told = Told(process.last_looked, window, self.commits, self.connects)
        ids = self.account.paid(window if window.is_backfill else None)
        self.asked.append(window)
        pages = [ids[start : start + 2] for start in range(0, len(ids), 2)]
        for number, page in enumerate([*pages, *pages[:1]]):
            await process.turnstile.stop()
            _fail(process, number)
            paid = set(self.account.paid())
            facts = [self.account.fact(each, window) for each in page if each in paid]
            told.facts |= {fact.object_id: fact for fact in facts}
            told.fetched += sum(is_within(fact.occurred_at, window) for fact in facts)
            told.cursor = f"{process.name} {told.began.isoformat()} {number}"
            yield [*facts, RevenueCursor(told.cursor)]
        await process.turnstile.stop()
        _fail(process, None)
        told.complete = True


def _fail(process: Process, number: int | None) -> None:
    """At the page that was said; a failure for a page that never comes comes at the end."""
    if process.failure is not None and number in (None, process.failure[0]):
        _, process.raised = process.failure
        process.failure = None
        raise process.raised
