"""Lists of invoices as facts, page by page, with all of their lines and payments."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from nullspend_margins import Period, PermissionMissing, ProviderUnavailable, RevenueFact
from nullspend_margins_stripe import permissions
from nullspend_margins_stripe.answers import (
    INVOICE,
    INVOICE_LINE,
    INVOICE_PAYMENT,
    ObjectKind,
)
from nullspend_margins_stripe.facts import with_customer
from nullspend_margins_stripe.failures import Unknown, settled
from nullspend_margins_stripe.invoice_facts import invoice_fact
from nullspend_margins_stripe.notes import notes_with
from nullspend_margins_stripe.objects import Identified, Invoice, Page, id_of
from nullspend_margins_stripe.payments import PAID
from nullspend_margins_stripe.permissions import Loss
from nullspend_margins_stripe.reading import Reading, seconds
from nullspend_margins_stripe.requests import Asker, Params

O = TypeVar("O", bound=Identified)  # noqa: E741 - an object

Facts = AsyncGenerator[Sequence[RevenueFact], None]
OfUse = Callable[[RevenueFact], RevenueFact | None]
"""What of a fact is told; ``None``: nothing of it."""

UNPAID = ("open", "uncollectible")
"""Statuses of invoices that may be paid in part."""

_PATH = "/v1/invoices"
_EXPANDED = ("customer", "payments")
_PAGE = 100
_MOST_PARTS = 10_000


class InvoicePage(NamedTuple):
    """Invoices, and the fact of each as it came; ``None``: nothing was paid."""

    invoices: list[Invoice]
    facts: list[RevenueFact | None]

    def let_go(self) -> None:
        """Nobody needs it any more, though it is still named somewhere."""
        self.invoices.clear()
        self.facts.clear()


async def invoice_facts(
    asker: Asker,
    reading: Reading,
    status: str,
    first: Period,
    end: Period,
    of_use: OfUse | None = None,
) -> Facts:
    """Facts of the invoices of a status made from ``first`` up to the start of ``end``.

    Stripe was asked for exactly those; others are dropped all the same, because a fact counts
    whatever it was asked by. ``of_use`` says what of a fact is told; without it, all.
    """
    since, until = seconds(first), seconds(end)
    statuses = PAID if status in PAID else {status}

    def read(invoices: list[Invoice]) -> InvoicePage:
        mine = [
            one
            for one in invoices
            if since <= one.created < until and one.status in statuses and reading.counts(one)
        ]
        return InvoicePage(mine, [_fact(reading, one) for one in mine])

    params = {
        "status": status,
        **reading.created(first, end),
        "expand[]": [f"data.{name}" for name in _EXPANDED],
    }
    async with aclosing(asker.pages(INVOICE, _PATH, params, read)) as pages:
        async for page in pages:
            wanted = _wanted(page, of_use)
            facts = _told(await _finished(asker, reading, wanted), of_use)
            if facts and first < reading.window.first:
                facts = await _with_notes(asker, reading, wanted.invoices, facts)
            page.let_go()  # while the next one is fetched
            wanted.let_go()
            if facts:
                yield facts


async def invoice_again(asker: Asker, reading: Reading, invoice_id: str) -> Sequence[RevenueFact]:
    """An invoice of before the window, with its credit notes; nothing where nothing was paid, or
    there is none. One of the window is in its lists.
    """
    path = f"{_PATH}/{quote(invoice_id, safe='')}"
    invoice = await asker.one(INVOICE, path, {"expand[]": list(_EXPANDED)}, expected=invoice_id)
    if invoice is None or not reading.counts(invoice) or not reading.is_old(invoice.created):
        return ()
    fact = settled(partial(_fact, reading, invoice))
    found = await _finished(asker, reading, InvoicePage([invoice], [fact]))
    return await _with_notes(asker, reading, [invoice], found)


def _wanted(page: InvoicePage, of_use: OfUse | None) -> InvoicePage:
    """The page without what is not told anyway: nothing more is asked about that."""
    if of_use is None and None not in page.facts:
        return page
    found = InvoicePage([], [])
    for invoice, fact in zip(page.invoices, page.facts, strict=True):
        has_more = invoice.payments is not None and invoice.payments.has_more
        if has_more or (fact is not None and (of_use is None or of_use(fact) is not None)):
            found.invoices.append(invoice)
            found.facts.append(fact)
    return found


def _told(facts: Sequence[RevenueFact], of_use: OfUse | None) -> Sequence[RevenueFact]:
    if of_use is None:
        return facts
    return [told for told in map(of_use, facts) if told is not None]


async def _with_notes(
    asker: Asker, reading: Reading, invoices: Sequence[Invoice], facts: Sequence[RevenueFact]
) -> Sequence[RevenueFact]:
    """The facts, and those of the credit notes of older invoices that are told as paid."""
    paid = {fact.object_id for fact in facts if fact.kind == "invoice" and not fact.is_partial}
    notes: list[RevenueFact] = []
    for invoice in invoices:
        if invoice.id in paid:
            notes += await notes_with(asker, reading, invoice)
    return [*facts, *notes] if notes else facts


async def _finished(asker: Asker, reading: Reading, page: InvoicePage) -> list[RevenueFact]:
    """The page's facts with what it leaves out: further lines and payments, rates, customers."""
    await reading.rates.look_up(asker, page.invoices)
    found: list[RevenueFact] = []
    unexpanded: set[str] = set()
    for invoice, told in zip(page.invoices, page.facts, strict=True):
        fact = told
        if _is_cut(invoice) or reading.rates.misses(invoice):
            whole = await _whole(asker, reading, invoice)
            await reading.rates.look_up(asker, [whole])
            fact = settled(partial(_fact, reading, whole))
        if fact is not None:
            found.append(fact)
            if isinstance(invoice.customer, str) and invoice.customer:
                unexpanded.add(invoice.customer)
    return await _named(asker, reading, found, unexpanded) if unexpanded else found


