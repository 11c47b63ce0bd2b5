"""Services without a database, and the web application over them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx

from nullspend_margins.config import Config, IngestSettings, LimitSettings, ServerSettings
from nullspend_margins.domain.access import Role
from nullspend_margins.domain.cost import CostEvent
from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.margin import MonthAmounts, customer_margin, summarize
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.errors import AuthenticationRequired, Forbidden
from nullspend_margins.protocols import Principal
from nullspend_margins.services.access import Access
from nullspend_margins.services.explanation import Explanation
from nullspend_margins.services.margin_table import MarginTable, SyncStatus, TableRow
from nullspend_margins.services.margins import CustomerDetail
from nullspend_margins.services.sync import CronReport
from nullspend_margins.services.sync_report import SyncReport
from nullspend_margins.services.unmatched import Unmatched
from nullspend_margins.web import WebApp
from tests.web.requests import Answer, cost_event, raw_request

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
KEY = "ns_live_sk_" + "0" * 32
CRON = "Bearer the-cron-secret"
HOST = "http://host.example"


@dataclass
class FakeAccess:
    """Signs everybody in as ``role``, until told otherwise."""

    role: str | None = "owner"
    plan: str = "pro"
    via_bearer: bool = False
    asked: list[str] = field(default_factory=list)

    def is_cron(self, scope: Mapping[str, Any]) -> bool:
        return (b"authorization", CRON.encode()) in scope["headers"]

    async def authenticate(self, scope: Mapping[str, Any]) -> Access:
        self.asked.append("authenticate")
        if self.role is None:
            raise AuthenticationRequired
        return Access(Principal(org_id="org_1", user_id="u1", role=self.role), self.via_bearer)

    async def require_plan(self, org_id: str) -> None:
        self.asked.append("plan")
        if self.plan == "free":
            raise Forbidden("Upgrade.", details={"requiredPlan": "pro"})

    def require_role(self, principal: Principal, role: Role) -> None:
        self.asked.append("role")
        if principal.rank < role:
            raise Forbidden("No.", details={"requiredRole": role.wire_name})


@dataclass
class FakeMargins:
    """One customer named as asked for; ``rows`` of a table."""

    rows: Sequence[TableRow] = ()
    tags: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    error: Exception | None = None

    def current_period(self) -> Period:
        return Period.containing(NOW)

    async def table(self, org_id: str, period: Period, basis: Basis | None = None) -> MarginTable:
        if self.error is not None:
            raise self.error
        summary = summarize(row.margin for row in self.rows)
        return MarginTable(period=period, summary=summary, rows=self.rows, status=SyncStatus())

    async def customer(
        self,
        org_id: str,
        tag_value: str,
        period: Period,
        basis: Basis | None = None,
        *,
        bases: bool = False,
    ) -> CustomerDetail:
        self.tags.append(tag_value)
        return CustomerDetail(
            tag_value=tag_value,
            stripe_customer_id="cus_1",
            customer_name=None,
            avatar_url=None,
            tier=HealthTier.HEALTHY,
            percent=72_67,
            revenue=3,
            cost=1,
            months=[(period, 3, 1)],
            models=[("gpt", 1, 2)],
        )

    async def explain(
        self, org_id: str, tag_value: str, period: Period, basis: Basis | None = None
    ) -> Explanation:
        self.explained.append(tag_value)
        return Explanation(
            tag_value=tag_value,
            period=period,
            basis=basis or "invoiced",
            amounts=MonthAmounts(3, 1),
            percent=72_67,
            tier=HealthTier.HEALTHY,
            revenue=[],
            costs=[],
        )

    async def unmatched(self, org_id: str) -> Unmatched:
        return Unmatched(customers=[], tags=[("a", 1, 2)], pending=[])


@dataclass
class FakeIngest:
    """Keeps what is submitted; ids count up, an id seen before is a duplicate."""

    events: list[CostEvent] = field(default_factory=list)

    async def submit(self, org_id: str, source: str, events: Sequence[CostEvent]) -> list[Any]:
        answers = []
        for event in events:
            known = [each.event_id for each in self.events]
            inserted = event.event_id not in known
            if inserted:
                self.events.append(event)
            answers.append(SimpleNamespace(id=event.event_id, created_at=NOW, inserted=inserted))
        return answers


class FakeKeys:
    async def org_of(self, key: str) -> str | None:
        return "org_1" if key == KEY else None


@dataclass
class FakeSync:
    """Tells what was asked of it."""

    calls: list[tuple[str, ...]] = field(default_factory=list)

    async def sync(self, org_id: str, provider: str) -> SyncReport:
        self.calls.append((org_id, provider))
        return SyncReport(
            org_id=org_id,
            customers_processed=1,
            periods_updated=2,
            auto_matches_created=3,
            invoices_fetched=4,
            invoices_skipped=5,
            skipped_currencies={"eur": 5},
            duration_ms=6,
        )

    async def sync_all(self, provider: str | None = None) -> CronReport:
        self.calls.append(("cron", str(provider)))
        return CronReport(5, 0)


@dataclass
class FakeConnections:
    """Refuses every credential with ``error``."""

    error: Exception | None = None
    bodies: list[Mapping[str, object]] = field(default_factory=list)

    async def status(self, org_id: str, provider: str) -> None:
        return None

    async def connect(
        self, org_id: str, provider: str, body: Mapping[str, object], *, find_gaps: bool = False
    ) -> Any:
        self.bodies.append(body)
        if self.error is not None:
            raise self.error
        raise RuntimeError("secret internals")

    async def disconnect(self, org_id: str, provider: str) -> None:
        return None


class FakeMappings:
    async def list(self, org_id: str) -> list[Any]:
        return []

    async def delete(self, org_id: str, mapping_id: str) -> None:
        return None


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Web:
    """A ``WebApp`` over fakes, and a client for it."""

    def __init__(
        self,
        *,
        prefix: str = "",
        requests_per_minute: int = 0,
        events_per_minute: int = 0,
        dedupe_days: int | None = None,
    ) -> None:
        self.config = Config(
            server=ServerSettings(prefix=prefix),
            ingest=IngestSettings(dedupe_days=dedupe_days),
            limits=LimitSettings(
                requests_per_minute=requests_per_minute, events_per_minute=events_per_minute
            ),
        )
        self.seconds = Seconds()
        self.access, self.margins, self.ingest = FakeAccess(), FakeMargins(), FakeIngest()
        self.sync, self.connections = FakeSync(), FakeConnections()
        self.services = SimpleNamespace(
            config=self.config,
            clock=SimpleNamespace(now=lambda: NOW),
            access=self.access,
            margins=self.margins,
            explanations=self.margins,
            mappings=FakeMappings(),
            connections=self.connections,
            sync=self.sync,
            ingest=self.ingest,
            keys=FakeKeys(),
        )
        self.app = WebApp(self.config, self._started, monotonic=self.seconds)
        transport = httpx.ASGITransport(self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url=HOST)

    async def _started(self) -> Any:
        return self.services

    async def post(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        """A JSON request with a cost-event key."""
        sent = {"Content-Type": "application/json", "X-NullSpend-Key": KEY}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return await self.http.post(path, content=content, headers=sent)

    async def event(self, **changes: object) -> httpx.Response:
        """One cost event, sound but for ``changes``."""
        return await self.post("/api/cost-events", json.dumps(cost_event(**changes)).encode())

    async def raw(self, path: str, **scope: object) -> Answer:
        """A GET below any client: ``path`` and the rest of the scope are as given."""
        return await raw_request(self.app, path, **scope)


def table_row(tag_value: str, *, name: str | None = None, cost: int = 30_000_000) -> TableRow:
    """A customer with 100 dollars of revenue in each of three months."""
    hundred = 100_000_000
    margin = customer_margin(tag_value, [hundred] * 3, [cost] * 3, HealthThresholds())
    return TableRow(margin, "cus_1", name, None)
