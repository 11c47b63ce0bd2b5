"""A client that a generator makes of the served document works, with types and exact numbers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from nullspend_margins.web.routes import ROUTES
from tests.docs.taken import taken_inline
from tests.openapi.generated import PACKAGE, Client, module, person
from tests.openapi.served import Served, served
from tests.world import KEY, unix

GENERATE = taken_inline(
    "api.md", "openapi-python-client generate --url https://host.example/billing/api/openapi.json"
)

MONTH = "2026-11"


@pytest.fixture
def product(sqlite_url: str) -> Iterator[Served]:
    """Nothing connected; Stripe knows two customers who paid this month."""
    with served(sqlite_url, stocked=False) as here:
        account = here.here.account
        acme = account.add_customer("cus_acme", name="Acme Corp")
        account.add_invoice(acme, 10_000, created=unix(2026, 11, 2))
        account.add_invoice(acme, 500, created=unix(2026, 11, 3), currency="eur")
        other = account.add_customer("cus_beta", name="BetaCo", email="billing@beta.co")
        account.add_invoice(other, 2_500, created=unix(2026, 11, 4))
        yield here


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Path]:
    """The folder of a client that was made of the document as it is served."""
    folder = tmp_path_factory.mktemp("client")
    database = folder / "margins.db"
    database.write_bytes(sqlite_template.read_bytes())
    (folder / "config.yaml").write_text("post_hooks: []\n")
    with served(f"sqlite:///{database}") as here:
        shown = GENERATE.replace("https://host.example/billing", here.url).split()
        assert shown.pop(0) == "openapi-python-client"
        command = [sys.executable, "-m", "openapi_python_client", *shown, "--meta", "none"]
        command += ["--output-path", PACKAGE, "--config", "config.yaml", "--fail-on-warning"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "arning" not in done.stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder / PACKAGE
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def models(package: Path) -> Any:
    """The generated classes."""
    assert package.is_dir()
    return module("models")


@pytest.fixture
def owner(product: Served, package: Path) -> Iterator[Client]:
    assert package.is_dir()
    with person(product, "owner") as client:
        yield client


@pytest.fixture
def reporter(product: Served, package: Path) -> Iterator[Client]:
    """Who has a cost-event key."""
    assert package.is_dir()
    key = product.run(product.here.ingest_key())
    client = Client(product.url, "X-NullSpend-Key", key)
    with client.http:
        yield client


@pytest.fixture
def mapping(models: Any, owner: Client, reporter: Client) -> Any:
    """Costs of two customers, revenue of two, and the one mapping between them."""
    event = models.CostEvent(
        provider="openai",
        model="gpt-4o",
        input_tokens=1200,
        output_tokens=350,
        cost_microdollars=30_000_000,
        customer="acme-corp",
    )
    small = attrs.evolve(event, model="o1", cost_microdollars=1)
    unmapped = attrs.evolve(event, cost_microdollars=1_234_567, customer="gamma-inc")
    batch = models.CostEventBatch(events=[small, unmapped])
    assert reporter.status("cost_events.report_cost_event", body=event) == 201
    told = reporter("cost_events.report_cost_event_batch", body=batch)
    assert (told.inserted, len(told.ids)) == (2, 2)
    owner("stripe.connect_stripe", body=models.StripeKey(stripe_key=KEY))
    owner("stripe.sync_stripe")
    wanted = models.MappingRequest(stripe_customer_id="cus_acme", tag_value="acme-corp")
    return owner("customer_mappings.save_customer_mapping", body=wanted).data


def test_the_generated_package_is_typed(package: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental", PACKAGE],
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_its_names_are_those_of_the_product(package: Path) -> None:
    functions = {path.stem for path in (package / "api").glob("*/[a-z]*.py")}
    assert functions == {_snake(route.operation_id) for route in ROUTES}
    classes = {path.stem for path in (package / "models").glob("*.py")}
    assert {"margin_table_answer", "customer_margin", "health_tier", "error_body"} <= classes
    assert [name for name in classes if "response" in name or "type_" in name] == []


def _snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


def test_a_connection_is_an_object_or_none(models: Any, owner: Client) -> None:
    none = models.ConnectionStatusAnswer(data=None)
    assert owner("stripe.get_stripe_connection") == none
    made = owner("stripe.connect_stripe", body=models.StripeKey(stripe_key=KEY)).data
    assert (made.key_prefix, made.status) == ("rk_live_abcd...wxyz", models.ConnectionStatus.ACTIVE)
    seen = owner("stripe.get_stripe_connection").data
    assert (seen.id, seen.last_sync_at, seen.created_at) == (made.id, None, made.created_at)
    gone = models.DeletedAnswer(data=models.Deleted(deleted=True))
    assert owner("stripe.disconnect_stripe") == gone
    assert owner("stripe.get_stripe_connection") == none


def test_a_repeated_event_is_stored_once(models: Any, reporter: Client) -> None:
    event = models.CostEvent(
        provider="openai",
        model="gpt-4o",
        input_tokens=1,
        output_tokens=2,
        cost_microdollars=3,
        occurred_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    arguments = {"body": event, "idempotency_key": "once"}
    first = reporter("cost_events.report_cost_event", **arguments)
    assert reporter("cost_events.report_cost_event", **arguments) == first
    assert reporter.status("cost_events.report_cost_event", **arguments) == 200
    assert reporter.status("cost_events.report_cost_event", body=event) == 201


def test_a_sync_tells_what_it_did(models: Any, owner: Client) -> None:
    owner("stripe.connect_stripe", body=models.StripeKey(stripe_key=KEY))
    answer = owner("stripe.sync_stripe")
    assert isinstance(answer, models.SyncAnswer)
    report = answer.data
    assert (report.customers_processed, report.periods_updated) == (2, 2)
    assert (report.invoices_fetched, report.invoices_skipped) == (3, 1)
    assert report.skipped_currencies.additional_properties == {"eur": 1}


def test_the_table_has_exact_numbers(models: Any, owner: Client, mapping: Any) -> None:
    table = owner("margins.get_margin_table", period=MONTH).data
    assert table.summary.total_revenue_microdollars == 100_000_000
    assert table.summary.sync_status is models.SyncStatus.ACTIVE
    [row] = table.customers
    assert (row.tag_value, row.stripe_customer_id) == (mapping.tag_value, "cus_acme")
    assert row.health_tier is models.HealthTier.HEALTHY
    assert row.revenue_microdollars == 100_000_000
    assert row.cost_microdollars == 30_000_001
    assert row.margin_microdollars == 69_999_999
    assert row.margin_percent == 70
    months = [(point.period, point.margin_percent) for point in row.sparkline]
    assert months == [("2026-09", 0), ("2026-10", 0), (MONTH, 70)]


def test_coverage_comes_when_it_is_asked_for(models: Any, owner: Client, mapping: Any) -> None:
    unset = module("types").UNSET
    assert owner("margins.get_margin_table", period=MONTH).data.coverage is unset
    table = owner("margins.get_margin_table", period=MONTH, include=models.Include.COVERAGE).data
    coverage = table.coverage
    assert coverage.cost.attributed_microdollars == 30_000_001
    assert coverage.cost.total_microdollars == 31_234_568
    assert coverage.revenue.total_microdollars == 125_000_000
    [stripe] = coverage.revenue.providers
    assert [(each.currency, each.amount_minor) for each in stripe.skipped] == [("eur", 500)]
    [source] = coverage.sources
    assert (source.name, source.kind) == ("api", models.CostSourceKind.PUSHED)
    assert source.newest_cost_day.isoformat() == "2026-11-20"
    assert coverage.providers[0].status is models.ConnectionStatus.ACTIVE
    assert coverage.providers[0].permissions.bases.accrual is models.BasisPrecision.EXACT


def test_bases_come_beside_coverage(models: Any, owner: Client, mapping: Any) -> None:
    both = models.Include.COVERAGEBASES
    table = owner("margins.get_margin_table", include=both, basis=models.Basis.CASH).data
    assert table.coverage.basis is models.Basis.CASH
    [row] = table.customers
    assert row.revenue_by_basis.invoiced == 100_000_000
    arguments = {"customer": mapping.tag_value, "include": models.CustomerInclude.BASES}
    detail = owner("margins.get_customer_margin", **arguments).data
    assert detail.revenue_by_basis == row.revenue_by_basis


def test_an_explanation_has_exact_numbers(models: Any, owner: Client, mapping: Any) -> None:
    explain = "margins.explain_customer_margin"
    found = owner(explain, customer=mapping.tag_value, period=MONTH, basis=models.Basis.CASH).data
    assert (found.revenue_microdollars, found.cost_microdollars) == (100_000_000, 30_000_001)
    assert [each.revenue_microdollars for each in found.revenue] == [100_000_000]
    assert found.revenue[0].object_kind is models.RevenueObjectKind.INVOICE
    assert [(each.model, each.cost_microdollars) for each in found.costs] == [
        ("gpt-4o", 30_000_000),
        ("o1", 1),
    ]


def test_a_connection_tells_what_its_key_may_read(models: Any, owner: Client) -> None:
    asked = models.ConnectionInclude.PERMISSIONS
    key = models.StripeKey(stripe_key=KEY)
    made = owner("stripe.connect_stripe", body=key, include=asked).data
    assert made.permissions.bases.invoiced is models.BasisPrecision.EXACT
    shown = owner("connections.get_provider_connection", provider="stripe", include=asked).data
    assert shown.permissions == made.permissions


def test_a_customer_has_exact_numbers(models: Any, owner: Client, mapping: Any) -> None:
    answer = owner("margins.get_customer_margin", customer=mapping.tag_value)
    assert answer.data.revenue_over_time[-1] == models.MonthPoint(
        period=MONTH, revenue=100_000_000, cost=30_000_001
    )
    assert answer.data.model_breakdown == [
        models.ModelCost(model="gpt-4o", cost=30_000_000, request_count=1),
        models.ModelCost(model="o1", cost=1, request_count=1),
    ]
    assert owner("margins.get_unmatched", tag_value=mapping.tag_value) == answer


def test_what_is_not_matched_has_exact_numbers(models: Any, owner: Client, mapping: Any) -> None:
    answer = owner("margins.get_unmatched")
    assert isinstance(answer, models.UnmatchedAnswer)
    assert answer.data.unmatched_stripe_customers == [
        models.UnmatchedCustomer(
            stripe_customer_id="cus_beta",
            customer_name="BetaCo",
            customer_email="billing@beta.co",
            total_revenue_microdollars=25_000_000,
        )
    ]
    assert answer.data.unmapped_tag_values == [
        models.UnmappedTag(
            tag_value="gamma-inc", total_cost_microdollars=1_234_567, request_count=1
        )
    ]
    assert answer.data.customer_names["cus_acme"] == "Acme Corp"
    assert owner("customer_mappings.list_customer_mappings").data == [mapping]
    assert owner.status("customer_mappings.delete_customer_mapping", id=mapping.id) == 200
    assert owner("customer_mappings.list_customer_mappings").data == []


def test_a_conflict_names_the_holder(models: Any, owner: Client, mapping: Any) -> None:
    wanted = models.MappingRequest(stripe_customer_id="cus_beta", tag_value=mapping.tag_value)
    refused = owner("customer_mappings.save_customer_mapping", body=wanted)
    assert isinstance(refused, models.ErrorEnvelope)
    assert refused.error.code is models.ErrorCode.CONFLICT
    assert refused.error.details == models.HolderDetails(
        stripe_customer_id="cus_acme", mapping_id=mapping.id
    )


def test_failures_are_typed_by_what_they_are(models: Any, product: Served, owner: Client) -> None:
    key = models.StripeKey(stripe_key=KEY)
    owner("stripe.connect_stripe", body=key)
    again = owner("stripe.connect_stripe", body=key).error
    assert (again.code, again.details) == (models.ErrorCode.CONFLICT, None)
    with person(product, "viewer") as viewer:
        forbidden = viewer("stripe.connect_stripe", body=key).error
    assert forbidden.code is models.ErrorCode.FORBIDDEN
    assert forbidden.details == models.RoleDetails(required_role="admin", current_role="viewer")
    wrong = owner("margins.get_margin_table", period="April").error
    assert wrong.code is models.ErrorCode.VALIDATION_ERROR
    assert [issue.path for issue in wrong.details.issues] == ["period"]
    missing = owner("margins.get_customer_margin", customer="nobody").error
    assert (missing.code, missing.details) == (models.ErrorCode.NOT_FOUND, None)


def test_the_file_comes_through_the_clients_own_connection(owner: Client) -> None:
    """The generator reads JSON where a status has several types: the file is for the client."""
    answer = owner.http.get("/api/margins", params={"format": "csv", "period": MONTH})
    assert answer.headers["content-disposition"] == f'attachment; filename="margins-{MONTH}.csv"'
    assert answer.text.startswith("Customer,Stripe ID,Tag Value,")
