"""The receivers that docs/alerts.md shows take our requests, and no others."""

from __future__ import annotations

from datetime import UTC, datetime
from types import ModuleType

import pytest
from standardwebhooks import WebhookVerificationError

from tests.docs.sandbox import module_of
from tests.docs.taken import taken
from tests.outbound.receivers import receiving
from tests.webhook.support import ALERT, OTHER, SECRET, one
from tests.world import FixedClock

REFUSALS = (ValueError, KeyError, WebhookVerificationError)


BY_PACKAGE, ALONE = taken("python", page="alerts.md")


@pytest.fixture(params=[BY_PACKAGE, ALONE], ids=["by package", "alone"])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An example as a module."""
    return module_of(request.param, "receiver", monkeypatch)


async def test_the_example_reads_what_was_signed(shown: ModuleType) -> None:
    async with receiving() as receiver:
        await one(receiver.port, OTHER, SECRET).notify(ALERT)
    [request] = receiver.received
    for secret in (SECRET, OTHER):
        assert shown.read(secret, request.headers, request.body) == ALERT.payload


async def test_the_example_refuses_the_rest(shown: ModuleType) -> None:
    async with receiving() as receiver:
        await one(receiver.port).notify(ALERT)
        await one(receiver.port, clock=FixedClock(datetime(2020, 1, 1, tzinfo=UTC))).notify(ALERT)
    request, old = receiver.received
    forged = {**request.headers, "x-nullspend-signature": "t=1", "webhook-signature": "v1,é"}
    for secret, headers, body in (
        (OTHER, request.headers, request.body),
        (SECRET, request.headers, request.body + b" "),
        (SECRET, old.headers, old.body),
        (SECRET, forged, request.body),
        (SECRET, {}, request.body),
    ):
        with pytest.raises(REFUSALS):
            shown.read(secret, headers, body)
