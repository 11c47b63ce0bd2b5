"""Many mappings at once from a CSV file: choose, look at what it would do, do it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from nullspend_margins.dashboard.call import Download, Page, PageAnswer, PageCall
from nullspend_margins.dashboard.matching.filling import file_to_fill
from nullspend_margins.dashboard.matching.finish import MOST_IN_A_FORM, finish
from nullspend_margins.dashboard.matching.previewing import (
    MOST_SHOWN,
    KeptLine,
    Preview,
    of_known_providers,
    preview_of,
    wanted_of,
)
from nullspend_margins.dashboard.matching.providers import known_providers
from nullspend_margins.dashboard.matching.upload import MAX_FILE_BYTES, Upload, read_upload
from nullspend_margins.dashboard.matching.view import MatchingView
from nullspend_margins.domain.mapping_changes import Changes
from nullspend_margins.errors import Conflict, PayloadTooLarge, ValidationFailed
from nullspend_margins.services.mapping_batches import MOST_AT_ONCE

FILE, PLAN = "file", "plan"
_PURPOSE = "upload mappings"
_MOST_LINES_TOLD = 20


async def template(call: PageCall) -> Download:
    """The unmatched customers as a file to fill in."""
    unmatched = await call.services.margins.unmatched(call.org_id)
    content = await asyncio.to_thread(file_to_fill, unmatched)
    return Download(filename="unmatched.csv", media_type="text/csv", content=content)


async def choose(call: PageCall) -> Page:  # noqa: ARG001 - as every page
    """The form for a file."""
    return _choose()


async def preview(call: PageCall) -> PageAnswer:
    """What a file would do. Nothing is stored."""
    try:
        form = await call.form()
    except PayloadTooLarge:
        return _choose(f"The file has more than {MAX_FILE_BYTES:,} bytes. Split it.", 413)
    try:
        upload = await asyncio.to_thread(read_upload, form.files.get(FILE, b""))
        return await _preview_of_upload(call, upload)
    except ValidationFailed as problem:
        return _choose(problem.message, 400)


async def apply(call: PageCall) -> PageAnswer:
    """Do what the preview showed: all of it, or nothing when something is otherwise now."""
    form = await call.form()
    plan = await asyncio.to_thread(call.tokens.kept, call.principal, _PURPOSE, form.get(PLAN))
    kept = msgspec.convert(plan, list[KeptLine])
    try:
        changes = await call.services.mappings.save_many(
            call.org_id, [each.wanted for each in kept], seen=[each.seen for each in kept]
        )
    except Conflict as conflict:
        return await _preview_again(call, kept, conflict)
    return finish(call, _told(call, changes), changes, MatchingView())


def _choose(problem: str = "", status: int = 200) -> Page:
    context = {"problem": problem, "most": MOST_AT_ONCE, "field": FILE}
    return Page(template="matching_upload.html", context=context, status=status)


async def _preview_of_upload(call: PageCall, upload: Upload) -> Page:
    unmatched = await call.services.margins.unmatched(call.org_id)
    rows, unknown = of_known_providers(upload.rows, await known_providers(call))
    wanted = wanted_of(rows, unmatched.profiles, call.providers)
    outcomes = await call.services.mappings.preview(call.org_id, wanted)
    numbers, problems = [row.line for row in rows], [*upload.problems, *unknown]
    found = await asyncio.to_thread(preview_of, numbers, outcomes, problems, unmatched)
    remarks = [*upload.remarks]
    if upload.blank:
        lines = "1 line has" if upload.blank == 1 else f"{upload.blank:,} lines have"
        remarks.append(f"{lines} no tag value and no part in this.")
    return await _page(call, found, remarks=remarks)


async def _preview_again(call: PageCall, kept: Sequence[KeptLine], conflict: Conflict) -> Page:
    """The same lines as they are now, and which of them are not as they were shown."""
    unmatched = await call.services.margins.unmatched(call.org_id)
    outcomes = await call.services.mappings.preview(call.org_id, [each.wanted for each in kept])
    numbers = [each.line for each in kept]
    found = await asyncio.to_thread(preview_of, numbers, outcomes, (), unmatched)
    changed = [each.line for each, now in zip(kept, outcomes, strict=True) if each.seen != now.seen]
    told = ", ".join(map(str, changed[:_MOST_LINES_TOLD])) or conflict.message
    if len(changed) > _MOST_LINES_TOLD:
        told += f" and {len(changed) - _MOST_LINES_TOLD:,} more"
    problem = (
        f"Nothing was stored: somebody changed mappings since the preview. Lines that are "
        f"otherwise now: {told}. Look again."
    )
    return await _page(call, found, problem=problem, status=409)


async def _page(
    call: PageCall,
    found: Preview,
    *,
    remarks: Sequence[str] = (),
    problem: str = "",
    status: int = 200,
) -> Page:
    kept = [[*each] for each in found.kept]
    plan = await asyncio.to_thread(call.tokens.keep, call.principal, _PURPOSE, kept)
    if len(plan) > MOST_IN_A_FORM:
        raise ValidationFailed("The file is too large to be shown and sent back. Split it.")
    return Page(
        template="matching_preview.html",
        status=status,
        context={
            "preview": found,
            "plan": plan if kept else "",
            "remarks": remarks,
            "problem": problem,
            "most_shown": MOST_SHOWN,
        },
    )


def _told(call: PageCall, changes: Changes) -> str:
    changed = {mapping.id for mapping in changes.gone} & {mapping.id for mapping in changes.new}
    created, given_up = len(changes.new) - len(changed), len(changes.gone) - len(changed)
    number = call.formats.number
    told = f"Mappings created: {number(created)}, changed: {number(len(changed))}"
    return f"{told}, matches given up: {number(given_up)}." if given_up else f"{told}."
