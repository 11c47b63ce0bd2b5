"""The plugins that docs/plugins.md shows do what the page says."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from nullspend_margins import (
    Alert,
    AuthenticationRequired,
    CredentialRefused,
    Margins,
    ModelCost,
    MonthCost,
    OutboundAnswer,
    Period,
    PluginContext,
    Principal,
    ProviderUnavailable,
    RevenueWindow,
    ServiceUnavailable,
    TagCost,
    ValidationFailed,
)
from tests.docs.sandbox import module_of, plugin_modules
from tests.docs.taken import taken

EXAMPLES = taken("python", page="plugins.md")
Answers = Callable[[httpx.Request], httpx.Response]
Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """An example as a module."""
    return lambda name: module_of(plugin_modules()[name], name, monkeypatch)


def context(
    name: str, table: Mapping[str, object] = {}, answers: Answers | None = None
) -> PluginContext:
    """What the product would give the plugin; ``answers`` stands for the network."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(answers)) if answers else None
    http = (lambda: client) if client else None
    return PluginContext(name=name, table=table, http=http)


def headers(token: str) -> dict[str, object]:
    return {"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]}


async def test_the_token_authenticator_tells_its_own_tokens_from_others(load: Load) -> None:
    [found] = load("acme_tokens").register_authenticators(context("acme_tokens"))
    ada = await found.authenticate(headers("token-of-ada"))
    assert ada == Principal(org_id="org_1", user_id="ada", role="admin")
    assert await found.authenticate(headers("something else")) is None
    with pytest.raises(AuthenticationRequired):
        await found.authenticate(headers("token-of-nobody"))


async def test_the_token_authenticator_serves_requests(load: Load, tmp_path: Path) -> None:
    config = {
        "database": {"url": f"sqlite:///{tmp_path}/m.db"},
        "plans": {"orgs": {"org_1": "pro"}},
    }
    margins = Margins(config, plugins=[load("acme_tokens")])
    transport = httpx.ASGITransport(app=margins.app)
    async with (
        margins.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://host.test") as client,
    ):
        for token, status in (("token-of-ada", 200), ("token-of-eve", 401), ("x", 401)):
            answer = await client.get("/api/margins", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == status


async def test_the_plan_checker_asks_its_billing_service(load: Load) -> None:
    known = {"org_1": (200, {"plan": "pro"}), "org_2": (404, {})}

    def answers(request: httpx.Request) -> httpx.Response:
        status, body = known.get(request.url.params["org"], (500, {}))
        return httpx.Response(status, json=body)

    [found] = load("acme_plans").register_plan_checkers(context("acme_plans", {}, answers))
    assert await found.plan("org_1") == "pro"
    assert await found.plan("org_2") is None
    with pytest.raises(ServiceUnavailable):
        await found.plan("org_3")


async def test_the_pulled_source_goes_on_where_it_stopped(load: Load, tmp_path: Path) -> None:
    log = tmp_path / "gateway.jsonl"
    log.write_text(_log_line("r1") + _log_line("r2")[:-1])  # the second is being written
    settings = {"path": str(log)}
    [found] = load("gateway_log").register_cost_sources(context("gateway_log", settings))
    [batch] = [each async for each in found.pull(None)]
    assert [event.event_id for event in batch.events] == ["r1"]
    with log.open("a") as growing:
        growing.write("\n")
    [batch] = [each async for each in found.pull(batch.cursor)]
    assert [event.event_id for event in batch.events] == ["r2"]
    assert [each async for each in found.pull(batch.cursor)] == []


def _log_line(name: str) -> str:
    request = {
        "id": name,
        "org": "org_1",
        "provider": "openai",
        "model": "gpt-4o",
        "nanodollars": 5000,
        "at": "2026-04-05T10:00:00+00:00",
        "customer": "acme-corp",
    }
    return json.dumps(request) + "\n"


async def test_the_aggregating_source_adds_up_in_its_own_table(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "usage.db"
    settings = {"file": str(file)}
    [found] = load("usage_table").register_cost_sources(context("usage_table", settings))
    march, april = Period.parse("2026-03"), Period.parse("2026-04")
    with pytest.raises(ServiceUnavailable):
        await found.month_costs("org_1", march, april)
    _fill_usage(file)
    assert sorted(await found.month_costs("org_1", march, april)) == [
        MonthCost("acme", march.index, 1),
        MonthCost("acme", april.index, 30),
    ]
    models = await found.model_costs("org_1", "acme", april)
    assert sorted(models) == [ModelCost("a", 10, 2), ModelCost("b", 20, 3)]
    assert await found.tag_costs("org_1", date(2026, 4, 2)) == [TagCost("acme", 20, 3)]


def _fill_usage(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE usage (org, customer, model, day, nanodollars, requests)")
    connection.executemany(
        "INSERT INTO usage VALUES (?, 'acme', ?, ?, ?, ?)",
        [
            ("org_1", "a", "2026-02-28", 7, 1),
            ("org_1", "a", "2026-03-31", 1, 1),
            ("org_1", "a", "2026-04-01", 10, 2),
            ("org_1", "b", "2026-04-30", 20, 3),
            ("org_2", "b", "2026-04-30", 99, 9),
        ],
    )
    connection.commit()
    connection.close()


def _billing(request: httpx.Request) -> httpx.Response:
    if request.headers["authorization"] == "Bearer acme_broken":
        return httpx.Response(500)
    if request.headers["authorization"] != "Bearer acme_good":
        return httpx.Response(401)
    if request.url.path == "/customers":
        return httpx.Response(200, json=[{"id": "c1"}] if request.url.params["id"] == "c1" else [])
    if request.url.params.get("month") != "2026-04":
        return httpx.Response(200, json=[])
    invoice = {
        "id": "i1", "customer": "c1", "name": "Acme", "cents": 1999, "at": "2026-04-05T10:00Z",
    }  # fmt: skip
    return httpx.Response(200, json=[invoice])


async def test_the_revenue_provider_reads_a_window(load: Load) -> None:
    given = context("acme_billing", {}, _billing)
    [found] = load("acme_billing").register_revenue_providers(given)
    credential = await found.parse_credential({"token": "acme_good"})
    await found.check_credential(credential.secret)
    assert [await found.has_customer(credential.secret, each) for each in ("c1", "c2")] == [
        True,
        False,
    ]
    window = RevenueWindow.ending(datetime(2026, 5, 1, tzinfo=UTC))
    facts = [fact async for page in found.fetch_revenue(credential.secret, window) for fact in page]
    assert [(fact.customer_id, fact.amount_minor) for fact in facts] == [("c1", 1999)]


async def test_the_revenue_provider_tells_a_bad_token_from_a_bad_day(load: Load) -> None:
    given = context("acme_billing", {}, _billing)
    [found] = load("acme_billing").register_revenue_providers(given)
    for body in ({}, {"token": 5}, {"token": "other"}):
        with pytest.raises(ValidationFailed):
            await found.parse_credential(body)
    with pytest.raises(CredentialRefused):
        await found.check_credential("acme_bad")
    with pytest.raises(ProviderUnavailable):
        await found.check_credential("acme_broken")


async def test_the_form_asks_for_what_the_revenue_provider_takes(load: Load) -> None:
    load("acme_billing")
    given = context("acme_form", {}, _billing)
    [found] = load("acme_form").register_revenue_providers(given)
    [way] = found.connect_form.ways
    credential = await found.parse_credential({way.fields[0].name: "acme_good"})
    await found.check_credential(credential.secret)


class Outbox:
    """An outbound client whose receiver takes the first request alone."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def url_problem(self, url: str) -> str | None:
        return None

    async def post(
        self, url: str, *, content: bytes, headers: Mapping[str, str] | None = None
    ) -> OutboundAnswer:
        self.sent.append(((headers or {})["Authorization"], json.loads(content)))
        status = 200 if len(self.sent) == 1 else 500
        return OutboundAnswer(host="pager.example.com", status=status, headers={}, body=b"")


async def test_the_notifier_posts_the_payload_and_raises_when_it_is_not_taken(load: Load) -> None:
    table = {"url": "https://pager.example.com/events", "token": "secret"}
    outbox = Outbox()
    given = PluginContext(name="pager", table=table, outbound=outbox)
    [found] = load("pager").register_notifiers(given)
    alert = Alert(alert_id="evt_1", org_id="org_1", type="test", payload={"id": "evt_1"})
    await found.notify(alert)
    assert outbox.sent == [("Bearer secret", {"id": "evt_1"})]
    with pytest.raises(ServiceUnavailable):
        await found.notify(alert)


def test_the_pages_are_in_the_folder_beside_the_plugin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = {"__file__": str(tmp_path / "acme_pages.py")}
    module = module_of(plugin_modules()["acme_pages"], "acme_pages", monkeypatch, place)
    monkeypatch.chdir(tmp_path)
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "base.html").write_text('{% extends "default/base.html" %}')
    assert Margins({}, plugins=[module]).registry.template_folders == (pages,)


def test_every_example_is_tested_here() -> None:
    assert [*plugin_modules().values()] == EXAMPLES
    assert set(plugin_modules()) == {
        "acme_tokens",
        "acme_plans",
        "gateway_log",
        "usage_table",
        "acme_billing",
        "acme_form",
        "pager",
        "acme_pages",
    }
