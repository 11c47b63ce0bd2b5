"""Refunds of which credit notes say what they are for."""

from __future__ import annotations

from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import at, fetch


async def test_notes_speak_for_a_refund_with_as_much_as_they_say(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-09"), invoice_id="in_1")
    account.add_refund("in_1", 100, created=at("2026-01"), id="re_1")
    account.add_credit_note("in_1", 60, created=at("2026-02"), refunds={"re_1": 60})
    account.add_credit_note("in_1", 30, created=at("2026-03"), refunds={"re_1": 30})
    account.add_refund("in_1", 100, created=at("2025-10"), id="re_old")
    account.add_credit_note("in_1", 50, created=at("2025-11"), refunds={"re_old": 50})
    account.add_credit_note("in_1", 20, created=at("2026-02"), refunds={"re_old": 20})

    found = {fact.object_id: fact for fact in await fetch(provider) if fact.kind == "refund"}

    amounts = {
        name: [(tuple(part.bases), part.amount_minor) for part in fact.all_parts]
        for name, fact in found.items()
    }
    assert amounts == {
        "re_1": [(("net",), -100), (("accrual",), -10)],
        "re_old": [(("net",), -100), (("accrual",), -30)],
    }
    asked = [one.param("invoice") for one in server.requests if one.path == "/v1/credit_notes"]
    assert [one for one in asked if one] == ["in_1"]
