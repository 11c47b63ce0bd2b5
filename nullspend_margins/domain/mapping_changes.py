"""Many mappings at once: what would become of each, what changes, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping, MatchType

MANUAL_CONFIDENCE = 1.0

Doing = Literal["create", "change", "confirm", "same", "refuse"]


class Wanted(NamedTuple):
    """A customer that shall be a tag value."""

    provider: str
    customer_id: str
    tag_value: str


class Pair(NamedTuple):
    """A customer and a tag value that may be turned down."""

    provider: str
    tag_key: str
    customer_id: str
    tag_value: str


class Held(NamedTuple):
    """What a customer is mapped to, as somebody saw it.

    With an ``id`` it is that very mapping: one that was removed and made again is another.
    """

    provider: str
    tag_key: str
    customer_id: str
    tag_value: str
    match_type: MatchType
    id: str = ""

    @classmethod
    def of(cls, mapping: CustomerMapping) -> Held:
        """What one mapping says."""
        return cls(
            mapping.provider,
            mapping.tag_key,
            mapping.customer_id,
            mapping.tag_value,
            mapping.match_type,
            mapping.id,
        )

    def is_still(self, mapping: CustomerMapping) -> bool:
        """Whether ``mapping`` is as it was seen."""
        now = Held.of(mapping)
        return self == (now if self.id else now._replace(id=""))


class Seen(NamedTuple):
    """What a person was told would be done: if that is otherwise now, they have to look again.

    The tag value and match type that the customer has, and the customer who loses the tag value.
    """

    doing: Doing
    tag_value: str | None = None
    match_type: MatchType | None = None
    holder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What would become of one wanted mapping.

    ``before`` is the customer's mapping now. ``holder`` is another customer's that has the tag
    value: it goes, or it is why this one is refused. ``twin`` is the place of the one before it
    that has the same customer or tag value: the other reason.
    """

    wanted: Wanted
    doing: Doing
    before: CustomerMapping | None = None
    holder: CustomerMapping | None = None
    twin: int | None = None

    @property
    def seen(self) -> Seen:
        """What a person is told of it."""
        before = self.before
        return Seen(
            self.doing,
            before.tag_value if before else None,
            before.match_type if before else None,
            self.holder.customer_id if self.holder else None,
        )


