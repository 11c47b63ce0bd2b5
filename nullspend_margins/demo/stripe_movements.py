"""Charges, refunds, credit notes, disputes and events as Stripe renders them.

Amounts are in the minor unit, times in Unix seconds. ``livemode`` ``None`` is the account's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nullspend_margins.demo.stripe_invoices import TaxBehavior, taxes_of
from nullspend_margins.demo.stripe_templates import Json

CreditNoteKind = Literal["pre_payment", "post_payment"]


@dataclass(slots=True, kw_only=True)
class StripeCharge:
    """A charge; those of invoices' payments need not be made, the account derives them."""

    id: str
    amount: int
    created: int
    currency: str = "usd"
    customer_id: str | None = None
    payment_intent: str | None = None
    livemode: bool | None = None

    def render(self, *, livemode: bool) -> Json:
        """The charge as JSON."""
        return {
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount,
            "amount_refunded": 0,
            "balance_transaction": f"txn_{self.id.partition('_')[2]}",
            "captured": True,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer_id,
            "disputed": False,
            "livemode": livemode,
            "metadata": {},
            "paid": True,
            "payment_intent": self.payment_intent,
            "refunded": False,
            "status": "succeeded",
        }


@dataclass(slots=True, kw_only=True)
class StripeRefund:
    """Money given back of a charge."""

    id: str
    amount: int
    created: int
    currency: str = "usd"
    status: str = "succeeded"
    charge: str | None = None
    payment_intent: str | None = None
    customer_id: str | None = None

    def render(self, *, livemode: bool) -> Json:  # noqa: ARG002 - it alone does not tell its mode
        """The refund as JSON."""
        return {
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": f"txn_{self.id}",
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer_id,
            "failure_reason": None,
            "metadata": {},
            "payment_intent": self.payment_intent,
            "reason": "requested_by_customer",
            "status": self.status,
        }


@dataclass(slots=True, kw_only=True)
class StripeCreditNote:
    """What is taken off an invoice after it was sent; ``amount`` is its total, with ``tax``.

    ``refunds``: the id of each refund that belongs to it, and how much of it.
    """

    id: str
    invoice: str
    amount: int
    created: int
    currency: str = "usd"
    status: str = "issued"
    customer_id: str | None = None
    tax: int = 0
    tax_behavior: TaxBehavior = "exclusive"
    effective_at: int | None = None
    refunds: Mapping[str, int] = field(default_factory=dict)
    kind: CreditNoteKind = "post_payment"
    livemode: bool | None = None

    def render(self, *, livemode: bool) -> Json:
        """The credit note as JSON."""
        refunds = [
            {"amount_refunded": amount, "payment_record_refund": None, "refund": each}
            | {"type": "refund"}
            for each, amount in self.refunds.items()
        ]
        return {
            "id": self.id,
            "object": "credit_note",
            "amount": self.amount,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer_id,
            "effective_at": self.effective_at,
            "invoice": self.invoice,
            "livemode": livemode,
            "metadata": {},
            "number": f"{self.id[-8:].upper()}-CN-01",
            "reason": None,
            "refunds": refunds,
            "status": self.status,
            "subtotal": self.amount - self.tax,
            "subtotal_excluding_tax": self.amount - self.tax,
            "total": self.amount,
            "total_excluding_tax": self.amount - self.tax,
            "total_taxes": taxes_of(self.tax, self.tax_behavior),
            "type": self.kind,
            "voided_at": None,
        }


@dataclass(slots=True, kw_only=True)
class StripeTransaction:
    """A movement of the account's balance; ``amount`` is negative for what goes away."""

    id: str
    amount: int
    created: int
    currency: str = "usd"
    exchange_rate: str | None = None
    kind: str = "adjustment"

    def render(self) -> Json:
        """The transaction as JSON. Its rate is a JSON number."""
        rate = None if self.exchange_rate is None else float(self.exchange_rate)
        return {
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "available_on": self.created,
            "created": self.created,
            "currency": self.currency,
            "exchange_rate": rate,
            "fee": 0,
            "net": self.amount,
            "status": "available",
            "type": self.kind,
        }


@dataclass(slots=True, kw_only=True)
class StripeDispute:
    """A charge that a customer's bank disputes; ``transactions`` are what it moved."""

    id: str
    amount: int
    created: int
    charge: str
    currency: str = "usd"
    status: str = "needs_response"
    payment_intent: str | None = None
    transactions: Sequence[StripeTransaction] = ()
    livemode: bool | None = None

    def render(self, *, livemode: bool) -> Json:
        """The dispute as JSON."""
        return {
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": [each.render() for each in self.transactions],
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "is_charge_refundable": False,
            "livemode": livemode,
            "metadata": {},
            "payment_intent": self.payment_intent,
            "reason": "fraudulent",
            "status": self.status,
        }


@dataclass(slots=True, kw_only=True)
class StripeEvent:
    """Something that happened to ``subject``, which is the object as it was then."""

    id: str
    type: str
    created: int
    subject: Json
    livemode: bool | None = None

    def render(self, *, livemode: bool) -> Json:
        """The event as JSON."""
        return {
            "id": self.id,
            "object": "event",
            "api_version": "2024-06-20",
            "created": self.created,
            "data": {"object": self.subject},
            "livemode": livemode,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": self.type,
        }
