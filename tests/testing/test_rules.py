"""Every rule finds the plugin that breaks it, alone, and lets the one pass that keeps it."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from nullspend_margins import testing
from nullspend_margins.domain.revenue import RevenueFact, RevenueWindow
from nullspend_margins.errors import ProviderUnavailable, ValidationFailed
from nullspend_margins.protocols import CostBatch
from nullspend_margins.testing.rules import rules_of, sentence
from tests.testing.broken import ALSO, BROKEN, SUITES
from tests.testing.broken.aggregating import Use, Warehouse, WarehouseRules
from tests.testing.broken.providers import Billing, BillingRules, invoice
from tests.testing.broken.pulled import Export, ExportRules, MakesIds, event
from tests.testing.broken.readings import ReadsFieldsBlindly, TakesMissingForEmpty
from tests.testing.support import failed, run, run_all, variant

PUBLIC = [
    each
    for name, each in vars(testing).items()
    if name in testing.__all__ and inspect.isclass(each)
]
PUBLIC_SUITES = [each for each in PUBLIC if each.__name__.endswith("Suite")]
CASES = [
    pytest.param(suite, rule, id=f"{suite.__name__}-{rule}")
    for suite in SUITES
    for rule in BROKEN[suite]
]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__)
def test_a_plugin_that_keeps_every_rule_passes_every_rule(suite: type) -> None:
    results = run_all(suite)
    assert {rule: each for rule, each in results.items() if each.status != "passed"} == {}
    assert len(results) > 10


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__)
def test_every_rule_has_a_plugin_that_breaks_it(suite: type) -> None:
    assert set(BROKEN[suite]) == set(rules_of(suite))


def test_every_suite_has_a_plugin_here() -> None:
    assert [next(base for base in suite.__mro__ if base in PUBLIC_SUITES) for suite in SUITES] == [
        testing.AuthenticatorSuite,
        testing.PlanCheckerSuite,
        testing.PulledCostSourceSuite,
        testing.AggregatingCostSourceSuite,
        testing.RevenueProviderSuite,
        testing.NotifierSuite,
    ]
    assert len(PUBLIC_SUITES) == len(SUITES)


@pytest.mark.parametrize(("suite", "rule"), CASES)
def test_a_broken_plugin_fails_its_rule_and_no_other(suite: type, rule: str) -> None:
    broken = BROKEN[suite][rule]
    assert failed(run_all(broken)) == {rule} | ALSO.get((suite, rule), set())


@pytest.mark.parametrize(("suite", "rule"), CASES)
def test_a_failure_says_which_rule_what_happened_why_and_what_to_do(suite: type, rule: str) -> None:
    message = run(BROKEN[suite][rule], rule).message
    first, happened, *rest = message.splitlines()
    assert first.startswith(f"Rule broken: {sentence(rule)} (")
    assert happened.startswith("  ")
    assert happened.strip()
    assert any(line.startswith("Why: ") for line in rest)
    assert any(line.startswith("To do: ") for line in rest)


@pytest.mark.parametrize("suite", PUBLIC_SUITES, ids=lambda suite: suite.__name__)
def test_every_docstring_says_what_is_checked_why_and_what_to_do(suite: type) -> None:
    for rule, text in rules_of(suite).items():
        assert re.fullmatch(r"[^\n]+\.\n\nWhy: .+\.\nTo do: .+\.", text, re.DOTALL), rule


def test_ids_that_are_made_anew_fail_more_than_one_rule() -> None:
    assert failed(run_all(variant(ExportRules, MakesIds))) >= {
        "test_two_pulls_give_the_same",
        "test_a_pull_goes_on_from_any_cursor",
    }


@pytest.mark.parametrize(
    ("plugin", "happened", "guess"),
    [
        (ReadsFieldsBlindly, "answered by null, raised TypeError", "it reads a field where"),
        (TakesMissingForEmpty, "did not raise ProviderUnavailable", "a default stands for"),
    ],
)
def test_a_mistake_with_json_of_another_form_is_guessed(
    plugin: type, happened: str, guess: str
) -> None:
    """Revenue that is taken for nothing vanishes; an exception of Python's is only noisy."""
    rules = variant(BillingRules, plugin)
    message = run(rules, "test_json_of_another_form_is_a_failure").message
    assert happened in message
    assert f"A guess: {guess}" in message


class FactsOfWhatThereIs(Billing):
    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        if isinstance(self.other_json, list) and isinstance(self.other_json[0], dict):
            yield [invoice(1, "2026-03", currency=self.other_json[0].get("currency"))]
        async for page in super().fetch_revenue(secret, window):
            yield page


class EventsOfWhatThereIs(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        if isinstance(self.other_json, list) and isinstance(self.other_json[0], dict):
            replace(event(1), model=self.other_json[0].get("model"))
        async for batch in super().pull(cursor):
            yield batch


class RefusesItsOwnAnswers(Warehouse):
    async def rows(self, org_id: str) -> Sequence[Use]:
        if self.other_json is not ...:
            raise ValidationFailed("model must be a string")
        return await super().rows(org_id)


@pytest.mark.parametrize(
    ("suite", "plugin", "status"),
    [
        (BillingRules, FactsOfWhatThereIs, "passed"),
        (ExportRules, EventsOfWhatThereIs, "passed"),
        (WarehouseRules, RefusesItsOwnAnswers, "failed"),
    ],
)
def test_a_fact_that_refuses_a_field_is_a_failure_but_where_people_read(
    suite: type, plugin: type, status: str
) -> None:
    """A sync makes of it what it is; for a reader it would be a mistake of theirs."""
    rule = "test_json_of_another_form_is_a_failure"
    assert run(variant(suite, plugin), rule).status == status


class QuotesTheUrlOfTheNextPage(Billing):
    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        try:
            async for page in super().fetch_revenue(secret, window):
                yield page
        except ProviderUnavailable:
            url = "https://acme.example/invoices?after=in_4"
            raise ProviderUnavailable(f"{url} does not answer.") from None


def test_what_fails_half_way_keeps_secrets_to_itself_too() -> None:
    """One that does not answer at all says so beforehand."""
    rules = variant(
        BillingRules,
        plugin=QuotesTheUrlOfTheNextPage,
        make_unreachable=BillingRules.make,
        make_garbled=lambda self, _status: self.make(),
    )
    result = run(rules, "test_a_failure_keeps_secrets_and_urls_to_itself")
    assert result.status == "failed"
    assert "gone after its first answer" in result.message
