"""What an author meets: facts that are missing, reasons of skips, reports of pytest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nullspend_margins import testing
from nullspend_margins.testing import NotifierSuite, PlanCheckerSuite, RevenueProviderSuite
from nullspend_margins.testing.rules import rules_of, sentence
from tests.testing.broken.notifiers import Hook, HookRules
from tests.testing.broken.plan_checkers import Plans, PlansRules
from tests.testing.broken.providers import BillingRules
from tests.testing.broken.pulled import Export, ExportRules
from tests.testing.packages import python, run_tests
from tests.testing.support import Result, run, variant


def made(self: Any) -> Plans:
    return Plans()


def test_a_fact_that_is_missing_is_asked_for_with_an_example() -> None:
    bare = type("TestBare", (PlanCheckerSuite,), {"make": made})
    assert run(bare, "test_a_known_org_has_its_plan") == Result(
        "failed",
        'TestBare has no plans: orgs of the sample, for example {"org_1": "pro"}',
    )


@pytest.mark.parametrize(
    ("suite", "fact", "rule"),
    [
        (PlansRules, "plans", "test_a_known_org_has_its_plan"),
        (BillingRules, "paid", "test_customers_paid_what_the_sample_says"),
    ],
)
def test_a_fact_that_says_nothing_is_no_fact(suite: type, fact: str, rule: str) -> None:
    result = run(variant(suite, **{fact: {}}), rule)
    assert result.status == "failed"
    assert result.message.startswith(f"TestVariant has an empty {fact}: ")


def test_a_misspelt_fact_is_guessed() -> None:
    misspelt = type("TestMisspelt", (PlanCheckerSuite,), {"make": made, "plan": {"org_1": "pro"}})
    message = run(misspelt, "test_a_known_org_has_its_plan").message
    assert message.endswith(". It has plan; did you mean plans?")


def test_a_misspelt_optional_method_is_guessed() -> None:
    misspelt = variant(PlansRules, make_unreachable=PlanCheckerSuite.make_unreachable)
    misspelt.make_unreachble = made  # type: ignore[attr-defined]
    assert run(misspelt, "test_an_unreachable_service_is_not_an_answer") == Result(
        "skipped",
        "TestVariant has no make_unreachable: an object whose service does not answer. "
        "It has make_unreachble; did you mean make_unreachable?",
    )


@pytest.mark.parametrize("suite", [HookRules, ExportRules])
def test_a_rule_that_lacks_an_optional_fact_is_skipped_with_the_reason(suite: type) -> None:
    base = suite.__mro__[1]
    optional = ("received", "make_failing", "add_costs", "make_unreachable", "secrets")
    bare = variant(suite, **{name: getattr(base, name) for name in optional if hasattr(base, name)})
    skipped = {
        rule: result.message
        for rule in rules_of(suite)
        if (result := run(bare, rule)).status == "skipped"
    }
    assert len(skipped) >= 2
    assert all(reason.startswith("TestVariant has no ") for reason in skipped.values())


def test_a_notifier_that_nobody_can_watch_is_not_enough() -> None:
    blind = variant(
        HookRules, received=NotifierSuite.received, make_failing=NotifierSuite.make_failing
    )
    message = run(blind, "test_a_failed_delivery_is_raised").message
    assert message.startswith("TestVariant has neither received(), what arrived so far, nor")


def test_without_make_the_suite_says_what_to_write() -> None:
    bare = type("TestBare", (RevenueProviderSuite,), {})
    assert run(bare, "test_it_has_the_form_of_its_protocol").message == (
        "TestBare has no make(). Write: def make(self): return ..., a revenue provider"
    )


def test_an_async_make_is_explained() -> None:
    async def make(self: Any) -> Plans:
        return Plans()

    message = run(variant(PlansRules, make=make), "test_a_known_org_has_its_plan").message
    assert "async make()" in message


def test_a_make_without_return_is_explained() -> None:
    nothing = variant(PlansRules, make=lambda self: None)
    assert "Is a `return` missing?" in run(nothing, "test_a_known_org_has_its_plan").message


def test_a_sample_without_costs_is_explained() -> None:
    class Empty(Export):
        async def pull(self, cursor: str | None) -> AsyncIterator[Any]:
            for nothing in ():
                yield nothing

    message = run(variant(ExportRules, Empty), "test_a_batch_holds_at_most_1000").message
    assert "give its sample some costs" in message


def test_a_service_that_does_not_fail_half_way_is_explained() -> None:
    lasting = variant(ExportRules, make_failing_half_way=ExportRules.make)
    message = run(lasting, "test_a_failure_half_way_is_raised").message
    assert "whose pull(None) came to its end" in message


def test_a_plugin_that_never_answers_fails_its_rule() -> None:
    class Waits(Plans):
        async def plan(self, org_id: str) -> str | None:
            await asyncio.Event().wait()
            return None

    waiting = variant(PlansRules, Waits, patience_seconds=0.01)
    message = run(waiting, "test_any_org_id_has_an_answer").message
    assert "had not ended after 0.01 seconds" in message


def test_an_unexpected_exception_shows_where_it_was_raised() -> None:
    class Trips(Plans):
        async def plan(self, org_id: str) -> str | None:
            raise LookupError("pro")

    message = run(variant(PlansRules, Trips), "test_any_org_id_has_an_answer").message
    assert "LookupError: pro" in message
    assert f'File "{__file__}", line ' in message
    assert str(Path(testing.__file__).parent) not in message


def test_a_wrong_unit_is_guessed() -> None:
    thousandfold = variant(ExportRules, nanodollars={"org_1": 593_000, "org_2": 100})
    message = run(thousandfold, "test_the_costs_add_up_to_the_samples").message
    assert "org_1: 593 nanodollars, not 593000" in message
    assert "A guess: it is 1,000 times too little." in message


def test_a_stalled_call_is_cancelled_too() -> None:
    class Deaf(Hook):
        async def send(self, text: str) -> None:
            try:
                await asyncio.sleep(0 if self.status else 3600)
            except asyncio.CancelledError:
                if self.status:
                    raise

    deaf = variant(HookRules, Deaf)
    rule = "test_a_cancelled_call_ends_as_cancelled"
    assert run(deaf, rule).status == "passed"
    deaf.make_stalled = lambda self: Deaf(status=0)  # type: ignore[attr-defined]
    assert "it ended with None" in run(deaf, rule).message


def test_only_what_is_stated_to_be_told_is_looked_for() -> None:
    quiet = variant(HookRules, tells_id=False)
    assert run(quiet, "test_the_same_alert_keeps_its_id").status == "skipped"
    assert NotifierSuite.tells_id


AUTHOR = """
from nullspend_margins.testing import PlanCheckerSuite

