"""The product's own plugins keep the rules that others' are held to."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import pytest

from nullspend_margins import (
    CostEvent,
    ModelCost,
    MonthCost,
    Period,
    Principal,
    RevenueWindow,
    TagCost,
)
from nullspend_margins.builtin.host_sessions import (
    CallableAuthenticator,
    ScopeSessionAuthenticator,
)
from nullspend_margins.builtin.local_costs import LocalCostStore
from nullspend_margins.builtin.log_notifier import LogNotifier
from nullspend_margins.builtin.plans import TomlPlanChecker
from nullspend_margins.builtin.sessions import SignedSessionAuthenticator, sign_session
from nullspend_margins.config import config_from_mapping
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins.domain.period import Months, day_number
from nullspend_margins.storage import events
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.one_customer import read_customer
from nullspend_margins.testing import (
    AggregatingCostSourceSuite,
    AuthenticatorSuite,
    FakeService,
    FixedClock,
    NotifierSuite,
    PlanCheckerSuite,
    RevenueProviderSuite,
    http_scope,
)
from nullspend_margins_slack.plugin import register_notifiers as slack_notifiers
from nullspend_margins_stripe.provider import StripeProvider
from nullspend_margins_webhook.plugin import register_notifiers as webhook_notifiers
from tests.stripe.support import FakeTime, at, make_provider

T = TypeVar("T")

ADA = Principal(org_id="org_1", user_id="ada", role="admin")
CONFIG = config_from_mapping({"session": {"secret_keys": ["k" * 40]}}, keep_secrets=False)


def signed(clock: FixedClock) -> dict[str, Any]:
    value = sign_session(CONFIG, org_id="org_1", user_id="ada", role="admin", clock=clock)
    return http_scope(cookies={CONFIG.session.cookie_name: value})


class TestSignedSessions(AuthenticatorSuite):
    good = signed(FixedClock())
    refused = (
        signed(FixedClock(datetime(2020, 1, 1, tzinfo=UTC))),
        http_scope(cookies={CONFIG.session.cookie_name: "forged.value.of-a-cookie"}),
    )
    principal = ADA

    def make(self) -> SignedSessionAuthenticator:
        return SignedSessionAuthenticator(CONFIG.session, clock=FixedClock())


class TestSessionsOfAHostsMiddleware(AuthenticatorSuite):
    good = http_scope(session={"org_id": "org_1", "user_id": "ada", "role": "admin"})
    refused = (http_scope(session={"user_id": "ada"}), http_scope(session={"org_id": "org_1"}))
    principal = ADA

    def make(self) -> ScopeSessionAuthenticator:
        return ScopeSessionAuthenticator()


class TestAFunctionOfTheHost(AuthenticatorSuite):
    good = http_scope(user="ada")
    refused = http_scope(user="nobody's org")
    principal = ADA

    def make(self) -> CallableAuthenticator:
        people = {"ada": {"org_id": "org_1", "user_id": "ada", "role": "admin"}}
        return CallableAuthenticator(
            lambda scope: people.get(scope["user"], {}) if "user" in scope else None
        )


class TestPlansOfTheConfiguration(PlanCheckerSuite):
    plans = {"org_1": "pro", "org_2": "enterprise"}  # noqa: RUF012

    def make(self) -> TomlPlanChecker:
        return TomlPlanChecker(self.plans)

    def make_unreachable(self) -> TomlPlanChecker:
        pytest.skip("a table in memory is always there")


class LocalCosts:
    """The built-in store, each question in a transaction of its own."""

    name = "local"

    def __init__(self, url: str) -> None:
        self.url = url
        self.store = LocalCostStore()

    async def month_costs(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        months = Months(first, last)
        found = await self.read(lambda tx: self.store.month_costs_in(tx, org_id, months))
        return [
            MonthCost(tag, index, cost)
            for index, month in zip(months.indexes, found, strict=True)
            for tag, cost in month.items()
        ]

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> Sequence[ModelCost]:
        one = Months(period, period)
        found = await self.read(
            lambda tx: read_customer(tx, org_id, "customer", tag_value, one, "invoiced")
        )
        return found.model_costs

    async def tag_costs(self, org_id: str, since: Any) -> Sequence[TagCost]:
        day = day_number(datetime(since.year, since.month, since.day, tzinfo=UTC))
        return await self.read(lambda tx: self.store.tag_costs_in(tx, org_id, day))

    async def read(self, work: Callable[[Transaction], T]) -> T:
        database = Database(self.url, pool_size=2)
        await database.start()
        try:
            return await database.read(work)
        finally:
            await database.close()


def spent(number: int, month: str, cost: int, tag: str = "c", model: str = "a") -> CostEvent:
    return CostEvent(
        event_id=f"e{number}",
        provider="acme",
        model=model,
        cost_nanodollars=cost,
        occurred_at=Period.parse(month).start,
        tag_value=tag,
    )


class TestLocalCosts(AggregatingCostSourceSuite):
    org_id = "org_1"
    other_org_id = "org_2"
    nanodollars = {"2026-03": {"c": 30, "": 7}, "2026-04": {"c": 80, "d": 160}}  # noqa: RUF012

    @pytest.fixture(autouse=True)
    def _filled(self, database_url: str) -> None:
        self.url = database_url
        asyncio.run(self._fill())

    async def _fill(self) -> None:
        spending = [
            spent(1, "2026-03", 10),
            spent(2, "2026-03", 20, model="b"),
            spent(3, "2026-03", 7, tag=""),
            spent(4, "2026-04", 80),
            spent(5, "2026-04", 160, tag="d"),
        ]
        database, now = Database(self.url, pool_size=2), FixedClock().now()
        await database.start()
        await database.write(lambda tx: events.insert_events(tx, "org_1", "api", spending, now))
        await database.write(lambda tx: events.insert_events(tx, "org_2", "api", spending[:1], now))
        await database.close()

    def make(self) -> LocalCosts:
        return LocalCosts(self.url)

    def make_unreachable(self) -> LocalCosts:
        pytest.skip("the store is the product's own database")


KEY = "rk_live_Conform0000000000000000abcd"
LIMITED = "rk_live_Limited0000000000000000abcd"


def stripe() -> StripeServer:
    """An account with invoices in four months, a foreign one and one without a customer."""
    server = StripeServer()
    account = server.add_account(KEY)
    server.grant(LIMITED, account, permissions={"rak_customer_read"})
    ada = account.add_customer("cus_1", name="Ada")
    bob = account.add_customer("cus_2", name="Bob", metadata={"nullspend_customer": "bob"})
    for month, amount in (("2026-01", 1000), ("2026-02", 2000), ("2026-03", 4000)):
        for day in range(1, 4):
            account.add_invoice(ada, amount, created=at(month, day))
    account.add_invoice(bob, 8000, created=at("2026-04", 1))
    account.add_invoice(bob, 500, created=at("2026-04", 2), currency="eur")
    return server


class TestStripe(RevenueProviderSuite):
    body = {"stripeKey": KEY}  # noqa: RUF012
    refused_body = {"stripeKey": "rk_live_Revoked0000000000000000abcd"}  # noqa: RUF012
    forbidden_body = {"stripeKey": LIMITED}  # noqa: RUF012
    window = RevenueWindow(Period.parse("2026-02"), Period.parse("2026-04"))
    paid = {"cus_1": 3 * 2000 + 3 * 4000, "cus_2": 8000}  # noqa: RUF012

    def service(self) -> FakeService:
        return FakeService(httpx.ASGITransport(stripe()).handle_async_request)

    def make(self, service: FakeService | None = None) -> StripeProvider:
        service = service or self.service()
        return make_provider(service.client, FakeTime(), page_size=2)

    def make_unreachable(self) -> StripeProvider:
        return self.make(self.service().unreachable())

    def make_garbled(self, status: int) -> StripeProvider:
        return self.make(self.service().garbled(status))

    def make_answering(self, body: object) -> StripeProvider:
        return self.make(self.service().answering(body))

    def make_failing_half_way(self) -> StripeProvider:
        return self.make(self.service().failing_after(3))

    def make_stalled(self) -> StripeProvider:
        return self.make(self.service().stalled())


class TestLog(NotifierSuite):
    @pytest.fixture(autouse=True)
    def _listening(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.WARNING)
        self.log = caplog

    def make(self) -> LogNotifier:
        return LogNotifier()

    def received(self, notifier: Any) -> Sequence[str]:
        return self.log.messages

    def make_failing(self) -> LogNotifier:
        pytest.skip("the log takes everything")


def taken(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="ok")


def refused(_: httpx.Request) -> httpx.Response:
    return httpx.Response(500, text="no")


class PostedSuite(NotifierSuite):
    """A notifier that posts, over a fake of its receiver."""

    register: Any
    table: dict[str, object]

    def make(self, service: FakeService | None = None) -> Any:
        self.receiver = service or FakeService(taken)
        [notifier] = type(self).register(self.receiver.context("under-test", self.table))
        notifier.receiver = self.receiver
        return notifier

    def make_failing(self) -> Any:
        return self.make(FakeService(refused))

    def make_stalled(self) -> Any:
        return self.make(FakeService(taken).stalled())

    def received(self, notifier: Any) -> Sequence[str]:
        return [
            f"{dict(request.headers)} {request.content.decode()}"
            for request in notifier.receiver.requests
        ]


class TestWebhook(PostedSuite):
    register = webhook_notifiers
    table = {  # noqa: RUF012
        "url": "https://hooks.example.com/secret-path-of-hook",
        "secrets": ["whsec_" + base64.b64encode(b"w" * 32).decode()],
    }
    secrets = ("secret-path-of-hook", base64.b64encode(b"w" * 32).decode())


class TestSlack(PostedSuite):
    register = slack_notifiers
    table = {"url": "https://hooks.slack.com/services/T000/B000/secret-of-the-hook"}  # noqa: RUF012
    secrets = ("secret-of-the-hook",)
