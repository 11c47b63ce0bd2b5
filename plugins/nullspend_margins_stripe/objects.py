"""The fields of Stripe's objects in use. Amounts are in the minor unit, times in Unix seconds.

Answers are decoded from bytes straight into these structs; what is not named here is skipped by
the decoder and never becomes an object. The lists that most invoices have, mostly empty, are
tuples: at those the garbage collector need not look. What an older API version, or what stands in
Stripe's place, may leave out has a default: ``facts`` say what they make of that.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A page of a list, or a list inside of an object: its first few and whether there are more."""

    data: list[T]
    has_more: bool = False


class Customer(msgspec.Struct, frozen=True, gc=False):
    """An expanded customer. A deleted one has only its id."""

    id: str
    name: str | None = None
    email: str | None = None
    metadata: dict[str, Any] | None = None
    livemode: bool | None = None
    test_clock: Any = None


class BalanceTransaction(msgspec.Struct, frozen=True, gc=False):
    """What moved on the account's balance, in the account's currency.

    ``exchange_rate`` times an amount of the charge in its minor unit is ``amount``.
    """

    id: str
    amount: int
    currency: str
    created: int
    exchange_rate: Decimal | None = None


class Charge(msgspec.Struct, frozen=True, gc=False):
    """A charge, listed for its exchange rate or expanded for its customer."""

    id: str
    created: int = 0
    amount: int = 0
    currency: str | None = None
    customer: str | Customer | None = None
    payment_intent: str | PaymentIntent | None = None
    balance_transaction: str | BalanceTransaction | None = None
    livemode: bool | None = None


class PaymentIntent(msgspec.Struct, frozen=True, gc=False):
    """A payment intent, where Stripe was asked to expand one."""

    id: str
    customer: str | Customer | None = None
    latest_charge: str | Charge | None = None


class PaymentMoments(msgspec.Struct, frozen=True, gc=False):
    """When an invoice, or one payment of it, was paid."""

    paid_at: int | None = None


class PaymentSource(msgspec.Struct, frozen=True, gc=False):
    """What paid: a payment intent, a charge, or a payment outside of Stripe."""

    type: str | None = None
    payment_intent: str | PaymentIntent | None = None
    charge: str | Charge | None = None


class InvoicePayment(msgspec.Struct, frozen=True, gc=False):
    """One payment of an invoice; ``amount_paid`` is null until it is ``paid``."""

    id: str = ""
    amount_paid: int | None = None
    currency: str | None = None
    status: str | None = None
    created: int | None = None
    invoice: str | InvoiceReference | None = None
    livemode: bool | None = None
    payment: PaymentSource | None = None
    status_transitions: PaymentMoments | None = None


class InvoiceReference(msgspec.Struct, frozen=True, gc=False):
    """An expanded invoice of which only whose it is is of use."""

    id: str
    customer: str | Customer | None = None


class Tax(msgspec.Struct, frozen=True, gc=False):
    """A tax of a line or of a whole object; ``tax_behavior`` is inclusive or exclusive."""

    amount: int = 0
    tax_behavior: str | None = None


class PretaxCredit(msgspec.Struct, frozen=True, gc=False):
    """A discount or a credit grant that made a line cheaper, before tax."""

    amount: int = 0


class Span(msgspec.Struct, frozen=True, gc=False):
    """The time that a line's service covers: ``start`` to ``end``, the end not included."""

    start: int | None = None
    end: int | None = None


class InvoiceLine(msgspec.Struct, frozen=True, gc=False):
    """One line; ``amount`` is before discounts, and with inclusive taxes."""

    id: str = ""
    amount: int = 0
    description: str | None = None
    period: Span | None = None
    pretax_credit_amounts: tuple[PretaxCredit, ...] | None = None
    taxes: tuple[Tax, ...] | None = None


class Invoice(msgspec.Struct, frozen=True, gc=False):
    """An invoice. ``payments`` is there when it was asked for; ``lines`` are the first few."""

    id: str
    created: int
    currency: str
    amount_paid: int
    status: str | None = None
    customer: str | Customer | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    total: int | None = None
    total_excluding_tax: int | None = None
    total_taxes: tuple[Tax, ...] | None = None
    status_transitions: PaymentMoments | None = None
    payments: Page[InvoicePayment] | None = None
    lines: Page[InvoiceLine] | None = None
    pre_payment_credit_notes_amount: int | None = None
    post_payment_credit_notes_amount: int | None = None
    livemode: bool | None = None
    test_clock: Any = None


class Refund(msgspec.Struct, frozen=True, gc=False):
    """A refund; its customer is known by itself, by its expanded charge, or not at all."""

    id: str
    amount: int
    created: int
    currency: str
    status: str | None = None
    customer: str | Customer | None = None
    charge: str | Charge | None = None
    payment_intent: str | PaymentIntent | None = None
    balance_transaction: str | BalanceTransaction | None = None
    livemode: bool | None = None


class CreditedRefund(msgspec.Struct, frozen=True, gc=False):
    """A refund that pays out what a credit note gives back: ``amount_refunded`` of it does."""

    refund: str | Refund | None = None
    amount_refunded: int | None = None


class CreditNote(msgspec.Struct, frozen=True, gc=False):
    """A credit note; ``invoice`` may be expanded, to see whether it is paid."""

    id: str
    created: int
    currency: str
    total: int
    status: str | None = None
    customer: str | Customer | None = None
    invoice: str | Invoice | None = None
    effective_at: int | None = None
    total_excluding_tax: int | None = None
    total_taxes: tuple[Tax, ...] | None = None
    refunds: list[CreditedRefund] | None = None
    livemode: bool | None = None


class Dispute(msgspec.Struct, frozen=True, gc=False):
    """A dispute; what it took, and what was given back, are its balance transactions."""

    id: str
    created: int
    amount: int = 0
    currency: str | None = None
    status: str | None = None
    charge: str | Charge | None = None
    payment_intent: str | PaymentIntent | None = None
    balance_transactions: list[BalanceTransaction] | None = None
    livemode: bool | None = None


class EventObject(msgspec.Struct, frozen=True, gc=False):
    """The object that an event is about, as a pointer: it is read again before it counts."""

    id: str | None = None
    object: str | None = None
    created: int | None = None
    invoice: str | InvoiceReference | None = None


class EventData(msgspec.Struct, frozen=True, gc=False):
    """The wrapping of an event's object."""

    object: EventObject


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened, ``type`` of the form ``invoice.paid``."""

    id: str
    type: str
    created: int
    data: EventData
    livemode: bool | None = None


class Identified(Protocol):
    """An expanded object."""

    @property
    def id(self) -> str:
        """Stripe's id of it."""
        ...


def id_of(reference: str | Identified | None) -> str | None:
    """The id of what is named by it, or stands there expanded; an empty one is none."""
    if reference is None or isinstance(reference, str):
        return reference or None
    return reference.id or None


def is_of(
    one: Invoice | Refund | CreditNote | Dispute | Charge | InvoicePayment | Event,
    *,
    livemode: bool,
    test_clocks: bool,
) -> bool:
    """Whether it may count for a key of this mode. What does not tell its mode may.

    ``test_clocks``: objects of a test clock, whose time is made up, may count too.
    """
    if one.livemode is not None and one.livemode is not livemode:
        return False
    if test_clocks:
        return True
    if getattr(one, "test_clock", None) is not None:
        return False
    return getattr(getattr(one, "customer", None), "test_clock", None) is None
