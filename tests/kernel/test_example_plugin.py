"""The example plugin, built and installed as its author would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from nullspend_margins import (
    AggregatingCostSource,
    Alert,
    AuthenticationRequired,
    CredentialRefused,
    ModelCost,
    MonthCost,
    Period,
    ProviderUnavailable,
    PulledCostSource,
    RevenueWindow,
    ServiceUnavailable,
    TagCost,
    ValidationFailed,
)
from nullspend_margins.builtin import builtin_plugins
from nullspend_margins.config import config_from_mapping
from nullspend_margins.dashboard import template_problems
from nullspend_margins.plugins import Registry, load_plugins
from nullspend_margins.testing import FakeService

from .support import names, refusal

SOURCE = Path(__file__).parents[1] / "example_plugin"
MARCH, APRIL = Period.parse("2026-03"), Period.parse("2026-04")
EXPORT = [
    {"org": "org_1", "at": f"2026-04-0{day}T00:00:00+00:00"}
    | {"event": {"event_id": f"e{day}", "model": "m", "cost_nanodollars": day, "tag_value": "c"}}
    for day in (1, 2, 3)
]
WAREHOUSE = [
    {"org": org, "customer": "c", "day": day, "model": "m", "nanodollars": 5, "requests": 2}
    for org, day in (("org_1", "2026-03-31"), ("org_1", "2026-04-01"), ("org_2", "2026-04-01"))
]
INVOICES = {
    "acme_t": [
        {"object_id": f"in_{day}", "customer_id": "cus_1", "amount_minor": 100, "currency": "usd"}
        | {"occurred_at": f"{day}T00:00:00+00:00", "suggested_tag": "c"}
        for day in ("2026-01-31", "2026-03-01", "2026-04-01", "2026-04-02")
    ]
}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example plugin installed in it, from a wheel."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
    ]
    command = [*pip, "--quiet", "--target", str(folder / "site"), str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return folder / "site"


@pytest.fixture
def acme(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The table ``[plugins.acme]`` over some files of Acme's, with the plugin installed."""
    monkeypatch.syspath_prepend(site)
    (tmp_path / "export.jsonl").write_text("\n".join(json.dumps(row) for row in EXPORT))
    (tmp_path / "warehouse.json").write_text(json.dumps(WAREHOUSE))
    (tmp_path / "invoices.json").write_text(json.dumps(INVOICES))
    yield {"token": "acme_machine", "folder": str(tmp_path), "enterprise_orgs": ["org_1"]}
    for name in [each for each in sys.modules if each.startswith("acme_margins")]:
        del sys.modules[name]


