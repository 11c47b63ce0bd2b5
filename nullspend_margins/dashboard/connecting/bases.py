"""Which bases of revenue are exact with what the credential may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nullspend_margins.dashboard.bases import BASIS_WORDS
from nullspend_margins.dashboard.connecting.states import ProviderShown
from nullspend_margins.domain.revenue_part import BASES, Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A permission that is missing: as the provider's list has it, its name, what that does."""

    label: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisShown:
    """One basis: exact unless something is ``missing``, by label."""

    name: Basis
    meaning: str
    missing: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """What a credential lets the bases be. ``remedy``: where one is made that may read all."""

    bases: Sequence[BasisShown]
    gaps: Sequence[Gap]
    remedy: str | None


def precision_of(shown: ProviderShown) -> Precision | None:
    """``None``: it is not known yet, or nothing that a permission would change."""
    gaps = shown.state.connection.gaps if shown.state else None
    if gaps is None or not (gaps or (shown.form and shown.form.permissions)):
        return None
    return Precision(
        bases=[
            BasisShown(
                name=basis, meaning=BASIS_WORDS[basis].short, missing=_missing(shown, gaps, basis)
            )
            for basis in BASES
        ],
        gaps=[
            Gap(
                label=shown.permission(gap["permission"]),
                name=gap["permission"],
                detail=gap["detail"],
            )
            for gap in gaps
        ],
        remedy=next((gap["remedy_url"] for gap in gaps if gap["remedy_url"]), None),
    )


def _missing(shown: ProviderShown, gaps: Sequence[Mapping[str, Any]], basis: Basis) -> list[str]:
    return [shown.permission(gap["permission"]) for gap in gaps if basis in gap["bases"]]
