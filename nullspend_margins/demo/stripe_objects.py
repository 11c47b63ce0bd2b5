"""Customers as Stripe renders them, in API version 2026-10-28.endive, and the shelf of all objects.

Everything is kept as small records and rendered on request, so that a demo or a test can hold a
hundred thousand of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import UserDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from nullspend_margins.demo.stripe_templates import INVOICE_SETTINGS, Json

API_VERSION = "2026-10-28.endive"


@dataclass(slots=True, kw_only=True)
class StripeCustomer:
    """A customer; ``created`` in Unix seconds."""

    id: str
    created: int
    name: str | None = None
    email: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False
    test_clock: str | None = None

    def render(self, *, livemode: bool) -> Json:
        """The customer as JSON; a deleted one is its id and little else."""
        if self.deleted:
            return {"id": self.id, "object": "customer", "deleted": True}
        return {
            "id": self.id,
            "object": "customer",
            "address": None,
            "balance": 0,
            "business_name": None,
            "created": self.created,
            "currency": "usd",
            "customer_account": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": self.email,
            "individual_name": None,
            "invoice_prefix": self.id[-8:].upper(),
            "invoice_settings": INVOICE_SETTINGS,
            "livemode": livemode,
            "metadata": dict(self.metadata),
            "name": self.name,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": self.test_clock,
        }


class Listed(Protocol):
    """What can be listed: it has an id, and was created at some Unix second."""

    @property
    def id(self) -> str:
        """Stripe's id."""
        ...

    @property
    def created(self) -> int:
        """Unix seconds."""
        ...


Object = TypeVar("Object", bound=Listed)


class Shelf(UserDict[str, Object]):
    """Objects of one kind by id, listed newest first.

    Put an object in its place again after changing when it was created.
    """

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        self._newest_first: list[Object] | None = None
        super().__init__({each.id: each for each in objects})

    def add(self, new: Object) -> Object:
        """Put it on the shelf, in place of the one with this id."""
        self[new.id] = new
        return new

    def __setitem__(self, object_id: str, new: Object) -> None:
        self._newest_first = None
        super().__setitem__(object_id, new)

    def __delitem__(self, object_id: str) -> None:
        self._newest_first = None
        super().__delitem__(object_id)

    def newest(self, *, before: float, after: str | None) -> Iterator[Object]:
        """Those created before ``before`` and listed after the one with the id ``after``."""
        if self._newest_first is None:
            self._newest_first = sorted(self.values(), key=_newest_first)
        ordered = self._newest_first
        start = bisect_right(ordered, -before, key=lambda each: -each.created)
        if after is not None:
            place = bisect_left(ordered, _newest_first(self[after]), key=_newest_first)
            start = max(start, place + 1)
        return (ordered[place] for place in range(start, len(ordered)))


def _newest_first(one: Listed) -> tuple[int, str]:
    return (-one.created, one.id)
