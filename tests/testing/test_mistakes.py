"""Mistakes that are made in earnest, and the rule that finds each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx
import pytest

from nullspend_margins import (
    Alert,
    CostBatch,
    Credential,
    CredentialRefused,
    PluginContext,
    Principal,
    RevenueFact,
    RevenueWindow,
    Scope,
    ValidationFailed,
)
from nullspend_margins.testing import FakeService, NotifierSuite, PlanCheckerSuite, http_scope
from tests.testing.broken.aggregating import USE, Warehouse, WarehouseRules
from tests.testing.broken.authenticators import ADA, KEY, Keys, KeysRules
from tests.testing.broken.notifiers import Hook, HookRules
from tests.testing.broken.plan_checkers import Plans, PlansRules
from tests.testing.broken.providers import SECRET, Billing, BillingRules
from tests.testing.broken.pulled import Export, ExportRules
from tests.testing.support import run, variant


class ForgetsBearer(Keys):
    async def authenticate(self, scope: Scope) -> Principal | None:
        return ADA if (b"authorization", f"Bearer {KEY}".encode()) in scope["headers"] else None


class LetsAnybodyIn(Keys):
    async def authenticate(self, scope: Scope) -> Principal | None:
        return await super().authenticate(scope) or ADA


class TakesHeadersAway(Keys):
    async def authenticate(self, scope: Any) -> Principal | None:
        scope["headers"][:] = [each for each in scope["headers"] if each[0] != b"host"]
        return await super().authenticate(scope)


class KeepsThePersonOnSelf(Keys):
    async def authenticate(self, scope: Scope) -> Principal | None:
        self.scope = scope
        await asyncio.sleep(0)
        return await super().authenticate(self.scope)


class SaysTeam(Plans):
    async def plan(self, org_id: str) -> str | None:
        found = await super().plan(org_id)
        return "team" if found == "pro" else found


class CursorOfThePage(Export):
    """Two batches of a page, both with the cursor of the page's end."""

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        page = [batch async for batch in super().pull(cursor)]
        for batch in page:
            yield CostBatch(
                org_id=batch.org_id, events=batch.events, facts=batch.facts, cursor=page[-1].cursor
            )


