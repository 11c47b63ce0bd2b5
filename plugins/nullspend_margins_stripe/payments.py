"""What an invoice was paid and when: its parts of the bases ``cash`` and ``net``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from nullspend_margins import Basis, ExchangeRate, RevenuePart, round_half_up
from nullspend_margins_stripe.currencies import USD, Rates, rate_by
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


class Payment(msgspec.Struct, frozen=True, gc=False):
    """Money that came for an invoice. ``part_id`` is ``None`` for what no payment tells."""

    amount: int
    paid_at: datetime
    part_id: str | None
    rate: ExchangeRate | None


def payments_of(invoice: Invoice, rates: Rates) -> list[Payment]:
    """The paid payments of an invoice in the order of time.

    Each at its own ``paid_at``, else the invoice's, else when the invoice was made. What of a
    paid invoice's ``amount_paid`` they do not tell (paid out of band, or the payments are not
    readable) is one more, at the invoice's moment. An invoice that is not paid has only those
    told; payments in another currency than the invoice's are not told in a way that adds up.
    """
    currency = invoice.currency.lower()
    found, rest = list[Payment](), invoice.amount_paid
    for one in told_payments(invoice):
        if one.amount_paid:
            paid_at = _paid_at(one.status_transitions) or _settled(invoice)
            rate = None if currency == USD else rate_by(_means(one), currency, rates)
            found.append(Payment(one.amount_paid, paid_at, clean(one.id), rate))
            rest -= one.amount_paid
    if rest > 0 and invoice.status in PAID:
        found.append(Payment(rest, _settled(invoice), None, None))
    if len(found) > 1:
        found.sort(key=lambda one: (one.paid_at, one.part_id or ""))
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


def payment_parts(invoice: Invoice, payments: Sequence[Payment]) -> list[RevenuePart]:
    """What payments add to ``cash`` and ``net``.

    ``net`` is cash times ``total_excluding_tax / total`` (Stripe's fields; no tax where the total
    is not above 0): so each payment has a negative part of its tax. Rounded half up over the sum
    of the payments so far, so that an invoice that is paid in full is ``total_excluding_tax`` net
    whatever its payments were.
    """
    total, untaxed = total_of(invoice), untaxed_of(invoice)
    parts = []
    paid = taxed = 0
    for one in payments:
        parts.append(_part(one, ("cash", "net"), "payment", one.amount))
        paid += one.amount
        if total != untaxed and total > 0:
            tax = paid - round_half_up(paid * untaxed, total) - taxed
            taxed += tax
            if tax:
                parts.append(_part(one, ("net",), "tax", -tax))
    return parts


def _part(
    payment: Payment, bases: tuple[Basis, ...], kind: Literal["payment", "tax"], amount: int
) -> RevenuePart:
    return RevenuePart(
        bases=bases,
        kind=kind,
        amount_minor=amount,
        occurred_at=payment.paid_at,
        part_id=payment.part_id,
        rate=payment.rate,
    )


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
