"""Every object of the plugin, against the rules of its protocol."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from acme_margins.access import AcmePlans, AcmeTokens, AcmeWebhook
from acme_margins.money import AcmeBilling, AcmeExport, AcmeWarehouse

from nullspend_margins import Period, Principal, RevenueWindow
from nullspend_margins.testing import (
    AggregatingCostSourceSuite,
    AuthenticatorSuite,
    FakeService,
    NotifierSuite,
    PlanCheckerSuite,
    PulledCostSourceSuite,
    RevenueProviderSuite,
    http_scope,
)

MACHINE = "acme_machine_0123456789"


class TestTokens(AuthenticatorSuite):
    good = http_scope({"X-Acme-Org": "org_1"}, bearer=MACHINE)
    refused = (
        http_scope({"X-Acme-Org": "org_1"}, bearer="acme_somebody_elses"),
        http_scope(bearer=MACHINE),
        http_scope({"X-Acme-Org": ""}, bearer=MACHINE),
    )
    principal = Principal(org_id="org_1", user_id="acme", role="viewer")

    def make(self) -> AcmeTokens:
        return AcmeTokens(MACHINE)


class TestPlans(PlanCheckerSuite):
    plans: Mapping[str, str] = {"org_1": "enterprise"}

    def make(self) -> AcmePlans:
        return AcmePlans(["org_1"])


class InFolder:
    """For objects that read a file."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def file(self, *contents: object, name: str = "file.json") -> Path:
        """A file with the contents as lines of JSON."""
        file = self.folder / name
        file.write_text("\n".join(json.dumps(each) for each in contents))
        return file


def spent(number: int, org: str = "org_1") -> dict[str, Any]:
    """A line of the export."""
    event = {"event_id": f"e{number}", "model": "m", "cost_nanodollars": number, "tag_value": "c"}
    return {"org": org, "at": f"2026-04-0{number}T00:00:00+00:00", "event": event}


class TestExport(InFolder, PulledCostSourceSuite):
    nanodollars: Mapping[str, int] = {"org_1": 4, "org_2": 2}

    def make(self) -> AcmeExport:
        return AcmeExport(self.file(spent(1), spent(2, "org_2"), spent(3)))

    def make_unreachable(self) -> AcmeExport:
        return AcmeExport(self.folder / "missing.jsonl")

    def make_failing_half_way(self) -> AcmeExport:
        file = self.folder / "damaged.jsonl"
        file.write_text(f"{json.dumps(spent(1))}\n{{damaged")
        return AcmeExport(file)

    def add_costs(self, source: object) -> None:
        self.file(spent(1), spent(2, "org_2"), spent(3), spent(4))


def row(org: str, customer: str, day: str, cost: int) -> dict[str, Any]:
    """A row of the warehouse."""
    found = {"org": org, "customer": customer, "day": day, "model": "m"}
    return {**found, "nanodollars": cost, "requests": 1}


class TestWarehouse(InFolder, AggregatingCostSourceSuite):
    org_id = "org_1"
    other_org_id = "org_2"
    nanodollars: Mapping[str, Mapping[str, int]] = {
        "2026-03": {"c": 10},
        "2026-04": {"c": 20, "d": 45},
    }

    def make(self) -> AcmeWarehouse:
        rows = [
            row("org_1", "c", "2026-03-31", 10),
            row("org_1", "c", "2026-04-01", 20),
            row("org_1", "d", "2026-04-30", 40),
            row("org_1", "d", "2026-04-30", 5),
            row("org_2", "c", "2026-04-01", 80),
        ]
        return AcmeWarehouse(self.file(rows))

    def make_unreachable(self) -> AcmeWarehouse:
        return AcmeWarehouse(self.folder / "missing.json")


def invoice(number: int, day: str, customer: str = "cus_1") -> dict[str, Any]:
    """An invoice of Acme's."""
    found = {"object_id": f"in_{number}", "customer_id": customer, "amount_minor": 100 * number}
    return {**found, "currency": "usd", "occurred_at": f"{day}T00:00:00+00:00"}


class TestBilling(InFolder, RevenueProviderSuite):
    body: Mapping[str, object] = {"token": "acme_0123456789abcdef"}
    refused_body: Mapping[str, object] = {"token": "acme_revoked_89abcdef"}
    window = RevenueWindow(Period.parse("2026-03"), Period.parse("2026-04"))
    paid: Mapping[str, int] = {"cus_1": 200 + 300, "cus_2": 400}

    def make(self) -> AcmeBilling:
        invoices = [
            invoice(1, "2026-02-28"),
            invoice(2, "2026-03-01"),
            invoice(3, "2026-04-30"),
            invoice(4, "2026-04-30", "cus_2"),
            invoice(5, "2026-05-01"),
        ]
        return AcmeBilling(self.file({"acme_0123456789abcdef": invoices}), page_size=2)

    def make_unreachable(self) -> AcmeBilling:
        return AcmeBilling(self.folder / "missing.json", page_size=2)


def takes(status: int) -> FakeService:
    """A receiver that answers with this status."""
    return FakeService(lambda _: httpx.Response(status))


class TestWebhook(NotifierSuite):
    secrets = ("token-in-the-path",)

    def make(self, service: FakeService | None = None) -> AcmeWebhook:
        self.service = service or takes(200)
        return AcmeWebhook("https://acme.example/token-in-the-path", self.service.context("acme"))

    def make_failing(self) -> AcmeWebhook:
        return self.make(takes(500))

    def make_stalled(self) -> AcmeWebhook:
        return self.make(takes(200).stalled())

    def received(self, notifier: object) -> Sequence[str]:
        return [request.content.decode() for request in self.service.requests]
