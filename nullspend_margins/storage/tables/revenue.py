"""Revenue: what providers told, what a sync stages, and the sums kept with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, text

from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins.storage.columns import exact, needed, optional, table
from nullspend_margins.storage.types import COUNT, KEY, MONEY, MONTH, TEXT, UtcDateTime


def _revenue_columns() -> list[Column[Any]]:
    return [
        needed("kind", KEY),
        optional("customer_id", KEY),
        needed("month", MONTH),
        needed("amount_minor", MONEY),
        needed("currency", KEY),
        needed("minor_digits", COUNT),
        needed("amount_microdollars", MONEY),
        needed("counted", COUNT),
        needed("partial", COUNT),
        needed("occurred_at", UtcDateTime()),
        optional("customer_name", TEXT),
        optional("customer_email", TEXT),
        optional("avatar_url", TEXT),
        optional("suggested_tag", TEXT),
        # What it is made of; NULL: one part for every basis. See storage.revenue_parts.
        optional("parts", TEXT),
        # JSON, an array for each month it is revenue of: the month and the amount of each basis,
        # in microdollars, or in the currency's minor unit where it is not counted.
        needed("cells", TEXT),
    ]


revenue_facts: Table = table(
    "revenue_facts",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("object_id", KEY),
    *_revenue_columns(),
    PrimaryKeyConstraint("org_id", "provider", "object_id"),
    Index(None, "org_id", "provider", "month"),
    Index(None, "org_id", "provider", "customer_id"),
    Index(
        "ix_margins_revenue_facts_skipped",
        "org_id",
        "provider",
        "month",
        sqlite_where=text("counted = 0"),
        postgresql_where=text("counted = 0"),
    ),
    *exact("amount_minor", "amount_microdollars"),
)

revenue_staging: Table = table(
    "revenue_staging",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("sync_id", KEY),
    needed("object_id", KEY),
    *_revenue_columns(),
    PrimaryKeyConstraint("org_id", "provider", "sync_id", "object_id"),
    *exact("amount_minor", "amount_microdollars"),
)

customer_months: Table = table(
    "customer_months",
    needed("org_id", KEY),
    needed("month", MONTH),
    needed("provider", KEY),
    needed("customer_id", KEY),
    *(needed(basis, MONEY) for basis in BASES),
    needed("invoice_count", COUNT),
    optional("last_invoice_at", UtcDateTime()),
    optional("customer_name", TEXT),
    optional("avatar_url", TEXT),
    PrimaryKeyConstraint("org_id", "month", "provider", "customer_id"),
    *exact(*BASES),
    clustered=True,
)

revenue_customers: Table = table(
    "revenue_customers",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("customer_id", KEY),
    optional("name", TEXT),
    optional("email", TEXT),
    optional("avatar_url", TEXT),
    needed("total_microdollars", MONEY),
    needed("invoice_count", COUNT),
    needed("last_invoice_at", UtcDateTime()),
    PrimaryKeyConstraint("org_id", "provider", "customer_id"),
    *exact("total_microdollars"),
    clustered=True,
)
