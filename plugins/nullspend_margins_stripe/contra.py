"""What was taken back: refunds, credit notes and disputes, by when they were made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from nullspend_margins import Period, RevenueFact
from nullspend_margins_stripe.contra_facts import (
    credit_note_fact,
    dispute_facts,
    nothing_of,
    refund_fact,
)
from nullspend_margins_stripe.credited import Credited
from nullspend_margins_stripe.failures import settled
from nullspend_margins_stripe.invoices import Facts
from nullspend_margins_stripe.notes import note_expansions, note_fact, notes_of
from nullspend_margins_stripe.objects import CreditNote, Dispute, Refund
from nullspend_margins_stripe.optional_lists import CREDIT_NOTES, DISPUTES, RATE, REFUNDS
from nullspend_margins_stripe.payers import Payers
from nullspend_margins_stripe.reading import Reading
from nullspend_margins_stripe.requests import Asker

DISPUTE_MONTHS = 6
"""A bank takes months over a dispute, and moves money with each step."""


class Refunded:
    """Credit notes, and then refunds: whether one is a credit note's is told by the note alone."""

    __slots__ = ("_asker", "_credited", "_knows_later_notes", "_payers", "_reading", "_unmet")

    def __init__(self, asker: Asker, reading: Reading) -> None:
        self._asker = asker
        self._reading = reading
        self._payers = Payers()
        self._credited = Credited()
        self._unmet: set[str] = set()
        self._knows_later_notes = not reading.window.is_backfill

    async def facts(self) -> Facts:
        """All of the window, and refunds of before that a note of the window credits."""
        async with aclosing(self._notes()) as notes:
            async for facts in notes:
                yield facts
        async with aclosing(self._refunds()) as refunds:
            async for facts in refunds:
                yield facts

    async def _notes(self) -> Facts:
        reading, asker = self._reading, self._asker
        expand = note_expansions(reading)
        pages = reading.lists.pages(
            asker, CREDIT_NOTES, reading.made(), self._read_notes, expand=expand
        )
        async with aclosing(pages):
            async for notes in pages:
                facts = [await note_fact(asker, reading, note) for note in notes]
                yield [fact for fact in facts if fact is not None]

    def _read_notes(self, notes: list[CreditNote]) -> list[CreditNote]:
        mine = [one for one in notes if self._reading.counts(one)]
        for note in mine:
            credit_note_fact(note, tag_key="")  # one that is of no use is asked for again
            refunds = self._credited.note(note)
            if self._reading.is_in(note.created):
                self._unmet.update(refunds)
        return [one for one in mine if self._reading.is_in(one.created)]

    async def _refunds(self) -> Facts:
        reading, asker = self._reading, self._asker
        expand = _refund_expansions(reading)
        pages = reading.lists.pages(
            asker, REFUNDS, reading.made(), self._read_refunds, expand=expand
        )
        were_read = False
        async with aclosing(pages):
            async for refunds in pages:
                were_read = True
                if any(self._credited.amount(one.id) < one.amount for one in refunds):
                    await self._note_later_ones()
                yield await self._payers.named(asker, self._facts_of(refunds))
        if were_read:
            for refund_id in sorted(self._unmet):
                yield await refund_again(asker, reading, refund_id, self._credited)

    def _read_refunds(self, refunds: list[Refund]) -> list[Refund]:
        mine = [one for one in refunds if self._reading.is_in(one.created)]
        self._unmet.difference_update(one.id for one in mine)
        for one in mine:
            _refund_fact(self._reading, one, self._credited)  # of no use: it is asked for again
        return mine

    def _facts_of(self, refunds: Sequence[Refund]) -> list[RevenueFact]:
        found = []
        for refund in refunds:
            fact = settled(partial(_refund_fact, self._reading, refund, self._credited))
            self._payers.note(refund, fact)
            if fact is not None:
                found.append(fact)
        return found

    async def _note_later_ones(self) -> None:
        """What notes that were made after a backfill's month, up to now, say of its refunds.

        A sync's window ends now: there the first list has them all.
        """
        if self._knows_later_notes:
            return
        self._knows_later_notes = True
        reading = self._reading
        asked = reading.created(
            reading.window.last.shift(1), Period.containing(reading.now).shift(1)
        )
        pages = reading.lists.pages(self._asker, CREDIT_NOTES, asked, self._read_notes)
        async with aclosing(pages):
            async for _ in pages:
                pass


async def disputed(asker: Asker, reading: Reading) -> Facts:
    """Disputes of the window and of half a year before, with all that they moved."""

    def read(disputes: list[Dispute]) -> list[RevenueFact]:
        return [fact for one in disputes for fact in counted_disputes(reading, one)]

    window = reading.window
    looks_back = window.looks_back or not window.is_backfill
    asked = reading.made(earlier=DISPUTE_MONTHS if looks_back else 0)
    pages = reading.lists.pages(asker, DISPUTES, asked, read, expand=["charge"])
    async with aclosing(pages):
        async for facts in pages:
            yield facts


async def refund_again(
    asker: Asker, reading: Reading, refund_id: str, credited: Credited | None = None
) -> Sequence[RevenueFact]:
    """An older refund: one that failed is told as nothing.

    One that succeeded is told where a note is known that credits it, in ``credited``; else it is
    left as it was told, since its note is not known here. Where that note credits some of it, an
    older one may credit the rest.
    """
    expand = _refund_expansions(reading)
    refund = await reading.lists.one(asker, REFUNDS, refund_id, expand)
    if refund is None or not reading.counts(refund):
        return ()
    if refund.status != "succeeded":
        return [nothing_of(refund)]
    invoice_id = credited and credited.invoice_of(refund.id)
    if credited is None or not credited.amount(refund.id):
        return ()
    if invoice_id and credited.amount(refund.id) < refund.amount:
        for note in await notes_of(asker, reading, invoice_id):
            credited.note(note)
    fact = settled(partial(_refund_fact, reading, refund, credited))
    payers = Payers()
    payers.note(refund, fact)
    return () if fact is None else await payers.named(asker, [fact])


async def dispute_again(asker: Asker, reading: Reading, dispute_id: str) -> Sequence[RevenueFact]:
    """An older dispute, with what it has moved since."""
    dispute = await reading.lists.one(asker, DISPUTES, dispute_id, ["charge"])
    return [] if dispute is None else settled(partial(counted_disputes, reading, dispute))


def _refund_fact(reading: Reading, refund: Refund, credited: Credited) -> RevenueFact | None:
    if not reading.counts(refund):
        return None
    known, amount = reading.rates.known, credited.amount(refund.id)
    return refund_fact(refund, tag_key=reading.tag_key, rates=known, credited=amount)


def counted_disputes(reading: Reading, dispute: Dispute) -> list[RevenueFact]:
    """The facts of a dispute; none of one that is not real."""
    return dispute_facts(dispute, tag_key=reading.tag_key) if reading.counts(dispute) else []


def _refund_expansions(reading: Reading) -> list[str]:
    return ["charge", RATE] if reading.rates.is_wanted else ["charge"]