def nobody_asks(_: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing was to be sent")


def load(table: dict[str, Any], receiver: FakeService | None = None) -> Registry:
    config = config_from_mapping({"plugins": {"acme": table}}, keep_secrets=False)
    outbound = (receiver or FakeService(nobody_asks)).context("acme").outbound
    return load_plugins(config, builtins=builtin_plugins(config), outbound=outbound)


def test_it_is_loaded_from_its_distribution(acme: dict[str, Any]) -> None:
    loaded = next(each for each in load(acme).loaded if each.name == "acme")
    assert (loaded.distribution, loaded.version) == ("acme-margins-plugin", "1.2.0")
    assert loaded.provides == (
        "authenticator acme",
        "plan checker acme",
        "cost source acme-export",
        "cost source acme-warehouse",
        "revenue provider acme",
        "template folder pages",
    )


def test_its_templates_are_in_the_package(acme: dict[str, Any], site: Path) -> None:
    [folder] = load(acme).template_folders
    assert folder == site / "acme_margins" / "pages"
    assert template_problems(folder, [folder]) == []


def test_a_webhook_is_only_there_when_configured(acme: dict[str, Any]) -> None:
    assert names(load(acme).notifiers) == ["log"]
    webhook = {"webhook": "https://acme.example/hook"}
    assert names(load({**acme, **webhook}).notifiers) == ["acme", "log"]


def test_its_settings_are_checked(acme: dict[str, Any]) -> None:
    wrong = {"tokn": "x", "folder": acme["folder"], "page_size": 0}
    assert refusal(acme=wrong).splitlines() == [
        "plugins.acme.tokn: there is no such key. Did you mean plugins.acme.token?",
        "plugins.acme.token: is missing; it must be a string",
        "plugins.acme.page_size: must be at least 1, not 0",
    ]


async def test_machines_sign_in_by_token(acme: dict[str, Any]) -> None:
    tokens = load(acme).authenticators[0]
    assert getattr(tokens, "bearer", False) is True

    async def ask(token: bytes, *more: tuple[bytes, bytes]) -> Any:
        return await tokens.authenticate({"headers": [(b"authorization", token), *more]})

    found = await ask(b"Bearer acme_machine", (b"x-acme-org", b"org_1"))
    assert (found.org_id, found.role) == ("org_1", "viewer")
    assert await ask(b"Bearer somebody_elses") is None
    with pytest.raises(AuthenticationRequired):
        await ask(b"Bearer acme_wrong", (b"x-acme-org", b"org_1"))
    with pytest.raises(AuthenticationRequired):
        await ask(b"Bearer acme_machine")


async def test_it_knows_the_plan_of_its_own_orgs(acme: dict[str, Any]) -> None:
    plans = load(acme).plan_checkers[0]
    assert await plans.plan("org_1") == "enterprise"
    assert await plans.plan("org_2") is None


async def test_the_export_is_pulled_from_where_it_stopped(acme: dict[str, Any]) -> None:
    export = cast("PulledCostSource", load(acme).cost_sources[0])
    batches = [batch async for batch in export.pull(None)]
    assert [batch.cursor for batch in batches] == ["1", "2", "3"]
    assert [batch.events[0].event_id async for batch in export.pull("2")] == ["e3"]


async def test_the_warehouse_adds_up_one_org(acme: dict[str, Any]) -> None:
    warehouse = cast("AggregatingCostSource", load(acme).cost_sources[1])
    assert list(await warehouse.month_costs("org_1", MARCH, APRIL)) == [
        MonthCost("c", MARCH.index, 5),
        MonthCost("c", APRIL.index, 5),
    ]
    assert list(await warehouse.model_costs("org_1", "c", APRIL)) == [ModelCost("m", 5, 2)]
    assert list(await warehouse.tag_costs("org_1", date(2026, 4, 1))) == [TagCost("c", 5, 2)]


async def test_billing_takes_its_own_credential(acme: dict[str, Any]) -> None:
    billing = load(acme).revenue_providers["acme"]
    credential = await billing.parse_credential({"token": "acme_t"})
    assert (credential.secret, credential.label) == ("acme_t", "acme_...")
    with pytest.raises(ValidationFailed) as caught:
        await billing.parse_credential({"token": "hush"})
    assert caught.value.issues[0]["path"] == "token"
    assert "hush" not in str(caught.value)
    await billing.check_credential("acme_t")
    with pytest.raises(CredentialRefused):
        await billing.check_credential("acme_unknown")
    assert await billing.has_customer("acme_t", "cus_1")
    assert not await billing.has_customer("acme_t", "cus_2")


async def test_billing_pages_through_the_window(acme: dict[str, Any]) -> None:
    billing = load({**acme, "page_size": 2}).revenue_providers["acme"]
    window = RevenueWindow.ending(datetime(2026, 4, 20, tzinfo=UTC), months=2)
    pages = [page async for page in billing.fetch_revenue("acme_t", window)]
    assert [[fact.object_id for fact in page] for page in pages] == [
        ["in_2026-03-01"],
        ["in_2026-04-01", "in_2026-04-02"],
    ]


async def test_billing_that_cannot_be_read_is_not_a_refusal(acme: dict[str, Any]) -> None:
    (Path(acme["folder"]) / "invoices.json").unlink()
    with pytest.raises(ProviderUnavailable):
        await load(acme).revenue_providers["acme"].check_credential("acme_t")


async def test_alerts_go_out_by_the_outbound_client(acme: dict[str, Any]) -> None:
    statuses = iter((200, 500))
    receiver = FakeService(lambda _: httpx.Response(next(statuses)))
    webhook = load({**acme, "webhook": "https://acme.example/hook"}, receiver).notifiers[0]
    alert = Alert(alert_id="evt_1", org_id="org_1", type="t", payload={"id": "evt_1"})
    await webhook.notify(alert)
    assert json.loads(receiver.requests[0].content) == {"id": "evt_1"}
    with pytest.raises(ServiceUnavailable):
        await webhook.notify(alert)
