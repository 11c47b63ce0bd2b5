"""What the Stripe-shaped server answers to: paths, the permission of each, and who reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from nullspend_margins.demo import stripe_listing as lists
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_parameters import StripeRefusal
from nullspend_margins.demo.stripe_templates import Json

Reader = Callable[[StripeAccount, Request], Json]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path, the permission that it takes, and what reads the answer."""

    path: str
    permission: str
    read: Reader


def _one(kind: str, shelf: Callable[[StripeAccount], Mapping[str, Any]]) -> Reader:
    """Reads one object by its id."""

    def read(account: StripeAccount, request: Request) -> Json:
        found = shelf(account).get(request.path_params["id"])
        if found is None:
            raise StripeRefusal.no_such(kind, request.path_params["id"])
        mode = account.mode(getattr(found, "livemode", None))
        rendered: Json = found.render(livemode=mode)
        return rendered

    return read


def _invoice(account: StripeAccount, request: Request) -> Json:
    return lists.render_invoice(account, lists.invoice_of(account, request), account.credited())


_INVOICES, _CHARGES = "rak_invoice_read", "rak_charge_read"
_NOTES, _DISPUTES = "rak_credit_note_read", "rak_dispute_read"

ENDPOINTS = (
    Endpoint("/v1/customers", "rak_customer_read", lists.list_customers),
    Endpoint("/v1/customers/{id}", "rak_customer_read", _one("customer", lambda it: it.customers)),
    Endpoint("/v1/invoices", _INVOICES, lists.list_invoices),
    Endpoint("/v1/invoices/{id}", _INVOICES, _invoice),
    Endpoint("/v1/invoices/{id}/lines", _INVOICES, lists.list_lines),
    Endpoint("/v1/invoice_payments", _INVOICES, lists.list_payments),
    Endpoint("/v1/charges", _CHARGES, lists.list_charges),
    Endpoint("/v1/charges/{id}", _CHARGES, _one("charge", lambda it: it.all_charges())),
    Endpoint("/v1/refunds", _CHARGES, lists.list_refunds),
    Endpoint("/v1/refunds/{id}", _CHARGES, _one("refund", lambda it: it.refunds)),
    Endpoint("/v1/credit_notes", _NOTES, lists.list_credit_notes),
    Endpoint("/v1/credit_notes/{id}", _NOTES, _one("credit note", lambda it: it.credit_notes)),
    Endpoint("/v1/disputes", _DISPUTES, lists.list_disputes),
    Endpoint("/v1/disputes/{id}", _DISPUTES, _one("dispute", lambda it: it.disputes)),
    Endpoint("/v1/events", "rak_event_read", lists.list_events),
)
