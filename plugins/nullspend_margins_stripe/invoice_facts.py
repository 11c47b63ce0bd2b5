"""How an invoice becomes a revenue fact."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from nullspend_margins import ExchangeRate, RevenueFact, RevenuePart
from nullspend_margins_stripe.accrual import accrual_parts
from nullspend_margins_stripe.currencies import NO_RATES, USD, Rates, minor_digits_of
from nullspend_margins_stripe.facts import made, party_of, usable
from nullspend_margins_stripe.objects import Invoice
from nullspend_margins_stripe.payments import (
    PAID,
    payments_of,
    with_taxes,
)
from nullspend_margins_stripe.texts import clean, customer_name


def invoice_fact(invoice: Invoice, *, tag_key: str, rates: Rates = NO_RATES) -> RevenueFact | None:
    """The fact of an invoice with all its payments and lines; ``None``: nothing was paid.

    A paid invoice is a fact of kind ``invoice`` in all four bases. One that is open, void or
    uncollectible and has payments all the same is a ``payment`` in ``cash`` and ``net``: it sold
    nothing, and when it is paid after all its fact is replaced by the other, since both have the
    invoice's id. ``rates`` are by the ids of payment intents, charges or invoices.

    Raises ``Transient`` for an invoice that no fact can hold.
    """
    return usable("an invoice", partial(_fact, invoice, tag_key, rates))


def invoice_rate(invoice: Invoice, rates: Rates) -> ExchangeRate | None:
    """The rate of what is of the invoice as a whole: that of its first payment that has one.

    Raises ``Transient`` for an invoice that no fact can hold.
    """
    payments = usable("an invoice", partial(payments_of, invoice, rates))
    return _rate(invoice, payments, rates)


def _fact(invoice: Invoice, tag_key: str, rates: Rates) -> RevenueFact | None:
    payments = payments_of(invoice, rates)
    is_paid = invoice.status in PAID
    parts = with_taxes(invoice, payments)
    if is_paid:
        rate = _rate(invoice, payments, rates)
        parts = [_invoiced(invoice, rate), *parts, *accrual_parts(invoice, rate)]
    if not parts:
        return None
    currency = invoice.currency.lower()
    party = party_of(invoice.customer, tag_key=tag_key)
    return RevenueFact(
        object_id=invoice.id,
        amount_minor=invoice.amount_paid,
        currency=currency,
        occurred_at=made(invoice.created),
        kind="invoice" if is_paid else "payment",
        parts=tuple(parts),
        minor_digits=minor_digits_of(currency),
        customer_id=party.customer_id,
        customer_name=party.name or customer_name(invoice.customer_name),
        customer_email=party.email or clean(invoice.customer_email),
        suggested_tag=party.tag,
    )


def _invoiced(invoice: Invoice, rate: ExchangeRate | None) -> RevenuePart:
    """``amount_paid`` in the month of ``created``: there with nothing paid too, as a month is."""
    return RevenuePart(
        bases=("invoiced",),
        kind="invoice",
        amount_minor=invoice.amount_paid,
        occurred_at=made(invoice.created),
        rate=rate,
    )


def _rate(invoice: Invoice, payments: Iterable[RevenuePart], rates: Rates) -> ExchangeRate | None:
    if invoice.currency.lower() == USD:
        return None
    found = next((one.rate for one in payments if one.rate), None)
    return found or rates.get(invoice.id)
