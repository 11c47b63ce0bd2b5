"""The fields of Stripe's answers in use, and how an invoice becomes a revenue fact.

Pages are decoded from bytes straight into these structs; what is not named here is skipped by the
decoder and never becomes an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from nullspend_margins import RevenueFact, ValidationFailed
from nullspend_margins_stripe.failures import Transient

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_MAX_TEXT = 256


class Customer(msgspec.Struct, frozen=True, gc=False):
    """An expanded customer. A deleted one has only its id."""

    id: str
    name: str | None = None
    email: str | None = None
    metadata: dict[str, Any] | None = None


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
    has_more: bool


class ErrorDetail(msgspec.Struct, frozen=True):
    """What Stripe says about a failure."""

    message: str | None = None
    code: str | None = None


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The body of a failure in Stripe's form."""

    error: ErrorDetail


_page = msgspec.json.Decoder(InvoicePage)
_error = msgspec.json.Decoder(ErrorAnswer)


def read_page(body: bytes) -> InvoicePage:
    """Decode a page. Raises ``Transient`` for a body that is not one."""
    try:
        return _page.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise Transient("its answer was cut short or is not a list of invoices")


def read_error(body: bytes) -> ErrorDetail | None:
    """What Stripe says about a failure; ``None`` when the body is not in Stripe's form."""
    try:
        return _error.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


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
    name, email, tag = invoice.customer_name, invoice.customer_email, None
    if isinstance(customer, Customer):
        customer_id: str | None = customer.id
        name, email = customer.name or name, customer.email or email
        tag = _tag((customer.metadata or {}).get(tag_key))
    else:
        customer_id = customer
    return RevenueFact(
        object_id=invoice.id,
        customer_id=customer_id,
        amount_minor=invoice.amount_paid,
        currency=invoice.currency.lower(),
        occurred_at=datetime.fromtimestamp(invoice.created, UTC),
        customer_name=_clean(name),
        customer_email=_clean(email),
        suggested_tag=tag,
    )


def _clean(text: str | None) -> str | None:
    """People's text made storable: no control characters, at most 256 characters."""
    if not text:
        return None
    return _CONTROL.sub(" ", text).strip()[:_MAX_TEXT].rstrip() or None


def _tag(value: object) -> str | None:
    """A tag value must match to the letter: an unusable one is none, never a mended one."""
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_TEXT:
        return None
    return None if _CONTROL.search(value) else value
