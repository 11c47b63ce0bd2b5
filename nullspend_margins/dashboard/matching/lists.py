"""The lists of the matching page: searched, in pages, with suggestions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from nullspend_margins.dashboard.matching.view import MatchingView
from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.suggestions import Suggestion, by_tag
from nullspend_margins.services.unmatched import Unmatched
from nullspend_margins.storage.mapping_pages import IsWanted, MappingPage
from nullspend_margins.storage.revenue import CustomerProfile

PAGE_ROWS = 25
MOST_CUSTOMERS_SUGGESTED = 2_000
"""Suggestions are made for the customers with the most revenue: a search finds the others."""
MOST_CHOICES = 500
"""Customers in the list that a tag value's field offers."""

Found = TypeVar("Found")
Row = TypeVar("Row")
Texts = Sequence[str | None]
"""What of a row is searched through."""


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
    """All that the page lists; of what it does not show, the total alone.

    ``suggested`` counts customers with a suggestion. ``choices`` are the customers that a tag
    value's field offers. ``pending_digest`` stands for all pending matches.
    """

    customers: Part[CustomerRow]
    tags: Part[TagRow]
    pending: Part[MappingRow]
    mapped: Part[MappingRow]
    suggested: int = 0
    choices: Sequence[CustomerProfile] = ()
    pending_digest: str = ""


def build_lists(unmatched: Unmatched, view: MatchingView, mapped: MappingPage | None) -> Lists:
    """Takes tens of milliseconds where there are thousands: not for an event loop.

    ``mapped`` is what the page shows in place of what is open.
    """
    return _open_lists(unmatched, view) if mapped is None else _mapped_list(unmatched, mapped)


def _mapped_list(unmatched: Unmatched, mapped: MappingPage) -> Lists:
    return Lists(
        customers=_unseen(len(unmatched.customers)),
        tags=_unseen(len(unmatched.tags)),
        pending=_unseen(len(unmatched.pending)),
        mapped=Part(
            rows=[_named(unmatched, each) for each in mapped.rows],
            total=mapped.total,
            found=mapped.found,
            page=mapped.page,
        ),
    )


def _open_lists(unmatched: Unmatched, view: MatchingView) -> Lists:
    words = _words(view.q)
    found = _those(unmatched.customers, words, _texts)
    tags = _those(unmatched.tags, words, lambda each: each[:1])
    pending = _those(unmatched.pending, words, lambda each: _mapping_texts(unmatched, each))
    suggestions = unmatched.suggester.suggest(found[:MOST_CUSTOMERS_SUGGESTED])
    of_tag = by_tag(suggestions)
    if view.only:
        found = [each for each in found[:MOST_CUSTOMERS_SUGGESTED] if each.key in suggestions]
        tags = [each for each in tags if each[0] in of_tag]
    return Lists(
        customers=_part(
            found,
            len(unmatched.customers),
            view.c,
            lambda each: CustomerRow(each, suggestions.get(each.key, ())),
        ),
        tags=_part(
            tags, len(unmatched.tags), view.t, lambda each: TagRow(*each, of_tag.get(each[0], ()))
        ),
        pending=_part(
            pending, len(unmatched.pending), view.p, lambda each: _named(unmatched, each)
        ),
        mapped=_unseen(unmatched.mapped),
        suggested=len(suggestions),
        choices=unmatched.customers[:MOST_CHOICES],
        pending_digest=unmatched.pending_digest,
    )


def wanted_mappings(unmatched: Unmatched, text: str) -> IsWanted | None:
    """Whether a mapping is searched for, by its ids and its customer's name."""
    words = _words(text)
    if not words:
        return None

    def is_wanted(provider: str, customer_id: str, tag_value: str) -> bool:
        name = unmatched.name(provider, customer_id)
        return _has(words, (customer_id, tag_value, name))

    return is_wanted


def _named(unmatched: Unmatched, mapping: CustomerMapping) -> MappingRow:
    return MappingRow(mapping, unmatched.name(mapping.provider, mapping.customer_id))


def _unseen(total: int) -> Part[Any]:
    return Part(rows=(), total=total, found=0, page=1)


def _part(
    found: Sequence[Found], total: int, page: int, row_of: Callable[[Found], Row]
) -> Part[Row]:
    """Rows are made for the page alone."""
    page = min(page, max(1, -(-len(found) // PAGE_ROWS)))
    start = (page - 1) * PAGE_ROWS
    rows = [row_of(each) for each in found[start : start + PAGE_ROWS]]
    return Part(rows=rows, total=total, found=len(found), page=page)


def _those(
    rows: Sequence[Found], words: Sequence[str], texts: Callable[[Found], Texts]
) -> Sequence[Found]:
    return [each for each in rows if _has(words, texts(each))] if words else rows


def _texts(customer: CustomerProfile) -> Texts:
    return customer.name, customer.customer_id, customer.email


def _mapping_texts(unmatched: Unmatched, mapping: CustomerMapping) -> Texts:
    name = unmatched.name(mapping.provider, mapping.customer_id)
    return mapping.customer_id, mapping.tag_value, name


def _words(text: str) -> list[str]:
    return text.casefold().split()


def _has(words: Sequence[str], texts: Texts) -> bool:
    """Whether one of ``texts`` has all the words that are searched for."""
    for text in texts:
        if text:
            folded = text.casefold()
            if all(word in folded for word in words):
                return True
    return False
