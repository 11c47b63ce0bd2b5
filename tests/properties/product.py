"""A product that a property fills with whatever was drawn, reads over HTTP and empties again."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import Connection

from nullspend_margins import (
    CostBatch,
    Credential,
    Margins,
    Period,
    Principal,
    RevenueFact,
    Scope,
    hookimpl,
)
from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.storage import connections, mappings, revisions, staging
from nullspend_margins.storage.applying import apply_staged
from nullspend_margins.storage.columns import metadata
from nullspend_margins.storage.connections import StoredConnection
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events
from nullspend_margins.storage.facts import replace_facts
from tests.properties.arithmetic import Thresholds, timestamp
from tests.properties.model import Json, ModelMapping, Org
from tests.properties.strategies import PROVIDERS, Books
from tests.world import ENCRYPTION_KEY, SESSION_KEY, FixedClock

DEFAULT = Thresholds()
EVERYTHING = RevenueWindow(Period.parse("1970-01"), Period.parse("9998-12"))


class OrgHeader:
    """Everybody is who the header ``X-Org`` says."""

    name = "org-header"

    async def authenticate(self, scope: Scope) -> Principal | None:
        headers = dict(scope["headers"])
        return Principal(org_id=headers[b"x-org"].decode(), user_id="u1", role="admin")


class EverybodyPays:
    """Every org has the plan."""

    name = "everybody-pays"

    async def plan(self, org_id: str) -> str | None:
        return "pro"


@dataclass
class TableProvider:
    """A revenue provider whose accounts are lists; the credential is the account's name."""

    name: str
    accounts: dict[str, list[RevenueFact]] = field(default_factory=dict)

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        return Credential(secret=str(body["account"]), label="account")

    async def check_credential(self, secret: str) -> None:
        pass

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return True

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        facts = self.accounts.get(secret, [])
        for start in range(0, len(facts), 2):
            yield facts[start : start + 2]


@dataclass
class FakeProviders:
    """A plugin that brings them, so that one may have the name of a real one."""

    providers: Sequence[object]
    plugin_name = "fake-providers"

    @hookimpl
    def register_revenue_providers(self) -> list[object]:
        return [*self.providers]


@dataclass
class BatchSource:
    """A cost source that hands over what a test has put in it."""

    name: str
    batches: list[CostBatch] = field(default_factory=list)

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        while self.batches:
            yield self.batches.pop(0)


@dataclass
class Product:
    """Apps over one database: the same but for their thresholds."""

    clock: FixedClock
    database: Database
    providers: dict[str, TableProvider]
    source: BatchSource
    apps: dict[Thresholds, Margins] = field(default_factory=dict)
    clients: dict[Thresholds, httpx.AsyncClient] = field(default_factory=dict)
    conversion: Conversion = field(default_factory=Conversion)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        org: str,
        thresholds: Thresholds,
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        headers = {"X-Org": org, "Content-Type": "application/json"}
        return await self.clients[thresholds].request(
            method, path, content=content, headers=headers
        )

    async def read(self, path: str, org: str, thresholds: Thresholds) -> httpx.Response:
        answer = await self.call("GET", path, org=org, thresholds=thresholds)
        assert answer.status_code == 200, answer.text
        return answer

    async def clear(self) -> None:
        """An empty database, as at first. (What apps keep is told by its revision, random.)"""

        def work(tx: Connection) -> None:
            for table in reversed(metadata.sorted_tables):
                tx.execute(table.delete())

        await self.database.write(work)

    async def load(self, org_id: str, books: Books) -> Org:
        """Put what was drawn in place, and return it for the model."""
        org = _org(org_id, books, self.clock.now())
        now, conversion = self.clock.now(), self.conversion
        await self.database.write(lambda tx: _store(tx, org_id, org, now, conversion))
        return org


