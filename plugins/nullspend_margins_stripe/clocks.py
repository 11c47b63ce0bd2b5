"""Time that is made up: what belongs to customers of a test clock never counts in production.

Invoices and expanded customers say it themselves. Refunds, credit notes and disputes name their
customer by its id alone; with a key that may meet such customers, each of these is asked for once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from nullspend_margins import RevenueFact
from nullspend_margins_stripe.invoices import Facts
from nullspend_margins_stripe.reading import Reading
from nullspend_margins_stripe.requests import Asker


async def of_real_time(asker: Asker, reading: Reading, pages: Facts) -> Facts:
    """``pages`` without what was taken back from customers of a test clock."""
    async with aclosing(pages):
        async for facts in pages:
            yield await _real(asker, reading, facts)


async def _real(
    asker: Asker, reading: Reading, facts: Sequence[RevenueFact]
) -> Sequence[RevenueFact]:
    doubtful = {
        fact.customer_id
        for fact in facts
        if fact.customer_id and fact.kind in ("refund", "credit_note", "dispute")
    }
    if not doubtful:
        return facts
    await reading.customers.look_up(asker, doubtful)
    found = {customer_id: reading.customers.get(customer_id) for customer_id in doubtful}
    unreal = {name for name, customer in found.items() if customer and customer.test_clock}
    return [fact for fact in facts if fact.customer_id not in unreal]
