"""What a company's Stripe objects are as revenue: brute force, written from the definitions.

Objects are dicts as Stripe's API shows them, times Unix seconds, amounts the currency's minor
unit; what comes out is microdollars by month and basis. Fractions and plain loops, no code of the
product: months by the calendar, a largest remainder and a rounding of its own.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

Json = dict[str, Any]
Month = tuple[int, int]
Cells = dict[tuple[Month, str], int]
"""By month and basis; what is 0 is not there."""
Rates = Mapping[tuple[str, Month], Fraction]
"""The operator's: dollars for one unit of a currency in a month."""

BASES = ("invoiced", "cash", "net", "accrual")
DIGITS = {"usd": 2, "eur": 2, "jpy": 0}
MOST = 2**63
"""Microdollars, and more, are in no table."""


class Part(NamedTuple):
    """Some of an object. From ``start`` to ``end``, or all at ``start``."""

    bases: tuple[str, ...]
    amount: int
    start: int
    end: int | None = None
    rate: Fraction | None = None


class Thing(NamedTuple):
    """An object that has to do with revenue, and what it is made of."""

    object_id: str
    customer: str | None
    created: int
    currency: str
    parts: tuple[Part, ...]


def month_of(seconds: int) -> Month:
    return time.gmtime(seconds)[:2]


def following(month: Month, by: int = 1) -> Month:
    count = month[0] * 12 + month[1] - 1 + by
    return count // 12, count % 12 + 1


def begin_of(month: Month) -> int:
    return calendar.timegm((*month, 1, 0, 0, 0))


