"""What the properties draw of revenue that is made of parts: kinds, currencies, services, rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from nullspend_margins import ExchangeRate, Period, RevenueFact, RevenuePart
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import FACT_KINDS
from nullspend_margins.domain.revenue_part import BASES, PART_KINDS
from tests.properties.books import Books, DrawnMapping
from tests.properties.strategies import PROVIDERS, instants

FIRST = Period.parse("2026-09")
MONTHS = [FIRST.shift(offset) for offset in range(7)]
"""All revenue is in these: services begin in the first three and take 92 days at most."""
TAGS = ("acme", "a/explain")

_CURRENCIES = ("usd", "usd", "eur", "jpy", "bhd")
_RATES = st.sampled_from(("1", "1.0842", "0.00654321", "2.6525198938992", "0.333333333333"))
_minor = st.one_of(
    st.integers(-3, 7), st.sampled_from((99, 10_000, -12_345)), st.integers(-(10**9), 10**9)
)

CONVERSION = Conversion(
    is_on=True,
    rates={
        "eur": {month: Decimal(f"1.1{at}7") for at, month in enumerate(MONTHS[:4])},
        "jpy": {MONTHS[1]: Decimal("0.0071")},
    },
)


@st.composite
def rates(draw: st.DrawFn) -> ExchangeRate | None:
    """A provider's rate, or none."""
    if draw(st.booleans()):
        return None
    return ExchangeRate(value=Decimal(draw(_RATES)), source="table", on=date(2026, 9, 1))


@st.composite
def _part(draw: st.DrawFn, number: int) -> RevenuePart:
    start = draw(instants(draw(st.sampled_from(MONTHS[:3]))))
    lasts = draw(st.sampled_from((None, None, 0, 1, 86_400, 40 * 86_400, 92 * 86_400)))
    return RevenuePart(
        bases=draw(st.lists(st.sampled_from(BASES), min_size=1, max_size=4, unique=True)),
        kind=draw(st.sampled_from(PART_KINDS)),
        amount_minor=draw(_minor),
        occurred_at=start,
        until=None if lasts is None else start + timedelta(seconds=lasts),
        part_id=f"part_{number}",
        description=draw(st.sampled_from((None, "Team plan", "=1+1, Ünï"))),
        rate=draw(rates()),
    )


@st.composite
def _fact(draw: st.DrawFn, number: int, customers: Sequence[str]) -> RevenueFact:
    parts = draw(st.integers(-1, 4))
    return RevenueFact(
        object_id=f"object_{number}",
        customer_id=draw(st.sampled_from((*customers, None))),
        amount_minor=draw(_minor),
        currency=draw(st.sampled_from(_CURRENCIES)),
        occurred_at=draw(instants(draw(st.sampled_from(MONTHS[:3])))),
        kind=draw(st.sampled_from(FACT_KINDS)),
        parts=None if parts < 0 else [draw(_part(each)) for each in range(parts)],
        rate=draw(rates()),
        minor_digits=draw(st.sampled_from((None, None, None, 2, 3))),
    )


@st.composite
def mixed_revenue(draw: st.DrawFn) -> Books:
    """Customers of several providers that are two tag values, and some that are none."""
    customers = ("cus_1", "cus_2", "cus_3")
    mapped = [
        DrawnMapping(provider=provider, customer_id=customer, tag_value=tag)
        for provider in PROVIDERS
        for customer, tag in zip(draw(st.permutations(customers)), TAGS, strict=False)
        if draw(st.integers(0, 3))
    ]
    facts = [
        (draw(st.sampled_from(PROVIDERS)), draw(_fact(number, customers)))
        for number in range(draw(st.integers(1, 12)))
    ]
    return Books(mappings=mapped, revenue=facts)
