"""Short ways to make what the storage tests store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from nullspend_margins.domain.cost import CostEvent, CostFact
from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import RevenueFact, RevenueWindow
from nullspend_margins.storage import costs, mappings, staging
from nullspend_margins.storage.applying import apply_staged

ORG = "org_1"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOVEMBER = Period.parse("2026-11")
WINDOW = RevenueWindow.ending(NOW)


def event(event_id: str, cost: int = 1_000, **values: Any) -> CostEvent:
    return CostEvent(
        **{
            "event_id": event_id,
            "provider": "openai",
            "model": "gpt-4o",
            "cost_nanodollars": cost,
            "occurred_at": NOW,
            "tag_value": "acme",
        }
        | values
    )


def fact(key: str, cost: int = 1_000, **values: Any) -> CostFact:
    return CostFact(
        **{
            "key": key,
            "provider": "openai",
            "model": "gpt-4o",
            "cost_nanodollars": cost,
            "day": date(2026, 11, 5),
            "tag_value": "acme",
            "request_count": 1,
        }
        | values
    )


def invoice(object_id: str, cents: int = 100, **values: Any) -> RevenueFact:
    return RevenueFact(
        **{
            "object_id": object_id,
            "customer_id": "cus_1",
            "amount_minor": cents,
            "currency": "usd",
            "occurred_at": NOW,
        }
        | values
    )


def mapping(customer_id: str, tag_value: str, **values: Any) -> CustomerMapping:
    return CustomerMapping(
        **{
            "id": f"id-{customer_id}-{tag_value}",
            "org_id": ORG,
            "provider": "stripe",
            "customer_id": customer_id,
            "tag_key": "customer",
            "tag_value": tag_value,
            "match_type": "manual",
            "confidence": 1.0,
            "created_at": NOW,
        }
        | values
    )


def put_mappings(tx: Connection, *stored: CustomerMapping) -> None:
    """Of any orgs, none of them mapped yet."""
    for each in stored:
        mappings.replace(tx, each.org_id, (), [each])


def sync(
    tx: Connection,
    facts: Sequence[RevenueFact],
    *,
    org_id: str = ORG,
    provider: str = "stripe",
    window: RevenueWindow = WINDOW,
) -> bool:
    """Stage ``facts`` as one page and put them in place."""
    stage(tx, org_id, provider, "sync", facts)
    return apply_staged(tx, org_id, provider, "sync", window)


def stage(
    tx: Connection,
    org_id: str,
    provider: str,
    sync_id: str,
    facts: Sequence[RevenueFact],
    conversion: Conversion | None = None,
) -> None:
    """A page of one sync."""
    found = staging.fact_rows(org_id, provider, sync_id, facts, conversion or Conversion())
    staging.stage(tx, found)


def rows(tx: Connection, table: Table, org_id: str = ORG) -> list[tuple[Any, ...]]:
    """An org's rows of a table, without the org, in order."""
    columns = [column for column in table.columns if column.name != "org_id"]
    found = tx.execute(select(*columns).where(table.c.org_id == org_id))
    return sorted((tuple(row) for row in found), key=repr)


def put_cursor(tx: Connection, value: str) -> None:
    """How far the pulled source called ``source`` is."""
    costs.save_cursor(tx, "source", value, NOW)


async def happened(flag: threading.Event) -> None:
    """Let everything else run until ``flag``."""
    while not flag.is_set():  # noqa: ASYNC110 - threads set it
        await asyncio.sleep(0)
