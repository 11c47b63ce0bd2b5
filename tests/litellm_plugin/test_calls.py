"""A call that LiteLLM has logged becomes the right cost of the right customer."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import ValidationFailed
from nullspend_margins_litellm.calls import event_of_call
from nullspend_margins_litellm.money import dollars, nanodollars, vendor_cost
from tests.litellm_plugin.support import payload, settings


def test_an_event_says_what_was_called_when_and_for_how_much() -> None:
    event = event_of_call(payload(), "acme", settings())
    assert (event.event_id, event.provider, event.model) == ("call-1", "openai", "gpt-4o")
    assert event.cost_nanodollars == 1_230_000
    assert event.occurred_at == datetime(2026, 4, 5, 10, 0, 0, 250_000, tzinfo=UTC)
    assert (event.input_tokens, event.output_tokens) == (10, 20)
    assert (event.cached_input_tokens, event.reasoning_tokens) == (3, 2)
    assert (event.duration_ms, event.event_type, event.trace_id) == (1500, "acompletion", "trace-1")
    assert event.tag_value == "acme"
    assert event.tags == {
        "litellm_model_group": "chat",
        "litellm_key_alias": "key-of-acme",
        "litellm_team_id": "team-1",
    }


def test_a_tool_that_the_proxy_runs_within_a_call_is_not_taken_for_that_call() -> None:
    tool = event_of_call(payload(call_type="call_mcp_tool"), "", settings())
    assert tool.event_id == "call-1:tool:1775383200250"


def test_nothing_of_messages_and_answers_is_kept() -> None:
    assert "secret" not in repr(asdict(event_of_call(payload(), "acme", settings())))


def test_a_configured_margin_is_no_cost() -> None:
    """As LiteLLM computes it: original 0.01, discount 10 %, margin 20 % and a fixed 0.0005."""
    breakdown = {
        "original_cost": 0.01,
        "discount_amount": 0.001,
        "margin_total_amount": 0.009 * 0.2 + 0.0005,
    }
    charged = 0.01 - 0.001 + breakdown["margin_total_amount"]
    call = payload(response_cost=charged, cost_breakdown=breakdown)
    assert event_of_call(call, "", settings()).cost_nanodollars == 9_000_000
    ours = settings(discounts="customer")
    assert event_of_call(call, "", ours).cost_nanodollars == 10_000_000


def test_what_guardrails_cost_is_a_cost() -> None:
    breakdown = {"original_cost": 0.01, "margin_total_amount": 0.002, "guardrail_cost": 0.003}
    call = payload(response_cost=0.015, cost_breakdown=breakdown)
    assert event_of_call(call, "", settings()).cost_nanodollars == 13_000_000


def test_a_cache_hit_costs_nothing_whatever_the_breakdown_says() -> None:
    call = payload(cache_hit=True, response_cost=0.01)
    assert event_of_call(call, "", settings()).cost_nanodollars == 0


@pytest.mark.parametrize("charged", [None, True, "nan", float("nan"), float("inf"), -1.0, "x"])
def test_what_is_no_price_costs_nothing(charged: object) -> None:
    assert vendor_cost(charged, None, are_discounts_ours=False) == 0


@given(st.integers(0, 10**13))
def test_a_float_is_read_as_it_is_written(nanos: int) -> None:
    assert nanodollars(dollars(float(Decimal(nanos) / 10**9))) == nanos


def test_half_a_nanodollar_is_rounded_up() -> None:
    assert nanodollars(dollars(0.0000000005)) == 1
    assert nanodollars(dollars(0.00000000049)) == 0
    assert nanodollars(dollars("-0.0000000005")) == 0


def test_no_float_is_too_large_to_be_read() -> None:
    assert nanodollars(dollars(1e308)) == 10**317
    with pytest.raises(ValidationFailed):
        event_of_call(payload(response_cost=1e25), "acme", settings())


def test_odd_names_are_cut_and_cleaned() -> None:
    call = payload(model="m\x00" + "x" * 300, custom_llm_provider=None, trace_id=7)
    event = event_of_call(call, "acme\n", settings())
    assert (len(event.model), event.provider, event.trace_id) == (200, "unknown", None)
    assert event.tag_value == "acme"


@pytest.mark.parametrize(
    "changes",
    [{"litellm_call_id": None, "id": None}, {"startTime": None}, {"startTime": 1e300}],
    ids=["no id", "no time", "no possible time"],
)
def test_a_call_that_can_not_be_placed_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationFailed):
        event_of_call(payload(**changes), "", settings())
