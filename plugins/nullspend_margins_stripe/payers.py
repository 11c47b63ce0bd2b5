"""Whose refund it is, where neither it nor its charge tells: the invoice that was paid does."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from msgspec.structs import replace

from nullspend_margins import RevenueFact
from nullspend_margins_stripe.answers import INVOICE_PAYMENT
from nullspend_margins_stripe.failures import Unknown
from nullspend_margins_stripe.objects import InvoicePayment, InvoiceReference, Refund, id_of
from nullspend_margins_stripe.requests import Asker


class Payers:
    """The payment intents of refunds that are nobody's yet, by the refund's id."""

    __slots__ = ("_intents",)

    def __init__(self) -> None:
        self._intents: dict[str, str] = {}

    def note(self, refund: Refund, fact: RevenueFact | None) -> None:
        """Keep what leads to the payer of a refund, if its fact has none."""
        intent = id_of(refund.payment_intent)
        if fact is not None and fact.customer_id is None and intent is not None:
            self._intents[refund.id] = intent

    async def named(self, asker: Asker, facts: Sequence[RevenueFact]) -> list[RevenueFact]:
        """The facts, each with its payer as far as an invoice tells one."""
        found = []
        for fact in facts:
            intent = self._intents.pop(fact.object_id, None)
            payer = None if intent is None else await _payer(asker, intent)
            found.append(fact if payer is None else replace(fact, customer_id=payer))
        return found


async def _payer(asker: Asker, intent: str) -> str | None:
    """The customer of the invoice that a payment intent has paid; ``None`` where none is told."""
    asked: dict[str, str | int | Sequence[str]] = {
        "payment[type]": "payment_intent",
        "payment[payment_intent]": intent,
        "limit": 1,
        "expand[]": ["data.invoice"],
    }
    read = partial(_customers, intent)
    pages = asker.pages(INVOICE_PAYMENT, "/v1/invoice_payments", asked, read, optional=True)
    try:
        async with aclosing(pages):
            async for customers in pages:
                return customers[0] if customers else None
    except Unknown:
        pass  # what stands in Stripe's place may know refunds and not these
    return None


def _customers(intent: str, payments: list[InvoicePayment]) -> list[str]:
    """Looked at again: a server that knows no such filter would answer anybody's."""
    invoices = (
        one.invoice
        for one in payments
        if one.payment is not None and id_of(one.payment.payment_intent) == intent
    )
    found = (id_of(one.customer) for one in invoices if isinstance(one, InvoiceReference))
    return [customer for customer in found if customer]
