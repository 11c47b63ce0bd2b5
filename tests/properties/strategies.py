"""What the properties draw from: few names, so that they collide, and amounts that turn a rounding.

Everything is of the product's public types; nothing here knows how they are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from nullspend_margins import CostEvent, CostFact, Period, RevenueFact
from tests.properties.books import Books, DrawnMapping

PROVIDERS = ("stripe", "adyen", "paddle")
CUSTOMERS = ("cus_1", "cus_2", "cus_3", 'cus_"4"\\', "acme", "=1+1")
# Two that UTF-16 orders otherwise than code points do, one that is also a customer's id, and
# some that URLs, CSV and spreadsheets hold dear.
TAGS = ("acme", "Acme", "zeta", "cus_1", "a/b %2F?#", "Ünï 客", "\uff5e", "\U0001f600", "@cmd, x")
MORE = tuple(f"many-{number:02d}" for number in range(14))
MODELS = ("gpt-4o", "gpt-4o-mini", "embed", "ünï")
SOURCES = ("api", "host", "gateway")
NAMES = ("Acme Corp", "Zeta, Inc.", '"Quoted" \\', "=HYPERLINK()", "-5 apples", "Ü\u2028\uffff")
AVATARS = ("https://a.example/1.png", "https://a.example/2.png")
ZONES = (UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-8)))

MONTHS = (
    "1970-01", "1970-02", "1999-12", "2000-01", "2024-02", "2026-11", "2026-12", "9998-12",
)  # fmt: skip
"""The first and the last there are, ends of years, a leap February, an ordinary one."""

_MOST_CENTS = (2**63 - 1) // 10_000
_MOST_NANODOLLARS = 2**62

cents = st.one_of(
    st.integers(-3, 6),
    st.sampled_from((50, 99, 100, 12_345, -12_345)),
    st.integers(-_MOST_CENTS, _MOST_CENTS),
)
"""A cent is 10,000 microdollars: with two of them each odd microdollar of cost is a half of a
hundredth of a percent."""

nanodollars = st.one_of(
    st.integers(0, 4_000),
    st.sampled_from((0, 499, 500, 501, 999, 1_500, 2_500)),
    st.integers(0, 40).map(lambda microdollars: 1_000 * microdollars),
    st.builds(
        lambda tenths, beside: max(0, 1_000_000 * tenths + beside),
        st.integers(0, 130),
        st.sampled_from((0, 0, 1_000, -1_000, 500, 499, -500, -501)),
    ),
    st.integers(0, 10**15),
)
"""Halves of a microdollar, tier borders (tenths of a cent) and what is just beside them."""

signed_nanodollars = st.one_of(
    nanodollars, nanodollars.map(lambda cost: -cost), st.integers(-(2**62), 2**62)
)


def clamped(index: int) -> Period:
    """The period of this index, or the nearest one there is."""
    first, last = Period.parse("1970-01"), Period.parse("9998-12")
    return min(max(Period(index), first), last)


@st.composite
def instants(draw: st.DrawFn, period: Period) -> datetime:
    """An instant of a month: its first, its last, or one between; in any zone."""
    seconds = int((period.end - period.start).total_seconds())
    moment = draw(
        st.one_of(
            st.just(period.start),
            st.just(period.end - timedelta(microseconds=1)),
            st.integers(0, seconds - 1).map(lambda at: period.start + timedelta(seconds=at)),
        )
    )
    return moment.astimezone(draw(st.sampled_from(ZONES)))


@st.composite
def books(draw: st.DrawFn, month: Period) -> Books:
    """An org around ``month``: some months before it, and the one after."""
    many = draw(st.integers(0, 3)) == 0
    customers = CUSTOMERS + MORE if many else CUSTOMERS
    tags = TAGS + MORE if many else TAGS
    months = st.integers(-4, 1).map(lambda shift: clamped(month.index + shift))
    steady = draw(_steady_customers(month))
    return Books(
        mappings=draw(_mappings(steady.mappings, customers, tags, 12 if many else 0)),
        revenue=[*steady.revenue, *draw(_revenue(customers, months, 8 if many else 0))],
        events=[*steady.events, *draw(_events((*tags, ""), months))],
        facts=draw(_facts((*tags, ""), months)),
        statuses=draw(
            st.dictionaries(
                st.sampled_from(PROVIDERS),
                st.sampled_from(("active", "error", "revoked")),
                max_size=2,
            )
        ),
    )


steady_months = st.tuples(
    st.sampled_from((0, 0, 1, 2, 3, 100)),
    st.sampled_from((0, 1, 2, 5, 5, 8, 10, 10, 12, 30)),
    st.sampled_from((0, 0, 0, 1_000, -1_000, 500, -500, 333)),
    st.lists(st.sampled_from(MODELS), min_size=1, max_size=3, unique=True),
    st.sampled_from((None, *NAMES[:2])),
)
"""Cents of revenue, tenths of it that are spent, nanodollars beside that, on which models; name."""


@st.composite
def _steady_customers(draw: st.DrawFn, month: Period) -> Books:
    """Some with revenue or cost in each of three months, mostly at the border of a tier."""
    mappings, revenue, events = [], [], []
    for tag in draw(st.lists(st.sampled_from(TAGS), max_size=5, unique=True)):
        customer = f"steady-{tag}"
        mappings.append(DrawnMapping(provider="stripe", customer_id=customer, tag_value=tag))
        for shift in (-2, -1, 0):
            start = clamped(month.index + shift).start
            cents, tenths, beside, models, name = draw(steady_months)
            object_id = f"{customer}-{shift}"
            paid = RevenueFact(
                object_id=object_id,
                customer_id=customer,
                amount_minor=cents,
                currency="usd",
                occurred_at=start,
                customer_name=name,
            )
            revenue.append(("stripe", paid))
            cost = max(0, max(cents, 0) * 1_000_000 * tenths + beside)
            for number, model in enumerate(models):
                one = CostEvent(
                    event_id=f"{object_id}-{model}",
                    provider="openai",
                    model=model,
                    cost_nanodollars=cost // 3
                    if number
                    else cost - (len(models) - 1) * (cost // 3),
                    occurred_at=start,
                    tag_value=tag,
                )
                events.append(("api", one))
    return Books(mappings=mappings, revenue=revenue, events=events)


@st.composite
def _mappings(
    draw: st.DrawFn,
    before: Sequence[DrawnMapping],
    customers: Sequence[str],
    tags: Sequence[str],
    at_least: int,
) -> list[DrawnMapping]:
    """Mostly of Stripe's and of the tag key that counts; each customer and tag once a provider."""
    one = st.builds(
        DrawnMapping,
        provider=st.sampled_from(("stripe", *PROVIDERS)),
        customer_id=st.sampled_from(customers),
        tag_value=st.sampled_from(tags),
        tag_key=st.sampled_from(("customer",) * 5 + ("team",)),
        match_type=st.sampled_from(("manual", "auto")),
    )
    found: list[DrawnMapping] = []
    taken: set[tuple[str, str, str, str]] = set()
    for each in (*before, *draw(st.lists(one, min_size=at_least, max_size=at_least + 10))):
        keys = {
            (each.tag_key, each.provider, "customer", each.customer_id),
            (each.tag_key, each.provider, "tag", each.tag_value),
        }
        if taken.isdisjoint(keys):
            taken |= keys
            found.append(each)
    return found


