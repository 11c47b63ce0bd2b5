"""A third party's plugin, installed as its users do, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nullspend_margins import Margins
from nullspend_margins.app.serving import listen, serving
from nullspend_margins.demo.stripe_server import StripeServer
from tests.processes.servers import Server, run, serve, signed_in, write_config
from tests.processes.wire import Answer, ask
from tests.world import CRON_SECRET, KEY, ORG, config

SOURCE = Path(__file__).parents[1] / "example_plugin"
CRON = {"Authorization": f"Bearer {CRON_SECRET}"}
TOKEN = "acme_machine"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin's distribution installed in it."""
    folder = tmp_path_factory.mktemp("third-party")
    shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    target = ("--target", str(folder / "site"), str(folder / "source"))
    asyncio.run(run(sys.executable, "-m", "pip", "install", *options, *target))
    return folder / "site"


def path_with(site: Path) -> str:
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(site), *([inherited] if inherited else [])])


@dataclass
class Company:
    """A served product whose customer ``both`` pays by Stripe and by Acme."""

    server: Server
    margins: Margins
    stripe: StripeServer

    async def call(self, method: str, target: str, body: object = None) -> Answer:
        return await ask(self.server.url, method, target, body, signed_in(self.margins))


def acme_files(folder: Path) -> None:
    """Acme's invoices (of one token), its growing export, and its warehouse."""
    now = datetime.now(UTC)
    invoice = {"object_id": "a_1", "customer_id": "acme-9", "amount_minor": 20_000}
    invoice |= {"currency": "usd", "occurred_at": now.isoformat(), "customer_name": "Both (Acme)"}
    (folder / "invoices.json").write_text(json.dumps({"acme_t": [invoice]}))
    spent = {"event_id": "e1", "model": "acme-1", "cost_nanodollars": 7_000_000_000}
    spent |= {"tag_value": "both"}
    line = {"org": ORG, "at": now.isoformat(), "event": spent}
    (folder / "export.jsonl").write_text(json.dumps(line))
    row = {"org": ORG, "customer": "both", "day": f"{now:%Y-%m-%d}", "model": "acme-2"}
    row |= {"nanodollars": 5_000_000_000, "requests": 3}
    (folder / "warehouse.json").write_text(json.dumps([row]))


@pytest.fixture
async def company(site: Path, database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    acme_files(tmp_path)
    stripe = StripeServer()
    account = stripe.add_account(KEY)
    account.add_invoice(
        account.add_customer("cus_1", name="Both"), 10_000, created=int(time.time())
    )
    async with serving(stripe, listen("127.0.0.1", 0)) as stripe_url:
        tables = config(database_url, stripe_url)
        path = write_config(tmp_path / "plain.toml", tables)
        margins = Margins.from_toml(path)  # here the plugin is not installed
        tables["plugins"]["acme"] = {"token": TOKEN, "folder": str(tmp_path)}
        path = write_config(tmp_path / "margins.toml", tables)
        async with serve(path, PYTHONPATH=path_with(site)) as server:
            yield Company(server, margins, stripe)


async def test_cron_syncs_the_plugins_provider_and_stripe_into_one_table(company: Company) -> None:
    refused = await company.call("POST", "/api/connections/acme", {"token": "acme_unknown"})
    assert (refused.status, refused.json()["error"]["code"]) == (400, "validation_error")
    wrong = await company.call("POST", "/api/connections/acme", {"token": "hush"})
    assert wrong.json()["error"]["details"]["issues"][0]["path"] == "token"
    connected = await company.call("POST", "/api/connections/acme", {"token": "acme_t"})
    assert (connected.status, connected.data["keyPrefix"]) == (201, "acme_...")
    stripe = await company.call("POST", "/api/stripe/connect", {"stripeKey": KEY})
    assert stripe.status == 201
    cron = await ask(company.server.url, "GET", "/api/stripe/revenue-sync", headers=CRON)
    assert cron.data == {"synced": 2, "errors": 0}

    unmatched = (await company.call("GET", "/api/margins/unmatched")).data
    assert [each["stripeCustomerId"] for each in unmatched["unmatchedStripeCustomers"]] == [
        "acme-9",
        "cus_1",
    ]
    for provider, customer in (("stripe", "cus_1"), ("acme", "acme-9")):
        pair = {"stripeCustomerId": customer, "tagValue": "both", "provider": provider}
        assert (await company.call("POST", "/api/customer-mappings", pair)).status == 201
    [row] = (await company.call("GET", "/api/margins")).data["customers"]
    assert _numbers(row) == (300_000_000, 12_000_000, 96)
    assert (row["stripeCustomerId"], row["tagValue"]) == ("cus_1", "both")
    detail = (await company.call("GET", "/api/margins/both")).data
    assert detail["modelBreakdown"] == [
        {"model": "acme-1", "cost": 7_000_000, "requestCount": 1},
        {"model": "acme-2", "cost": 5_000_000, "requestCount": 3},
    ]

    again = await ask(company.server.url, "POST", "/api/stripe/revenue-sync", headers=CRON)
    assert again.data == {"synced": 2, "errors": 0}
    [row] = (await company.call("GET", "/api/margins")).data["customers"]
    assert _numbers(row) == (300_000_000, 12_000_000, 96)  # pulled once

    one = await ask(company.server.url, "GET", "/api/connections/acme/sync", headers=CRON)
    assert one.data == {"synced": 1, "errors": 0}
    assert (await company.call("DELETE", "/api/connections/acme")).status == 200
    [row] = (await company.call("GET", "/api/margins")).data["customers"]
    assert _numbers(row) == (100_000_000, 12_000_000, 88)


def _numbers(row: dict[str, Any]) -> tuple[int, int, float]:
    return row["revenueMicrodollars"], row["costMicrodollars"], row["marginPercent"]


async def test_its_machines_read_by_token(company: Company) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Acme-Org": ORG}
    answer = await ask(company.server.url, "GET", "/api/margins", headers=headers)
    assert answer.status == 200
    headers["Authorization"] = "Bearer acme_wrong"
    answer = await ask(company.server.url, "GET", "/api/margins", headers=headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (
        401,
        'Bearer error="invalid_token"',
    )
