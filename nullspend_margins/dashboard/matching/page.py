"""The matching page, by itself and with what went wrong in one of its forms."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nullspend_margins.dashboard.call import Page, PageCall
from nullspend_margins.dashboard.matching.lists import (
    PAGE_ROWS,
    Lists,
    build_lists,
    wanted_mappings,
)
from nullspend_margins.dashboard.matching.view import MatchingView
from nullspend_margins.domain.mapping import (
    CUSTOMER_ID_CONFIDENCE,
    METADATA_CONFIDENCE,
    CustomerMapping,
)
from nullspend_margins.services.mapping_batches import MOST_AT_ONCE
from nullspend_margins.services.unmatched import RECENT_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a form was not done, to be shown beside it.

    ``side`` is ``customer`` or ``tag`` for the form of one of these, with ``key`` (provider and
    customer id, or the tag value) and what was ``typed``. ``way_out`` is what a button says that
    sends ``fields`` instead.
    """

    text: str
    status: int = 409
    side: str = ""
    key: Sequence[str] = ()
    typed: str = ""
    way_out: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


async def matching_page(call: PageCall, view: MatchingView, problem: Problem | None = None) -> Page:
    """What is open and what is mapped. Raises ``ServiceUnavailable``: a source is silent."""
    services, org_id = call.services, call.org_id
    unmatched = await services.margins.unmatched(org_id)
    mapped = None
    if view.show:
        is_wanted = wanted_mappings(unmatched, view.q)
        mapped = await services.mappings.newest(org_id, view.m, PAGE_ROWS, is_wanted)
    lists = await asyncio.to_thread(build_lists, unmatched, view, mapped)
    return Page(
        template="matching.html",
        status=problem.status if problem else 200,
        context={
            "view": view,
            "lists": lists,
            "unmatched": unmatched,
            "revenue": unmatched.revenue_microdollars,
            "cost": sum(cost for _, cost, _ in unmatched.tags),
            "providers": unmatched.providers,
            "is_connected": bool(unmatched.profiles) or await _is_connected(call),
            "pending_digest": lists.pending_digest,
            "most_at_once": MOST_AT_ONCE,
            "recent_days": RECENT_DAYS,
            "why": why,
            "problem": problem,
            "problem_is_listed": problem is not None and _is_listed(problem, lists),
        },
    )


async def _is_connected(call: PageCall) -> bool:
    for provider in call.providers:
        if await call.services.connections.status(call.org_id, provider) is not None:
            return True
    return False


def _is_listed(problem: Problem, lists: Lists) -> bool:
    if problem.side == "customer":
        return tuple(problem.key) in {row.customer.key for row in lists.customers.rows}
    return problem.side == "tag" and problem.key[0] in {row.tag_value for row in lists.tags.rows}


def why(mapping: CustomerMapping) -> str:
    """Why a customer was matched by itself, and how sure that is, in words."""
    if mapping.confidence == METADATA_CONFIDENCE:
        return "Certain: the customer's own record at the provider names this tag value."
    if mapping.confidence == CUSTOMER_ID_CONFIDENCE:
        return "Very likely: the tag value on the costs is the customer's id."
    if mapping.confidence is None:
        return "A program posted it as an automatic match and did not say how sure it is."
    return f"The matcher is {mapping.confidence:.0%} sure."
