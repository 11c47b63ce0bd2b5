"""Credit notes of invoices that are older than the window, and paid in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nullspend_margins import RevenueGap
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import KEY, NOW, WINDOW, at, cursor, facts, read

DAY = 86_400
OLD = at("2025-10", 3)


@pytest.mark.parametrize("how", ["event", "list"])
async def test_what_was_credited_while_an_invoice_was_open_counts_once_it_is_paid_late(
    provider: StripeProvider, account: StripeAccount, server: StripeServer, how: str
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_late", status="open")
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_plain", status="open")
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_open", status="open")
    account.add_credit_note("in_late", 200, created=OLD + DAY, id="cn_1")
    account.add_credit_note("in_late", 100, created=OLD + DAY, id="cn_void", status="void")
    account.add_credit_note("in_open", 100, created=OLD + DAY, id="cn_open")
    first = await read(provider)
    assert not any(fact.parts for fact in facts(first).values())
    server.requests.clear()

    account.pay("in_plain", 900, at=int(NOW.timestamp()))
    account.pay("in_late", 900, at=int(NOW.timestamp()))
    window = replace(WINDOW, cursor=cursor(first) if how == "event" else None)
    found = facts(await read(provider, window))

    assert {name for name, fact in found.items() if fact.parts} == {"in_late", "in_plain", "cn_1"}
    assert [(part.bases, part.amount_minor) for part in found["cn_1"].all_parts] == [
        (("accrual",), -200)
    ]
    asked = [one.param("invoice") for one in server.requests if one.path == "/v1/credit_notes"]
    assert asked.count("in_late") == 1
    assert "in_plain" not in asked  # it says itself that it has none


async def test_late_payments_are_told_to_keys_that_may_not_read_credit_notes(
    provider: StripeProvider, account: StripeAccount, server: StripeServer
) -> None:
    server.forbid(KEY, "rak_credit_note_read")
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_1", paid_at=at("2026-02"))
    account.add_credit_note("in_1", 200, created=OLD + DAY, kind="pre_payment")

    items = await read(provider)

    assert set(facts(items)) == {"in_1"}
    assert [one.permission for one in items if isinstance(one, RevenueGap)] == [
        "rak_credit_note_read"
    ]
