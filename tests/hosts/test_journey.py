"""Everything a host's people do, in every way to put the product into a host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from nullspend_margins import Margins, MarginsMiddleware
from tests.hosts.conftest import MakeMargins, Stripe
from tests.hosts.hosts import MOUNT, MOUNTED, WRAPPED, fastapi_host, fastapi_mount, starlette_host
from tests.hosts.server import hosted
from tests.processes.servers import COMMAND, run, write_config
from tests.world import KEY, ORG, config, event, unix

OTHER_KEY = "rk_live_zyxwvutsrqponmlkjihgfedcba"
ADMIN = {"Cookie": "host_session=session-of-admin"}
CSV = (
    "Customer,Stripe ID,Tag Value,Revenue ($),Cost ($),Margin (%),Margin ($),Health Tier\r\n"
    "Acme,cus_1,acme corp,100.00,30.00,70.00,70.00,healthy\r\n"
)
FORMS = [
    *(pytest.param(form, MOUNT, id=form.__name__) for form in MOUNTED),
    *(pytest.param(form, "", id=form.__name__) for form in WRAPPED),
]


@pytest.mark.parametrize(("form", "base"), FORMS)
async def test_the_whole_journey(
    form: Callable[[Margins], ASGIApp],
    base: str,
    database_url: str,
    make_margins: MakeMargins,
    stripe: Stripe,
) -> None:
    margins = make_margins(database_url)
    async with hosted(form(margins)) as url:
        await journey(f"{url}{base}", stripe, await ingest_key(margins))
        await the_hosts_own_is_there(url)


@pytest.mark.parametrize(("form", "base"), [(fastapi_mount, MOUNT), (WRAPPED[0], "")])
async def test_the_journey_under_a_prefix(
    form: Callable[[Margins], ASGIApp],
    base: str,
    sqlite_url: str,
    make_margins: MakeMargins,
    stripe: Stripe,
) -> None:
    margins = make_margins(sqlite_url, server={"prefix": "/money"})
    async with hosted(form(margins)) as url, httpx.AsyncClient() as client:
        await journey(f"{url}{base}/money", stripe, await ingest_key(margins))
        assert (await client.get(f"{url}{base}/api/margins", headers=ADMIN)).status_code == 404
        await the_hosts_own_is_there(url)


@pytest.mark.parametrize("host", [fastapi_host, starlette_host])
async def test_the_journey_of_a_middleware_made_from_the_environment(
    host: Callable[[], ASGIApp],
    sqlite_url: str,
    stripe: Stripe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_config(tmp_path / "margins.toml", config(sqlite_url, stripe.url))
    monkeypatch.setenv("NULLSPEND_MARGINS_CONFIG", str(path))
    app = MarginsMiddleware(host())
    options = ("--config", str(path), "--org", ORG)
    cookie = await run(*COMMAND, "session", *options, "--user", "u1", "--role", "admin")
    key = await run(*COMMAND, "keys", "create", *options)
    async with hosted(app) as url:
        # No clock can be given here: months are the real ones.
        async with httpx.AsyncClient(base_url=url, headers={"Cookie": cookie}) as client:
            answer = await client.post("/api/cost-events", json=event(), headers=ingest(key))
            assert answer.status_code == 201
            unmatched = (await client.get("/api/margins/unmatched")).json()["data"]
            assert [each["tagValue"] for each in unmatched["unmappedTagValues"]] == ["acme-corp"]
            stripe.server.add_account(KEY)
            answer = await client.post("/api/stripe/connect", json={"stripeKey": KEY})
            assert answer.status_code == 201
            assert (await client.post("/api/stripe/revenue-sync")).status_code == 200
        await the_hosts_own_is_there(url)


async def journey(base: str, stripe: Stripe, key: str) -> None:
    """Connect, sync, map, read, download, replace the key, disconnect."""
    account = stripe.server.add_account(KEY)
    account.add_customer("cus_1", name="Acme")
    account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    async with httpx.AsyncClient(base_url=base, headers=ADMIN) as client:

        async def ask(method: str, path: str, status: int, body: object = None) -> httpx.Response:
            answer = await client.request(method, path, json=body)
            assert answer.status_code == status, (method, path, answer.text)
            return answer

        assert (await ask("GET", "/api/stripe/connect", 200)).json() == {"data": None}
        await ask("POST", "/api/stripe/connect", 201, {"stripeKey": KEY})
        spent = event(customer="acme corp", costMicrodollars=30_000_000)
        answer = await client.post("/api/cost-events", json=spent, headers=ingest(key))
        assert answer.status_code == 201, answer.text
        report = (await ask("GET", "/api/stripe/revenue-sync", 200)).json()["data"]
        assert (report["customersProcessed"], report["invoicesFetched"]) == (1, 1)
        unmatched = (await ask("GET", "/api/margins/unmatched", 200)).json()["data"]
        assert unmatched["unmatchedStripeCustomers"][0]["stripeCustomerId"] == "cus_1"
        assert unmatched["unmappedTagValues"][0]["tagValue"] == "acme corp"
        pair = {"stripeCustomerId": "cus_1", "tagValue": "acme corp"}
        await ask("POST", "/api/customer-mappings", 201, pair)
        table = (await ask("GET", "/api/margins", 200)).json()["data"]
        assert table["summary"]["blendedMarginPercent"] == 70
        assert table["customers"][0]["marginMicrodollars"] == 70_000_000
        detail = (await ask("GET", "/api/margins/acme%20corp", 200)).json()["data"]
        assert detail["modelBreakdown"][0]["cost"] == 30_000_000
        download = await ask("GET", "/api/margins?format=csv", 200)
        assert download.text == CSV
        stripe.server.grant(OTHER_KEY, account)
        await ask("PUT", "/api/stripe/connect", 200, {"stripeKey": OTHER_KEY})
        stripe.server.revoke(KEY)
        await ask("POST", "/api/stripe/revenue-sync", 200)
        assert (await ask("GET", "/api/margins", 200)).json()["data"]["customers"]
        await ask("DELETE", "/api/stripe/disconnect", 200)
        assert (await ask("GET", "/api/margins", 200)).json()["data"]["customers"] == []
        await ask("GET", "/api/stripe/revenue-sync", 404)


async def the_hosts_own_is_there(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        for path in ("/api/other", "/api/connections", "/api/marginsOfTheHost"):
            assert (await client.get(path)).json() == {"page": "the host's own", "path": path}
        assert (await client.get("/api/state")).json() == {"greeting": "hello"}


async def ingest_key(margins: Margins) -> str:
    key, _ = await (await margins.services()).keys.create(ORG)
    return key


def ingest(key: str) -> dict[str, str]:
    return {"X-NullSpend-Key": key}
