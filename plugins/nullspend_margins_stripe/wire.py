"""The fields of Stripe's answers in use, and how an invoice becomes a revenue fact.

Pages are decoded from bytes straight into these structs; what is not named here is skipped by the
decoder and never becomes an object.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from nullspend_margins import RevenueFact, ValidationFailed
from nullspend_margins_stripe.failures import CONTROL, Transient

_MAX_TEXT = 256


class Customer(msgspec.Struct, frozen=True, gc=False):
    """An expanded customer. A deleted one has only its id."""

    id: str
    name: str | None = None
    email: str | None = None
    metadata: dict[str, Any] | None = None


_NOBODY = Customer(id="")


class Invoice(msgspec.Struct, frozen=True, gc=False):
    """A paid invoice; ``amount_paid`` in the minor unit, ``created`` in Unix seconds."""

    id: str
    created: int
    currency: str
    amount_paid: int
    status: str | None = None
    customer: str | Customer | None = None
    customer_name: str | None = None
    customer_email: str | None = None


class InvoicePage(msgspec.Struct, frozen=True, gc=False):
    """One page of ``GET /v1/invoices``."""

    data: list[Invoice]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What Stripe says about a failure."""

    message: str | None = None
    code: str | None = None


# The last is for bodies nested without end.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_page = msgspec.json.Decoder(InvoicePage)
_customer = msgspec.json.Decoder(Customer)


def read_page(body: bytes) -> InvoicePage:
    """Decode a page. Raises ``Transient`` for a body that is not one."""
    try:
        return _page.decode(body)
    except _UNREADABLE:
        pass
    raise Transient("its answer was cut short or is not a list of invoices")


def read_customer(body: bytes) -> Customer:
    """Decode one customer. Raises ``Transient`` for a body that is not one."""
    try:
        return _customer.decode(body)
    except _UNREADABLE:
        pass
    raise Transient("its answer was cut short or is not a customer")


def read_error(body: bytes) -> ErrorDetail | None:
    """What Stripe says about a failure; ``None`` when the body is not in Stripe's form.

    An error that has neither a message nor a code is not either.
    """
    try:
        answer = msgspec.json.decode(body)
    except _UNREADABLE:
        return None
    detail = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(detail, dict):
        return None
    message, code = (_text(detail.get(key)) for key in ("message", "code"))
    return ErrorDetail(message, code) if message or code else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def facts_of(
    invoices: Iterable[Invoice], *, first: int, end: int, tag_key: str
) -> list[RevenueFact]:
    """Facts of the paid invoices created in ``[first, end)``, Unix seconds.

    Stripe was asked for exactly those; others are dropped all the same, because a fact counts
    whatever it was asked by. Raises ``Transient`` for an invoice that no fact can hold.
    """
    try:
        return [
            _fact(invoice, tag_key)
            for invoice in invoices
            if first <= invoice.created < end and invoice.status in {"paid", None}
        ]
    except ValidationFailed:
        pass
    raise Transient("its answer has an invoice with an unusable id, currency or amount")


def _fact(invoice: Invoice, tag_key: str) -> RevenueFact:
    customer = invoice.customer
    expanded = customer if isinstance(customer, Customer) else _NOBODY
    return RevenueFact(
        object_id=invoice.id,
        customer_id=customer.id if isinstance(customer, Customer) else customer,
        amount_minor=invoice.amount_paid,
        currency=invoice.currency.lower(),
        occurred_at=datetime.fromtimestamp(invoice.created, UTC),
        customer_name=_clean(expanded.name) or _clean(invoice.customer_name),
        customer_email=_clean(expanded.email) or _clean(invoice.customer_email),
        suggested_tag=_tag((expanded.metadata or {}).get(tag_key)),
    )


def with_customer(fact: RevenueFact, customer: Customer, tag_key: str) -> RevenueFact:
    """``fact`` with what its customer's record says; what that leaves out stays as it was."""
    return replace(
        fact,
        customer_name=_clean(customer.name) or fact.customer_name,
        customer_email=_clean(customer.email) or fact.customer_email,
        suggested_tag=_tag((customer.metadata or {}).get(tag_key)),
    )


def _clean(text: str | None) -> str | None:
    """People's text made storable: no control characters, at most 256 characters."""
    if not text:
        return None
    return CONTROL.sub(" ", text).strip()[:_MAX_TEXT].rstrip() or None


def _tag(value: object) -> str | None:
    """A tag value must match to the letter: an unusable one is none, never a mended one."""
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_TEXT:
        return None
    return None if CONTROL.search(value) else value