@st.composite
def _revenue(
    draw: st.DrawFn, customers: Sequence[str], months: st.SearchStrategy[Period], at_least: int
) -> list[tuple[str, RevenueFact]]:
    found: list[tuple[str, RevenueFact]] = []
    totals: dict[tuple[str, str | None], int] = {}
    for number in range(draw(st.integers(at_least, at_least + 12))):
        provider = draw(st.sampled_from(("stripe", *PROVIDERS)))
        customer = draw(st.sampled_from((*customers, *customers, None)))
        amount = draw(cents)
        total = totals.get((provider, customer), 0) + abs(amount)
        if total > _MOST_CENTS:  # more than a cell can hold is refused, which is told elsewhere
            amount, total = 0, totals[provider, customer]
        totals[provider, customer] = total
        found.append((provider, draw(invoices(f"in_{number}", customer, amount, months))))
    return found


@st.composite
def invoices(
    draw: st.DrawFn,
    object_id: str,
    customer: str | None,
    amount: int,
    months: st.SearchStrategy[Period],
) -> RevenueFact:
    """A paid invoice; names and pictures come and go."""
    return RevenueFact(
        object_id=object_id,
        customer_id=customer,
        amount_minor=amount,
        currency=draw(st.sampled_from(("usd",) * 5 + ("eur", "jpy"))),
        occurred_at=draw(instants(draw(months))),
        customer_name=draw(st.one_of(st.none(), st.sampled_from(NAMES))),
        customer_email=draw(st.sampled_from((None, "a@x.example", "b@x.example"))),
        avatar_url=draw(st.sampled_from((None, *AVATARS))),
        suggested_tag=draw(st.sampled_from((None, *TAGS[:4]))),
    )