class SwallowsOutages(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        try:
            async for batch in super().pull(cursor):
                yield batch
        except Exception:
            return


class ComparesPrefixes(Warehouse):
    async def rows(self, org_id: str) -> Sequence[Any]:
        await super().rows(org_id)
        return [row for row in USE if row.org.startswith(org_id[:4])]


class YieldsFacts(Billing):
    async def fetch_revenue(self, secret: str, window: RevenueWindow) -> AsyncIterator[Any]:
        async for page in super().fetch_revenue(secret, window):
            for fact in page:
                yield fact


class IndexesTheBody(Billing):
    async def parse_credential(self, body: Any) -> Credential:
        return await super().parse_credential({"token": body["token"]})


class ChainsTheUrl(Billing):
    async def check_credential(self, secret: str) -> None:
        if secret == SECRET:
            return
        request = httpx.Request("GET", f"https://billing.example.com/?token={secret}")
        try:
            httpx.Response(401, request=request).raise_for_status()
        except httpx.HTTPStatusError as problem:
            raise CredentialRefused("Acme does not know this token.") from problem


class EchoesInDetails(Billing):
    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        try:
            return await super().parse_credential(body)
        except ValidationFailed:
            raise ValidationFailed("no", details={"issues": [], "given": dict(body)}) from None


class LosesTheLastMonth(Billing):
    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        shorter = RevenueWindow(window.first, max(window.first, window.last.shift(-1)))
        async for page in super().fetch_revenue(secret, shorter):
            yield page


class LogsAndGoesOn(Hook):
    async def notify(self, alert: Alert) -> None:
        try:
            await super().notify(alert)
        except Exception:
            return


class NeedsAName(Hook):
    async def notify(self, alert: Any) -> None:
        name: str = alert.payload["data"]["object"]["customer"]["name"]
        await self.send(f"{alert.alert_id} {name.strip()}")


CASES: list[tuple[type, type, str]] = [
    (KeysRules, LetsAnybodyIn, "test_a_request_without_a_credential_is_not_its_own"),
    (KeysRules, TakesHeadersAway, "test_the_scope_is_left_as_it_was"),
    (KeysRules, KeepsThePersonOnSelf, "test_calls_at_the_same_time_get_their_own_answers"),
    (PlansRules, SaysTeam, "test_a_known_org_has_its_plan"),
    (ExportRules, CursorOfThePage, "test_a_pull_goes_on_from_any_cursor"),
    (ExportRules, SwallowsOutages, "test_an_unreachable_source_is_not_an_empty_one"),
    (ExportRules, SwallowsOutages, "test_a_failure_half_way_is_raised"),
    (WarehouseRules, ComparesPrefixes, "test_the_costs_are_the_samples"),
    (WarehouseRules, ComparesPrefixes, "test_orgs_are_kept_apart"),
    (BillingRules, YieldsFacts, "test_revenue_comes_in_pages_of_facts"),
    (BillingRules, IndexesTheBody, "test_an_odd_body_is_no_reason_to_fail"),
    (BillingRules, IndexesTheBody, "test_a_wrong_body_is_refused"),
    (BillingRules, ChainsTheUrl, "test_no_error_tells_the_secret"),
    (BillingRules, EchoesInDetails, "test_a_refusal_does_not_repeat_what_was_sent"),
    (BillingRules, EchoesInDetails, "test_a_refusal_names_the_field"),
    (BillingRules, LosesTheLastMonth, "test_a_window_has_what_its_months_have"),
    (BillingRules, LosesTheLastMonth, "test_customers_paid_what_the_sample_says"),
    (HookRules, LogsAndGoesOn, "test_a_failed_delivery_is_raised"),
    (HookRules, NeedsAName, "test_any_name_is_delivered"),
]


@pytest.mark.parametrize(("suite", "plugin", "rule"), CASES)
def test_a_rule_finds_the_mistake(suite: type, plugin: type, rule: str) -> None:
    assert run(variant(suite, plugin), rule).status == "failed"


def test_a_bearer_token_that_would_never_be_seen_is_found() -> None:
    forgets = variant(KeysRules, ForgetsBearer, good=http_scope(bearer=KEY))
    result = run(forgets, "test_without_bearer_a_token_signs_nobody_in")
    assert "A guess: `bearer = True` is missing." in result.message


class AsksByPath:
    """The org's id is put into the path of a URL."""

    name = "by-path"

    def __init__(self, context: PluginContext) -> None:
        self.context = context

    async def plan(self, org_id: str) -> str | None:
        answer = await self.context.http.get(f"https://billing.example.com/plans/{org_id}")
        return answer.text if answer.status_code == 200 else None


def billing(request: httpx.Request) -> httpx.Response:
    known = {"/plans/org_1": "pro"}.get(request.url.path)
    return httpx.Response(200, text=known) if known else httpx.Response(404)


class ByPath(PlanCheckerSuite):
    plans: Mapping[str, str] = {"org_1": "pro"}

    def make(self) -> AsksByPath:
        return AsksByPath(FakeService(billing).context("by-path"))


def test_an_org_id_that_changes_the_address_is_found() -> None:
    result = run(ByPath, "test_an_org_id_is_compared_whole")
    assert "plan('./org_1') is 'pro', as of 'org_1'; an unknown org has None" in result.message


class PostsToItsUrl:
    """A secret URL, asked by a client that logs URLs."""

    name = "by-http"

    def __init__(self, context: PluginContext) -> None:
        self.context = context

    async def notify(self, alert: Alert) -> None:
        answer = await self.context.http.post("https://hooks.example.com/hush-77", content=b"")
        answer.raise_for_status()


def test_a_url_that_is_logged_is_found() -> None:
    class Logging(NotifierSuite):
        secrets = ("hush-77",)

        def make(self) -> Any:
            return PostsToItsUrl(FakeService(lambda _: httpx.Response(200)).context("by-http"))

    result = run(Logging, "test_no_log_line_tells_a_secret")
    assert "a line of the log tells a secret: httpx" in result.message
