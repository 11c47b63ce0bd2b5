"""Mappings as people look through them: the newest first, a page at a time, searched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, desc, func, select

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.storage import mappings as stored
from nullspend_margins.storage.questions import Question
from nullspend_margins.storage.tables import mappings

_of_org = mappings.c.org_id == bindparam("org_id")
_newest_first = desc(mappings.c.created_at), desc(mappings.c.id)
_count = Question(select(func.count()).where(_of_org))
_page = Question(
    select(mappings.c.id)
    .where(_of_org)
    .order_by(*_newest_first)
    .limit(bindparam("most"))
    .offset(bindparam("start"))
)
_texts = Question(
    select(mappings.c.id, mappings.c.provider, mappings.c.customer_id, mappings.c.tag_value)
    .where(_of_org)
    .order_by(*_newest_first)
)

IsWanted = Callable[[str, str, str], bool]
"""Told provider, customer id and tag value of a mapping."""


class MappingPage(NamedTuple):
    """``rows`` of the page ``page``, from 1, of the ``found`` that are wanted of ``total``."""

    rows: Sequence[CustomerMapping]
    total: int
    found: int
    page: int


def read_page(
    tx: Connection, org_id: str, page: int, rows: int, is_wanted: IsWanted | None = None
) -> MappingPage:
    """One page of ``rows`` mappings of any tag key; the last where there are not so many pages."""
    total = found = _count.rows(tx, org_id=org_id)[0][0]
    wanted: list[str] = []
    if is_wanted is not None:
        texts = _texts.rows(tx, org_id=org_id)
        wanted = [mapping_id for mapping_id, *text in texts if is_wanted(*text)]
        found = len(wanted)
    page = min(page, max(1, -(-found // rows)))
    start = (page - 1) * rows
    if is_wanted is None:
        wanted = [each for (each,) in _page.rows(tx, org_id=org_id, most=rows, start=start)]
        start = 0
    ids = wanted[start : start + rows]
    by_id = {each.id: each for each in stored.of_ids(tx, org_id, ids)}
    return MappingPage([by_id[each] for each in ids], total, found, page)
