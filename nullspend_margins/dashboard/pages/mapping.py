"""What a customer's page changes: one mapping is removed, or is put back."""

from __future__ import annotations

import re
from typing import get_args

from nullspend_margins.dashboard.call import PageCall, Redirect
from nullspend_margins.dashboard.forms import Form
from nullspend_margins.dashboard.tokens import Notice
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, MatchType
from nullspend_margins.errors import Conflict, ValidationFailed
from nullspend_margins.web.wire.base import UUID_PATTERN

RESTORE_PATH = "/mappings/restore"

_UUID = re.compile(UUID_PATTERN)


async def remove(call: PageCall) -> Redirect:
    """Remove one mapping, and offer to put it back.

    Leads to the customer's page, or to matching where nobody is mapped to it any more.
    """
    form = await call.form()
    mapping_id = form.get("id").lower()
    if _UUID.fullmatch(mapping_id) is None:
        raise ValidationFailed.of(("id", "must be the UUID of a mapping"))
    mappings = call.services.mappings
    removed = await mappings.delete(call.org_id, mapping_id)
    is_customer = await mappings.of_customer(call.org_id, removed.tag_value)
    undo = {
        "provider": removed.provider,
        "customer_id": removed.customer_id,
        "tag_value": removed.tag_value,
        "match_type": removed.match_type,
        "period": form.get("period"),
    }
    text = f"{removed.customer_id} is not mapped to {removed.tag_value} any more."
    if is_customer:
        to = call.links.customer(removed.tag_value, period=form.get("period") or None)
    else:
        to = call.links.page("/matching")
    return Redirect(to=to, notice=Notice(text=text, undo_path=RESTORE_PATH, undo_fields=undo))


async def restore(call: PageCall) -> Redirect:
    """Map a customer to its tag value again, and show its page.

    An automatic match comes back as one that nobody has confirmed.
    """
    form = await call.form()
    customer_id, tag_value = form.text("customer_id"), form.text("tag_value")
    try:
        await call.services.mappings.save(
            call.org_id,
            form.text("provider"),
            customer_id,
            CUSTOMER_TAG_KEY,
            tag_value,
            _match_type(form),
        )
    except Conflict as problem:  # somebody was quicker
        return Redirect(
            to=call.links.page("/matching"), notice=Notice(text=problem.message, kind="bad")
        )
    return Redirect(
        to=call.links.customer(tag_value, period=form.get("period") or None),
        notice=Notice(text=f"{customer_id} is mapped to {tag_value} again."),
    )


def _match_type(form: Form) -> MatchType:
    sent = form.get("match_type")
    for known in get_args(MatchType):
        if sent == known:
            return known  # type: ignore[no-any-return]
    raise ValidationFailed.of(("match_type", "must be manual or auto"))
