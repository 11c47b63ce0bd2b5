"""``/api/connections/{provider}``, and ``/api/stripe/…``, the same for ``stripe``."""

from __future__ import annotations

from starlette.responses import Response

from nullspend_margins.web.answers import json_answer
from nullspend_margins.web.call import CronCall, OrgCall
from nullspend_margins.web.endpoints.asked import asked_inclusions
from nullspend_margins.web.wire.base import Deleted, DeletedAnswer
from nullspend_margins.web.wire.connections import (
    ConnectionAnswer,
    ConnectionStatusAnswer,
    CronAnswer,
    NewConnectionAnswer,
    SyncAnswer,
    connection_of,
    cron_report_of,
    new_connection_of,
    sync_report_of,
)

CONNECTION_INCLUSIONS = ("permissions",)


async def status(call: OrgCall) -> Response:
    """The org's connection, or null."""
    asked = _asks_for_permissions(call)
    stored = await call.services.connections.status(call.org_id, call.provider)
    return json_answer(
        ConnectionStatusAnswer(None if stored is None else connection_of(stored, permissions=asked))
    )


async def connect(call: OrgCall) -> Response:
    """Check a credential with the provider and store it."""
    asked = _asks_for_permissions(call)
    body = await call.request.json_object()
    stored = await call.services.connections.connect(
        call.org_id, call.provider, body, find_gaps=asked
    )
    made = new_connection_of(stored, permissions=asked)
    return json_answer(NewConnectionAnswer(made), status=201)


async def replace(call: OrgCall) -> Response:
    """Give the connection another credential of the same account."""
    asked = _asks_for_permissions(call)
    body = await call.request.json_object()
    stored = await call.services.connections.replace(
        call.org_id, call.provider, body, find_gaps=asked
    )
    return json_answer(ConnectionAnswer(connection_of(stored, permissions=asked)))


async def disconnect(call: OrgCall) -> Response:
    """Remove the connection, and the provider's revenue and mappings with it."""
    await call.services.connections.disconnect(call.org_id, call.provider)
    return json_answer(DeletedAnswer(Deleted(deleted=True)))


async def sync(call: OrgCall) -> Response:
    """Sync this org now."""
    report = await call.services.sync.sync(call.org_id, call.provider)
    return json_answer(SyncAnswer(sync_report_of(report)))


async def sync_every_provider(call: CronCall) -> Response:
    """The cron job's call: whatever is due, of every org and provider."""
    report = await call.services.sync.sync_all()
    return json_answer(CronAnswer(cron_report_of(report)))


async def sync_provider(call: CronCall) -> Response:
    """The cron job's call for one provider."""
    report = await call.services.sync.sync_all(call.provider)
    return json_answer(CronAnswer(cron_report_of(report)))


def _asks_for_permissions(call: OrgCall) -> bool:
    return "permissions" in asked_inclusions(call, CONNECTION_INCLUSIONS)
