"""What the sample company's table covers, for OpenAPI's examples."""

from __future__ import annotations

from nullspend_margins.web.wire.bases import BasesPrecision, MissingPermission, Permissions
from nullspend_margins.web.wire.coverage import (
    CostCoverage,
    Coverage,
    ProviderCoverage,
    ProviderRevenue,
    RevenueCoverage,
    SkippedRevenue,
    SourceCoverage,
)

PERMISSIONS = Permissions(
    bases=BasesPrecision(invoiced="exact", cash="exact", net="approximate", accrual="approximate"),
    missing=[
        MissingPermission(
            permission="rak_charge_read",
            bases=["net", "accrual"],
            detail="Refunds are not taken away.",
        )
    ],
    remedy_url="https://dashboard.stripe.com/apikeys/create?name=NullSpend%20Margins"
    "&permissions[]=rak_charge_read",
)
COVERAGE = Coverage(
    basis="invoiced",
    cost=CostCoverage(
        attributed_microdollars=30_000_000,
        unmapped_microdollars=15_000_000,
        unattributed_microdollars=1_250_000,
        total_microdollars=46_250_000,
    ),
    revenue=RevenueCoverage(
        mapped_microdollars=100_000_000,
        unmatched_microdollars=50_000_000,
        without_customer_microdollars=5_000_000,
        total_microdollars=155_000_000,
        providers=[
            ProviderRevenue(
                provider="stripe",
                mapped_microdollars=100_000_000,
                unmatched_microdollars=50_000_000,
                without_customer_microdollars=5_000_000,
                total_microdollars=155_000_000,
                skipped=[
                    SkippedRevenue(currency="eur", invoices=3, amount_minor=12_000),
                    SkippedRevenue(currency="usd", invoices=1, amount_minor=500),
                ],
            )
        ],
    ),
    sources=[
        SourceCoverage(
            name="api",
            kind="pushed",
            last_delivered_at="2026-04-05T10:29:00.000Z",
            newest_cost_at="2026-04-05T10:28:41.000Z",
            newest_cost_day="2026-04-05",
            lag_seconds=60,
            stale=False,
            last_error=None,
        ),
        SourceCoverage(
            name="gateway",
            kind="pulled",
            last_delivered_at="2026-04-04T04:30:00.000Z",
            newest_cost_at=None,
            newest_cost_day="2026-04-04",
            lag_seconds=108_000,
            stale=True,
            last_error="The gateway's database does not answer.",
        ),
    ],
    providers=[
        ProviderCoverage(
            name="stripe",
            status="active",
            last_sync_at="2026-04-05T10:00:00.000Z",
            lag_seconds=1800,
            permissions=PERMISSIONS,
        )
    ],
)
