"""Disk for a million cost events, and the memory of one worker: ``python -m benchmarks.size``.

    python -m benchmarks.size                      # 100,000 events, and what a million would be
    python -m benchmarks.size --events 1000000     # a million

Events come in as they do by HTTP, a thousand in a transaction, and the tables of sums with them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx

from benchmarks.databases import POSTGRESQL, engines, rows_of, sqlite_path
from nullspend_margins import CostEvent
from nullspend_margins.storage import events
from nullspend_margins.storage.database import Database

BATCH = 1_000
CUSTOMERS = 1_000
DAYS = 90
LAST = datetime(2026, 11, 28, tzinfo=UTC)
MEGABYTE = 1_000_000
REQUESTS = 50


def spent(number: int) -> CostEvent:
    """One of a usual size: ids of UUIDs, a customer, three tags, no breakdown."""
    return CostEvent(
        event_id=str(uuid4()),
        provider="openai",
        model=("gpt-4o", "gpt-4o-mini", "o3")[number % 3],
        cost_nanodollars=1_000 + number % 9_000_000,
        occurred_at=LAST - timedelta(seconds=number % (DAYS * 86_400)),
        tag_value=f"customer-{number % CUSTOMERS}",
        input_tokens=1_200,
        output_tokens=350,
        session_id=str(uuid4()),
        tags={"feature": "search", "team": "platform", "release": "2026.11"},
    )


async def fill(url: str, count: int) -> None:
    """So many events of one org."""
    database = Database(url, pool_size=2)
    await database.start()
    for start in range(0, count, BATCH):
        batch = [spent(number) for number in range(start, min(start + BATCH, count))]
        await database.write(
            lambda tx, it=batch: events.insert_events(tx, "org_1", "api", it, LAST)
        )
    await database.close()


def disk(url: str) -> int:
    """Bytes of all tables and their indexes."""
    if url.startswith("sqlite"):
        rows_of(url, "PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(sqlite_path(url)).stat().st_size
    tables = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname ~ '^margins_' "
    [[found]] = rows_of(url, f"{tables} AND relkind = 'r'")
    return int(str(found))


def resident(url: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Bytes of a ``serve`` process on this database: begun, and after many tables and pages."""
    config = folder / "size.toml"
    config.write_text(f'[database]\nurl = "{url}"\n[plans.orgs]\norg_1 = "pro"\n')
    command = [sys.executable, "-m", "nullspend_margins"]
    signed = [
        "session",
        "--config",
        str(config),
        "--org",
        "org_1",
        "--user",
        "u",
        "--role",
        "admin",
    ]
    cookie = subprocess.run([*command, *signed], check=True, stdout=subprocess.PIPE, text=True)
    serve = [*command, "serve", "--config", str(config), "--port", "0"]
    process = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield "begun", _resident(process.pid)
        with httpx.Client(base_url=found[0], headers={"Cookie": cookie.stdout.strip()}) as client:
            for _ in range(REQUESTS):
                for path in ("/api/margins?include=coverage", "/margins", "/api/margins/unmatched"):
                    client.get(path, timeout=60).raise_for_status()
        yield f"after {3 * REQUESTS} requests", _resident(process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=100_000)
    count: int = parser.parse_args().events
    with engines(durable=False) as found:
        for engine in found:
            url = engine.migrated()
            empty = disk(url)
            asyncio.run(fill(url, count))
            whole = (disk(url) - empty) / count * 1_000_000
            print(f"{engine.name}: {whole / MEGABYTE:,.0f} MB for a million events")
            if engine.name != POSTGRESQL:
                for when, size in resident(url, Path(sqlite_path(url)).parent):
                    print(f"{engine.name}: a worker has {size / MEGABYTE:,.0f} MB, {when}")


if __name__ == "__main__":
    main()
