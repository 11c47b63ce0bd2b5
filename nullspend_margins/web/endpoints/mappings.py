"""``/api/customer-mappings``."""

from __future__ import annotations

import re

from starlette.responses import Response

from nullspend_margins.domain.mapping_changes import Wanted
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.web.answers import json_answer
from nullspend_margins.web.call import OrgCall
from nullspend_margins.web.wire.base import UUID_PATTERN, Deleted, DeletedAnswer
from nullspend_margins.web.wire.mappings import (
    MappingAnswer,
    MappingRequest,
    MappingsAnswer,
    mapping_of,
)

_UUID = re.compile(UUID_PATTERN)


async def listing(call: OrgCall) -> Response:
    """All mappings of the org."""
    found = await call.services.mappings.list(call.org_id)
    return json_answer(MappingsAnswer([mapping_of(mapping) for mapping in found]))


async def save(call: OrgCall) -> Response:
    """Create a mapping, or change the one of that customer and tag key."""
    asked = await call.request.body(MappingRequest)
    wanted = Wanted(
        asked.provider, asked.stripe_customer_id, asked.tag_value, asked.tag_key, asked.match_type
    )
    saved = await call.services.mappings.save(call.org_id, wanted)
    return json_answer(MappingAnswer(mapping_of(saved)), status=201)


async def delete(call: OrgCall) -> Response:
    """Remove a mapping by its id."""
    mapping_id = call.request.query("id") or ""
    if _UUID.fullmatch(mapping_id) is None:
        raise ValidationFailed.of(("id", "must be the UUID of a mapping"))
    await call.services.mappings.delete(call.org_id, mapping_id.lower())
    return json_answer(DeletedAnswer(Deleted(deleted=True)))
