"""A served product: its coverage over HTTP, and a source that falls silent, told by webhook."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from nullspend_margins import Margins
from nullspend_margins.storage.tables import cost_deliveries
from tests.outbound.receivers import Receiver, answer, receiving
from tests.processes.servers import COMMAND, new_key, run, serve, signed_in, write_config
from tests.processes.wire import ask
from tests.webhook.support import SECRET
from tests.world import CRON_SECRET, ORG, config, event

CRON = {"Authorization": f"Bearer {CRON_SECRET}"}


@asynccontextmanager
async def configured(database_url: str, folder: Path) -> AsyncIterator[tuple[Path, Receiver]]:
    """A configuration with a webhook, and the receiver."""
    async with receiving(answer(204)) as hook:
        url = f"http://127.0.0.1:{hook.port}/hook"
        tables = config(
            database_url,
            "http://127.0.0.1:9",
            costs={"sources": {"api": {"stale_after_hours": 6}}},
            plugins={"webhook": {"url": url, "secrets": [SECRET]}},
        )
        yield write_config(folder / "margins.toml", tables), hook


async def silent_for(margins: Margins, hours: int) -> None:
    """Let the last delivery be so long ago, as if the time had passed."""
    long_ago = datetime.now(UTC) - timedelta(hours=hours)
    async with margins.lifespan():
        database = (await margins.services()).ingest._database
        statement = update(cost_deliveries).values(delivered_at=long_ago)
        await database.write(lambda tx: tx.execute(statement) and None)


async def coverage(url: str, margins: Margins) -> Any:
    target = "/api/margins?include=coverage"
    return (await ask(url, "GET", target, None, signed_in(margins))).data["coverage"]


async def test_a_served_product_tells_of_a_silent_source(database_url: str, tmp_path: Path) -> None:
    async with configured(database_url, tmp_path) as (path, hook):
        margins = Margins.from_toml(path)
        key = await new_key(margins)
        async with serve(path) as server:
            stored = await ask(server.url, "POST", "/api/cost-events", event(), key)
            assert stored.status == 201
            before = await coverage(server.url, margins)
            assert before["cost"]["unmappedMicrodollars"] == 5250
            assert [(each["name"], each["stale"]) for each in before["sources"]] == [("api", False)]
            await silent_for(margins, 7)
            for _ in range(2):
                cron = await ask(server.url, "GET", "/api/stripe/revenue-sync", None, CRON)
                assert cron.status == 200
            [source] = (await coverage(server.url, margins))["sources"]
            assert source["stale"]
            assert 25_200 <= source["lagSeconds"] < 25_800
        assert len([line for line in server.log if "api of org org_1 is stale" in line]) == 1
        [request] = hook.received
        assert json.loads(request.body)["type"] == "cost_source.stale"


async def test_the_sync_command_tells_of_it_and_the_alert_is_listed(
    database_url: str, tmp_path: Path
) -> None:
    async with configured(database_url, tmp_path) as (path, hook):
        margins = Margins.from_toml(path)
        key = await new_key(margins)
        async with serve(path) as server:
            await ask(server.url, "POST", "/api/cost-events", event(), key)
        await silent_for(margins, 7)
        for _ in range(2):
            await run(*COMMAND, "sync", "--config", str(path))
        assert [json.loads(each.body)["data"]["object"]["source"] for each in hook.received] == [
            "api"
        ]
        listed = await run(*COMMAND, "alerts", "list", "--config", str(path))
        rows = [line.split("\t") for line in listed.splitlines()]
        assert {(row[1], row[2], row[3], row[4][:6]) for row in rows} == {
            (ORG, "api", "cost_source.stale", "since ")
        }
        assert {row[5] for row in rows} == {"log", "webhook"}
