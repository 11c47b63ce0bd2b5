"""Which of a company's objects a sync can know of, and what it keeps of them from sync to sync.

Lists are asked for by when an object was made; what is older is known from its payments, from
events, or from the syncs before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tests.properties import revenue_model as model
from tests.properties.company import Company
from tests.properties.revenue_model import DIGITS, Json, Month, Paid, Thing, id_of

CHARGES, NOTES, DISPUTES = "rak_charge_read", "rak_credit_note_read", "rak_dispute_read"
EVENTS, BALANCE = "rak_event_read", "rak_balance_transaction_source_read"
OPTIONAL = (CHARGES, NOTES, DISPUTES, EVENTS, BALANCE)

WINDOW_MONTHS = 4
LATE_MONTHS = 12
DISPUTE_MONTHS = 6


@dataclass(frozen=True)
class Look:
    """A sync's view of a company: which months it asks for, what it may read, if it converts."""

    company: Company
    last: Month
    converts: bool = False
    missing: frozenset[str] = frozenset()
    is_full: bool = True
    """Late payments are looked for in lists, not only told of by events."""
    months: int = WINDOW_MONTHS

    @property
    def first(self) -> Month:
        return model.following(self.last, 1 - self.months)

    def has(self, moment: int, earlier: int = 0) -> bool:
        """Whether it is in the window, or so many months before."""
        return model.following(self.first, -earlier) <= model.month_of(moment) <= self.last

    def may(self, *permissions: str) -> bool:
        return not self.missing & {*permissions}

    def is_ours(self, one: Json) -> bool:
        """Live objects for a live key, and none that belong to a test's clock."""
        is_of_mode = one.get("livemode", self.company.livemode) is self.company.livemode
        return is_of_mode and one.get("test_clock") is None


def told(look: Look) -> Iterator[Thing]:
    """All that a sync brings: what was made in the window, and late payments."""
    company = look.company
    for invoice in company.invoices.values():
        if is_listed(look, invoice):
            yield from invoice_of(look, invoice)
            if not look.has(invoice["created"]):
                yield from notes_of(look, invoice)
    for refund in company.refunds.values():
        if look.has(refund["created"]) or is_credited_now(look, refund):
            yield from refund_of(look, refund)
    for note in company.credit_notes.values():
        if look.has(note["created"]):
            yield from credit_note_of(look, note)
    for dispute in company.disputes.values():
        if look.has(dispute["created"], DISPUTE_MONTHS) or has_moved(look, dispute):
            yield from dispute_of(look, dispute)


def has_moved(look: Look, dispute: Json) -> bool:
    """An older one that moved money in the window."""
    moved = [move["created"] for move in dispute["balance_transactions"]]
    is_near = look.is_full and look.has(dispute["created"], LATE_MONTHS)
    return is_near and any(look.has(each) for each in moved)


def undone(look: Look) -> Iterator[str]:
    """Refunds and notes that count no more, if they are not too old to be looked at."""
    shelves = {
        CHARGES: (look.company.refunds, {"failed", "canceled"}),
        NOTES: (look.company.credit_notes, {"void"}),
    }
    for permission, (objects, statuses) in shelves.items():
        for one in objects.values() if look.may(permission) else ():
            if one["status"] in statuses and look.has(one["created"], LATE_MONTHS):
                yield one["id"]


def is_listed(look: Look, invoice: Json) -> bool:
    """Made in the window; or not too long before, and money for it came in the window."""
    if look.has(invoice["created"]):
        return True
    may_be_paid = invoice["status"] in ("paid", "open", "uncollectible")
    if not may_be_paid or not look.has(invoice["created"], LATE_MONTHS):
        return False
    return look.is_full and any(look.has(each.moment) for each in payments_of(look, invoice))


def services(look: Look) -> Iterator[Thing]:
    """Of invoices that were made and paid before: what they accrue, if that goes on in the window.

    Told only where nothing of them is known.
    """
    for invoice in look.company.invoices.values():
        is_near = look.has(invoice["created"], LATE_MONTHS) and not look.has(invoice["created"])
        if not is_near or invoice["status"] != "paid" or is_listed(look, invoice):
            continue
        for thing in invoice_of(look, invoice):
            parts = tuple(part for part in thing.parts if part.bases == ("accrual",))
            ends = [part.start if part.end is None else part.end for part in parts]
            if any(end > model.begin_of(look.first) for end in ends):
                yield thing._replace(parts=parts)


def again(look: Look, object_id: str) -> Iterator[Thing]:
    """One object that an event has told of, as it is now."""
    company = look.company
    if object_id in company.invoices:
        yield from invoice_of(look, company.invoices[object_id])
        yield from notes_of(look, company.invoices[object_id])
    elif object_id in company.refunds:
        yield from refund_of(look, company.refunds[object_id])
    elif object_id in company.credit_notes:
        yield from credit_note_of(look, company.credit_notes[object_id])
    elif object_id in company.disputes:
        yield from dispute_of(look, company.disputes[object_id])


def invoice_of(look: Look, invoice: Json) -> Iterator[Thing]:
    """A paid invoice; of one that is open or given up what was paid."""
    payments = payments_of(look, invoice)
    counts = invoice["status"] == "paid" or (
        invoice["status"] in ("open", "uncollectible") and payments
    )
    if look.is_ours(invoice) and counts:
        yield model.invoice_thing(invoice, payments, invoice_rate(payments))


def invoice_rate(payments: Sequence[Paid]) -> Fraction | None:
    """That of the first payment with one."""
    return next((each.rate for each in payments if each.rate is not None), None)


