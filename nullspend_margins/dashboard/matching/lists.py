"""The lists of the matching page: searched, in pages, with suggestions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from nullspend_margins.dashboard.matching.view import MatchingView
from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.suggestions import Suggestion, by_tag, suggest
from nullspend_margins.services.unmatched import Unmatched
from nullspend_margins.storage.revenue import CustomerProfile

PAGE_ROWS = 25
MOST_CUSTOMERS_SUGGESTED = 2_000
"""Suggestions are made for the customers with the most revenue: a search finds the others."""
MOST_CHOICES = 500
"""Customers in the list that a tag value's field offers."""

Found = TypeVar("Found")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[Row]):
    """One page of a list. ``total`` rows were there, ``found`` are what was searched for."""

    rows: Sequence[Row]
    total: int
    found: int
    page: int

    @property
    def pages(self) -> int:
        """How many there are, one at least."""
        return max(1, -(-self.found // PAGE_ROWS))

    @property
    def first(self) -> int:
        """The number of the first row, from 1."""
        return (self.page - 1) * PAGE_ROWS + 1

    @property
    def last(self) -> int:
        """The number of the last row."""
        return self.first + len(self.rows) - 1


class CustomerRow(NamedTuple):
    """An unmatched customer, and the tag values that may be its."""

    customer: CustomerProfile
    suggestions: Sequence[Suggestion]


class TagRow(NamedTuple):
    """An unmapped tag value: microdollars, requests, and whose it may be."""

    tag_value: str
    cost: int
    requests: int
    suggestions: Sequence[Suggestion]


class MappingRow(NamedTuple):
    """A mapping, and what the customer is called."""

    mapping: CustomerMapping
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """All that the page lists. ``suggested`` counts customers with a suggestion.

    ``choices`` are the customers that a tag value's field offers.
    """

    customers: Part[CustomerRow]
    tags: Part[TagRow]
    pending: Part[MappingRow]
    mapped: Part[MappingRow]
    suggested: int
    choices: Sequence[CustomerProfile]


def build_lists(
    unmatched: Unmatched,
    mappings: Sequence[CustomerMapping],
    rejected: Collection[tuple[str, str, str]],
    view: MatchingView,
) -> Lists:
    """Takes tens of milliseconds where there are thousands: not for an event loop.

    ``mappings`` are those to list, oldest first; none where the page does not list them.
    """
    found = [each for each in unmatched.customers if _has(view.q, *_texts(each))]
    tags = [each for each in unmatched.tags if _has(view.q, each[0])]
    suggestions = suggest(
        found[:MOST_CUSTOMERS_SUGGESTED], [tag for tag, _, _ in unmatched.tags], rejected=rejected
    )
    of_tag = by_tag(suggestions)
    suggested = [each for each in found if each[:2] in suggestions]
    if view.only:
        found = suggested
        tags = [each for each in tags if each[0] in of_tag]
    pending = [MappingRow(*each) for each in unmatched.pending]
    mapped = _named(unmatched, mappings)
    return Lists(
        customers=_part(
            found,
            len(unmatched.customers),
            view.c,
            lambda each: CustomerRow(each, suggestions.get(each[:2], ())),
        ),
        tags=_part(
            tags, len(unmatched.tags), view.t, lambda each: TagRow(*each, of_tag.get(each[0], ()))
        ),
        pending=_part(_searched(pending, view.q), len(pending), view.p, _as_it_is),
        mapped=_part(_searched(mapped, view.q), len(mapped), view.m, _as_it_is),
        suggested=len(suggested),
        choices=unmatched.customers[:MOST_CHOICES],
    )


def _named(unmatched: Unmatched, mappings: Sequence[CustomerMapping]) -> list[MappingRow]:
    """Newest first."""
    names = unmatched.names
    return [
        MappingRow(each, names.get((each.provider, each.customer_id)))
        for each in reversed(mappings)
    ]


def _part(
    found: Sequence[Found], total: int, page: int, row_of: Callable[[Found], Row]
) -> Part[Row]:
    """Rows are made for the page alone."""
    page = min(page, max(1, -(-len(found) // PAGE_ROWS)))
    start = (page - 1) * PAGE_ROWS
    rows = [row_of(each) for each in found[start : start + PAGE_ROWS]]
    return Part(rows=rows, total=total, found=len(found), page=page)


def _as_it_is(row: MappingRow) -> MappingRow:
    return row


def _searched(rows: Iterable[MappingRow], text: str) -> list[MappingRow]:
    return [
        row
        for row in rows
        if _has(text, row.mapping.customer_id, row.mapping.tag_value, row.name or "")
    ]


def _texts(customer: CustomerProfile) -> tuple[str, str, str]:
    return customer.name or "", customer.customer_id, customer.email or ""


def _has(wanted: str, *texts: str) -> bool:
    """Whether one of ``texts`` has all the words that are searched for."""
    if not wanted:
        return True
    words = wanted.casefold().split()
    return any(all(word in text.casefold() for word in words) for text in texts)
