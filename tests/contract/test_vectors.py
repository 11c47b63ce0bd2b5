"""The worked examples, through the HTTP interface: connect, sync, ingest, map, read."""

import json
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.world import World, event

CASES = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[f"case-{index}" for index in range(len(CASES))])
async def test_a_worked_example_comes_out_as_worked_out(here: World, case: dict) -> None:
    await load(here, case)
    for period, expected in case["expected"].items():
        table = await here.get(f"/api/margins?period={period}", role="viewer")
        summary = {key: table["summary"][key] for key in expected["summary"]}
        assert summary == expected["summary"]
        assert table["customers"] == expected["customers"]
    for tag, expected in case["expectedDetail"].items():
        detail = await here.get(f"/api/margins/{quote(tag, safe='')}", role="viewer")
        assert detail == expected


async def load(here: World, case: dict) -> None:
    here.clock.moment = datetime.fromisoformat(case["now"])
    for customer in case["customers"]:
        here.account.add_customer(
            customer["id"],
            name=customer["name"],
            email=customer["email"],
            metadata=customer["metadata"],
        )
    for invoice in case["invoices"]:
        here.account.add_invoice(
            invoice["customer"],
            invoice["amountPaidCents"],
            created=int(datetime.fromisoformat(invoice["created"]).timestamp()),
            currency=invoice["currency"],
            lean=True,
        )
    for mapping in case["mappings"]:
        answer = await here.map(mapping["stripeCustomerId"], mapping["tagValue"])
        assert answer.status_code == 201, answer.text
    assert (await here.connect()).status_code == 201
    await here.sync()
    events = [
        event(
            customer=cost["tagValue"],
            model=cost["model"],
            costMicrodollars=cost["costMicrodollars"],
            occurredAt=cost["occurredAt"],
        )
        for cost in case["costEvents"]
    ]
    for start in range(0, len(events), 100):
        answer = await here.post_batch(events[start : start + 100])
        assert answer.status_code == 201, answer.text
