"""Health tiers: how good a margin is. (An org's *plan* is something else: see ``access``.)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from typing import Literal

from nullspend_margins.domain.money import round_half_up

TierName = Literal["critical", "at_risk", "moderate", "healthy"]


class HealthTier(IntEnum):
    """The tiers, most severe first, so that ``a < b`` reads "a is more severe than b"."""

    CRITICAL = 0
    AT_RISK = 1
    MODERATE = 2
    HEALTHY = 3

    @property
    def wire_name(self) -> TierName:
        """The name in JSON and CSV."""
        return TIER_NAMES[self]


TIER_NAMES: Mapping[HealthTier, TierName] = {
    HealthTier.CRITICAL: "critical",
    HealthTier.AT_RISK: "at_risk",
    HealthTier.MODERATE: "moderate",
    HealthTier.HEALTHY: "healthy",
}
"""What ``wire_name`` looks up, for whoever names thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthThresholds:
    """The least percent (0-100, exact) of each tier; below ``at_risk`` is critical."""

    healthy: Fraction = field(default=Fraction(50))
    moderate: Fraction = field(default=Fraction(20))
    at_risk: Fraction = field(default=Fraction(0))
    _least: tuple[tuple[HealthTier, int, int], ...] = field(init=False, repr=False, compare=False)
    _budget_share: tuple[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        least = (
            (HealthTier.HEALTHY, self.healthy),
            (HealthTier.MODERATE, self.moderate),
            (HealthTier.AT_RISK, self.at_risk),
        )
        share = 1 - self.healthy / 100
        # As plain integers: a table compares and divides tens of thousands of times.
        object.__setattr__(
            self, "_least", tuple((tier, at.numerator, at.denominator) for tier, at in least)
        )
        object.__setattr__(self, "_budget_share", (share.numerator, share.denominator))

    def tier_of_ratio(self, numerator: int, denominator: int) -> HealthTier:
        """The tier of ``numerator / denominator`` percent, compared exactly.

        ``denominator`` is positive.
        """
        for tier, least_numerator, least_denominator in self._least:
            if numerator * least_denominator >= least_numerator * denominator:
                return tier
        return HealthTier.CRITICAL

    def tier_of_hundredths(self, hundredths: int) -> HealthTier:
        """The tier of a percent that is already rounded, in hundredths of a percent."""
        return self.tier_of_ratio(hundredths, 100)

    def budget_for(self, revenue_microdollars: int) -> int:
        """The cost at which ``revenue_microdollars`` is just healthy, rounded half up.

        ``revenue * (1 - healthy / 100)``.
        """
        numerator, denominator = self._budget_share
        return round_half_up(revenue_microdollars * numerator, denominator)
