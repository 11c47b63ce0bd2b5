"""Invoices, their lines and payments as Stripe renders them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nullspend_margins.demo.stripe_templates import REST_OF_INVOICE, REST_OF_LINE, Json

STATUSES = ("draft", "open", "paid", "uncollectible", "void")
EMBEDDED = 10
"""How many lines, and payments, an invoice has in itself."""
MONTH_SECONDS = 2_592_000

TaxBehavior = Literal["exclusive", "inclusive"]


@dataclass(slots=True, kw_only=True)
class StripeLine:
    """A line of an invoice, of the service from ``start`` to ``end`` (Unix seconds).

    ``amount`` is without exclusive and with inclusive taxes. ``pretax_credit``: discounts and
    credits, which lessen it.
    """

    id: str
    amount: int
    start: int
    end: int
    description: str | None = "1 x AI workspace (at $49.00 / month)"
    tax: int = 0
    tax_behavior: TaxBehavior = "exclusive"
    pretax_credit: int = 0

    def render(self, invoice: StripeInvoice, *, livemode: bool) -> Json:
        """The line as JSON."""
        subscription = f"sub_{invoice.id[3:]}"
        credit = {"amount": self.pretax_credit, "discount": f"di_{self.id[3:]}", "type": "discount"}
        return {
            **REST_OF_LINE,
            "id": self.id,
            "amount": self.amount,
            "currency": invoice.currency,
            "description": self.description,
            "invoice": invoice.id,
            "livemode": livemode,
            "parent": {
                "invoice_item_details": None,
                "subscription_item_details": {
                    "invoice_item": None,
                    "proration": False,
                    "proration_details": {"credited_items": None},
                    "subscription": subscription,
                    "subscription_item": f"si_{invoice.id[3:]}",
                },
                "type": "subscription_item_details",
            },
            "period": {"end": self.end, "start": self.start},
            "pretax_credit_amounts": [credit] if self.pretax_credit else [],
            "subtotal": self.amount,
            "taxes": taxes_of(self.tax, self.tax_behavior),
        }


@dataclass(slots=True, kw_only=True)
class StripePayment:
    """A payment of an invoice, made at ``paid_at`` (Unix seconds) where its status is ``paid``."""

    id: str
    amount_paid: int
    created: int
    paid_at: int | None = None
    status: str = "paid"
    has_intent: bool = True

    @property
    def intent(self) -> str | None:
        """The id of its payment intent, if that is how it was made."""
        return f"pi_{self.id.partition('_')[2]}" if self.has_intent else None

    @property
    def charge(self) -> str:
        """The id of its charge."""
        return f"ch_{self.id.partition('_')[2]}"

    def render(self, invoice: StripeInvoice, *, livemode: bool) -> Json:
        """The payment as JSON."""
        by = {"type": "payment_intent", "payment_intent": self.intent}
        if not self.has_intent:
            by = {"type": "charge", "charge": self.charge}
        return {
            "id": self.id,
            "object": "invoice_payment",
            "amount_paid": self.amount_paid if self.status == "paid" else None,
            "amount_requested": self.amount_paid,
            "created": self.created,
            "currency": invoice.currency,
            "invoice": invoice.id,
            "is_default": True,
            "livemode": livemode,
            "payment": by,
            "status": self.status,
            "status_transitions": {"canceled_at": None, "paid_at": self.paid_at},
        }


@dataclass(slots=True, kw_only=True)
class StripeInvoice:
    """An invoice; amounts in the minor unit, times in Unix seconds.

    ``amount`` is its total, with ``tax`` in it. Without ``lines`` it has one of a month from
    ``created`` on; without ``payments`` a paid one has one payment of all that was paid, at
    ``paid_at``, which is ``created`` unless told. ``lean`` leaves out the lines, the totals
    without tax and what else makes a real one 5 KB long.
    """

    id: str
    customer_id: str | None
    created: int
    amount: int
    amount_paid: int
    currency: str = "usd"
    status: str = "paid"
    customer_name: str | None = None
    customer_email: str | None = None
    lean: bool = False
    tax: int = 0
    tax_behavior: TaxBehavior = "exclusive"
    total_excluding_tax: int | Literal["derived"] | None = "derived"
    paid_at: int | None = None
    lines: Sequence[StripeLine] | None = None
    payments: Sequence[StripePayment] | None = None
    livemode: bool | None = None
    test_clock: str | None = None

    @property
    def all_lines(self) -> Sequence[StripeLine]:
        """``lines``, or the one that stands for them."""
        if self.lines is not None:
            return self.lines
        amount = self.amount - (self.tax if self.tax_behavior == "exclusive" else 0)
        return (
            StripeLine(
                id=f"il_{self.id[3:]}",
                amount=amount,
                start=self.created,
                end=self.created + MONTH_SECONDS,
                tax=self.tax,
                tax_behavior=self.tax_behavior,
            ),
        )

    @property
    def all_payments(self) -> Sequence[StripePayment]:
        """``payments``, or the one that stands for them."""
        if self.payments is not None:
            return self.payments
        if self.status != "paid" or not self.amount_paid:
            return ()
        moment = self.moment_paid
        return (
            StripePayment(
                id=f"inpay_{self.id[3:]}",
                amount_paid=self.amount_paid,
                created=self.created,
                paid_at=moment,
            ),
        )

    @property
    def moment_paid(self) -> int | None:
        """When it was paid in full."""
        if self.status != "paid":
            return None
        return self.created if self.paid_at is None else self.paid_at

    def render(self, customer: Any, *, livemode: bool) -> Json:
        """The invoice as JSON, with ``customer`` as its customer: an id, an object or ``None``."""
        fields: Json = {
            "id": self.id,
            "object": "invoice",
            "amount_due": self.amount,
            "amount_paid": self.amount_paid,
            "amount_remaining": self.amount - self.amount_paid,
            "created": self.created,
            "currency": self.currency,
            "customer": customer,
            "customer_email": self.customer_email,
            "customer_name": self.customer_name,
            "livemode": livemode,
            "status": self.status,
            "test_clock": self.test_clock,
            "total": self.amount,
        }
        return fields if self.lean else {**REST_OF_INVOICE, **fields, **self._details(livemode)}

    def render_lines(self, lines: Sequence[StripeLine], *, livemode: bool, more: bool) -> Json:
        """Some of its lines as a list."""
        return {
            "object": "list",
            "data": [line.render(self, livemode=livemode) for line in lines],
            "has_more": more,
            "total_count": len(self.all_lines),
            "url": f"/v1/invoices/{self.id}/lines",
        }

    def render_payments(self, *, livemode: bool) -> Json:
        """The first of its payments, as it has them in itself on request."""
        payments = self.all_payments
        return {
            "object": "list",
            "data": [one.render(self, livemode=livemode) for one in payments[:EMBEDDED]],
            "has_more": len(payments) > EMBEDDED,
            "url": "/v1/invoice_payments",
        }

    def _details(self, livemode: bool) -> Json:
        untaxed = self.total_excluding_tax
        untaxed = self.amount - self.tax if untaxed == "derived" else untaxed
        lines = self.all_lines
        return {
            "amount_overpaid": 0,
            "effective_at": self.created,
            "hosted_invoice_url": f"https://invoice.stripe.com/i/acct_demo/{self.id}?s=ap",
            "invoice_pdf": f"https://pay.stripe.com/invoice/acct_demo/{self.id}/pdf?s=ap",
            "lines": self.render_lines(
                lines[:EMBEDDED], livemode=livemode, more=len(lines) > EMBEDDED
            ),
            "number": f"{self.id[-8:].upper()}-0001",
            "parent": {
                "quote_details": None,
                "subscription_details": {"metadata": {}, "subscription": f"sub_{self.id[3:]}"},
                "type": "subscription_details",
            },
            "period_end": self.created,
            "period_start": self.created - MONTH_SECONDS,
            "status_transitions": {
                "finalized_at": self.created,
                "marked_uncollectible_at": None,
                "paid_at": self.moment_paid,
                "voided_at": None,
            },
            "subtotal": sum(line.amount for line in lines),
            "subtotal_excluding_tax": untaxed,
            "total_excluding_tax": untaxed,
            "total_pretax_credit_amounts": [],
            "total_taxes": taxes_of(self.tax, self.tax_behavior),
            "webhooks_delivered_at": self.created,
        }


def taxes_of(amount: int, behavior: TaxBehavior) -> list[Json]:
    """A list of taxes, as invoices, lines and credit notes have one."""
    if not amount:
        return []
    return [
        {
            "amount": amount,
            "tax_behavior": behavior,
            "tax_rate_details": {"tax_rate": "txr_Demo0000000000000000000"},
            "taxability_reason": "standard_rated",
            "taxable_amount": None,
            "type": "tax_rate_details",
        }
    ]
