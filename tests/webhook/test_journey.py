"""From a customer who loses money to receivers, through the whole product."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from nullspend_margins import Notifier, PluginContext, hookimpl
from nullspend_margins_slack import plugin as slack
from nullspend_margins_webhook import plugin as webhook
from tests.outbound.receivers import Received, answer, receiving
from tests.slack.block_kit import problems
from tests.webhook.support import OTHER, SECRET
from tests.world import World, unix, world


class Configured:
    """Webhook and Slack with these tables, and all else as the product gives it to them."""

    def __init__(self, tables: Mapping[str, Mapping[str, object]]) -> None:
        self._tables = tables

    @hookimpl
    def register_notifiers(self, context: PluginContext) -> list[Notifier]:
        return [
            *webhook.register_notifiers(self._of("webhook", context)),
            *slack.register_notifiers(self._of("slack", context)),
        ]

    def _of(self, name: str, given: PluginContext) -> PluginContext:
        table = self._tables[name]
        return PluginContext(name=name, table=table, clock=given.clock, outbound=given.outbound)


async def falling(here: World) -> None:
    """A customer that was moderate in October and loses money in November."""
    here.account.add_customer("cus_1", name="Zoë & Söhne")
    for month in (10, 11):
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
    await here.map("cus_1", "one")
    await here.spend("one", 75_000_000, occurredAt="2026-10-05T00:00:00Z")
    await here.spend("one", 105_000_000)
    await here.connect()


def is_signed(request: Received, secret: str) -> bool:
    """Whether the signature of Standard Webhooks is right, whatever its time."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, signed + request.body, hashlib.sha256).digest()
    return request.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


async def test_each_receiver_is_tried_until_it_has_the_alert(database_url: str) -> None:
    async with (
        receiving(answer(503), answer(204)) as flaky,
        receiving(answer(410)) as gone,
        receiving() as elsewhere,
        receiving() as chat,
    ):
        url = "http://127.0.0.1:{}/s3cr3t".format
        endpoints = [
            {"name": "gone", "url": url(gone.port), "secrets": [OTHER]},
            {"name": "two", "url": url(elsewhere.port), "secrets": [OTHER], "orgs": ["org_2"]},
        ]
        plugins = {
            "webhook": {"url": url(flaky.port), "secrets": [SECRET], "endpoints": endpoints},
            "slack": {"url": url(chat.port)},
        }
        async with world(database_url, plugins=[Configured(plugins)]) as here:
            await falling(here)
            await here.cron()
            assert [len(each.received) for each in (flaky, gone, chat)] == [1, 1, 1]
            for _ in range(3):
                here.clock.advance(days=1)
                await here.cron()
    first, second = flaky.received
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert all(is_signed(request, SECRET) for request in flaky.received)
    event = json.loads(second.body)
    assert event["id"] == second.headers["webhook-id"]
    assert event["data"]["object"]["customer"]["name"] == "Zoë & Söhne"
    assert len(gone.received) == 1
    assert elsewhere.connections == 0
    [posted] = chat.received
    assert problems(json.loads(posted.body)) == []


async def test_a_silent_source_is_told_by_webhook_and_slack(database_url: str) -> None:
    async with receiving(answer(204)) as hook, receiving(answer(200, b"ok")) as chat:
        tables = {
            "webhook": {"url": f"http://127.0.0.1:{hook.port}/hook", "secrets": [SECRET]},
            "slack": {"url": f"http://127.0.0.1:{chat.port}/services/T/B/x"},
        }
        settings = {"stale_after_hours": 6}
        async with world(database_url, plugins=[Configured(tables)], costs=settings) as here:
            await here.spend("one", 5)
            here.clock.advance(hours=7)
            for _ in range(2):
                assert (await here.cron()).status_code == 200
        [request], [message] = hook.received, chat.received
        assert is_signed(request, SECRET)
        event = json.loads(request.body)
        assert (event["id"], event["type"]) == (request.headers["webhook-id"], "cost_source.stale")
        assert event["data"]["object"]["source"] == "api"
        assert event["data"]["object"]["silent_seconds"] == 25_200
        assert problems(json.loads(message.body)) == []
        assert b"No costs from api" in message.body
