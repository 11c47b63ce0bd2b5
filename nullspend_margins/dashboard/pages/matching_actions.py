"""Mapping, confirming, rejecting, unmapping, and taking each of them back."""

from __future__ import annotations

from collections.abc import Sequence

from nullspend_margins.dashboard.call import PageAnswer, PageCall, Redirect
from nullspend_margins.dashboard.forms import Form
from nullspend_margins.dashboard.matching.choosing import Choice, chosen
from nullspend_margins.dashboard.matching.finish import UNDO, finish, undo_of
from nullspend_margins.dashboard.matching.page import (
    Problem,
    matching_page,
)
from nullspend_margins.dashboard.matching.view import MatchingView
from nullspend_margins.dashboard.tokens import Notice
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.mapping_changes import Held, Outcome, Seen, Wanted
from nullspend_margins.domain.text import isolated
from nullspend_margins.errors import Conflict, ValidationFailed

ALL = "all"
"""Of the pending matches: the digest of those that were seen."""


async def map_pair(call: PageCall) -> PageAnswer:
    """Map a customer to a tag value, chosen from either side."""
    form = await call.form()
    view = MatchingView.of_form(form)
    choice = await chosen(call, form)
    if isinstance(choice, Problem):
        return await matching_page(call, view, choice)
    wanted, mappings = choice.wanted, call.services.mappings
    released = [choice.release] if choice.release else []
    (outcome,) = await mappings.preview(call.org_id, [wanted], released)
    if outcome.doing == "same":
        text = f"{await _name(call, wanted)} is mapped to {isolated(wanted.tag_value)} already."
        return Redirect(to=view.link(call.links), notice=Notice(text=text))
    problem = await _in_the_way(call, choice, outcome)
    if problem is not None:
        return await matching_page(call, view, problem)
    try:
        changes = await mappings.save_many(
            call.org_id, [wanted], seen=[outcome.seen], released=released
        )
    except Conflict as conflict:
        return await matching_page(call, view, choice.problem(conflict.message))
    text = f"{await _name(call, wanted)} is mapped to {isolated(wanted.tag_value)}."
    return finish(call, text, changes, view)


async def _in_the_way(call: PageCall, choice: Choice, outcome: Outcome) -> Problem | None:
    """Somebody else's mapping that was not there when the form was made, and a way out."""
    wanted, holder, before = choice.wanted, outcome.holder, outcome.before
    if outcome.doing == "refuse" and holder is not None:
        name = await _name(call, Wanted(holder.provider, holder.customer_id, ""))
        return choice.problem(
            f"The tag value {isolated(wanted.tag_value)} belongs to {name} "
            f"({isolated(holder.customer_id)}).",
            way_out=f"Take it from {name}",
            release=holder.id,
        )
    if outcome.doing == "change" and before is not None and choice.replaces != before.tag_value:
        return choice.problem(
            f"{await _name(call, wanted)} was mapped to {isolated(before.tag_value)} meanwhile.",
            way_out=f"Map it to {isolated(wanted.tag_value)} instead",
            replaces=before.tag_value,
        )
    return None


async def confirm(call: PageCall) -> PageAnswer:
    """Make pending matches a person's word: one, or all that were seen."""
    form = await call.form()
    view = MatchingView.of_form(form)
    matches = await _matches(call, form)
    if isinstance(matches, Problem):
        return await matching_page(call, view, matches)
    wanted = [Wanted(each.provider, each.customer_id, each.tag_value) for each in matches]
    seen = [Seen("confirm", each.tag_value, "auto") for each in matches]
    try:
        changes = await call.services.mappings.save_many(call.org_id, wanted, seen=seen)
    except Conflict as conflict:
        return await matching_page(call, view, Problem(text=conflict.message))
    return finish(call, await _told(call, "Confirmed", matches), changes, view)


async def reject(call: PageCall) -> PageAnswer:
    """Turn pending matches down: one, or all that were seen."""
    form = await call.form()
    view = MatchingView.of_form(form)
    matches = await _matches(call, form)
    if isinstance(matches, Problem):
        return await matching_page(call, view, matches)
    return await _removed(call, view, "Rejected", matches)


async def unmap(call: PageCall) -> PageAnswer:
    """Remove one mapping."""
    form = await call.form()
    seen = Held(
        form.text("provider"),
        form.text("tag_key"),
        form.text("customer_id"),
        form.text("tag_value"),
        "auto" if form.get("match_type") == "auto" else "manual",
    )
    return await _removed(call, MatchingView.of_form(form), "Unmapped", [seen])


async def undo(call: PageCall) -> PageAnswer:
    """Put back what a change took, and take what it put."""
    form = await call.form()
    view = MatchingView.of_form(form)
    try:
        await call.services.mappings.restore(call.org_id, undo_of(call, form.get(UNDO)))
    except Conflict as conflict:
        problem = Problem(text=f"It can't be undone. {conflict.message}")
        return await matching_page(call, view, problem)
    return Redirect(to=view.link(call.links), notice=Notice(text="Undone: it is as it was."))


async def _removed(
    call: PageCall, view: MatchingView, what: str, seen: Sequence[Held]
) -> PageAnswer:
    try:
        changes = await call.services.mappings.delete_many(call.org_id, seen)
    except Conflict as conflict:
        return await matching_page(call, view, Problem(text=conflict.message))
    return finish(call, await _told(call, what, seen), changes, view)


async def _matches(call: PageCall, form: Form) -> Sequence[Held] | Problem:
    """The match that a form names, or all of them while they are those that were seen."""
    if not form.get(ALL):
        provider, customer_id = form.text("provider"), form.text("customer_id")
        return [Held(provider, CUSTOMER_TAG_KEY, customer_id, form.text("tag_value"), "auto")]
    unmatched = await call.services.margins.unmatched(call.org_id)
    if not unmatched.pending or form.get(ALL) != unmatched.pending_digest:
        return Problem(text="The pending matches changed meanwhile. Look at them again.")
    return unmatched.first_pending


async def _told(call: PageCall, what: str, seen: Sequence[Held]) -> str:
    if len(seen) > 1:
        return f"{what} {call.formats.number(len(seen))} matches."
    if not seen:
        raise ValidationFailed.of(("", "names no mapping"))
    (only,) = seen
    name = await _name(call, Wanted(only.provider, only.customer_id, only.tag_value))
    return f"{what}: {name} and {isolated(only.tag_value)}."


async def _name(call: PageCall, wanted: Wanted) -> str:
    found = await call.services.mappings.customer(call.org_id, wanted.provider, wanted.customer_id)
    return isolated((found and found.name) or wanted.customer_id)
