"""Lists that a key may do without: what it may not read becomes a gap, not an error."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from nullspend_margins import PermissionMissing
from nullspend_margins_stripe import permissions
from nullspend_margins_stripe.answers import (
    CHARGE,
    CREDIT_NOTE,
    DISPUTE,
    EVENT,
    REFUND,
    ObjectKind,
)
from nullspend_margins_stripe.failures import Unknown
from nullspend_margins_stripe.objects import Charge, CreditNote, Dispute, Event, Identified, Refund
from nullspend_margins_stripe.permissions import GapBook, Loss
from nullspend_margins_stripe.requests import Asker, Params

O = TypeVar("O", bound=Identified)  # noqa: E741 - an object
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class OptionalList(Generic[O]):
    """A list, what is missing without it, and without what is expanded in it."""

    kind: ObjectKind[O]
    path: str
    loss: Loss
    expansion_losses: Sequence[tuple[str, Loss]] = ()

    def loss_of(self, path: str) -> Loss | None:
        """What is missing without the expansion ``path``."""
        return next((loss for known, loss in self.expansion_losses if known == path), None)


RATE = "balance_transaction"
"""What is expanded for its exchange rate."""
_RATES = ((RATE, permissions.RATES),)

REFUNDS: OptionalList[Refund] = OptionalList(REFUND, "/v1/refunds", permissions.REFUNDS, _RATES)
CREDIT_NOTES: OptionalList[CreditNote] = OptionalList(
    CREDIT_NOTE, "/v1/credit_notes", permissions.CREDIT_NOTES
)
DISPUTES: OptionalList[Dispute] = OptionalList(
    DISPUTE,
    "/v1/disputes",
    permissions.DISPUTES,
    (("charge", permissions.DISPUTED_CUSTOMERS),),
)
EVENTS: OptionalList[Event] = OptionalList(EVENT, "/v1/events", permissions.EVENTS)
CHARGES: OptionalList[Charge] = OptionalList(CHARGE, "/v1/charges", permissions.RATES)

PROBED: Sequence[OptionalList[Any]] = (REFUNDS, CREDIT_NOTES, DISPUTES, EVENTS)
"""What is tried before there is a sync: exchange rates are of use to few."""


class OptionalLists:
    """Reads such lists for one sync, and keeps what it may not read in ``gaps``."""

    __slots__ = ("gaps",)

    def __init__(self, gaps: GapBook) -> None:
        self.gaps: GapBook = gaps

    async def pages(
        self,
        asker: Asker,
        listed: OptionalList[O],
        params: Params,
        read: Callable[[list[O]], R],
        *,
        expand: Sequence[str] = (),
    ) -> AsyncGenerator[R, None]:
        """Every page as ``read`` makes it; none, and a gap, where Stripe refuses the list.

        ``expand`` are paths in one object; one that it refuses is left out. Raises
        ``PermissionMissing`` for what a sync cannot do without.
        """
        wanted: Sequence[str] = expand
        more = True
        while more:
            more = False
            asked = {**params, "expand[]": [f"data.{path}" for path in wanted]}
            pages = asker.pages(listed.kind, listed.path, asked, read, optional=True)
            try:
                async with aclosing(pages):
                    async for page in pages:
                        yield page
            except Unknown:
                self.gaps.add(listed.loss)
            except PermissionMissing as missing:
                left = self._without(listed, wanted, missing)
                more, wanted = left is not None, left or ()

    async def one(
        self, asker: Asker, listed: OptionalList[O], object_id: str, expand: Sequence[str] = ()
    ) -> O | None:
        """One object of a list by its id; ``None`` where there is none, or Stripe refuses it."""
        path = f"{listed.path}/{quote(object_id, safe='')}"
        wanted: Sequence[str] | None = expand
        while wanted is not None:
            asked = {"expand[]": wanted}
            try:
                return await asker.one(listed.kind, path, asked, expected=object_id)
            except PermissionMissing as missing:
                wanted = self._without(listed, wanted, missing)
        return None

    async def probe(self, asker: Asker, listed: OptionalList[Any]) -> None:
        """Ask for one object, to see whether the key may."""
        async with aclosing(self.pages(asker, listed, {"limit": 1}, _nothing)) as pages:
            async for _ in pages:
                return

    def _without(
        self, listed: OptionalList[O], wanted: Sequence[str], missing: PermissionMissing
    ) -> Sequence[str] | None:
        """The expansions that are left to try; ``None``: the list itself is refused."""
        if missing.permission in permissions.NEEDED:
            raise missing
        if missing.permission != listed.loss.permission:
            for path in wanted:
                loss = listed.loss_of(path)
                if loss is not None and loss.permission == missing.permission:
                    self.gaps.add(loss)
                    return [other for other in wanted if other != path]
        self.gaps.add(listed.loss, missing.permission)
        return None


def _nothing(_objects: object) -> None:
    """That the list answers is all that is asked."""
