"""A company's Stripe objects as plain dicts, and the account in which a server shows them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nullspend_margins.demo.stripe_account import StripeAccount
from tests.properties.revenue_model import Json

_EMBEDDED = 10
"""How many lines and payments an invoice shows in itself."""


@dataclass
class Company:
    """Objects by id. An invoice has all its lines; its payments are on a shelf of their own.

    Charges and refunds have their balance transaction in themselves, charges expanded ones.
    """

    livemode: bool = True
    customers: dict[str, Json] = field(default_factory=dict)
    invoices: dict[str, Json] = field(default_factory=dict)
    payments: dict[str, Json] = field(default_factory=dict)
    charges: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    credit_notes: dict[str, Json] = field(default_factory=dict)
    disputes: dict[str, Json] = field(default_factory=dict)
    events: dict[str, Json] = field(default_factory=dict)

    def payments_of(self, invoice_id: str) -> list[Json]:
        return [one for one in self.payments.values() if one["invoice"] == invoice_id]

    def paid_with(self, charge_id: str | None, intent_id: str | None) -> Json:
        """The invoice that a charge or payment intent has paid for."""
        names = {charge_id, intent_id} - {None}
        for payment in self.payments.values():
            source = payment["payment"]
            if {source.get("charge"), source.get("payment_intent")} & names:
                found: Json = self.invoices[payment["invoice"]]
                return found
        raise AssertionError("every charge has paid for an invoice")

    def credited(self, invoice_id: str) -> int:
        """How much of an invoice is credited."""
        notes = self.credit_notes.values()
        mine = [one for one in notes if one["invoice"] == invoice_id]
        return sum(one["total"] for one in mine if one["status"] == "issued")

    def happened(self, kind: str, subject: Json, created: int) -> None:
        """An event, with its object as it is now."""
        event = {
            "id": f"evt_{len(self.events):06d}",
            "object": "event",
            "created": created,
            "data": {"object": copy.deepcopy(subject)},
            "livemode": self.livemode,
            "type": kind,
        }
        self.events[event["id"]] = event


class Shown:
    """An object as the server's shelves want it: its fields are attributes."""

    def __init__(self, fields: Json, **instead: Any) -> None:
        self.fields = fields
        self.instead = instead
        self.livemode = fields.get("livemode")
        self.customer_id = fields.get("customer")
        self.kind = "post_payment"
        self.intent = fields.get("payment", {}).get("payment_intent")

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    def render(self, *_: object, **__: object) -> Json:
        return {**copy.deepcopy(self.fields), **self.instead}


class ShownInvoice(Shown):
    """An invoice: the first few lines and payments in it, the others in pages."""

    def __init__(self, fields: Json, payments: Sequence[Json]) -> None:
        super().__init__(fields)
        self.all_lines = [Shown(line) for line in fields["lines"]["data"]]
        self.all_payments = [Shown(payment) for payment in payments]

    def render(self, customer: object = None, **_: object) -> Json:
        lines = self.all_lines[:_EMBEDDED]
        more = len(self.all_lines) > _EMBEDDED
        return {
            **{name: value for name, value in self.fields.items() if name != "lines"},
            "customer": customer,
            "lines": self.render_lines(lines, livemode=True, more=more),
        }

    def render_lines(self, lines: Sequence[Shown], *, livemode: bool, more: bool) -> Json:
        return {
            "object": "list",
            "data": [line.render() for line in lines],
            "has_more": more,
            "url": f"/v1/invoices/{self.id}/lines",
        }

    def render_payments(self, *, livemode: bool) -> Json:
        return {
            "object": "list",
            "data": [payment.render() for payment in self.all_payments[:_EMBEDDED]],
            "has_more": len(self.all_payments) > _EMBEDDED,
            "url": "/v1/invoice_payments",
        }


class ShownAccount(StripeAccount):
    """A company as it is now. What it tells of itself comes from its dicts alone."""

    def __init__(self, company: Company) -> None:
        super().__init__(livemode=company.livemode)
        self.company = company
        for customer in company.customers.values():
            self.add_customer(customer["id"], name=customer["name"])
            self.customers[customer["id"]].deleted = customer.get("deleted", False)
        shelves: Mapping[Any, Mapping[str, Json]] = {
            "refunds": company.refunds,
            "credit_notes": company.credit_notes,
            "disputes": company.disputes,
            "events": company.events,
            "charges": company.charges,
        }
        for name, objects in shelves.items():
            shelf: Any = getattr(self, name)
            for each in objects.values():
                shelf.add(Shown(each, **_unexpanded(each)))
        for invoice in company.invoices.values():
            shown: Any = ShownInvoice(invoice, company.payments_of(invoice["id"]))
            self.invoices.add(shown)

    def _derived(self) -> dict[str, Any]:
        """There are no charges but those of the company."""
        return {}

    def transaction_of(self, moved: Any, amount: int) -> Any:
        return Shown(moved.fields["balance_transaction"])


def _unexpanded(fields: Json) -> Json:
    """Balance transactions are ids until they are asked for."""
    transaction = fields.get("balance_transaction")
    return {"balance_transaction": transaction["id"]} if transaction else {}
