"""What an invoice was paid and when: its parts of the bases ``cash`` and ``net``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from nullspend_margins import ExchangeRate, RevenuePart, round_half_up
from nullspend_margins_stripe.currencies import Rates, rate_by
from nullspend_margins_stripe.facts import made, moment
from nullspend_margins_stripe.objects import (
    Charge,
    Invoice,
    InvoicePayment,
    PaymentIntent,
    PaymentMoments,
    Tax,
)
from nullspend_margins_stripe.texts import clean

PAID = frozenset({"paid", None})
"""A status that is not told does not stand against an object that was listed as paid."""


def payments_of(invoice: Invoice, rates: Rates) -> list[RevenuePart]:
    """The paid payments of an invoice in the order of time, as they add to ``cash`` and ``net``.

    Each at its own ``paid_at``, else the invoice's, else when the invoice was made. What of a
    paid invoice's ``amount_paid`` they do not tell (paid out of band, or the payments are not
    readable) is one more, at the invoice's moment. An invoice that is not paid has only those
    told; payments in another currency than the invoice's are not told in a way that adds up.
    """
    currency = invoice.currency.lower()
    found, rest = list[RevenuePart](), invoice.amount_paid
    for one in told_payments(invoice):
        if one.amount_paid:
            paid_at = _paid_at(one.status_transitions) or _settled(invoice)
            rate = rate_by(_means(one), currency, rates)
            found.append(_payment(one.amount_paid, paid_at, clean(one.id), rate))
            rest -= one.amount_paid
    if rest > 0 and invoice.status in PAID:
        found.append(_payment(rest, _settled(invoice)))
    if len(found) > 1:
        found.sort(key=lambda one: (one.occurred_at, one.part_id or ""))
    return found


def told_payments(invoice: Invoice) -> list[InvoicePayment]:
    """The invoice's payments that are paid, in its currency."""
    if not invoice.payments:
        return []
    currency = invoice.currency.lower()
    return [
        one
        for one in invoice.payments.data
        if one.status in PAID and (one.currency or currency).lower() == currency
    ]


def _payment(
    amount: int, paid_at: datetime, part_id: str | None = None, rate: ExchangeRate | None = None
) -> RevenuePart:
    """Money that came for an invoice. ``part_id`` is ``None`` for what no payment tells."""
    return RevenuePart(
        bases=("cash", "net"),
        kind="payment",
        amount_minor=amount,
        occurred_at=paid_at,
        part_id=part_id,
        rate=rate,
    )


def with_taxes(invoice: Invoice, payments: Sequence[RevenuePart]) -> Sequence[RevenuePart]:
    """The payments, each with a negative part of its tax after it, where there is any.

    ``net`` is cash times ``total_excluding_tax / total`` (Stripe's fields; no tax where the total
    is not above 0). Rounded half up over the sum of the payments so far, so that an invoice that
    is paid in full is ``total_excluding_tax`` net whatever its payments were.
    """
    total, untaxed = total_of(invoice), untaxed_of(invoice)
    if total == untaxed or total <= 0:
        return payments
    parts = []
    paid = taxed = 0
    for one in payments:
        parts.append(one)
        paid += one.amount_minor
        tax = paid - round_half_up(paid * untaxed, total) - taxed
        taxed += tax
        if tax:
            parts.append(replace(one, bases=("net",), kind="tax", amount_minor=-tax))
    return parts


def total_of(invoice: Invoice) -> int:
    """The invoice's total; where an answer does not tell it, what was paid."""
    return invoice.amount_paid if invoice.total is None else invoice.total


def untaxed_of(invoice: Invoice) -> int:
    """``total_excluding_tax``; null: the total less ``total_taxes``. No tax told is no tax."""
    if invoice.total_excluding_tax is not None:
        return invoice.total_excluding_tax
    return total_of(invoice) - sum_of(invoice.total_taxes)


def sum_of(taxes: Sequence[Tax] | None) -> int:
    """All taxes together, inclusive and exclusive."""
    return sum(one.amount for one in taxes or ())


def _settled(invoice: Invoice) -> datetime:
    return _paid_at(invoice.status_transitions) or made(invoice.created)


def _paid_at(moments: PaymentMoments | None) -> datetime | None:
    return moment(moments.paid_at) if moments else None


def _means(payment: InvoicePayment) -> tuple[str | Charge | PaymentIntent | None, ...]:
    source = payment.payment
    return (source.payment_intent, source.charge) if source else ()