def _org(org_id: str, books: Books, now: datetime) -> Org:
    return Org(
        mappings=[
            ModelMapping(
                id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{org_id}/{number}")),
                provider=each.provider,
                customer_id=each.customer_id,
                tag_value=each.tag_value,
                tag_key=each.tag_key,
                match_type=each.match_type,
                confidence=1.0 if each.match_type == "manual" else 0.9,
            )
            for number, each in enumerate(books.mappings)
        ],
        revenue=books.revenue,
        events=books.events,
        facts=books.facts,
        connections={
            name: {
                "lastSyncAt": timestamp(now - timedelta(hours=number)),
                "syncStatus": status,
                "skippedCurrencies": {"eur": number} if number else None,
            }
            for number, (name, status) in enumerate(sorted(books.statuses.items()))
        },
    )


def _store(tx: Connection, org_id: str, org: Org, now: datetime, conversion: Conversion) -> None:
    stored = [
        CustomerMapping(
            id=each.id,
            org_id=org_id,
            provider=each.provider,
            customer_id=each.customer_id,
            tag_key=each.tag_key,
            tag_value=each.tag_value,
            match_type=each.match_type,
            confidence=each.confidence,
            created_at=now,
        )
        for each in org.mappings
    ]
    mappings.replace(tx, org_id, (), stored)
    for provider in PROVIDERS:
        facts = [fact for name, fact in org.revenue if name == provider]
        staging.stage(tx, staging.fact_rows(org_id, provider, "sync", facts, conversion))
        apply_staged(tx, org_id, provider, "sync", EVERYTHING)
    for source in {name for name, _ in org.events}:
        events = [event for name, event in org.events if name == source]
        insert_events(tx, org_id, source, events, now)
    for source, fact in org.facts:
        replace_facts(tx, org_id, source, [fact], now)
    for name, connection in (org.connections or {}).items():
        connections.insert(tx, _connection(org_id, name, connection, now))
    revisions.advance(tx, org_id)


def _connection(org_id: str, provider: str, shown: Json, now: datetime) -> StoredConnection:
    return StoredConnection(
        id=f"{org_id}-{provider}",
        org_id=org_id,
        provider=provider,
        key_prefix="account",
        ciphertext="v1.none.none",
        status=shown["syncStatus"],
        last_sync_at=datetime.fromisoformat(shown["lastSyncAt"]),
        last_attempt_at=None,
        last_error=None,
        skipped_currencies=shown["skippedCurrencies"],
        created_at=now,
    )


def configuration(database_url: str, thresholds: Thresholds = DEFAULT) -> dict[str, Any]:
    """A configuration whose plugins are those a test brings."""
    return {
        "database": {"url": database_url},
        "session": {"secret_keys": [SESSION_KEY]},
        "encryption": {"keys": [ENCRYPTION_KEY]},
        "cron": {"secret": "cron-secret-of-the-tests-0123456789"},
        "health": {
            name: Decimal(value.numerator) / value.denominator
            for name, value in thresholds._asdict().items()
        },
        "plugins": {"disabled": ["log", *entry_points(group="nullspend_margins").names]},
    }


@asynccontextmanager
async def product(
    database_url: str, every: Sequence[Thresholds], *more: object
) -> AsyncIterator[Product]:
    """Apps with each of these thresholds and ``more`` plugins, on one database."""
    providers = {name: TableProvider(name) for name in PROVIDERS}
    source = BatchSource("gateway")
    database = Database(database_url, pool_size=2)
    async with AsyncExitStack() as stack:
        await database.start()
        stack.push_async_callback(database.close)
        made = Product(FixedClock(), database, providers, source)
        for thresholds in every:
            margins = Margins(
                configuration(database_url, thresholds),
                plugins=[
                    OrgHeader(),
                    EverybodyPays(),
                    FakeProviders([*providers.values()]),
                    source,
                    *more,
                ],
                clock=made.clock,
            )
            await stack.enter_async_context(margins.lifespan())
            made.apps[thresholds] = margins
            made.clients[thresholds] = await stack.enter_async_context(
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(margins.app), base_url="http://host.example"
                )
            )
        yield made


def csv_cells(content: bytes) -> list[list[str]]:
    """The rows of a file that keeps to RFC 4180: CRLF and nothing else ends a line."""
    text = content.decode("utf-8")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert "\r" not in text.replace("\r\n", "")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def tag_path(tag_value: str, period: str) -> str:
    return f"/api/margins/{quote(tag_value, safe='')}?period={period}"
