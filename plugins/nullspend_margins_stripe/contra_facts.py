"""How what is taken back becomes revenue facts: refunds, credit notes and disputes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from nullspend_margins import ExchangeRate, RevenueFact, RevenuePart
from nullspend_margins_stripe.currencies import NO_RATES, Rates, minor_digits_of, rate_by, rate_of
from nullspend_margins_stripe.facts import (
    NO_PAYERS,
    Party,
    Payers,
    made,
    moment,
    party_of,
    payer_of,
    usable,
)
from nullspend_margins_stripe.failures import settled
from nullspend_margins_stripe.invoice_facts import invoice_rate
from nullspend_margins_stripe.objects import (
    BalanceTransaction,
    CreditNote,
    Dispute,
    Invoice,
    Refund,
    id_of,
)
from nullspend_margins_stripe.payments import PAID, sum_of
from nullspend_margins_stripe.texts import clean

ALL = 2**63
"""Of a refund: more than any is."""


def refund_fact(
    refund: Refund,
    *,
    tag_key: str,
    rates: Rates = NO_RATES,
    payers: Payers = NO_PAYERS,
    credited: int = 0,
) -> RevenueFact | None:
    """The fact of a refund, in the month it was made; ``None`` unless it succeeded.

    Taken off ``net`` whole (tax and all: it is the money that left), and off ``accrual`` less what
    of it is ``credited``: that a credit note takes off there. One that fails later has no fact any
    more, as if it had never been. Raises ``Transient`` for one that no fact can hold.
    """
    if refund.status != "succeeded" or not refund.amount:
        return None
    return usable("a refund", partial(_refund, refund, tag_key, rates, payers, credited))


def credit_note_fact(
    note: CreditNote, *, tag_key: str, rates: Rates = NO_RATES
) -> RevenueFact | None:
    """The fact of an issued credit note: ``total_excluding_tax`` off ``accrual``.

    At ``effective_at``, else when it was made. Not off ``net``: what is paid out of it is a refund.
    ``None`` for one that is void, and where the expanded invoice is known not to be paid, since
    that never accrued. Raises ``Transient`` for one that no fact can hold.
    """
    if not _counts(note):
        return None
    return usable("a credit note", partial(_credit_note, note, tag_key, rates))


def credited_refunds(note: CreditNote) -> dict[str, int]:
    """How much of which refunds, by id, an issued credit note speaks for in ``accrual``.

    Of an invoice that is not paid too: neither accrued, so there is nothing to take off. Where it
    does not tell how much it is all of it.
    """
    found: dict[str, int] = {}
    for one in note.refunds or () if note.status == "issued" else ():
        if refund_id := id_of(one.refund):
            amount = ALL if one.amount_refunded is None else one.amount_refunded
            found[refund_id] = found.get(refund_id, 0) + amount
    return found


def dispute_facts(
    dispute: Dispute, *, tag_key: str, payers: Payers = NO_PAYERS
) -> list[RevenueFact]:
    """The facts of a dispute: each of its balance transactions moves ``net`` in its own month.

    Negative when the money was withdrawn, positive when it was given back; in the currency of the
    account's balance. Nearly always one fact, with the dispute's id; where transactions are in
    several currencies, one each, the later ones with the currency in their id. None for a dispute
    that moved nothing. Raises ``Transient`` for one that no fact can hold.
    """
    by_currency: dict[str, list[BalanceTransaction]] = {}
    moved = [one for one in dispute.balance_transactions or () if one.amount]
    for one in sorted(moved, key=lambda one: (one.created, one.id)):
        by_currency.setdefault(one.currency.lower(), []).append(one)
    party = payer_of(None, dispute.charge, dispute.payment_intent, tag_key=tag_key, payers=payers)
    return [
        usable("a dispute", partial(_dispute, dispute, object_id, currency, found, party))
        for (currency, found), object_id in zip(
            by_currency.items(),
            [dispute.id, *(f"{dispute.id}/{currency}" for currency in [*by_currency][1:])],
            strict=False,
        )
    ]


def nothing_of(one: Refund | CreditNote) -> RevenueFact:
    """A fact without parts: it takes the place of what was told when it still counted."""
    kind = "refund" if isinstance(one, Refund) else "credit_note"

    def make() -> RevenueFact:
        return RevenueFact(
            object_id=one.id,
            customer_id=None,
            amount_minor=0,
            currency=one.currency.lower(),
            occurred_at=made(one.created),
            kind=kind,  # type: ignore[arg-type]  # both are kinds of facts
            parts=(),
        )

    return settled(partial(usable, f"a {kind}", make))


def _refund(
    refund: Refund, tag_key: str, rates: Rates, payers: Payers, credited: int
) -> RevenueFact:
    currency = refund.currency.lower()
    rate = rate_of(refund.balance_transaction, currency, refund.amount)
    uncredited = refund.amount - min(max(credited, 0), refund.amount)
    is_whole = uncredited == refund.amount
    part = RevenuePart(
        bases=("net", "accrual") if is_whole else ("net",),
        kind="refund",
        amount_minor=-refund.amount,
        occurred_at=made(refund.created),
        rate=rate or rate_by((refund.payment_intent, refund.charge), currency, rates),
    )
    rest = replace(part, bases=("accrual",), amount_minor=-uncredited)
    return RevenueFact(
        object_id=refund.id,
        amount_minor=-refund.amount,
        currency=currency,
        occurred_at=part.occurred_at,
        kind="refund",
        parts=(part,) if is_whole or not uncredited else (part, rest),
        minor_digits=minor_digits_of(currency),
        **payer_of(
            refund.customer,
            refund.charge,
            refund.payment_intent,
            tag_key=tag_key,
            payers=payers,
        ).fields(),
    )


def _credit_note(note: CreditNote, tag_key: str, rates: Rates) -> RevenueFact | None:
    untaxed = note.total_excluding_tax
    if untaxed is None:
        untaxed = note.total - sum_of(note.total_taxes)
    if not untaxed:
        return None
    currency = note.currency.lower()
    part = RevenuePart(
        bases=("accrual",),
        kind="credit_note",
        amount_minor=-untaxed,
        occurred_at=moment(note.effective_at) or made(note.created),
        rate=_note_rate(note, rates),
    )
    return RevenueFact(
        object_id=note.id,
        amount_minor=-note.total,
        currency=currency,
        occurred_at=made(note.created),
        kind="credit_note",
        parts=(part,),
        minor_digits=minor_digits_of(currency),
        **party_of(note.customer, tag_key=tag_key).fields(),
    )


def _dispute(
    dispute: Dispute,
    object_id: str,
    currency: str,
    moved: Sequence[BalanceTransaction],
    party: Party,
) -> RevenueFact:
    return RevenueFact(
        object_id=object_id,
        amount_minor=sum(one.amount for one in moved),
        currency=currency,
        occurred_at=made(dispute.created),
        kind="dispute",
        parts=tuple(
            RevenuePart(
                bases=("net",),
                kind="dispute",
                amount_minor=one.amount,
                occurred_at=made(one.created),
                part_id=clean(one.id),
            )
            for one in moved
        ),
        minor_digits=minor_digits_of(currency),
        **party.fields(),
    )


def _counts(note: CreditNote) -> bool:
    invoice = note.invoice
    return note.status == "issued" and not (
        isinstance(invoice, Invoice) and invoice.status not in PAID
    )


def _note_rate(note: CreditNote, rates: Rates) -> ExchangeRate | None:
    """The rate of the invoice that it takes back from."""
    currency = note.currency.lower()
    if isinstance(note.invoice, Invoice):
        return invoice_rate(note.invoice, rates)
    return rate_by((note.invoice,), currency, rates)
