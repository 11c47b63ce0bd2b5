"""What happened to older invoices since: payments of them, and what became of refunds and notes.

No list can be asked for what changed. Events tell, for 30 days and to keys that may read them;
they are pointers, and what they point to is read again. The first time, once a week, once a day
where events cannot be read, and where a backfill begins, the invoices of the months before the
window are listed, which also brings services that were paid before and go on in the window.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import msgspec

from nullspend_margins import Period, RevenueCursor, RevenueFact
from nullspend_margins_stripe.contra import DISPUTE_MONTHS, dispute_again, refund_again
from nullspend_margins_stripe.invoices import UNPAID, Facts, invoice_again, invoice_facts
from nullspend_margins_stripe.notes import note_again
from nullspend_margins_stripe.objects import Event, EventObject, id_of
from nullspend_margins_stripe.optional_lists import EVENTS
from nullspend_margins_stripe.reading import Reading, seconds
from nullspend_margins_stripe.requests import Asker
from nullspend_margins_stripe.undone import LOOKS

TYPES = (
    "invoice.paid",
    "invoice.updated",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "invoice_payment.paid",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
"""The events that say something of revenue; a list of events takes twenty types at most."""

_MINUTE, _DAY = 60, 86_400
_OVERLAP = 10 * _MINUTE
_MONTHS_AT_ONCE = 3
_LISTED_AGAIN = 7 * _DAY
_LISTED_WITHOUT_EVENTS = _DAY
# Stripe keeps events for 30 days.
_EVENTS_KEPT = 25 * _DAY


class Mark(msgspec.Struct, frozen=True):
    """How far earlier syncs came: Unix seconds up to which nothing was missed, and of the last
    listing of the months before the window.
    """

    seen: int
    listed: int


@dataclass(frozen=True, slots=True)
class _Pointers:
    """The ids of what events are about and is not in the lists of the window.

    ``recent`` are invoices of the window: what their payments' events tell is in its lists.
    """

    recent: set[str] = field(default_factory=set)
    invoices: set[str] = field(default_factory=set)
    refunds: set[str] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)
    disputes: set[str] = field(default_factory=set)

    def note(self, one: EventObject, first: int, disputes_from: int) -> None:
        """Keep what an event is about, if it was made before ``first`` (Unix seconds)."""
        created = first if one.created is None else one.created
        if one.object == "invoice_payment":
            self.invoices.update(filter(None, [id_of(one.invoice)]))
        elif one.object == "invoice":
            (self.invoices if created < first else self.recent).add(one.id or "")
        elif one.object == "dispute" and created < disputes_from:
            self.disputes.add(one.id or "")
        elif one.object in {"refund", "credit_note"} and created < first:
            (self.refunds if one.object == "refund" else self.notes).add(one.id or "")


class LateLook:
    """One sync's look at what is older than its window."""

    __slots__ = ("_events_were_read", "_mark", "_now", "_reading")

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._now = int(reading.now.timestamp())
        self._mark = _mark_of(reading.window.cursor)
        self._events_were_read = False

    async def changed(self, asker: Asker) -> Facts:
        """What events of since the last sync point to."""
        found = _Pointers()
        since = self._mark.seen if self._mark and not self._is_stale(self._mark) else self._now
        asked: dict[str, str | int | Sequence[str]] = {
            "created[gte]": since - _OVERLAP,
            "limit": self._reading.page_size,
            "types[]": TYPES,
        }
        read = partial(self._point, found)
        pages = self._reading.lists.pages(asker, EVENTS, asked, read)
        async with aclosing(pages):
            async for _ in pages:
                self._events_were_read = True
        if self._mark is None:
            return
        async with aclosing(self._told(asker, found)) as told:
            async for facts in told:
                yield facts

    @property
    def is_due(self) -> bool:
        """Whether the months before the window are listed now. Asked once events were read."""
        if self._reading.window.is_backfill:
            return self._reading.window.looks_back
        if self._mark is None or self._is_stale(self._mark):
            return True
        patience = _LISTED_AGAIN if self._events_were_read else _LISTED_WITHOUT_EVENTS
        return self._now - self._mark.listed >= patience

    def listings(self) -> list[Callable[[Asker], Facts]]:
        """Cursors of the months before the window: invoices that were paid in the window, and what
        became of refunds, credit notes and disputes.

        Some months each: most accounts have a page or two in all of them. Of invoices that were
        paid in part there are few, whose months are one list.
        """
        reading, first = self._reading, self._reading.window.first
        spans = [
            (
                "paid",
                first.shift(-min(back + _MONTHS_AT_ONCE, reading.late_months)),
                first.shift(-back),
            )
            for back in range(0, reading.late_months, _MONTHS_AT_ONCE)
        ]
        if reading.late_months:
            spans += [(status, first.shift(-reading.late_months), first) for status in UNPAID]

        def listing(status: str, start: Period, end: Period, asker: Asker) -> Facts:
            return invoice_facts(asker, reading, status, start, end, self._of_use)

        cursors: list[Callable[[Asker], Facts]] = [partial(listing, *span) for span in spans]
        if reading.late_months and not reading.window.is_backfill:
            cursors += [partial(_looked, look, reading) for look in LOOKS]
        return cursors

    @property
    def cursor(self) -> RevenueCursor:
        """Where the next sync goes on, if this one succeeds."""
        mark, is_due = self._mark, self.is_due
        knows_all = is_due or mark is None or self._events_were_read
        new = Mark(
            seen=self._now if knows_all or mark is None else mark.seen,
            listed=self._now if is_due or mark is None else mark.listed,
        )
        return RevenueCursor(msgspec.json.encode(new).decode())

    def _is_stale(self, mark: Mark) -> bool:
        return self._now - mark.seen >= _EVENTS_KEPT

    def _of_use(self, fact: RevenueFact) -> RevenueFact | None:
        """All of an invoice that was paid in the months of the window, or from a backfill's first
        month on: the months after it are brought next.

        Of one that was paid before, and whose service goes on in them (an annual plan), what it
        accrues: its own month may never have been read, and must not look as if it had been.
        """
        window = self._reading.window
        first = window.first.start
        end = None if window.looks_back else window.last.end
        services = []
        for part in fact.all_parts:
            at = part.occurred_at
            if part.kind == "payment" and first <= at and (end is None or at < end):
                return fact
            if part.kind == "line" and (part.until or part.occurred_at) > first:
                services.append(part)
        if not services:
            return None
        accrued = tuple(part for part in fact.all_parts if part.kind == "line")
        return msgspec.structs.replace(fact, parts=accrued, is_partial=True)

    def _point(self, found: _Pointers, events: list[Event]) -> None:
        first = self._reading.window.first
        disputes_from = seconds(first.shift(-DISPUTE_MONTHS))
        for event in events:
            if event.data.object.id and self._reading.counts(event):
                found.note(event.data.object, seconds(first), disputes_from)

    async def _told(self, asker: Asker, found: _Pointers) -> Facts:
        reading = self._reading
        for invoice_id in sorted(found.invoices - found.recent):
            if facts := await invoice_again(asker, reading, invoice_id):
                yield facts
        again: list[tuple[set[str], Callable[..., Awaitable[Sequence[RevenueFact]]]]] = [
            (found.refunds, refund_again),
            (found.notes, note_again),
            (found.disputes, dispute_again),
        ]
        for ids, read in again:
            for object_id in sorted(ids):
                if facts := await read(asker, reading, object_id):
                    yield facts


def _looked(look: Callable[[Asker, Reading], Facts], reading: Reading, asker: Asker) -> Facts:
    return look(asker, reading)


def _mark_of(cursor: str | None) -> Mark | None:
    """The mark that the last sync left; one that cannot be read is none."""
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(cursor, type=Mark)
    except msgspec.DecodeError:
        return None
