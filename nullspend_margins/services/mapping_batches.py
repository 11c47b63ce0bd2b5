"""Mappings in one transaction: planned, checked against what somebody saw, and stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import (
    Changes,
    Held,
    Outcome,
    Seen,
    Wanted,
    customer_of,
    tag_of,
)
from nullspend_margins.domain.mapping_plan import plan
from nullspend_margins.errors import Conflict, ValidationFailed
from nullspend_margins.storage import connections, mappings, revisions
from nullspend_margins.storage.database import Transaction

MOST_AT_ONCE = 5_000
"""Mappings that one transaction changes."""


def limit(asked: Sequence[object], most: int = MOST_AT_ONCE) -> None:
    """Raises ``ValidationFailed`` for more than one transaction takes."""
    if len(asked) > most:
        raise ValidationFailed.of(("", f"must be at most {most:,} mappings at once"))


def planned(
    tx: Transaction, org_id: str, wanted: Sequence[Wanted], released: Collection[str] = ()
) -> list[Outcome]:
    """What would become of each, with the mappings that are there now."""
    there = mappings.involved(tx, org_id, map(customer_of, wanted), map(tag_of, wanted))
    return plan(wanted, there, released)


def check_free(outcome: Outcome) -> None:
    """Raises ``Conflict`` when the tag value stays another customer's; ``details`` tell whose."""
    holder = outcome.holder
    if outcome.doing == "refuse" and holder is not None:
        raise Conflict(
            f"The tag value {holder.tag_value!r} belongs to the customer {holder.customer_id}; "
            "remove that mapping first.",
            details={"stripeCustomerId": holder.customer_id, "mappingId": holder.id},
        )


def check_seen(outcomes: Sequence[Outcome], seen: Sequence[Seen] | None) -> None:
    """Nothing is done that nobody was told of, and nothing is left out silently.

    Raises ``Conflict``; ``details.positions`` tells which.
    """
    wrong = [
        at
        for at, each in enumerate(outcomes)
        if each.doing == "refuse" or (seen is not None and each.seen != seen[at])
    ]
    if wrong:
        names = _named([outcomes[at].wanted.customer_id for at in wrong])
        raise Conflict(
            f"The mapping of {names} can't be made: something changed meanwhile. "
            "Nothing was changed.",
            details={"positions": wrong},
        )


def still_there(tx: Transaction, org_id: str, seen: Sequence[Held]) -> list[CustomerMapping]:
    """The mappings that somebody saw. Raises ``Conflict`` unless all are as they were."""
    there = mappings.involved(tx, org_id, map(customer_of, seen), ())
    known = {customer_of(mapping): mapping for mapping in there}
    found: list[CustomerMapping] = []
    changed: list[str] = []
    for each in seen:
        mapping = known.get(customer_of(each))
        if mapping is not None and each.is_still(mapping):
            found.append(mapping)
        else:
            changed.append(each.customer_id)
    if changed:
        raise Conflict(
            f"The mapping of {_named(changed)} was changed or removed meanwhile. "
            "Nothing was changed.",
            details={"stripeCustomerIds": changed},
        )
    return found


def store(tx: Transaction, org_id: str, changes: Changes) -> None:
    """Put changes in place of what they replace."""
    mappings.replace(tx, org_id, [each.id for each in changes.gone], changes.new)
    mappings.turn_down(tx, org_id, changes.rejected, changes.forgiven)
    revisions.advance(tx, org_id)


def of_connections(tx: Transaction, org_id: str, changes: Changes) -> Changes:
    """The same changes, with the connections that they are made under."""
    found = [
        (each.provider, each.id)
        for each in connections.list_for_org(tx, org_id)
        if each.provider in changes.providers
    ]
    return replace(changes, connections=found)


def check_connected(tx: Transaction, org_id: str, seen: Sequence[tuple[str, str]]) -> None:
    """Raises ``Conflict`` when one of these connections is gone: its mappings went with it."""
    there = {(each.provider, each.id) for each in connections.list_for_org(tx, org_id)}
    if not there.issuperset(map(tuple, seen)):
        raise Conflict(
            "The provider was disconnected meanwhile, which removed its customers' mappings. "
            "Nothing was changed."
        )


def _named(customer_ids: Sequence[str]) -> str:
    """The first three by name, the others counted."""
    more = f" and {len(customer_ids) - 3:,} more" if len(customer_ids) > 3 else ""
    return f"{', '.join(customer_ids[:3])}{more}"
