"""One customer's revenue of a month: by every basis, and the facts it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import FactKind
from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins.storage.questions import Question
from nullspend_margins.storage.tables import customer_months, revenue_facts


class StoredFact(NamedTuple):
    """A fact as it is stored. ``parts`` is for ``revenue_parts.stored_parts``."""

    object_id: str
    kind: FactKind
    amount_minor: int
    currency: str
    minor_digits: int
    occurred_at: datetime
    parts: str | None


_bases = Question(
    select(*(customer_months.c[basis] for basis in BASES)).where(
        customer_months.c.org_id == bindparam("org_id"),
        customer_months.c.month == bindparam("month"),
        customer_months.c.provider == bindparam("provider"),
        customer_months.c.customer_id == bindparam("customer_id"),
    )
)


def customer_bases(
    tx: Connection, org_id: str, provider: str, customer_id: str, period: Period
) -> Sequence[int]:
    """Microdollars in the order of ``BASES``."""
    found = _bases.rows(
        tx, org_id=org_id, month=period.index, provider=provider, customer_id=customer_id
    )
    return found[0] if found else (0,) * len(BASES)


def customer_facts(
    tx: Connection, org_id: str, provider: str, customer_id: str, period: Period
) -> list[StoredFact]:
    """The counted facts that are revenue of one customer in one month, by any basis, in order.

    Every fact of the customer is looked at: a service may have been paid long before or after.
    """
    facts = revenue_facts.c
    found = tx.execute(
        select(*(facts[name] for name in StoredFact._fields))
        .where(
            facts.org_id == org_id,
            facts.provider == provider,
            facts.customer_id == customer_id,
            facts.counted == 1,
            facts.cells.contains(f"[{period.index},"),
        )
        .order_by(facts.occurred_at, facts.object_id)
    )
    return [StoredFact._make(row) for row in found]
