"""What would become of mappings that are wanted: one, or many at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import (
    Doing,
    Name,
    Outcome,
    Wanted,
    customer_of,
    tag_of,
)


def plan(
    wanted: Sequence[Wanted],
    there: Iterable[CustomerMapping],
    released: Collection[str] = (),
) -> list[Outcome]:
    """What would become of each, were all of them done at once: two customers may swap.

    ``there`` are mappings, at least those of these customers and tag values. One keeps its tag
    value, unless its customer moves on with these, its id is in ``released``, or it is automatic
    and a manual one wants it: a person's word counts more than the matcher's.
    """
    known = [*there]
    of_customer = {customer_of(each): each for each in known}
    of_tag = {tag_of(each): each for each in known}
    twins = _twins(wanted)
    moving = {customer_of(each): at for at, each in enumerate(wanted) if at not in twins}

    def displaced(each: Wanted) -> CustomerMapping | None:
        holder = of_tag.get(tag_of(each))
        if holder is None or holder.customer_id == each.customer_id:
            return None
        return None if customer_of(holder) in moving else holder

    def is_blocked(each: Wanted) -> bool:
        holder = displaced(each)
        if holder is None or holder.id in released:
            return False
        return each.match_type != "manual" or holder.match_type != "auto"

    _stop_the_blocked(wanted, moving, of_customer, is_blocked)
    outcomes = []
    for at, each in enumerate(wanted):
        customer = customer_of(each)
        before, holder = of_customer.get(customer), displaced(each)
        doing: Doing = "refuse" if moving.get(customer) != at else _doing(each, before)
        outcomes.append(
            Outcome(wanted=each, doing=doing, before=before, holder=holder, twin=twins.get(at))
        )
    return outcomes


def _doing(each: Wanted, before: CustomerMapping | None) -> Doing:
    if before is None:
        return "create"
    now = before.tag_value, before.match_type, before.confidence
    if now == (each.tag_value, each.match_type, each.confidence):
        return "same"
    is_confirmed = before.tag_value == each.tag_value and before.match_type == "auto"
    return "confirm" if is_confirmed and each.match_type == "manual" else "change"


def _twins(wanted: Sequence[Wanted]) -> dict[int, int]:
    """Places of those whose customer or tag value one before them has, and that one's place."""
    customers: dict[Name, int] = {}
    tags: dict[Name, int] = {}
    found = {}
    for at, each in enumerate(wanted):
        customer, tag = customer_of(each), tag_of(each)
        earlier = [
            places[key] for places, key in ((customers, customer), (tags, tag)) if key in places
        ]
        if earlier:
            found[at] = min(earlier)
        else:
            customers[customer] = tags[tag] = at
    return found


def _stop_the_blocked(
    wanted: Sequence[Wanted],
    moving: dict[Name, int],
    of_customer: Mapping[Name, CustomerMapping],
    is_blocked: Callable[[Wanted], bool],
) -> None:
    """Take out of ``moving`` whoever can't, and then those who waited for their tag values."""
    waiting = {tag_of(wanted[at]): at for at in moving.values()}
    looked_at = [*moving.values()]
    while looked_at:
        each = wanted[looked_at.pop()]
        customer = customer_of(each)
        if customer not in moving or not is_blocked(each):
            continue
        del moving[customer]
        stays = of_customer.get(customer)
        if stays is not None and tag_of(stays) in waiting:
            looked_at.append(waiting[tag_of(stays)])
