"""One sample company on the wire: what bodies and answers look like, in OpenAPI's examples."""

from __future__ import annotations

from msgspec.structs import replace

from nullspend_margins.web.wire.base import Deleted, DeletedAnswer
from nullspend_margins.web.wire.bases import RevenueByBasis
from nullspend_margins.web.wire.connections import (
    Connection,
    ConnectionAnswer,
    ConnectionStatusAnswer,
    CronAnswer,
    CronReport,
    NewConnection,
    NewConnectionAnswer,
    StripeKey,
    SyncAnswer,
    SyncReport,
)
from nullspend_margins.web.wire.coverage_example import COVERAGE, PERMISSIONS
from nullspend_margins.web.wire.customer import (
    CustomerMargin,
    CustomerMarginAnswer,
    ModelCost,
    MonthPoint,
)
from nullspend_margins.web.wire.events import (
    BatchAnswer,
    CostEvent,
    CostEventBatch,
    StoredEvent,
    StoredEventAnswer,
)
from nullspend_margins.web.wire.mappings import (
    CustomerMapping,
    MappingAnswer,
    MappingRequest,
    MappingsAnswer,
)
from nullspend_margins.web.wire.margins import (
    MarginRow,
    MarginSummary,
    MarginTable,
    MarginTableAnswer,
    SparkPoint,
)
from nullspend_margins.web.wire.unmatched import (
    PendingMatch,
    UnmappedTag,
    UnmatchedAnswer,
    UnmatchedCustomer,
    UnmatchedReport,
)

STRIPE_KEY = "rk_live_abcdefghijklmnopqrstuvwxyz"
_ID = "0b7c9c4e-6f0e-4c53-9f1d-2f1f8f6a7b11"
_OTHER_ID = "5a1f0d0e-3f9c-4f0b-8d7e-0c9b1a2d3e4f"
_NOW = "2026-04-05T10:00:00.000Z"
_BEFORE = "2026-04-01T09:00:00.000Z"
_LABEL = "rk_live_abcd...wxyz"

TABLE = MarginTableAnswer(
    MarginTable(
        MarginSummary(
            blended_margin_percent=70,
            total_revenue_microdollars=100_000_000,
            total_cost_microdollars=30_000_000,
            critical_count=0,
            at_risk_count=0,
            last_sync_at=_NOW,
            sync_status="active",
            skipped_currencies={"eur": 3},
        ),
        [
            MarginRow(
                stripe_customer_id="cus_abc123",
                customer_name="Acme Corp",
                avatar_url=None,
                tag_value="acme-corp",
                revenue_microdollars=100_000_000,
                cost_microdollars=30_000_000,
                margin_microdollars=70_000_000,
                margin_percent=70,
                health_tier="healthy",
                sparkline=[
                    SparkPoint("2026-02", 72.22),
                    SparkPoint("2026-03", 70.53),
                    SparkPoint("2026-04", 70),
                    SparkPoint("2026-05", 68.7, projected=True),
                ],
                projected_tier_worsening=False,
                budget_suggestion_microdollars=None,
            )
        ],
    )
)
COVERED_TABLE = MarginTableAnswer(
    MarginTable(TABLE.data.summary, TABLE.data.customers, coverage=COVERAGE)
)
ROW_WITH_BASES = replace(
    TABLE.data.customers[0],
    revenue_by_basis=RevenueByBasis(100_000_000, 100_000_000, 84_000_000, 90_000_000),
)
TABLE_WITH_BASES = MarginTableAnswer(MarginTable(TABLE.data.summary, [ROW_WITH_BASES]))
CSV = (
    "Customer,Stripe ID,Tag Value,Revenue ($),Cost ($),Margin (%),Margin ($),Health Tier\r\n"
    "Acme Corp,cus_abc123,acme-corp,100.00,30.00,70.00,70.00,healthy\r\n"
)
CUSTOMER = CustomerMarginAnswer(
    CustomerMargin(
        stripe_customer_id="cus_abc123",
        customer_name="Acme Corp",
        avatar_url=None,
        tag_value="acme-corp",
        health_tier="healthy",
        margin_percent=70,
        revenue_microdollars=100_000_000,
        cost_microdollars=30_000_000,
        revenue_over_time=[
            MonthPoint("2026-02", 90_000_000, 25_000_000),
            MonthPoint("2026-03", 95_000_000, 28_000_000),
            MonthPoint("2026-04", 100_000_000, 30_000_000),
        ],
        model_breakdown=[
            ModelCost("gpt-4o", 20_000_000, 150),
            ModelCost("gpt-4o-mini", 10_000_000, 800),
        ],
    )
)
CUSTOMER_WITH_BASES = CustomerMarginAnswer(
    replace(CUSTOMER.data, revenue_by_basis=ROW_WITH_BASES.revenue_by_basis)
)
UNMATCHED = UnmatchedAnswer(
    UnmatchedReport(
        unmatched_stripe_customers=[
            UnmatchedCustomer("cus_xyz", "BetaCo", "billing@beta.co", 50_000_000)
        ],
        unmapped_tag_values=[UnmappedTag("gamma-inc", 15_000_000, 200)],
        pending_auto_matches=[
            PendingMatch(
                id=_OTHER_ID,
                stripe_customer_id="cus_def",
                customer_name="Delta LLC",
                tag_value="cus_def",
                confidence=0.9,
            )
        ],
        customer_names={"cus_abc123": "Acme Corp", "cus_def": "Delta LLC"},
    )
)