@st.composite
def accounts(draw: st.DrawFn, month: Period) -> list[RevenueFact]:
    """All that a provider tells of the window that ends with ``month``."""
    months = st.integers(-3, 0).map(lambda shift: clamped(month.index + shift))
    return [fact for _, fact in draw(_revenue(CUSTOMERS, months, 0))]


@st.composite
def event(
    draw: st.DrawFn,
    event_id: str,
    tags: st.SearchStrategy[str],
    months: st.SearchStrategy[Period],
) -> CostEvent:
    """One request that cost money."""
    return CostEvent(
        event_id=event_id,
        provider=draw(st.sampled_from(("openai", "anthropic"))),
        model=draw(st.sampled_from(MODELS)),
        cost_nanodollars=draw(nanodollars),
        occurred_at=draw(instants(draw(months))),
        tag_value=draw(tags),
    )


@st.composite
def fact(
    draw: st.DrawFn,
    tags: st.SearchStrategy[str],
    costs: st.SearchStrategy[int],
    months: st.SearchStrategy[Period],
) -> CostFact:
    """What another system has added up; one of few keys, so that some replace others."""
    return CostFact(
        key=draw(st.sampled_from(("k1", "k2", "k3", "k4"))),
        provider="openai",
        model=draw(st.sampled_from(MODELS)),
        cost_nanodollars=draw(costs),
        day=draw(instants(draw(months))).astimezone(UTC).date(),
        tag_value=draw(tags),
        request_count=draw(st.integers(0, 3)),
    )


@st.composite
def _events(
    draw: st.DrawFn, tags: Sequence[str], months: st.SearchStrategy[Period]
) -> list[tuple[str, CostEvent]]:
    tag = st.sampled_from(tags)
    return [
        (draw(st.sampled_from(SOURCES)), draw(event(f"event-{number}", tag, months)))
        for number in range(draw(st.integers(0, 14)))
    ]


@st.composite
def _facts(
    draw: st.DrawFn, tags: Sequence[str], months: st.SearchStrategy[Period]
) -> list[tuple[str, CostFact]]:
    found: list[tuple[str, CostFact]] = []
    full: set[str] = set()
    for _ in range(draw(st.integers(0, 6))):
        tag, cost = draw(st.sampled_from(tags)), draw(signed_nanodollars)
        if abs(cost) > 10**16:  # two of those in a cell are refused, which is told elsewhere
            cost = cost if tag not in full else 0
            full.add(tag)
        one = fact(st.just(tag), st.just(cost), months)
        found.append((draw(st.sampled_from(SOURCES[1:])), draw(one)))
    return found
