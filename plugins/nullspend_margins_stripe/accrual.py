"""What an invoice sold and over which time: its parts of the basis ``accrual``."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from nullspend_margins import ExchangeRate, RevenuePart, split_amount
from nullspend_margins_stripe.facts import made, moment
from nullspend_margins_stripe.objects import Invoice, InvoiceLine
from nullspend_margins_stripe.payments import untaxed_of
from nullspend_margins_stripe.texts import clean

_LONGEST = 366 * 50 * 86_400
"""Seconds: 50 years."""
_MOST_TIMES = 2
_MOST = (2**63 - 1) // 10_000
"""Of cents, more does not count."""


def accrual_parts(invoice: Invoice, rate: ExchangeRate | None) -> list[RevenuePart]:
    """``total_excluding_tax`` over the invoice's lines, each over its own ``period``.

    A line weighs ``amount`` less ``pretax_credit_amounts`` (discounts, credit grants) less
    inclusive taxes, in Stripe's fields. Lines that weigh nothing together, no lines, or trillions
    that cancel each other out: one part when the invoice was made.
    """
    whole = untaxed_of(invoice)
    lines = invoice.lines.data if invoice.lines else []
    shares = _shares(whole, [_weight(line) for line in lines])
    if not shares or (max(map(abs, shares)) > _MOST >= abs(whole)):
        lines, shares = [], []
    found = [
        _line(line, share, invoice.created, rate)
        for line, share in zip(lines, shares, strict=True)
        if share
    ]
    if found or not whole:
        return found
    return [_point(whole, made(invoice.created), rate)]


def _shares(whole: int, weights: list[int]) -> list[int]:
    """``whole`` by lines, to the unit by largest remainder; none where there is nothing to go by.

    Where the weights add up to it, they are the shares; where not (shipping, rounding), it is
    split by them. Lines that nearly cancel each other out would become many times what they are;
    where they would become more than twice that, each stays as it is, and what is missing is
    shared by their sizes, whatever their signs.
    """
    together = sum(weights)
    if together == whole:
        return weights
    if not together:
        return []
    sizes = [abs(weight) for weight in weights]
    if abs(together) == sum(sizes) or abs(whole) <= _MOST_TIMES * abs(together):
        return split_amount(whole, weights)
    missing = split_amount(whole - together, sizes)
    return [weight + more for weight, more in zip(weights, missing, strict=True)]


def _weight(line: InvoiceLine) -> int:
    if not line.pretax_credit_amounts and not line.taxes:  # of most lines
        return line.amount
    credits_ = sum(one.amount for one in line.pretax_credit_amounts or ())
    inclusive = sum(one.amount for one in line.taxes or () if one.tax_behavior == "inclusive")
    return line.amount - credits_ - inclusive


def _line(line: InvoiceLine, share: int, created: int, rate: ExchangeRate | None) -> RevenuePart:
    span = line.period
    start, until = _service(span.start, span.end, created) if span else (made(created), None)
    return RevenuePart(
        bases=("accrual",),
        kind="line",
        amount_minor=share,
        occurred_at=start,
        until=until,
        part_id=clean(line.id),
        description=clean(line.description),
        rate=rate,
    )


@lru_cache(maxsize=128)  # that of an invoice's lines is mostly the same
def _service(
    since: int | None, until: int | None, created: int
) -> tuple[datetime, datetime | None]:
    """The time of a line's service; ``None`` for the end of what is at once.

    A period that ends before it starts is a point at its start; one that cannot be true, longer
    than 50 years or as far from the invoice, is a point when the invoice was made.
    """
    start, end = moment(since), moment(until)
    if since is None or start is None or abs(since - created) > _LONGEST:
        return made(created), None
    if until is None or end is None or until <= since:
        return start, None
    return (start, end) if until - since <= _LONGEST else (made(created), None)


def _point(amount: int, at: datetime, rate: ExchangeRate | None) -> RevenuePart:
    return RevenuePart(
        bases=("accrual",), kind="line", amount_minor=amount, occurred_at=at, rate=rate
    )
