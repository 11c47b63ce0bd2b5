"""Records of customers that pages name by id alone.

Stripe expands customers on request; what stands in its place, a proxy or an older server, may not.
"""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from nullspend_margins_stripe.answers import CUSTOMER
from nullspend_margins_stripe.objects import Customer
from nullspend_margins_stripe.requests import Asker


class CustomerRecords:
    """What one sync knows of such customers. Each is asked for once, whichever month meets it."""

    __slots__ = ("_answered", "_found")

    def __init__(self) -> None:
        self._answered: dict[str, asyncio.Event] = {}
        self._found: dict[str, Customer] = {}

    def get(self, customer_id: str | None) -> Customer | None:
        """The record of a customer looked up before; ``None`` where Stripe has none."""
        return self._found.get(customer_id) if customer_id else None

    async def look_up(self, asker: Asker, customer_ids: set[str]) -> None:
        """Ask for those that nobody asked for yet, one by one, and wait for the others' answers.

        What ``asker`` raises ends the whole sync, and with it whoever waits for that answer.
        """
        mine = sorted(customer_ids - self._answered.keys())
        # Taken before the first wait, so that months of the same customers share the work.
        self._answered.update((customer_id, asyncio.Event()) for customer_id in mine)
        for customer_id in mine:
            path = f"/v1/customers/{quote(customer_id, safe='')}"
            record = await asker.one(CUSTOMER, path, expected=customer_id)
            if record is not None:
                self._found[customer_id] = record
            self._answered[customer_id].set()
        for customer_id in customer_ids:
            await self._answered[customer_id].wait()
