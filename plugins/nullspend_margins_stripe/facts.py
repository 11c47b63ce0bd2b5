"""What the facts of all kinds of Stripe's objects have in common: whose they are, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from nullspend_margins import RevenueFact, ValidationFailed
from nullspend_margins_stripe.failures import Transient
from nullspend_margins_stripe.objects import Charge, Customer, PaymentIntent, id_of
from nullspend_margins_stripe.texts import clean, customer_name, tag

T = TypeVar("T")

Payers = Mapping[str, str]
"""Customer ids by the ids of their payment intents and charges, as invoices tell them."""

NO_PAYERS: Payers = MappingProxyType({})

_END = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


class Party(msgspec.Struct, frozen=True, gc=False):
    """Whose fact it is, as far as its object tells."""

    customer_id: str | None
    name: str | None = None
    email: str | None = None
    tag: str | None = None

    def fields(self) -> dict[str, Any]:
        """The fields of a ``RevenueFact``."""
        return {
            "customer_id": self.customer_id,
            "customer_name": self.name,
            "customer_email": self.email,
            "suggested_tag": self.tag,
        }


def party_of(customer: str | Customer | None, *, tag_key: str) -> Party:
    """The party of a customer; one that is named by id alone is known by that alone."""
    if not isinstance(customer, Customer):
        return Party(customer)
    return Party(
        customer.id,
        customer_name(customer.name),
        clean(customer.email),
        tag((customer.metadata or {}).get(tag_key)),
    )


def payer_of(
    customer: str | Customer | None,
    charge: str | Charge | None,
    intent: str | PaymentIntent | None,
    *,
    tag_key: str,
    payers: Payers,
) -> Party:
    """Whose money it was: its own customer, else its charge's, else who paid the invoice so."""
    found = customer
    for paid in (charge, intent):
        if found is None and not isinstance(paid, str | None):
            found = paid.customer
    if found is None:
        found = payers.get(id_of(intent) or "") or payers.get(id_of(charge) or "")
    return party_of(found, tag_key=tag_key)


def with_customer(fact: RevenueFact, customer: Customer, tag_key: str) -> RevenueFact:
    """``fact`` with what its customer's record says; what that leaves out stays as it was."""
    return replace(
        fact,
        customer_name=customer_name(customer.name) or fact.customer_name,
        customer_email=clean(customer.email) or fact.customer_email,
        suggested_tag=tag((customer.metadata or {}).get(tag_key)),
    )


@lru_cache(maxsize=128)  # of an invoice most moments are the same one
def moment(seconds: int | None) -> datetime | None:
    """Unix seconds as a time; ``None`` for none, and for what is no time that revenue may have."""
    if seconds is None or not 0 <= seconds < _END:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def made(seconds: int) -> datetime:
    """When an object was made. Raises ``ValidationFailed`` for a time that none can be."""
    found = moment(seconds)
    if found is None:
        raise ValidationFailed.of(("created", "must be in the years 1970 to 9998"))
    return found


def usable(kind: str, make: Callable[[], T]) -> T:
    """What ``make`` makes. Raises ``Transient`` naming ``kind`` for what no fact can hold."""
    try:
        return make()
    except ValidationFailed:
        pass
    raise Transient(f"its answer has {kind} with an unusable id, currency or amount")
