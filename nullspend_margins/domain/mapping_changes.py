"""One mapping or many: what is wanted, what changes with it, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping, MatchType

MANUAL_CONFIDENCE = 1.0

Doing = Literal["create", "change", "confirm", "same", "refuse"]

Name = tuple[str, str, str]
"""Provider, tag key, and a customer id or a tag value."""


class Wanted(NamedTuple):
    """A customer that shall be a tag value."""

    provider: str
    customer_id: str
    tag_value: str
    tag_key: str = CUSTOMER_TAG_KEY
    match_type: MatchType = "manual"

    @property
    def confidence(self) -> float | None:
        """A person's word is certain; of an automatic mapping that is asked for nobody knows."""
        return MANUAL_CONFIDENCE if self.match_type == "manual" else None


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

    @property
    def pairs(self) -> list[Pair]:
        """Those that may be turned down by it, or forgiven."""
        concerned = self.wanted, self.before, self.holder
        return [pair_of(each) for each in concerned if each is not None]


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


def changes_of(
    outcomes: Iterable[Outcome],
    *,
    org_id: str,
    now: datetime,
    rejected: Collection[Pair],
    new_id: Callable[[], str],
) -> Changes:
    """What is to be stored so that ``outcomes`` come true.

    ``rejected`` are those of the ``pairs`` of ``outcomes`` that are turned down now.
    """
    gone: list[CustomerMapping] = []
    new: list[CustomerMapping] = []
    won: list[Pair] = []
    lost: list[CustomerMapping] = []
    for each in outcomes:
        if each.doing == "refuse":
            continue
        won.append(pair_of(each.wanted))
        if each.doing == "same":
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
        forgiven=[pair for pair in won if pair in rejected],
    )


def removals_of(gone: Sequence[CustomerMapping], rejected: Collection[Pair]) -> Changes:
    """What is to be stored so that these mappings go and don't come again by themselves.

    ``rejected`` are those of their pairs that are turned down now.
    """
    return Changes(gone=gone, rejected=_not_in(rejected, gone))


def pair_of(each: CustomerMapping | Wanted) -> Pair:
    """A mapping's customer and tag value."""
    return Pair(each.provider, each.tag_key, each.customer_id, each.tag_value)


def customer_of(each: CustomerMapping | Wanted | Held | Pair) -> Name:
    """What has one mapping at most."""
    return each.provider, each.tag_key, each.customer_id


def tag_of(each: CustomerMapping | Wanted) -> Name:
    """What belongs to one customer at most."""
    return each.provider, each.tag_key, each.tag_value


def _not_in(rejected: Collection[Pair], lost: Iterable[CustomerMapping]) -> list[Pair]:
    return [pair for pair in map(pair_of, lost) if pair not in rejected]


def _mapping(
    each: Outcome, org_id: str, now: datetime, new_id: Callable[[], str]
) -> CustomerMapping:
    wanted = each.wanted
    return CustomerMapping(
        id=each.before.id if each.before else new_id(),
        org_id=org_id,
        provider=wanted.provider,
        customer_id=wanted.customer_id,
        tag_key=wanted.tag_key,
        tag_value=wanted.tag_value,
        match_type=wanted.match_type,
        confidence=wanted.confidence,
        created_at=each.before.created_at if each.before else now,
    )
