"""``/api/connections/{provider}``, and ``/api/stripe/…``, the same for ``stripe``."""

from __future__ import annotations

from starlette.responses import Response

from nullspend_margins.web.answers import data_answer
from nullspend_margins.web.call import CronCall, OrgCall
from nullspend_margins.web.wire.base import Deleted
from nullspend_margins.web.wire.connections import (
    connection_of,
    cron_answer_of,
    new_connection_of,
    sync_answer_of,
)


async def status(call: OrgCall) -> Response:
    """The org's connection, or null."""
    stored = await call.services.connections.status(call.org_id, call.provider)
    return data_answer(None if stored is None else connection_of(stored))


async def connect(call: OrgCall) -> Response:
    """Check a credential with the provider and store it."""
    body = await call.request.json_object()
    stored = await call.services.connections.connect(call.org_id, call.provider, body)
    return data_answer(new_connection_of(stored), status=201)


async def replace(call: OrgCall) -> Response:
    """Give the connection another credential of the same account."""
    body = await call.request.json_object()
    stored = await call.services.connections.replace(call.org_id, call.provider, body)
    return data_answer(connection_of(stored))


async def disconnect(call: OrgCall) -> Response:
    """Remove the connection, and the provider's revenue and mappings with it."""
    await call.services.connections.disconnect(call.org_id, call.provider)
    return data_answer(Deleted())


async def sync(call: OrgCall) -> Response:
    """Sync this org now."""
    report = await call.services.sync.sync(call.org_id, call.provider)
    return data_answer(sync_answer_of(report))


async def sync_every_provider(call: CronCall) -> Response:
    """The cron job's call: whatever is due, of every org and provider."""
    return data_answer(cron_answer_of(await call.services.sync.sync_all()))


async def sync_provider(call: CronCall) -> Response:
    """The cron job's call for one provider."""
    return data_answer(cron_answer_of(await call.services.sync.sync_all(call.provider)))
