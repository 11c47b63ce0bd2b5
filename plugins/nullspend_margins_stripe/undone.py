"""What became of refunds, credit notes and disputes of the months before the window.

Events tell of it. Where they cannot be read, or are gone before a sync sees them (it did not run
for weeks, or the key was replaced), these months are looked through again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from nullspend_margins import RevenueFact
from nullspend_margins_stripe.contra import DISPUTE_MONTHS, counted_disputes
from nullspend_margins_stripe.contra_facts import nothing_of
from nullspend_margins_stripe.invoices import Facts
from nullspend_margins_stripe.objects import CreditNote, Dispute, Refund
from nullspend_margins_stripe.optional_lists import CREDIT_NOTES, DISPUTES, REFUNDS
from nullspend_margins_stripe.reading import Reading
from nullspend_margins_stripe.requests import Asker

UNDONE_REFUNDS = frozenset({"failed", "canceled"})


async def undone_refunds(asker: Asker, reading: Reading) -> Facts:
    """Older refunds that came to nothing are told as nothing."""

    def read(refunds: list[Refund]) -> list[RevenueFact]:
        return [nothing_of(one) for one in refunds if is_undone(one)]

    def is_undone(one: Refund) -> bool:
        return one.status in UNDONE_REFUNDS and reading.counts(one) and reading.is_old(one.created)

    pages = reading.lists.pages(asker, REFUNDS, _before(reading), read)
    async with aclosing(_some(pages)) as told:
        async for facts in told:
            yield facts


async def void_notes(asker: Asker, reading: Reading) -> Facts:
    """Older credit notes that are void by now are told as nothing."""

    def read(notes: list[CreditNote]) -> list[RevenueFact]:
        return [nothing_of(one) for one in notes if is_void(one)]

    def is_void(one: CreditNote) -> bool:
        return one.status == "void" and reading.counts(one) and reading.is_old(one.created)

    pages = reading.lists.pages(asker, CREDIT_NOTES, _before(reading), read)
    async with aclosing(_some(pages)) as told:
        async for facts in told:
            yield facts


async def long_disputes(asker: Asker, reading: Reading) -> Facts:
    """Disputes that are older than those listed anyway, and moved money in the window."""
    start = reading.window.first.start

    def read(disputes: list[Dispute]) -> list[RevenueFact]:
        found = [fact for one in disputes for fact in counted_disputes(reading, one)]
        return [one for one in found if any(part.occurred_at >= start for part in one.all_parts)]

    if reading.late_months <= DISPUTE_MONTHS:
        return
    asked = _before(reading, DISPUTE_MONTHS)
    pages = reading.lists.pages(asker, DISPUTES, asked, read, expand=["charge"])
    async with aclosing(_some(pages)) as told:
        async for facts in told:
            yield facts


LOOKS: Sequence[Callable[[Asker, Reading], Facts]] = (undone_refunds, void_notes, long_disputes)
"""All of it."""


async def _some(
    pages: AsyncGenerator[list[RevenueFact], None],
) -> AsyncGenerator[Sequence[RevenueFact], None]:
    """The pages that have something."""
    async with aclosing(pages):
        async for facts in pages:
            if facts:
                yield facts


def _before(reading: Reading, months: int = 0) -> dict[str, str | int]:
    """The parameters of a list of the months looked at, up to so many before the window."""
    first = reading.window.first
    return reading.created(first.shift(-reading.late_months), first.shift(-months))