async def _named(
    asker: Asker, reading: Reading, facts: list[RevenueFact], unexpanded: set[str]
) -> list[RevenueFact]:
    """The facts with the records of customers that the page names by id alone.

    Stripe was asked not to do that.
    """
    await reading.customers.look_up(asker, unexpanded)
    found = [reading.customers.get(fact.customer_id) for fact in facts]
    return [
        with_customer(fact, customer, reading.tag_key) if customer else fact
        for fact, customer in zip(facts, found, strict=True)
    ]


async def _whole(asker: Asker, reading: Reading, invoice: Invoice) -> Invoice:
    """The invoice with all of its lines and payments, of which it has the first few in itself."""
    lines, payments = invoice.lines, invoice.payments
    if lines is not None and lines.has_more:
        path = f"{_PATH}/{quote(invoice.id, safe='')}/lines"
        with _without(reading, permissions.LINES):
            lines = await _rest(asker, INVOICE_LINE, path, {}, lines.data)
    if payments is not None and payments.has_more:
        # From the beginning: in a list of their own they may have another order.
        asked = {"invoice": invoice.id, "status": "paid"}
        with _without(reading, permissions.PAYMENTS):
            told = await _rest(asker, INVOICE_PAYMENT, "/v1/invoice_payments", asked, [])
            mine = [one for one in told.data if id_of(one.invoice) in (None, invoice.id)]
            payments = Page(mine) if mine else payments
    return msgspec.structs.replace(invoice, lines=lines, payments=payments)


async def _rest(
    asker: Asker, kind: ObjectKind[O], path: str, params: Params, known: list[O]
) -> Page[O]:
    """``known`` and all that a list has after them.

    Raises ``Unknown`` where there is no such list, and ``PermissionMissing``.
    """
    found = [*known]
    pages = asker.pages(
        kind,
        path,
        {**params, "limit": _PAGE},
        lambda page: page,
        after=known[-1].id if known else None,
        optional=True,
    )
    async with aclosing(pages):
        async for page in pages:
            found += page
            if len(found) > _MOST_PARTS:
                raise ProviderUnavailable(
                    f"An invoice has more than {_MOST_PARTS:,} {kind.name}s. Nothing was changed."
                )
    return Page(found)


@contextmanager
def _without(reading: Reading, loss: Loss) -> Iterator[None]:
    """What is read in it may be missing, and is told so.

    Stripe has it. Where the key may not read it, or what stands in Stripe's place has no such list,
    the invoice is worth more than how its lines share it.
    """
    try:
        yield
    except Unknown:
        reading.lists.gaps.add(loss)
    except PermissionMissing as missing:
        reading.lists.gaps.add(loss, missing.permission)


def _is_cut(invoice: Invoice) -> bool:
    """Whether the invoice has only some of its lines or payments in itself."""
    return bool(
        (invoice.lines and invoice.lines.has_more)
        or (invoice.payments and invoice.payments.has_more)
    )


def _fact(reading: Reading, invoice: Invoice) -> RevenueFact | None:
    return invoice_fact(invoice, tag_key=reading.tag_key, rates=reading.rates.known)
