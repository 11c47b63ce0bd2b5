"""``/api/margins``: the table, one customer, what it is made of, what is not matched yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import UNSET
from starlette.responses import Response

from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.web.answers import answer, json_answer
from nullspend_margins.web.call import OrgCall
from nullspend_margins.web.csv_table import csv_of
from nullspend_margins.web.endpoints.asked import (
    asked_basis,
    asked_customer,
    asked_inclusions,
    asked_period,
    require_possible,
)
from nullspend_margins.web.wire.base import encode
from nullspend_margins.web.wire.coverage import coverage_of
from nullspend_margins.web.wire.customer import CustomerMarginAnswer, customer_of
from nullspend_margins.web.wire.explanation import ExplanationAnswer, explanation_of
from nullspend_margins.web.wire.margins import MarginTableAnswer, table_of
from nullspend_margins.web.wire.unmatched import UnmatchedAnswer, unmatched_of

if TYPE_CHECKING:
    from nullspend_margins.services.margin_table import MarginTable

TABLE_INCLUSIONS = ("coverage", "bases")
CUSTOMER_INCLUSIONS = ("bases",)

_BIG_TABLE = 500
"""Rows from which shaping takes milliseconds that the host's event loop should not lose."""


async def table(call: OrgCall) -> Response:
    """The margin table of a period, as JSON or CSV."""
    form = call.request.query("format")
    if form not in (None, "json", "csv"):
        raise ValidationFailed.of(("format", "must be json or csv"))
    basis, also = asked_basis(call), asked_inclusions(call, TABLE_INCLUSIONS)
    if also:
        return await _table_with(call, also, form, basis)
    found = await call.services.margins.table(call.org_id, asked_period(call), basis)
    if form == "csv":
        disposition = f'attachment; filename="margins-{found.period}.csv"'
        return answer(
            await _rendered(found, "csv", csv_of),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": disposition},
        )
    return answer(await _rendered(found, "json", _json))


async def _table_with(
    call: OrgCall, also: frozenset[str], form: str | None, basis: Basis | None
) -> Response:
    """The table with what was asked for besides, as JSON: the file has no place for it."""
    if form == "csv":
        raise ValidationFailed.of(("include", "is for format=json; the CSV file is rows alone"))
    found, coverage, bases, _ = await call.services.margins.table_with(
        call.org_id,
        asked_period(call),
        basis,
        coverage="coverage" in also,
        bases="bases" in also,
    )

    def render() -> bytes:
        covered = UNSET if coverage is None else coverage_of(coverage)
        by_tag = bases if "bases" in also else None
        return encode(MarginTableAnswer(table_of(found, covered, by_tag)))

    return answer(await _made(render, len(found.rows)))


async def customer(call: OrgCall) -> Response:
    """One customer in a period."""
    tag_value, period, basis = asked_customer(call), asked_period(call), asked_basis(call)
    also = asked_inclusions(call, CUSTOMER_INCLUSIONS)
    require_possible(tag_value)
    found = await call.services.margins.customer(
        call.org_id, tag_value, period, basis, bases="bases" in also
    )
    return json_answer(CustomerMarginAnswer(customer_of(found)))


async def unmatched(call: OrgCall) -> Response:
    """What is left to map; with ``tagValue``, the customer of that name."""
    if call.request.query("tagValue") is not None:
        return await customer(call)
    # They play no part here; a wrong one is told all the same.
    asked_period(call)
    asked_basis(call)
    asked_inclusions(call, CUSTOMER_INCLUSIONS)
    found = await call.services.margins.unmatched(call.org_id)
    return json_answer(UnmatchedAnswer(unmatched_of(found)))


async def explain(call: OrgCall) -> Response:
    """What one customer's revenue and cost of a period are made of."""
    tag_value, period, basis = asked_customer(call), asked_period(call), asked_basis(call)
    require_possible(tag_value)
    found = await call.services.explanations.explain(call.org_id, tag_value, period, basis)

    def render() -> bytes:
        return encode(ExplanationAnswer(explanation_of(found)))

    return answer(await _made(render, len(found.revenue) + len(found.costs)))


async def _rendered(found: MarginTable, form: str, render: Callable[[MarginTable], bytes]) -> bytes:
    """The table in one form, made once for as long as the table itself is kept."""
    body = found.renderings.get(form)
    if body is None:
        body = await _made(partial(render, found), len(found.rows))
        if not found.is_large:
            found.renderings[form] = body
    return body


async def _made(render: Callable[[], bytes], rows: int) -> bytes:
    return await asyncio.to_thread(render) if rows > _BIG_TABLE else render()


def _json(found: MarginTable) -> bytes:
    return encode(MarginTableAnswer(table_of(found)))
