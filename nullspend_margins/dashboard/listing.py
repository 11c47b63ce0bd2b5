"""Which rows of a margin table one page shows: searched, filtered, in order, and cut. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest, nsmallest
from typing import Any, Literal, get_args

from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.text import MAX_TEXT, as_read
from nullspend_margins.services.margin_table import TableRow

Sort = Literal["customer", "health", "trend", "revenue", "cost", "margin", "percent"]
SORTS: tuple[Sort, ...] = get_args(Sort)
TIERS: Mapping[str, HealthTier] = {tier.wire_name: tier for tier in HealthTier}

_LARGEST_FIRST = frozenset({"revenue", "cost"})
_FEW = 8
"""A page is picked from the rows, instead of sorting all, where they are so many times as many."""
# Letters with a stroke, which Unicode does not take for an accent.
_STROKES = str.maketrans("đħłøŧ", "dhlot")
_MOST_DIGITS = 9

Key = Callable[[TableRow], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a reader wants to see. Without anything: all, worst first.

    ``text`` is searched for; ``tier`` is the only one shown. ``page`` counts from 1.
    """

    text: str = ""
    tier: HealthTier | None = None
    sort: Sort = "health"
    is_descending: bool = False
    page: int = 1

    @classmethod
    def of(cls, query: Callable[[str], str | None]) -> Asked:
        """From an address. What it does not have, or has wrong, is as without it."""
        given = query("sort")
        sort: Sort = next((each for each in SORTS if each == given), "health")
        order, page = query("order"), query("page") or ""
        return cls(
            text=(query("q") or "").strip()[:MAX_TEXT],
            tier=TIERS.get(query("tier") or ""),
            sort=sort,
            is_descending=order == "desc" if order in ("asc", "desc") else descends_first(sort),
            page=int(page) if is_number(page) else 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of rows, and where it is in all that were found.

    ``asked`` is what is shown: a page beyond the last is the last. ``tiers`` counts what the
    search found, by tier; ``found`` those of them that are of the tier asked for.
    """

    asked: Asked
    rows: Sequence[TableRow]
    tiers: Mapping[HealthTier, int]
    found: int
    pages: int
    first: int
    last: int

    @property
    def searched(self) -> int:
        """What the search found, of every tier."""
        return sum(self.tiers.values())


def listing_of(rows: Sequence[TableRow], asked: Asked, rows_per_page: int) -> Listing:
    """The page that is asked for."""
    found = searched(rows, asked.text)
    tiers = Counter(row.margin.tier for row in found)
    if asked.tier is not None:
        found = [row for row in found if row.margin.tier is asked.tier]
    pages = max(1, -(-len(found) // rows_per_page))
    page = min(max(asked.page, 1), pages)
    start = (page - 1) * rows_per_page
    shown = _ordered(found, asked, start + rows_per_page)[start : start + rows_per_page]
    return Listing(
        asked=replace(asked, page=page),
        rows=shown,
        tiers={tier: tiers[tier] for tier in HealthTier},
        found=len(found),
        pages=pages,
        first=start + 1 if shown else 0,
        last=start + len(shown),
    )


def searched(rows: Sequence[TableRow], text: str) -> Sequence[TableRow]:
    """The rows whose name, tag value or customer id have every word of ``text`` in them."""
    words = folded(text).split()
    if not words:
        return rows
    if len(words) == 1:
        [word] = words
        return [row for row in rows if word in _haystack(row)]
    return [
        row
        for row, hay in ((row, _haystack(row)) for row in rows)
        if all(word in hay for word in words)
    ]


def folded(text: str) -> str:
    """Without capitals and accents: ``Žižkov`` is ``zizkov``."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    return bare.casefold().translate(_STROKES)


def descends_first(sort: Sort) -> bool:
    """Whether a column starts with its largest: money does, what may be bad with its worst."""
    return sort in _LARGEST_FIRST


def is_number(text: str) -> bool:
    """A page's number, within reason."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _haystack(row: TableRow) -> str:
    return folded(f"{row.customer_name or ''}\n{row.margin.tag_value}\n{row.stripe_customer_id}")


def _ordered(found: Sequence[TableRow], asked: Asked, upto: int) -> Sequence[TableRow]:
    """At least the first ``upto`` rows in order."""
    key, is_reversed = _key(asked)
    if upto * _FEW < len(found):
        pick = nlargest if is_reversed else nsmallest
        return pick(upto, found, key=key)
    return sorted(found, key=key, reverse=is_reversed)


def _key(asked: Asked) -> tuple[Key, bool]:
    """By what to sort, and whether the other way round. On a tie: the tag value by code point."""
    if asked.sort == "customer":
        return _by_name, asked.is_descending
    sign = -1 if asked.is_descending else 1
    return _KEYS[asked.sort](sign), False


def _by_name(row: TableRow) -> tuple[str, str]:
    tag_value = row.margin.tag_value
    return folded(as_read(row.customer_name or tag_value)), tag_value


def _by_health(sign: int) -> Key:
    def key(row: TableRow) -> tuple[int, int, str]:
        margin = row.margin
        return sign * margin.tier, sign * (margin.revenue - margin.cost), margin.tag_value

    return key


def _by_trend(sign: int) -> Key:
    """The change over the months of the sparkline; who has not got them all comes last."""

    def key(row: TableRow) -> tuple[bool, int, str]:
        first, _, last = row.margin.sparkline
        has_all = row.margin.projected is not None
        return not has_all, sign * (last - first) if has_all else 0, row.margin.tag_value

    return key


def _by_percent(sign: int) -> Key:
    """Without revenue there is no percent that could be worse."""

    def key(row: TableRow) -> tuple[int, int, str]:
        margin = row.margin
        return sign * (margin.revenue > 0), sign * margin.percent, margin.tag_value

    return key


def _by_revenue(sign: int) -> Key:
    return lambda row: (sign * row.margin.revenue, row.margin.tag_value)


def _by_cost(sign: int) -> Key:
    return lambda row: (sign * row.margin.cost, row.margin.tag_value)


def _by_margin(sign: int) -> Key:
    return lambda row: (sign * (row.margin.revenue - row.margin.cost), row.margin.tag_value)


_KEYS: Mapping[str, Callable[[int], Key]] = {
    "health": _by_health,
    "trend": _by_trend,
    "revenue": _by_revenue,
    "cost": _by_cost,
    "margin": _by_margin,
    "percent": _by_percent,
}