class Plans:
    name = "acme"
    async def plan(self, org_id):
        return {"org_1": "pro"}.get(org_id, "basic")

class TestPlans(PlanCheckerSuite):
    plans = {"org_1": "pro"}
    def make(self):
        return Plans()
"""


ASYNCIO = ("asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function")


@pytest.mark.parametrize(
    "options",
    [(), ("-p", "asyncio", *(each for option in ASYNCIO for each in ("-o", option)))],
    ids=["pytest alone", "with pytest-asyncio"],
)
def test_pytest_runs_a_suite_and_names_the_broken_rule(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "test_acme.py").write_text(AUTHOR)
    found = run_tests(tmp_path, "-W", "error", *options)
    rule = "test_an_answer_is_a_plan_or_none"
    assert "1 failed, 10 passed, 1 skipped" in found.stdout
    assert f"FAILED test_acme.py::TestPlans::{rule}" in found.stdout
    assert f"Rule broken: {sentence(rule)} (PlanCheckerSuite)" in found.stdout
    assert "SKIPPED" in found.stdout
    assert "TestPlans has no make_unreachable" in found.stdout


def test_without_pytest_it_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pytest'] = None; import nullspend_margins.testing"
    found = python("-c", code, cwd=tmp_path)
    assert found.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: nullspend_margins.testing needs pytest, which is not installed: "
        "pip install pytest"
    )


def test_a_host_never_imports_it(tmp_path: Path) -> None:
    code = (
        "import sys, nullspend_margins.app, nullspend_margins.cli.program; "
        "assert not {'pytest', 'nullspend_margins.testing'} & set(sys.modules)"
    )
    assert python("-c", code, cwd=tmp_path).returncode == 0