def payments_of(look: Look, invoice: Json) -> list[Paid]:
    """In time order, with what was paid and no payment tells of."""
    found = []
    paid_at = invoice["status_transitions"]["paid_at"]
    late = paid_at if paid_at is not None else invoice["created"]
    for payment in look.company.payments_of(invoice["id"]):
        if payment["status"] == "paid":
            moment = payment["status_transitions"]["paid_at"]
            moment = late if moment is None else moment
            found.append(Paid(moment, False, payment["amount_paid"], payment_rate(look, payment)))
    found.sort(key=lambda each: each.moment)
    rest = invoice["amount_paid"] - sum(each.amount for each in found)
    if rest > 0 and invoice["status"] == "paid":
        found.append(Paid(late, True, rest, None))
    return found


def payment_rate(look: Look, payment: Json) -> Fraction | None:
    """Stripe's, if the payment has a charge."""
    source = payment["payment"]
    return source_rate(look, {source.get("payment_intent"), source.get("charge")})


def source_rate(look: Look, names: set[str | None]) -> Fraction | None:
    """The rate of a charge, by its own id or that of its payment intent."""
    if look.converts and look.may(CHARGES, BALANCE):
        for charge in look.company.charges.values():
            if {charge["payment_intent"], charge["id"]} & (names - {None}):
                return rate_of(charge)
    return None


def rate_of(moved: Json) -> Fraction | None:
    """Dollars for one unit. Stripe's own is cents for the currency's minor unit."""
    transaction = moved["balance_transaction"]
    if transaction["currency"] != "usd" or transaction["exchange_rate"] is None:
        return None
    cents = Fraction(str(transaction["exchange_rate"]))
    return cents * Fraction(10 ** DIGITS[moved["currency"]], 100)


def refund_of(look: Look, refund: Json) -> Iterator[Thing]:
    """One that went through."""
    if refund["status"] != "succeeded" or not look.may(CHARGES):
        return
    links = credited_by(look, refund) if look.may(NOTES) else []
    rate = rate_of(refund) if look.converts and look.may(BALANCE) else None
    if rate is None:
        rate = source_rate(look, {refund["payment_intent"], refund["charge"]})
    credited = sum(amount for _, amount in links)
    yield model.refund_thing(refund, customer_of(look, refund), rate, credited=credited)


def credited_by(look: Look, refund: Json) -> list[tuple[int, int]]:
    """When credit notes were made that say what a refund is for, and of how much of it."""
    return [
        (note["created"], each["amount_refunded"])
        for note in look.company.credit_notes.values()
        if note["status"] == "issued" and look.is_ours(note)
        for each in note["refunds"]
        if each["refund"] == refund["id"]
    ]


def is_credited_now(look: Look, refund: Json) -> bool:
    """A note of the window says something of it."""
    links = credited_by(look, refund) if look.may(NOTES) else []
    return any(look.has(made) for made, _ in links)


def customer_of(look: Look, taken: Json) -> str | None:
    """Whose refund or dispute it is: by itself, its charge, or the invoice that it paid."""
    if taken.get("customer") is not None:
        return id_of(taken["customer"])
    if taken["charge"] is not None and look.may(CHARGES):
        found = look.company.charges[taken["charge"]]["customer"]
        if found is not None:
            return id_of(found)
    paid = look.company.paid_with(taken["charge"], taken["payment_intent"])
    return id_of(paid["customer"])


def credit_note_of(look: Look, note: Json) -> Iterator[Thing]:
    """An issued one, of an invoice that is paid; at the rate of the invoice, if that is known."""
    invoice = look.company.invoices[note["invoice"]]
    counts = note["status"] == "issued" and invoice["status"] == "paid" and look.may(NOTES)
    if counts and look.is_ours(note):
        yield model.credit_note_thing(note, invoice_rate(payments_of(look, invoice)))


def notes_of(look: Look, invoice: Json) -> Iterator[Thing]:
    """All of one invoice: those of when it was open count from when it is paid."""
    for note in look.company.credit_notes.values():
        if note["invoice"] == invoice["id"]:
            yield from credit_note_of(look, note)


def dispute_of(look: Look, dispute: Json) -> Iterator[Thing]:
    """Whatever it has moved."""
    moves = dispute["balance_transactions"]
    if moves and look.is_ours(dispute) and look.may(DISPUTES):
        yield model.dispute_thing(dispute, customer_of(look, dispute))


@dataclass
class Books:
    """What syncs have brought, by object: replaced whole, never added to."""

    things: dict[str, Thing] = field(default_factory=dict)
    last_full: int | None = None

    def sync(self, look: Look, now: int, touched: Iterable[str] = ()) -> None:
        """The window's objects are what they are now. Of other months those are replaced that a
        list or an event tells of; the others stay.
        """
        patience = 7 * 86_400 if look.may(EVENTS) else 86_400
        is_full = self.last_full is None or now - self.last_full >= patience
        look = replace(look, is_full=is_full)
        if is_full:
            self.last_full = now
        kept = {key: one for key, one in self.things.items() if not look.has(one.created)}
        for object_id in touched if look.may(EVENTS) else ():
            kept.pop(object_id, None)
            kept |= {one.object_id: one for one in again(look, object_id)}
        for object_id in undone(look) if is_full else ():
            kept.pop(object_id, None)
        self.things = kept | {one.object_id: one for one in told(look)}
        for thing in services(look) if is_full else ():
            self.things.setdefault(thing.object_id, thing)
