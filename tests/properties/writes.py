"""What people and syncs make of an org, as the specification tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from nullspend_margins import RevenueFact
from tests.properties.arithmetic import month_of, shifted
from tests.properties.model import ModelMapping, Org, latest, seen_tags


def mapped(org: Org, wanted: ModelMapping) -> Org | None:
    """After a POST of ``wanted``; ``None``: 409, the tag value is somebody else's."""
    holder = _with(org, wanted, tag_value=wanted.tag_value)
    if holder is not None and holder.customer_id != wanted.customer_id:
        if wanted.match_type != "manual" or holder.match_type != "auto":
            return None
        org = unmapped(org, holder)
    org = replace(org, rejected=org.rejected - {_pair(wanted)})
    current = _with(org, wanted, customer_id=wanted.customer_id)
    if current is None:
        return replace(org, mappings=[*org.mappings, wanted])
    if current.match_type == "auto" and current.tag_value != wanted.tag_value:
        org = unmapped(org, current)
    return replace(
        org,
        mappings=[
            *(each for each in org.mappings if each.id != current.id),
            replace(wanted, id=current.id),
        ],
    )


def unmapped(org: Org, gone: ModelMapping) -> Org:
    """After its DELETE: that pair is not matched again."""
    return replace(
        org,
        mappings=[each for each in org.mappings if each.id != gone.id],
        rejected=org.rejected | {_pair(gone)},
    )


def disconnected(org: Org, provider: str) -> Org:
    """After a disconnect: nothing of that provider is left but its costs' names."""
    return replace(
        org,
        mappings=[each for each in org.mappings if each.provider != provider],
        revenue=[(name, fact) for name, fact in org.revenue if name != provider],
        rejected=frozenset(pair for pair in org.rejected if pair[0] != provider),
        connections={
            name: shown_as for name, shown_as in (org.connections or {}).items() if name != provider
        },
    )


def synced(
    org: Org, provider: str, told: Sequence[RevenueFact], now: datetime
) -> tuple[Org, list[ModelMapping]]:
    """After a good sync that was told ``told``, and the mappings it made (without ids)."""
    first = shifted(month_of(now), -3)
    stays = [
        (name, fact)
        for name, fact in org.revenue
        if name != provider or not first <= month_of(fact.occurred_at) <= month_of(now)
    ]
    whole = {fact.object_id for name, fact in stays if name == provider and not fact.is_partial}
    told = [fact for fact in told if not (fact.is_partial and fact.object_id in whole)]
    ids = {fact.object_id for fact in told}
    kept = [(name, fact) for name, fact in stays if name != provider or fact.object_id not in ids]
    after = replace(org, revenue=[*kept, *((provider, fact) for fact in told)])
    made = _auto_matches(after, provider, told, now)
    return replace(after, mappings=[*after.mappings, *made]), made


def _auto_matches(
    org: Org, provider: str, told: Sequence[RevenueFact], now: datetime
) -> list[ModelMapping]:
    """The first rule for all customers, then the second; of equals the smaller id."""
    customers = sorted({fact.customer_id for fact in told if fact.customer_id is not None})
    suggested = {
        customer: latest([fact for fact in told if fact.customer_id == customer], "suggested_tag")
        for customer in customers
    }
    seen = seen_tags(org, now)
    made: list[ModelMapping] = []
    for confidence in (1.0, 0.9):
        for customer in customers:
            tag_value = suggested[customer] if confidence == 1.0 else customer
            if tag_value is None or tag_value not in seen:
                continue
            wanted = ModelMapping(
                id="",
                provider=provider,
                customer_id=customer,
                tag_value=tag_value,
                tag_key="customer",
                match_type="auto",
                confidence=confidence,
            )
            so_far = replace(org, mappings=[*org.mappings, *made])
            taken = _with(so_far, wanted, tag_value=tag_value) or _with(
                so_far, wanted, customer_id=customer
            )
            if taken is None and _pair(wanted) not in org.rejected:
                made.append(wanted)
    return made


def _with(org: Org, like: ModelMapping, **values: str) -> ModelMapping | None:
    """The mapping of the same provider and tag key that has ``values``."""
    for each in org.mappings:
        same = (each.provider, each.tag_key) == (like.provider, like.tag_key)
        if same and all(getattr(each, name) == value for name, value in values.items()):
            return each
    return None


def _pair(mapping: ModelMapping) -> tuple[str, str, str, str]:
    return mapping.provider, mapping.tag_key, mapping.customer_id, mapping.tag_value
