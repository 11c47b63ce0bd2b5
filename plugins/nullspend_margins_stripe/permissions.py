"""The permissions of a restricted key: what each is good for, and what is missing without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from nullspend_margins import Basis, RevenueGap

CUSTOMERS, INVOICES = "rak_customer_read", "rak_invoice_read"
NEEDED = (CUSTOMERS, INVOICES)
"""Without these there is no sync."""

ALL = (
    *NEEDED,
    "rak_charge_read",
    "rak_credit_note_read",
    "rak_dispute_read",
    "rak_event_read",
    "rak_balance_transaction_source_read",
)
"""All that are of use, as a key for every basis has them."""

_DASHBOARD = "https://dashboard.stripe.com"


@dataclass(frozen=True, slots=True)
class Loss:
    """What a permission that is missing takes away: from which bases, in a sentence."""

    permission: str
    bases: Sequence[Basis]
    detail: str


REFUNDS = Loss(
    "rak_charge_read",
    ("net", "accrual"),
    "Refunds cannot be read, so net and accrual revenue still have in them what was refunded.",
)
CREDIT_NOTES = Loss(
    "rak_credit_note_read",
    ("accrual",),
    "Credit notes cannot be read, so accrual revenue still has in it what they credit.",
)
DISPUTES = Loss(
    "rak_dispute_read",
    ("net",),
    "Disputes cannot be read, so net revenue still has in it what they withdrew.",
)
DISPUTED_CUSTOMERS = Loss(
    "rak_charge_read",
    ("net",),
    "Charges cannot be read, so disputes are of no customer and do not count.",
)
EVENTS = Loss(
    "rak_event_read",
    ("cash", "net", "accrual"),
    "Events cannot be read, so late payments of older invoices, and what becomes of older refunds "
    "and credit notes, are found once a day only.",
)
LINES = Loss(
    INVOICES,
    ("accrual",),
    "Not all lines of long invoices can be read, so accrual revenue spreads them by the first few.",
)
PAYMENTS = Loss(
    INVOICES,
    ("cash", "net"),
    "Not all payments of invoices with many can be read, so cash and net revenue have what these "
    "were paid when they were paid in full.",
)
RATES = Loss(
    "rak_balance_transaction_source_read",
    ("invoiced", "cash", "net", "accrual"),
    "Stripe's exchange rates cannot be read, so other currencies count only at configured rates.",
)


def remedy_url(*, livemode: bool) -> str:
    """Where a key with all permissions is made: Stripe's own form, filled in."""
    mode = "" if livemode else "/test"
    ticked = "&".join(f"permissions[]={each}" for each in ALL)
    return f"{_DASHBOARD}{mode}/apikeys/create?name={quote('NullSpend Margins')}&{ticked}"


class GapBook:
    """What one sync could not read, one entry for each permission."""

    __slots__ = ("_losses", "_url")

    def __init__(self, *, livemode: bool) -> None:
        self._url = remedy_url(livemode=livemode)
        self._losses: dict[str, list[Loss]] = {}

    def add(self, loss: Loss, permission: str | None = None) -> None:
        """Something is missing, for want of ``permission`` if Stripe named another."""
        losses = self._losses.setdefault(permission or loss.permission, [])
        if loss not in losses:
            losses.append(loss)

    def all(self) -> list[RevenueGap]:
        """The gaps, in the order of the permissions' names."""
        return [
            RevenueGap(
                permission=permission,
                bases=tuple(dict.fromkeys(basis for loss in losses for basis in loss.bases)),
                detail=" ".join(loss.detail for loss in losses),
                remedy_url=self._url,
            )
            for permission, losses in sorted(self._losses.items())
        ]
