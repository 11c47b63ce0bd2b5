"""The model is right where an independent implementation has worked out what must come."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from nullspend_margins import CostEvent, RevenueFact
from tests.properties import answers
from tests.properties.arithmetic import Thresholds
from tests.properties.model import Json, ModelMapping, Org


def test_the_model_itself_agrees_with_the_worked_examples() -> None:
    vectors = Path(__file__).parents[1] / "contract" / "vectors.json"
    for case in json.loads(vectors.read_text(encoding="utf-8")):
        org = worked_example(case)
        for period, expected in case["expected"].items():
            found = answers.table(org, period, Thresholds())
            assert found["customers"] == expected["customers"]
            assert expected["summary"].items() <= found["summary"].items()
        for tag_value, expected in case["expectedDetail"].items():
            assert answers.detail(org, tag_value, case["now"][:7], Thresholds()) == expected


def worked_example(case: Json) -> Org:
    """A worked example as the model has it."""
    names = {customer["id"]: customer["name"] for customer in case["customers"]}
    return Org(
        mappings=[
            ModelMapping(
                id=str(number),
                provider="stripe",
                customer_id=each["stripeCustomerId"],
                tag_value=each["tagValue"],
                tag_key="customer",
                match_type="manual",
                confidence=1.0,
            )
            for number, each in enumerate(case["mappings"])
        ],
        revenue=[
            ("stripe", _invoice(number, each, names))
            for number, each in enumerate(case["invoices"])
        ],
        events=[("api", _event(number, each)) for number, each in enumerate(case["costEvents"])],
    )


def _invoice(number: int, given: Json, names: dict[str, str | None]) -> RevenueFact:
    return RevenueFact(
        object_id=f"in_{number}",
        customer_id=given["customer"],
        amount_minor=given["amountPaidCents"],
        currency=given["currency"],
        occurred_at=datetime.fromisoformat(given["created"]),
        customer_name=names[given["customer"]],
    )


def _event(number: int, given: Json) -> CostEvent:
    return CostEvent(
        event_id=f"event-{number}",
        provider="openai",
        model=given["model"],
        cost_nanodollars=given["costMicrodollars"] * 1_000,
        occurred_at=datetime.fromisoformat(given["occurredAt"]),
        tag_value=given["tagValue"],
    )
