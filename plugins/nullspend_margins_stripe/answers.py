"""Answers of Stripe, from bytes to objects. A body cut short is worth another try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from nullspend_margins_stripe.failures import Transient
from nullspend_margins_stripe.objects import (
    Charge,
    CreditNote,
    Customer,
    Dispute,
    Event,
    Invoice,
    InvoiceLine,
    InvoicePayment,
    Page,
    Refund,
)

T = TypeVar("T")

# The last is for bodies nested without end.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class ObjectKind(Generic[T]):
    """One kind of Stripe's objects: ``name`` for people (``credit note``), and how it is read."""

    __slots__ = ("_one", "_page", "name")

    def __init__(
        self, name: str, one: msgspec.json.Decoder[T], page: msgspec.json.Decoder[Page[T]]
    ) -> None:
        self.name: str = name
        self._one: msgspec.json.Decoder[T] = one
        self._page: msgspec.json.Decoder[Page[T]] = page

    def read_page(self, body: bytes) -> Page[T]:
        """Decode a page. Raises ``Transient`` for a body that is not one."""
        try:
            return self._page.decode(body)
        except _UNREADABLE:
            pass
        raise Transient(f"its answer was cut short or is not a list of {self.name}s")

    def read_one(self, body: bytes) -> T:
        """Decode one object. Raises ``Transient`` for a body that is not one."""
        try:
            return self._one.decode(body)
        except _UNREADABLE:
            pass
        article = "an" if self.name[0] in "aeiou" else "a"
        raise Transient(f"its answer was cut short or is not {article} {self.name}")


def _kind(name: str, struct: type[T]) -> ObjectKind[T]:
    # msgspec reads the parameter at run time, where a type checker knows types alone.
    page: type[Page[T]] = Page[struct]  # type: ignore[valid-type]
    return ObjectKind(name, msgspec.json.Decoder(struct), msgspec.json.Decoder(page))


CUSTOMER = _kind("customer", Customer)
INVOICE = _kind("invoice", Invoice)
INVOICE_LINE = _kind("invoice line", InvoiceLine)
INVOICE_PAYMENT = _kind("invoice payment", InvoicePayment)
REFUND = _kind("refund", Refund)
CREDIT_NOTE = _kind("credit note", CreditNote)
DISPUTE = _kind("dispute", Dispute)
CHARGE = _kind("charge", Charge)
EVENT = _kind("event", Event)


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What Stripe says about a failure."""

    message: str | None = None
    code: str | None = None


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