class Undo(NamedTuple):
    """What must be there still, and what takes its place; pairs to turn down, and to forgive.

    ``connections`` are (provider, connection id) that must be there too: whoever disconnects a
    provider removes its customers' mappings for good.
    """

    gone: Sequence[Held]
    new: Sequence[CustomerMapping]
    rejected: Sequence[Pair] = ()
    forgiven: Sequence[Pair] = ()
    connections: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one transaction does. A mapping that changes is in ``gone`` and, with its id, ``new``.

    ``rejected`` are the pairs that were not turned down before, ``forgiven`` those that were.
    ``connections`` are (provider, connection id) of those customers' providers that are connected.
    """

    gone: Sequence[CustomerMapping] = ()
    new: Sequence[CustomerMapping] = ()
    rejected: Sequence[Pair] = ()
    forgiven: Sequence[Pair] = ()
    connections: Sequence[tuple[str, str]] = ()

    @property
    def providers(self) -> frozenset[str]:
        """Whose customers they are."""
        return frozenset(mapping.provider for mapping in (*self.gone, *self.new))

    @property
    def undo(self) -> Undo:
        """How it is taken back."""
        gone = [Held.of(mapping) for mapping in self.new]
        return Undo(gone, self.gone, self.forgiven, self.rejected, self.connections)


def plan(
    wanted: Sequence[Wanted],
    there: Iterable[CustomerMapping],
    released: Collection[str] = (),
) -> list[Outcome]:
    """What would become of each, were all of them done at once: two customers may swap.

    ``there`` are the mappings of the ``customer`` tag key, at least those of these customers and
    tag values. A manual mapping keeps its tag value, unless its customer moves on with these or
    its id is in ``released``; an automatic one does not.
    """
    known = [*there]
    of_customer = {(each.provider, each.customer_id): each for each in known}
    of_tag = {(each.provider, each.tag_value): each for each in known}
    twins = _twins(wanted)
    moving = {each[:2]: at for at, each in enumerate(wanted) if at not in twins}

    def displaced(each: Wanted) -> CustomerMapping | None:
        holder = of_tag.get((each.provider, each.tag_value))
        if holder is None or holder.customer_id == each.customer_id:
            return None
        return None if (holder.provider, holder.customer_id) in moving else holder

    def is_blocked(each: Wanted) -> bool:
        holder = displaced(each)
        return holder is not None and holder.match_type != "auto" and holder.id not in released

    _stop_the_blocked(wanted, moving, of_customer, is_blocked)
    outcomes = []
    for at, each in enumerate(wanted):
        before, holder = of_customer.get(each[:2]), displaced(each)
        doing: Doing = "refuse" if moving.get(each[:2]) != at else _doing(each, before)
        outcomes.append(
            Outcome(wanted=each, doing=doing, before=before, holder=holder, twin=twins.get(at))
        )
    return outcomes


def _doing(each: Wanted, before: CustomerMapping | None) -> Doing:
    if before is None:
        return "create"
    if before.tag_value != each.tag_value:
        return "change"
    return "confirm" if before.match_type == "auto" else "same"


def _twins(wanted: Sequence[Wanted]) -> dict[int, int]:
    """Places of those whose customer or tag value one before them has, and that one's place."""
    customers: dict[tuple[str, str], int] = {}
    tags: dict[tuple[str, str], int] = {}
    found = {}
    for at, each in enumerate(wanted):
        customer, tag = (each.provider, each.customer_id), (each.provider, each.tag_value)
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
    moving: dict[tuple[str, str], int],
    of_customer: Mapping[tuple[str, str], CustomerMapping],
    is_blocked: Callable[[Wanted], bool],
) -> None:
    """Take out of ``moving`` whoever can't, and then those who waited for their tag values."""
    waiting = {(wanted[at].provider, wanted[at].tag_value): at for at in moving.values()}
    looked_at = [*moving.values()]
    while looked_at:
        each = wanted[looked_at.pop()]
        if each[:2] not in moving or not is_blocked(each):
            continue
        del moving[each[:2]]
        stays = of_customer.get(each[:2])
        if stays is not None and (stays.provider, stays.tag_value) in waiting:
            looked_at.append(waiting[stays.provider, stays.tag_value])


def changes_of(
    outcomes: Iterable[Outcome],
    *,
    org_id: str,
    now: datetime,
    rejected: Collection[Pair],
    new_id: Callable[[], str],
) -> Changes:
    """What is to be stored so that ``outcomes`` come true. ``rejected`` are those of now."""
    gone: list[CustomerMapping] = []
    new: list[CustomerMapping] = []
    lost: list[CustomerMapping] = []
    for each in outcomes:
        if each.doing in ("same", "refuse"):
            continue
        made = _mapping(each, org_id, now, new_id)
        new.append(made)
        if each.before is not None:
            gone.append(each.before)
            if each.before.match_type == "auto" and each.before.tag_value != made.tag_value:
                lost.append(each.before)
        if each.holder is not None:
            gone.append(each.holder)
            lost.append(each.holder)
    return Changes(
        gone=gone,
        new=new,
        rejected=_not_in(rejected, lost),
        forgiven=[pair for pair in map(pair_of, new) if pair in rejected],
    )


def removals_of(gone: Sequence[CustomerMapping], rejected: Collection[Pair]) -> Changes:
    """What is to be stored so that these mappings go and don't come again by themselves."""
    return Changes(gone=gone, rejected=_not_in(rejected, gone))


def pair_of(mapping: CustomerMapping) -> Pair:
    """A mapping's customer and tag value."""
    return Pair(mapping.provider, mapping.tag_key, mapping.customer_id, mapping.tag_value)


def _not_in(rejected: Collection[Pair], lost: Iterable[CustomerMapping]) -> list[Pair]:
    return [pair for pair in map(pair_of, lost) if pair not in rejected]


def _mapping(
    each: Outcome, org_id: str, now: datetime, new_id: Callable[[], str]
) -> CustomerMapping:
    return CustomerMapping(
        id=each.before.id if each.before else new_id(),
        org_id=org_id,
        provider=each.wanted.provider,
        customer_id=each.wanted.customer_id,
        tag_key=CUSTOMER_TAG_KEY,
        tag_value=each.wanted.tag_value,
        match_type="manual",
        confidence=MANUAL_CONFIDENCE,
        created_at=each.before.created_at if each.before else now,
    )
