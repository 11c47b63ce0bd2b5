"""One Stripe account: its customers and invoices, and how they are listed."""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from nullspend_margins.demo.stripe_objects import StripeCustomer, StripeInvoice

DEFAULT_CREATED = 1_767_225_600  # 2026-01-01


class StripeAccount:
    """Customers and invoices of one account. ``livemode`` is told by its objects."""

    def __init__(self, *, livemode: bool = True) -> None:
        self.livemode = livemode
        self.customers: dict[str, StripeCustomer] = {}
        self.invoices: dict[str, StripeInvoice] = {}
        self._numbers = itertools.count(1)
        self._newest_first: list[StripeInvoice] | None = None

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
        currency: str = "usd",
        amount_paid: int | None = None,
        lean: bool = False,
    ) -> StripeInvoice:
        """Add an invoice of ``amount`` in the minor unit, paid in full when its status is paid."""
        holder = self.customers.get(customer) if isinstance(customer, str) else customer
        paid = amount if status == "paid" else 0
        invoice = StripeInvoice(
            id=invoice_id or f"in_{next(self._numbers):024d}",
            customer_id=customer if isinstance(customer, str) else holder.id if holder else None,
            created=created,
            amount=amount,
            amount_paid=paid if amount_paid is None else amount_paid,
            currency=currency,
            status=status,
            customer_name=holder.name if holder else None,
            customer_email=holder.email if holder else None,
            lean=lean,
        )
        self.invoices[invoice.id] = invoice
        self._newest_first = None
        return invoice

    def change_invoice(self, invoice_id: str, **changes: object) -> StripeInvoice:
        """Change fields of an invoice (``status="void"``, ``amount_paid=0``, ...)."""
        # The fields of StripeInvoice, each of a type of its own.
        changed = replace(self.invoices[invoice_id], **changes)  # type: ignore[arg-type]
        self.invoices[invoice_id] = changed
        self._newest_first = None
        return changed

    def remove_invoice(self, invoice_id: str) -> None:
        """Make an invoice vanish, as a deleted draft does."""
        del self.invoices[invoice_id]
        self._newest_first = None

    def newest_invoices(self, *, before: float, after: str | None) -> Iterator[StripeInvoice]:
        """Invoices created before ``before`` and listed after the invoice ``after``."""
        if self._newest_first is None:
            self._newest_first = sorted(self.invoices.values(), key=_newest_first)
        ordered = self._newest_first
        start = bisect_right(ordered, -before, key=lambda invoice: -invoice.created)
        if after is not None:
            place = bisect_left(ordered, _newest_first(self.invoices[after]), key=_newest_first)
            start = max(start, place + 1)
        return (ordered[place] for place in range(start, len(ordered)))

    def newest_customers(
        self, matches: Callable[[StripeCustomer], bool], limit: int
    ) -> list[StripeCustomer]:
        """The first ``limit`` of the customers that match, newest first."""
        found: Iterable[StripeCustomer] = filter(matches, self.customers.values())
        return heapq.nsmallest(limit, found, key=lambda one: (-one.created, one.id))


def _newest_first(invoice: StripeInvoice) -> tuple[int, str]:
    return (-invoice.created, invoice.id)
