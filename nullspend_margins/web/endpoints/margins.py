"""``/api/margins``: the table, one customer, what is not matched yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import UNSET
from starlette.responses import Response

from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue_part import BASES, Basis
from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import NotFound, ValidationFailed
from nullspend_margins.web.answers import answer, json_answer
from nullspend_margins.web.call import OrgCall
from nullspend_margins.web.csv_table import csv_of
from nullspend_margins.web.target import require_sound_path
from nullspend_margins.web.wire.base import encode
from nullspend_margins.web.wire.coverage import coverage_of
from nullspend_margins.web.wire.margins import (
    CustomerMarginAnswer,
    MarginTableAnswer,
    customer_of,
    table_of,
)
from nullspend_margins.web.wire.unmatched import UnmatchedAnswer, unmatched_of

if TYPE_CHECKING:
    from nullspend_margins.services.margin_table import MarginTable

_BIG_TABLE = 500
"""Rows from which shaping takes milliseconds that the host's event loop should not lose."""


async def table(call: OrgCall) -> Response:
    """The margin table of a period, as JSON or CSV."""
    form, also = call.request.query("format"), call.request.query("include")
    if form not in (None, "json", "csv"):
        raise ValidationFailed.of(("format", "must be json or csv"))
    basis = _basis(call)
    if also is not None:
        return await _table_with(call, also, form, basis)
    found = await call.services.margins.table(call.org_id, _period(call), basis)
    if form == "csv":
        disposition = f'attachment; filename="margins-{found.period}.csv"'
        return answer(
            await _rendered(found, "csv", csv_of),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": disposition},
        )
    return answer(await _rendered(found, "json", _json))


async def _table_with(call: OrgCall, also: str, form: str | None, basis: Basis | None) -> Response:
    """The table with what was asked for besides, as JSON: the file has no place for it."""
    if also != "coverage":
        raise ValidationFailed.of(("include", "must be coverage"))
    if form == "csv":
        raise ValidationFailed.of(("include", "is for format=json; the CSV file is rows alone"))
    answered = await call.services.margins.table_with(
        call.org_id, _period(call), basis, coverage=True
    )
    found, coverage = answered.table, answered.coverage

    def render() -> bytes:
        covered = UNSET if coverage is None else coverage_of(coverage)
        return encode(MarginTableAnswer(table_of(found, covered)))

    is_big = len(found.rows) > _BIG_TABLE
    return answer(await asyncio.to_thread(render) if is_big else render())


async def customer(call: OrgCall) -> Response:
    """One customer in a period."""
    tag_value = call.request.query("tagValue")
    if tag_value is None:
        require_sound_path(call.request.scope, "customer")
        tag_value = call.request.params["customer"]
    period = _period(call)
    if text_problem(tag_value):
        raise NotFound("No customer is mapped to that tag value; none could be.")
    found = await call.services.margins.customer(call.org_id, tag_value, period, _basis(call))
    return json_answer(CustomerMarginAnswer(customer_of(found)))


async def unmatched(call: OrgCall) -> Response:
    """What is left to map; with ``tagValue``, the customer of that name."""
    if call.request.query("tagValue") is not None:
        return await customer(call)
    _period(call)  # plays no part here; a wrong one is told all the same
    found = await call.services.margins.unmatched(call.org_id)
    return json_answer(UnmatchedAnswer(unmatched_of(found)))


def _basis(call: OrgCall) -> Basis | None:
    """The basis asked for; ``None``: the configured one."""
    asked = call.request.query("basis")
    if asked is None:
        return None
    if asked not in BASES:
        raise ValidationFailed.of(("basis", f"must be one of {', '.join(BASES)}"))
    return asked


def _period(call: OrgCall) -> Period:
    text = call.request.query("period")
    return call.services.margins.current_period() if text is None else Period.parse(text)


async def _rendered(found: MarginTable, form: str, render: Callable[[MarginTable], bytes]) -> bytes:
    """The table in one form, made once for as long as the table itself is kept."""
    body = found.renderings.get(form)
    if body is None:
        if len(found.rows) > _BIG_TABLE:
            body = await asyncio.to_thread(render, found)
        else:
            body = render(found)
        found.renderings[form] = body
    return body


def _json(found: MarginTable) -> bytes:
    return encode(MarginTableAnswer(table_of(found)))
