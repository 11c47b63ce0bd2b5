"""Customers of revenue: who they are, and what all of it comes to. Money: microdollars.

``month_revenue`` and ``customer_revenue`` read months and facts, ``staging`` and ``applying``
bring them in.
"""

from __future__ import annotations

from itertools import starmap

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, select

from nullspend_margins.storage.questions import Question
from nullspend_margins.storage.tables import customer_months as months_table
from nullspend_margins.storage.tables import (
    revenue_customers,
    revenue_facts,
    revenue_staging,
)


class CustomerProfile(Struct, frozen=True, gc=False):
    """What is known of one provider's customer, and all its revenue of the stored months.

    By ``invoiced``, unless another basis was asked for.
    """

    provider: str
    customer_id: str
    name: str | None
    email: str | None
    avatar_url: str | None
    total_microdollars: int

    @property
    def key(self) -> tuple[str, str]:
        """Provider and customer id."""
        return self.provider, self.customer_id


_profiles = select(
    revenue_customers.c.provider,
    revenue_customers.c.customer_id,
    revenue_customers.c.name,
    revenue_customers.c.email,
    revenue_customers.c.avatar_url,
    revenue_customers.c.total_microdollars,
).where(revenue_customers.c.org_id == bindparam("org_id"))
_all_profiles = Question(_profiles)
_pictured_profiles = Question(_profiles.where(revenue_customers.c.avatar_url.is_not(None)))
_one_profile = Question(
    _profiles.where(
        revenue_customers.c.provider == bindparam("provider"),
        revenue_customers.c.customer_id == bindparam("customer_id"),
    )
)


def customer_profiles(
    tx: Connection, org_id: str, *, pictured: bool = False
) -> list[CustomerProfile]:
    """Every customer of the org's revenue, of all providers; ``pictured``: with an avatar."""
    asked = _pictured_profiles if pictured else _all_profiles
    return [*starmap(CustomerProfile, asked.rows(tx, org_id=org_id))]


def profile(tx: Connection, org_id: str, provider: str, customer_id: str) -> CustomerProfile | None:
    """One customer, or ``None`` when no revenue names it."""
    found = _one_profile.rows(tx, org_id=org_id, provider=provider, customer_id=customer_id)
    return CustomerProfile(*found[0]) if found else None


def any_customer(tx: Connection, org_id: str, provider: str) -> str | None:
    """The id of the customer with the latest invoice; ``None`` when there is no revenue yet."""
    found: str | None = tx.scalar(
        select(revenue_customers.c.customer_id)
        .where(revenue_customers.c.org_id == org_id, revenue_customers.c.provider == provider)
        .order_by(revenue_customers.c.last_invoice_at.desc(), revenue_customers.c.customer_id)
        .limit(1)
    )
    return found


def delete_provider(tx: Connection, org_id: str, provider: str) -> None:
    """Forget all revenue of one provider, what is staged included."""
    for table in (revenue_staging, revenue_facts, months_table, revenue_customers):
        tx.execute(delete(table).where(table.c.org_id == org_id, table.c.provider == provider))
