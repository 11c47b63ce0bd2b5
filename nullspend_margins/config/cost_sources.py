"""``[costs]``: how long cost sources may be silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from nullspend_margins.config.sections import setting

if TYPE_CHECKING:
    from nullspend_margins.domain.delivery import SourceKind

_MOST_STALE_HOURS = 24 * 366
_PULLED_STALE_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSourceSettings:
    """``[costs.sources.NAME]``: of one cost source, ``api`` or ``gateway`` say."""

    stale_after_hours: int = setting(
        help="How long this source may be silent; 0: as long as it likes.",
        unit="hours",
        at_least=0,
        at_most=_MOST_STALE_HOURS,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSettings:
    """``[costs]``: how long cost sources may be silent."""

    stale_after_hours: int | None = setting(
        None,
        help="How long a cost source may be silent before it is stale; 0: as long as it likes. "
        "Not set: 24 for sources that are pulled, as long as they like for those that push.",
        unit="hours",
        at_least=0,
        at_most=_MOST_STALE_HOURS,
    )
    sources: Mapping[str, CostSourceSettings] = setting(
        help="`[costs.sources.NAME]` with `stale_after_hours`: the same for one source.",
        factory=lambda: MappingProxyType({}),
    )

    def stale_after(self, source: str, kind: SourceKind) -> timedelta | None:
        """How long a source may be silent; ``None``: as long as it likes."""
        own = self.sources.get(source)
        hours = self.stale_after_hours if own is None else own.stale_after_hours
        if hours is None:
            return _PULLED_STALE_AFTER if kind == "pulled" else None
        return timedelta(hours=hours) if hours else None

    @property
    def shortest(self) -> timedelta | None:
        """The least of all that ``stale_after`` says."""
        found = {self.stale_after("", "pulled"), self.stale_after("", "pushed")}
        found |= {self.stale_after(name, "pushed") for name in self.sources}
        return min((each for each in found if each is not None), default=None)
