"""A row's charge: whose, when, for what and how much; or why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from nullspend_margins.domain.cost import MAX_MODEL, MAX_PROVIDER
from nullspend_margins.domain.text import MAX_TEXT
from nullspend_margins.importing.layout import Layout
from nullspend_margins.importing.names import (
    CATEGORY,
    COST,
    CURRENCY,
    CUSTOMER,
    DATE,
    END,
    FOCUS_CATEGORIES,
    ID,
    MODEL,
    ORG,
    PROVIDER,
    REQUESTS,
    TAGS,
    UNITS,
)
from nullspend_margins.importing.options import ImportOptions
from nullspend_margins.importing.rows import Problem, RowReader
from nullspend_margins.importing.values import (
    Misfit,
    cost_of,
    count_of,
    day_of_value,
    name_of,
    tags_of,
)

MAX_ID = 500
_REMEMBERED = 1 << 14
_LONGEST_REMEMBERED = 1000
"""Tags may be as long as a line is."""
_MOST_KEYS = 1000


class Charge(NamedTuple):
    """What one row costs: ``cost`` in 10^-27 dollars, negative for a credit.

    ``id`` is the row's own, ``""`` where there are none. ``is_long``: its charge period has more
    than a day, and ``day`` is its first. ``customer`` is ``""`` when unattributed.
    """

    line: int
    org_id: str
    id: str
    day: int
    customer: str
    provider: str
    model: str
    cost: int
    requests: int
    is_long: bool


class LeftOut(NamedTuple):
    """A row that is in order and not wanted: of another currency, or a category left out."""

    reason: str


class ChargeMaker:
    """Makes charges of a file's rows. ``tag_keys`` counts the keys of tags seen on the way."""

    def __init__(self, layout: Layout, options: ImportOptions) -> None:
        self._layout = layout
        self._fields = tuple(layout.columns)
        self._org_id = options.org_id or ""
        self._without = options.without
        self._places = UNITS[layout.unit]
        self.tag_keys: Counter[str] = Counter()
        # Most files say the same things again and again. typed: 1 is not True.
        remember = lru_cache(_REMEMBERED, typed=True)
        self._day, self._name = remember(day_of_value), remember(name_of)
        self._count = remember(count_of)
        self._customer_of_text = remember(self._customer)

    def charges(self, reader: RowReader) -> Iterator[Charge | LeftOut | Problem]:
        """One for each row, in order."""
        columns = [self._layout.columns[field] for field in self._fields]
        for row in reader.rows(columns, self._layout.missed):
            yield row if isinstance(row, Problem) else self._made(*row)

    def _made(self, line: int, row: tuple[object, ...]) -> Charge | LeftOut | Problem:
        values = dict(zip(self._fields, row, strict=True))
        field = ""
        try:
            for field in (CURRENCY, CATEGORY):
                if field in values and (reason := self._unwanted(field, values[field])):
                    return LeftOut(reason)
            field = DATE
            day = self._day(values[DATE])
            field = END
            is_long = END in values and self._is_long(day, values[END])
            field = COST
            cost = cost_of(values[COST], self._places)
            field = PROVIDER
            provider = self._name(values.get(PROVIDER), MAX_PROVIDER) or "unknown"
            field = MODEL
            model = self._name(values.get(MODEL), MAX_MODEL) or "unknown"
            field = REQUESTS
            requests = self._count(values.get(REQUESTS))
            field = ID
            own = self._needed(values[ID], MAX_ID) if ID in values else ""
            field = ORG
            org_id = self._needed(values[ORG], MAX_TEXT) if ORG in values else self._org_id
            field = TAGS if self._layout.customer_tag is not None else CUSTOMER
            value = values.get(field)
            is_short = isinstance(value, str) and len(value) <= _LONGEST_REMEMBERED
            find = self._customer_of_text if is_short else self._customer
            customer = find(value)
        except Misfit as problem:
            return Problem(line, self._layout.columns[field], str(problem))
        except TypeError:
            if not isinstance(values[field], list | dict):
                raise
            # It can't be remembered, nor be any of these.
            return Problem(line, self._layout.columns[field], "is a list or an object, not a value")
        return Charge(line, org_id, own, day, customer, provider, model, cost, requests, is_long)

    def _customer(self, value: object) -> str:
        key = self._layout.customer_tag
        if key is None:
            return name_of(value, MAX_TEXT)
        tags = tags_of(value)
        if len(self.tag_keys) < _MOST_KEYS:
            self.tag_keys.update(tags.keys())
        found = tags.get(key)
        # A tag without a value is true in FOCUS.
        return "" if found is True else name_of(found, MAX_TEXT)

    def _needed(self, value: object, most: int) -> str:
        text: str = self._name(value, most)
        if not text:
            raise Misfit("is empty")
        return text

    def _unwanted(self, field: str, value: object) -> str | None:
        text: str = self._name(value, MAX_TEXT).strip()
        if field == CURRENCY:
            if not text:
                raise Misfit("is empty: what is the cost in?")
            return None if text.upper() == "USD" else text.upper()[:20]
        if self._layout.is_focus and text not in FOCUS_CATEGORIES:
            raise Misfit(f"{text!r} is none of {', '.join(FOCUS_CATEGORIES)}")
        return text if text in self._without else None

    def _is_long(self, day: int, end: object) -> bool:
        """Whether the charge period, whose end is not part of it, goes beyond the next day."""
        return end not in (None, "") and self._day(end) > day + 1
