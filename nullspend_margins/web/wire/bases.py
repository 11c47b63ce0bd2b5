"""The bases of revenue on the wire: amounts side by side, and what a credential lets them be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins.web.wire.base import Microdollars, Wire

if TYPE_CHECKING:
    from nullspend_margins.domain.revenue_part import Basis

BasisName = Annotated[
    Literal["invoiced", "cash", "net", "accrual"],
    Meta(
        title="Basis",
        description="What counts as revenue, and when. `invoiced`: what paid invoices were paid,"
        " in the month they were made. `cash`: what was paid, when it was. `net`: cash less tax,"
        " refunds and disputes. `accrual`: the untaxed price of a service over the time it was"
        " given, less credit notes and other refunds.",
    ),
]
Precision = Annotated[
    Literal["exact", "approximate"],
    Meta(
        title="BasisPrecision",
        description="`approximate`: the credential may not read all that the basis is made of.",
    ),
]


class RevenueByBasis(Wire, frozen=True, gc=False):
    """Revenue of the period by each basis, microdollars."""

    invoiced: Annotated[Microdollars, Meta(description="What paid invoices were paid, by month.")]
    cash: Annotated[Microdollars, Meta(description="What was paid, when it was.")]
    net: Annotated[Microdollars, Meta(description="Cash less tax, refunds and disputes.")]
    accrual: Annotated[Microdollars, Meta(description="Service over the time it was given.")]


class BasesPrecision(Wire, frozen=True):
    """Which bases of revenue are exact with the stored credential, and which approximate."""

    invoiced: Precision
    cash: Precision
    net: Precision
    accrual: Precision


class MissingPermission(Wire, frozen=True, kw_only=True):
    """Something that the credential may not read. Not an error: a sync does without it."""

    permission: Annotated[
        str,
        Meta(description="The provider's name for it.", examples=["rak_charge_read"]),
    ]
    bases: Annotated[
        list[BasisName], Meta(description="The bases that are only approximate without it.")
    ]
    detail: Annotated[str, Meta(description="In a sentence, what is missing in the numbers.")]


class Permissions(Wire, frozen=True, kw_only=True):
    """What the credential may read, and which bases of revenue are exact with that."""

    bases: BasesPrecision
    missing: Annotated[
        list[MissingPermission],
        Meta(description="What it may not read; empty: nothing is missing."),
    ]
    remedy_url: Annotated[
        str | None,
        Meta(
            description="Where people get a credential that may read all; null when nothing is"
            " missing, or the provider has no such place."
        ),
    ]


PermissionsFound = Annotated[
    Permissions | None,
    Meta(
        description="What the credential may read; null: not known yet, since it has neither been"
        " asked about nor used."
    ),
]


def permissions_of(gaps: Sequence[Mapping[str, Any]] | None) -> Permissions | None:
    """The wire form of a connection's gaps; ``None``: they are not known yet."""
    if gaps is None:
        return None
    approximate = {basis for gap in gaps for basis in gap["bases"]}
    return Permissions(
        bases=BasesPrecision(*(_precision(basis in approximate) for basis in BASES)),
        missing=[
            MissingPermission(
                permission=gap["permission"], bases=_in_order(gap["bases"]), detail=gap["detail"]
            )
            for gap in gaps
        ],
        remedy_url=next((gap["remedy_url"] for gap in gaps if gap["remedy_url"]), None),
    )


def _in_order(bases: Sequence[str]) -> list[Basis]:
    return [basis for basis in BASES if basis in bases]


def _precision(is_approximate: bool) -> Precision:
    return "approximate" if is_approximate else "exact"
