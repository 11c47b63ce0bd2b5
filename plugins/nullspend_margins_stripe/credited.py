"""How much of which refunds credit notes speak for."""

from __future__ import annotations

from collections.abc import Iterable

from nullspend_margins_stripe.contra_facts import credited_refunds
from nullspend_margins_stripe.objects import CreditNote, id_of


class Credited:
    """What the notes that were read say of refunds. A note that is read again counts once."""

    __slots__ = ("_amounts", "_invoices")

    def __init__(self) -> None:
        self._amounts: dict[str, dict[str, int]] = {}
        self._invoices: dict[str, str] = {}

    def note(self, note: CreditNote) -> Iterable[str]:
        """Keep what a note says; the ids of its refunds."""
        found = credited_refunds(note)
        for refund_id, amount in found.items():
            self._amounts.setdefault(refund_id, {})[note.id] = amount
            if invoice_id := id_of(note.invoice):
                self._invoices[refund_id] = invoice_id
        return found

    def amount(self, refund_id: str) -> int:
        """How much of a refund is credited."""
        return sum(self._amounts.get(refund_id, {}).values())

    def invoice_of(self, refund_id: str) -> str | None:
        """The invoice whose notes speak for a refund, if a note that was read does."""
        return self._invoices.get(refund_id)
