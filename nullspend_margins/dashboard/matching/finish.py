"""After a change of mappings: what to say, and the button that takes it back."""

from __future__ import annotations

from typing import Any

import msgspec

from nullspend_margins.dashboard.call import Page, PageAnswer, PageCall, Redirect
from nullspend_margins.dashboard.matching.view import MatchingView
from nullspend_margins.dashboard.tokens import Notice
from nullspend_margins.domain.mapping_changes import Changes, Undo
from nullspend_margins.web.bodies import MAX_BODY_BYTES

UNDO = "undo"
_PURPOSE = "undo mappings"
_MOST_IN_A_COOKIE = 2_500
"""Characters: browsers keep 4,096 with the name, and proxies take all headers in as many."""
MOST_IN_A_FORM = MAX_BODY_BYTES - 8 * 1024
"""Characters of one hidden field, with room for the others."""


def finish(call: PageCall, text: str, changes: Changes, view: MatchingView) -> PageAnswer:
    """Back to the page with a notice; with a page of its own where the way back is long."""
    kept = call.tokens.keep(call.principal, _PURPOSE, msgspec.to_builtins(changes.undo))
    fields = {UNDO: kept, **view.fields}
    notice = Notice(text=text, undo_path="/matching/undo", undo_fields=fields)
    to = view.link(call.links)
    if len(call.tokens.sign_notice(call.principal, notice)) <= _MOST_IN_A_COOKIE:
        return Redirect(to=to, notice=notice)
    can_undo = len(kept) <= MOST_IN_A_FORM
    return Page(
        template="matching_done.html",
        context={"text": text, "fields": fields if can_undo else {}, "back": to},
    )


def undo_of(call: PageCall, text: str) -> Undo:
    """What ``finish`` kept. Raises ``Forbidden``."""
    found: Any = call.tokens.kept(call.principal, _PURPOSE, text)
    undo = msgspec.convert(found, Undo)
    new = [mapping._replace(org_id=call.org_id) for mapping in undo.new]
    return undo._replace(new=new)
