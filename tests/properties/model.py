"""An org as the specification has it: plain loops over everything, no code of the product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from nullspend_margins import CostEvent, CostFact, RevenueFact
from tests.properties.arithmetic import (
    Month,
    month_of,
    rounded,
)

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ModelMapping:
    """A provider's customer that is a tag value."""

    id: str
    provider: str
    customer_id: str
    tag_value: str
    tag_key: str
    match_type: str
    confidence: float | None


@dataclass(frozen=True, kw_only=True)
class Org:
    """All that an org has. ``facts`` are as they came: a later one replaces an earlier one."""

    mappings: Sequence[ModelMapping] = ()
    revenue: Sequence[tuple[str, RevenueFact]] = ()
    events: Sequence[tuple[str, CostEvent]] = ()
    facts: Sequence[tuple[str, CostFact]] = ()
    connections: Mapping[str, Json] | None = None
    rejected: frozenset[tuple[str, str, str, str]] = frozenset()
    """Provider, tag key, customer, tag value: pairs that people turned down."""

    def customers_of(self, tag_value: str) -> list[tuple[str, str]]:
        """Who is this tag value, Stripe's first."""
        found = [
            (each.provider, each.customer_id)
            for each in self.mappings
            if each.tag_key == "customer" and each.tag_value == tag_value
        ]
        return sorted(found, key=lambda customer: (customer[0] != "stripe", customer))

    def mapped_tags(self) -> list[str]:
        """Every tag value that a mapping of the tag key ``customer`` has."""
        return sorted({each.tag_value for each in self.mappings if each.tag_key == "customer"})


class Spent(NamedTuple):
    """One piece of cost, whoever told it."""

    tag_value: str
    day: date
    model: str
    nanodollars: int
    requests: int


def spent(org: Org) -> list[Spent]:
    """Every event, and of the facts with one source and key the last."""
    found = [
        Spent(
            event.tag_value,
            event.occurred_at.astimezone(UTC).date(),
            event.model,
            event.cost_nanodollars,
            1,
        )
        for _, event in org.events
    ]
    standing: dict[tuple[str, str], CostFact] = {}
    for source, fact in org.facts:
        standing[source, fact.key] = fact
    return found + [
        Spent(fact.tag_value, fact.day, fact.model, fact.cost_nanodollars, fact.request_count)
        for fact in standing.values()
    ]


def cost_of(org: Org, tag_value: str, month: Month) -> int:
    """A cell of cost: all of it in nanodollars, then rounded once."""
    total = 0
    for each in spent(org):
        if each.tag_value == tag_value and (each.day.year, each.day.month) == month:
            total += each.nanodollars
    return rounded(Fraction(total, 1_000))


def counts(fact: RevenueFact) -> bool:
    """In dollars and somebody's."""
    return fact.currency == "usd" and fact.customer_id is not None


def revenue_of(org: Org, tag_value: str, month: Month) -> int:
    total = 0
    for provider, customer in org.customers_of(tag_value):
        for source, fact in org.revenue:
            if (source, fact.customer_id) != (provider, customer) or not counts(fact):
                continue
            if month_of(fact.occurred_at) == month:
                total += fact.amount_minor * 10_000
    return total


def latest(facts: Iterable[RevenueFact], field: str) -> str | None:
    """The field's value in the latest fact that has one."""
    having = [fact for fact in facts if getattr(fact, field) is not None]
    if not having:
        return None
    found: str = getattr(max(having, key=lambda fact: (fact.occurred_at, fact.object_id)), field)
    return found


def facts_of(org: Org, provider: str, customer: str) -> list[RevenueFact]:
    return [
        fact for source, fact in org.revenue if (source, fact.customer_id) == (provider, customer)
    ]


def called(org: Org, tag_value: str, month: Month, field: str) -> str | None:
    """A name or a picture: from the period's revenue, else from the latest there is."""
    for in_period in (True, False):
        for provider, customer in org.customers_of(tag_value):
            found = latest(
                (
                    fact
                    for fact in facts_of(org, provider, customer)
                    if not in_period or (counts(fact) and month_of(fact.occurred_at) == month)
                ),
                field,
            )
            if found is not None:
                return found
    return None


def seen_tags(org: Org, now: datetime) -> set[str]:
    """Tag values on costs of the last 90 days."""
    first = (now.astimezone(UTC) - timedelta(days=90)).date()
    return {each.tag_value for each in spent(org) if each.day >= first} - {""}
