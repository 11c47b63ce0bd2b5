"""Credit notes as facts: by themselves, by their ids and by the invoice that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from nullspend_margins import RevenueFact
from nullspend_margins_stripe.contra_facts import credit_note_fact, nothing_of
from nullspend_margins_stripe.failures import settled
from nullspend_margins_stripe.objects import CreditNote, Invoice
from nullspend_margins_stripe.optional_lists import CREDIT_NOTES
from nullspend_margins_stripe.reading import Reading
from nullspend_margins_stripe.requests import Asker

_PAGE = 100


async def note_fact(asker: Asker, reading: Reading, note: CreditNote) -> RevenueFact | None:
    """The fact of a note, at the rate of its invoice; ``None`` where it takes nothing off."""
    if isinstance(note.invoice, Invoice):
        await reading.rates.look_up(asker, [note.invoice])
    make = partial(credit_note_fact, note, tag_key=reading.tag_key, rates=reading.rates.known)
    return settled(make)


async def note_again(asker: Asker, reading: Reading, note_id: str) -> Sequence[RevenueFact]:
    """An older credit note: one that is void by now is told as nothing."""
    note = await reading.lists.one(asker, CREDIT_NOTES, note_id, note_expansions(reading))
    if note is None or not reading.counts(note):
        return ()
    return [await note_fact(asker, reading, note) or nothing_of(note)]


async def notes_of(asker: Asker, reading: Reading, invoice_id: str) -> list[CreditNote]:
    """All credit notes of an invoice, whenever they were made."""

    def read(notes: list[CreditNote]) -> list[CreditNote]:
        mine = [one for one in notes if reading.counts(one)]
        for note in mine:
            credit_note_fact(note, tag_key="")  # one that is of no use is asked for again
        return mine

    found: list[CreditNote] = []
    asked: dict[str, str | int | Sequence[str]] = {"invoice": invoice_id, "limit": _PAGE}
    expand = note_expansions(reading)
    pages = reading.lists.pages(asker, CREDIT_NOTES, asked, read, expand=expand)
    async with aclosing(pages):
        async for notes in pages:
            found += notes
    return found


async def notes_with(asker: Asker, reading: Reading, invoice: Invoice) -> list[RevenueFact]:
    """The facts of the notes of an invoice that is older than the window.

    Those made while it was open took nothing off until it was paid, and no list of the window has
    them. Most invoices tell that they have none.
    """
    amounts = invoice.pre_payment_credit_notes_amount, invoice.post_payment_credit_notes_amount
    if amounts == (0, 0):
        return []
    notes = await notes_of(asker, reading, invoice.id)
    found = [await note_fact(asker, reading, note) for note in notes]
    return [fact for fact in found if fact is not None]


def note_expansions(reading: Reading) -> list[str]:
    """What is expanded in a note: whether its invoice is paid, and at which rate."""
    return ["invoice", "invoice.payments"] if reading.rates.is_wanted else ["invoice"]