def half_up(value: Fraction) -> int:
    """To the nearest integer; a negative number as its opposite."""
    return floor(value + Fraction(1, 2)) if value >= 0 else -half_up(-value)


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` by weights: rounded down, then one each for those that lost most by it.

    Of equals the earlier. What is negative is split as its opposite.
    """
    if total < 0:
        return [-share for share in largest_remainder(-total, weights)]
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    shares = [floor(share) for share in exact]
    losers = sorted(range(len(exact)), key=lambda place: (shares[place] - exact[place], place))
    for place in losers[: total - sum(shares)]:
        shares[place] += 1
    return shares


def over_time(amount: int, start: int, end: int | None) -> list[tuple[Month, int]]:
    """An amount over the months of ``[start, end)``, by the seconds of each."""
    if end is None or end <= start:
        return [(month_of(start), amount)]
    months, seconds = [], []
    month = month_of(start)
    while begin_of(month) < end:
        months.append(month)
        seconds.append(min(end, begin_of(following(month))) - max(start, begin_of(month)))
        month = following(month)
    return list(zip(months, largest_remainder(amount, seconds), strict=True))


def in_dollars(amount: int, currency: str, rate: Fraction) -> int:
    """In microdollars."""
    return half_up(rate * amount * 1_000_000 / 10 ** DIGITS[currency])


def cells_of(thing: Thing, rates: Rates | None) -> Cells:
    """What one object is. ``rates`` ``None``: other currencies are not converted.

    Nothing at all where its customer is not known, any part of it cannot be told in dollars, or is
    more than 9.2 trillion of them.
    """
    found: Cells = {}
    if thing.customer is None:
        return found
    for part in thing.parts:
        rate = _rate(thing, part, rates)
        if rate is None:
            return {}
        # Months are of the currency's own unit; converted, they add up to the converted whole.
        so_far = 0
        for month, amount in over_time(part.amount, part.start, part.end):
            before, so_far = so_far, so_far + amount
            share = in_dollars(so_far, thing.currency, rate)
            share -= in_dollars(before, thing.currency, rate)
            for basis in part.bases:
                found[month, basis] = found.get((month, basis), 0) + share
        if abs(in_dollars(part.amount, thing.currency, rate)) >= MOST:
            return {}
    if any(abs(amount) >= MOST for amount in found.values()):
        return {}
    return {place: amount for place, amount in found.items() if amount}


def _rate(thing: Thing, part: Part, rates: Rates | None) -> Fraction | None:
    if thing.currency == "usd":
        return Fraction(1)
    if rates is None:
        return None
    if part.rate is not None:
        return part.rate
    own = rates.get((thing.currency, month_of(thing.created)))
    if part.end is not None:
        return own
    return rates.get((thing.currency, month_of(part.start)), own)


def added(things: Iterator[Thing] | Sequence[Thing], rates: Rates | None) -> dict[str, Cells]:
    """By customer."""
    found: dict[str, Cells] = {}
    for thing in things:
        for place, amount in cells_of(thing, rates).items():
            assert thing.customer is not None
            cells = found.setdefault(thing.customer, {})
            cells[place] = cells.get(place, 0) + amount
            if not cells[place]:
                del cells[place]
    return {customer: cells for customer, cells in found.items() if cells}


def untaxed(thing: Json) -> int:
    """Of an invoice or a credit note."""
    known: int | None = thing["total_excluding_tax"]
    if known is not None:
        return known
    total: int = thing["total"]
    return total - sum(tax["amount"] for tax in thing["total_taxes"])


def service_parts(invoice: Json, rate: Fraction | None) -> Iterator[Part]:
    """``accrual``: the untaxed total by lines, each over its period."""
    total, lines = untaxed(invoice), invoice["lines"]["data"]
    weights = [line_weight(line) for line in lines]
    if sum(weights) == total and lines:
        shares = weights
    elif sum(weights) == 0:
        yield Part(("accrual",), total, invoice["created"], None, rate)
        return
    elif {True, False} <= {weight > 0 for weight in weights if weight} and (
        abs(total) > abs(2 * sum(weights))
    ):
        # They nearly cancel each other out: they stay, and share what is in none of them.
        sizes = [abs(weight) for weight in weights]
        shares = largest_remainder(total - sum(weights), sizes)
        shares = [share + weight for share, weight in zip(shares, weights, strict=True)]
    else:
        shares = largest_remainder(total, weights)
    for line, share in zip(lines, shares, strict=True):
        start, end = line["period"]["start"], line["period"]["end"]
        yield Part(("accrual",), share, start, end if end > start else None, rate)


def line_weight(line: Json) -> int:
    """Its amount less discounts and the tax that is in it."""
    weight: int = line["amount"]
    for credit in line["pretax_credit_amounts"]:
        weight -= credit["amount"]
    for tax in line["taxes"]:
        if tax["tax_behavior"] == "inclusive":
            weight -= tax["amount"]
    return weight


class Paid(NamedTuple):
    """Money that came in for an invoice. ``is_rest``: no payment is known for it."""

    moment: int
    is_rest: bool
    amount: int
    rate: Fraction | None


def payment_parts(invoice: Json, payments: Sequence[Paid]) -> Iterator[Part]:
    """``cash``, and ``net`` of tax: the tax in all that is paid so far, rounded each time."""
    total = invoice["total"]
    share = Fraction(untaxed(invoice), total) if total else Fraction(1)
    paid = kept = 0
    # Of one moment the rest is first: any order is right, and another may round otherwise.
    for each in sorted(payments, key=lambda one: (one.moment, not one.is_rest)):
        before, paid = kept, paid + each.amount
        kept = half_up(paid * share)
        yield Part(("cash", "net"), each.amount, each.moment, None, each.rate)
        yield Part(("net",), (kept - before) - each.amount, each.moment, None, each.rate)


def invoice_thing(invoice: Json, payments: Sequence[Paid], rate: Fraction | None) -> Thing:
    """A paid invoice, or what was paid of one that is not. ``rate`` is its first payment's."""
    parts = [*payment_parts(invoice, payments)]
    if invoice["status"] == "paid":
        made = Part(("invoiced",), invoice["amount_paid"], invoice["created"], None, rate)
        parts += [made, *service_parts(invoice, rate)]
    return Thing(
        invoice["id"], id_of(invoice["customer"]), invoice["created"], invoice["currency"],
        tuple(parts),
    )  # fmt: skip


def refund_thing(
    refund: Json, customer: str | None, rate: Fraction | None, *, credited: int
) -> Thing:
    """A refund that went through. Of ``credited`` of it credit notes say what it is for."""
    rest = max(0, refund["amount"] - credited)
    parts = (
        Part(("net",), -refund["amount"], refund["created"], None, rate),
        Part(("accrual",), -rest, refund["created"], None, rate),
    )
    return Thing(refund["id"], customer, refund["created"], refund["currency"], parts)


def credit_note_thing(note: Json, rate: Fraction | None) -> Thing:
    """An issued credit note, on the day it takes effect."""
    moment = note["effective_at"] if note["effective_at"] is not None else note["created"]
    part = Part(("accrual",), -untaxed(note), moment, None, rate)
    return Thing(note["id"], id_of(note["customer"]), note["created"], note["currency"], (part,))


def dispute_thing(dispute: Json, customer: str | None) -> Thing:
    """What was taken out of the balance, and given back: in the balance's currency."""
    moves = dispute["balance_transactions"]
    parts = tuple(Part(("net",), move["amount"], move["created"]) for move in moves)
    currency = moves[0]["currency"] if moves else dispute["currency"]
    return Thing(dispute["id"], customer, dispute["created"], currency, parts)


def id_of(reference: Json | str | None) -> str | None:
    """An object that may be expanded."""
    found: str | None = reference["id"] if isinstance(reference, dict) else reference
    return found
