"""When cost sources delivered last, and which have fallen silent. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from nullspend_margins.domain.cost import CostEvent, CostFact
from nullspend_margins.domain.period import day_number

ALL_ORGS = ""
"""In place of an org: a source that is pulled answers for every org at once."""
DELIVERY_PRECISION = timedelta(minutes=1)
"""Deliveries are written down so often: costs come in all the time."""

SourceKind = Literal["pushed", "pulled", "aggregating"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Some costs that one source has delivered for one org.

    ``newest_at`` is when the newest of its events occurred, ``newest_day`` the day (as days are
    stored) of its newest event or fact; ``None`` without any.
    """

    org_id: str
    source: str
    delivered_at: datetime
    newest_at: datetime | None = None
    newest_day: int | None = None

    @classmethod
    def of(
        cls,
        org_id: str,
        source: str,
        now: datetime,
        events: Sequence[CostEvent] = (),
        facts: Sequence[CostFact] = (),
    ) -> Delivery:
        """The delivery of these costs, now."""
        newest_at = max((event.occurred_at for event in events), default=None)
        days = [day_number(fact.day) for fact in facts]
        if newest_at is not None:
            days.append(day_number(newest_at))
        return cls(
            org_id=org_id,
            source=source,
            delivered_at=now,
            newest_at=newest_at,
            newest_day=max(days, default=None),
        )

    def says_more_than(self, known: Delivery) -> bool:
        """Whether it is worth writing down after ``known``: later by a minute, in any respect."""
        if self.delivered_at >= known.delivered_at + DELIVERY_PRECISION:
            return True
        if self.newest_day is not None and self.newest_day > _or_first(known.newest_day):
            return True
        if self.newest_at is None:
            return False
        return known.newest_at is None or self.newest_at >= known.newest_at + DELIVERY_PRECISION

    def after(self, known: Delivery | None) -> Delivery:
        """This one, with the newest costs of both."""
        if known is None:
            return self
        days = (self.newest_day, known.newest_day)
        moments = (self.newest_at, known.newest_at)
        return replace(
            self,
            newest_at=max((each for each in moments if each is not None), default=None),
            newest_day=max((each for each in days if each is not None), default=None),
        )


class DeliveryRecord(NamedTuple):
    """What is stored of one source's deliveries to one org, or to ``ALL_ORGS``.

    ``delivered_at`` is ``None`` when nothing came since deliveries are written down.
    ``last_error`` is why the source did not answer when it was read last. ``silent_since`` is the
    delivery after which a silence began that somebody was told of.
    """

    org_id: str
    source: str
    delivered_at: datetime | None
    newest_at: datetime | None
    newest_day: int | None
    last_error: str | None
    silent_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How one cost source stands towards one org."""

    name: str
    kind: SourceKind
    delivered_at: datetime | None
    newest_at: datetime | None
    newest_day: int | None
    last_error: str | None

    def silent_for(self, now: datetime) -> timedelta | None:
        """How long ago the last delivery was; ``None``: there was none."""
        return None if self.delivered_at is None else max(now - self.delivered_at, timedelta())

    def is_stale(self, now: datetime, stale_after: timedelta | None) -> bool:
        """Whether it has delivered before and is silent for longer than it may be."""
        silent = self.silent_for(now)
        return silent is not None and stale_after is not None and silent > stale_after


def source_states(
    records: Iterable[DeliveryRecord], loaded: Mapping[str, SourceKind], now: datetime
) -> list[SourceState]:
    """Every source that is ``loaded`` or has delivered to the org, by name.

    ``records`` are the org's and those of ``ALL_ORGS``. A source that is pulled has delivered
    when it answered, whether there was something for this org or not; one that adds up elsewhere
    has answered just now.
    """
    of_org: dict[str, DeliveryRecord] = {}
    of_all: dict[str, DeliveryRecord] = {}
    for record in records:
        (of_all if record.org_id == ALL_ORGS else of_org)[record.source] = record
    return [
        _state(name, loaded.get(name), of_org.get(name), of_all.get(name), now)
        for name in sorted({*of_org, *loaded})
    ]


def _state(
    name: str,
    kind: SourceKind | None,
    own: DeliveryRecord | None,
    shared: DeliveryRecord | None,
    now: datetime,
) -> SourceState:
    answers = [each.delivered_at for each in (own, shared) if each and each.delivered_at]
    if kind == "aggregating":
        answers = [now]
    return SourceState(
        name=name,
        # Another process may have loaded it: only what is pulled has a record of all orgs.
        kind=kind or ("pulled" if shared else "pushed"),
        delivered_at=max(answers, default=None),
        newest_at=own.newest_at if own else None,
        newest_day=own.newest_day if own else None,
        last_error=shared.last_error if shared else None,
    )


def _or_first(day: int | None) -> int:
    return -1 if day is None else day
