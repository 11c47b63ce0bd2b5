"""Fills a database for the benchmarks: many events, the rollups they lead to, revenue, mappings.

Events go in by one statement inside the database, as fast as it can; the rollups are built from
them by GROUP BY, which is what ingest adds up one by one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing

import psycopg

from benchmarks.products import ORG
from nullspend_margins.domain.period import Period

PERIOD = "2026-11"
MONTHS = 3
OTHER_ORGS = 20
_LAST = Period.parse(PERIOD)
_FIRST = _LAST.shift(1 - MONTHS)
_FIRST_DAY = 20_697  # 2026-09-01
_DAYS = 91

Baseline = Callable[[], tuple[int, float]]
"""Runs the GROUP BY once: how many rows it gave, and the seconds it took."""

_EVENTS = """
INSERT INTO margins_cost_events (
  org_id, source, event_id, id, occurred_at, created_at, provider, model, cost_nanodollars,
  tag_value, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens)
SELECT CASE n % 2 WHEN 0 THEN '{org}' ELSE 'other_' || (n % {others}) END,
  'api', 'openai' || n, 'id' || n, {time}, {time}, 'openai',
  CASE n % 3 WHEN 0 THEN 'gpt-4o' WHEN 1 THEN 'gpt-4o-mini' ELSE 'o4' END,
  (n * 7919 % 9000000) + 1000, 'customer-' || (n / 2 * 31 % {customers}), 1200, 350, 0, 0
FROM {numbers}
"""

_MONTH = {
    "sqlite": "(CAST(substr(occurred_at, 1, 4) AS INTEGER) * 12"
    " + CAST(substr(occurred_at, 6, 2) AS INTEGER) - 1)",
    "postgresql": "(EXTRACT(YEAR FROM occurred_at AT TIME ZONE 'UTC')::int * 12"
    " + EXTRACT(MONTH FROM occurred_at AT TIME ZONE 'UTC')::int - 1)",
}

_DAY = {
    "sqlite": "CAST(julianday(substr(occurred_at, 1, 10)) - 2440587.5 AS INTEGER)",
    "postgresql": "((occurred_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01')",
}

_ROLLUPS = [
    """INSERT INTO margins_cost_months
       SELECT org_id, {month}, tag_value, SUM(cost_nanodollars), COUNT(*)
       FROM margins_cost_events GROUP BY 1, 2, 3""",
    """INSERT INTO margins_cost_model_days
       SELECT org_id, {day}, tag_value, source, provider, model, SUM(cost_nanodollars), COUNT(*)
       FROM margins_cost_events GROUP BY 1, 2, 3, 4, 5, 6""",
]

_MAPPINGS = """
INSERT INTO margins_mappings (id, org_id, provider, customer_id, tag_key, tag_value, match_type,
  confidence, created_at)
SELECT 'm' || n, '{org}', 'stripe', 'cus_' || n, 'customer', 'customer-' || n, 'manual', 1.0,
  {time} FROM {numbers}
"""

_REVENUE = """
INSERT INTO margins_customer_months (org_id, month, provider, customer_id,
  invoiced, cash, net, accrual, invoice_count, last_invoice_at, customer_name)
SELECT '{org}', {month}, 'stripe', 'cus_' || n, (n % 900 + 20) * 1000000,
  (n % 900 + 20) * 1000000, (n % 900 + 20) * 900000, (n % 900 + 20) * 900000, 1, {time},
  'Customer ' || n FROM {numbers}
"""


def seed(url: str, events: int, customers: int) -> Baseline:
    """Fill the migrated database at ``url``; returns what runs the baseline.

    The org has ``events`` events and so many ``customers``, all mapped; other orgs have as many
    events together.
    """
    if url.startswith("sqlite"):
        return _seed_sqlite(url.removeprefix("sqlite:///"), events, customers)
    return _seed_postgresql(url, events, customers)


def _statements(
    engine: str,
    numbers: Callable[[int], str],
    time_of: Callable[[str], str],
    events: int,
    customers: int,
) -> list[str]:
    """Every INSERT, in order. ``n`` is the number of the row."""
    # In the order of time, the org's events between those of others: as they really come in.
    at = time_of(f"{_FIRST_DAY * 86_400} + n * {_DAYS * 86_400} / {2 * events}")
    fixed = time_of(str((_FIRST_DAY + 70) * 86_400))
    statements = [
        _EVENTS.format(
            org=ORG,
            others=OTHER_ORGS,
            time=at,
            customers=customers,
            numbers=numbers(2 * events),
        ),
        *(rollup.format(month=_MONTH[engine], day=_DAY[engine]) for rollup in _ROLLUPS),
        _MAPPINGS.format(org=ORG, time=fixed, numbers=numbers(customers)),
    ]
    statements += [
        _REVENUE.format(org=ORG, month=month, time=fixed, numbers=numbers(customers))
        for month in range(_FIRST.index, _LAST.index + 1)
    ]
    return statements


def _baseline_query(engine: str, marker: str) -> str:
    return (
        f"SELECT tag_value, {_MONTH[engine]} AS month, SUM(cost_nanodollars) "
        f"FROM margins_cost_events WHERE org_id = '{ORG}' AND occurred_at >= {marker} "
        f"AND occurred_at < {marker} GROUP BY tag_value, month"
    )


def _seed_sqlite(path: str, events: int, customers: int) -> Baseline:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")

    def numbers(count: int) -> str:
        return (
            f"(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s "
            f"WHERE n < {count - 1}) SELECT n FROM s)"
        )

    def time_of(seconds: str) -> str:
        return f"strftime('%Y-%m-%dT%H:%M:%S', {seconds}, 'unixepoch') || '.000000+00:00'"

    connection.execute("BEGIN")
    for statement in _statements("sqlite", numbers, time_of, events, customers):
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.close()
    bounds = tuple(
        moment.isoformat(timespec="microseconds") for moment in (_FIRST.start, _LAST.end)
    )
    query = _baseline_query("sqlite", "?")

    def group_by() -> tuple[int, float]:
        with closing(sqlite3.connect(path)) as reader:
            return _timed(lambda: reader.execute(query, bounds).fetchall())

    return group_by


def _seed_postgresql(url: str, events: int, customers: int) -> Baseline:
    def numbers(count: int) -> str:
        return f"(SELECT generate_series(0::bigint, {count - 1}) AS n) AS numbers"

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        with connection.transaction():
            for statement in _statements(
                "postgresql", numbers, lambda seconds: f"to_timestamp({seconds})", events, customers
            ):
                connection.execute(statement.encode())
        connection.execute("VACUUM ANALYZE")
    query = _baseline_query("postgresql", "%s").encode()

    def group_by() -> tuple[int, float]:
        with psycopg.connect(url) as reader:
            return _timed(lambda: reader.execute(query, (_FIRST.start, _LAST.end)).fetchall())

    return group_by


def _timed(run: Callable[[], Sequence[object]]) -> tuple[int, float]:
    started = time.perf_counter()
    rows = run()
    return len(rows), time.perf_counter() - started
