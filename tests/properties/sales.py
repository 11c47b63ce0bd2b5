"""What a company may sell, drawn: small plans that say what was agreed, paid and taken back."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

DAY = 86_400
CUSTOMERS = ("cus_1", "cus_2", "cus_3")

SHAPES = (
    "annual", "monthly", "upgrade", "trial", "three years", "a day", "a second", "a point",
    "many lines", "no lines", "swapped", "downgrade",
    "nearly swapped",
)  # fmt: skip
"""Of the invoice's lines."""
CURRENCIES = ("usd", "usd", "eur", "usd", "jpy", "usd", "usd", "jpy", "usd", "eur", "usd")
BY = ("intent", "intent", "charge", "out of band")
REFUNDED = ("succeeded", "failed", "canceled", "pending")
NAMED = ("itself", "charge", "charge", "invoice")
NEAR_2_53 = 2**53 // 10_000
"""Cents whose microdollars are about the largest that a JSON number is exact for."""


@dataclass(frozen=True)
class Pay:
    """A payment of some percent, after a time. ``by``: an intent, a charge, or out of band."""

    percent: int
    after: int
    by: str


@dataclass(frozen=True)
class Refund:
    """``named``: where its customer is: in itself, at its charge, or with the invoice alone."""

    percent: int
    after: int
    status: str
    is_credited: bool
    named: str


@dataclass(frozen=True)
class Note:
    """A credit note; ``before`` the payment it makes less due, after it nothing."""

    percent: int
    before: bool
    effective_before: int | None
    status: str


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One invoice and all that comes of it. Times in seconds, before or after something."""

    customer: str | None
    shape: str
    price: int
    ago: int
    currency: str
    tax: str | None
    tells_untaxed: bool
    discount: int
    whole_discount: int
    from_balance: int
    status: str
    pays: tuple[Pay, ...]
    refunds: tuple[Refund, ...]
    note: Note | None
    dispute: str | None
    rate: str | None
    is_alien: bool


def edges(now: datetime, months: int) -> list[int]:
    """How long ago the first and the last second of each month was."""
    found = []
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(months):
        ago = int((now - first).total_seconds())
        found += [ago, ago + 1]
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def agos(now: datetime, days: int) -> st.SearchStrategy[int]:
    """How long ago, evenly or at the edge of a month."""
    return st.one_of(
        st.integers(10, days * DAY), st.sampled_from([10, *edges(now, max(1, days // 31))])
    )


pays = st.builds(
    Pay,
    st.sampled_from((100, 50, 33, 10)),
    st.one_of(*(st.integers(0, days * DAY) for days in (5, 120, 400))),
    st.sampled_from(BY),
)
refunds = st.builds(
    Refund,
    st.sampled_from((100, 50, 7)),
    st.integers(1, 70 * DAY),
    st.sampled_from(("succeeded", "succeeded", *REFUNDED)),
    st.booleans(),
    st.sampled_from(NAMED),
)
notes = st.builds(
    Note,
    st.sampled_from((100, 30, 11)),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 40 * DAY)),
    st.sampled_from(("issued", "issued", "issued", "void")),
)
prices = st.one_of(
    st.integers(100, 50_000),
    st.integers(100, 50_000),
    st.sampled_from((0, 1, 2, 3, NEAR_2_53, NEAR_2_53 + 1)),
)


def sales(now: datetime, days: int = 480) -> st.SearchStrategy[Sale]:
    """Invoices made in the last ``days`` days, most of them in the last hundred."""
    return st.builds(
        Sale,
        customer=st.sampled_from((*CUSTOMERS, *CUSTOMERS, None)),
        shape=st.sampled_from(SHAPES),
        price=prices,
        ago=st.one_of(agos(now, min(days, 112)), agos(now, days)),
        currency=st.sampled_from(("usd", "usd", "usd", "eur", "jpy")),
        tax=st.sampled_from((None, "exclusive", "inclusive")),
        tells_untaxed=st.booleans(),
        discount=st.sampled_from((0, 0, 15)),
        whole_discount=st.sampled_from((0, 0, 7)),
        from_balance=st.sampled_from((0,) * 6 + (30, 100)),
        status=st.sampled_from(("paid",) * 8 + ("open", "open", "uncollectible", "void", "draft")),
        pays=st.lists(pays, min_size=1, max_size=3).map(tuple),
        refunds=st.lists(refunds, max_size=2).map(tuple),
        note=st.one_of(st.none(), notes),
        dispute=st.sampled_from((None, None, None, "lost", "won", "inquiry")),
        rate=st.sampled_from((None, "0.9173", "1.08", "1.123456789")),
        is_alien=st.sampled_from((False,) * 9 + (True,)),
    )


def assorted(now: datetime, count: int = 48) -> list[Sale]:
    """One company with some of everything: every choice turns at a pace of its own."""
    moments = [10, *edges(now, 4), *(day * DAY + day for day in range(1, 480, 17))]

    def turn(number: int, pace: int, *choices: T) -> T:
        return choices[number * pace % len(choices)]

    return [
        Sale(
            customer=turn(n, 1, *CUSTOMERS, *CUSTOMERS, None),
            shape=turn(n, 5, *SHAPES),
            price=turn(n, 1, 100, 4_999, 120_000, 7, NEAR_2_53 - n),
            ago=turn(n, 7, *moments),
            currency=turn(n, 1, *CURRENCIES),
            tax=turn(n, 1, None, "exclusive", "inclusive"),
            tells_untaxed=n % 4 > 0,
            discount=turn(n, 1, 0, 0, 15, 0, 0),
            whole_discount=turn(n, 1, 0, 7, 0, 0),
            from_balance=turn(n, 1, 0, 0, 0, 0, 30, 0, 0, 0, 0, 100, 0),
            status=turn(n, 1, "paid", "paid", "open", "paid", "paid", "uncollectible", "paid"),
            pays=(
                Pay(turn(n, 1, 50, 33, 10, 100), turn(n, 1, 0, 40 * DAY, 9), turn(n, 1, *BY)),
                Pay(
                    turn(n, 1, 100, 50),
                    turn(n, 1, 3 * DAY, 1, 150 * DAY, 60 * DAY, 300 * DAY),
                    turn(n, 1, *BY[1:]),
                ),
            ),
            refunds=(
                Refund(50, turn(n, 3, 1, 20 * DAY, 33 * DAY), "succeeded", n % 5 == 1, "itself"),
                Refund(7, 9 * DAY, turn(n, 1, *REFUNDED), n % 2 == 1, turn(n, 1, *NAMED)),
            )[: n % 3],
            note=turn(n, 1, None, Note(30, n % 2 == 0, turn(n, 1, None, 40 * DAY), "issued"), None),
            dispute=turn(n, 1, None, None, "lost", None, None, "won", None),
            rate=turn(n, 1, "0.9173", "1.123456789", None),
            is_alien=n % 13 == 5,
        )
        for n in range(count)
    ]


def years_after(moment: int, years: int, months: int = 0) -> int:
    """The same day of the calendar later, or that month's last."""
    day = datetime.fromtimestamp(moment, UTC)
    count = day.year * 12 + day.month - 1 + years * 12 + months
    year, month = count // 12, count % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return int(day.replace(year=year, month=month, day=min(day.day, last)).timestamp())
