"""Many mappings in one transaction: planned, checked against what somebody saw, and stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping
from nullspend_margins.domain.mapping_changes import Changes, Held, Outcome, Seen, Wanted, plan
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
    by_provider: dict[str, list[Wanted]] = defaultdict(list)
    for each in wanted:
        by_provider[each.provider].append(each)
    there: list[CustomerMapping] = []
    for provider, some in by_provider.items():
        customers = [each.customer_id for each in some]
        tags = [each.tag_value for each in some]
        there += mappings.involved(tx, org_id, provider, CUSTOMER_TAG_KEY, customers, tags)
    return plan(wanted, there, released)


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
        names = ", ".join(outcomes[at].wanted.customer_id for at in wrong[:3])
        more = f" and {len(wrong) - 3:,} more" if len(wrong) > 3 else ""
        raise Conflict(
            f"The mapping of {names}{more} can't be made: something changed meanwhile. "
            "Nothing was changed.",
            details={"positions": wrong},
        )


def still_there(tx: Transaction, org_id: str, seen: Iterable[Held]) -> list[CustomerMapping]:
    """The mappings that somebody saw. Raises ``Conflict`` unless all are as they were."""
    by_place: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for each in seen:
        by_place[each.provider, each.tag_key].append(each)
    found: list[CustomerMapping] = []
    changed: list[str] = []
    for (provider, tag_key), some in by_place.items():
        customers = [each.customer_id for each in some]
        there = mappings.involved(tx, org_id, provider, tag_key, customers, ())
        known = {mapping.customer_id: mapping for mapping in there}
        for each in some:
            mapping = known.get(each.customer_id)
            if mapping is not None and each.is_still(mapping):
                found.append(mapping)
            else:
                changed.append(each.customer_id)
    if changed:
        more = f" and {len(changed) - 3:,} more" if len(changed) > 3 else ""
        raise Conflict(
            f"The mapping of {', '.join(changed[:3])}{more} was changed or removed meanwhile. "
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
