"""One Stripe account: its customers and invoices, and what happened to them.

Everything is on shelves by id, as plain objects that a test may put there itself; the ``add_``
methods fill in what is usual.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from nullspend_margins.demo.stripe_invoices import StripeInvoice, StripePayment
from nullspend_margins.demo.stripe_movements import (
    StripeCharge,
    StripeCreditNote,
    StripeDispute,
    StripeEvent,
    StripeRefund,
    StripeTransaction,
)
from nullspend_margins.demo.stripe_objects import Shelf, StripeCustomer
from nullspend_margins.demo.stripe_templates import Json

DEFAULT_CREATED = 1_767_225_600  # 2026-01-01
_BALANCE_CURRENCY = "usd"


class StripeAccount:
    """The objects of one account. ``livemode`` is told by those that don't tell another.

    ``exchange_rates``: US cents for one minor unit of a currency, as Stripe tells rates, at which
    charges in it are paid out; without a rate they are kept as they are. ``oldest_event``: events
    of before this Unix second are gone, as they are at Stripe after 30 days.
    """

    def __init__(self, *, livemode: bool = True) -> None:
        self.livemode = livemode
        self.customers: dict[str, StripeCustomer] = {}
        self.invoices: Shelf[StripeInvoice] = Shelf()
        self.charges: Shelf[StripeCharge] = Shelf()
        self.refunds: Shelf[StripeRefund] = Shelf()
        self.credit_notes: Shelf[StripeCreditNote] = Shelf()
        self.disputes: Shelf[StripeDispute] = Shelf()
        self.events: Shelf[StripeEvent] = Shelf()
        self.exchange_rates: dict[str, str] = {}
        self.oldest_event: float = 0
        self._numbers = itertools.count(1)

    def mode(self, own: bool | None) -> bool:
        """Whether an object is live: as it says itself, or as its account is."""
        return self.livemode if own is None else own

    def add_customer(
        self,
        customer_id: str | None = None,
        *,
        name: str | None = None,
        email: str | None = None,
        metadata: Mapping[str, str] | None = None,
        created: int = DEFAULT_CREATED,
    ) -> StripeCustomer:
        """Add a customer, or replace the one with this id."""
        customer = StripeCustomer(
            id=customer_id or f"cus_{next(self._numbers):014d}",
            name=name,
            email=email,
            metadata=dict(metadata or {}),
            created=created,
        )
        self.customers[customer.id] = customer
        return customer

    def delete_customer(self, customer_id: str) -> None:
        """Delete a customer as Stripe does: the id stays, invoices keep their copies."""
        self.customers[customer_id].deleted = True

    def add_invoice(
        self,
        customer: StripeCustomer | str | None,
        amount: int,
        *,
        created: int,
        invoice_id: str | None = None,
        status: str = "paid",
        amount_paid: int | None = None,
        **more: Any,
    ) -> StripeInvoice:
        """Add an invoice of ``amount`` in the minor unit, paid in full when its status is paid.

        ``more`` are further fields of ``StripeInvoice``.
        """
        holder = self.customers.get(customer) if isinstance(customer, str) else customer
        paid = amount if status == "paid" else 0
        return self.invoices.add(
            StripeInvoice(
                id=invoice_id or f"in_{next(self._numbers):024d}",
                customer_id=customer
                if isinstance(customer, str)
                else (holder.id if holder else None),
                created=created,
                amount=amount,
                amount_paid=paid if amount_paid is None else amount_paid,
                status=status,
                customer_name=holder.name if holder else None,
                customer_email=holder.email if holder else None,
                **more,
            )
        )

    def change_invoice(self, invoice_id: str, **changes: object) -> StripeInvoice:
        """Change fields of an invoice (``status="void"``, ``amount_paid=0``, ...)."""
        # The fields of StripeInvoice, each of a type of its own.
        changed = replace(self.invoices[invoice_id], **changes)  # type: ignore[arg-type]
        return self.invoices.add(changed)

    def remove_invoice(self, invoice_id: str) -> None:
        """Make an invoice vanish, as a deleted draft does."""
        del self.invoices[invoice_id]

    def pay(self, invoice_id: str, amount: int, *, at: int) -> StripeInvoice:
        """A payment of an open invoice, and its events; at the full amount it is paid."""
        invoice = self.invoices[invoice_id]
        payment = StripePayment(
            id=f"inpay_{next(self._numbers):024d}", amount_paid=amount, created=at, paid_at=at
        )
        paid = invoice.amount_paid + amount
        is_paid = paid >= invoice.amount
        changed = self.change_invoice(
            invoice_id,
            payments=(*invoice.all_payments, payment),
            amount_paid=paid,
            status="paid" if is_paid else invoice.status,
            paid_at=at if is_paid else None,
        )
        rendered = changed.render(changed.customer_id, livemode=self.livemode)
        self.add_event("invoice_payment.paid", payment.render(changed, livemode=True), created=at)
        self.add_event("invoice.paid" if is_paid else "invoice.updated", rendered, created=at)
        return changed

    def add_refund(
        self, invoice_id: str, amount: int, *, created: int, **more: Any
    ) -> StripeRefund:
        """A refund of the first payment of an invoice, and its event."""
        invoice = self.invoices[invoice_id]
        paid = invoice.all_payments[0]
        fields: dict[str, Any] = {
            "id": f"re_{next(self._numbers):024d}",
            "charge": paid.charge,
            "payment_intent": paid.intent,
            "currency": invoice.currency,
        }
        refund = StripeRefund(**{**fields, **more}, amount=amount, created=created)
        self.add_event("refund.created", refund.render(livemode=True), created=created)
        return self.refunds.add(refund)

    def add_credit_note(
        self, invoice_id: str, amount: int, *, created: int, **more: Any
    ) -> StripeCreditNote:
        """A credit note of an invoice, and its event."""
        invoice = self.invoices[invoice_id]
        fields: dict[str, Any] = {
            "id": f"cn_{next(self._numbers):024d}",
            "customer_id": invoice.customer_id,
            "currency": invoice.currency,
            "kind": "post_payment" if invoice.status == "paid" else "pre_payment",
        }
        note = StripeCreditNote(
            **{**fields, **more}, invoice=invoice_id, amount=amount, created=created
        )
        self.add_event("credit_note.created", note.render(livemode=True), created=created)
        return self.credit_notes.add(note)

    def credited(self) -> dict[str, dict[str, int]]:
        """By invoice, where there are credit notes: its fields that tell what they come to."""
        found: dict[str, dict[str, int]] = {}
        for note in self.credit_notes.values():
            if note.status == "issued":
                amounts = found.setdefault(note.invoice, {})
                name = f"{note.kind}_credit_notes_amount"
                amounts[name] = amounts.get(name, 0) + note.amount
        return found

    def add_dispute(
        self, invoice_id: str, amount: int, *, created: int, **more: Any
    ) -> StripeDispute:
        """A dispute of an invoice's first payment: its amount is withdrawn at once."""
        invoice = self.invoices[invoice_id]
        paid = invoice.all_payments[0]
        number = next(self._numbers)
        withdrawn = StripeTransaction(
            id=f"txn_{number:024d}", amount=-amount, created=created, currency=invoice.currency
        )
        fields: dict[str, Any] = {
            "id": f"du_{number:024d}",
            "charge": paid.charge,
            "payment_intent": paid.intent,
            "currency": invoice.currency,
            "transactions": (withdrawn,),
        }
        dispute = StripeDispute(**{**fields, **more}, amount=amount, created=created)
        self.add_event("charge.dispute.created", dispute.render(livemode=True), created=created)
        return self.disputes.add(dispute)

    def add_event(self, kind: str, subject: Json, *, created: int) -> StripeEvent:
        """Tell that something happened to ``subject``."""
        event_id = f"evt_{next(self._numbers):024d}"
        return self.events.add(
            StripeEvent(id=event_id, type=kind, created=created, subject=subject)
        )

    def charge(self, charge_id: str) -> StripeCharge | None:
        """One of ``all_charges``, if there is one of this id."""
        return self.charges.get(charge_id) or self._derived().get(charge_id)

    def all_charges(self) -> Shelf[StripeCharge]:
        """``charges``, and those of the invoices' payments."""
        return Shelf({**self._derived(), **self.charges}.values())

    def _derived(self) -> dict[str, StripeCharge]:
        return {
            paid.charge: _charge_of(invoice, paid)
            for invoice in self.invoices.values()
            for paid in invoice.all_payments
            if paid.status == "paid"
        }

    def transaction_of(self, moved: StripeCharge | StripeRefund, amount: int) -> StripeTransaction:
        """The balance transaction of a charge or refund; ``amount`` with its sign."""
        rate = self.exchange_rates.get(moved.currency)
        converted = round(amount * Decimal(rate)) if rate else amount
        return StripeTransaction(
            id=f"txn_{moved.id}",
            amount=converted,
            created=moved.created,
            currency=_BALANCE_CURRENCY if rate else moved.currency,
            exchange_rate=rate,
            kind="charge" if amount > 0 else "refund",
        )

    def newest_customers(
        self, matches: Callable[[StripeCustomer], bool], limit: int
    ) -> list[StripeCustomer]:
        """The first ``limit`` of the customers that match, newest first."""
        found: Iterable[StripeCustomer] = filter(matches, self.customers.values())
        return heapq.nsmallest(limit, found, key=lambda one: (-one.created, one.id))


def _charge_of(invoice: StripeInvoice, paid: StripePayment) -> StripeCharge:
    return StripeCharge(
        id=paid.charge,
        amount=paid.amount_paid,
        created=paid.created if paid.paid_at is None else paid.paid_at,
        currency=invoice.currency,
        customer_id=invoice.customer_id,
        payment_intent=paid.intent,
        livemode=invoice.livemode,
    )