MAPPING_REQUEST = MappingRequest("cus_abc123", "acme-corp")
_MAPPING = CustomerMapping(
    id=_ID,
    org_id="org_1",
    stripe_customer_id="cus_abc123",
    tag_key="customer",
    tag_value="acme-corp",
    match_type="manual",
    provider="stripe",
    confidence=1,
    created_at=_NOW,
)
MAPPING, MAPPINGS = MappingAnswer(_MAPPING), MappingsAnswer([_MAPPING])
DELETED = DeletedAnswer(Deleted(deleted=True))

KEY = StripeKey(STRIPE_KEY)
NEW_CONNECTION = NewConnectionAnswer(
    NewConnection(id=_ID, key_prefix=_LABEL, status="active", created_at=_BEFORE)
)
_CONNECTION = Connection(
    id=_ID,
    key_prefix=_LABEL,
    status="active",
    last_sync_at=_NOW,
    last_error=None,
    created_at=_BEFORE,
)
CONNECTION = ConnectionAnswer(_CONNECTION)
NEW_CONNECTION_PERMITTED = NewConnectionAnswer(
    replace(NEW_CONNECTION.data, permissions=PERMISSIONS)
)
_PERMITTED = replace(_CONNECTION, permissions=PERMISSIONS)
CONNECTION_PERMITTED = ConnectionAnswer(_PERMITTED)
CONNECTED_PERMITTED = ConnectionStatusAnswer(_PERMITTED)
CONNECTED, NOT_CONNECTED = ConnectionStatusAnswer(_CONNECTION), ConnectionStatusAnswer(None)
SYNCED = SyncAnswer(
    SyncReport(
        org_id="org_1",
        customers_processed=12,
        periods_updated=15,
        auto_matches_created=2,
        invoices_fetched=48,
        invoices_skipped=3,
        skipped_currencies={"eur": 3},
        duration_ms=4521,
    )
)
CRON = CronAnswer(CronReport(5, 0))

COST_EVENT = CostEvent(
    provider="openai",
    model="gpt-4o",
    input_tokens=1200,
    output_tokens=300,
    cost_microdollars=6000,
    customer="acme-corp",
    tags={"team": "search"},
    idempotency_key="req_8c1f",
    cost_breakdown={"input": 3000, "output": 3000},
)
_SECOND_EVENT = CostEvent(
    provider="anthropic",
    model="claude-sonnet-4",
    input_tokens=800,
    output_tokens=0,
    cost_microdollars=2400,
    customer="gamma-inc",
)
BATCH = CostEventBatch([COST_EVENT, _SECOND_EVENT])
STORED_EVENT = StoredEventAnswer(StoredEvent(_ID, _NOW))
STORED_BATCH = BatchAnswer(2, [_ID, _OTHER_ID])
